//! A server process, which ends with its handle, and also when the tests have ended in whatever way.

use super::database::Database;
use super::folder::new_folder;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

/// Runs a server, tells its process id and its exit, and kills it as soon as its own standard input ends. That pipe
/// is held by the tests and by nobody else, so the operating system closes it even when they are killed.
const GUARDIAN: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- & server=$!
echo "pid $server"
(read -r line <&3; kill -KILL $server) & watch=$!
wait $server; status=$?
kill $watch
echo "exit $status"
"#;

/// How long a server may take to start or to stop, also on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// How a server is to be started.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Its database.
    pub(crate) database_url: String,
    /// Its data folder.
    pub(crate) folder: PathBuf,
    environment: Vec<(&'static str, String)>,
}

impl Settings {
    /// A new folder and a new database.
    pub(crate) fn new() -> Self {
        let folder = new_folder();
        let database_url = Database::create(&folder);
        Self {
            database_url,
            folder,
            environment: Vec::new(),
        }
    }

    /// With a setting in the environment.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// What `rapport` prints for these arguments on the same database and folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.command().args(arguments).output().expect("the program runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "rapport {arguments:?} ended with {}: {errors}",
            output.status
        );
        String::from_utf8(output.stdout).expect("the program prints text")
    }

    /// The program with these settings, whatever else stands in the environment of the tests.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rapport"));
        self.configure(&mut command);
        command
    }

    fn configure(&self, command: &mut Command) {
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("RAPPORT_")) {
            command.env_remove(name);
        }
        command
            .env("DATABASE_URL", &self.database_url)
            .env("RAPPORT_DATA_DIR", &self.folder)
            .env("RAPPORT_BIND", "127.0.0.1:0")
            .env("RAPPORT_LOG", "warn")
            .env("RAPPORT_DUTY_MILLISECONDS", "100")
            .envs(self.environment.iter().map(|(name, value)| (*name, value)))
            .current_dir(&self.folder);
    }
}

/// A server that has been told to start.
pub(crate) struct Starting {
    settings: Settings,
    lines: Receiver<String>,
    guardian: Child,
}

/// A running server.
pub(crate) struct Server {
    /// Where it listens: `http://127.0.0.1:…`.
    pub(crate) url: String,
    /// How it was started.
    pub(crate) settings: Settings,
    process_id: String,
    lines: Mutex<Receiver<String>>,
    guardian: Child,
}

impl Server {
    /// The server that all stories share, but for those that configure or kill one.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(Settings::new()))
    }

    /// Starts a server and waits until it listens.
    pub(crate) fn start(settings: Settings) -> Self {
        Self::begin(settings).listening()
    }

    /// Starts a server and does not wait.
    pub(crate) fn begin(settings: Settings) -> Starting {
        let mut command = Command::new("sh");
        settings.configure(&mut command);
        let log = settings.folder.join("server.log");
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(log)
            .expect("a log file");
        let mut guardian = command
            .args(["-c", GUARDIAN, "guardian", env!("CARGO_BIN_EXE_rapport"), "serve"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("a shell");
        let output = BufReader::new(guardian.stdout.take().expect("its output is piped"));
        let (sender, lines) = channel();
        // It reads on to the end, so that the server never waits for a reader.
        std::thread::spawn(move || {
            output
                .lines()
                .map_while(Result::ok)
                .for_each(|line| drop(sender.send(line)));
        });
        Starting {
            settings,
            lines,
            guardian,
        }
    }

    /// Kills it in the middle of whatever it does, and gives back how to start it again.
    pub(crate) fn kill(self) -> Settings {
        self.signal("KILL");
        self.wait_for_exit();
        self.settings.clone()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.process_id]).status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "the server {} is gone",
            self.process_id
        );
    }

    /// Waits until it has ended, and gives its exit status.
    pub(crate) fn wait_for_exit(&self) -> i32 {
        let lines = self.lines.lock().expect("no other waiter has failed");
        let exit = next(&lines, |line| line.strip_prefix("exit ").map(str::to_owned));
        exit.expect("the server ends in time").parse().expect("a status")
    }
}

impl Starting {
    /// Waits until it listens.
    pub(crate) fn listening(self) -> Server {
        let Self {
            settings,
            lines,
            guardian,
        } = self;
        let told = next(&lines, |line| line.strip_prefix("pid ").map(str::to_owned));
        let process_id = told.expect("the guardian tells the process id");
        let url = next(&lines, address_in).unwrap_or_else(|| {
            let log = std::fs::read_to_string(settings.folder.join("server.log"));
            panic!("the server does not start: {}", log.unwrap_or_default())
        });
        Server {
            url,
            settings,
            process_id,
            lines: Mutex::new(lines),
            guardian,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.guardian.stdin.take());
        drop(self.guardian.wait());
    }
}

/// The first line that says what is asked for; none when the server has ended or lets us wait for too long.
fn next(lines: &Receiver<String>, mut wanted: impl FnMut(&str) -> Option<String>) -> Option<String> {
    loop {
        let line = lines.recv_timeout(PATIENCE).ok()?;
        if let Some(found) = wanted(&line) {
            return Some(found);
        }
        if line.starts_with("exit ") {
            return None;
        }
    }
}

/// The address that the server greets with.
fn address_in(line: &str) -> Option<String> {
    const BEGIN: &str = "http://127.0.0.1:";
    let start = line.find(BEGIN)?;
    let port = &line[start + BEGIN.len()..];
    let digits = port.bytes().take_while(u8::is_ascii_digit).count();
    Some(line[start..start + BEGIN.len() + digits].to_owned())
}

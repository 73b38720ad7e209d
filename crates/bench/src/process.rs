//! Processes that end with their handle, and know nothing of the caller's configuration.

use crate::{Failure, Result};
use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A command without the caller's environment: nothing of its `RAPPORT_*` or `DATABASE_URL` may reach a server.
/// `libraries` is where the program's libraries are when it was unpacked rather than installed.
pub(crate) fn command(program: impl AsRef<OsStr>, libraries: Option<&str>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null());
    for name in ["PATH", "HOME", "TMPDIR"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command.envs(libraries.map(|folders| ("LD_LIBRARY_PATH", folders)));
    command
}

/// A running process. It is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    name: String,
}

/// Mebibytes that a process has in memory.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// Now.
    pub(crate) resident: f64,
    /// At most since it started.
    pub(crate) peak: f64,
}

impl Process {
    /// Starts a process whose output goes to a file.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let log = std::fs::File::options().create(true).append(true).open(log)?;
        let name = name_of(command);
        let child = command.stdout(log.try_clone()?).stderr(log).spawn();
        let child = child.map_err(|error| format!("{name} could not be started: {error}"))?;
        Ok(Self { child, name })
    }

    /// Waits until it has ended.
    async fn ended(&mut self) -> Result<bool> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.success());
            }
            // The standard library waits for a child only by blocking the thread.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Fails when it has ended.
    pub(crate) fn still_runs(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(Failure::from(format!("{} ended: {status}", self.name))),
        }
    }

    pub(crate) fn memory(&self) -> Result<Memory> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let mebibytes = |field: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(field))?;
            let kibibytes: f64 = line.split_whitespace().next()?.parse().ok()?;
            Some(kibibytes / 1024.0)
        };
        Ok(Memory {
            resident: mebibytes("VmRSS:").unwrap_or_default(),
            peak: mebibytes("VmHWM:").unwrap_or_default(),
        })
    }

    /// Asks it to end, and waits for that.
    pub(crate) async fn stop(mut self) -> Result<()> {
        let id = self.child.id().to_string();
        command("kill", None).args(["-TERM", &id]).status()?;
        let asked = Instant::now();
        while self.child.try_wait()?.is_none() {
            if asked.elapsed() > Duration::from_secs(40) {
                return Err(format!("{} does not end", self.name).into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What a command prints when it succeeds. Its errors are told when it does not.
pub(crate) async fn output(command: &mut Command) -> Result<String> {
    let name = name_of(command);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| format!("{name} could not be started: {error}"))?;
    let (out, errors) = (child.stdout.take(), child.stderr.take());
    // Each is read on a thread of its own, so that the command never waits for a reader.
    let out = tokio::task::spawn_blocking(move || text_of(out));
    let errors = tokio::task::spawn_blocking(move || text_of(errors));
    let mut process = Process { child, name };
    let succeeded = process.ended().await?;
    let (out, errors) = (out.await?, errors.await?);
    if succeeded {
        Ok(out)
    } else {
        Err(format!("{} failed: {errors} {out}", process.name).into())
    }
}

fn text_of(pipe: Option<impl Read>) -> String {
    let mut text = Vec::new();
    // What cannot be read is missing from a message or a result, where it is noticed.
    drop(pipe.map(|mut pipe| pipe.read_to_end(&mut text)));
    String::from_utf8_lossy(&text).into_owned()
}

fn name_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

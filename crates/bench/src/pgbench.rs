//! pgbench: what PostgreSQL alone does with the statements of a request, or with plain ones in their stead, by prepared
//! statements over the same socket.

use crate::postgres::Cluster;
use crate::process::output;
use crate::requests::Stream;
use crate::service::Service;
use crate::statements::{self, ROWS, Script, Statement};
use crate::{Failure, Result};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The statements of some requests, to be asked again.
#[derive(Debug, Clone)]
pub(crate) struct Replay {
    database: String,
    files: Vec<PathBuf>,
    variables: Vec<(String, String)>,
}

/// The most scripts that pgbench takes.
const MOST_SCRIPTS: usize = 128;

/// What requests do to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// They read, or write new rows.
    None,
    /// They change the customer that their path names last.
    Customer,
}

impl Replay {
    /// Sends some requests of a stream, beginning with one of them, and keeps what they asked of the database.
    pub(crate) async fn capture(
        cluster: &Cluster,
        database: &str,
        service: &Service,
        (stream, first, count): (&Stream, usize, usize),
        effect: Effect,
        folder: &Path,
    ) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        if effect == Effect::Customer {
            make_rows(cluster, database).await?;
        }
        cluster.log_statements(true).await?;
        // The servers notice a new setting at their next statement, some time after they were told.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let asked = ask(cluster, service, stream, first..first + count).await;
        cluster.log_statements(false).await?;
        let asked = asked?;
        // A request that found other work in its part of the log, such as that of a timer, has more than the others.
        let least = asked.iter().map(|(_, _, said)| said.len()).min().unwrap_or(0);
        let mut replay = Self {
            database: database.to_owned(),
            files: Vec::new(),
            variables: Vec::new(),
        };
        for (path, since, said) in asked.iter().filter(|(_, _, said)| said.len() == least && least > 0) {
            let mut script = statements::script(said, replay.files.len(), *since);
            if effect == Effect::Customer {
                script = script.over_rows(path.rsplit('/').next().unwrap_or_default(), "customers");
            }
            replay.add(script, folder)?;
        }
        if replay.files.is_empty() {
            return Err("the log tells of no statement".into());
        }
        Ok(replay)
    }

    /// Statements of our own, one for each request that they are compared with.
    pub(crate) fn plain(database: &str, statements: &[Statement], folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut replay = Self {
            database: database.to_owned(),
            files: Vec::new(),
            variables: Vec::new(),
        };
        for statement in statements.iter().take(MOST_SCRIPTS) {
            // Nothing of it is made anew.
            let script = statements::script(std::slice::from_ref(statement), replay.files.len(), u64::MAX);
            replay.add(script, folder)?;
        }
        Ok(replay)
    }

    fn add(&mut self, script: Script, folder: &Path) -> Result<()> {
        let file = folder.join(format!("{}.sql", self.files.len()));
        std::fs::write(&file, script.text)?;
        self.files.push(file);
        self.variables.extend(script.variables);
        Ok(())
    }

    /// Transactions a second.
    pub(crate) async fn run(&self, cluster: &Cluster, connections: u32, seconds: u32) -> Result<f64> {
        let mut pgbench = cluster.program("pgbench");
        pgbench.args(["-n", "-M", "prepared", "-c", &connections.to_string()]);
        pgbench.args(["-j", &connections.min(2).to_string(), "-T", &seconds.to_string()]);
        let made = statements::prefix(now()?);
        for (name, value) in self
            .variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .chain([("n", "0"), ("made", &made)])
        {
            pgbench.args(["-D", &format!("{name}={value}")]);
        }
        for file in &self.files {
            pgbench.arg("-f").arg(file);
        }
        let printed = output(pgbench.arg(&self.database)).await?;
        if printed.contains("actually processed: 0") {
            return Err("pgbench finished no transaction in time".into());
        }
        let rate = printed
            .lines()
            .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        rate.ok_or_else(|| Failure::from(format!("pgbench told no result: {printed}")))
    }
}

/// Sends requests one after the other, and reads what each made the server ask.
async fn ask(
    cluster: &Cluster,
    service: &Service,
    stream: &Stream,
    numbers: std::ops::Range<usize>,
) -> Result<Vec<(String, u64, Vec<Statement>)>> {
    let mut asked = Vec::new();
    // The first one may open a connection, or find an answer that is no longer kept.
    service.send(&stream.request(numbers.start)).await?;
    for number in numbers.skip(1) {
        let request = stream.request(number);
        let (_, begin) = cluster.log_from(usize::MAX)?;
        let since = now()?;
        service.send(&request).await?;
        let (log, _) = cluster.log_from(begin)?;
        asked.push((request.path, since, statements::read_log(&log)));
    }
    Ok(asked)
}

/// The table by which a script finds rows that no other connection changes: the customers that were made last.
async fn make_rows(cluster: &Cluster, database: &str) -> Result<()> {
    let fill = format!(
        "CREATE TABLE bench_rows AS SELECT (row_number() OVER () - 1)::int AS n, id \
         FROM (SELECT id FROM customers ORDER BY id DESC LIMIT {ROWS}) AS latest"
    );
    let statements = [
        "DROP TABLE IF EXISTS bench_rows",
        &fill,
        "ALTER TABLE bench_rows ADD PRIMARY KEY (n)",
    ];
    cluster.run(database, &statements).await
}

fn now() -> Result<u64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(u64::try_from(since.as_millis())?)
}

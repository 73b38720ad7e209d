//! The PostgreSQL cluster that `scripts/postgres` started: its programs, and its statement log.

use crate::process::{command, output};
use crate::{Failure, Result};
use std::path::{Path, PathBuf};
use std::process::Command;
use url::Url;

/// A cluster.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    url: Url,
    /// Where its programs are, when they are not on the path.
    programs: Option<PathBuf>,
    libraries: Option<String>,
    /// Where it logs, when that can be read.
    log: Option<PathBuf>,
}

impl Cluster {
    /// The one that the environment names.
    pub(crate) fn from_env() -> Result<Self> {
        let name = "RAPPORT_TEST_POSTGRES_URL";
        let url = std::env::var(name).map_err(|_| format!("{name} is not set: run this by make bench"))?;
        let path = |name| std::env::var_os(name).map(PathBuf::from);
        Ok(Self {
            url: Url::parse(&url)?,
            programs: path("RAPPORT_TEST_POSTGRES_PROGRAMS"),
            libraries: std::env::var("RAPPORT_TEST_POSTGRES_LIBRARIES").ok(),
            log: path("RAPPORT_TEST_POSTGRES_LOG"),
        })
    }

    /// The URL of one of its databases.
    pub(crate) fn database_url(&self, database: &str) -> String {
        let mut url = self.url.clone();
        url.set_path(database);
        url.into()
    }

    /// One of its client programs, ready to connect.
    pub(crate) fn program(&self, name: &str) -> Command {
        let program = self
            .programs
            .as_ref()
            .map_or_else(|| PathBuf::from(name), |folder| folder.join(name));
        let mut command = command(program, self.libraries.as_deref());
        command
            .env("PGHOST", self.url.host_str().unwrap_or("127.0.0.1"))
            .env("PGPORT", self.url.port().unwrap_or(5432).to_string())
            .env("PGUSER", self.url.username())
            .env("PGPASSWORD", self.url.password().unwrap_or_default());
        command
    }

    /// Runs SQL, each statement by itself.
    pub(crate) async fn run(&self, database: &str, statements: &[&str]) -> Result<()> {
        let mut psql = self.program("psql");
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database]);
        for statement in statements {
            psql.args(["-c", statement]);
        }
        output(&mut psql).await.map(drop)
    }

    /// The one value that a query gives.
    pub(crate) async fn ask(&self, database: &str, query: &str) -> Result<String> {
        let mut psql = self.program("psql");
        psql.args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            database,
            "-c",
            query,
        ]);
        Ok(output(&mut psql).await?.trim().to_owned())
    }

    /// Makes a database that is empty.
    pub(crate) async fn make_database(&self, name: &str) -> Result<()> {
        self.drop_database(name).await?;
        self.run("postgres", &[&format!("CREATE DATABASE {name}")]).await
    }

    /// Removes a database, if there is one.
    pub(crate) async fn drop_database(&self, name: &str) -> Result<()> {
        let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        self.run("postgres", &[&statement]).await
    }

    /// Has every statement written to the log, or none.
    pub(crate) async fn log_statements(&self, all: bool) -> Result<()> {
        let which = if all { "all" } else { "none" };
        let setting = format!("ALTER SYSTEM SET log_statement = '{which}'");
        self.run("postgres", &[&setting, "SELECT pg_reload_conf()"]).await
    }

    /// What the log says from a place on, and where it ends.
    pub(crate) fn log_from(&self, place: usize) -> Result<(String, usize)> {
        let log = self
            .log
            .as_deref()
            .ok_or_else(|| Failure::from("the cluster's log cannot be read"))?;
        let bytes = std::fs::read(log)?;
        let text = String::from_utf8_lossy(bytes.get(place..).unwrap_or_default()).into_owned();
        Ok((text, bytes.len()))
    }

    /// Whether its statements can be seen at all.
    pub(crate) fn log(&self) -> Option<&Path> {
        self.log.as_deref()
    }
}

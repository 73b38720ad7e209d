//! How a connection is made for each database, and the pools that keep them.

use crate::Error;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{self, ManageConnection, R2D2Connection};
use sql::DatabaseConnection;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where the data lives, read from a database URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Location {
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            return match path {
                "" | ":memory:" => Err(Error::Schema(
                    "an in-memory SQLite database cannot be shared; name a file".to_owned(),
                )),
                path => Ok(Self::Sqlite(PathBuf::from(path))),
            };
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(with_network_limits(url)));
        }
        Err(Error::Schema(
            "DATABASE_URL must begin with sqlite:// or postgres://".to_owned(),
        ))
    }
}

/// A dead network must not hold a request: bounds on connecting and on unacknowledged data.
fn with_network_limits(url: &str) -> String {
    let mut limited = url.to_owned();
    for (name, value) in [
        ("connect_timeout", "3"),
        ("tcp_user_timeout", "15000"),
        ("application_name", "rapport"),
    ] {
        if !limited.contains(name) {
            limited.push(if limited.contains('?') { '&' } else { '?' });
            limited.extend([name, "=", value]);
        }
    }
    limited
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Read,
    Write,
    /// Copying SQLite's log into the database.
    Checkpoint,
}

/// A pooled connection that knows when it must be thrown away.
pub(crate) struct Pooled {
    pub(crate) connection: DatabaseConnection,
    pub(crate) lost: bool,
}

/// Makes connections for a pool.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionManager {
    pub(crate) location: Location,
    pub(crate) purpose: Purpose,
    /// Off behind a transaction pooler that cannot keep prepared statements.
    pub(crate) prepared_statements: bool,
}

pub(crate) type Pool = r2d2::Pool<ConnectionManager>;

/// How long work waits for a connection before it is refused.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

impl ConnectionManager {
    /// Opens one connection and sets what is kept per connection.
    pub(crate) fn open(&self) -> Result<DatabaseConnection, Error> {
        let mut connection = match &self.location {
            Location::Sqlite(path) => open_sqlite(path, self.purpose)?,
            Location::Postgres(url) => open_postgres(url)?,
        };
        if !self.prepared_statements {
            connection.set_prepared_statement_cache_size(diesel::connection::CacheSize::Disabled);
        }
        Ok(connection)
    }

    /// So many connections, of which some are kept when nobody needs them.
    pub(crate) fn pool(&self, size: u32, idle: Option<u32>) -> Result<Pool, Error> {
        r2d2::Pool::builder()
            .max_size(size)
            .min_idle(idle)
            .connection_timeout(PATIENCE)
            .idle_timeout(Some(Duration::from_mins(10)))
            .max_lifetime(Some(Duration::from_mins(30)))
            .test_on_check_out(false)
            .error_handler(Box::new(LogPoolErrors))
            .build(self.clone())
            .map_err(|error| Error::Unavailable(error.to_string()))
    }
}

#[derive(Debug)]
struct LogPoolErrors;

impl<E: std::fmt::Display> r2d2::HandleError<E> for LogPoolErrors {
    fn handle_error(&self, error: E) {
        tracing::warn!(%error, "a database connection could not be made");
    }
}

/// Only readers keep temporary data in memory: the writer's savepoints would, too, and each release would walk
/// all of it, which made a large batch quadratic.
fn open_sqlite(path: &Path, purpose: Purpose) -> Result<DatabaseConnection, Error> {
    let mut connection =
        SqliteConnection::establish(&path.to_string_lossy()).map_err(|error| Error::Unavailable(error.to_string()))?;
    patiently(|| {
        connection.batch_execute(
            "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
             PRAGMA mmap_size = 0; PRAGMA journal_size_limit = 200000000;",
        )
    })?;
    connection.batch_execute(match purpose {
        // A commit of the writer empties the caches of readers, so large ones would mostly be in the way.
        Purpose::Read => "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2048;",
        // It makes checkpoints itself only where the thread for them does not catch up: the log begins anew when all of it
        // is copied and nobody reads it, so it usually stays below 70 MB.
        Purpose::Write => "PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = 16000;",
        Purpose::Checkpoint => "PRAGMA cache_size = -64;",
    })?;
    Ok(DatabaseConnection::Sqlite(connection))
}

/// Tries again for five seconds what SQLite refuses because the file is locked. It waits by itself for most locks
/// (`busy_timeout`), but not for those that it takes while several processes make the file or leave it.
pub(crate) fn patiently(mut work: impl FnMut() -> QueryResult<()>) -> QueryResult<()> {
    let started = Instant::now();
    loop {
        match work() {
            Err(error) if is_locked(&error) && started.elapsed() < Duration::from_secs(5) => {
                std::thread::sleep(Duration::from_millis(20));
            }
            done => return done,
        }
    }
}

fn is_locked(error: &diesel::result::Error) -> bool {
    error.to_string().contains("database is locked")
}

fn open_postgres(url: &str) -> Result<DatabaseConnection, Error> {
    sql::settle_openssl();
    let mut connection = PgConnection::establish(url).map_err(|error| Error::Unavailable(error.to_string()))?;
    connection.batch_execute(
        "SET statement_timeout = '5s'; SET lock_timeout = '2s'; SET idle_in_transaction_session_timeout = '10s'; \
         SET timezone = 'UTC'; SET client_min_messages = warning;",
    )?;
    Ok(DatabaseConnection::Postgres(connection))
}

impl ManageConnection for ConnectionManager {
    type Connection = Pooled;
    type Error = Error;

    fn connect(&self) -> Result<Pooled, Error> {
        Ok(Pooled {
            connection: self.open()?,
            lost: false,
        })
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), Error> {
        Ok(pooled.connection.ping()?)
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        pooled.lost || std::thread::panicking() || pooled.connection.is_broken()
    }
}

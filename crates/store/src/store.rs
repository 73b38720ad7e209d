//! The two calls that everything goes through, [`Store::read`] and [`Store::write`]: each takes a closure,
//! runs it off the async threads unless it is found by its key, and answers when the database has.

use crate::connections::Connections;
use crate::pool::{ConnectionManager, Location, Pool, Pooled, Purpose};
use crate::retries::Retries;
use crate::savepoints::Undoing;
use crate::snapshots::Snapshots;
use crate::sqlite_writer::SqliteWriter;
use crate::transaction::{self, Scope, Transaction};
use crate::{Error, migrations};
use diesel::r2d2::PooledConnection;
use std::sync::Arc;
use tokio::sync::watch;

/// How to open a store.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sqlite://path` or `postgres://…`.
    pub url: String,
    /// A PostgreSQL replica for reads that may lag.
    pub replica_url: Option<String>,
    /// Connections to PostgreSQL, or readers of SQLite.
    pub pool_size: u32,
    /// Off behind a transaction pooler that cannot keep prepared statements.
    pub prepared_statements: bool,
    /// Writes that may share one commit on SQLite; 1 gives each a commit of its own.
    pub group_commit: usize,
}

impl Options {
    /// The defaults for a database URL.
    pub fn new(url: impl Into<String>) -> Self {
        let url = url.into();
        let pool_size = if url.starts_with("sqlite") { cores().max(4) } else { 10 };
        Self {
            group_commit: 512,
            url,
            replica_url: None,
            pool_size,
            prepared_statements: true,
        }
    }
}

fn cores() -> u32 {
    let cores = std::thread::available_parallelism().map_or(4, usize::from);
    u32::try_from(cores).unwrap_or(4)
}

/// The data of all tenants, in either database.
pub struct Store {
    readers: Connections,
    /// Readers of SQLite for the threads that serve requests. Shared with the other threads, one request that is handed over
    /// to these would hold a reader for longer, and cause the next to be handed over.
    readers_here: Option<Snapshots>,
    replica: Option<Connections>,
    writer: Writer,
    committed: watch::Sender<()>,
}

enum Writer {
    Sqlite(SqliteWriter),
    Postgres(Connections, Arc<Retries>),
}

impl Store {
    /// Opens the database, making and migrating it as needed.
    pub fn open(options: &Options) -> Result<Self, Error> {
        let location = Location::parse(&options.url)?;
        if let Location::Sqlite(path) = &location {
            crate::sqlite_writer::prepare_file(path)?;
        }
        let manager = |location: Location, purpose| ConnectionManager {
            location,
            purpose,
            prepared_statements: options.prepared_statements,
        };
        let mut first = manager(location.clone(), Purpose::Write).open()?;
        migrations::run(&mut first)?;
        crate::events::settle_clock(&mut first)?;

        let committed = watch::Sender::new(());
        let writer = match &location {
            Location::Sqlite(_) => {
                let checkpoints = manager(location.clone(), Purpose::Checkpoint).open()?;
                let group = options.group_commit;
                Writer::Sqlite(SqliteWriter::start(first, checkpoints, committed.clone(), group)?)
            }
            Location::Postgres(_) => {
                let pool = manager(location.clone(), Purpose::Write).pool(options.pool_size, Some(2))?;
                Writer::Postgres(Connections::new(pool), Arc::new(Retries::new()))
            }
        };
        let (readers, readers_here) = match &writer {
            Writer::Postgres(connections, _) => (connections.clone(), None),
            Writer::Sqlite(_) => {
                let here = manager(location.clone(), Purpose::Read).pool(cores(), None)?;
                let here = Snapshots::new(here, committed.subscribe());
                // Others are opened when they are needed.
                let readers = manager(location, Purpose::Read).pool(options.pool_size, Some(1))?;
                (Connections::new(readers), Some(here))
            }
        };
        let replica = options
            .replica_url
            .as_deref()
            .map(|url| manager(Location::parse(url)?, Purpose::Read).pool(options.pool_size, Some(1)))
            .transpose()?
            .map(Connections::new);
        Ok(Self {
            readers,
            readers_here,
            replica,
            writer,
            committed,
        })
    }

    /// Whether the embedded database is used.
    pub fn is_sqlite(&self) -> bool {
        matches!(self.writer, Writer::Sqlite(_))
    }

    /// Reads on behalf of a scope.
    pub async fn read<T, F>(&self, scope: &Scope, work: F) -> Result<T, Error>
    where
        F: Fn(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        read_from(&self.readers, scope, work).await
    }

    /// Reads on behalf of a scope what is found by its key. SQLite has that sooner than another thread would take over,
    /// so it is asked right here, unless more threads serve than there are cores; PostgreSQL is asked as by [`Store::read`].
    pub async fn read_by_key<T, F>(&self, scope: &Scope, work: F) -> Result<T, Error>
    where
        F: Fn(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        match self.read_here(scope, &work) {
            Some(found) => found,
            None => self.read(scope, work).await,
        }
    }

    /// Reads by key what a write is going to need, right here, where that makes the write shorter: beside SQLite's one
    /// writer. None on PostgreSQL, where no connection is free, and where it failed, which the write finds out by itself.
    pub fn read_ahead<T>(
        &self,
        scope: &Scope,
        work: impl Fn(&mut Transaction<'_>) -> Result<Option<T>, Error>,
    ) -> Option<T> {
        self.read_here(scope, &work)?.ok().flatten()
    }

    fn read_here<T>(
        &self,
        scope: &Scope,
        work: &impl Fn(&mut Transaction<'_>) -> Result<T, Error>,
    ) -> Option<Result<T, Error>> {
        let snapshots = self.readers_here.as_ref()?;
        snapshots.read(|connection| work(&mut Transaction::new(connection, scope)))
    }

    /// Reads on behalf of a scope where the answer may lag behind the latest writes.
    pub async fn read_stale<T, F>(&self, scope: &Scope, work: F) -> Result<T, Error>
    where
        F: Fn(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        read_from(self.replica.as_ref().unwrap_or(&self.readers), scope, work).await
    }

    /// Writes on behalf of a scope, in one transaction. Answers when it is durable.
    ///
    /// The work may run again, when PostgreSQL asks for it or when SQLite's writer has to undo a group of writes, so it must
    /// have no effect but on the transaction.
    pub async fn write<T, F>(&self, scope: &Scope, work: F) -> Result<T, Error>
    where
        F: Fn(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        match &self.writer {
            Writer::Sqlite(writer) => writer.write(scope.clone(), work).await,
            Writer::Postgres(connections, retries) => {
                let (scope, committed, retries) = (scope.clone(), self.committed.clone(), Arc::clone(retries));
                let write = move |pool: &Pool| {
                    let write = || with_connection(pool, |pooled| write_postgres(pooled, &scope, &work));
                    let value = retries.run(scope.tenant.id, write)?;
                    committed.send_replace(());
                    Ok(value)
                };
                connections.run(write).await
            }
        }
    }

    /// Tells when something may have been committed by this process.
    pub fn commits(&self) -> watch::Receiver<()> {
        self.committed.subscribe()
    }

    /// Whether the database answers; for readiness.
    pub async fn ping(&self) -> Result<(), Error> {
        let ask = |pool: &Pool| {
            with_connection(pool, |pooled| {
                diesel::connection::SimpleConnection::batch_execute(&mut pooled.connection, "SELECT 1")?;
                Ok(())
            })
        };
        self.readers.run(ask).await
    }
}

async fn read_from<T, F>(connections: &Connections, scope: &Scope, work: F) -> Result<T, Error>
where
    F: Fn(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
    T: Send + 'static,
{
    let scope = scope.clone();
    let read = move |pool: &Pool| {
        with_connection(pool, |pooled| {
            work(&mut Transaction::new(&mut pooled.connection, &scope))
        })
    };
    connections.run(read).await
}

/// Runs work on a pooled connection. A connection found dead is thrown away and the work tried once more.
fn with_connection<T>(pool: &Pool, work: impl Fn(&mut Pooled) -> Result<T, Error>) -> Result<T, Error> {
    let mut pooled = checked_out(pool)?;
    let first = work(&mut pooled);
    match first {
        Err(error) if error.is_connection_lost() => {
            pooled.lost = true;
            drop(pooled);
            let mut fresh = checked_out(pool)?;
            let second = work(&mut fresh);
            fresh.lost = second.as_ref().is_err_and(Error::is_connection_lost);
            second
        }
        result => result,
    }
}

fn checked_out(pool: &Pool) -> Result<PooledConnection<ConnectionManager>, Error> {
    pool.get().map_err(|error| Error::Unavailable(error.to_string()))
}

fn write_postgres<T>(
    pooled: &mut Pooled,
    scope: &Scope,
    work: &impl Fn(&mut Transaction<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    use diesel::connection::{AnsiTransactionManager, TransactionManager};
    type Manager = <sql::DatabaseConnection as diesel::Connection>::TransactionManager;

    let connection = &mut pooled.connection;
    // Repeatable read keeps the event log in order: who changes a record that a later transaction
    // has changed meanwhile must start again, and so gets a later position.
    if let sql::DatabaseConnection::Postgres(postgres) = connection {
        AnsiTransactionManager::begin_transaction_sql(postgres, "BEGIN ISOLATION LEVEL REPEATABLE READ")?;
    }
    match transaction::run(connection, scope, None, Undoing::Apart, work) {
        Ok((value, true)) => Manager::commit_transaction(connection)
            .map(|()| value)
            .map_err(Error::from),
        Ok((value, false)) => Manager::rollback_transaction(connection)
            .map(|()| value)
            .map_err(Error::from),
        Err(error) => {
            // The first error tells more than a failed rollback, which the pool notices by itself.
            pooled.lost = Manager::rollback_transaction(connection).is_err();
            Err(error)
        }
    }
}

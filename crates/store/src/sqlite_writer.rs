//! Group commit for SQLite: one thread owns the writing connection, runs whatever is queued in one
//! transaction with a savepoint for each job, commits once, and only then answers all.
//!
//! A commit costs one fsync; sharing it among the jobs that wait anyway is what makes
//! `synchronous = FULL` fast. See `docs/decisions/0002-group-commit.md`.

use crate::Error;
use crate::transaction::{self, Scope, Transaction};
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::prelude::SqliteConnection;
use sql::DatabaseConnection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

/// Jobs that may wait; more are refused.
const QUEUE: usize = 4096;
/// How long a commit may be put off to take in more jobs.
const BATCH_TIME: Duration = Duration::from_millis(25);

/// Runs in the writer's open transaction and gives back what to do once the commit is known.
type Job = Box<dyn FnOnce(&mut DatabaseConnection, i64) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), CommitFailure>) + Send>;

/// Why a commit failed: told to every job that was part of it.
#[derive(Debug, Clone)]
struct CommitFailure(String);

/// The way to the writing thread. The thread ends when this is dropped and the queue is empty.
pub(crate) struct SqliteWriter {
    queue: SyncSender<Job>,
}

impl SqliteWriter {
    /// Starts the thread on a migrated connection; up to `group` jobs share a commit.
    pub(crate) fn start(
        connection: DatabaseConnection,
        committed: watch::Sender<()>,
        group: usize,
    ) -> Result<Self, Error> {
        let (queue, jobs) = sync_channel(QUEUE);
        std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || {
                Loop {
                    connection,
                    position: 0,
                    committed,
                    group,
                    stopped: None,
                }
                .run(&jobs);
            })
            .map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Self { queue })
    }

    /// Queues work and waits until it is durable, or has failed.
    pub(crate) async fn write<T, F>(&self, scope: Scope, work: F) -> Result<T, Error>
    where
        F: Fn(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |connection, position| {
            let result = in_savepoint(connection, &scope, position, work);
            Box::new(move |commit: Result<(), CommitFailure>| {
                let answer = match commit {
                    Ok(()) => result,
                    Err(failure) => result.and(Err(Error::Unavailable(failure.0))),
                };
                // Whoever asked may have gone; what was committed stays committed.
                drop(sender.send(answer));
            })
        });
        self.queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => Error::Overloaded,
            TrySendError::Disconnected(_) => Error::Unavailable("the writer has stopped".to_owned()),
        })?;
        receiver
            .await
            .map_err(|_| Error::Unavailable("the writer has stopped".to_owned()))?
    }
}

/// Runs one job in a savepoint of its own: when it fails, only its own work is undone.
fn in_savepoint<T>(
    connection: &mut DatabaseConnection,
    scope: &Scope,
    position: i64,
    work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    type Manager = <DatabaseConnection as diesel::Connection>::TransactionManager;
    Manager::begin_transaction(connection)?;
    let result = catch_unwind(AssertUnwindSafe(|| {
        transaction::run(connection, scope, Some(position), work)
    }))
    .unwrap_or_else(|_| Err(Error::Internal("a write panicked".to_owned())));
    match result {
        Ok((value, true)) => {
            Manager::commit_transaction(connection)?;
            Ok(value)
        }
        Ok((value, false)) => {
            Manager::rollback_transaction(connection)?;
            Ok(value)
        }
        Err(error) => {
            Manager::rollback_transaction(connection)?;
            Err(error)
        }
    }
}

struct Loop {
    connection: DatabaseConnection,
    /// That of the last event in the log.
    position: i64,
    committed: watch::Sender<()>,
    /// Jobs in one commit at most.
    group: usize,
    /// Set after a failed fsync: what reached the disk is unknown, so nothing may be written any more.
    stopped: Option<CommitFailure>,
}

impl Loop {
    fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            self.commit_batch(first, jobs);
        }
    }

    fn commit_batch(&mut self, first: Job, jobs: &Receiver<Job>) {
        let mut answers = Vec::new();
        let outcome = self.begin().and_then(|()| {
            let started = Instant::now();
            let mut next = Some(first);
            while let Some(job) = next {
                self.position += 1;
                answers.push(job(&mut self.connection, self.position));
                let more = answers.len() < self.group && started.elapsed() < BATCH_TIME;
                next = if more { jobs.try_recv().ok() } else { None };
            }
            self.commit()
        });
        metrics::histogram!("rapport_group_commit_jobs")
            .record(f64::from(u32::try_from(answers.len()).unwrap_or(u32::MAX)));
        for answer in answers {
            answer(outcome.clone());
        }
        self.committed.send_replace(());
    }

    fn begin(&mut self) -> Result<(), CommitFailure> {
        if let Some(failure) = &self.stopped {
            return Err(failure.clone());
        }
        let sqlite = self.sqlite()?;
        AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE").map_err(|error| failed(&error))?;
        match crate::events::last_position(sqlite) {
            Ok(position) => {
                self.position = position;
                Ok(())
            }
            Err(error) => {
                drop(AnsiTransactionManager::rollback_transaction(sqlite));
                Err(failed(&error))
            }
        }
    }

    fn commit(&mut self) -> Result<(), CommitFailure> {
        let position = self.position;
        let sqlite = self.sqlite()?;
        let kept = crate::events::keep_position(sqlite, position);
        let result = kept.and_then(|()| AnsiTransactionManager::commit_transaction(sqlite));
        result.map_err(|error| {
            let failure = failed(&error);
            tracing::error!(error = %failure.0, "a commit failed");
            if failure.0.contains("disk I/O error") {
                self.stopped = Some(failure.clone());
            }
            // Undo what the failed commit may have left open, so that the next batch can begin.
            if let Ok(sqlite) = self.sqlite() {
                drop(AnsiTransactionManager::rollback_transaction(sqlite));
            }
            failure
        })
    }

    fn sqlite(&mut self) -> Result<&mut SqliteConnection, CommitFailure> {
        match &mut self.connection {
            DatabaseConnection::Sqlite(connection) => Ok(connection),
            DatabaseConnection::Postgres(_) => Err(CommitFailure("not an SQLite connection".to_owned())),
        }
    }
}

fn failed(error: &diesel::result::Error) -> CommitFailure {
    CommitFailure(error.to_string())
}

/// Makes the folder of the database file, and refuses a library with known corruption bugs.
pub(crate) fn prepare_file(path: &Path) -> Result<(), Error> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|error| Error::Unavailable(format!("cannot make {}: {error}", folder.display())))?;
    }
    Ok(())
}

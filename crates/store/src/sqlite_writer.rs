//! Group commit for SQLite: one thread owns the writing connection, runs whatever is queued in one
//! transaction, commits once, and only then answers all.
//!
//! A commit costs one fsync; sharing it among the jobs that wait anyway is what makes
//! `synchronous = FULL` fast. See `docs/decisions/0002-group-commit.md`.

use crate::Error;
use crate::group_commit::GroupCommit;
use crate::savepoints::{Undoing, rows_written};
use crate::sqlite_checkpoints::Checkpoints;
use crate::transaction::{self, Scope, Transaction};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::SqliteConnection;
use sql::DatabaseConnection;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

/// Jobs that may wait; more are refused.
const QUEUE: usize = 4096;

/// When the writer counts as idle.
const IDLE: Duration = Duration::from_millis(500);

/// A write that waits for its commit.
trait Job: Send {
    /// Runs it in the writer's open transaction, keeps its result, and says whether what it wrote is to be kept.
    fn run(&mut self, connection: &mut DatabaseConnection, position: i64, undoing: Undoing) -> Verdict;

    /// Tells whoever asked what it came to, now that the commit is known.
    fn answer(self: Box<Self>, commit: Result<(), CommitFailure>);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Keep,
    /// It was refused, or was to be discarded.
    Undo,
    /// The database failed, or the program: SQLite may even have ended the transaction.
    Failed,
}

impl Verdict {
    fn on<T>(result: &Result<(T, bool), Error>) -> Self {
        match result {
            Ok((_, true)) => Self::Keep,
            Err(error) if is_failure(error) => Self::Failed,
            Ok((_, false)) | Err(_) => Self::Undo,
        }
    }
}

/// Whether the database failed, or the program, and nothing was refused.
const fn is_failure(error: &Error) -> bool {
    matches!(error, Error::Database(_) | Error::Unavailable(_) | Error::Internal(_))
}

struct Write<T, F> {
    scope: Scope,
    work: F,
    result: Option<Result<T, Error>>,
    /// Takes the work back, too: it may hold a thousand records, which take long to free.
    sender: oneshot::Sender<(Result<T, Error>, F)>,
}

impl<T, F> Job for Write<T, F>
where
    F: Fn(&mut Transaction<'_>) -> Result<T, Error> + Send,
    T: Send,
{
    fn run(&mut self, connection: &mut DatabaseConnection, position: i64, undoing: Undoing) -> Verdict {
        let work = AssertUnwindSafe(|| transaction::run(connection, &self.scope, Some(position), undoing, &self.work));
        let result = catch_unwind(work).unwrap_or_else(|_| Err(Error::Internal("a write panicked".to_owned())));
        let verdict = Verdict::on(&result);
        self.result = Some(result.map(|(value, _)| value));
        verdict
    }

    fn answer(self: Box<Self>, commit: Result<(), CommitFailure>) {
        let result = self
            .result
            .unwrap_or_else(|| Err(Error::Unavailable("the write was not run".to_owned())));
        let answer = match (commit, result) {
            (Ok(()), result) => result,
            // A refusal stands whatever becomes of the group.
            (Err(_), Err(refused)) if !is_failure(&refused) => Err(refused),
            (Err(failure), _) => Err(Error::Unavailable(failure.0)),
        };
        // Whoever asked may have gone; what was committed stays committed.
        drop(self.sender.send((answer, self.work)));
    }
}

/// Why a commit failed: told to every job that was part of it.
#[derive(Debug, Clone)]
pub(crate) struct CommitFailure(String);

impl CommitFailure {
    pub(crate) fn of(error: &diesel::result::Error) -> Self {
        Self(error.to_string())
    }
}

/// Set after the disk has failed: what reached it is unknown, so nothing may be written any more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stopped(Arc<OnceLock<CommitFailure>>);

impl Stopped {
    /// Why writes have stopped, if they have.
    pub(crate) fn failure(&self) -> Option<&CommitFailure> {
        self.0.get()
    }

    /// Stops all writes if it was the disk that failed.
    pub(crate) fn after(&self, failure: &CommitFailure) {
        if failure.0.contains("disk I/O error") {
            self.0.get_or_init(|| failure.clone());
        }
    }
}

/// The way to the writing thread. The thread ends when this is dropped and the queue is empty.
pub(crate) struct SqliteWriter {
    queue: Sender<Box<dyn Job>>,
}

impl SqliteWriter {
    /// Starts the thread on a migrated connection, and on another one that of the checkpoints; up to `group` jobs share a
    /// commit.
    pub(crate) fn start(
        connection: DatabaseConnection,
        checkpoints: DatabaseConnection,
        committed: watch::Sender<()>,
        group: usize,
    ) -> Result<Self, Error> {
        let stopped = Stopped::default();
        let checkpoints = Checkpoints::start(checkpoints, stopped.clone())?;
        let (queue, jobs) = bounded(QUEUE);
        std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || {
                Loop {
                    connection,
                    position: 0,
                    committed,
                    checkpoints,
                    group: GroupCommit::new(group),
                    stopped,
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
        let job = Box::new(Write {
            scope,
            work,
            result: None,
            sender,
        });
        self.queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => Error::Overloaded,
            TrySendError::Disconnected(_) => Error::Unavailable("the writer has stopped".to_owned()),
        })?;
        let (answer, _) = receiver
            .await
            .map_err(|_| Error::Unavailable("the writer has stopped".to_owned()))?;
        answer
    }
}

struct Loop {
    connection: DatabaseConnection,
    /// That of the last event in the log.
    position: i64,
    committed: watch::Sender<()>,
    checkpoints: Checkpoints,
    group: GroupCommit,
    stopped: Stopped,
}

impl Loop {
    fn run(mut self, queue: &Receiver<Box<dyn Job>>) {
        while let Some(first) = self.next(queue) {
            let mut jobs = Vec::new();
            let outcome = self.commit_group(first, queue, &mut jobs);
            metrics::histogram!("rapport_group_commit_jobs")
                .record(f64::from(u32::try_from(jobs.len()).unwrap_or(u32::MAX)));
            // First, so that who is answered can tell later commits from its own.
            self.committed.send_replace(());
            for job in jobs {
                job.answer(outcome.clone());
            }
            self.checkpoints.follow();
        }
    }

    /// The next job. While none comes, the cache of pages is of no use to anybody; it soon fills again.
    fn next(&mut self, queue: &Receiver<Box<dyn Job>>) -> Option<Box<dyn Job>> {
        match queue.recv_timeout(IDLE) {
            Err(RecvTimeoutError::Timeout) => {
                if let Ok(sqlite) = self.sqlite() {
                    drop(sqlite.batch_execute("PRAGMA shrink_memory"));
                }
                queue.recv().ok()
            }
            next => next.ok(),
        }
    }

    fn commit_group(
        &mut self,
        first: Box<dyn Job>,
        queue: &Receiver<Box<dyn Job>>,
        jobs: &mut Vec<Box<dyn Job>>,
    ) -> Result<(), CommitFailure> {
        let started = Instant::now();
        let mut next = Some(first);
        let result = self.begin().and_then(|()| {
            let mut undoing = Undoing::Together;
            while let Some(job) = next.take() {
                jobs.push(job);
                undoing = self.run_last(jobs, undoing)?;
                let more = self.group.takes_in_more(jobs.len(), queue.len(), started.elapsed());
                next = if more { queue.try_recv().ok() } else { None };
            }
            self.commit()
        });
        jobs.extend(next);
        result.inspect_err(|failure| {
            tracing::error!(error = %failure.0, "a commit failed");
            self.roll_back();
        })
    }

    /// Runs the job that came last. Jobs share the transaction as long as each succeeds, or fails before it has written
    /// anything. When one has to be undone, all are, and run again in savepoints of their own.
    fn run_last(&mut self, jobs: &mut [Box<dyn Job>], undoing: Undoing) -> Result<Undoing, CommitFailure> {
        let Some((last, earlier)) = jobs.split_last_mut() else {
            return Ok(undoing);
        };
        if undoing == Undoing::Together {
            let before = self.rows_written()?;
            self.position += 1;
            match last.run(&mut self.connection, self.position, undoing) {
                Verdict::Keep => return Ok(Undoing::Together),
                Verdict::Undo if self.rows_written()? == before => return Ok(Undoing::Together),
                Verdict::Undo | Verdict::Failed => {}
            }
            self.roll_back();
            self.begin()?;
            for job in earlier {
                self.run_in_savepoint(job.as_mut())?;
            }
        }
        self.run_in_savepoint(last.as_mut())?;
        Ok(Undoing::Apart)
    }

    /// When the job fails, only its own work is undone. An error here means that the transaction itself is gone:
    /// SQLite rolls all of it back when the disk is full.
    fn run_in_savepoint(&mut self, job: &mut dyn Job) -> Result<(), CommitFailure> {
        type Manager = <DatabaseConnection as diesel::Connection>::TransactionManager;
        self.position += 1;
        Manager::begin_transaction(&mut self.connection).map_err(|error| CommitFailure::of(&error))?;
        let end = match job.run(&mut self.connection, self.position, Undoing::Apart) {
            Verdict::Keep => Manager::commit_transaction(&mut self.connection),
            Verdict::Undo | Verdict::Failed => Manager::rollback_transaction(&mut self.connection),
        };
        end.map_err(|error| CommitFailure::of(&error))
    }

    fn rows_written(&mut self) -> Result<i32, CommitFailure> {
        rows_written(self.sqlite()?).map_err(|error| CommitFailure::of(&error))
    }

    fn begin(&mut self) -> Result<(), CommitFailure> {
        if let Some(failure) = self.stopped.failure() {
            return Err(failure.clone());
        }
        let sqlite = self.sqlite()?;
        AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE")
            .map_err(|error| CommitFailure::of(&error))?;
        self.position = crate::events::last_position(sqlite).map_err(|error| CommitFailure::of(&error))?;
        Ok(())
    }

    fn commit(&mut self) -> Result<(), CommitFailure> {
        // The disk may have failed in a checkpoint meanwhile.
        if let Some(failure) = self.stopped.failure() {
            return Err(failure.clone());
        }
        // With a savepoint left open, the savepoint would be committed and the transaction not.
        if self.depth() != 1 {
            return Err(CommitFailure("a savepoint was left open".to_owned()));
        }
        let position = self.position;
        let sqlite = self.sqlite()?;
        let finished = crate::lookups::index_search_texts(sqlite)
            .and_then(|()| crate::events::keep_position(sqlite, position))
            .and_then(|()| {
                let started = Instant::now();
                AnsiTransactionManager::commit_transaction(sqlite).map(|()| started.elapsed())
            });
        match finished {
            Ok(took) => {
                self.group.committed(took);
                Ok(())
            }
            Err(error) => {
                let failure = CommitFailure::of(&error);
                self.stopped.after(&failure);
                Err(failure)
            }
        }
    }

    /// Leaves no transaction open, so that the next group can begin.
    fn roll_back(&mut self) {
        for _ in 0..self.depth().max(1) {
            if let Ok(sqlite) = self.sqlite() {
                drop(AnsiTransactionManager::rollback_transaction(sqlite));
            }
        }
    }

    /// How many transactions are open within each other: one, and its savepoints.
    fn depth(&mut self) -> u32 {
        let status = self
            .sqlite()
            .map(AnsiTransactionManager::transaction_manager_status_mut);
        let depth = status.ok().and_then(|status| status.transaction_depth().ok());
        depth.flatten().map_or(0, NonZeroU32::get)
    }

    fn sqlite(&mut self) -> Result<&mut SqliteConnection, CommitFailure> {
        match &mut self.connection {
            DatabaseConnection::Sqlite(connection) => Ok(connection),
            DatabaseConnection::Postgres(_) => Err(CommitFailure("not an SQLite connection".to_owned())),
        }
    }
}

/// Makes the folder of the database file, and refuses a library with known corruption bugs.
pub(crate) fn prepare_file(path: &Path) -> Result<(), Error> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|error| Error::Unavailable(format!("cannot make {}: {error}", folder.display())))?;
    }
    Ok(())
}

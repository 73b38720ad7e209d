//! Reads of SQLite on the thread that asks. Those that arrive together share a transaction: the locks on the file that one
//! of its own takes and gives back cost as much as to find a record by its key.

use crate::Error;
use crate::pool::{ConnectionManager, Pool};
use diesel::QueryResult;
use diesel::connection::{Connection, TransactionManager};
use diesel::r2d2::PooledConnection;
use sql::DatabaseConnection;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use tokio::runtime::Handle;
use tokio::sync::watch;

type Transactions = <DatabaseConnection as Connection>::TransactionManager;

static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// By which each thread looks at another place first, so that they hardly meet.
    static THREAD: usize = THREADS.fetch_add(1, Ordering::Relaxed);
}

/// As many snapshots as there are connections, each for one reader at a time.
pub(crate) struct Snapshots {
    pool: Pool,
    commits: watch::Receiver<()>,
    places: Vec<Place>,
}

type Place = Arc<Mutex<Option<Snapshot>>>;

/// The database as it was at a moment, after which nothing was committed yet when it was last looked at.
struct Snapshot {
    pooled: PooledConnection<ConnectionManager>,
    /// Tells of commits since.
    commits: watch::Receiver<()>,
}

impl Snapshots {
    /// Reads on the connections of a pool, as many as it may have. `commits` tells of every commit before it is answered.
    pub(crate) fn new(pool: Pool, commits: watch::Receiver<()>) -> Self {
        let places = (0..pool.max_size()).map(|_| Place::default()).collect();
        Self { pool, commits, places }
    }

    /// Reads what was committed before, if a connection is free.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&mut DatabaseConnection) -> Result<T, Error>,
    ) -> Option<Result<T, Error>> {
        // It ends at once where reading panics, and not before `held` is given back.
        let mut ending = None;
        let (place, mut held) = self.free_place()?;
        if held.as_ref().is_some_and(Snapshot::is_outdated) {
            end(held.take());
        }
        if held.is_none() {
            *held = Some(Snapshot::take(&self.pool, self.commits.clone()).ok()?);
            ending = Some(Ending(Arc::clone(place)));
        }
        let snapshot = held.as_mut()?;
        let done = work(&mut snapshot.pooled.connection);
        if let Err(Error::Database(_) | Error::Unavailable(_)) = &done {
            // It may have ended the transaction.
            snapshot.pooled.lost = true;
            *held = None;
        }
        drop(held);
        if let (Some(ending), Ok(runtime)) = (ending, Handle::try_current()) {
            // After all whose requests have arrived by now.
            runtime.spawn(async move { drop(ending) });
        }
        Some(done)
    }

    fn free_place(&self) -> Option<(&Place, MutexGuard<'_, Option<Snapshot>>)> {
        let first = THREAD.with(|thread| thread % self.places.len().max(1));
        let (before, after) = self.places.split_at_checked(first)?;
        after.iter().chain(before).find_map(|place| match place.try_lock() {
            Ok(held) => Some((place, held)),
            Err(TryLockError::Poisoned(held)) => Some((place, held.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        })
    }
}

impl Snapshot {
    fn take(pool: &Pool, mut commits: watch::Receiver<()>) -> Result<Self, Error> {
        let mut pooled = pool.get().map_err(|error| Error::Unavailable(error.to_string()))?;
        // Before it begins: it may hold what is committed from now on, or not.
        commits.mark_unchanged();
        Transactions::begin_transaction(&mut pooled.connection)?;
        Ok(Self { pooled, commits })
    }

    fn is_outdated(&self) -> bool {
        self.commits.has_changed().unwrap_or(true)
    }

    fn end(mut self) -> QueryResult<()> {
        let ended = Transactions::commit_transaction(&mut self.pooled.connection);
        self.pooled.lost = ended.is_err();
        ended
    }
}

/// Ends a snapshot when it is dropped. One that stayed would keep SQLite from beginning its log anew.
struct Ending(Place);

impl Drop for Ending {
    fn drop(&mut self) {
        end(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

fn end(snapshot: Option<Snapshot>) {
    if let Some(Err(error)) = snapshot.map(Snapshot::end) {
        tracing::warn!(%error, "a read could not be ended");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::{Location, Purpose};
    use diesel::connection::SimpleConnection;
    use diesel::prelude::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::path::PathBuf;

    /// A database with a table of rows, and readers of it. It goes when this is dropped.
    struct Database {
        folder: PathBuf,
        writer: DatabaseConnection,
        committed: watch::Sender<()>,
        snapshots: Snapshots,
    }

    impl Database {
        fn new(readers: u32) -> Self {
            let folder = std::env::temp_dir().join(format!("snapshots_{}", uuid::Uuid::now_v7().simple()));
            std::fs::create_dir(&folder).unwrap();
            let manager = |purpose| ConnectionManager {
                location: Location::Sqlite(folder.join("test.db")),
                purpose,
                prepared_statements: true,
            };
            let mut writer = manager(Purpose::Write).open().unwrap();
            writer.batch_execute("CREATE TABLE t (x)").unwrap();
            let committed = watch::Sender::new(());
            let readers = manager(Purpose::Read).pool(readers, None).unwrap();
            Self {
                snapshots: Snapshots::new(readers, committed.subscribe()),
                folder,
                writer,
                committed,
            }
        }

        /// Commits one more row, and tells nobody.
        fn add_row(&mut self) {
            self.writer.batch_execute("INSERT INTO t VALUES (1)").unwrap();
        }

        fn rows(&self) -> i64 {
            self.snapshots.read(count).unwrap().unwrap()
        }
    }

    impl Drop for Database {
        fn drop(&mut self) {
            drop(std::fs::remove_dir_all(&self.folder));
        }
    }

    fn count(connection: &mut DatabaseConnection) -> Result<i64, Error> {
        let count = diesel::dsl::sql::<diesel::sql_types::BigInt>("SELECT count(*) FROM t");
        Ok(count.get_result(connection)?)
    }

    #[tokio::test]
    async fn what_is_told_to_be_committed_is_read_at_once_and_all_else_at_the_next_turn() {
        let mut database = Database::new(1);
        assert_eq!(database.rows(), 0);
        database.add_row();
        assert_eq!(database.rows(), 0, "the same state is read");
        database.committed.send_replace(());
        assert_eq!(database.rows(), 1, "a commit was told");
        database.add_row();
        tokio::task::yield_now().await;
        assert_eq!(database.rows(), 2, "the thread has gone on to other things");
    }

    #[test]
    fn outside_of_a_runtime_and_after_a_panic_nothing_is_shared() {
        let mut database = Database::new(1);
        assert_eq!(database.rows(), 0);
        database.add_row();
        assert_eq!(database.rows(), 1);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            database.snapshots.read(|connection| {
                count(connection)?;
                panic!("on purpose") as Result<(), Error>
            })
        }));
        assert!(panicked.is_err());
        database.add_row();
        assert_eq!(database.rows(), 2);
    }

    #[tokio::test]
    async fn each_connection_reads_for_one_at_a_time() {
        let database = Database::new(2);
        let nested = database.snapshots.read(|_| {
            let second = database.snapshots.read(|_| {
                assert!(database.snapshots.read(count).is_none(), "both are in use");
                Ok(())
            });
            assert!(second.is_some(), "one is free");
            Ok(())
        });
        assert!(nested.unwrap().is_ok());
    }

    #[tokio::test]
    async fn a_connection_that_failed_is_not_used_again() {
        let mut database = Database::new(1);
        let failed = database.snapshots.read(|connection| {
            connection.batch_execute("ROLLBACK")?;
            connection.batch_execute("SELECT nonsense")?;
            Ok(())
        });
        assert!(failed.unwrap().is_err());
        database.add_row();
        assert_eq!(database.rows(), 1);
    }
}

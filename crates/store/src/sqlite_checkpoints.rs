//! Checkpoints of SQLite: what commits have written to the log is copied into the database by a thread of its own, so that
//! no write waits for it (<https://www.sqlite.org/wal.html#avoiding_excessively_large_wal_files>).

use crate::Error;
use crate::sqlite_writer::{CommitFailure, Stopped};
use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::Integer;
use sql::DatabaseConnection;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// How long a checkpoint is put off after a commit, so that a page that many commits change is copied once.
const PAUSE: Duration = Duration::from_secs(1);
/// The same while much is written: the disk then takes small portions, between which the commits have their turn.
const SHORT_PAUSE: Duration = Duration::from_millis(50);
/// Pages copied by one checkpoint when much is written.
const MUCH: i32 = 20;

/// The way to the thread. It ends when this is dropped.
pub(crate) struct Checkpoints {
    due: SyncSender<()>,
}

impl Checkpoints {
    /// Starts the thread on a connection. When the disk fails, `stopped` tells the writer.
    pub(crate) fn start(mut connection: DatabaseConnection, stopped: Stopped) -> Result<Self, Error> {
        // One that is due while another is under way is enough for all commits until it begins.
        let (due, commits) = sync_channel(1);
        std::thread::Builder::new()
            .name("checkpoints".to_owned())
            .spawn(move || run(&mut connection, &commits, &stopped))
            .map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Self { due })
    }

    /// Has a checkpoint follow a commit before long.
    pub(crate) fn follow(&self) {
        self.due.try_send(()).ok();
    }
}

fn run(connection: &mut DatabaseConnection, commits: &Receiver<()>, stopped: &Stopped) {
    let (mut pause, mut before) = (PAUSE, 0);
    while commits.recv().is_ok() && stopped.failure().is_none() {
        // Nobody waits for this thread, not even who ends the store.
        std::thread::sleep(pause);
        match checkpoint(connection) {
            Ok(copied) => {
                pause = pause_after(before, copied);
                before = copied;
            }
            Err(error) => {
                tracing::error!(%error, "a checkpoint failed");
                stopped.after(&CommitFailure::of(&error));
                pause = PAUSE;
            }
        }
    }
}

/// How long to wait after a checkpoint when so many pages of the log were copied before it, and now. Fewer now, and the log
/// began anew; less than nothing tells that another checkpoint was under way.
const fn pause_after(before: i32, copied: i32) -> Duration {
    let pages = if copied < before { copied } else { copied - before };
    if pages < MUCH { PAUSE } else { SHORT_PAUSE }
}

/// What a checkpoint tells (<https://www.sqlite.org/pragma.html#pragma_wal_checkpoint>).
#[derive(QueryableByName)]
struct Copied {
    #[diesel(sql_type = Integer)]
    checkpointed: i32,
}

/// Copies what no reader of an older state still needs as it was; neither readers nor the writer wait. Tells how many pages
/// of the log are copied now.
fn checkpoint(connection: &mut DatabaseConnection) -> QueryResult<i32> {
    let told: Copied = diesel::sql_query("PRAGMA wal_checkpoint(PASSIVE)").get_result(connection)?;
    Ok(told.checkpointed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::{ConnectionManager, Location, Purpose};
    use diesel::connection::SimpleConnection;
    use std::time::Instant;

    #[test]
    fn checkpoints_follow_each_other_sooner_while_much_is_written() {
        let expected = [
            ((0, MUCH), SHORT_PAUSE),
            ((500, 500 + MUCH), SHORT_PAUSE),
            ((500, 499 + MUCH), PAUSE),
            ((500, 500), PAUSE),
            // The log began anew.
            ((500, MUCH), SHORT_PAUSE),
            ((500, 3), PAUSE),
            // Another checkpoint was under way.
            ((500, -1), PAUSE),
            ((-1, 0), PAUSE),
        ];
        for ((before, copied), pause) in expected {
            assert_eq!(pause_after(before, copied), pause, "{before} {copied}");
        }
    }

    #[test]
    fn what_is_committed_reaches_the_database_without_the_writer() {
        let file = std::env::temp_dir().join(format!("checkpoints_{}.db", sql::ids::RecordId::new().0.simple()));
        let open = |purpose| {
            let location = Location::Sqlite(file.clone());
            let manager = ConnectionManager {
                location,
                purpose,
                prepared_statements: true,
            };
            manager.open().unwrap()
        };
        let size = || std::fs::metadata(&file).map_or(0, |file| file.len());
        let checkpoints = Checkpoints::start(open(Purpose::Checkpoint), Stopped::default()).unwrap();
        let mut writer = open(Purpose::Write);
        writer
            .batch_execute("CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(100000))")
            .unwrap();
        assert!(size() < 100_000, "it stands in the log only");

        checkpoints.follow();
        let started = Instant::now();
        while size() < 100_000 {
            assert!(started.elapsed() < Duration::from_secs(20), "no checkpoint followed");
            std::thread::sleep(Duration::from_millis(20));
        }
        drop((writer, checkpoints));
        for end in ["", "-wal", "-shm"] {
            drop(std::fs::remove_file(format!("{}{end}", file.display())));
        }
    }
}

//! What must be done from time to time so that nothing grows without need.

use crate::interaction::inbound;
use crate::operation::{login_failures, sessions};
use crate::{Error, Transaction, events, idempotency, lookups};
use chrono::Duration;
use diesel::connection::SimpleConnection;
use sql::DatabaseConnection;

/// How long the answers to idempotent requests are kept.
const ANSWERS_KEPT: Duration = Duration::hours(24);
/// How long ended sessions are kept, to tell a token that was used twice from one that never was.
const SESSIONS_KEPT: Duration = Duration::days(1);
/// How long failed log-ins are kept; they count for a quarter of an hour.
const FAILURES_KEPT: Duration = Duration::hours(1);

/// How long it is remembered which events of other systems were taken in.
const INBOUND_KEPT: Duration = Duration::days(30);

/// What was removed from one tenant's data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// Answers to idempotent requests.
    pub answers: usize,
    /// Events older than the retention.
    pub events: usize,
    /// Sessions that ended.
    pub sessions: usize,
}

/// Forgets what one tenant's data need no longer hold.
pub fn tidy(tx: &mut Transaction<'_>, event_retention: Option<Duration>) -> Result<Removed, Error> {
    let now = tx.now().utc();
    let answers = idempotency::forget(tx, (now - ANSWERS_KEPT).into())?;
    let events = match event_retention {
        Some(kept) => events::trim(tx, (now - kept).into())?,
        None => 0,
    };
    let sessions = sessions::forget(tx, (now - SESSIONS_KEPT).into())?;
    inbound::forget(tx, (now - INBOUND_KEPT).into())?;
    login_failures::forget(tx, (now - FAILURES_KEPT).into())?;
    Ok(Removed {
        answers,
        events,
        sessions,
    })
}

/// Does one step of what keeps text search fast, and says whether there is more to do. PostgreSQL does so by itself.
pub fn merge_search_index(tx: &mut Transaction<'_>) -> Result<bool, Error> {
    match tx.connection() {
        DatabaseConnection::Sqlite(sqlite) => {
            let merged = lookups::merge_search_index(sqlite)?;
            if !merged {
                // The merged pages would stay in the cache, though nothing asks the writer for them again.
                sqlite.batch_execute("PRAGMA shrink_memory")?;
            }
            Ok(merged)
        }
        DatabaseConnection::Postgres(_) => Ok(false),
    }
}

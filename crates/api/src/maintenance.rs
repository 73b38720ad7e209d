//! What the service does beside serving: it tidies each tenant's data, merges the text index, and reads the signing keys
//! anew.

use crate::state::State;
use std::sync::Arc;
use std::time::Duration;
use store::operation::{login_failures, sessions, tenants};
use store::{Error, Scope};
use tokio::time::{Instant, MissedTickBehavior};

/// How often another instance's new signing key is looked for.
const REREAD_KEYS: Duration = Duration::from_secs(30);

/// Starts the work in the background. It ends with the process.
pub fn start(state: &State, every: Duration, event_retention: Option<chrono::Duration>) {
    let tidying = state.clone();
    tokio::spawn(async move {
        let mut rounds = tokio::time::interval(every);
        loop {
            rounds.tick().await;
            if let Err(error) = tidy(&tidying, event_retention).await {
                tracing::warn!(%error, "tidying failed; it is tried again in the next round");
            }
        }
    });
    let merging = state.clone();
    tokio::spawn(async move {
        let mut rounds = tokio::time::interval_at(Instant::now() + MERGING_WAITS, every);
        // A round is long where others write.
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            if let Err(error) = merge_search_index(&merging).await {
                tracing::warn!(%error, "the text index was not merged; it is tried again in the next round");
            }
        }
    });
    let auth = Arc::clone(&state.auth);
    tokio::spawn(async move {
        let mut rounds = tokio::time::interval(REREAD_KEYS);
        loop {
            rounds.tick().await;
            if let Err(error) = auth.tokens.keys().reread() {
                tracing::warn!(%error, "the signing keys could not be read anew");
            }
        }
    });
}

/// How long after a start the text index is not merged: clients that waited for the start come first.
const MERGING_WAITS: Duration = Duration::from_mins(1);
/// How long the one writer of SQLite is left to others between two steps of merging the text index.
const PAUSE: Duration = Duration::from_millis(20);
/// The same where others did write in that time, which tells well enough whether many do: without it, merging took an eighth of a busy writer's time.
const PAUSE_FOR_OTHERS: Duration = Duration::from_secs(1);
/// The most steps of a round: where much is written all the time, there is always something to merge, and one round
/// follows the other.
const MOST_STEPS: usize = 10_000;

async fn merge_search_index(state: &State) -> Result<(), Error> {
    let scope = Scope::nobody();
    let mut commits = state.store.commits();
    for _ in 0..MOST_STEPS {
        let merged = state.store.write(&scope, store::maintenance::merge_search_index);
        if !merged.await? {
            break;
        }
        commits.mark_unchanged();
        tokio::time::sleep(PAUSE).await;
        if commits.has_changed().unwrap_or(false) {
            tokio::time::sleep(PAUSE_FOR_OTHERS).await;
        }
    }
    Ok(())
}

async fn tidy(state: &State, event_retention: Option<chrono::Duration>) -> Result<(), Error> {
    if let Some(limit) = &state.rate_limit {
        limit.tidy();
    }
    for tenant in state.store.read(&Scope::nobody(), tenants::all).await? {
        let scope = Scope::system(Arc::new(tenant));
        let removed = state
            .store
            .write(&scope, move |tx| {
                let now = tx.now();
                sessions::forget(tx, now)?;
                store::maintenance::tidy(tx, event_retention)
            })
            .await?;
        tracing::debug!(tenant = %scope.tenant.id, ?removed, "tidied");
    }
    let day_ago = |tx: &store::Transaction<'_>| (tx.now().utc() - chrono::Duration::days(1)).into();
    state
        .store
        .write(&Scope::nobody(), move |tx| login_failures::forget(tx, day_ago(tx)))
        .await
        .map(drop)
}

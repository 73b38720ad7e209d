//! What is done about the content of documents in the background: what was purged is removed, and what belongs to no
//! document because an upload did not come to its end.

use crate::duties::PORTIONS;
use crate::state::State;
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use sql::ids::ObjectId;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::customer::document_versions;
use store::operation::tenants;
use store::{Error, Scope};

/// Objects that are compared with the versions of documents at once.
const PORTION: usize = 500;

/// Looks every so often for what is to be removed. It ends with the process. It waits for nothing but the store of
/// documents, and no other duty waits for it.
pub(crate) fn start(state: &State, every: Duration) {
    let state = state.clone();
    // To list a store costs more than a look into the database, and orphans are in no hurry.
    let sweep_every = state.documents.orphan_age / 24;
    tokio::spawn(async move {
        let mut rounds = tokio::time::interval(every);
        rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut swept: Option<Instant> = None;
        loop {
            rounds.tick().await;
            let sweeps = swept.is_none_or(|at| at.elapsed() >= sweep_every);
            if sweeps {
                swept = Some(Instant::now());
            }
            if let Err(error) = round(&state, sweeps).await {
                tracing::warn!(%error, "content of documents could not be removed; it is tried again in the next round");
            }
        }
    });
}

async fn round(state: &State, sweeps: bool) -> Result<(), Error> {
    for tenant in state.store.read(&Scope::nobody(), tenants::all).await? {
        let scope = Scope::system(Arc::new(tenant));
        remove_purged(state, &scope).await?;
        if sweeps {
            remove_orphans(state, &scope).await?;
        }
    }
    Ok(())
}

/// Removes the content of documents that were purged. It is forgotten only when it is gone.
async fn remove_purged(state: &State, scope: &Scope) -> Result<(), Error> {
    for _ in 0..PORTIONS {
        let objects = state.store.read(scope, document_versions::removals).await?;
        if objects.is_empty() {
            break;
        }
        state.documents.blobs.remove(scope.tenant.id, &objects).await?;
        let forget = state
            .store
            .write(scope, move |tx| document_versions::removed(tx, &objects));
        forget.await?;
    }
    Ok(())
}

/// Removes content that no version names, once it is so old that no upload can still be about to name it.
async fn remove_orphans(state: &State, scope: &Scope) -> Result<(), Error> {
    let (tenant, blobs) = (scope.tenant.id, &state.documents.blobs);
    let before = instant_before(state.documents.orphan_age);
    let mut removed = blobs.remove_parts(tenant, before).await?;
    let mut portions = blobs.older_than(tenant, before).try_chunks(PORTION);
    while let Some(portion) = portions.try_next().await.map_err(|broken| broken.1)? {
        let orphans = unnamed(state, scope, portion).await?;
        blobs.remove(tenant, &orphans).await?;
        removed += orphans.len();
    }
    if removed > 0 {
        tracing::info!(%tenant, removed, "content that belonged to no document was removed");
    }
    Ok(())
}

fn instant_before(age: Duration) -> DateTime<Utc> {
    let age = chrono::Duration::from_std(age).unwrap_or(chrono::Duration::MAX);
    Utc::now().checked_sub_signed(age).unwrap_or(DateTime::UNIX_EPOCH)
}

async fn unnamed(state: &State, scope: &Scope, objects: Vec<ObjectId>) -> Result<Vec<ObjectId>, Error> {
    let work = move |tx: &mut store::Transaction<'_>| document_versions::unnamed(tx, &objects);
    state.store.read(scope, work).await
}

/// After an upload was answered: removes its content again unless it was kept, which it is not in a dry run, for a
/// repeated request, or when the document has it already.
pub(crate) async fn settle(state: &State, scope: &Scope, object: ObjectId) {
    let removed = async {
        let objects = unnamed(state, scope, vec![object]).await?;
        state.documents.blobs.remove(scope.tenant.id, &objects).await
    };
    if let Err(error) = removed.await {
        tracing::warn!(%error, "content that was not kept stays until it is removed as an orphan");
    }
}

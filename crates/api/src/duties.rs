//! Duties: what time alone brings about in a tenant's data, such as a deadline that passes.
//!
//! Any number of instances may perform them. A change and its event stand in one write, which looks again at what it
//! found before, so each happens once.

use crate::customer::document_duties;
use crate::state::State;
use std::sync::Arc;
use std::time::Duration;
use store::interaction::{appointments, tasks};
use store::marketing::segment_refreshes;
use store::operation::tenants;
use store::sales::opportunity_totals;
use store::service::ticket_alarms;
use store::{Error, Scope, Transaction};

/// Portions of one duty that are done for one tenant in a round, so that no tenant keeps the others waiting.
pub(crate) const PORTIONS: usize = 100;

/// Looks for what is due every so often. It ends with the process.
pub fn start(state: &State, every: Duration) {
    document_duties::start(state, every);
    let state = state.clone();
    tokio::spawn(async move {
        let mut rounds = tokio::time::interval(every);
        rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            match state.store.read(&Scope::nobody(), tenants::all).await {
                Ok(tenants) => {
                    for tenant in tenants {
                        of_tenant(&state, &Scope::system(Arc::new(tenant))).await;
                    }
                }
                Err(error) => tracing::warn!(%error, "the tenants could not be read; duties wait for the next round"),
            }
        }
    });
}

/// Every duty, one after the other: what it is called, how its work is found, and how it is done.
async fn of_tenant(state: &State, scope: &Scope) {
    duty(
        state,
        scope,
        "ticket alarms",
        ticket_alarms::find_due,
        ticket_alarms::tell,
    )
    .await;
    duty(state, scope, "tasks", tasks::find_waking, tasks::wake).await;
    let (find, remind) = (appointments::find_reminders, appointments::remind);
    duty(state, scope, "appointment reminders", find, remind).await;
    let (find, add_up) = (opportunity_totals::find_piled, opportunity_totals::add_up);
    duty(state, scope, "opportunity totals", find, add_up).await;
    duty(
        state,
        scope,
        "segments",
        segment_refreshes::find_work,
        segment_refreshes::do_work,
    )
    .await;
}

/// Performs a duty for a tenant. `find` reads, and is cheap when there is nothing to do; `perform` writes what it found
/// and says whether more may be left.
async fn duty<W: Clone + Send + 'static>(
    state: &State,
    scope: &Scope,
    name: &str,
    find: fn(&mut Transaction<'_>) -> Result<Option<W>, Error>,
    perform: fn(&mut Transaction<'_>, &W) -> Result<bool, Error>,
) {
    for _ in 0..PORTIONS {
        let done = match state.store.read(scope, find).await {
            Ok(Some(work)) => state.store.write(scope, move |tx| perform(tx, &work)).await,
            Ok(None) => Ok(false),
            Err(error) => Err(error),
        };
        match done {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                let tenant = scope.tenant.id;
                tracing::warn!(%error, duty = name, %tenant, "a duty failed; it is tried again in the next round");
                break;
            }
        }
    }
}

//! How a transaction of PostgreSQL is run again when another one was quicker. SQLite has one writer, so none is.

use crate::Error;
use parking_lot::FairMutex;
use sql::ids::TenantId;
use std::time::{Duration, Instant};

/// How long a whole transaction is tried again on deadlock or serialization failure. One of those that collide always gets
/// through, so a crowd of writers to one record needs as many rounds as it has members.
const PERSISTENCE: Duration = Duration::from_secs(4);

/// Enough that two tenants seldom share a turn.
const TURNS: usize = 64;

/// The turns of transactions that are run again: one at a time of a tenant, in order. Those that have collided would do so
/// again, all of them but one in vain, and some would never be first.
pub(crate) struct Retries {
    turns: [FairMutex<()>; TURNS],
    persistence: Duration,
}

impl Retries {
    pub(crate) fn new() -> Self {
        Self {
            turns: std::array::from_fn(|_| FairMutex::new(())),
            persistence: PERSISTENCE,
        }
    }

    /// Runs a whole transaction on behalf of a tenant, and again while others are quicker. The error of the last try is
    /// told when that takes too long.
    pub(crate) fn run<T>(&self, tenant: TenantId, work: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
        let started = Instant::now();
        let left = || self.persistence.saturating_sub(started.elapsed());
        let mut turn = None;
        loop {
            let result = work();
            if !result.as_ref().is_err_and(Error::is_transient) || left().is_zero() {
                return result;
            }
            turn = turn.or_else(|| self.turn(tenant).try_lock_for(left()));
            if turn.is_none() {
                return result;
            }
            metrics::counter!("rapport_transaction_retries_total").increment(1);
        }
    }

    fn turn(&self, tenant: TenantId) -> &FairMutex<()> {
        // The last bytes of a UUID version 7 are random.
        let [.., last] = tenant.0.into_bytes();
        &self.turns[usize::from(last) % TURNS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn what_another_was_quicker_than_is_run_again_until_it_is_done() {
        let tries = AtomicUsize::new(0);
        let done = Retries::new().run(TenantId::new(), || match tries.fetch_add(1, Ordering::SeqCst) {
            0..=2 => Err(Error::start_again()),
            number => Ok(number),
        });
        assert!(matches!(done, Ok(3)), "{done:?}");
    }

    #[test]
    fn what_fails_otherwise_is_not_run_again() {
        let tries = AtomicUsize::new(0);
        let failed = Retries::new().run(TenantId::new(), || {
            tries.fetch_add(1, Ordering::SeqCst);
            Err::<(), _>(Error::Internal("as the test wants".to_owned()))
        });
        assert!(matches!(failed, Err(Error::Internal(_))), "{failed:?}");
        assert_eq!(tries.into_inner(), 1);
    }

    #[test]
    fn of_those_that_collided_one_at_a_time_is_run_again() {
        let (retries, tenant) = (Retries::new(), TenantId::new());
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let collide_twice = || {
            let tries = AtomicUsize::new(0);
            retries.run(tenant, || {
                let number = tries.fetch_add(1, Ordering::SeqCst);
                if number == 0 {
                    return Err(Error::start_again());
                }
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                // Time for another one to come in between, if it could.
                std::thread::sleep(Duration::from_millis(1));
                now.fetch_sub(1, Ordering::SeqCst);
                if number == 1 { Err(Error::start_again()) } else { Ok(()) }
            })
        };
        std::thread::scope(|scope| {
            let crowd: Vec<_> = (0..20).map(|_| scope.spawn(collide_twice)).collect();
            for member in crowd {
                member.join().unwrap().unwrap();
            }
        });
        assert_eq!(most.into_inner(), 1);
    }

    #[test]
    fn what_is_never_quicker_or_never_has_its_turn_is_told_so_in_the_end() {
        let (mut retries, tenant) = (Retries::new(), TenantId::new());
        retries.persistence = Duration::from_millis(20);
        let run = || retries.run(tenant, || Err::<(), _>(Error::start_again()));
        assert!(run().is_err_and(|error| error.is_transient()));
        let _of_another = retries.turn(tenant).lock();
        assert!(run().is_err_and(|error| error.is_transient()));
    }
}

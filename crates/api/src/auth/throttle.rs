//! How often one may try to log in: per address, and per account from one address.
//!
//! The second is kept in the database, so that it holds over all instances. It counts the pair, so whoever guesses at
//! an account is slowed down and its owner, who comes from elsewhere, is not.

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use moka::sync::Cache;
use sql::Timestamp;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

/// How many attempts an address has at once.
pub const BURST: NonZeroU32 = match NonZeroU32::new(10) {
    Some(burst) => burst,
    None => NonZeroU32::MIN,
};
/// After how long it has one more.
pub const ONE_MORE_AFTER: Duration = Duration::from_secs(6);

/// How many failures are free.
pub const FREE_FAILURES: i32 = 10;
/// Within what time; a longer pause forgets them.
pub const FAILURES_COUNT_FOR: Duration = Duration::from_mins(15);
/// How long the first one after them must wait; each further one twice as long as the last.
const FIRST_DELAY: Duration = Duration::from_secs(30);

/// Addresses that are remembered at most.
const ADDRESSES: u64 = 100_000;

/// Wait so long and try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait(pub Duration);

/// The limit per address.
pub struct Throttle {
    clock: DefaultClock,
    quota: Quota,
    addresses: Cache<IpAddr, Arc<DefaultDirectRateLimiter>>,
}

impl Throttle {
    /// Nobody has tried yet; each address has this many attempts at once.
    pub fn new(burst: NonZeroU32) -> Self {
        // An address that was idle for so long has its whole burst again, so it can be forgotten.
        let recovered = ONE_MORE_AFTER * burst.get();
        Self {
            clock: DefaultClock::default(),
            quota: Quota::with_period(ONE_MORE_AFTER)
                .unwrap_or(Quota::per_minute(burst))
                .allow_burst(burst),
            addresses: Cache::builder().max_capacity(ADDRESSES).time_to_idle(recovered).build(),
        }
    }

    /// Counts an attempt from this address, or tells how long it must wait.
    pub fn attempt(&self, address: IpAddr) -> Result<(), Wait> {
        let address = super::addresses::limited_as(address);
        let limiter = self
            .addresses
            .get_with(address, || Arc::new(RateLimiter::direct(self.quota)));
        limiter
            .check()
            .map_err(|refused| Wait(refused.wait_time_from(self.clock.now())))
    }
}

/// How long an account must wait at an address where the last of so many failures in a row was then.
pub fn wait_after(failures: i32, last_at: Timestamp, now: Timestamp) -> Result<(), Wait> {
    let over = u32::try_from(failures.saturating_sub(FREE_FAILURES)).unwrap_or_default();
    if failures < FREE_FAILURES {
        return Ok(());
    }
    let delay = FIRST_DELAY
        .saturating_mul(2_u32.saturating_pow(over))
        .min(FAILURES_COUNT_FOR);
    let passed = u64::try_from(now.micros().saturating_sub(last_at.micros())).unwrap_or_default();
    match delay.checked_sub(Duration::from_micros(passed)) {
        Some(rest) if !rest.is_zero() => Err(Wait(rest)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_burst_and_others_have_their_own() {
        let throttle = Throttle::new(BURST);
        let (one, other) = ("198.51.100.1".parse().unwrap(), "198.51.100.2".parse().unwrap());
        for _ in 0..BURST.get() {
            assert_eq!(throttle.attempt(one), Ok(()));
        }
        let Err(Wait(wait)) = throttle.attempt(one) else {
            panic!("the burst has no end")
        };
        assert!(wait > Duration::from_secs(5) && wait <= ONE_MORE_AFTER, "{wait:?}");
        assert_eq!(throttle.attempt(other), Ok(()));
    }

    #[test]
    fn all_addresses_of_one_network_count_as_one() {
        let throttle = Throttle::new(BURST);
        for host in 0..BURST.get() {
            assert_eq!(throttle.attempt(format!("2001:db8::{host:x}").parse().unwrap()), Ok(()));
        }
        assert!(throttle.attempt("2001:db8::ffff".parse().unwrap()).is_err());
        assert!(throttle.attempt("2001:db8:0:1::1".parse().unwrap()).is_ok());
    }

    #[test]
    fn an_account_waits_longer_with_each_failure_but_never_for_good() {
        let last = Timestamp::from_micros(1_000_000_000_000_000).unwrap();
        let after = |seconds: i64| Timestamp::from_micros(last.micros() + seconds * 1_000_000).unwrap();
        for (failures, seconds, expected) in [
            (9, 0, None),
            (10, 0, Some(30)),
            (10, 29, Some(1)),
            (10, 30, None),
            (11, 0, Some(60)),
            (12, 0, Some(120)),
            (15, 0, Some(900)),
            (i32::MAX, 0, Some(900)),
            (i32::MAX, 900, None),
            (-1, 0, None),
        ] {
            let expected = expected.map_or(Ok(()), |seconds| Err(Wait(Duration::from_secs(seconds))));
            assert_eq!(
                wait_after(failures, last, after(seconds)),
                expected,
                "{failures} failures, {seconds} s ago"
            );
        }
        assert_eq!(
            wait_after(10, after(5), last),
            Err(Wait(Duration::from_secs(30))),
            "a clock that jumped back"
        );
    }
}

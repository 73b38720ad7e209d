//! How many requests a tenant may send, told in the headers of draft-ietf-httpapi-ratelimit-headers.

use crate::problem::Problem;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use sql::ids::TenantId;
use std::num::NonZeroU32;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

type Limiter = RateLimiter<TenantId, DefaultKeyedStateStore<TenantId>, DefaultClock, StateInformationMiddleware>;

/// A token bucket for each tenant, in this process.
pub struct RateLimit {
    limiter: Limiter,
    clock: DefaultClock,
    per_second: NonZeroU32,
    burst: NonZeroU32,
}

/// What is left of a tenant's bucket; put on the request so that the answer can tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Remaining {
    requests: u32,
    per_second: NonZeroU32,
    burst: NonZeroU32,
}

impl RateLimit {
    /// So many requests a second on the long run, and twice as many at once.
    pub fn new(per_second: NonZeroU32) -> Self {
        let burst = per_second.saturating_mul(NonZeroU32::MIN.saturating_add(1));
        let quota = Quota::per_second(per_second).allow_burst(burst);
        let limiter = RateLimiter::keyed(quota).with_middleware();
        Self {
            limiter,
            clock: DefaultClock::default(),
            per_second,
            burst,
        }
    }

    /// Takes one request out of the tenant's bucket, or says when to come back.
    pub(crate) fn admit(&self, tenant: TenantId) -> Result<Remaining, Problem> {
        let remaining = |requests| Remaining {
            requests,
            per_second: self.per_second,
            burst: self.burst,
        };
        match self.limiter.check_key(&tenant) {
            Ok(state) => Ok(remaining(state.remaining_burst_capacity())),
            Err(not_until) => {
                let wait = not_until.wait_time_from(self.clock.now());
                let problem = Problem::new("too_many_requests", "the tenant sends more requests than it may");
                // Rounded up: whoever comes back at the time that was told must be let in.
                let problem = problem.retry_after(wait.as_secs() + 1);
                Err(remaining(0)
                    .headers()
                    .into_iter()
                    .fold(problem, |problem, (name, value)| problem.with_header(name, value)))
            }
        }
    }

    /// Forgets the buckets that are full again.
    pub fn tidy(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}

impl Remaining {
    fn headers(self) -> [(HeaderName, String); 2] {
        let Self {
            requests,
            per_second,
            burst,
        } = self;
        let window = burst.get().div_ceil(per_second.get());
        let until_full = (burst.get() - requests.min(burst.get())).div_ceil(per_second.get());
        [
            (RATE_LIMIT_POLICY, format!("\"tenant\";q={burst};w={window}")),
            (RATE_LIMIT, format!("\"tenant\";r={requests};t={until_full}")),
        ]
    }

    /// Adds the headers to an answer.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        for (name, value) in self.headers() {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_runs_dry_for_its_tenant_alone() {
        let limit = RateLimit::new(NonZeroU32::MIN);
        let (one, other) = (TenantId::new(), TenantId::new());
        let first = limit.admit(one).ok();
        assert_eq!(first.map(|left| left.requests), Some(1));
        assert!(limit.admit(one).is_ok());
        let refused = limit.admit(one).err().map(|problem| problem.status());
        assert_eq!(refused, Some(429));
        assert!(limit.admit(other).is_ok());
    }
}

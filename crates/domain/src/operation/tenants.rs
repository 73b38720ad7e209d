//! Tenants: the companies that use one service and see nothing of each other.

use crate::locale::TimeZone;
use crate::money::Currency;
use diesel::prelude::{Insertable, Queryable, Selectable};
use sql::Timestamp;
use sql::ids::TenantId;

/// A company, and how it wants the service to behave. It is no record: nothing of it is in the API but what it decides.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = sql::schema::tenants, treat_none_as_default_value = false)]
pub struct Tenant {
    /// Names it for good.
    pub id: TenantId,
    /// What it is called; unique on the service, to tell at log-in which one is meant.
    pub name: String,
    /// The currency it reports in.
    pub currency: Currency,
    /// Where its days, weeks and months begin.
    pub time_zone: TimeZone,
    /// Whether a change without `If-Match` is refused.
    pub require_if_match: bool,
    /// When it was set up.
    pub created_at: Timestamp,
}

impl Tenant {
    /// A new company.
    pub fn new(name: impl Into<String>, currency: Currency, time_zone: TimeZone, now: Timestamp) -> Self {
        Self {
            id: TenantId::new(),
            name: name.into(),
            currency,
            time_zone,
            require_if_match: false,
            created_at: now,
        }
    }

    /// No company: stands where it is not known yet which one is meant, and owns nothing.
    pub fn none() -> Self {
        Self {
            id: TenantId(uuid::Uuid::nil()),
            ..Self::new("", Currency::default(), TimeZone::default(), Timestamp::now())
        }
    }
}

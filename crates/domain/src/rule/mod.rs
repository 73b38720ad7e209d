//! stub
use crate::money::Currency;
use sql::Timestamp;
/// c
#[derive(Debug, Clone, Copy)]
pub struct RuleContext {
    /// n
    pub now: Timestamp,
    /// z
    pub zone: chrono_tz::Tz,
    /// c
    pub currency: Currency,
}
/// r
#[derive(Debug, Clone)]
pub enum Rule {
    /// a
    All(Vec<Rule>),
}

//! T. Service: how tickets, their comments and what is promised about them are kept.

pub mod business_hours;
pub mod sla_policies;
pub mod ticket_alarms;
pub mod ticket_comments;
pub mod tickets;

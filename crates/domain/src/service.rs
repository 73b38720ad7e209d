//! T. Service: tickets, their comments, and the times by which they are to be answered and solved.

pub mod business_hours;
pub mod calendar;
pub mod clocks;
pub mod satisfaction;
pub mod sla_policies;
pub mod ticket_clocks;
pub mod ticket_comments;
pub mod ticket_moves;
pub mod ticket_parts;
pub mod ticket_status;
pub mod tickets;

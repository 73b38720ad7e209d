//! I. Interactions, tasks, appointments and calendars, as kept.

pub mod activity;
pub mod appointments;
pub mod calendar_feeds;
pub mod calendars;
pub mod inbound;
pub mod interactions;
pub mod tasks;

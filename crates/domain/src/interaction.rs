//! I. Interactions: every contact with a customer, whatever the channel; what is to be done, and when people meet.

pub mod appointment_times;
pub mod appointments;
pub mod attendees;
pub mod calendar_feeds;
pub mod call_events;
pub mod free_busy;
mod icalendar;
pub mod inbound;
pub mod interactions;
pub mod participants;
pub mod recurrence;
mod recurring_days;
pub mod series;
pub mod social_events;
pub mod task_progress;
pub mod tasks;

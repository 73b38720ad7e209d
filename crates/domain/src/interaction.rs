//! I. Interactions: every contact with a customer, whatever the channel.

pub mod call_events;
pub mod inbound;
pub mod interactions;
pub mod participants;
pub mod social_events;

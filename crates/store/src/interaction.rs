//! I. Interactions, as kept.

pub mod activity;
pub mod inbound;
pub mod interactions;

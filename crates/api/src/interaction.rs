//! I. Interactions: what is special to its resources.

pub(crate) mod calendar_feeds;
pub(crate) mod free_busy;
pub(crate) mod interactions;

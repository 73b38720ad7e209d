//! I. Interactions: what is special to its resources.

pub(crate) mod interactions;

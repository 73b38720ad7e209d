//! S. Sales: what is special to its resources.

pub(crate) mod opportunities;
pub(crate) mod pipelines;

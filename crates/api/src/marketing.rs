//! M. Marketing: what is special to its resources.

pub(crate) mod segments;

//! M. Marketing: whom to address.

pub mod segments;

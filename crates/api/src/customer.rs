//! C. The customer: what is special to its resources.

pub(crate) mod customers;
pub(crate) mod overview;
pub(crate) mod timeline;

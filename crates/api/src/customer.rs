//! C. The customer: what is special to its resources.

pub(crate) mod customers;

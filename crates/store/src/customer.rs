//! C. The customer, as kept.

pub mod customers;
pub mod hierarchy;
pub mod notes;
pub mod overview;
pub mod relationships;
pub mod timeline;

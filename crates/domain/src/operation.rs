//! O. Operation.

pub mod tenants;
pub mod visibility;

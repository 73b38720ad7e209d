//! O. Operation, as kept.

pub mod service_accounts;
pub mod teams;
pub mod users;

//! O. Operation: who may do what, for whom.

pub mod roles;
pub mod scopes;
pub mod service_accounts;
pub mod teams;
pub mod tenants;
pub mod users;
pub mod visibility;

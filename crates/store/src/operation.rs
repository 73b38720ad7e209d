//! O. Operation, as kept.

pub mod credentials;
pub mod login_failures;
pub mod principals;
pub mod service_accounts;
pub mod sessions;
pub mod teams;
pub mod tenants;
pub mod users;

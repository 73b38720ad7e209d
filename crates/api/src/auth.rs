//! Who calls and what that one may do: passwords, secrets, signed tokens, foreign issuers, limits on guessing.

pub mod addresses;
pub mod issuers;
pub mod keys;
pub mod passwords;
pub mod secrets;
pub mod throttle;
pub mod tokens;

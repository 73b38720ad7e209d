//! .
pub mod auth;

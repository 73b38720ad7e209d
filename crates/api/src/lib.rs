//! The HTTP face: resources, auth, problem documents, the API document.
//!
//! [`resource`] holds the mechanics that every resource has; what is special to one stands in its own file.

pub mod access;
pub mod acting;
pub mod auth;
mod batch;
mod body;
pub mod caller;
mod changes;
pub mod cursor;
mod customer;
pub mod duties;
mod endpoint;
mod guide;
mod health;
mod history;
mod interaction;
pub mod limits;
mod list;
pub mod maintenance;
mod marketing;
mod observe;
pub mod openapi;
mod preconditions;
pub mod problem;
mod problem_pages;
mod projection;
mod query;
mod ranges;
mod rate_limit;
mod reply;
pub mod request_id;
mod request_metrics;
pub mod resource;
mod router;
mod sales;
mod service;
mod state;
mod strict_json;

pub use customer::document_uploads::Documents;
pub use problem::Problem;
pub use rate_limit::RateLimit;
pub use service::{ServerOptions, serve};
pub use state::State;

//! The only crate that knows there are two databases: the connection, the column types and the ids.
//!
//! Everything above writes its SQL once, against [`MultiBackend`]. The tables stand in [`schema`].

pub mod column;
mod connection;
mod document;
pub mod ids;
mod kept;
pub mod schema;
mod timestamp;
mod total;
pub mod types;

pub use connection::{DatabaseConnection, MultiBackend, MultiRawValue, in_portions};
pub use document::Json;
pub use kept::{Kept, one};
pub use timestamp::Timestamp;
pub use total::Total;

// Linked for their build features only: SQLite, libpq and OpenSSL are compiled in.
use libsqlite3_sys as _;
use pq_sys as _;

/// Keeps OpenSSL from freeing itself when the process ends. Threads of a connection pool may still be at work in libpq
/// then, which crashed one short command in thirty.
pub fn settle_openssl() {
    openssl_sys::init();
}

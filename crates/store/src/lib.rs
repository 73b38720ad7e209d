//! Every query, and nothing else. Each operation is a function on a [`Transaction`]. The content of documents stands
//! beside the database, in [`blobs`].
//!
//! [`records`] holds the mechanics that every kind of record has; what is special to a kind stands in its own file.

pub mod blobs;
mod connections;
pub mod custom_values;
mod error;
pub mod events;
pub mod filter;
mod group_commit;
pub mod idempotency;
mod kinds;
pub mod lookups;
pub mod maintenance;
mod migrations;
mod past;
mod pool;
pub mod records;
pub mod references;
mod retries;
mod savepoints;
pub mod shown;
mod snapshots;
mod sqlite_checkpoints;
mod sqlite_writer;
mod store;
pub mod stored;
mod transaction;

pub mod customer;
pub mod interaction;
pub mod marketing;
pub mod operation;
pub mod sales;
pub mod service;

pub use blobs::Blobs;
pub use error::Error;
pub use store::{Options, Store};
pub use stored::Stored;
pub use transaction::{Actor, ActorKind, Scope, Transaction};

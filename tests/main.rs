//! The promises of the service, told over HTTP against a running server, on the database that
//! `RAPPORT_TEST_DATABASE` names. A story belongs to the file of its resource or mechanic; [`harness`] starts the
//! server, gives each story a tenant of its own, and speaks HTTP for it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a story that cannot go on has failed"
)]

mod harness;

mod appointments;
mod as_of;
mod auth;
mod batch;
mod changes;
mod complaints;
mod crashes;
mod credentials;
mod custom_fields;
mod customer_360;
mod customers;
mod documents;
mod documents_in_bucket;
mod documents_kept;
mod duplicates;
mod idempotency;
mod import;
mod interactions;
mod lists;
mod merges;
mod notes;
mod opportunities;
mod pipeline_summaries;
mod pipelines;
mod preconditions;
mod problems;
mod products;
mod records;
mod relationships;
mod satisfaction;
mod segments;
mod service;
mod sla_policies;
mod tasks;
mod tenants;
mod ticket_clocks;
mod tickets;
mod timeline;
mod tokens;
mod users;

//! Rules, searches and pages as SQL, run on the database that `RAPPORT_TEST_DATABASE` names (`sqlite` by default).
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod agreement;
mod database;
mod explanations;
mod happened;
mod nodes;
mod opportunity_totals;
mod oracle;
mod overview;
mod pages;
mod past;
mod plans;
mod registry;
mod related;
mod rules;
mod schema;
mod search;
mod statements;
mod upgrades;
mod visibility;
mod writes;

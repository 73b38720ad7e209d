//! The schema's history, embedded, and run under a lock so that two starting instances do not collide.

use crate::Error;
use crate::pool::patiently;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use sql::DatabaseConnection;

struct Migration {
    name: &'static str,
    portable: &'static str,
    postgres: &'static str,
    sqlite: &'static str,
}

/// A migration by the name of its folder: with SQL for each database beside the portable one, or `portable`, or for
/// `sqlite` alone.
macro_rules! migration {
    ($name:literal, portable) => {
        Migration {
            name: $name,
            portable: include_str!(concat!("../../../migrations/", $name, "/up.sql")),
            postgres: "",
            sqlite: "",
        }
    };
    ($name:literal, sqlite) => {
        Migration {
            name: $name,
            portable: "",
            postgres: "",
            sqlite: include_str!(concat!("../../../migrations/", $name, "/up.sqlite.sql")),
        }
    };
    ($name:literal) => {
        Migration {
            name: $name,
            portable: include_str!(concat!("../../../migrations/", $name, "/up.sql")),
            postgres: include_str!(concat!("../../../migrations/", $name, "/up.postgres.sql")),
            sqlite: include_str!(concat!("../../../migrations/", $name, "/up.sqlite.sql")),
        }
    };
}

/// Every migration, oldest first. One that has been released is never changed.
const MIGRATIONS: &[Migration] = &[
    migration!("0001_foundation"),
    migration!("0002_notes", portable),
    migration!("0003_service", portable),
    migration!("0004_tasks", portable),
    migration!("0005_interactions", portable),
    migration!("0006_segments", portable),
    migration!("0007_documents", portable),
    migration!("0008_duplicates", portable),
    migration!("0009_custom_fields", portable),
    migration!("0010_merges", portable),
    migration!("0011_clustered_lookups", sqlite),
    migration!("0012_lookups_of_a_record", portable),
    migration!("0013_figures_by_customer", portable),
    migration!("0014_opportunity_totals", portable),
    migration!("0015_search_in_order", sqlite),
    migration!("0016_tenant_of_the_record"),
];

/// What PostgreSQL runs after new migrations: every column of text is brought to the order of the others.
const AFTER_ON_POSTGRES: &str = include_str!("../../../migrations/after.postgres.sql");

diesel::table! {
    schema_migrations (name) {
        name -> Text,
    }
}

/// Brings the database to this program's schema. Refuses one that a newer program has changed.
pub(crate) fn run(connection: &mut DatabaseConnection) -> Result<(), Error> {
    // Each in a statement of its own: on PostgreSQL two instances may race to make the tables.
    for statement in [
        "CREATE TABLE IF NOT EXISTS schema_migrations (name text NOT NULL PRIMARY KEY)",
        "CREATE TABLE IF NOT EXISTS schema_lock (id integer NOT NULL PRIMARY KEY)",
        "INSERT INTO schema_lock (id) VALUES (1) ON CONFLICT DO NOTHING",
    ] {
        make_bookkeeping(connection, statement)?;
    }
    let begin = if connection.is_sqlite() {
        "BEGIN IMMEDIATE"
    } else {
        BEGIN_LOCKED
    };
    let mut tries = TRIES;
    loop {
        tries -= 1;
        match in_transaction(connection, begin) {
            Err(error) if error.is_transient() && tries > 0 => {
                tracing::warn!(%error, "the schema could not be changed; trying again");
            }
            done => return done,
        }
    }
}

/// How often the schema is tried to be changed beside instances of an older version, which lock tables in another order.
const TRIES: u32 = 5;

/// A row lock, which unlike an advisory lock also works behind poolers and on distributed engines.
const BEGIN_LOCKED: &str = "BEGIN; SET LOCAL lock_timeout = '5min'; SET LOCAL statement_timeout = '5min'; \
     SELECT id FROM schema_lock FOR UPDATE";

/// A concurrent `CREATE TABLE IF NOT EXISTS` can still fail on PostgreSQL's catalogue; the table is there then.
fn make_bookkeeping(connection: &mut DatabaseConnection, statement: &str) -> Result<(), Error> {
    let first = patiently(|| connection.batch_execute(statement));
    first
        .or_else(|_| connection.batch_execute(statement))
        .map_err(Error::from)
}

fn in_transaction(connection: &mut DatabaseConnection, begin: &str) -> Result<(), Error> {
    connection.batch_execute(begin)?;
    let result = apply_missing(connection);
    connection.batch_execute(if result.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    result
}

fn apply_missing(connection: &mut DatabaseConnection) -> Result<(), Error> {
    let applied: Vec<String> = schema_migrations::table
        .select(schema_migrations::name)
        .load(connection)?;
    if let Some(unknown) = applied
        .iter()
        .find(|name| !MIGRATIONS.iter().any(|known| known.name == name.as_str()))
    {
        return Err(Error::Schema(format!(
            "the database was migrated by a newer version of this program ({unknown} is unknown to {}): upgrade the program",
            env!("CARGO_PKG_VERSION")
        )));
    }
    let missing: Vec<_> = MIGRATIONS
        .iter()
        .filter(|migration| !applied.iter().any(|name| name == migration.name))
        .collect();
    for migration in &missing {
        let specific = if connection.is_sqlite() {
            migration.sqlite
        } else {
            migration.postgres
        };
        // PostgreSQL refuses to run nothing.
        for statements in [migration.portable, specific].into_iter().filter(|sql| !sql.is_empty()) {
            connection.batch_execute(statements)?;
        }
        diesel::insert_into(schema_migrations::table)
            .values(schema_migrations::name.eq(migration.name))
            .execute(connection)?;
        tracing::info!(migration = migration.name, "applied");
    }
    if !missing.is_empty() && !connection.is_sqlite() {
        connection.batch_execute(AFTER_ON_POSTGRES)?;
    }
    Ok(())
}

//! One connection type over both databases, and the way to reach the typed one beneath it.
#![expect(missing_docs, reason = "the derive writes the backend types without documentation")]

use diesel::prelude::*;

/// A connection to either database. Queries are written once, against [`MultiBackend`].
#[derive(diesel::MultiConnection)]
pub enum DatabaseConnection {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

impl DatabaseConnection {
    /// Whether this is the embedded SQLite database.
    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }
}

/// Repeats an expression once per database, for what the shared backend cannot say:
/// `ON CONFLICT`, batch inserts, `FOR UPDATE`.
///
/// ```text
/// on_either!(connection, |c| diesel::insert_into(tags::table).values(rows).on_conflict_do_nothing().execute(c))
/// ```
#[macro_export]
macro_rules! on_either {
    ($connection:expr, |$c:ident| $body:expr) => {
        match $connection {
            $crate::DatabaseConnection::Postgres($c) => $body,
            $crate::DatabaseConnection::Sqlite($c) => $body,
        }
    };
}

/// Rows that one statement inserts at most: it may have 65,535 parameters, and a table 32 columns.
pub const ROWS_A_STATEMENT: usize = 1000;

/// Inserts the rows of an iterator: many in one statement on PostgreSQL, where round trips cost most, and one by one on
/// SQLite, which then need not prepare a statement for every number of rows.
#[macro_export]
macro_rules! insert_all {
    ($connection:expr, $table:expr, $rows:expr) => {
        match $connection {
            $crate::DatabaseConnection::Postgres(c) => {
                let mut rows = $rows.into_iter();
                loop {
                    let some: Vec<_> = rows.by_ref().take($crate::ROWS_A_STATEMENT).collect();
                    if some.is_empty() {
                        break Ok(());
                    }
                    if let Err(error) = ::diesel::insert_into($table).values(some).execute(c) {
                        break Err(error);
                    }
                }
            }
            $crate::DatabaseConnection::Sqlite(c) => $rows
                .into_iter()
                .try_for_each(|row| ::diesel::insert_into($table).values(row).execute(c).map(drop)),
        }
    };
}

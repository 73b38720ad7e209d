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

/// How many rows a statement inserts: of few sizes, so that each stays prepared, and not too many, because every connection
/// keeps each of them with up to 32 parameters a row.
const PORTIONS: [usize; 4] = [100, 20, 5, 1];

/// Inserts rows in few statements, and tells how many were written.
pub fn in_portions<C, R>(
    connection: &mut C,
    rows: impl IntoIterator<Item = R>,
    insert: impl Fn(&mut C, Vec<R>) -> QueryResult<usize>,
) -> QueryResult<usize> {
    let mut rows = rows.into_iter().collect::<Vec<_>>().into_iter();
    let mut written = 0;
    for portion in PORTIONS {
        while rows.len() >= portion {
            written += insert(connection, rows.by_ref().take(portion).collect())?;
        }
    }
    Ok(written)
}

/// Inserts the rows of an iterator, and tells how many were written: many in one statement on PostgreSQL, where round
/// trips cost most, and one by one on SQLite, which has none. With `on_conflict_do_nothing` those that are there already
/// are left out.
#[macro_export]
macro_rules! insert_all {
    ($connection:expr, $table:expr, $rows:expr $(, $conflict:ident)?) => {
        match $connection {
            $crate::DatabaseConnection::Postgres(c) => $crate::in_portions(c, $rows, |c, rows| {
                $crate::run_kept!(c, ::diesel::insert_into($table).values(rows)$(.$conflict())?)
            }),
            $crate::DatabaseConnection::Sqlite(c) => $rows
                .into_iter()
                .map(|row| {
                    let insert = ::diesel::insert_into($table).values(row)$(.$conflict())?;
                    ::diesel::RunQueryDsl::execute(insert, c)
                })
                .sum::<::diesel::QueryResult<usize>>(),
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_go_in_portions_of_few_sizes_in_their_order() {
        let mut portions = Vec::new();
        let written = in_portions(&mut portions, 0..127, |portions, rows| {
            portions.push(rows.clone());
            Ok(rows.len())
        });
        assert_eq!(written, Ok(127));
        let sizes: Vec<_> = portions.iter().map(Vec::len).collect();
        assert_eq!(sizes, [100, 20, 5, 1, 1]);
        assert_eq!(portions.concat(), (0..127).collect::<Vec<_>>());
        assert_eq!(in_portions(&mut (), [0; 0], |(), rows| Ok(rows.len())), Ok(0));
    }
}

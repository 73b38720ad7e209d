//! How what fails in a transaction is undone by itself: by a savepoint, or on SQLite first of all without one.

use crate::Error;
use diesel::connection::TransactionManager;
use diesel::prelude::{QueryResult, RunQueryDsl, SqliteConnection};
use sql::DatabaseConnection;

type Manager = <DatabaseConnection as diesel::Connection>::TransactionManager;

diesel::define_sql_function! {
    /// <https://www.sqlite.org/lang_corefunc.html#total_changes>
    fn total_changes() -> diesel::sql_types::Integer;
}

/// How many rows the connection has ever written.
pub(crate) fn rows_written(connection: &mut SqliteConnection) -> QueryResult<i32> {
    diesel::select(total_changes()).get_result(connection)
}

/// What is undone when a part fails that has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undoing {
    /// The whole transaction, which then runs again with savepoints. It is the faster way where parts hardly ever fail:
    /// SQLite copies each page that is first written in a savepoint, which took a tenth of the time of a large batch.
    Together,
    /// That part alone: it has a savepoint.
    Apart,
}

/// The way to undo a part.
pub(crate) enum Undo {
    /// There is nothing to undo as long as the connection has written so many rows and no more.
    IfUnwritten(i32),
    Savepoint,
}

impl Undo {
    pub(crate) fn begin(connection: &mut DatabaseConnection, undoing: Undoing) -> Result<Self, Error> {
        match connection {
            DatabaseConnection::Sqlite(sqlite) if undoing == Undoing::Together => {
                Ok(Self::IfUnwritten(rows_written(sqlite)?))
            }
            _ => {
                Manager::begin_transaction(connection)?;
                Ok(Self::Savepoint)
            }
        }
    }

    /// The part is to be kept.
    pub(crate) fn forget(&self, connection: &mut DatabaseConnection) -> Result<(), Error> {
        match self {
            Self::IfUnwritten(_) => Ok(()),
            Self::Savepoint => Ok(Manager::commit_transaction(connection)?),
        }
    }

    /// Undoes the part, and tells whether nothing of it is left: else the whole transaction must be undone.
    pub(crate) fn run(&self, connection: &mut DatabaseConnection) -> Result<bool, Error> {
        match (self, connection) {
            (Self::Savepoint, connection) => {
                Manager::rollback_transaction(connection)?;
                Ok(true)
            }
            (Self::IfUnwritten(rows), DatabaseConnection::Sqlite(sqlite)) => Ok(rows_written(sqlite)? == *rows),
            (Self::IfUnwritten(_), DatabaseConnection::Postgres(_)) => Ok(false),
        }
    }
}

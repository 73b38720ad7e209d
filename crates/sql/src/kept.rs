//! Statements that are worth keeping prepared.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::expression::SqlLiteral;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::Integer;

/// A statement whose text is one of few but for bound values. Diesel prepares each `UPDATE`, each `ON CONFLICT … DO UPDATE`
/// and each insertion of several rows anew, because it does not know that; preparing one can take longer than running it.
///
/// It holds where rows are loaded. A write that is executed is asked through a reference, which does not pass the question
/// on: such a write is run by [`run_kept!`](crate::run_kept).
#[derive(Debug, Clone, Copy)]
pub struct Kept<S> {
    statement: S,
    kept: bool,
}

impl<S> Kept<S> {
    /// The statement stays prepared.
    pub const fn new(statement: S) -> Self {
        Self::when(true, statement)
    }

    /// The statement stays prepared on a condition: that it is one of few.
    pub const fn when(kept: bool, statement: S) -> Self {
        Self { statement, kept }
    }
}

/// Runs a write that stays prepared, and tells how many rows it wrote. `if` says on which condition it stays.
///
/// ```text
/// run_kept!(connection, diesel::update(row).set(columns))?;
/// ```
#[macro_export]
macro_rules! run_kept {
    ($connection:expr, $write:expr) => {
        $crate::run_kept!($connection, $write, if true)
    };
    ($connection:expr, $write:expr, if $kept:expr) => {
        ::diesel::RunQueryDsl::load::<i32>($crate::Kept::when($kept, $write.returning($crate::one())), $connection)
            .map(|rows: ::std::vec::Vec<i32>| rows.len())
    };
}

/// What a write returns of each row, to be counted.
pub fn one() -> SqlLiteral<Integer> {
    diesel::dsl::sql("1")
}

/// No type names its text, so it is found by the text.
impl<S> QueryId for Kept<S> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Backend, S: QueryFragment<DB>> QueryFragment<DB> for Kept<S> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.statement.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _: &DB) -> QueryResult<bool> {
        Ok(self.kept)
    }
}

impl<S: Query> Query for Kept<S> {
    type SqlType = S::SqlType;
}

impl<S, C> diesel::RunQueryDsl<C> for Kept<S> {}

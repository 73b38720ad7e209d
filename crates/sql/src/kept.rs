//! Statements that are worth keeping prepared.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

/// A statement whose text is the same each time but for bound values. Diesel prepares each `UPDATE` and each
/// `ON CONFLICT … DO UPDATE` anew, because it does not know that; preparing one takes longer than running it. This holds
/// for SQLite only: on PostgreSQL Diesel asks a reference to the statement, which does not pass the question on.
///
/// ```text
/// Kept(diesel::update(row).set(columns)).execute(connection)
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Kept<S>(pub S);

/// No type names its text, so it is found by the text.
impl<S> QueryId for Kept<S> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Backend, S: QueryFragment<DB>> QueryFragment<DB> for Kept<S> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<S: Query> Query for Kept<S> {
    type SqlType = S::SqlType;
}

impl<S, C> diesel::RunQueryDsl<C> for Kept<S> {}

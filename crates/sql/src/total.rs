//! Sums of whole numbers.

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::BigInt;

/// The sum of a column of whole numbers as a whole number, where there are rows. Diesel's own is a decimal, as PostgreSQL's
/// is.
#[derive(Debug, Clone, Copy, QueryId)]
pub struct Total<C>(pub C);

impl<C: Expression<SqlType = BigInt>> Expression for Total<C> {
    type SqlType = BigInt;
}

impl<C, G> ValidGrouping<G> for Total<C> {
    type IsAggregate = is_aggregate::Yes;
}

impl<C: AppearsOnTable<T>, T> AppearsOnTable<T> for Total<C> where Self: Expression {}

impl<C: SelectableExpression<T>, T> SelectableExpression<T> for Total<C> where Self: AppearsOnTable<T> {}

impl<DB: Backend, C: QueryFragment<DB>> QueryFragment<DB> for Total<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("CAST(SUM(");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(") AS bigint)");
        Ok(())
    }
}

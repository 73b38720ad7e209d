//! stub
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::Bool;
use domain::operation::visibility::Visibility;
use domain::registry::Registry;
use domain::rule::Rule;
use sql::MultiBackend;
use sql::ids::TenantId;
/// c
#[derive(Debug, Clone)]
pub struct Condition;
impl Condition {
    /// n
    pub fn new(_r: &'static Registry, _t: TenantId, _v: Visibility) -> Self {
        Self
    }
    /// w
    pub fn with_rule(self, _r: Option<Rule>) -> Self {
        self
    }
}
impl Expression for Condition {
    type SqlType = Bool;
}
impl<T> AppearsOnTable<T> for Condition {}
impl<T> SelectableExpression<T> for Condition {}
impl<G> ValidGrouping<G> for Condition {
    type IsAggregate = is_aggregate::Never;
}
impl QueryId for Condition {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl QueryFragment<MultiBackend> for Condition {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> diesel::QueryResult<()> {
        out.push_sql("1=1");
        Ok(())
    }
}
/// o
#[derive(Debug, Clone)]
pub struct Order;
impl Order {
    /// b
    pub fn by_id(_: &'static Registry) -> Self {
        Self
    }
}
impl Expression for Order {
    type SqlType = diesel::expression::expression_types::NotSelectable;
}
impl<T> AppearsOnTable<T> for Order {}
impl<T> SelectableExpression<T> for Order {}
impl<G> ValidGrouping<G> for Order {
    type IsAggregate = is_aggregate::Never;
}
impl QueryId for Order {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl QueryFragment<MultiBackend> for Order {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> diesel::QueryResult<()> {
        out.push_sql("id");
        Ok(())
    }
}

//! Compiles rules, text search, record rules and keyset pages to SQL: the one place where a rule meets a database.
//!
//! A [`Condition`] is a boolean expression of Diesel over the record's table, an [`Order`] what goes with it:
//!
//! ```text
//! let condition = Condition::new(registry, tenant, visibility).with_rule(rule).with_search(search);
//! for part in condition.parts(&keys, position.as_ref(), limit) {
//!     rows.extend(products::table.filter(part.condition).order(part.order).limit(wanted).load(connection)?);
//! }
//! ```
//!
//! Values are bound; every name comes from the constants of the registry.

mod beside;
mod changes;
mod check;
mod compile;
mod fragment;
mod history;
mod hits;
mod operand;
mod page;
mod past;
mod related;
pub mod seen;
mod text;

use crate::Error;
use crate::shown::Members;
use compile::Compiler;
use diesel::expression::expression_types::NotSelectable;
use diesel::expression::{AppearsOnTable, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::Bool;
use domain::operation::visibility::Visibility;
use domain::registry::Registry;
use domain::rule::{Position, Rule, SortKey};
use domain::search::Search;
use fragment::{Dialect, Fragment};
use sql::Timestamp;
use sql::ids::TenantId;

/// Which records of one kind are meant: those of a tenant that the caller may see, are not deleted, and pass rules.
#[derive(Debug, Clone)]
pub struct Condition {
    registry: &'static Registry,
    /// What the columns of the records are qualified by.
    table: &'static str,
    tenant: TenantId,
    visibility: Visibility,
    as_of: Option<Timestamp>,
    fragment: Fragment,
    /// Whether rules narrow it.
    ruled: bool,
    /// Where a text search was said last: which records it is to find, and how.
    searched: Option<(Box<Condition>, Search)>,
}

impl Condition {
    /// The records of a tenant that a caller may see and that are not deleted.
    pub fn new(registry: &'static Registry, tenant: TenantId, visibility: Visibility) -> Self {
        let mut condition = Self::even_deleted(registry, tenant, visibility);
        condition.fragment.raw(" AND ");
        condition.compiler().not_deleted();
        condition
    }

    /// The records of a tenant that a caller may see, deleted or not.
    pub fn even_deleted(registry: &'static Registry, tenant: TenantId, visibility: Visibility) -> Self {
        Self::of_rows(registry.table, registry, tenant, visibility)
    }

    /// The rows of another table of a tenant whose records a caller may see: they tell whose these are in columns that are
    /// called as those of the records.
    pub fn of_rows(table: &'static str, registry: &'static Registry, tenant: TenantId, visibility: Visibility) -> Self {
        let mut condition = Self {
            registry,
            table,
            tenant,
            visibility,
            as_of: None,
            fragment: Fragment::default(),
            ruled: false,
            searched: None,
        };
        condition.compiler().visible();
        condition
    }

    /// The records of a tenant that a caller may see today and that were there at an instant of the past. Rules are
    /// answered as they would have been then.
    pub fn as_of(registry: &'static Registry, tenant: TenantId, visibility: Visibility, instant: Timestamp) -> Self {
        let mut condition = Self::even_deleted(registry, tenant, visibility);
        condition.as_of = Some(instant);
        condition.fragment.raw(" AND ");
        condition.compiler().not_deleted();
        condition
    }

    /// Those of them that pass a rule.
    #[must_use]
    pub fn with_rule(self, rule: Option<&Rule>) -> Self {
        match rule {
            Some(rule) => Self {
                ruled: true,
                ..self.and(|compiler| compiler.rule(rule))
            },
            None => self,
        }
    }

    /// Those of them that a text search finds.
    #[must_use]
    pub fn with_search(self, search: Option<&Search>) -> Self {
        match search {
            Some(search) => {
                let among = Box::new(self.clone());
                let found = self.and(|compiler| compiler.search(search));
                Self {
                    searched: Some((among, search.clone())),
                    ..found
                }
            }
            None => self,
        }
    }

    /// The same, said of one of few queries that are asked again and again: databases keep them prepared.
    #[must_use]
    pub fn kept(mut self) -> Self {
        self.fragment.is_kept();
        self
    }

    /// Whether it means only some of the records of the tenant.
    fn is_narrowed(&self) -> bool {
        self.ruled || self.registry.owned && self.visibility != Visibility::All
    }

    /// What to ask for, one after the other, to get so many records after a place in their order. Where the first key
    /// may be missing, those that lack it come in a part of their own, so that each part walks along an index.
    pub fn parts(&self, keys: &[SortKey], after: Option<&Position>, limit: i64) -> Vec<Part> {
        page::parts(self, keys, after, limit)
    }

    fn and(mut self, write: impl FnOnce(&mut Compiler<'_>)) -> Self {
        self.searched = None;
        self.fragment.raw(" AND ");
        write(&mut self.compiler());
        self
    }

    const fn compiler(&mut self) -> Compiler<'_> {
        Compiler::new(&mut self.fragment, self.registry, self.tenant, self.visibility)
            .over(self.table)
            .at(self.as_of)
    }
}

/// What a list asks for.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The rule that records must pass.
    pub rule: Option<Rule>,
    /// The text search that must find them.
    pub q: Option<Search>,
    /// The order, with a last key that is unique; without any key, by id.
    pub sort: Vec<SortKey>,
    /// The place after which the page begins.
    pub after: Option<Position>,
    /// The most records.
    pub limit: i64,
    /// Whether few pages have the same rule but for bound values: those of the service's own making.
    pub kept: bool,
}

impl Page {
    /// The keys of the order.
    pub fn keys(&self, registry: &Registry) -> Vec<SortKey> {
        if self.sort.is_empty() {
            registry.default_order()
        } else {
            self.sort.clone()
        }
    }

    /// Where a record stands in the order: the next page begins after its last one.
    pub fn position_of(&self, registry: &Registry, record: &Members<'_>) -> Result<Position, Error> {
        let keys = self.keys(registry);
        let mut sorted_by = serde_json::Map::new();
        for key in &keys {
            let name = key.field.name.split('.').next().unwrap_or_default();
            if let Some(value) = record.get(name) {
                sorted_by.insert(name.to_owned(), serde_json::from_str(value.get())?);
            }
        }
        let position = Position::of(&sorted_by.into(), &keys);
        position.ok_or_else(|| Error::Internal("a record lacks the values that it is sorted by".to_owned()))
    }
}

/// A part of a list: the next records are those that pass the condition, in this order.
#[derive(Debug, Clone)]
pub struct Part {
    /// Which records.
    pub condition: Condition,
    /// In which order.
    pub order: Order,
    /// Whether both are said of the rows of `custom_values`, whose records are meant.
    pub along_custom_values: bool,
}

/// The order of a list.
#[derive(Debug, Clone)]
pub struct Order {
    fragment: Fragment,
}

impl Order {
    /// By id, which is the order of creation.
    pub fn by_id(registry: &'static Registry) -> Self {
        page::order(registry, &registry.default_order())
    }
}

/// Makes a fragment an expression of Diesel that may stand in a query over any table.
macro_rules! expression {
    ($type:ty, $sql_type:ty) => {
        impl Expression for $type {
            type SqlType = $sql_type;
        }
        impl<T> AppearsOnTable<T> for $type {}
        impl<T> SelectableExpression<T> for $type {}
        impl<G> ValidGrouping<G> for $type {
            type IsAggregate = is_aggregate::Never;
        }
        impl QueryId for $type {
            type QueryId = ();
            const HAS_STATIC_QUERY_ID: bool = false;
        }
        impl<DB: $crate::filter::Dialect> QueryFragment<DB> for $type {
            fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
                self.fragment.walk(out)
            }
        }
    };
}
use expression;

expression!(Condition, Bool);
expression!(Order, NotSelectable);

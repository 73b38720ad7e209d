//! The one rule language: list filters, search, segments and conditions are all this tree.
//!
//! A [`Rule`] exists only checked against the [`Registry`] of its kind, so what compiles or evaluates it
//! meets known fields, allowed operators and values of the right type. A missing value makes a comparison
//! false, and `not` of it true.

pub mod events;
mod field;
mod history;
mod literal;
mod operator;
pub mod order;
mod parse;
pub mod past;
pub mod query;
mod related;
mod schema;
#[cfg(test)]
mod tests;
mod window;

use crate::custom_values::Catalogue;
use crate::fault::Fault;
use crate::kind::Kind;
use crate::money::{Currency, Money};
use crate::registry::{Field, Registry, Relation};
use crate::search::Search;
use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use sql::Timestamp;
use sql::ids::{RecordId, SegmentId};
use std::collections::BTreeSet;
use std::sync::Arc;

pub use history::{ChangeOperator, LOGGED_AT};
pub use operator::{Operator, Shape};
pub use order::{Position, SortKey};
pub use schema::{Aggregate, AggregateFunction, RuleNode, Window};
pub use window::{CalendarUnit, Span};

/// How deep rules may be nested.
pub const MOST_DEPTH: usize = 8;
/// How many nodes a rule may have.
pub const MOST_NODES: usize = 200;
/// How many of its nodes may look at related records.
pub const MOST_RELATED: usize = 10;
/// How many values all lists of a rule may have together.
pub const MOST_VALUES: usize = 1000;
/// How many characters a text may have.
pub const MOST_CHARACTERS: usize = 1000;

/// What a rule's values depend on.
#[derive(Debug, Clone)]
pub struct RuleContext {
    /// The present instant.
    pub now: Timestamp,
    /// The tenant's time zone.
    pub zone: Tz,
    /// The tenant's currency.
    pub currency: Currency,
    /// The tenant's custom fields.
    pub custom: Arc<Catalogue>,
}

impl RuleContext {
    /// The field of a kind of record that has a name: one that every tenant has, or a custom one.
    pub fn field(&self, registry: &'static Registry, name: &str) -> Option<&'static Field> {
        let custom = || {
            if registry.is_of_events() {
                events::of_custom_field(&self.custom, registry.kind, name)
            } else {
                self.custom.field(registry.kind, name)
            }
        };
        registry.field(name).or_else(custom)
    }
}

/// A checked rule about records of one kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// Every one holds; of none, true.
    All(Vec<Rule>),
    /// At least one holds; of none, false.
    Any(Vec<Rule>),
    /// It does not hold.
    Not(Box<Rule>),
    /// A field passes a check.
    Test(Test),
    /// The record, or the one it is tied to, is found by a text search.
    Found {
        /// The way to the record searched, when it is another one.
        via: Option<&'static Relation>,
        /// What is looked for.
        search: Search,
    },
    /// The related records pass a check.
    Related(Related),
    /// The customer is a member of a segment.
    Member(SegmentId),
    /// So many events of the record's log pass a check.
    Logged(Logged),
}

impl Rule {
    /// Reads a rule about records of a kind. Every fault is told, at its JSON Pointer from the root of the rule.
    pub fn parse(json: &serde_json::Value, kind: Kind, context: &RuleContext) -> Result<Self, Vec<Fault>> {
        parse::rule(json, kind.registry(), context)
    }

    /// Like [`Rule::parse`], for a rule that is answered as of the context's instant in the past. What the past is not
    /// known of is refused.
    pub fn parse_past(json: &serde_json::Value, kind: Kind, context: &RuleContext) -> Result<Self, Vec<Fault>> {
        parse::rule_of_past(json, kind.registry(), context)
    }

    /// Like [`Rule::parse`], for a registry that stands alone.
    pub fn parse_for(
        json: &serde_json::Value,
        registry: &'static Registry,
        context: &RuleContext,
    ) -> Result<Self, Vec<Fault>> {
        parse::rule(json, registry, context)
    }
}

impl Rule {
    /// The other kinds of record that it looks at.
    pub fn reaches(&self) -> BTreeSet<Kind> {
        match self {
            Self::All(rules) | Self::Any(rules) => rules.iter().flat_map(Self::reaches).collect(),
            Self::Not(rule) => rule.reaches(),
            Self::Test(Test { via, .. }) | Self::Found { via, .. } => via.iter().map(|via| via.target).collect(),
            Self::Related(Related { relation, filter, .. }) => {
                let beyond = filter.iter().flat_map(|rule| rule.reaches());
                std::iter::once(relation.target).chain(beyond).collect()
            }
            Self::Member(_) | Self::Logged(_) => BTreeSet::new(),
        }
    }

    /// The segments that it names.
    pub fn segments(&self) -> BTreeSet<SegmentId> {
        match self {
            Self::All(rules) | Self::Any(rules) => rules.iter().flat_map(Self::segments).collect(),
            Self::Not(rule) => rule.segments(),
            Self::Related(Related { filter, .. }) => filter.iter().flat_map(|rule| rule.segments()).collect(),
            Self::Member(segment) => BTreeSet::from([*segment]),
            Self::Test(_) | Self::Found { .. } | Self::Logged(_) => BTreeSet::new(),
        }
    }

    /// That a field of a kind of record passes a check; none when there is no such field.
    pub fn of_field(kind: Kind, field: &str, check: Check) -> Option<Self> {
        let field = kind.registry().field(field)?;
        Some(Self::Test(Test {
            via: None,
            field,
            check,
        }))
    }

    /// That a field of ids names one of these records.
    pub fn names(field: &'static Field, ids: impl IntoIterator<Item = RecordId>) -> Self {
        Self::Test(Test {
            via: None,
            field,
            check: Check::In(ids.into_iter().map(Value::Id).collect()),
        })
    }
}

/// A check of one field.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// The to-one relation to the record whose field it is, when it is another one.
    pub via: Option<&'static Relation>,
    /// The field.
    pub field: &'static Field,
    /// What must hold.
    pub check: Check,
}

/// What must hold of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// There is one.
    Exists,
    /// There is none.
    Missing,
    /// It compares so with another value.
    Compare(Comparison, Operand),
    /// It lies between two values, both included.
    Between(Value, Value),
    /// It lies outside of two values.
    Outside(Value, Value),
    /// It is one of these.
    In(Vec<Value>),
    /// It is none of these.
    NotIn(Vec<Value>),
    /// Text that stands in it, without regard to the case of ASCII letters.
    Like(Match, String),
    /// A list has these.
    Has(Quantifier, Vec<Value>),
    /// Its month and day (`MM-DD`) lie in one of these ranges.
    Anniversary(Vec<(String, String)>),
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// What a value is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A value that the client gave.
    Value(Value),
    /// Another field of the same record, so many microseconds (instants) or days (dates) later.
    Field {
        /// The other field.
        field: &'static Field,
        /// What is added to its value.
        offset: i64,
    },
}

/// Where a text stands in another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Match {
    Contains,
    StartsWith,
    EndsWith,
}

sql::text_enum! {
    /// How many of several must pass.
    pub enum Quantifier {
        /// At least one.
        Any = "any",
        /// Every one; of none, true.
        All = "all",
        /// Not one.
        None = "none",
    }
}

/// A check of what the log tells of the record.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged {
    /// What must have happened; anything, where it is not said.
    pub event: Option<EventPattern>,
    /// Which field must have changed, and how.
    pub change: Option<FieldChange>,
    /// What else must hold of the event.
    pub filter: Option<Box<Rule>>,
    /// When it must have happened.
    pub window: Option<Check>,
    /// How often.
    pub count: Check,
}

/// A kind of event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventPattern {
    /// This one: `opportunity.won`.
    Exactly(String),
    /// Those that begin so: `opportunity.`.
    StartingWith(String),
}

/// A change of a field.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    /// The field.
    pub field: &'static Field,
    /// The value it had before, where that matters.
    pub from: Option<String>,
    /// The value it came to, where that matters.
    pub to: Option<String>,
}

/// A check of the records that a relation leads to.
#[derive(Debug, Clone, PartialEq)]
pub struct Related {
    /// The relation.
    pub relation: &'static Relation,
    /// Which of the related records count.
    pub window: Option<Test>,
    /// Which of them pass (with a quantifier) or count (with an aggregate).
    pub filter: Option<Box<Rule>>,
    /// What must hold of them.
    pub holds: Holds,
}

/// What must hold of the related records.
#[derive(Debug, Clone, PartialEq)]
pub enum Holds {
    /// So many of them pass the filter.
    Quantifier(Quantifier),
    /// A figure over those that pass the filter passes a check.
    Aggregate {
        /// The figure.
        function: Function,
        /// What must hold of it.
        check: Check,
    },
}

/// A figure over related records.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    /// How many there are.
    Count,
    /// How many different values a field has.
    CountDistinct(&'static Field),
    /// The sum of a field, 0 of none.
    Sum(&'static Field),
    /// The mean of a field; the values of the check are this many times as large.
    Average(&'static Field, i64),
    /// The least value of a field.
    Least(&'static Field),
    /// The greatest value of a field.
    Greatest(&'static Field),
    /// The value of a field in the first record by a date.
    First(&'static Field, &'static Field),
    /// The value of a field in the last record by a date.
    Last(&'static Field, &'static Field),
}

/// A value, as columns hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Value {
    #[serde(rename = "t")]
    Text(String),
    #[serde(rename = "n")]
    Integer(i64),
    #[serde(rename = "i")]
    Id(RecordId),
    #[serde(rename = "s")]
    Instant(Timestamp),
    #[serde(rename = "d")]
    Date(NaiveDate),
    #[serde(rename = "b")]
    Bool(bool),
    #[serde(rename = "m")]
    Money(Money),
}

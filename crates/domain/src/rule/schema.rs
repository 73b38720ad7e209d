//! The form of rules in JSON, for the API document. [`Rule::parse`](super::Rule::parse) reads them.

use super::{CalendarUnit, Operator, Quantifier};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A rule about records: exactly one of these forms. At most 8 deep, of 200 nodes, 10 of them about related
/// records or events.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(example = json!({"field": "created_at", "window": {"last": "P30D"}}))]
pub enum RuleNode {
    /// Every rule holds.
    All(AllOf),
    /// At least one rule holds.
    Any(AnyOf),
    /// The rule does not hold.
    Not(Negation),
    /// A field is compared with a value, or lies in a window of time.
    Field(FieldTest),
    /// The related records pass a rule, or a figure over them compares with a value.
    Related(RelatedTest),
    /// Something happened to the record so many times.
    Event(EventTest),
    /// A field of the record changed.
    History(HistoryTest),
    /// The customer is in a segment.
    Segment(SegmentTest),
}

/// Every rule holds; with none, true.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleAll)]
pub struct AllOf {
    /// The rules.
    #[schema(no_recursion, max_items = 199)]
    pub all: Vec<RuleNode>,
}

/// At least one rule holds; with none, false.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleAny)]
pub struct AnyOf {
    /// The rules.
    #[schema(no_recursion, max_items = 199)]
    pub any: Vec<RuleNode>,
}

/// The rule does not hold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleNot)]
pub struct Negation {
    /// The rule.
    #[schema(no_recursion)]
    pub not: Box<RuleNode>,
}

/// A field is compared with a value, or lies in a window of time. A missing value makes a comparison false.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleField, example = json!({"field": "customer.country", "op": "in", "value": ["ID", "MY"]}))]
pub struct FieldTest {
    /// The field, or `relation.field` for one of the record it is tied to. `search` also takes the relation alone, or
    /// no field for the record itself.
    #[schema(examples("customer.country"))]
    pub field: Option<String>,
    /// How it is compared; `eq` by default.
    pub op: Option<Operator>,
    /// What it is compared with: a value of the field's type, a list of such, or another field as
    /// `{"ref": "created_at", "offset": "-P30D"}`.
    pub value: Option<Value>,
    /// The time it lies in, instead of `op` and `value`.
    pub window: Option<Window>,
}

/// A span of time in the tenant's time zone: one of `last`, `next`, `this`, `previous` and `between`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleWindow, example = json!({"last": "P30D"}))]
pub struct Window {
    /// An ISO 8601 duration up to now.
    #[schema(examples("P30D"))]
    pub last: Option<String>,
    /// An ISO 8601 duration from now, or a calendar unit.
    #[schema(examples("P7D"))]
    pub next: Option<String>,
    /// The present day, week, month, quarter or year.
    pub this: Option<CalendarUnit>,
    /// The one before the present one.
    pub previous: Option<CalendarUnit>,
    /// The first and the last day or instant.
    #[schema(min_items = 2, max_items = 2)]
    pub between: Option<Vec<String>>,
    /// For related records: the field that lies in the window, `created_at` by default.
    pub field: Option<String>,
}

/// The related records pass a rule (`quantifier`), or a figure over them compares with a value (`aggregate`).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleRelated, example = json!({
    "related": "opportunities", "where": {"field": "status", "value": "won"}, "window": {"last": "P1Y"},
    "aggregate": {"fn": "sum", "field": "amount"}, "op": "gte", "value": "500.00",
}))]
pub struct RelatedTest {
    /// The relation.
    #[schema(examples("opportunities"))]
    pub related: String,
    /// Which of the related records pass, or count.
    #[serde(rename = "where")]
    #[schema(no_recursion)]
    pub filter: Option<Box<RuleNode>>,
    /// When the related records must be of.
    pub window: Option<Window>,
    /// How many of them must pass; `any` by default.
    pub quantifier: Option<Quantifier>,
    /// The figure over those that pass.
    pub aggregate: Option<Aggregate>,
    /// How the figure is compared; `eq` by default.
    pub op: Option<Operator>,
    /// What the figure is compared with.
    pub value: Option<Value>,
}

/// Something happened to the record so many times, as the change feed tells it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleEvent, example = json!({
    "event": "customer.updated", "where": {"field": "after.lifecycle", "value": "lost"},
    "window": {"last": "P30D"}, "count": {"op": "gte", "value": 3},
}))]
pub struct EventTest {
    /// What happened; `customer.*` for anything that happened to a customer.
    #[schema(
        max_length = 100,
        pattern = "^[a-z_]+\\.([a-z_]+|\\*)$",
        examples("customer.updated")
    )]
    pub event: String,
    /// Which of these events are meant: a rule of `all`, `any`, `not` and fields over the event. Its fields are `kind`,
    /// `occurred_at`, `version`, `actor.type`, `actor.id`, and `before.<field>` and `after.<field>` for each field whose
    /// changes are told; a field that the event did not change is missing.
    #[serde(rename = "where")]
    #[schema(no_recursion)]
    pub filter: Option<Box<RuleNode>>,
    /// When.
    pub window: Option<Window>,
    /// How often; by default at least once.
    pub count: Option<EventCount>,
}

/// How often something happened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleEventCount)]
pub struct EventCount {
    /// How the number is compared; `eq` by default.
    pub op: Option<Operator>,
    /// What it is compared with.
    pub value: Value,
}

/// A field of the record changed, after the record was created.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleHistory, example = json!({
    "history": "lifecycle", "op": "changed_to", "value": "churned", "window": {"last": "P90D"},
}))]
pub struct HistoryTest {
    /// The field.
    #[schema(examples("lifecycle"))]
    pub history: String,
    /// How; `changed` by default.
    pub op: Option<super::ChangeOperator>,
    /// The value that it changed to or from.
    pub value: Option<Value>,
    /// When.
    pub window: Option<Window>,
}

/// The customer is a member of a segment, as far as the service has followed the changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleSegment)]
pub struct SegmentTest {
    /// The id of the segment.
    pub segment: uuid::Uuid,
}

/// A figure over related records.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RuleAggregate)]
pub struct Aggregate {
    /// Which figure.
    #[serde(rename = "fn")]
    pub function: AggregateFunction,
    /// The field of the related records that it is about; `count` takes none.
    #[schema(examples("amount"))]
    pub field: Option<String>,
}

sql::text_enum! {
    /// A figure over related records.
    pub enum AggregateFunction {
        /// How many there are.
        Count = "count",
        /// How many different values a field has.
        CountDistinct = "count_distinct",
        /// The sum of a field, 0 of none; of amounts, those in the currency compared with.
        Sum = "sum",
        /// The mean of a field.
        Average = "avg",
        /// The least value of a field.
        Least = "min",
        /// The greatest value of a field.
        Greatest = "max",
        /// The value of a field in the first record by the window's field.
        First = "first",
        /// The value of a field in the last record by the window's field.
        Last = "last",
        /// Whole days since the latest value of a field of days or instants.
        DaysSinceLast = "days_since_last",
    }
}

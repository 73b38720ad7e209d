//! Segments: sets of customers, chosen by hand or by a rule.

use crate::fault::{Fault, Refusal};
use crate::kind::Kind;
use crate::record::{Fields, Meta, Record};
use crate::registry::{Field, FieldType, Registry};
use crate::rule::{Rule, RuleContext, RuleNode};
use crate::{common_fields, record_parts, settable};
use chrono::Duration;
use diesel::prelude::Queryable;
use serde::Serialize;
use serde_json::Value;
use sql::ids::CustomerId;
use sql::{Json, Timestamp};
use utoipa::ToSchema;

sql::text_enum! {
    /// How the members of a segment are chosen.
    pub enum SegmentKind {
        /// By hand: they are added and removed one by one.
        Static = "static",
        /// By a rule, and always anew: customers enter and leave as they change and as time goes on.
        Dynamic = "dynamic",
        /// By a rule, once: when the segment is created, and again only when it is refreshed.
        Snapshot = "snapshot",
    }
}

settable! {
    /// What a client may set on a segment.
    pub struct SegmentFields in segments {
        /// What it is called.
        #[validate(length(min = 1, max = 200))]
        #[schema(min_length = 1, max_length = 200, examples("Gold customers in Hamburg"))]
        pub name: String,
        /// What it is for.
        #[validate(length(max = 10000))]
        #[schema(max_length = 10000)]
        pub description: Option<String>,
        /// How its members are chosen; it stays what it was created as.
        pub kind: SegmentKind,
        /// The rule about customers that members pass, of a dynamic segment and of a snapshot. A static one has none. A
        /// patch replaces it as a whole.
        #[schema(value_type = Option<RuleNode>)]
        pub rule: Option<RuleDocument>,
    }
}

/// A rule as it was sent. It is read anew whenever it is applied, because it may depend on the time.
pub type RuleDocument = Json<Value>;

impl Fields for SegmentFields {
    common_fields!();
    const REPLACED_WHOLE: &'static [&'static str] = &["rule"];

    fn add_faults(&self, faults: &mut Vec<Fault>) {
        match (self.kind, &self.rule) {
            (SegmentKind::Static, Some(_)) => {
                faults.push(Fault::new("/rule", "not_allowed", "a static segment has no rule"));
            }
            (SegmentKind::Dynamic | SegmentKind::Snapshot, None) => {
                faults.push(Fault::new("/rule", "required", "is required of this kind of segment"));
            }
            _ => {}
        }
    }
}

/// A set of customers.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, Queryable)]
pub struct Segment {
    /// What the service keeps.
    #[serde(flatten)]
    pub meta: Meta,
    /// What a client set.
    #[serde(flatten)]
    pub fields: SegmentFields,
}

impl Segment {
    /// A new segment, or one that was changed, of checked fields. Its rule is read, and every fault of it told.
    pub fn decide(
        before: Option<&Self>,
        meta: Meta,
        fields: SegmentFields,
        context: &RuleContext,
    ) -> Result<Self, Refusal> {
        if before.is_some_and(|before| before.fields.kind != fields.kind) {
            return Err(Refusal::fault("/kind", "not_changeable", "must stay as it is"));
        }
        let segment = Self { meta, fields };
        segment.rule(context)?;
        Ok(segment)
    }

    /// The rule that its members pass; none of a static segment.
    pub fn rule(&self, context: &RuleContext) -> Result<Option<Rule>, Refusal> {
        let rule = self.fields.rule.as_ref();
        rule.map(|rule| read_rule(rule, context)).transpose()
    }

    /// Whether it is kept in step with the customers.
    pub fn is_dynamic(&self) -> bool {
        self.fields.kind == SegmentKind::Dynamic
    }

    /// When its rule must be applied to all customers again because of the time alone; never, when it does not depend
    /// on it.
    pub fn next_refresh(&self, context: &RuleContext) -> Option<Timestamp> {
        let later = RuleContext {
            now: (context.now.utc() + Duration::days(1000)).into(),
            ..context.clone()
        };
        let depends = self.is_dynamic() && self.rule(context).ok() != self.rule(&later).ok();
        depends.then(|| (context.now.utc() + REFRESH_EVERY).into())
    }
}

/// How often a rule that depends on the time is applied to all customers.
pub const REFRESH_EVERY: Duration = Duration::minutes(15);

/// Reads the rule of a segment; faults are told under `/rule`.
pub fn read_rule(json: &Value, context: &RuleContext) -> Result<Rule, Refusal> {
    Rule::parse(json, Kind::Customer, context)
        .map_err(|faults| Refusal::Invalid(faults.into_iter().map(|fault| fault.under("/rule")).collect()))
}

/// Reads the rule of a segment to be answered as of the context's instant in the past.
pub fn read_rule_of_past(json: &Value, context: &RuleContext) -> Result<Rule, Refusal> {
    Rule::parse_past(json, Kind::Customer, context)
        .map_err(|faults| Refusal::Invalid(faults.into_iter().map(|fault| fault.under("/rule")).collect()))
}

/// Customers to be added to a static segment, and others to be removed from it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize, ToSchema, validator::Validate)]
#[serde(deny_unknown_fields, default)]
pub struct MembershipChange {
    /// Who comes in.
    #[validate(length(max = 1000))]
    #[schema(value_type = Vec<uuid::Uuid>, max_items = 1000)]
    pub add: Vec<CustomerId>,
    /// Who goes.
    #[validate(length(max = 1000))]
    #[schema(value_type = Vec<uuid::Uuid>, max_items = 1000)]
    pub remove: Vec<CustomerId>,
}

/// The fields of a segment.
pub const REGISTRY: Registry = Registry {
    kind: Kind::Segment,
    plural: "segments",
    table: "segments",
    fields: &[
        Field::text("name").required().sortable().indexed(),
        Field::text("description"),
        Field::choice("kind", SegmentKind::TEXTS).required(),
        Field::beside("refreshed_at", "segment_refreshes", "segment_id", FieldType::Instant),
    ],
    relations: &[],
    owned: false,
};

impl Record for Segment {
    record_parts!(SegmentFields);
    const KIND: Kind = Kind::Segment;

    fn title(&self) -> &str {
        &self.fields.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use sql::ids::TenantId;

    fn context() -> RuleContext {
        RuleContext {
            now: Timestamp::parse("2026-11-22T12:00:00Z").unwrap(),
            zone: chrono_tz::Europe::Berlin,
            currency: "EUR".parse().unwrap(),
            custom: std::sync::Arc::default(),
        }
    }

    fn dynamic(rule: &Value) -> Result<Segment, Refusal> {
        let fields: SegmentFields =
            serde_json::from_value(json!({"name": "S", "kind": "dynamic", "rule": rule})).unwrap();
        let context = context();
        Segment::decide(
            None,
            Meta::new(TenantId::new(), context.now, None),
            fields.checked()?,
            &context,
        )
    }

    #[test]
    fn a_rule_wrong_in_five_places_gets_five_pointers() {
        let rule = json!({"all": [
            {"field": "colour", "value": "red"},
            {"field": "lifecycle", "value": "asleep"},
            {"any": [{"field": "name", "op": "near", "value": "x"}, {"related": "orders"}]},
            {"related": "interactions", "aggregate": {"fn": "count"}, "op": "gte", "value": "many"},
        ]});
        let Err(Refusal::Invalid(faults)) = dynamic(&rule) else {
            panic!("accepted");
        };
        let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        let expected = [
            "/rule/all/0/field",
            "/rule/all/1/value",
            "/rule/all/2/any/0/op",
            "/rule/all/2/any/1/related",
            "/rule/all/3/value",
        ];
        assert_eq!(pointers, expected);
    }

    #[test]
    fn only_a_rule_that_depends_on_the_time_is_refreshed_by_it() {
        let still = dynamic(&json!({"field": "lifecycle", "value": "lead"})).unwrap();
        assert_eq!(still.next_refresh(&context()), None);
        for rule in [
            json!({"field": "created_at", "window": {"last": "P30D"}}),
            json!({"related": "interactions", "window": {"this": "quarter"}}),
            json!({"history": "lifecycle", "window": {"last": "P1D"}}),
        ] {
            assert!(dynamic(&rule).unwrap().next_refresh(&context()).is_some(), "{rule}");
        }
    }
}

//! Reads the nodes about what happened to a record: events, changes of a field, membership of a segment.

use super::events::events_of;
use super::literal::Raw;
use super::parse::{Parser, window_member};
use super::{Check, Comparison, EventPattern, FieldChange, Logged, Operand, Rule, Value};
use crate::kind::Kind;
use crate::registry::{Field, FieldType, Registry};
use serde_json::{Map, Value as Json};

/// When an event happened.
pub const LOGGED_AT: &Field = &Field::new("occurred_at", FieldType::Instant).required();
/// How often something happened.
const COUNT: &Field = &Field::new("count", FieldType::Integer).required();
const WINDOWS: &[&str] = &["last", "next", "this", "previous", "between"];

sql::text_enum! {
    /// How a field changed.
    pub enum ChangeOperator {
        /// To any other value.
        Changed = "changed",
        /// To this value.
        ChangedTo = "changed_to",
        /// From this value.
        ChangedFrom = "changed_from",
    }
}

impl Parser<'_> {
    /// `{"segment": "…"}`
    pub(super) fn member(&mut self, segment: &Json, registry: &Registry, at: &str) -> Option<Rule> {
        if registry.kind != Kind::Customer {
            return self.fault(at, "not_available", "only customers are members of segments");
        }
        match segment.as_str().and_then(|id| id.parse().ok()) {
            Some(id) => Some(Rule::Member(id)),
            None => self.fault(at, "invalid_type", "must be the id of a segment"),
        }
    }

    /// `{"event": "customer.updated", "where": …, "window": {…}, "count": {"op": "gte", "value": 3}}`
    pub(super) fn event(
        &mut self,
        node: &Map<String, Json>,
        registry: &'static Registry,
        at: &str,
        depth: usize,
    ) -> Option<Rule> {
        self.only(node, &["event", "where", "window", "count"], at);
        let pattern = node.get("event").and_then(Json::as_str).and_then(pattern);
        if pattern.is_none() {
            let message = "must be a kind of event such as customer.updated or customer.*";
            self.fault::<()>(format!("{at}/event"), "invalid_format", message);
        }
        let filter = match node.get("where") {
            Some(rule) => self
                .node(rule, events_of(registry.kind), &format!("{at}/where"), depth + 1)
                .map(|rule| Some(Box::new(rule))),
            None => Some(None),
        };
        let window = self.logged_window(node, at);
        let count = match node.get("count") {
            None => Some(at_least_once()),
            Some(Json::Object(count)) => self.count(count, &format!("{at}/count")),
            Some(_) => self.fault(
                format!("{at}/count"),
                "invalid_type",
                "must be an object of op and value",
            ),
        };
        Some(Rule::Logged(Logged {
            event: Some(pattern?),
            change: None,
            filter: filter?,
            window: window.ok()?,
            count: count?,
        }))
    }

    fn count(&mut self, count: &Map<String, Json>, at: &str) -> Option<Check> {
        self.only(count, &["op", "value"], at);
        let operator = self.operator(count, at)?;
        if !FieldType::Integer.operators().contains(&operator) {
            return self.fault(format!("{at}/op"), "operator_not_allowed", "does not go with a number");
        }
        let value = count.get("value").map(Raw::Json);
        self.reader()
            .check(COUNT, operator, value, None, &format!("{at}/value"))
    }

    /// `{"history": "lifecycle", "op": "changed_to", "value": "churned", "window": {…}}`
    pub(super) fn history(&mut self, node: &Map<String, Json>, registry: &'static Registry, at: &str) -> Option<Rule> {
        self.only(node, &["history", "op", "value", "window"], at);
        let name = node.get("history").and_then(Json::as_str);
        let field = name
            .and_then(|name| self.context.field(registry, name))
            .filter(|field| field.is_told());
        if field.is_none() {
            let message = format!("must be a field of {} whose changes are told", registry.plural);
            self.fault::<()>(format!("{at}/history"), "unknown_field", message);
        }
        let window = self.logged_window(node, at);
        let operator = match node
            .get("op")
            .map(|name| name.as_str().and_then(|name| name.parse().ok()))
        {
            None => Some(ChangeOperator::Changed),
            Some(Some(operator)) => Some(operator),
            Some(None) => {
                let message = format!("must be one of {}", ChangeOperator::TEXTS.join(", "));
                self.fault(format!("{at}/op"), "unknown_operator", message)
            }
        };
        let change = self.change(field?, operator?, node.get("value"), at)?;
        Some(Rule::Logged(Logged {
            event: None,
            change: Some(change),
            filter: None,
            window: window.ok()?,
            count: at_least_once(),
        }))
    }

    fn change(
        &mut self,
        field: &'static Field,
        operator: ChangeOperator,
        value: Option<&Json>,
        at: &str,
    ) -> Option<FieldChange> {
        let value_at = format!("{at}/value");
        if operator == ChangeOperator::Changed {
            if value.is_some() {
                return self.fault(value_at, "unknown_field", "goes with changed_to and changed_from");
            }
            return Some(FieldChange {
                field,
                from: None,
                to: None,
            });
        }
        if !matches!(
            field.field_type,
            FieldType::Text | FieldType::Choice(_) | FieldType::Id | FieldType::Date
        ) {
            let message = "of this field only changed can be asked";
            return self.fault(format!("{at}/op"), "operator_not_allowed", message);
        }
        let check = self
            .reader()
            .check(field, super::Operator::Eq, value.map(Raw::Json), None, &value_at)?;
        let text = match check {
            Check::Compare(_, Operand::Value(value)) => told_as(&value),
            Check::Between(first, _) => told_as(&first),
            _ => None,
        };
        let Some(text) = text else {
            return self.fault(value_at, "invalid_value", "must be one value of the field");
        };
        let (from, to) = match operator {
            ChangeOperator::ChangedFrom => (Some(text), None),
            _ => (None, Some(text)),
        };
        Some(FieldChange { field, from, to })
    }

    /// A fault is noted already.
    fn logged_window(&mut self, node: &Map<String, Json>, at: &str) -> Result<Option<Check>, ()> {
        let Some(window) = node.get("window") else {
            return Ok(None);
        };
        let at = format!("{at}/window");
        let (operator, value) = self.window(window, WINDOWS, &at).ok_or(())?;
        let value_at = format!("{at}/{}", window_member(operator));
        let check = self.reader().check(LOGGED_AT, operator, Some(value), None, &value_at);
        check.map(Some).ok_or(())
    }
}

/// A value as the JSON of the log has it.
fn told_as(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Id(id) => Some(id.to_string()),
        Value::Date(date) => Some(date.to_string()),
        _ => None,
    }
}

fn pattern(text: &str) -> Option<EventPattern> {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let (kind, what) = text.split_once('.')?;
    match what {
        _ if text.len() > 100 || !is_word(kind) => None,
        "*" => Some(EventPattern::StartingWith(format!("{kind}."))),
        what => is_word(what).then(|| EventPattern::Exactly(text.to_owned())),
    }
}

const fn at_least_once() -> Check {
    Check::Compare(Comparison::GreaterOrEqual, Operand::Value(Value::Integer(1)))
}

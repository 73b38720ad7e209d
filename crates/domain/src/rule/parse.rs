//! Reads a rule from JSON and checks it: every fault at once, each at its JSON Pointer.

use super::field::{Reader, Target, resolve};
use super::literal::Raw;
use super::{MOST_DEPTH, MOST_NODES, MOST_RELATED, Operator, Rule, RuleContext};
use crate::fault::Fault;
use crate::registry::Registry;
use serde_json::{Map, Value as Json};

/// Nodes that come with features of their own, which are not there yet.
const RESERVED: &[&str] = &["consent"];
/// Nodes that say something of records and not of events.
const BEYOND_EVENTS: &[&str] = &["related", "segment", "event", "history"];

pub(super) fn rule(json: &Json, registry: &'static Registry, context: &RuleContext) -> Result<Rule, Vec<Fault>> {
    read(Parser::new(context), json, registry)
}

pub(super) fn rule_of_past(
    json: &Json,
    registry: &'static Registry,
    context: &RuleContext,
) -> Result<Rule, Vec<Fault>> {
    let mut parser = Parser::new(context);
    parser.past = true;
    read(parser, json, registry)
}

fn read(mut parser: Parser<'_>, json: &Json, registry: &'static Registry) -> Result<Rule, Vec<Fault>> {
    match parser.node(json, registry, "", 1) {
        Some(rule) if parser.faults.is_empty() => Ok(rule),
        _ => Err(parser.faults),
    }
}

pub(super) struct Parser<'a> {
    pub(super) context: &'a RuleContext,
    pub(super) faults: Vec<Fault>,
    pub(super) values: usize,
    /// Whether the rule is asked of the past.
    pub(super) past: bool,
    nodes: usize,
    related: usize,
}

impl<'a> Parser<'a> {
    pub(super) const fn new(context: &'a RuleContext) -> Self {
        Self {
            context,
            faults: Vec::new(),
            values: 0,
            past: false,
            nodes: 0,
            related: 0,
        }
    }

    pub(super) fn fault<T>(&mut self, pointer: impl Into<String>, code: &str, message: impl Into<String>) -> Option<T> {
        self.faults.push(Fault::new(pointer, code, message));
        None
    }

    pub(super) const fn reader(&mut self) -> Reader<'_> {
        Reader {
            context: self.context,
            faults: &mut self.faults,
            values: &mut self.values,
            past: self.past,
        }
    }

    /// One node and all below it.
    pub(super) fn node(&mut self, json: &Json, registry: &'static Registry, at: &str, depth: usize) -> Option<Rule> {
        self.within_limits(at, depth)?;
        let Json::Object(node) = json else {
            return self.fault(at, "invalid_type", "must be an object");
        };
        if let Some(name) = RESERVED.iter().find(|name| node.contains_key(**name)) {
            return self.fault(format!("{at}/{name}"), "not_available", "is not available yet");
        }
        if let Some(rules) = node.get("all") {
            self.only(node, &["all"], at);
            return self.nodes(rules, registry, &format!("{at}/all"), depth).map(Rule::All);
        }
        if let Some(rules) = node.get("any") {
            self.only(node, &["any"], at);
            return self.nodes(rules, registry, &format!("{at}/any"), depth).map(Rule::Any);
        }
        if let Some(rule) = node.get("not") {
            self.only(node, &["not"], at);
            let rule = self.node(rule, registry, &format!("{at}/not"), depth + 1)?;
            return Some(Rule::Not(Box::new(rule)));
        }
        if registry.is_of_events()
            && let Some(name) = BEYOND_EVENTS.iter().find(|name| node.contains_key(**name))
        {
            let message = "only all, any, not and field can be said of an event";
            return self.fault(format!("{at}/{name}"), "not_allowed", message);
        }
        self.refuse_beyond_past(node, at)?;
        if ["related", "event", "history"]
            .iter()
            .any(|name| node.contains_key(*name))
        {
            self.related += 1;
            if self.related > MOST_RELATED {
                let message = format!("a rule may look at related records and events at most {MOST_RELATED} times");
                return self.fault(at, "too_many", message);
            }
        }
        if node.contains_key("related") {
            return self.related(node, registry, at, depth);
        }
        if let Some(segment) = node.get("segment") {
            self.only(node, &["segment"], at);
            return self.member(segment, registry, &format!("{at}/segment"));
        }
        if node.contains_key("event") {
            return self.event(node, registry, at, depth);
        }
        if node.contains_key("history") {
            return self.history(node, registry, at);
        }
        if node.contains_key("field") || node.contains_key("op") {
            return self.field(node, registry, at);
        }
        self.fault(
            at,
            "unknown_node",
            "must have one of all, any, not, field, related, event, history and segment",
        )
    }

    fn within_limits(&mut self, at: &str, depth: usize) -> Option<()> {
        self.nodes += 1;
        if depth > MOST_DEPTH {
            return self.fault(at, "too_deep", format!("rules may be nested {MOST_DEPTH} deep"));
        }
        if self.nodes == MOST_NODES + 1 {
            return self.fault(at, "too_many", format!("a rule may have at most {MOST_NODES} nodes"));
        }
        (self.nodes <= MOST_NODES).then_some(())
    }

    fn nodes(&mut self, json: &Json, registry: &'static Registry, at: &str, depth: usize) -> Option<Vec<Rule>> {
        let Json::Array(rules) = json else {
            return self.fault(at, "invalid_type", "must be a list of rules");
        };
        let rules = rules.iter().enumerate();
        let rules: Vec<_> = rules
            .map(|(index, rule)| self.node(rule, registry, &format!("{at}/{index}"), depth + 1))
            .collect();
        rules.into_iter().collect()
    }

    /// A fault for each member that does not belong there.
    pub(super) fn only(&mut self, node: &Map<String, Json>, members: &[&str], at: &str) {
        for name in node.keys().filter(|name| !members.contains(&name.as_str())) {
            let message = format!("is not known here; the members are {}", members.join(", "));
            self.faults
                .push(Fault::new(format!("{at}/{}", escaped(name)), "unknown_field", message));
        }
    }

    /// `{"field": …, "op": …, "value": …}` or `{"field": …, "window": {…}}`
    fn field(&mut self, node: &Map<String, Json>, registry: &'static Registry, at: &str) -> Option<Rule> {
        let has_window = node.contains_key("window");
        let members: &[&str] = if has_window {
            &["field", "window"]
        } else {
            &["field", "op", "value"]
        };
        self.only(node, members, at);
        let target = self.target(node, registry, at);
        if let Some(window) = node.get("window") {
            let window_at = format!("{at}/window");
            let (operator, value) =
                self.window(window, &["last", "next", "this", "previous", "between"], &window_at)?;
            let value_at = format!("{window_at}/{}", window_member(operator));
            return self
                .reader()
                .test(target?, operator, Some(value), registry, [&window_at, &value_at]);
        }
        let operator = self.operator(node, at);
        let value = node.get("value").map(Raw::Json);
        let pointers = [format!("{at}/op"), format!("{at}/value")];
        let (target, operator) = (target?, operator?);
        self.reader()
            .test(target, operator, value, registry, [&pointers[0], &pointers[1]])
    }

    fn target(&mut self, node: &Map<String, Json>, registry: &'static Registry, at: &str) -> Option<Target> {
        let field_at = format!("{at}/field");
        let Some(path) = node.get("field") else {
            if registry.is_of_events() {
                return self.fault(
                    field_at,
                    "required",
                    "is required: events have no text that is searched",
                );
            }
            return self.with_past(Target::Record(None), registry, &format!("{at}/op"));
        };
        let Some(path) = path.as_str() else {
            return self.fault(field_at, "invalid_type", "must be the name of a field");
        };
        match resolve(path, registry, self.context) {
            Some(target) => self.with_past(target, registry, &field_at),
            None => self.fault(
                field_at,
                "unknown_field",
                format!("is not a field of {}", registry.plural),
            ),
        }
    }

    pub(super) fn operator(&mut self, node: &Map<String, Json>, at: &str) -> Option<Operator> {
        let Some(name) = node.get("op") else {
            return Some(Operator::Eq);
        };
        let operator = name.as_str().and_then(|name| name.parse().ok());
        if operator.is_none() {
            let message = format!("must be one of {}", Operator::TEXTS.join(", "));
            return self.fault(format!("{at}/op"), "unknown_operator", message);
        }
        operator
    }

    /// `{"last": "P30D"}`, `{"this": "quarter"}`, `{"between": […]}`: one member of these.
    pub(super) fn window<'j>(&mut self, json: &'j Json, members: &[&str], at: &str) -> Option<(Operator, Raw<'j>)> {
        let Json::Object(window) = json else {
            return self.fault(at, "invalid_type", "must be an object such as {\"last\": \"P30D\"}");
        };
        self.only(window, members, at);
        let mut forms = window.iter().filter(|(name, _)| *name != "field");
        match (forms.next(), forms.next()) {
            (Some((name, value)), None) => name.parse().ok().map(|operator| (operator, Raw::Json(value))),
            _ => self.fault(
                at,
                "invalid_value",
                "must have one of last, next, this, previous and between",
            ),
        }
    }
}

/// The name under which an operator stands in a window.
pub(super) const fn window_member(operator: Operator) -> &'static str {
    operator.as_str()
}

/// A name as a part of a JSON Pointer (RFC 6901 section 3).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

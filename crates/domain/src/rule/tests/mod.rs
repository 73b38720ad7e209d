//! The rule language without a database: what is read, what is refused, and where.

mod events;
mod fields;
mod limits;
mod order;
mod past;
mod query;
mod related;
mod window;

use super::{Check, Rule, RuleContext, Value};
use crate::fault::Fault;
use crate::kind::Kind;
use chrono::NaiveDate;
use serde_json::Value as Json;
use sql::Timestamp;

/// A context in Berlin at an instant, with euros.
fn context(now: &str) -> RuleContext {
    context_in(now, chrono_tz::Europe::Berlin)
}

fn context_in(now: &str, zone: chrono_tz::Tz) -> RuleContext {
    RuleContext {
        now: instant(now),
        zone,
        currency: "EUR".parse().unwrap(),
        custom: std::sync::Arc::default(),
    }
}

fn saturday() -> RuleContext {
    context("2026-11-21T22:30:00Z")
}

fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn date(text: &str) -> Value {
    Value::Date(text.parse::<NaiveDate>().unwrap())
}

fn at(text: &str) -> Value {
    Value::Instant(instant(text))
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn parse(kind: Kind, json: &Json) -> Result<Rule, Vec<Fault>> {
    Rule::parse(json, kind, &saturday())
}

/// The check of a rule that is one test.
fn check(kind: Kind, json: &Json) -> Check {
    match parse(kind, json) {
        Ok(Rule::Test(test)) => test.check,
        other => panic!("{json} is not a test: {other:?}"),
    }
}

/// `pointer code` of each fault.
fn faults(kind: Kind, json: &Json) -> Vec<String> {
    let faults = parse(kind, json).expect_err("the rule should have faults");
    places(&faults)
}

fn places(faults: &[Fault]) -> Vec<String> {
    faults
        .iter()
        .map(|fault| format!("{} {}", fault.pointer, fault.code))
        .collect()
}

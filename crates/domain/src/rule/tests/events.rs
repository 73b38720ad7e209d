//! Rules about the events of a record.

use super::*;
use crate::registry::{FieldType, Side, Source};
use crate::rule::{Comparison, Logged, Operand, Test};
use serde_json::json;

fn where_of(filter: &Json) -> Rule {
    let json = json!({"event": "customer.updated", "where": filter});
    match parse(Kind::Customer, &json) {
        Ok(Rule::Logged(Logged {
            filter: Some(filter), ..
        })) => *filter,
        other => panic!("{json} is not read: {other:?}"),
    }
}

#[test]
fn a_field_before_or_after_has_the_type_of_the_field() {
    let Rule::Test(Test { field, check, .. }) = where_of(&json!({"field": "after.birth_date", "value": "2026-01-31"}))
    else {
        panic!("not a test");
    };
    assert_eq!(field.field_type, FieldType::Date);
    let of = Kind::Customer.registry().field("birth_date").unwrap();
    assert_eq!(field.source, Source::Change { side: Side::After, of });
    let day = Operand::Value(date("2026-01-31"));
    assert_eq!(check, Check::Compare(Comparison::Equal, day));
}

#[test]
fn all_the_sorts_of_nodes_that_an_event_takes_are_read() {
    where_of(&json!({"all": [
        {"any": [{"field": "actor.type", "value": "user"}, {"field": "actor.id", "op": "missing"}]},
        {"not": {"field": "occurred_at", "window": {"last": "P7D"}}},
        {"field": "version", "op": "gt", "value": 3},
        {"field": "kind", "op": "in", "value": ["customer.updated", "customer.merged"]},
        {"field": "after.organisation.annual_revenue", "op": "gt", "value": {"ref": "before.organisation.annual_revenue"}},
        {"field": "after.birth_date", "op": "lt", "value": {"ref": "before.birth_date", "offset": "P1D"}},
    ]}));
}

#[test]
fn each_fault_of_what_is_said_of_an_event_is_told() {
    let rule = json!({"event": "customer.*", "where": {"all": [
        {"field": "colour", "value": "red"},
        {"field": "after.lifecycle", "value": "asleep"},
        {"not": {"field": "before.name", "op": "near", "value": "x"}},
        {"any": [{"related": "opportunities"}, {"segment": "x"}, {"event": "customer.*"}, {"history": "name"}]},
        {"op": "search", "value": "x"},
        {"field": "after.organisation.employees", "op": "gt", "value": "many"},
        {"field": "owner.name", "value": "x"},
        {"field": "after.tags", "value": "x"},
        {"field": "lifecycle", "value": "lead"},
        {"field": "after.name", "value": {"ref": "name"}},
    ]}, "count": {"op": "gte", "value": "few"}});
    assert_eq!(
        faults(Kind::Customer, &rule),
        [
            "/where/all/0/field unknown_field",
            "/where/all/1/value not_a_choice",
            "/where/all/2/not/op unknown_operator",
            "/where/all/3/any/0/related not_allowed",
            "/where/all/3/any/1/segment not_allowed",
            "/where/all/3/any/2/event not_allowed",
            "/where/all/3/any/3/history not_allowed",
            "/where/all/4/field required",
            "/where/all/5/value invalid_type",
            "/where/all/6/field unknown_field",
            "/where/all/7/field unknown_field",
            "/where/all/8/field unknown_field",
            "/where/all/9/value unknown_field",
            "/count/value invalid_type",
        ]
    );
}

#[test]
fn events_of_related_records_have_the_fields_of_those() {
    let rule = |field: &str| {
        json!({"related": "opportunities", "where": {
            "event": "opportunity.*", "where": {"field": field, "op": "exists"},
        }})
    };
    assert!(parse(Kind::Customer, &rule("after.amount")).is_ok());
    assert_eq!(
        faults(Kind::Customer, &rule("after.lifecycle")),
        ["/where/where/field unknown_field"]
    );
}

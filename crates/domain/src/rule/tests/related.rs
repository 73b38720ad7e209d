use super::*;
use crate::rule::{Comparison, Function, Holds, Operand, Quantifier, Related};
use serde_json::json;

fn related(json: &Json) -> Related {
    match parse(Kind::Customer, json) {
        Ok(Rule::Related(related)) => related,
        other => panic!("{json}: {other:?}"),
    }
}

#[test]
fn quantifiers_are_read() {
    for (name, quantifier) in [
        ("any", Quantifier::Any),
        ("all", Quantifier::All),
        ("none", Quantifier::None),
    ] {
        let rule = related(&json!({
            "related": "opportunities", "where": {"field": "status", "value": "won"}, "quantifier": name,
        }));
        assert_eq!(rule.holds, Holds::Quantifier(quantifier));
        assert!(rule.filter.is_some() && rule.window.is_none());
    }
    assert_eq!(
        related(&json!({"related": "opportunities"})).holds,
        Holds::Quantifier(Quantifier::Any)
    );
}

#[test]
fn windows_are_on_creation_unless_they_name_a_field() {
    let rule = related(&json!({"related": "opportunities", "window": {"last": "P30D"}}));
    assert_eq!(rule.window.unwrap().field.name, "created_at");
    let rule = related(&json!({"related": "opportunities", "window": {"field": "closed_on", "this": "quarter"}}));
    let window = rule.window.unwrap();
    assert_eq!(window.field.name, "closed_on");
    assert_eq!(window.check, Check::Between(date("2026-10-01"), date("2026-12-31")));
}

#[test]
fn aggregates_are_read() {
    let aggregate = |json: Json| match related(&json).holds {
        Holds::Aggregate { function, check } => (function, check),
        other @ Holds::Quantifier(_) => panic!("{other:?}"),
    };
    let (function, check) = aggregate(json!({
        "related": "opportunities", "aggregate": {"fn": "sum", "field": "amount"}, "op": "gte", "value": "500.00",
    }));
    assert!(matches!(function, Function::Sum(field) if field.name == "amount"));
    assert!(matches!(
        check,
        Check::Compare(Comparison::GreaterOrEqual, Operand::Value(Value::Money(_)))
    ));
    let (function, check) = aggregate(json!({
        "related": "opportunities", "aggregate": {"fn": "count"}, "op": "between", "value": [1, 3],
    }));
    assert_eq!(function, Function::Count);
    assert_eq!(check, Check::Between(Value::Integer(1), Value::Integer(3)));
    let (function, check) = aggregate(json!({
        "related": "opportunities", "aggregate": {"fn": "avg", "field": "probability"}, "op": "gt", "value": 33.3,
    }));
    assert!(matches!(function, Function::Average(_, 10_000)));
    assert_eq!(
        check,
        Check::Compare(Comparison::Greater, Operand::Value(Value::Integer(333_000)))
    );
    let (function, _) = aggregate(json!({
        "related": "opportunities", "window": {"field": "closed_on"},
        "aggregate": {"fn": "last", "field": "status"}, "op": "in", "value": ["won"],
    }));
    assert!(matches!(function, Function::Last(field, by) if field.name == "status" && by.name == "closed_on"));
}

#[test]
fn days_since_the_last_are_a_day() {
    // It is already the 21st of November in Berlin, 23:30.
    let check = |op: &str, value: Json| {
        let rule = related(&json!({
            "related": "opportunities", "aggregate": {"fn": "days_since_last", "field": "closed_on"},
            "op": op, "value": value,
        }));
        match rule.holds {
            Holds::Aggregate {
                function: Function::Greatest(field),
                check,
            } if field.name == "closed_on" => check,
            other => panic!("{other:?}"),
        }
    };
    let compare = |comparison, day: &str| Check::Compare(comparison, Operand::Value(date(day)));
    assert_eq!(check("gte", json!(30)), compare(Comparison::LessOrEqual, "2026-10-22"));
    assert_eq!(check("gt", json!(30)), compare(Comparison::Less, "2026-10-22"));
    assert_eq!(check("lt", json!(30)), compare(Comparison::Greater, "2026-10-22"));
    assert_eq!(
        check("lte", json!(30)),
        compare(Comparison::GreaterOrEqual, "2026-10-22")
    );
    assert_eq!(
        check("eq", json!(0)),
        Check::Between(date("2026-11-21"), date("2026-11-21"))
    );
    assert_eq!(
        check("between", json!([10, 20])),
        Check::Between(date("2026-11-01"), date("2026-11-11"))
    );
    assert_eq!(check("missing", Json::Null), Check::Missing);
}

#[test]
fn faults_of_related_nodes_are_told() {
    let count = json!({"fn": "count"});
    let cases = [
        (json!({"related": "orders"}), "/related unknown_relation"),
        (
            json!({"related": "opportunities", "quantifier": "most"}),
            "/quantifier not_a_choice",
        ),
        (json!({"related": "opportunities", "op": "gt"}), "/op unknown_field"),
        (
            json!({"related": "opportunities", "aggregate": count, "quantifier": "any", "value": 1}),
            "/quantifier unknown_field",
        ),
        (
            json!({"related": "opportunities", "aggregate": count}),
            "/value required",
        ),
        (
            json!({"related": "opportunities", "aggregate": "count"}),
            "/aggregate invalid_type",
        ),
        (
            json!({"related": "opportunities", "aggregate": count, "value": "1"}),
            "/value invalid_type",
        ),
        (
            json!({"related": "opportunities", "aggregate": count, "op": "contains", "value": 1}),
            "/op operator_not_allowed",
        ),
        (
            json!({"related": "opportunities", "aggregate": {"fn": "median"}, "value": 1}),
            "/aggregate/fn not_a_choice",
        ),
        (
            json!({"related": "opportunities", "aggregate": {"fn": "sum"}, "value": 1}),
            "/aggregate/field invalid_value",
        ),
        (
            json!({"related": "opportunities", "aggregate": {"fn": "sum", "field": "name"}, "value": 1}),
            "/aggregate/field invalid_value",
        ),
        (
            json!({"related": "opportunities", "aggregate": {"fn": "sum", "field": "colour"}, "value": 1}),
            "/aggregate/field unknown_field",
        ),
        (
            json!({"related": "opportunities", "window": {"field": "name", "last": "P1D"}}),
            "/window/field unknown_field",
        ),
        (
            json!({"related": "opportunities", "window": {"last": "P1D", "next": "P1D"}}),
            "/window invalid_value",
        ),
        (
            json!({"related": "opportunities", "window": {"last": "soon"}}),
            "/window/last invalid_value",
        ),
        (
            json!({"related": "opportunities", "window": {"since": "P1D"}}),
            "/window/since unknown_field",
        ),
        (
            json!({"related": "opportunities", "aggregate": {"fn": "days_since_last"}, "value": -1}),
            "/value invalid_value",
        ),
    ];
    for (json, expected) in cases {
        assert_eq!(faults(Kind::Customer, &json), [expected], "{json}");
    }
}

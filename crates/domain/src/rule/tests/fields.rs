use super::*;
use crate::money::Money;
use crate::rule::{Comparison, Match, Operand, Operator, Quantifier};
use serde_json::json;

fn equal(value: Value) -> Check {
    Check::Compare(Comparison::Equal, Operand::Value(value))
}

fn euros(minor: i64) -> Value {
    Value::Money(Money::from_minor(minor, "EUR".parse().unwrap()))
}

#[test]
fn every_operator_reads_its_value() {
    use Kind::{Customer, Opportunity};
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let cases = [
        (Customer, json!({"field": "name", "value": "Acme"}), equal(text("Acme"))),
        (
            Customer,
            json!({"field": "name", "op": "ne", "value": "Acme"}),
            Check::Compare(Comparison::NotEqual, Operand::Value(text("Acme"))),
        ),
        (
            Opportunity,
            json!({"field": "amount", "op": "gt", "value": "500.00"}),
            Check::Compare(Comparison::Greater, Operand::Value(euros(50_000))),
        ),
        (
            Opportunity,
            json!({"field": "probability", "op": "gte", "value": 50}),
            Check::Compare(Comparison::GreaterOrEqual, Operand::Value(Value::Integer(50))),
        ),
        (
            Opportunity,
            json!({"field": "closed_on", "op": "lt", "value": "2026-01-31"}),
            Check::Compare(Comparison::Less, Operand::Value(date("2026-01-31"))),
        ),
        (
            Opportunity,
            json!({"field": "created_at", "op": "lte", "value": "2026-01-31T12:00:00+01:00"}),
            Check::Compare(Comparison::LessOrEqual, Operand::Value(at("2026-01-31T11:00:00Z"))),
        ),
        (
            Opportunity,
            json!({"field": "probability", "op": "between", "value": [10, 20]}),
            Check::Between(Value::Integer(10), Value::Integer(20)),
        ),
        (
            Opportunity,
            json!({"field": "status", "op": "in", "value": ["open", "won"]}),
            Check::In(vec![text("open"), text("won")]),
        ),
        (
            Opportunity,
            json!({"field": "customer_id", "op": "not_in", "value": [id]}),
            Check::NotIn(vec![Value::Id(id.parse().unwrap())]),
        ),
        (
            Customer,
            json!({"field": "name", "op": "contains", "value": "50%"}),
            Check::Like(Match::Contains, "50%".to_owned()),
        ),
        (
            Customer,
            json!({"field": "emails", "op": "starts_with", "value": "Ana@"}),
            Check::Like(Match::StartsWith, "ana@".to_owned()),
        ),
        (
            Customer,
            json!({"field": "organisation.legal_name", "op": "ends_with", "value": "GmbH"}),
            Check::Like(Match::EndsWith, "GmbH".to_owned()),
        ),
        (
            Customer,
            json!({"field": "emails", "value": "Ana@Acme.Example"}),
            Check::Has(Quantifier::Any, vec![text("ana@acme.example")]),
        ),
        (
            Customer,
            json!({"field": "tags", "op": "has_any", "value": ["a", "b"]}),
            Check::Has(Quantifier::Any, vec![text("a"), text("b")]),
        ),
        (
            Customer,
            json!({"field": "tags", "op": "has_all", "value": ["a"]}),
            Check::Has(Quantifier::All, vec![text("a")]),
        ),
        (
            Customer,
            json!({"field": "tags", "op": "has_none", "value": ["a"]}),
            Check::Has(Quantifier::None, vec![text("a")]),
        ),
        (Customer, json!({"field": "birth_date", "op": "exists"}), Check::Exists),
        (
            Customer,
            json!({"field": "birth_date", "op": "exists", "value": false}),
            Check::Missing,
        ),
        (
            Customer,
            json!({"field": "birth_date", "op": "missing"}),
            Check::Missing,
        ),
        (
            Kind::Product,
            json!({"field": "active", "value": true}),
            equal(Value::Bool(true)),
        ),
    ];
    for (kind, json, expected) in cases {
        assert_eq!(check(kind, &json), expected, "{json}");
    }
}

#[test]
fn money_is_read_in_three_forms() {
    let yen = Value::Money(Money::from_minor(500, "JPY".parse().unwrap()));
    let amount = |value| check(Kind::Opportunity, &json!({"field": "amount", "value": value}));
    assert_eq!(amount(json!("500.00")), equal(euros(50_000)));
    assert_eq!(amount(json!("500 JPY")), equal(yen.clone()));
    assert_eq!(amount(json!({"amount": "500", "currency": "JPY"})), equal(yen));
    for wrong in [
        json!(500),
        json!("500.001"),
        json!("5e2"),
        json!("500 XYZW"),
        json!({"amount": "1"}),
    ] {
        let faults = faults(Kind::Opportunity, &json!({"field": "amount", "value": wrong}));
        assert!(faults[0].starts_with("/value "), "{wrong}: {faults:?}");
    }
    let mixed = json!({"field": "amount", "op": "between", "value": ["1.00 EUR", "2.00 USD"]});
    assert_eq!(faults(Kind::Opportunity, &mixed), ["/value invalid_value"]);
}

#[test]
fn a_day_stands_for_all_its_instants() {
    // Berlin is an hour ahead of UTC in winter.
    let (first, last) = (at("2026-01-30T23:00:00Z"), at("2026-01-31T22:59:59.999999Z"));
    let created = |op: &str| {
        check(
            Kind::Customer,
            &json!({"field": "created_at", "op": op, "value": "2026-01-31"}),
        )
    };
    let compare = |comparison, value: &Value| Check::Compare(comparison, Operand::Value(value.clone()));
    assert_eq!(created("eq"), Check::Between(first.clone(), last.clone()));
    assert_eq!(created("ne"), Check::Outside(first.clone(), last.clone()));
    assert_eq!(created("gt"), compare(Comparison::Greater, &last));
    assert_eq!(created("gte"), compare(Comparison::GreaterOrEqual, &first));
    assert_eq!(created("lt"), compare(Comparison::Less, &first));
    assert_eq!(created("lte"), compare(Comparison::LessOrEqual, &last));
    let listed = json!({"field": "created_at", "op": "in", "value": ["2026-01-31"]});
    assert_eq!(faults(Kind::Customer, &listed), ["/value/0 invalid_value"]);
}

#[test]
fn values_may_be_other_fields() {
    let reference = json!({"field": "updated_at", "op": "gt", "value": {"ref": "created_at", "offset": "P1DT1H"}});
    match check(Kind::Customer, &reference) {
        Check::Compare(Comparison::Greater, Operand::Field { field, offset }) => {
            assert_eq!((field.name, offset), ("created_at", 25 * 3_600_000_000));
        }
        other => panic!("{other:?}"),
    }
    let days = json!({"field": "closed_on", "op": "lte", "value": {"ref": "expected_close_on", "offset": "-P1W"}});
    assert!(matches!(
        check(Kind::Opportunity, &days),
        Check::Compare(Comparison::LessOrEqual, Operand::Field { offset: -7, .. })
    ));
    let wrong = [
        (
            json!({"field": "closed_on", "op": "in", "value": {"ref": "opened_on"}}),
            "/value invalid_value",
        ),
        (
            json!({"field": "closed_on", "value": {"ref": "colour"}}),
            "/value unknown_field",
        ),
        (
            json!({"field": "closed_on", "value": {"ref": "created_at"}}),
            "/value not_comparable",
        ),
        (
            json!({"field": "closed_on", "value": {"ref": "opened_on", "offset": "P1M"}}),
            "/value invalid_value",
        ),
        (
            json!({"field": "closed_on", "value": {"ref": "opened_on", "offset": "PT1H"}}),
            "/value invalid_value",
        ),
        (
            json!({"field": "name", "value": {"ref": "status", "offset": "P1D"}}),
            "/value invalid_value",
        ),
        (
            json!({"field": "closed_on", "value": {"ref": "opened_on", "plus": 1}}),
            "/value unknown_field",
        ),
        (
            json!({"field": "customer.created_at", "value": {"ref": "created_at"}}),
            "/value invalid_value",
        ),
    ];
    for (json, expected) in wrong {
        assert_eq!(faults(Kind::Opportunity, &json), [expected], "{json}");
    }
}

#[test]
fn fields_are_found_one_hop_away() {
    let rule = parse(
        Kind::Opportunity,
        &json!({"field": "customer.organisation.employees", "op": "gte", "value": 10}),
    );
    let Ok(Rule::Test(test)) = rule else { panic!("{rule:?}") };
    assert_eq!(test.via.map(|relation| relation.name), Some("customer"));
    assert_eq!(test.field.name, "organisation.employees");
    let searched = parse(
        Kind::Opportunity,
        &json!({"field": "customer", "op": "search", "value": "acme"}),
    );
    assert!(matches!(searched, Ok(Rule::Found { via: Some(relation), .. }) if relation.name == "customer"));
    assert!(matches!(
        parse(Kind::Opportunity, &json!({"op": "search", "value": "acme"})),
        Ok(Rule::Found { via: None, .. })
    ));
    for unknown in [
        "customer.owner.name",
        "customer.",
        "opportunities.name",
        "colour",
        "",
        ".name",
    ] {
        let json = json!({"field": unknown, "value": "x"});
        assert_eq!(faults(Kind::Customer, &json), ["/field unknown_field"], "{unknown}");
    }
    assert_eq!(
        faults(Kind::Opportunity, &json!({"field": "customer", "value": "x"})),
        ["/op operator_not_allowed"]
    );
}

#[test]
fn a_search_of_a_field_asks_for_each_word() {
    let rule = parse(
        Kind::Customer,
        &json!({"field": "name", "op": "search", "value": " Acme  GmbH "}),
    );
    assert!(matches!(rule, Ok(Rule::All(words)) if words.len() == 2));
    let empty = json!({"field": "name", "op": "search", "value": " "});
    assert_eq!(faults(Kind::Customer, &empty), ["/value invalid_value"]);
}

#[test]
fn wrong_types_are_told_where_they_stand() {
    let cases = [
        (json!({"field": "name", "value": 5}), "/value invalid_type"),
        (json!({"field": "name"}), "/value required"),
        (json!({"field": "name", "value": null}), "/value invalid_type"),
        (json!({"field": "name", "value": "a\u{0}b"}), "/value invalid_value"),
        (json!({"field": "name", "value": "x".repeat(1001)}), "/value too_long"),
        (json!({"field": "probability", "value": "50"}), "/value invalid_type"),
        (json!({"field": "probability", "value": 0.5}), "/value invalid_type"),
        (
            json!({"field": "probability", "op": "exists", "value": "yes"}),
            "/value invalid_type",
        ),
        (
            json!({"field": "closed_on", "value": "2026-02-30"}),
            "/value invalid_value",
        ),
        (
            json!({"field": "closed_on", "value": "10000-01-01"}),
            "/value invalid_value",
        ),
        (json!({"field": "created_at", "value": "now"}), "/value invalid_value"),
        (json!({"field": "customer_id", "value": "acme"}), "/value invalid_value"),
        (json!({"field": "status", "value": "closed"}), "/value not_a_choice"),
        (
            json!({"field": "status", "op": "in", "value": "open"}),
            "/value invalid_type",
        ),
        (
            json!({"field": "status", "op": "in", "value": []}),
            "/value invalid_length",
        ),
        (
            json!({"field": "status", "op": "in", "value": ["open", "shut"]}),
            "/value/1 not_a_choice",
        ),
        (
            json!({"field": "probability", "op": "between", "value": [1]}),
            "/value invalid_value",
        ),
        (
            json!({"field": "status", "op": "gt", "value": "open"}),
            "/op operator_not_allowed",
        ),
        (
            json!({"field": "tags", "op": "ne", "value": "a"}),
            "/op operator_not_allowed",
        ),
        (
            json!({"field": "name", "op": "like", "value": "a"}),
            "/op unknown_operator",
        ),
        (json!({"field": 5, "value": "a"}), "/field invalid_type"),
        (
            json!({"field": "name", "value": "a", "case": true}),
            "/case unknown_field",
        ),
    ];
    for (json, expected) in cases {
        assert_eq!(faults(Kind::Opportunity, &json), [expected], "{json}");
    }
}

#[test]
fn each_type_takes_the_operators_that_it_lists() {
    let fields = Kind::ALL
        .iter()
        .flat_map(|kind| kind.registry().all_fields().map(|field| (*kind, field)));
    for (kind, field) in fields {
        for operator in Operator::ALL {
            let json = json!({"field": field.name, "op": operator, "value": []});
            let refused = parse(kind, &json)
                .err()
                .is_some_and(|faults| places(&faults) == ["/op operator_not_allowed"]);
            let listed = field.field_type.operators().contains(operator);
            assert_eq!(refused, !listed, "{json}");
        }
    }
}

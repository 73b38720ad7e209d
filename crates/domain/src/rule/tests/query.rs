use super::*;
use crate::rule::query::{filters, sort};
use crate::rule::{Operand, Quantifier};
use serde_json::json;

fn read(kind: Kind, pairs: &[(&str, &str)]) -> Result<Option<Rule>, Vec<Fault>> {
    filters(pairs.iter().copied(), kind, &saturday())
}

/// The rule of JSON that a filter is the same as.
fn same(kind: Kind, name: &str, value: &str, json: &Json) {
    let filter = read(kind, &[(name, value)]).unwrap().unwrap();
    assert_eq!(filter, parse(kind, json).unwrap(), "{name}={value}");
}

#[test]
fn filters_read_into_the_same_tree_as_json() {
    use Kind::{Customer, Opportunity, Product};
    same(
        Opportunity,
        "filter[status]",
        "open",
        &json!({"field": "status", "value": "open"}),
    );
    same(
        Opportunity,
        "filter[created_at][gte]",
        "2026-01-01",
        &json!({"field": "created_at", "op": "gte", "value": "2026-01-01"}),
    );
    same(
        Opportunity,
        "filter[customer.country]",
        "ID",
        &json!({"field": "customer.country", "value": "ID"}),
    );
    same(
        Opportunity,
        "filter[probability]",
        "50",
        &json!({"field": "probability", "value": 50}),
    );
    same(
        Opportunity,
        "filter[amount][lt]",
        "5 USD",
        &json!({"field": "amount", "op": "lt", "value": "5 USD"}),
    );
    same(
        Product,
        "filter[active]",
        "false",
        &json!({"field": "active", "value": false}),
    );
    same(
        Opportunity,
        "filter[status][in]",
        "open,won",
        &json!({"field": "status", "op": "in", "value": ["open", "won"]}),
    );
    same(
        Customer,
        "filter[birth_date][exists]",
        "",
        &json!({"field": "birth_date", "op": "exists"}),
    );
    same(
        Customer,
        "filter[birth_date][exists]",
        "false",
        &json!({"field": "birth_date", "op": "missing"}),
    );
    same(
        Customer,
        "filter[created_at][last]",
        "P30D",
        &json!({"field": "created_at", "window": {"last": "P30D"}}),
    );
    same(
        Opportunity,
        "filter[closed_on][this]",
        "quarter",
        &json!({"field": "closed_on", "window": {"this": "quarter"}}),
    );
    same(
        Opportunity,
        "filter[customer][search]",
        "acme",
        &json!({"field": "customer", "op": "search", "value": "acme"}),
    );
}

#[test]
fn a_backslash_keeps_a_comma() {
    let rule = read(Kind::Customer, &[("filter[tags][has_any]", r"a\,b,c\\,d")]).unwrap();
    let Some(Rule::Test(test)) = rule else {
        panic!("{rule:?}")
    };
    let expected = vec![text("a,b"), text(r"c\"), text("d")];
    assert_eq!(test.check, Check::Has(Quantifier::Any, expected));
    // A single value is taken as it is.
    let rule = read(Kind::Customer, &[("filter[name]", r"Acme, Inc\.")]).unwrap();
    let Some(Rule::Test(test)) = rule else {
        panic!("{rule:?}")
    };
    assert!(matches!(test.check, Check::Compare(_, Operand::Value(value)) if value == text(r"Acme, Inc\.")));
}

#[test]
fn several_filters_must_all_hold() {
    assert_eq!(read(Kind::Customer, &[]), Ok(None));
    let rule = read(
        Kind::Customer,
        &[("filter[name]", "a"), ("filter[created_at][gte]", "2026-01-01")],
    );
    assert!(matches!(rule, Ok(Some(Rule::All(rules))) if rules.len() == 2));
}

#[test]
fn faults_name_their_parameter() {
    let pairs = [
        ("filter[colour]", "red"),
        ("filter[lifecycle]", "gone"),
        ("filter[name][above]", "a"),
        ("filter[name][has_any]", "a"),
        ("filter[lifecycle][in]", "lead,gone"),
        ("filter", "a"),
        ("filter[name]x", "a"),
        ("filter[name][eq][x]", "a"),
        ("filter[]", "a"),
        ("filter[birth_date][between]", "2026-01-01"),
    ];
    let expected = [
        "?filter[colour] unknown_field",
        "?filter[lifecycle] not_a_choice",
        "?filter[name][above] unknown_operator",
        "?filter[name][has_any] operator_not_allowed",
        "?filter[lifecycle][in] not_a_choice",
        "?filter malformed",
        "?filter[name]x malformed",
        "?filter[name][eq][x] malformed",
        "?filter[] malformed",
        "?filter[birth_date][between] invalid_value",
    ];
    assert_eq!(places(&read(Kind::Customer, &pairs).unwrap_err()), expected);
}

#[test]
fn sort_ends_with_the_id() {
    let names = |text: &str| {
        let keys = sort(text, Kind::Customer, &saturday()).unwrap();
        keys.iter()
            .map(|key| format!("{}{}", if key.descending { "-" } else { "" }, key.field.name))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(""), ["id"]);
    assert_eq!(names("name"), ["name", "id"]);
    assert_eq!(names("-created_at,name"), ["-created_at", "name", "id"]);
    assert_eq!(names("name,-created_at"), ["name", "-created_at", "-id"]);
    assert_eq!(names("-id"), ["-id"]);
    let refused = |text: &str| places(&sort(text, Kind::Customer, &saturday()).unwrap_err());
    assert_eq!(refused("colour,tags"), ["?sort not_sortable", "?sort not_sortable"]);
    assert_eq!(refused("name,-name"), ["?sort duplicate"]);
    assert_eq!(refused("name,created_at,updated_at,birth_date"), ["?sort too_many"]);
}

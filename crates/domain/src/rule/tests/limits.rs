use super::*;
use serde_json::json;

fn named() -> Json {
    json!({"field": "name", "value": "a"})
}

#[test]
fn trees_are_read() {
    let rule = parse(
        Kind::Customer,
        &json!({"all": [named(), {"any": [named(), {"not": named()}]}, {"all": []}]}),
    );
    let Ok(Rule::All(rules)) = rule else { panic!("{rule:?}") };
    assert!(matches!(&rules[1], Rule::Any(any) if matches!(any[1], Rule::Not(_))));
    assert_eq!(rules[2], Rule::All(Vec::new()));
}

#[test]
fn five_faults_have_five_places() {
    let json = json!({"all": [
        {"field": "colour", "value": "red"},
        {"any": [{"field": "lifecycle", "value": "gone"}, {"not": {"field": "name", "op": "under", "value": "a"}}]},
        {"field": "birth_date", "op": "between", "value": ["2026-01-01", "later"]},
        {"related": "opportunities", "where": {"field": "status", "value": 1}},
    ]});
    assert_eq!(
        faults(Kind::Customer, &json),
        [
            "/all/0/field unknown_field",
            "/all/1/any/0/value not_a_choice",
            "/all/1/any/1/not/op unknown_operator",
            "/all/2/value/1 invalid_value",
            "/all/3/where/value invalid_type",
        ]
    );
}

#[test]
fn malformed_nodes_are_told() {
    let cases = [
        (json!([]), " invalid_type"),
        (json!("name"), " invalid_type"),
        (json!({}), " unknown_node"),
        (json!({"value": 1}), " unknown_node"),
        (json!({"all": {}}), "/all invalid_type"),
        (json!({"any": [1]}), "/any/0 invalid_type"),
        (json!({"not": []}), "/not invalid_type"),
        (json!({"all": [], "any": []}), "/any unknown_field"),
        (json!({"not": named(), "a/b~c": 1}), "/a~1b~0c unknown_field"),
        (json!({"event": "Campaign clicked"}), "/event invalid_format"),
        (json!({"event": "customer.*", "count": 3}), "/count invalid_type"),
        (
            json!({"event": "customer.*", "count": {"op": "contains", "value": 1}}),
            "/count/op operator_not_allowed",
        ),
        (
            json!({"event": "customer.*", "window": {"last": "long"}}),
            "/window/last invalid_value",
        ),
        (json!({"all": [{"history": "stage"}]}), "/all/0/history unknown_field"),
        (json!({"history": "call_count"}), "/history unknown_field"),
        (json!({"history": "name", "op": "rose"}), "/op unknown_operator"),
        (json!({"history": "name", "value": "A"}), "/value unknown_field"),
        (json!({"history": "birth_date", "op": "changed_to"}), "/value required"),
        (
            json!({"history": "lifecycle", "op": "changed_to", "value": "x"}),
            "/value not_a_choice",
        ),
        (json!({"consent": {}}), "/consent not_available"),
        (json!({"not": {"segment": "x"}}), "/not/segment invalid_type"),
    ];
    for (json, expected) in cases {
        assert_eq!(faults(Kind::Customer, &json), [expected], "{json}");
    }
}

#[test]
fn depth_is_limited() {
    let nested = |depth: usize| (1..depth).fold(named(), |rule, _| json!({"not": rule}));
    assert!(parse(Kind::Customer, &nested(8)).is_ok());
    assert_eq!(
        faults(Kind::Customer, &nested(9)),
        [format!("{} too_deep", "/not".repeat(8))]
    );
}

#[test]
fn nodes_are_limited() {
    let many = |count: usize| json!({"all": vec![named(); count]});
    assert!(parse(Kind::Customer, &many(199)).is_ok());
    assert_eq!(faults(Kind::Customer, &many(200)), ["/all/199 too_many"]);
    assert_eq!(faults(Kind::Customer, &many(300)), ["/all/199 too_many"]);
}

#[test]
fn related_nodes_are_limited() {
    let many = |count: usize| json!({"all": vec![json!({"related": "opportunities"}); count]});
    assert!(parse(Kind::Customer, &many(10)).is_ok());
    assert_eq!(faults(Kind::Customer, &many(11)), ["/all/10 too_many"]);
}

#[test]
fn values_of_lists_are_limited_together() {
    let list = |count: usize| json!({"field": "name", "op": "in", "value": vec!["a"; count]});
    assert!(parse(Kind::Customer, &list(1000)).is_ok());
    assert_eq!(
        faults(Kind::Customer, &json!({"any": [list(600), list(600)]})),
        ["/any/1/value invalid_length"]
    );
}

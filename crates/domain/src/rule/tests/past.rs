//! What a rule may ask of the past.

use super::*;
use serde_json::json;

fn past_faults(json: &Json) -> Vec<String> {
    let faults = Rule::parse_past(json, Kind::Customer, &saturday()).expect_err("the rule should have faults");
    places(&faults)
}

#[test]
fn fields_whose_changes_are_told_are_known() {
    for name in [
        "id",
        "created_at",
        "created_by",
        "lifecycle",
        "owner_id",
        "organisation.annual_revenue",
        "owner.name",
    ] {
        let rule = json!({"field": name, "op": "exists"});
        assert!(Rule::parse_past(&rule, Kind::Customer, &saturday()).is_ok(), "{name}");
    }
}

#[test]
fn windows_count_from_the_instant() {
    let rule = json!({"field": "birth_date", "window": {"last": "P1D"}});
    let then = context("2020-05-05T12:00:00Z");
    let Ok(Rule::Test(test)) = Rule::parse_past(&rule, Kind::Customer, &then) else {
        panic!("not a test");
    };
    assert_eq!(test.check, Check::Between(date("2020-05-04"), date("2020-05-05")));
}

#[test]
fn each_thing_that_is_not_known_is_told() {
    let rule = json!({"all": [
        {"field": "version", "value": 1},
        {"field": "updated_at", "op": "exists"},
        {"field": "tags", "value": "a"},
        {"field": "call_count", "value": 1},
        {"not": {"related": "opportunities", "where": {"field": "colour", "value": "red"}}},
        {"segment": "01890a5d-ac96-774b-bcce-b302099a8057"},
        {"op": "search", "value": "a"},
        {"field": "owner", "op": "search", "value": "a"},
        {"field": "owner.version", "value": 1},
        {"field": "created_at", "value": {"ref": "updated_at"}},
        {"event": "customer.*", "where": {"field": "version", "value": 1}},
    ]});
    assert_eq!(
        past_faults(&rule),
        [
            "/all/0/field no_history",
            "/all/1/field no_history",
            "/all/2/field no_history",
            "/all/3/field no_history",
            "/all/4/not/related no_history",
            "/all/5/segment no_history",
            "/all/6/op no_history",
            "/all/7/field no_history",
            "/all/8/field no_history",
            "/all/9/value no_history",
        ]
    );
}

#[test]
fn references_that_a_merge_moves_are_not_known() {
    let rule = json!({"field": "customer_id", "op": "exists"});
    let faults = Rule::parse_past(&rule, Kind::Ticket, &saturday()).unwrap_err();
    assert_eq!(places(&faults), ["/field no_history"]);
}

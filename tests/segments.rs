//! Segments: who is in, why, and when that changes.

use crate::harness::{Tenant, eventually, id_of};
use serde_json::{Value, json};
use uuid::Uuid;

async fn customer(tenant: &Tenant, name: &str, lifecycle: &str) -> String {
    let body = json!({"kind": "organisation", "name": name, "lifecycle": lifecycle});
    id_of(&tenant.create("customers", body).await)
}

async fn segment(tenant: &Tenant, kind: &str, rule: Value) -> String {
    let mut body = json!({"name": "Segment", "kind": kind});
    if rule != Value::Null {
        body["rule"] = rule;
    }
    id_of(&tenant.create("segments", body).await)
}

async fn members(tenant: &Tenant, segment: &str) -> Vec<String> {
    let members = tenant.all(&format!("/v1/segments/{segment}/members")).await;
    members.iter().map(id_of).collect()
}

async fn expect_members(tenant: &Tenant, segment: &str, expected: &[&String]) {
    let mut expected: Vec<String> = expected.iter().map(|id| (*id).clone()).collect();
    expected.sort();
    let what = format!("a segment of {expected:?}");
    eventually(&what, async || {
        (members(tenant, segment).await == expected).then_some(())
    })
    .await;
}

/// The events of a segment, as `entered` or `left` and the customer.
async fn moves(tenant: &Tenant, segment: &str) -> Vec<(String, String)> {
    let events = tenant.changes_of("segment.*").await;
    let of_segment = events.iter().filter_map(|event| {
        let change = &event["changes"]["segment_id"];
        let told = [&change["before"], &change["after"]]
            .into_iter()
            .any(|id| *id == segment);
        let what = event["kind"].as_str()?.strip_prefix("segment.")?;
        told.then(|| {
            (
                what.to_owned(),
                event["subject"]["id"].as_str().unwrap_or_default().to_owned(),
            )
        })
    });
    of_segment.collect()
}

#[tokio::test]
async fn customers_enter_and_leave_a_dynamic_segment_once_as_they_change() {
    let tenant = Tenant::new();
    let first = customer(&tenant, "First", "lead").await;
    let segment = segment(&tenant, "dynamic", json!({"field": "lifecycle", "value": "lead"})).await;
    expect_members(&tenant, &segment, &[&first]).await;

    let second = customer(&tenant, "Second", "lead").await;
    expect_members(&tenant, &segment, &[&first, &second]).await;
    let path = format!("/v1/customers/{first}");
    tenant.patch(&path, &json!({"lifecycle": "prospect"})).await.expect(200);
    expect_members(&tenant, &segment, &[&second]).await;
    tenant
        .patch(&path, &json!({"name": "Still a prospect"}))
        .await
        .expect(200);
    tenant.delete(&format!("/v1/customers/{second}")).await.expect(204);
    expect_members(&tenant, &segment, &[]).await;

    let entered = |id: &String| ("entered".to_owned(), id.clone());
    let left = |id: &String| ("left".to_owned(), id.clone());
    let all = [entered(&first), entered(&second), left(&first), left(&second)];
    eventually("the last one to leave", async || {
        (moves(&tenant, &segment).await.len() == all.len()).then_some(())
    })
    .await;
    assert_eq!(moves(&tenant, &segment).await, all);
}

#[tokio::test]
async fn what_happens_to_related_records_counts_too() {
    let tenant = Tenant::new();
    let [ada, bob] = [
        customer(&tenant, "Ada", "lead").await,
        customer(&tenant, "Bob", "lead").await,
    ];
    let talked = segment(
        &tenant,
        "dynamic",
        json!({"related": "interactions", "where": {"field": "channel", "value": "call"},
               "aggregate": {"fn": "count"}, "op": "gte", "value": 2}),
    )
    .await;
    let call =
        |customer: &str| json!({"channel": "call", "customer_id": customer, "started_at": "2026-01-31T09:30:00Z"});
    let first = tenant.create("interactions", call(&ada)).await;
    tenant.create("interactions", call(&ada)).await;
    tenant.create("interactions", call(&bob)).await;
    expect_members(&tenant, &talked, &[&ada]).await;

    let path = format!("/v1/interactions/{}", id_of(&first));
    tenant.patch(&path, &json!({"customer_id": bob})).await.expect(200);
    expect_members(&tenant, &talked, &[&bob]).await;
    tenant.delete(&path).await.expect(204);
    expect_members(&tenant, &talked, &[]).await;
}

#[tokio::test]
async fn a_snapshot_stays_as_it_was_until_it_is_taken_anew() {
    let tenant = Tenant::new();
    let first = customer(&tenant, "First", "lead").await;
    let snapshot = segment(&tenant, "snapshot", json!({"field": "lifecycle", "value": "lead"})).await;
    expect_members(&tenant, &snapshot, &[&first]).await;
    let follower = segment(&tenant, "dynamic", json!({"field": "lifecycle", "value": "lead"})).await;
    let second = customer(&tenant, "Second", "lead").await;
    expect_members(&tenant, &follower, &[&first, &second]).await;
    assert_eq!(members(&tenant, &snapshot).await, std::slice::from_ref(&first));

    tenant
        .post(&format!("/v1/segments/{snapshot}/refresh"), &json!({}))
        .await
        .expect(204);
    expect_members(&tenant, &snapshot, &[&first, &second]).await;
}

#[tokio::test]
async fn members_of_a_static_segment_are_added_and_removed() {
    let tenant = Tenant::new();
    let [ada, bob] = [
        customer(&tenant, "Ada", "lead").await,
        customer(&tenant, "Bob", "lead").await,
    ];
    let picked = segment(&tenant, "static", Value::Null).await;
    let path = format!("/v1/segments/{picked}/members");
    let both = tenant.post(&path, &json!({"add": [ada, bob, ada]})).await.expect(200);
    assert_eq!(both.body, json!({"entered": 2, "left": 0}));
    let again = tenant
        .post(&path, &json!({"add": [ada], "remove": [bob]}))
        .await
        .expect(200);
    assert_eq!(again.body, json!({"entered": 0, "left": 1}));
    assert_eq!(members(&tenant, &picked).await, std::slice::from_ref(&ada));
    assert_eq!(moves(&tenant, &picked).await.len(), 3);

    let strangers = json!({"add": [ada, Uuid::nil()]});
    tenant
        .post(&path, &strangers)
        .await
        .expect_faults(422, &["/add/1 unknown_reference"]);
    let many: Vec<_> = (0..1001).map(|_| Uuid::nil()).collect();
    tenant
        .post(&path, &json!({"remove": many}))
        .await
        .expect_faults(422, &["/remove invalid_length"]);
    let dynamic = segment(&tenant, "dynamic", json!({"field": "name", "value": "x"})).await;
    tenant
        .post(&format!("/v1/segments/{dynamic}/members"), &json!({"add": [ada]}))
        .await
        .expect_problem(409, "not_static");
}

#[tokio::test]
async fn segments_name_each_other_but_never_in_a_circle() {
    let tenant = Tenant::new();
    let [ada, bob] = [
        customer(&tenant, "Ada", "lead").await,
        customer(&tenant, "Bob", "lead").await,
    ];
    let picked = segment(&tenant, "static", Value::Null).await;
    let rest = json!({"all": [{"field": "lifecycle", "value": "lead"}, {"not": {"segment": picked}}]});
    let others = segment(&tenant, "dynamic", rest).await;
    expect_members(&tenant, &others, &[&ada, &bob]).await;
    let path = format!("/v1/segments/{picked}/members");
    tenant.post(&path, &json!({"add": [ada]})).await.expect(200);
    expect_members(&tenant, &others, &[&bob]).await;

    let outer = segment(&tenant, "dynamic", json!({"any": [{"segment": others}]})).await;
    expect_members(&tenant, &outer, &[&bob]).await;
    for (rule, fault) in [
        (json!({"segment": outer}), "/rule/segment circle"),
        (json!({"segment": others}), "/rule/segment circle"),
        (json!({"segment": Uuid::nil()}), "/rule/segment unknown_reference"),
        (json!({"segment": "by name"}), "/rule/segment invalid_type"),
    ] {
        let change = json!({"rule": rule});
        tenant
            .patch(&format!("/v1/segments/{others}"), &change)
            .await
            .expect_faults(422, &[fault]);
    }
    let found = tenant
        .post("/v1/customers/search", &json!({"rule": {"segment": picked}}))
        .await
        .expect(200);
    assert_eq!(found.data().len(), 1);
}

#[tokio::test]
async fn a_preview_counts_and_shows_who_passes() {
    let tenant = Tenant::new();
    for number in 0..5 {
        customer(&tenant, &format!("Lead {number}"), "lead").await;
    }
    customer(&tenant, "Other", "prospect").await;
    let body = json!({"rule": {"field": "lifecycle", "value": "lead"}, "sample": 2});
    let preview = tenant.post("/v1/segments/preview", &body).await.expect(200).body;
    assert_eq!(preview["count"], 5);
    assert_eq!(preview["sample"][1]["name"], "Lead 1");
    assert!(preview["duration_ms"].is_u64());

    let wrong = json!({"rule": {"all": [
        {"field": "colour", "value": "red"},
        {"field": "lifecycle", "value": "asleep"},
        {"any": [{"field": "name", "op": "near", "value": "x"}, {"related": "orders"}]},
        {"history": "lifecycle", "op": "changed_to"},
    ]}});
    tenant.post("/v1/segments/preview", &wrong).await.expect_faults(
        422,
        &[
            "/rule/all/0/field unknown_field",
            "/rule/all/1/value not_a_choice",
            "/rule/all/2/any/0/op unknown_operator",
            "/rule/all/2/any/1/related unknown_relation",
            "/rule/all/3/value required",
        ],
    );
}

#[tokio::test]
async fn what_happened_to_a_customer_can_be_asked_for() {
    let tenant = Tenant::new();
    let [ada, bob] = [
        customer(&tenant, "Ada", "lead").await,
        customer(&tenant, "Bob", "lead").await,
    ];
    let patch = async |id: &str, body: Value| tenant.patch(&format!("/v1/customers/{id}"), &body).await.expect(200);
    patch(
        &ada,
        json!({"lifecycle": "prospect", "organisation": {"industry": "Mining"}}),
    )
    .await;
    patch(&ada, json!({"name": "Ada Ltd"})).await;
    patch(&bob, json!({"name": "Bob Ltd"})).await;

    let found = async |rule: Value| {
        let body = json!({"rule": rule});
        let found = tenant.post("/v1/customers/search", &body).await.expect(200);
        found.data().iter().map(id_of).collect::<Vec<_>>()
    };
    let only_ada = std::slice::from_ref(&ada);
    assert_eq!(found(json!({"history": "lifecycle"})).await, only_ada);
    assert_eq!(
        found(json!({"history": "lifecycle", "op": "changed_to", "value": "prospect"})).await,
        only_ada
    );
    assert_eq!(
        found(json!({"history": "lifecycle", "op": "changed_from", "value": "prospect"})).await,
        [""; 0]
    );
    let industry = json!({"history": "organisation.industry", "op": "changed_to", "value": "Mining"});
    assert_eq!(found(industry).await, only_ada);
    assert_eq!(found(json!({"history": "name"})).await, [ada.clone(), bob.clone()]);
    assert_eq!(
        found(json!({"history": "name", "window": {"previous": "year"}})).await,
        [""; 0]
    );
    let twice = json!({"event": "customer.updated", "window": {"last": "P1D"}, "count": {"op": "gte", "value": 2}});
    assert_eq!(found(twice).await, only_ada);
    let never = json!({"event": "customer.*", "count": {"value": 2}});
    assert_eq!(found(never).await, std::slice::from_ref(&bob));
    assert_eq!(found(json!({"not": {"event": "customer.updated"}})).await, [""; 0]);
}

#[tokio::test]
async fn a_rule_says_which_events_it_means() {
    let tenant = Tenant::new();
    let tier = json!({"resource": "customer", "key": "tier", "name": "Tier", "type": "choice", "options": [
        {"value": "gold", "name": "Gold"}, {"value": "blue", "name": "Blue"}]});
    tenant.create("custom_fields", tier).await;
    let limit = json!({"resource": "customer", "key": "credit", "name": "Credit", "type": "number"});
    tenant.create("custom_fields", limit).await;
    let [ada, bob] = [
        customer(&tenant, "Ada", "lead").await,
        customer(&tenant, "Bob", "lead").await,
    ];
    let patch = async |id: &str, body: Value| tenant.patch(&format!("/v1/customers/{id}"), &body).await.expect(200);
    let revenue = |amount: &str| json!({"annual_revenue": {"amount": amount, "currency": "EUR"}, "industry": "Mining"});
    patch(
        &ada,
        json!({"lifecycle": "prospect", "birth_date": null, "organisation": revenue("100.00")}),
    )
    .await;
    patch(
        &ada,
        json!({"organisation": revenue("250.50"), "custom": {"credit": 10.5}}),
    )
    .await;
    patch(&ada, json!({"custom": {"tier": "gold", "credit": 20}})).await;
    patch(
        &bob,
        json!({"organisation": revenue("90.00"), "custom": {"tier": "blue"}}),
    )
    .await;
    patch(&bob, json!({"organisation": revenue("80.00")})).await;
    patch(&bob, json!({"name": "Bob Ltd"})).await;

    let found = async |rule: Value| {
        let body = json!({"rule": rule});
        let found = tenant.post("/v1/customers/search", &body).await.expect(200);
        found.data().iter().map(id_of).collect::<Vec<_>>()
    };
    let updated = |filter: Value| json!({"event": "customer.updated", "where": filter});
    let (only_ada, only_bob) = (std::slice::from_ref(&ada), std::slice::from_ref(&bob));
    let both = [ada.clone(), bob.clone()];
    let moved = json!({"all": [{"field": "before.lifecycle", "value": "lead"}, {"field": "after.lifecycle", "value": "prospect"}]});
    assert_eq!(found(updated(moved)).await, only_ada);
    let grew = json!({"field": "after.organisation.annual_revenue", "op": "gt",
                      "value": {"ref": "before.organisation.annual_revenue"}});
    assert_eq!(found(updated(grew)).await, only_ada);
    let above = json!({"field": "after.organisation.annual_revenue", "op": "gte", "value": "250.50"});
    assert_eq!(found(updated(above)).await, only_ada);
    // The industry was set once and stands in every change of the organisation since.
    let mining = json!({"field": "after.organisation.industry", "value": "Mining"});
    let twice = json!({"event": "customer.*", "where": mining, "count": {"op": "gte", "value": 2}});
    assert_eq!(found(updated(mining)).await, both);
    assert_eq!(found(twice).await, [""; 0]);
    assert_eq!(
        found(updated(json!({"field": "after.custom.tier", "value": "blue"}))).await,
        only_bob
    );
    let raised = json!({"all": [{"field": "before.custom.credit", "value": 10.5}, {"field": "after.custom.credit", "op": "gt", "value": 19.9999}]});
    assert_eq!(found(updated(raised)).await, only_ada);
    let late = json!({"all": [{"field": "version", "op": "gte", "value": 4}, {"field": "after.name", "op": "contains", "value": "ltd"}]});
    assert_eq!(found(updated(late)).await, only_bob);
    let by_program = json!({"field": "actor.type", "value": "service_account"});
    let by_person = json!({"not": by_program});
    let everyones = [found(updated(by_program)).await, found(updated(by_person)).await];
    assert!(everyones.contains(&both.to_vec()) && everyones.contains(&Vec::new()));
    let recent = json!({"field": "occurred_at", "op": "last", "value": "PT1H"});
    assert_eq!(found(updated(recent)).await, both);

    let wrong = json!({"rule": updated(json!({"all": [
        {"field": "after.custom.tier", "value": "red"},
        {"field": "after.tags", "value": "a"},
        {"any": [{"related": "opportunities"}, {"field": "before.lifecycle", "op": "gt", "value": "lead"}]},
        {"field": "before.custom.credit", "value": "much"},
    ]}))});
    tenant.post("/v1/segments/preview", &wrong).await.expect_faults(
        422,
        &[
            "/rule/where/all/0/value not_a_choice",
            "/rule/where/all/1/field unknown_field",
            "/rule/where/all/2/any/0/related not_allowed",
            "/rule/where/all/2/any/1/op operator_not_allowed",
            "/rule/where/all/3/value invalid_value",
        ],
    );
}

#[tokio::test]
async fn what_events_tell_of_an_older_field_of_the_same_key_is_no_fault() {
    let tenant = Tenant::new();
    let ada = customer(&tenant, "Ada", "lead").await;
    let field = |value_type: &str| json!({"resource": "customer", "key": "code", "name": "Code", "type": value_type});
    for (value_type, value) in [("text", "2026-99-99"), ("text", "x"), ("number", "5")] {
        let made = tenant.create("custom_fields", field(value_type)).await;
        let value = value.parse().map_or(json!(value), |number: i64| json!(number));
        let path = format!("/v1/customers/{ada}");
        tenant
            .patch(&path, &json!({"custom": {"code": value}}))
            .await
            .expect(200);
        tenant
            .patch(&path, &json!({"custom": {"code": null}}))
            .await
            .expect(200);
        let path = format!("/v1/custom_fields/{}?purge=true", id_of(&made));
        tenant.delete(&path).await.expect(204);
    }
    let of_type = [
        ("number", json!({"op": "gte", "value": 1}), 1),
        ("date", json!({"op": "gte", "value": "0001-01-01"}), 0),
        ("bool", json!({"value": true}), 0),
        ("money", json!({"op": "gte", "value": "1.00"}), 0),
        ("text", json!({"op": "in", "value": ["x", "5"]}), 1),
        ("date", json!({"op": "lt", "value": "9999-12-31"}), 0),
    ];
    for (value_type, mut rule, expected) in of_type {
        let made = tenant.create("custom_fields", field(value_type)).await;
        rule["field"] = json!("after.custom.code");
        let body = json!({"rule": {"event": "customer.updated", "where": rule}});
        let found = tenant.post("/v1/customers/search", &body).await.expect(200);
        assert_eq!(found.data().len(), expected, "{value_type}");
        let path = format!("/v1/custom_fields/{}?purge=true", id_of(&made));
        tenant.delete(&path).await.expect(204);
    }
}

#[tokio::test]
async fn a_dynamic_segment_and_its_explanation_know_which_events_are_meant() {
    let tenant = Tenant::new();
    let [ada, bob] = [
        customer(&tenant, "Ada", "lead").await,
        customer(&tenant, "Bob", "lead").await,
    ];
    let rule = json!({"event": "customer.updated", "where": {"field": "after.lifecycle", "value": "prospect"}});
    let won_over = segment(&tenant, "dynamic", rule).await;
    expect_members(&tenant, &won_over, &[]).await;
    let path = |id: &str| format!("/v1/customers/{id}");
    tenant
        .patch(&path(&ada), &json!({"lifecycle": "prospect"}))
        .await
        .expect(200);
    tenant.patch(&path(&bob), &json!({"name": "Bob Ltd"})).await.expect(200);
    expect_members(&tenant, &won_over, &[&ada]).await;
    for (id, holds, seen) in [(&ada, true, 1), (&bob, false, 0)] {
        let told = tenant
            .post(&format!("/v1/segments/{won_over}/explain"), &json!({"customer_id": id}))
            .await
            .expect(200)
            .body;
        assert_eq!(told["holds"], holds);
        assert_eq!(told["rule"]["seen"], seen);
    }
}

#[tokio::test]
async fn an_explanation_tells_each_verdict_and_the_value_seen() {
    let tenant = Tenant::new();
    let ada = customer(&tenant, "Ada", "lead").await;
    for amount in ["100.00", "250.50"] {
        let mut deal = tenant.example("opportunities").await;
        deal["customer_id"] = json!(ada);
        deal["amount"] = json!({"amount": amount, "currency": "EUR"});
        tenant.create("opportunities", deal).await;
    }
    let rule = json!({"all": [
        {"field": "lifecycle", "value": "lead"},
        {"any": [{"field": "name", "op": "contains", "value": "x"}, {"not": {"field": "tags", "value": "vip"}}]},
        {"related": "opportunities", "aggregate": {"fn": "sum", "field": "amount"}, "op": "gte", "value": "500.00"},
        {"related": "opportunities", "aggregate": {"fn": "count"}, "op": "gte", "value": 2},
        {"field": "interaction_count", "value": 0},
        {"event": "customer.created"},
    ]});
    let segment = segment(&tenant, "dynamic", rule).await;
    let told = tenant
        .post(&format!("/v1/segments/{segment}/explain"), &json!({"customer_id": ada}))
        .await
        .expect(200)
        .body;
    assert_eq!(told["member"], false);
    assert_eq!(told["holds"], false);
    let nodes = told["rule"]["all"].as_array().unwrap();
    let verdicts: Vec<_> = nodes.iter().map(|node| node["holds"].as_bool().unwrap()).collect();
    assert_eq!(verdicts, [true, true, false, true, true, true]);
    assert_eq!(nodes[0]["seen"], "lead");
    assert_eq!(nodes[1]["any"][0]["holds"], false);
    assert_eq!(nodes[1]["any"][1]["not"]["seen"], json!([]));
    assert_eq!(nodes[2]["seen"], json!({"amount": "350.50", "currency": "EUR"}));
    assert_eq!(nodes[3]["seen"], 2);
    assert_eq!(nodes[4]["seen"], 0);
    assert_eq!(nodes[5]["seen"], 1);

    let stranger = Tenant::new();
    let theirs = customer(&stranger, "Eve", "lead").await;
    tenant
        .post(
            &format!("/v1/segments/{segment}/explain"),
            &json!({"customer_id": theirs}),
        )
        .await
        .expect_faults(422, &["/customer_id unknown_reference"]);
}

#[tokio::test]
async fn the_rule_of_a_segment_can_change_and_its_kind_cannot() {
    let tenant = Tenant::new();
    let [ada, bob] = [
        customer(&tenant, "Ada", "lead").await,
        customer(&tenant, "Bob", "prospect").await,
    ];
    let segment = segment(&tenant, "dynamic", json!({"field": "lifecycle", "value": "lead"})).await;
    expect_members(&tenant, &segment, &[&ada]).await;
    let path = format!("/v1/segments/{segment}");
    let other = json!({"rule": {"field": "lifecycle", "value": "prospect"}});
    tenant.patch(&path, &other).await.expect(200);
    expect_members(&tenant, &segment, &[&bob]).await;
    tenant
        .patch(&path, &json!({"kind": "snapshot"}))
        .await
        .expect_faults(422, &["/kind not_changeable"]);
    tenant
        .patch(&path, &json!({"rule": null}))
        .await
        .expect_faults(422, &["/rule required"]);

    tenant
        .delete(&format!("/v1/customers/{bob}?purge=true"))
        .await
        .expect(204);
    expect_members(&tenant, &segment, &[]).await;
    tenant.delete(&format!("{path}?purge=true")).await.expect(204);
}

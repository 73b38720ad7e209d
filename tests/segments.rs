//! Segments: who is in, why, and when that changes.

mod happened;

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

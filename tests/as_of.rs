//! Rules that are answered as they would have been at an instant of the past.

use crate::harness::{Database, PASSWORD, Send, Server, Settings, Tenant, eventually, id_of};
use reqwest::Method;
use serde_json::{Value, json};

async fn customer(tenant: &Tenant, body: Value) -> Value {
    let mut whole = json!({"kind": "person", "name": "Ada"});
    for (name, value) in body.as_object().unwrap() {
        whole[name] = value.clone();
    }
    tenant.create("customers", whole).await
}

/// Changes a customer, and says when.
async fn change(tenant: &Tenant, id: &str, body: Value) -> String {
    let changed = tenant.patch(&format!("/v1/customers/{id}"), &body).await.expect(200);
    changed.body["updated_at"].as_str().unwrap().to_owned()
}

async fn count(tenant: &Tenant, as_of: &str, rule: Value) -> Value {
    let body = json!({"rule": rule, "as_of": as_of});
    tenant.post("/v1/segments/preview", &body).await.expect(200).body["count"].clone()
}

#[tokio::test]
async fn a_field_has_the_value_that_it_had() {
    let tenant = Tenant::new();
    for (key, value_type) in [
        ("level", "number"),
        ("code", "text"),
        ("limit", "money"),
        ("seen", "date"),
        ("vip", "bool"),
    ] {
        let field = json!({"resource": "customer", "key": key, "name": key, "type": value_type});
        tenant.create("custom_fields", field).await;
    }
    let bob = tenant.create("users", json!({"name": "Bob", "role": "agent"})).await;
    let eve = tenant.create("users", json!({"name": "Eve", "role": "agent"})).await;
    let before = json!({"lifecycle": "lead", "birth_date": "1990-02-03", "language": "de", "owner_id": id_of(&bob),
        "organisation": {"employees": 10, "annual_revenue": {"amount": "100.00", "currency": "EUR"}, "industry": "Mining"},
        "custom": {"level": 1.5, "code": "a", "limit": {"amount": "5.00", "currency": "EUR"}, "seen": "2026-01-31", "vip": true}});
    let made = customer(&tenant, before).await;
    let (id, first) = (id_of(&made), made["updated_at"].as_str().unwrap().to_owned());
    let after = json!({"lifecycle": "prospect", "birth_date": null, "language": null, "owner_id": id_of(&eve), "name": "Ada L",
        "organisation": {"employees": 20, "annual_revenue": {"amount": "90.00", "currency": "USD"}},
        "custom": {"level": 2, "code": null, "limit": {"amount": "7.00", "currency": "EUR"}, "seen": "2026-02-01", "vip": false}});
    let second = change(&tenant, &id, after).await;
    change(
        &tenant,
        &id,
        json!({"lifecycle": "lead", "custom": {"level": 9, "code": "z"}}),
    )
    .await;
    tenant
        .patch(&format!("/v1/users/{}", id_of(&eve)), &json!({"name": "Eva"}))
        .await
        .expect(200);

    let cases = [
        (json!({"field": "name", "value": "Ada"}), 1, 0),
        (json!({"field": "lifecycle", "value": "lead"}), 1, 0),
        (json!({"not": {"field": "lifecycle", "value": "lead"}}), 0, 1),
        (json!({"field": "birth_date", "value": "1990-02-03"}), 1, 0),
        (json!({"field": "birth_date", "op": "missing"}), 0, 1),
        (
            json!({"not": {"field": "language", "op": "starts_with", "value": "D"}}),
            0,
            1,
        ),
        (json!({"field": "owner_id", "value": id_of(&bob)}), 1, 0),
        (json!({"field": "owner.name", "op": "in", "value": ["Eve"]}), 0, 1),
        (
            json!({"not": {"field": "owner.name", "op": "in", "value": ["Bob", "Eva"]}}),
            0,
            1,
        ),
        (
            json!({"field": "organisation.employees", "op": "gt", "value": 10}),
            0,
            1,
        ),
        (json!({"field": "organisation.industry", "value": "Mining"}), 1, 1),
        (
            json!({"field": "organisation.annual_revenue", "op": "gte", "value": "90.00"}),
            1,
            0,
        ),
        (
            json!({"field": "organisation.annual_revenue", "op": "gte", "value": "90.00 USD"}),
            0,
            1,
        ),
        (
            json!({"field": "custom.level", "op": "between", "value": [1.5, 1.9999]}),
            1,
            0,
        ),
        (json!({"field": "custom.code", "op": "missing"}), 0, 1),
        (json!({"field": "custom.limit", "op": "lt", "value": "7.00"}), 1, 0),
        (json!({"field": "custom.seen", "op": "gt", "value": "2026-01-31"}), 0, 1),
        (json!({"field": "custom.vip", "value": true}), 1, 0),
        (json!({"history": "lifecycle"}), 0, 1),
        (json!({"event": "customer.*", "count": {"value": 1}}), 1, 0),
        (
            json!({"event": "customer.*", "where": {"field": "after.lifecycle", "value": "prospect"}}),
            0,
            1,
        ),
        (json!({"field": "created_at", "window": {"last": "PT0S"}}), 1, 0),
    ];
    for (rule, at_first, at_second) in cases {
        assert_eq!(count(&tenant, &first, rule.clone()).await, at_first, "{rule} at first");
        assert_eq!(count(&tenant, &second, rule.clone()).await, at_second, "{rule} later");
    }
}

#[tokio::test]
async fn those_that_were_there_count_whatever_became_of_them() {
    let tenant = Tenant::new();
    let named = async |name: &str| customer(&tenant, json!({"name": name})).await;
    let oldest = named("First").await;
    let [kept, deleted, merged, purged] = [
        named("Kept").await,
        named("Deleted").await,
        named("Merged").await,
        named("Purged").await,
    ];
    let then = purged["updated_at"].as_str().unwrap().to_owned();
    let path = |record: &Value| format!("/v1/customers/{}", id_of(record));
    tenant.delete(&path(&deleted)).await.expect(204);
    tenant
        .delete(&format!("{}?purge=true", path(&purged)))
        .await
        .expect(204);
    let merge = format!("{}/merge", path(&kept));
    tenant.post(&merge, &json!({"from": id_of(&merged)})).await.expect(200);
    let meanwhile = change(&tenant, &id_of(&oldest), json!({"name": "Meanwhile"})).await;
    let restore = format!("{}/restore", path(&deleted));
    tenant.request(Method::POST, &restore).answer().await.expect(200);
    named("Later").await;

    let all = json!({"all": []});
    // What was purged has left nothing but the bare fact.
    assert_eq!(count(&tenant, &then, all.clone()).await, 4);
    assert_eq!(count(&tenant, &meanwhile, all.clone()).await, 2);
    assert_eq!(
        count(&tenant, oldest["updated_at"].as_str().unwrap(), all.clone()).await,
        1
    );
    let body = json!({"rule": {"field": "name", "op": "in", "value": ["First", "Merged", "Kept"]}, "as_of": then});
    let told = tenant.post("/v1/segments/preview", &body).await.expect(200).body;
    assert_eq!(told["count"], 3);
    let shown: Vec<_> = told["sample"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(shown, ["Meanwhile", "Kept"], "as they are, and only those that are");
}

#[tokio::test]
async fn what_is_not_known_of_the_past_is_refused_all_at_once() {
    let tenant = Tenant::new();
    let reference =
        json!({"resource": "customer", "key": "partner", "name": "Partner", "type": "reference", "target": "customer"});
    tenant.create("custom_fields", reference).await;
    let made = customer(&tenant, json!({})).await;
    let rule = json!({"all": [
        {"field": "tags", "value": "vip"},
        {"field": "country", "op": "in", "value": ["ID"]},
        {"field": "interaction_count", "op": "gt", "value": 3},
        {"field": "updated_at", "window": {"last": "P7D"}},
        {"any": [{"related": "opportunities"}, {"segment": id_of(&made)}, {"op": "search", "value": "ada"}]},
        {"field": "created_at", "op": "lt", "value": {"ref": "updated_at"}},
        {"field": "owner.updated_at", "op": "exists"},
        {"field": "custom.partner", "op": "exists"},
        {"field": "lifecycle", "value": "asleep"},
        {"history": "lifecycle"},
    ]});
    let body = json!({"rule": rule, "as_of": "2999-01-01T00:00:00Z"});
    tenant.post("/v1/segments/preview", &body).await.expect_faults(
        422,
        &[
            "/as_of out_of_range",
            "/rule/all/0/field no_history",
            "/rule/all/1/field no_history",
            "/rule/all/2/field no_history",
            "/rule/all/3/field no_history",
            "/rule/all/4/any/0/related no_history",
            "/rule/all/4/any/1/segment no_history",
            "/rule/all/4/any/2/op no_history",
            "/rule/all/5/value no_history",
            "/rule/all/6/field no_history",
            "/rule/all/7/field no_history",
            "/rule/all/8/value not_a_choice",
        ],
    );
    let body = json!({"rule": {"all": []}, "as_of": "1999-01-01T00:00:00Z"});
    let early = tenant.post("/v1/segments/preview", &body).await;
    early.expect_faults(422, &["/as_of history_not_kept"]);
}

#[tokio::test]
async fn an_explanation_tells_what_a_rule_saw_then() {
    let tenant = Tenant::new();
    let revenue = json!({"annual_revenue": {"amount": "100.00", "currency": "EUR"}});
    let made = customer(&tenant, json!({"organisation": revenue})).await;
    let (id, then) = (id_of(&made), &made["updated_at"]);
    let rule = json!({"all": [
        {"field": "lifecycle", "value": "lead"},
        {"field": "organisation.annual_revenue", "op": "gt", "value": "50.00"},
        {"not": {"event": "customer.updated"}},
    ]});
    let segment = json!({"name": "Then", "kind": "dynamic", "rule": rule});
    let path = format!(
        "/v1/segments/{}/explain",
        id_of(&tenant.create("segments", segment).await)
    );
    change(
        &tenant,
        &id,
        json!({"lifecycle": "prospect", "organisation": {"annual_revenue": null}}),
    )
    .await;

    let now = tenant.post(&path, &json!({"customer_id": id})).await.expect(200).body;
    assert_eq!(now["holds"], false);
    let told = tenant
        .post(&path, &json!({"customer_id": id, "as_of": then}))
        .await
        .expect(200)
        .body;
    assert_eq!(told["holds"], true);
    let nodes = &told["rule"]["all"];
    assert_eq!(nodes[0]["seen"], "lead");
    assert_eq!(nodes[1]["seen"], json!({"amount": "100.00", "currency": "EUR"}));
    assert_eq!(nodes[2]["not"]["seen"], 0);

    let late = id_of(&customer(&tenant, json!({"name": "Late"})).await);
    let absent = tenant.post(&path, &json!({"customer_id": late, "as_of": then})).await;
    absent.expect_faults(422, &["/as_of out_of_range"]);
    let by_hand = json!({"name": "By hand", "kind": "static"});
    let by_hand = format!(
        "/v1/segments/{}/explain",
        id_of(&tenant.create("segments", by_hand).await)
    );
    let refused = tenant.post(&by_hand, &json!({"customer_id": id, "as_of": then})).await;
    refused.expect_faults(422, &["/as_of not_allowed"]);
}

#[tokio::test]
async fn the_past_begins_with_the_oldest_event_that_is_kept() {
    let server = Server::start(Settings::new());
    let tenant = Tenant::on(&server);
    let made = customer(&tenant, json!({})).await;
    let then = change(&tenant, &id_of(&made), json!({"name": "Ada L"})).await;
    let settings = server.kill();
    Database::age_events(&settings.database_url, "true");
    let server = Server::start(settings.with("RAPPORT_EVENT_RETENTION_DAYS", "1"));
    let tenant = tenant.at(&server);
    let body = json!({"rule": {"field": "name", "value": "Ada L"}, "as_of": then});
    let refused = eventually("trimming", async || {
        Some(tenant.post("/v1/segments/preview", &body).await).filter(|answer| answer.status != 200)
    })
    .await;
    refused.expect_faults(422, &["/as_of history_not_kept"]);
    let now = change(&tenant, &id_of(&made), json!({"lifecycle": "prospect"})).await;
    change(&tenant, &id_of(&made), json!({"name": "Ada Lovelace"})).await;
    assert_eq!(
        count(&tenant, &now, json!({"field": "name", "value": "Ada L"})).await,
        1
    );
}

#[tokio::test]
async fn who_may_see_a_customer_is_said_by_the_rules_of_today() {
    let tenant = Tenant::new();
    let me = tenant.user("carl", "agent").await;
    tenant
        .patch(&format!("/v1/users/{}", id_of(&me)), &json!({"record_rule": "own"}))
        .await
        .expect(200);
    let carl = tenant.as_logged_in(&tenant.login("carl", PASSWORD).await);
    let theirs = customer(&tenant, json!({"name": "Theirs"})).await;
    let own = customer(&tenant, json!({"name": "Own"})).await;
    let then = own["updated_at"].as_str().unwrap().to_owned();
    change(&tenant, &id_of(&own), json!({"owner_id": id_of(&me)})).await;
    assert_eq!(count(&tenant, &then, json!({"all": []})).await, 2);
    assert_eq!(
        count(&carl, &then, json!({"field": "owner_id", "op": "missing"})).await,
        1
    );
    assert_eq!(
        count(&carl, &then, json!({"field": "id", "value": id_of(&theirs)})).await,
        0
    );
}

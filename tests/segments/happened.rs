//! Rules about what happened to a customer: which events they mean, and what these tell of its fields.

use super::{customer, expect_members, segment};
use crate::harness::{Tenant, id_of};
use serde_json::{Value, json};

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

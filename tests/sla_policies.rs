//! By when tickets are to be answered and solved: which policy is chosen, and what is wrong with one.

use crate::harness::{Tenant, id_of};
use crate::ticket_clocks::{policy, seconds};
use crate::tickets::{now, open, path_of};
use serde_json::json;

#[tokio::test]
async fn a_policy_is_chosen_by_its_conditions_in_order() {
    let tenant = Tenant::new();
    policy(&tenant, json!({})).await;
    let urgent = policy(
        &tenant,
        json!({
            "name": "Loyal and urgent", "position": 1,
            "conditions": [
                {"field": "priority", "op": "in", "value": ["high", "urgent"]},
                {"field": "customer.lifecycle", "value": "loyal"},
            ],
            "targets": {"resolution": {"minutes": 60}},
        }),
    )
    .await;
    let ada = tenant
        .create(
            "customers",
            json!({"kind": "person", "name": "Ada", "lifecycle": "loyal"}),
        )
        .await;
    let ticket = open(&tenant, json!({"customer_id": ada["id"]})).await;
    assert_eq!(
        seconds(&ticket["resolution_due_at"]) - seconds(&ticket["created_at"]),
        600 * 60
    );
    assert_eq!(
        seconds(&ticket["response_due_at"]) - seconds(&ticket["created_at"]),
        60 * 60
    );
    assert_eq!(ticket["due_at"], ticket["response_due_at"]);
    assert_eq!((&ticket["breached"], &ticket["version"]), (&json!(false), &json!(1)));

    let pressing = tenant
        .patch(&path_of(&ticket), &json!({"priority": "urgent"}))
        .await
        .expect(200)
        .body;
    assert_eq!(
        (&pressing["sla_policy_id"], &pressing["version"]),
        (&json!(urgent), &json!(2))
    );
    assert_eq!(seconds(&pressing["due_at"]) - seconds(&ticket["created_at"]), 60 * 60);
    assert_eq!(
        pressing["response_due_at"],
        json!(null),
        "this policy promises no answer"
    );
    assert_eq!(now(&tenant, &ticket).await, pressing);
    let found = tenant
        .get(&format!("/v1/tickets?filter[sla_policy_id]={urgent}&sort=due_at"))
        .await
        .expect(200);
    assert_eq!(found.ids(), [id_of(&ticket)]);

    tenant
        .patch(&format!("/v1/sla_policies/{urgent}"), &json!({"active": false}))
        .await
        .expect(200);
    let calm = tenant
        .patch(&path_of(&ticket), &json!({"priority": "high"}))
        .await
        .expect(200)
        .body;
    assert_ne!(calm["sla_policy_id"], json!(urgent));
    let free = Tenant::new();
    assert_eq!(
        open(&free, json!({})).await["due_at"],
        json!(null),
        "nothing was promised"
    );
}

#[tokio::test]
async fn every_fault_of_a_policy_is_pointed_at() {
    let tenant = Tenant::new();
    let body = json!({
        "name": "", "position": -1, "business_hours_id": "0199aaaa-0000-7000-8000-000000000000",
        "conditions": [
            {"field": "priority", "value": "extreme"},
            {"any": [{"field": "colour", "value": "red"}, {"field": "customer.lifecycle", "op": "near", "value": "loyal"}]},
        ],
        "targets": {"first_response": {"minutes": 0}, "resolution": {"minutes": 60, "warning_minutes": 60}},
    });
    let told = tenant.post("/v1/sla_policies", &body).await.expect(422).faults();
    for pointer in [
        "/name ",
        "/position ",
        "/conditions/0/value ",
        "/conditions/1/any/0/field ",
        "/conditions/1/any/1/op ",
        "/targets/first_response/minutes ",
        "/targets/resolution/warning_minutes ",
    ] {
        assert!(
            told.iter().any(|fault| fault.starts_with(pointer)),
            "{pointer}: {told:?}"
        );
    }
    let nothing = json!({"name": "x", "position": 1, "targets": {}});
    tenant
        .post("/v1/sla_policies", &nothing)
        .await
        .expect_faults(422, &["/targets required"]);
    let nowhere = json!({"name": "x", "position": 1, "targets": {"resolution": {"minutes": 5}},
                         "business_hours_id": "0199aaaa-0000-7000-8000-000000000000"});
    let faults = ["/business_hours_id unknown_reference"];
    tenant
        .post("/v1/sla_policies", &nowhere)
        .await
        .expect_faults(422, &faults);

    let hours = json!({"name": "", "time_zone": "Europe/Berlin", "openings": [
        {"day": "monday", "from": "09:00", "to": "12:00"},
        {"day": "monday", "from": "14:00", "to": "13:30"},
        {"day": "monday", "from": "11:30", "to": "13:00"},
    ], "holidays": ["2026-12-25", "2026-12-25"]});
    let faults = [
        "/name invalid_length",
        "/openings/1/to out_of_range",
        "/openings/2 overlapping",
        "/holidays/1 duplicate",
    ];
    tenant
        .post("/v1/business_hours", &hours)
        .await
        .expect_faults(422, &faults);
    let never = json!({"name": "Never", "time_zone": "Mars/Olympus", "openings": []});
    let told = tenant.post("/v1/business_hours", &never).await.expect(422).faults();
    assert!(told.iter().any(|fault| fault.starts_with("/time_zone ")), "{told:?}");
}

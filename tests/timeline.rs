//! The timeline of a customer: its records and the log in one order, page by page, each thing told once.

use crate::harness::{PASSWORD, Server, Tenant, id_of};
use crate::pipelines::Pipeline;
use crate::tickets::open;
use serde_json::{Value, json};

async fn customer(tenant: &Tenant, name: &str) -> String {
    let body = json!({"kind": "organisation", "name": name});
    id_of(&tenant.create("customers", body).await)
}

async fn entries(tenant: &Tenant, of: &str, parameters: &str) -> Vec<Value> {
    tenant.all(&format!("/v1/customers/{of}/timeline{parameters}")).await
}

fn told(entries: &[Value]) -> Vec<&str> {
    entries.iter().filter_map(|entry| entry["event"].as_str()).collect()
}

async fn call(tenant: &Tenant, customer: &str, at: &str) -> String {
    let body = json!({"channel": "call", "subject": "Question", "started_at": at, "customer_id": customer});
    id_of(&tenant.create("interactions", body).await)
}

/// A customer about whom everything that a timeline tells has happened.
async fn eventful(tenant: &Tenant) -> String {
    let acme = customer(tenant, "Acme").await;
    let path = format!("/v1/customers/{acme}");
    call(tenant, &acme, "2026-01-01T10:00:00Z").await;
    let reason = json!({"stage": "customer", "reason": "First order"});
    tenant.post(&format!("{path}/lifecycle"), &reason).await.expect(200);
    tenant.patch(&path, &json!({"tags": ["gold"]})).await.expect(200);
    let pipeline = Pipeline::new(tenant, "Direct").await;
    let deal = id_of(
        &pipeline
            .opportunity(tenant, json!({"customer_id": acme, "name": "Roof"}))
            .await,
    );
    let deal = format!("/v1/opportunities/{deal}");
    let stage = json!({"stage_id": pipeline.engaging});
    tenant.post(&format!("{deal}/stage"), &stage).await.expect(200);
    tenant.post(&format!("{deal}/win"), &json!({})).await.expect(200);
    let ticket = open(tenant, json!({"customer_id": acme, "subject": "Leak"})).await;
    let solved = json!({"status": "solved"});
    tenant
        .patch(&format!("/v1/tickets/{}", id_of(&ticket)), &solved)
        .await
        .expect(200);
    let note = json!({"subject": {"type": "customer", "id": acme}, "body": "Pays late"});
    tenant.create("notes", note).await;
    let task = json!({"subject": "Call", "customer_id": acme, "status": "done"});
    tenant.create("tasks", task).await;
    tenant
        .create("tasks", json!({"subject": "Open", "customer_id": acme}))
        .await;
    let segment = tenant
        .create("segments", json!({"name": "Gold", "kind": "static"}))
        .await;
    let members = format!("/v1/segments/{}/members", id_of(&segment));
    tenant.post(&members, &json!({"add": [acme]})).await.expect(200);
    tenant.post(&members, &json!({"remove": [acme]})).await.expect(200);
    let meet = json!({"subject": "Demo", "starts_at": "2190-01-01T10:00:00Z", "ends_at": "2190-01-01T11:00:00Z",
                      "customer_id": acme});
    tenant.create("appointments", meet).await;
    acme
}

const EVERYTHING: &[&str] = &[
    "appointment.started",
    "segment.left",
    "segment.entered",
    "task.completed",
    "note.created",
    "ticket.solved",
    "ticket.created",
    "opportunity.won",
    "opportunity.moved",
    "opportunity.created",
    "customer.updated",
    "customer.lifecycle_changed",
    "customer.created",
    "interaction.started",
];

#[tokio::test]
async fn everything_is_told_once_the_latest_first() {
    let tenant = Tenant::new();
    let acme = eventful(&tenant).await;
    let bystander = customer(&tenant, "Bystander").await;
    let all = entries(&tenant, &acme, "").await;
    assert_eq!(told(&all), EVERYTHING);
    assert_eq!(told(&entries(&tenant, &bystander, "").await), ["customer.created"]);

    let of = |event: &str| all.iter().find(|entry| entry["event"] == event).unwrap();
    let moved = of("customer.lifecycle_changed");
    assert_eq!(
        moved["data"],
        json!({"from_stage": "lead", "to_stage": "customer", "reason": "First order"})
    );
    assert_eq!(of("customer.updated")["data"]["tags"]["after"], json!(["gold"]));
    assert_eq!(
        (&of("segment.left")["title"], &of("segment.left")["kind"]),
        (&json!("Gold"), &json!("segment"))
    );
    assert_eq!(of("segment.left")["subject"], json!({"type": "customer", "id": acme}));
    assert_eq!(
        (&of("ticket.solved")["title"], &of("ticket.solved")["kind"]),
        (&json!("Leak"), &json!("ticket"))
    );
    assert_eq!(of("opportunity.won")["subject"], of("opportunity.created")["subject"]);
    assert_eq!(of("interaction.started")["data"]["channel"], "call");
    assert_eq!(of("note.created")["title"], "Pays late");
}

#[tokio::test]
async fn pages_put_together_are_the_whole_also_when_something_is_added() {
    let tenant = Tenant::new();
    let acme = eventful(&tenant).await;
    // At the same instant: the id decides.
    for _ in 0..4 {
        call(&tenant, &acme, "2026-01-01T10:00:00Z").await;
    }
    let whole = entries(&tenant, &acme, "?limit=500").await;
    for limit in [1, 3, 7] {
        assert_eq!(
            entries(&tenant, &acme, &format!("?limit={limit}")).await,
            whole,
            "{limit}"
        );
    }
    let path = format!("/v1/customers/{acme}/timeline?limit=5");
    let first = tenant.get(&path).await.expect(200);
    let cursor = first.next_cursor().unwrap();
    call(&tenant, &acme, "2180-01-01T10:00:00Z").await;
    let old = call(&tenant, &acme, "2001-01-01T10:00:00Z").await;
    let rest = entries(&tenant, &acme, "?limit=500").await;
    let second = tenant.get(&format!("{path}&cursor={cursor}")).await.expect(200);
    assert_eq!(second.data(), &whole[5..10]);
    assert_eq!(rest.last().unwrap()["id"], old.as_str());

    for elsewhere in [
        format!("/v1/customers/{acme}/timeline?kinds=ticket&cursor={cursor}"),
        format!(
            "/v1/customers/{}/timeline?limit=5&cursor={cursor}",
            customer(&tenant, "B").await
        ),
    ] {
        tenant
            .get(&elsewhere)
            .await
            .expect_faults(400, &["?cursor invalid_cursor"]);
    }
}

#[tokio::test]
async fn a_timeline_is_narrowed_by_kind_and_time() {
    let tenant = Tenant::new();
    let acme = eventful(&tenant).await;
    let only = async |parameters: &str| {
        let found = entries(&tenant, &acme, parameters).await;
        told(&found).iter().map(|event| (*event).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        only("?kinds=ticket,note").await,
        ["note.created", "ticket.solved", "ticket.created"]
    );
    assert_eq!(
        only("?kinds=lifecycle").await,
        ["customer.lifecycle_changed", "customer.created"]
    );
    assert_eq!(only("?kinds=customer").await, ["customer.updated"]);
    assert_eq!(only("?from=2100-01-01T00:00:00Z").await, ["appointment.started"]);
    assert_eq!(only("?to=2026-01-01T10:00:00.000001Z").await, ["interaction.started"]);
    assert_eq!(only("?to=2026-01-01T10:00:00Z").await, Vec::<String>::new());
    assert_eq!(only("?to=2100-01-01T00:00:00Z").await, EVERYTHING[1..]);

    let path = format!("/v1/customers/{acme}/timeline");
    let wrong = format!("{path}?kinds=weather&from=yesterday&to=0&limit=501&sort=id");
    let faults = [
        "?kinds invalid_choice",
        "?from invalid_value",
        "?to invalid_value",
        "?limit out_of_range",
        "?sort unknown_parameter",
    ];
    tenant.get(&wrong).await.expect_faults(400, &faults);
    Tenant::new().get(&path).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn what_is_deleted_or_another_customers_is_not_told() {
    let tenant = Tenant::new();
    let acme = eventful(&tenant).await;
    let ticket = tenant.all(&format!("/v1/tickets?filter[customer_id]={acme}")).await;
    tenant
        .delete(&format!("/v1/tickets/{}", id_of(&ticket[0])))
        .await
        .expect(204);
    assert_eq!(entries(&tenant, &acme, "?kinds=ticket").await, Vec::<Value>::new());
    let deal = tenant
        .all(&format!("/v1/opportunities?filter[customer_id]={acme}"))
        .await;
    let other = customer(&tenant, "Other").await;
    let path = format!("/v1/opportunities/{}", id_of(&deal[0]));
    tenant.patch(&path, &json!({"customer_id": other})).await.expect(200);
    tenant.post(&format!("{path}/reopen"), &json!({})).await.expect(200);
    let of_other = entries(&tenant, &other, "?kinds=opportunity").await;
    assert_eq!(told(&of_other), ["opportunity.reopened", "opportunity.created"]);
    let before = entries(&tenant, &acme, "?kinds=opportunity").await;
    assert_eq!(
        told(&before),
        ["opportunity.won", "opportunity.moved"],
        "it happened while it was this customer's"
    );
}

#[tokio::test]
async fn a_timeline_tells_what_scopes_and_the_record_rule_allow() {
    let tenant = Tenant::on(Server::for_log_ins());
    let dora = tenant.user("dora", "agent").await;
    let path = format!("/v1/users/{}", id_of(&dora));
    tenant.patch(&path, &json!({"record_rule": "own"})).await.expect(200);
    let acme = eventful(&tenant).await;
    let path = format!("/v1/customers/{acme}");
    tenant.patch(&path, &json!({"owner_id": dora["id"]})).await.expect(200);
    let hers = json!({"customer_id": acme, "owner_id": dora["id"], "subject": "Hers"});
    let ticket = open(&tenant, hers).await;
    let solved = json!({"status": "solved"});
    tenant
        .patch(&format!("/v1/tickets/{}", id_of(&ticket)), &solved)
        .await
        .expect(200);

    let log_in = async |scope: &str| {
        let body = json!({"email": "dora@example.com", "password": PASSWORD, "tenant": tenant.name, "scope": scope});
        let tokens = tenant.stranger().post("/v1/auth/login", &body).await.expect(200);
        tenant.with_token(tokens.text_of("access_token"))
    };
    let caller = log_in("customers:read tickets:read opportunities:read").await;
    let seen = entries(&caller, &acme, "?limit=1").await;
    assert_eq!(
        told(&seen),
        [
            "ticket.solved",
            "ticket.created",
            "customer.updated",
            "customer.updated",
            "customer.lifecycle_changed",
            "customer.created"
        ]
    );
    assert!(seen[..2].iter().all(|entry| entry["title"] == "Hers"));
    let refused = caller.get(&format!("{path}/timeline?kinds=ticket,note")).await;
    refused.expect_problem(403, "forbidden");
}

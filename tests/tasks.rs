//! Tasks: done in time or overdue, reminded of, and recurring.

use crate::harness::{Tenant, eventually, id_of};
use chrono::{Duration, SecondsFormat, Utc};
use serde_json::{Value, json};

/// The instant some seconds from now.
fn in_seconds(seconds: i64) -> String {
    let instant = Utc::now() + Duration::seconds(seconds);
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Waits for an event of a record, and then a little for one too many.
async fn happens_once(tenant: &Tenant, record: &Value, what: &str) {
    let happened = async || {
        let kinds = tenant.kinds_of_events(record).await;
        kinds.iter().filter(|kind| *kind == what).count()
    };
    eventually(what, async || (happened().await > 0).then_some(())).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(happened().await, 1, "{what}");
}

#[tokio::test]
async fn a_task_is_completed_cancelled_and_reopened() {
    let tenant = Tenant::new();
    let task = tenant.create("tasks", json!({"subject": "Call back"})).await;
    let defaults = ["kind", "priority", "status"].map(|name| task[name].clone());
    assert_eq!(defaults, ["to_do", "normal", "open"]);
    let path = format!("/v1/tasks/{}", id_of(&task));

    let done = tenant.patch(&path, &json!({"status": "done"})).await.expect(200).body;
    assert_ne!(done["done_at"], Value::Null);
    let reopened = tenant.patch(&path, &json!({"status": "in_progress"})).await.expect(200);
    assert_eq!(reopened.body["done_at"], Value::Null);
    tenant.patch(&path, &json!({"status": "cancelled"})).await.expect(200);
    let kinds = tenant.kinds_of_events(&task).await;
    assert_eq!(kinds, ["created", "completed", "reopened", "cancelled"]);
    assert_eq!(
        tenant.get("/v1/tasks?filter[status]=open").await.expect(200).ids(),
        [""; 0]
    );
}

#[tokio::test]
async fn a_reminder_and_a_missed_due_time_are_told_of_once() {
    let tenant = Tenant::new();
    let body = json!({"subject": "Send the offer", "remind_at": in_seconds(-60), "due_at": in_seconds(-30)});
    let task = tenant.create("tasks", body).await;
    let later = json!({"subject": "Wait", "remind_at": in_seconds(3600), "due_at": in_seconds(7200)});
    let later = tenant.create("tasks", later).await;
    happens_once(&tenant, &task, "reminded").await;
    happens_once(&tenant, &task, "overdue").await;
    assert_eq!(tenant.kinds_of_events(&task).await, ["created", "reminded", "overdue"]);
    assert_eq!(tenant.kinds_of_events(&later).await, ["created"]);
    let actors = tenant.events_of(&task).await;
    assert_eq!(actors[1]["actor"], json!({"type": "system", "id": null}));

    let overdue = tenant.get("/v1/tasks?filter[overdue]=true").await.expect(200);
    assert_eq!(overdue.ids(), [id_of(&task)]);
    let path = format!("/v1/tasks/{}", id_of(&task));
    let put_off = json!({"due_at": in_seconds(3600), "remind_at": in_seconds(-1)});
    assert_eq!(tenant.patch(&path, &put_off).await.expect(200).body["overdue"], false);
    let reminded = async || {
        let kinds = tenant.kinds_of_events(&task).await;
        let times = kinds.iter().filter(|kind| *kind == "reminded").count();
        (times == 2).then_some(())
    };
    eventually("the second reminder", reminded).await;
}

#[tokio::test]
async fn a_task_of_a_day_is_due_until_the_day_ends() {
    let tenant = Tenant::with_options(&["--time-zone", "Asia/Jakarta"]);
    let body = json!({"subject": "Visit", "due_on": "2099-03-01"});
    let task = tenant.create("tasks", body).await;
    assert_eq!(task["deadline_at"], "2099-03-01T17:00:00.000000Z");
    let elsewhere = json!({"subject": "Visit", "due_on": "2099-03-01", "time_zone": "Europe/Berlin"});
    let elsewhere = tenant.create("tasks", elsewhere).await;
    assert_eq!(elsewhere["deadline_at"], "2099-03-01T23:00:00.000000Z");
    let sorted = tenant.get("/v1/tasks?sort=deadline_at").await.expect(200);
    assert_eq!(sorted.ids(), [id_of(&task), id_of(&elsewhere)]);
}

#[tokio::test]
async fn completing_a_recurring_task_opens_the_next_one_once() {
    let tenant = Tenant::new();
    let customer = tenant.create_example("customers").await;
    let body = json!({
        "subject": "Weekly call", "due_at": "2099-03-23T08:00:00Z", "remind_at": "2099-03-23T07:45:00Z",
        "time_zone": "Europe/Berlin", "recurrence": "freq=weekly;count=2", "tags": ["calls"],
        "customer_id": customer["id"], "links": [{"type": "customer", "id": customer["id"]}],
        "external_ids": [{"system": "erp", "id": "1"}],
    });
    let first = tenant.create("tasks", body).await;
    assert_eq!(first["recurrence"], "FREQ=WEEKLY;COUNT=2");
    let path = format!("/v1/tasks/{}", id_of(&first));
    // What it names may be gone meanwhile.
    tenant
        .delete(&format!("/v1/customers/{}", id_of(&customer)))
        .await
        .expect(204);
    let dry = format!("{path}?dry_run=true");
    tenant.patch(&dry, &json!({"status": "done"})).await.expect(200);
    for status in ["done", "open", "done"] {
        tenant.patch(&path, &json!({ "status": status })).await.expect(200);
    }
    let following = format!("/v1/tasks?filter[previous_task_id]={}", id_of(&first));
    let next = tenant.all(&following).await;
    assert_eq!(next.len(), 1);
    let next = &next[0];
    // The clocks of Berlin go forward in between.
    assert_eq!(next["due_at"], "2099-03-30T07:00:00.000000Z");
    assert_eq!(next["remind_at"], "2099-03-30T06:45:00.000000Z");
    assert_eq!(next["recurrence"], "FREQ=WEEKLY;COUNT=1");
    let kept = ["subject", "tags", "customer_id", "links", "owner_id"];
    assert!(kept.iter().all(|name| next[*name] == first[*name]), "{next}");
    assert_eq!((&next["status"], &next["external_ids"]), (&json!("open"), &json!([])));

    let last = format!("/v1/tasks/{}", id_of(next));
    tenant.patch(&last, &json!({"status": "done"})).await.expect(200);
    assert_eq!(tenant.all("/v1/tasks").await.len(), 2, "it was the last of two");
    tenant.delete(&format!("{path}?purge=true")).await.expect(204);
    let left = tenant.get(&last).await.expect(200).body;
    assert_eq!(left["previous_task_id"], Value::Null);
}

#[tokio::test]
async fn every_fault_of_a_task_is_told() {
    let tenant = Tenant::new();
    let wrong = json!({
        "subject": "", "status": "later", "due_on": "1815-12-10", "due_at": "2026-01-01T00:00:00Z",
        "recurrence": "FREQ=SECONDLY", "time_zone": "Mars/Olympus",
    });
    tenant.post("/v1/tasks", &wrong).await.expect_faults(
        422,
        &[
            "/subject invalid_length",
            "/status invalid_choice",
            "/due_on out_of_range",
            "/due_on conflict",
            "/recurrence invalid_value",
            "/time_zone invalid_value",
        ],
    );
    let endless = json!({"subject": "Call", "recurrence": "FREQ=DAILY"});
    tenant
        .post("/v1/tasks", &endless)
        .await
        .expect_faults(422, &["/due_on required"]);
    let unknown = json!({"subject": "Call", "links": [{"type": "product", "id": uuid::Uuid::nil()}]});
    let faults = ["/links/0/id unknown_reference"];
    tenant.post("/v1/tasks", &unknown).await.expect_faults(422, &faults);
}

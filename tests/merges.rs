//! Merging customers: everything moves, old ids lead on, nothing is half done, and all of it can be undone.

mod moving;
mod undoing;

use crate::harness::{Answer, PASSWORD, Send, Server, Tenant, at_once, id_of};
use reqwest::Method;
use serde_json::{Value, json};

async fn person(tenant: &Tenant, name: &str, more: Value) -> String {
    let mut body = json!({"kind": "person", "name": name});
    domain::input::merge(&mut body, &more);
    let created = tenant.post("/v1/customers?allow_duplicates=true", &body).await;
    created.expect(201).id()
}

/// Two persons.
async fn two(tenant: &Tenant) -> [String; 2] {
    [
        person(tenant, "Ada", json!({})).await,
        person(tenant, "Byron", json!({})).await,
    ]
}

async fn merge(tenant: &Tenant, survivor: &str, from: &str) -> Answer {
    merge_with(tenant, survivor, json!({ "from": from })).await
}

async fn merge_with(tenant: &Tenant, survivor: &str, body: Value) -> Answer {
    tenant.post(&format!("/v1/customers/{survivor}/merge"), &body).await
}

async fn undo(tenant: &Tenant, survivor: &str, merge: &Answer) -> Answer {
    let merge = id_of(&merge.body["merge"]);
    let path = format!("/v1/customers/{survivor}/merges/{merge}/undo");
    tenant.request(Method::POST, &path).answer().await
}

async fn customer(tenant: &Tenant, id: &str) -> Value {
    tenant.get(&format!("/v1/customers/{id}")).await.expect(200).body
}

/// A record without what the service counts and dates.
fn said(record: &Value) -> Value {
    let mut record = record.clone();
    for name in ["version", "updated_at", "updated_by"] {
        record[name] = Value::Null;
    }
    record
}

#[tokio::test]
async fn the_old_id_leads_to_the_survivor() {
    let tenant = Tenant::new();
    let [first, second] = two(&tenant).await;
    let known = json!({"external_ids": [{"system": "erp", "id": "7"}]});
    let third = person(&tenant, "Third", known).await;
    merge(&tenant, &second, &third).await.expect(200);
    merge(&tenant, &first, &second).await.expect(200);

    for path in [
        "",
        "?fields=id,name",
        "/360?limit=2",
        "/timeline",
        "/lifecycle",
        "/hierarchy?direction=up",
        "/relationships",
        "/duplicates",
        "/merges",
    ] {
        let moved = tenant.get(&format!("/v1/customers/{third}{path}")).await.expect(301);
        assert_eq!(moved.header("location"), format!("/v1/customers/{first}{path}"));
        assert_eq!(moved.body, json!({ "merged_into_id": first }));
        tenant.get(moved.header("location")).await.expect(200);
    }
    let spelled = third.to_uppercase().replace('-', "");
    let moved = tenant.get(&format!("/v1/customers/{spelled}")).await.expect(301);
    assert_eq!(moved.header("location"), format!("/v1/customers/{first}"));

    let at = |path: &str| format!("/v1/customers/{third}{path}");
    for refused in [
        tenant.patch(&at(""), &json!({"name": "X"})).await,
        tenant.delete(&at("")).await,
        tenant.post(&at("/restore"), &json!({})).await,
        tenant.post(&at("/lifecycle"), &json!({"stage": "customer"})).await,
        merge(&tenant, &third, &first).await,
    ] {
        let refused = refused.expect_problem(409, "merged");
        assert_eq!(refused.body["merged_into_id"], first);
    }
    let batch = json!([{"op": "update", "id": third, "data": {"name": "X"}}]);
    let batch = tenant.batch("customers", batch).await.expect(207);
    assert_eq!(batch.data()[0]["error"]["merged_into_id"], first);

    // What other systems call it finds the survivor, for upserts and references, too.
    assert_eq!(tenant.get("/v1/customers/by/erp/7").await.expect(200).id(), first);
    let upserted = tenant
        .put("/v1/customers/by/erp/7", &json!({"language": "en"}))
        .await
        .expect(200);
    assert_eq!(upserted.id(), first);
    let task = tenant
        .create("tasks", json!({"subject": "Call", "customer_id": "by/erp/7"}))
        .await;
    assert_eq!(task["customer_id"], first);
    for (resource, body, pointer) in [
        (
            "tasks",
            json!({"subject": "Call", "customer_id": third}),
            "/customer_id merged",
        ),
        (
            "notes",
            json!({"subject": {"type": "customer", "id": third}, "body": "x"}),
            "/subject/id merged",
        ),
    ] {
        let refused = tenant
            .post(&format!("/v1/{resource}"), &body)
            .await
            .expect_faults(422, &[pointer]);
        assert!(refused.text.contains(&format!("was merged into {first}")));
    }
    let segment = id_of(&tenant.create("segments", json!({"name": "S", "kind": "static"})).await);
    let members = tenant
        .post(&format!("/v1/segments/{segment}/members"), &json!({"add": [third]}))
        .await;
    members.expect_faults(422, &["/add/0 merged"]);
    let explain = tenant
        .post(
            &format!("/v1/segments/{segment}/explain"),
            &json!({"customer_id": third}),
        )
        .await;
    explain.expect_faults(422, &["/customer_id merged"]);
    assert_eq!(tenant.all("/v1/customers").await.len(), 1);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let tenant = Tenant::new();
    let [ada, byron] = two(&tenant).await;
    let acme = id_of(
        &tenant
            .create("customers", json!({"kind": "organisation", "name": "Acme"}))
            .await,
    );
    let gone = person(&tenant, "Gone", json!({})).await;
    tenant.delete(&format!("/v1/customers/{gone}")).await.expect(204);
    let theirs = person(&Tenant::new(), "Theirs", json!({})).await;
    let nobody = uuid::Uuid::now_v7().to_string();
    for (from, fault) in [
        (&ada, "/from same_customer"),
        (&acme, "/from other_kind"),
        (&gone, "/from unknown_reference"),
        (&theirs, "/from unknown_reference"),
        (&nobody, "/from unknown_reference"),
        (&"by/erp/none".to_owned(), "/from unknown_reference"),
        (&"x".to_owned(), "/from invalid_value"),
    ] {
        merge(&tenant, &ada, from).await.expect_faults(422, &[fault]);
    }
    for survivor in [&gone, &theirs, &nobody] {
        merge(&tenant, survivor, &ada).await.expect_problem(404, "not_found");
    }
    let wrong =
        json!({"from": 7, "fields": {"name": "mine", "kind": "merged", "custom": {"tier": "both"}}, "into": ada});
    let answer = merge_with(&tenant, &ada, wrong).await.expect(422);
    let told = answer.faults();
    for pointer in ["/from", "/fields/name", "/fields/kind", "/fields/custom/tier", "/into"] {
        assert!(
            told.iter().any(|fault| fault.starts_with(pointer)),
            "{pointer}: {told:?}"
        );
    }
    merge_with(
        &tenant,
        &ada,
        json!({"from": byron, "fields": {"custom": {"tier": "merged"}}}),
    )
    .await
    .expect_faults(422, &["/fields/custom/tier unknown_field"]);
    let path = format!("/v1/customers/{ada}/merge");
    tenant
        .request(Method::POST, &path)
        .answer()
        .await
        .expect_problem(400, "malformed_request");
    let stale = tenant
        .request(Method::POST, &path)
        .header("If-Match", "\"7\"")
        .json(&json!({"from": byron}));
    stale.answer().await.expect_problem(412, "version_mismatch");
    tenant
        .as_role("reader")
        .post(&path, &json!({"from": byron}))
        .await
        .expect_problem(403, "forbidden");

    merge(&tenant, &ada, &byron).await.expect(200);
    merge(&tenant, &ada, &byron).await.expect_faults(422, &["/from merged"]);
    let strict = Tenant::with_options(&["--require-if-match"]);
    let [one, other] = two(&strict).await;
    merge(&strict, &one, &other)
        .await
        .expect_problem(428, "version_required");
}

#[tokio::test]
async fn who_does_not_see_both_cannot_merge_them() {
    let tenant = Tenant::on(Server::for_log_ins());
    let user = tenant.user("eve", "agent").await;
    tenant
        .patch(&format!("/v1/users/{}", id_of(&user)), &json!({"record_rule": "own"}))
        .await
        .expect(200);
    let eve = tenant.as_logged_in(&tenant.login("eve", PASSWORD).await.expect(200));
    let hers = person(&eve, "Hers", json!({})).await;
    let owner = id_of(&tenant.user("fay", "agent").await);
    let other = person(&tenant, "Other", json!({ "owner_id": owner })).await;
    merge(&eve, &hers, &other)
        .await
        .expect_faults(422, &["/from unknown_reference"]);
    merge(&eve, &other, &hers).await.expect_problem(404, "not_found");
    // Nor is she told where hers has gone, if she may not see that.
    merge(&tenant, &other, &hers).await.expect(200);
    eve.get(&format!("/v1/customers/{hers}"))
        .await
        .expect_problem(404, "not_found");
}

#[tokio::test]
async fn a_dry_run_keeps_nothing_and_a_repetition_merges_once() {
    let tenant = Tenant::new();
    let [ada, byron] = two(&tenant).await;
    let task = tenant
        .create("tasks", json!({"subject": "Call", "customer_id": byron}))
        .await;
    let path = format!("/v1/customers/{ada}/merge");
    let tried = tenant
        .post(&format!("{path}?dry_run=true"), &json!({"from": byron}))
        .await
        .expect(200);
    assert_eq!(
        tried.body["merge"]["moved"],
        json!({"tasks": 1, "lifecycle_changes": 1})
    );
    assert_eq!(customer(&tenant, &byron).await["version"], 1);
    assert_eq!(tenant.get(&format!("/v1/tasks/{}", id_of(&task))).await.body, task);
    let once = || {
        let request = tenant.request(Method::POST, &path).header("Idempotency-Key", "k");
        request.json(&json!({"from": byron})).answer()
    };
    let first = once().await.expect(200);
    let again = once().await.expect(200);
    assert_eq!(
        (again.body, again.headers["idempotency-replayed"].to_str().unwrap()),
        (first.body, "true")
    );
    assert_eq!(tenant.all(&format!("/v1/customers/{ada}/merges")).await.len(), 1);
}

#[tokio::test]
async fn the_feed_tells_of_both() {
    let tenant = Tenant::new();
    let [ada, byron] = two(&tenant).await;
    tenant
        .create("tasks", json!({"subject": "Call", "customer_id": byron}))
        .await;
    let cursor = tenant.now().await;
    let merged = merge(&tenant, &ada, &byron).await.expect(200);
    undo(&tenant, &ada, &merged).await.expect(200);
    let told = tenant.changes_after(&cursor).await;
    let told: Vec<Value> = told
        .iter()
        .map(|event| json!([event["kind"], event["subject"]["id"], event["version"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!(["customer.updated", ada, 2]),
            json!(["customer.merged", byron, 2]),
            json!(["customer.updated", ada, 3]),
            json!(["customer.unmerged", byron, 3]),
        ]
    );
    let events = tenant.changes_of("customer.merged").await;
    assert_eq!(
        events[0]["changes"]["merged_into_id"],
        json!({"before": null, "after": ada})
    );
    assert_eq!(
        events[0]["changes"]["moved"]["after"],
        json!({"tasks": 1, "lifecycle_changes": 1})
    );
}

#[tokio::test]
async fn of_merges_at_once_one_wins() {
    let tenant = Tenant::new();
    for _ in 0..3 {
        let [ada, byron] = two(&tenant).await;
        let clara = person(&tenant, "Clara", json!({})).await;
        tenant
            .create("tasks", json!({"subject": "Call", "customer_id": byron}))
            .await;
        let ways = [(&ada, &byron), (&byron, &ada), (&ada, &byron), (&byron, &ada)];
        let answers = at_once(4, |n| merge(&tenant, ways[n].0, ways[n].1)).await;
        let mut won: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        assert!(
            answers.iter().all(|answer| [200, 409, 422].contains(&answer.status)),
            "{answers:?}"
        );
        let won = won.remove(0);
        let survivor = won.body["merge"]["survivor_id"].as_str().unwrap().to_owned();
        let of_survivor = tenant.all(&format!("/v1/tasks?filter[customer_id]={survivor}")).await;
        assert_eq!(of_survivor.len(), 1);
        // Undone by several at once, it is undone once.
        let answers = at_once(3, |_| undo(&tenant, &survivor, won)).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409], "{answers:?}");
        // In a circle: two of the three can be merged, and whoever is left has everything.
        let circle = [(&ada, &byron), (&byron, &clara), (&clara, &ada)];
        at_once(3, |n| merge(&tenant, circle[n].0, circle[n].1)).await;
        let tasks = tenant.all("/v1/tasks").await;
        for task in &tasks {
            tenant
                .get(&format!("/v1/customers/{}", task["customer_id"].as_str().unwrap()))
                .await
                .expect(200);
        }
    }
}

#[tokio::test]
async fn nobody_is_left_with_a_customer_that_is_merged_away_meanwhile() {
    let tenant = Tenant::new();
    let [ada, byron] = two(&tenant).await;
    let work = async |n: usize| {
        if n == 7 {
            return merge(&tenant, &ada, &byron).await.expect(200);
        }
        let body = match n % 2 {
            0 => {
                json!({"channel": "email", "started_at": "2026-01-01T09:00:00Z", "participants": [{"customer_id": byron, "role": "to"}]})
            }
            _ => json!({"channel": "call", "started_at": "2026-01-01T09:00:00Z", "customer_id": byron}),
        };
        tenant.post("/v1/interactions", &body).await
    };
    let answers = at_once(24, work).await;
    assert!(
        answers.iter().all(|answer| [200, 201, 422].contains(&answer.status)),
        "{answers:?}"
    );
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    let all = tenant.all("/v1/interactions").await;
    assert_eq!(all.len(), made);
    assert!(!json!(all).to_string().contains(&byron), "{all:?}");
    let calls = all.iter().filter(|one| one["channel"] == "call").count();
    let counted = tenant.all(&format!("/v1/customers?filter[call_count]={calls}")).await;
    assert!(counted.iter().any(|one| id_of(one) == ada), "{counted:?}");
}

#[tokio::test]
async fn what_is_removed_for_good_leaves_nothing_behind() {
    let tenant = Tenant::new();
    let [ada, byron] = two(&tenant).await;
    let clara = person(&tenant, "Clara", json!({"emails": [{"address": "clara@example.com"}]})).await;
    let task = tenant
        .create("tasks", json!({"subject": "Call", "customer_id": byron}))
        .await;
    merge(&tenant, &ada, &byron).await.expect(200);
    merge(&tenant, &ada, &clara).await.expect(200);
    let purge = async |path: String| tenant.delete(&format!("{path}?purge=true")).await;

    // One that was merged may go by itself: its old id leads nowhere then, and there is nothing to undo.
    purge(format!("/v1/customers/{clara}")).await.expect(204);
    tenant
        .get(&format!("/v1/customers/{clara}"))
        .await
        .expect_problem(404, "not_found");
    assert_eq!(tenant.all(&format!("/v1/customers/{ada}/merges")).await.len(), 1);
    let told = tenant.events_of(&json!({ "id": clara })).await;
    assert!(told.iter().all(|event| event["changes"] == json!({})), "{told:?}");

    // The survivor takes those with it that were merged into it.
    purge(format!("/v1/customers/{ada}"))
        .await
        .expect_problem(409, "referenced");
    purge(format!("/v1/tasks/{}", id_of(&task))).await.expect(204);
    purge(format!("/v1/customers/{ada}")).await.expect(204);
    for gone in [&ada, &byron] {
        tenant
            .get(&format!("/v1/customers/{gone}"))
            .await
            .expect_problem(404, "not_found");
        tenant
            .post(&format!("/v1/customers/{gone}/restore"), &json!({}))
            .await
            .expect_problem(404, "not_found");
        let told = tenant.events_of(&json!({ "id": gone })).await;
        assert!(told.iter().all(|event| event["changes"] == json!({})), "{told:?}");
    }
}

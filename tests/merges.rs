//! Merging customers: everything moves, old ids lead on, nothing is half done, and all of it can be undone.

use crate::harness::{Answer, PASSWORD, Send, Server, Tenant, at_once, eventually, id_of};
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

async fn tie(tenant: &Tenant, from: &str, to: &str, more: Value) -> String {
    let mut body = json!({"from_id": from, "to_id": to, "role": "parent_company"});
    domain::input::merge(&mut body, &more);
    id_of(&tenant.create("relationships", body).await)
}

/// A record without what the service counts and dates.
fn said(record: &Value) -> Value {
    let mut record = record.clone();
    for name in ["version", "updated_at", "updated_by"] {
        record[name] = Value::Null;
    }
    record
}

/// The same, of another customer.
fn said_of(record: &Value, from: &str, to: &str) -> Value {
    serde_json::from_str(&said(record).to_string().replace(from, to)).unwrap()
}

/// A record of every kind that names a customer, wherever it can, by its path.
async fn one_of_each(tenant: &Tenant, of: &str) -> Vec<String> {
    let other = person(tenant, "Somebody else", json!({})).await;
    let link = json!([{"type": "customer", "id": of}]);
    let mut paths = Vec::new();
    for kind in ["product", "customer"] {
        let field =
            json!({"resource": kind, "key": "known_to", "name": "Known to", "type": "reference", "target": "customer"});
        tenant.create("custom_fields", field).await;
    }
    let mut opportunity = tenant.example("opportunities").await;
    opportunity["customer_id"] = json!(of);
    opportunity["contacts"] =
        json!([{"customer_id": of, "role": "decision_maker"}, {"customer_id": other, "role": "user"}]);
    let ticket = json!({"subject": "Lost", "customer_id": of, "requester_id": of, "links": [{"to": link[0], "kind": "relates_to"}]});
    for (resource, body) in [
        ("opportunities", opportunity),
        ("tickets", ticket),
        ("tasks", json!({"subject": "Call", "customer_id": of, "links": link})),
        (
            "appointments",
            json!({"subject": "Visit", "starts_at": "2026-02-02T09:00:00Z", "ends_at": "2026-02-02T10:00:00Z",
                   "customer_id": of, "links": link, "participants": [{"customer_id": other}, {"customer_id": of}]}),
        ),
        (
            "interactions",
            json!({"channel": "call", "started_at": "2026-01-31T09:30:00Z", "customer_id": of, "links": link,
                   "participants": [{"customer_id": of, "role": "from", "address": "+49 30 1"}]}),
        ),
        (
            "interactions",
            json!({"channel": "email", "started_at": "2026-01-30T09:30:00Z", "participants": [{"customer_id": of, "role": "cc"}]}),
        ),
        ("notes", json!({"subject": link[0], "body": "Prefers tea"})),
        ("documents", json!({"subject": link[0], "name": "Offer.pdf"})),
        (
            "relationships",
            json!({"from_id": of, "to_id": other, "role": "works_at"}),
        ),
        (
            "relationships",
            json!({"from_id": other, "to_id": of, "role": "referred_by"}),
        ),
        (
            "products",
            json!({"name": "Made to measure", "custom": {"known_to": of}}),
        ),
        (
            "customers",
            json!({"kind": "person", "name": "Friend", "custom": {"known_to": of}}),
        ),
    ] {
        paths.push(format!(
            "/v1/{resource}/{}",
            id_of(&tenant.create(resource, body).await)
        ));
    }
    paths
}

async fn all(tenant: &Tenant, paths: &[String]) -> Vec<Value> {
    let mut records = Vec::new();
    for path in paths {
        records.push(tenant.get(path).await.expect(200).body);
    }
    records
}

#[tokio::test]
async fn everything_that_names_the_merged_customer_moves_and_goes_back() {
    let tenant = Tenant::new();
    let [ada, byron] = two(&tenant).await;
    let paths = one_of_each(&tenant, &byron).await;
    let before = all(&tenant, &paths).await;
    let deleted = tenant
        .create("tasks", json!({"subject": "Old", "customer_id": byron}))
        .await;
    tenant
        .delete(&format!("/v1/tasks/{}", id_of(&deleted)))
        .await
        .expect(204);

    let merged = merge(&tenant, &ada, &byron).await.expect(200);
    assert_eq!(merged.header("etag"), "\"2\"");
    assert_eq!(merged.body["customer"], customer(&tenant, &ada).await);
    let moved = json!({"opportunities": 1, "tickets": 1, "tasks": 2, "appointments": 1, "interactions": 2, "notes": 1,
                       "documents": 1, "relationships": 2, "products": 1, "customers": 1, "lifecycle_changes": 1});
    assert_eq!(merged.body["merge"]["moved"], moved);
    for (old, new) in before.iter().zip(all(&tenant, &paths).await) {
        assert_eq!(said(&new), said_of(old, &byron, &ada));
        assert_eq!(
            new["version"].as_i64(),
            old["version"].as_i64().map(|version| version + 1),
            "{new}"
        );
        assert!(new["updated_at"].as_str() > old["updated_at"].as_str());
    }
    let restored = tenant
        .post(&format!("/v1/tasks/{}/restore", id_of(&deleted)), &json!({}))
        .await
        .expect(200);
    assert_eq!(restored.body["customer_id"], ada);
    let found = async |query: &str| {
        let mut counts = Vec::new();
        for of in [&ada, &byron] {
            counts.push(tenant.all(&format!("/v1/{query}{of}")).await.len());
        }
        (counts[0], counts[1])
    };
    let places = [
        "interactions?filter[customer_ids]=",
        "interactions?filter[links]=customer:",
        "appointments?filter[customer_ids]=",
        "opportunities?filter[contact_ids]=",
        "tickets?filter[links]=customer:",
        "products?filter[custom.known_to]=",
        "opportunities?filter[customer_id]=",
        "notes?filter[subject.id]=",
        "customers?filter[custom.known_to]=",
    ];
    for place in places {
        let (of_survivor, of_merged) = found(place).await;
        assert!(of_survivor > 0 && of_merged == 0, "{place}");
    }

    let undone = undo(&tenant, &ada, &merged).await.expect(200);
    assert_eq!(undone.body["returned"], moved);
    assert_eq!(undone.body["kept"], json!([]));
    for (old, new) in before.iter().zip(all(&tenant, &paths).await) {
        assert_eq!(said(&new), said(old));
        assert_eq!(
            new["version"].as_i64(),
            old["version"].as_i64().map(|version| version + 2),
            "{new}"
        );
    }
    for place in places {
        let (of_survivor, of_merged) = found(place).await;
        assert!(of_survivor == 0 && of_merged > 0, "{place}");
    }
}

#[tokio::test]
async fn customers_that_refer_to_each_other_do_not_refer_to_themselves() {
    let tenant = Tenant::new();
    let field = json!({"resource": "customer", "key": "known_to", "name": "Known to", "type": "reference", "target": "customer"});
    tenant.create("custom_fields", field).await;
    let [ada, byron] = two(&tenant).await;
    for (of, other) in [(&ada, &byron), (&byron, &ada)] {
        let path = format!("/v1/customers/{of}");
        tenant
            .patch(&path, &json!({"custom": {"known_to": other}}))
            .await
            .expect(200);
    }
    let before = [customer(&tenant, &ada).await, customer(&tenant, &byron).await];
    let merged = merge(&tenant, &ada, &byron).await.expect(200);
    assert_eq!(merged.body["customer"]["custom"], json!({}));
    let undone = undo(&tenant, &ada, &merged).await.expect(200);
    assert_eq!(said(&undone.body["customer"]), said(&before[0]));
    assert_eq!(said(&undone.body["restored"]), said(&before[1]));
    let found = tenant
        .all(&format!("/v1/customers?filter[custom.known_to]={ada}"))
        .await;
    assert_eq!(found.iter().map(id_of).collect::<Vec<_>>(), [byron.as_str()]);
}

#[tokio::test]
async fn a_client_with_an_old_etag_does_not_write_over_a_moved_record() {
    let tenant = Tenant::new();
    let [ada, byron] = two(&tenant).await;
    let task = tenant
        .create("tasks", json!({"subject": "Call", "customer_id": byron}))
        .await;
    merge(&tenant, &ada, &byron).await.expect(200);
    let path = format!("/v1/tasks/{}", id_of(&task));
    let lost = tenant.patch_at(&path, "\"1\"", &json!({"customer_id": byron})).await;
    lost.expect_problem(412, "version_mismatch");
}

#[tokio::test]
async fn where_both_take_part_one_entry_is_left_and_both_come_back() {
    let tenant = Tenant::new();
    let [ada, byron] = two(&tenant).await;
    let who = |id: &str, role: &str| json!({"customer_id": id, "user_id": null, "role": role, "address": null});
    let body = json!({"channel": "meeting", "started_at": "2026-01-31T09:30:00Z",
                      "participants": [who(&byron, "attendee"), who(&ada, "attendee"), who(&byron, "organiser")]});
    let meeting = tenant.create("interactions", body).await;
    let appointment = json!({"subject": "Visit", "starts_at": "2026-02-02T09:00:00Z", "ends_at": "2026-02-02T10:00:00Z",
                             "customer_id": byron, "participants": [{"customer_id": ada}]});
    let appointment = tenant.create("appointments", appointment).await;
    let paths = [
        format!("/v1/interactions/{}", id_of(&meeting)),
        format!("/v1/appointments/{}", id_of(&appointment)),
    ];

    let merged = merge(&tenant, &ada, &byron).await.expect(200);
    let now = all(&tenant, &paths).await;
    assert_eq!(
        now[0]["participants"],
        json!([who(&ada, "attendee"), who(&ada, "organiser")])
    );
    assert_eq!(now[1]["customer_id"], ada);
    for path in &paths {
        let patched = tenant.patch(path, &json!({"subject": "Still valid"})).await.expect(200);
        tenant
            .patch(path, &json!({"subject": patched.body["subject"]}))
            .await
            .expect(200);
    }
    undo(&tenant, &ada, &merged).await.expect(200);
    let back = all(&tenant, &paths).await;
    assert_eq!(back[0]["participants"], meeting["participants"]);
    assert_eq!(
        (&back[1]["customer_id"], &back[1]["participants"]),
        (&appointment["customer_id"], &appointment["participants"])
    );
    let found = tenant
        .all(&format!("/v1/appointments?filter[customer_ids]={byron}"))
        .await;
    assert_eq!((found.len(), &found[0]["subject"]), (1, &json!("Still valid")));
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
async fn the_survivor_gets_what_is_chosen_and_goes_back_as_far_as_nobody_changed_it() {
    let tenant = Tenant::new();
    let more = json!({"emails": [{"address": "ada@example.com"}], "tags": ["a"], "language": "en"});
    let ada = person(&tenant, "Ada", more).await;
    let more = json!({"emails": [{"address": "byron@example.com"}], "tags": ["b"], "language": "fr", "time_zone": "Europe/Paris",
                      "lifecycle": "loyal", "external_ids": [{"system": "erp", "id": "1"}], "phones": [{"number": "+493012345678"}]});
    let byron = person(&tenant, "Byron", more).await;
    let before = [customer(&tenant, &ada).await, customer(&tenant, &byron).await];
    let chosen = json!({"from": byron, "fields": {"name": "merged", "lifecycle": "merged", "tags": "survivor"}});
    let merged = merge_with(&tenant, &ada, chosen).await.expect(200);
    let now = &merged.body["customer"];
    assert_eq!(
        (&now["name"], &now["lifecycle"], &now["tags"]),
        (&json!("Byron"), &json!("loyal"), &json!(["a"]))
    );
    assert_eq!(
        (&now["language"], &now["time_zone"]),
        (&json!("en"), &json!("Europe/Paris"))
    );
    assert_eq!(now["emails"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        tenant.all("/v1/customers?filter[emails]=byron@example.com").await.len(),
        1
    );
    assert_eq!(tenant.all("/v1/customers?q=byron@ex").await.len(), 1);

    let path = format!("/v1/customers/{ada}");
    let since = json!({"time_zone": "Asia/Jakarta", "external_ids": [{"system": "erp", "id": "1"}, {"system": "crm", "id": "2"}]});
    tenant.patch(&path, &since).await.expect(200);
    let undone = undo(&tenant, &ada, &merged).await.expect(200);
    assert_eq!(undone.body["kept"], json!(["/time_zone"]));
    assert_eq!(said(&undone.body["restored"]), said(&before[1]));
    assert_eq!(undone.body["restored"], customer(&tenant, &byron).await);
    let mut expected = said(&before[0]);
    expected["time_zone"] = json!("Asia/Jakarta");
    expected["external_ids"] = json!([{"system": "crm", "id": "2"}]);
    expected["lifecycle_since"] = undone.body["customer"]["lifecycle_since"].clone();
    assert_eq!(said(&undone.body["customer"]), expected);
    assert_eq!(tenant.get("/v1/customers/by/erp/1").await.expect(200).id(), byron);
    assert_eq!(
        tenant
            .all("/v1/customers?q=byron@ex")
            .await
            .iter()
            .map(id_of)
            .collect::<Vec<_>>(),
        [byron.as_str()]
    );
}

#[tokio::test]
async fn undoing_leaves_what_was_made_since_and_is_done_once_and_in_order() {
    let tenant = Tenant::new();
    let [ada, byron] = two(&tenant).await;
    let clara = person(&tenant, "Clara", json!({})).await;
    let task = async |of: &str| {
        id_of(
            &tenant
                .create("tasks", json!({"subject": "Call", "customer_id": of}))
                .await,
        )
    };
    let [stays, reassigned, changed, purged] = [
        task(&byron).await,
        task(&byron).await,
        task(&byron).await,
        task(&byron).await,
    ];
    let first = merge(&tenant, &ada, &byron).await.expect(200);
    let new = task(&ada).await;
    let at = |task: &str| format!("/v1/tasks/{task}");
    tenant
        .patch(&at(&reassigned), &json!({"customer_id": clara}))
        .await
        .expect(200);
    tenant
        .patch(&at(&changed), &json!({"subject": "Write"}))
        .await
        .expect(200);
    tenant.delete(&format!("{}?purge=true", at(&purged))).await.expect(204);

    let second = merge(&tenant, &ada, &clara).await.expect(200);
    let refused = undo(&tenant, &ada, &first).await.expect_problem(409, "later_merge");
    assert!(refused.text.contains(&id_of(&second.body["merge"])));
    undo(&tenant, &ada, &second).await.expect(200);
    undo(&tenant, &clara, &first).await.expect_problem(404, "not_found");
    let third = merge(&tenant, &clara, &ada).await.expect(200);
    let gone = undo(&tenant, &ada, &first).await.expect_problem(409, "merged");
    assert_eq!(gone.body["merged_into_id"], clara);
    undo(&tenant, &clara, &third).await.expect(200);
    let stale = format!("/v1/customers/{ada}/merges/{}/undo", id_of(&first.body["merge"]));
    let stale = tenant
        .request(Method::POST, &stale)
        .header("If-Match", "\"1\"")
        .answer()
        .await;
    stale.expect_problem(412, "version_mismatch");

    let undone = undo(&tenant, &ada, &first).await.expect(200);
    assert_eq!(undone.body["returned"], json!({"tasks": 2, "lifecycle_changes": 1}));
    for (task, of) in [
        (&stays, &byron),
        (&reassigned, &clara),
        (&changed, &byron),
        (&new, &ada),
    ] {
        assert_eq!(tenant.get(&at(task)).await.expect(200).body["customer_id"], **of);
    }
    undo(&tenant, &ada, &first).await.expect_problem(409, "already_undone");
    let told = tenant.all(&format!("/v1/customers/{ada}/merges")).await;
    assert_eq!(
        told.iter().map(id_of).collect::<Vec<_>>(),
        [id_of(&first.body["merge"]), id_of(&second.body["merge"])]
    );
    assert!(told.iter().all(|merge| merge["undone_at"].is_string()));
    let page = tenant
        .get(&format!("/v1/customers/{ada}/merges?limit=1"))
        .await
        .expect(200);
    assert_eq!((page.data().len(), page.next_cursor().is_some()), (1, true));
    merge(&tenant, &ada, &byron).await.expect(200);
}

#[tokio::test]
async fn figures_segments_and_the_timeline_are_those_of_both() {
    let tenant = Tenant::new();
    let [ada, byron] = two(&tenant).await;
    let call = |of: &str, at: &str| json!({"channel": "call", "started_at": at, "customer_id": of});
    tenant.create("interactions", call(&ada, "2026-01-01T09:00:00Z")).await;
    tenant
        .create("interactions", call(&byron, "2026-01-02T09:00:00Z"))
        .await;
    let ticket = tenant
        .create("tickets", json!({"subject": "Lost", "customer_id": byron}))
        .await;
    tenant
        .patch(&format!("/v1/tickets/{}", id_of(&ticket)), &json!({"status": "solved"}))
        .await
        .expect(200);
    tenant
        .patch(&format!("/v1/customers/{byron}"), &json!({"language": "en"}))
        .await
        .expect(200);
    let by_hand = id_of(&tenant.create("segments", json!({"name": "S", "kind": "static"})).await);
    tenant
        .post(&format!("/v1/segments/{by_hand}/members"), &json!({"add": [byron]}))
        .await
        .expect(200);
    let rule = json!({"related": "interactions", "aggregate": {"fn": "count"}, "op": "gte", "value": 2});
    let often = id_of(
        &tenant
            .create("segments", json!({"name": "Often", "kind": "dynamic", "rule": rule}))
            .await,
    );
    let members = async |segment: &str| -> Vec<String> {
        tenant
            .all(&format!("/v1/segments/{segment}/members"))
            .await
            .iter()
            .map(id_of)
            .collect()
    };
    let counted = async |count: i64| -> Vec<String> {
        let found = tenant
            .all(&format!(
                "/v1/customers?filter[interaction_count]={count}&filter[call_count]={count}"
            ))
            .await;
        found.iter().map(id_of).collect()
    };
    let events = async |of: &str| -> Vec<Value> {
        let told = tenant.get(&format!("/v1/customers/{of}/timeline")).await.expect(200);
        told.data()
            .iter()
            .map(|entry| json!([entry["event"], entry["title"]]))
            .collect()
    };
    let before = [events(&ada).await, events(&byron).await];

    let merged = merge(&tenant, &ada, &byron).await.expect(200);
    assert_eq!(counted(2).await, [ada.as_str()]);
    assert_eq!(
        tenant
            .all("/v1/customers?filter[last_interaction_at]=2026-01-02T09:00:00Z")
            .await
            .len(),
        1
    );
    assert_eq!(members(&by_hand).await, [ada.as_str()]);
    eventually("the survivor to enter", async || {
        (members(&often).await == [ada.as_str()]).then_some(())
    })
    .await;
    let overview = tenant.get(&format!("/v1/customers/{ada}/360")).await.expect(200).body;
    assert_eq!(overview["tickets"]["by_status"]["solved"], 1, "{overview}");
    let told = events(&ada).await;
    // That the other one came into being belongs to the history of the survivor.
    let of_both = before
        .iter()
        .flatten()
        .filter(|entry| **entry != json!(["customer.created", "Byron"]));
    for entry in of_both {
        assert!(told.contains(entry), "{entry} is in {told:?}");
    }
    assert!(told.contains(&json!(["customer.merged", "Byron"])));

    undo(&tenant, &ada, &merged).await.expect(200);
    assert_eq!(counted(1).await.len(), 2);
    assert_eq!(members(&by_hand).await, [byron.as_str()]);
    eventually("the survivor to leave", async || {
        members(&often).await.is_empty().then_some(())
    })
    .await;
    let told = events(&byron).await;
    for entry in &before[1] {
        assert!(told.contains(entry), "{entry} is in {told:?}");
    }
    // What the survivor did itself it has done: it was in the segment for a while.
    let left = events(&ada).await;
    for entry in before[1].iter().filter(|entry| entry[0] != "segment.entered") {
        assert!(
            before[0].contains(entry) || !left.contains(entry),
            "{entry} is in {left:?}"
        );
    }
}

#[tokio::test]
async fn the_hierarchy_stays_sound() {
    let tenant = Tenant::new();
    let company = async |name: &str| {
        id_of(
            &tenant
                .create("customers", json!({"kind": "organisation", "name": name}))
                .await,
        )
    };
    let [top, a, b, below, other] = [
        company("Top").await,
        company("A").await,
        company("B").await,
        company("Below").await,
        company("Other").await,
    ];
    // A customer with its own parent, which has a parent itself, and both are below the same one at some time.
    let between = tie(&tenant, &a, &b, json!({"started_on": "2026-01-01"})).await;
    let early = tie(&tenant, &a, &top, json!({"ended_on": "2025-12-31"})).await;
    let same = tie(&tenant, &b, &top, json!({})).await;
    tie(&tenant, &below, &b, json!({})).await;
    let merged = merge(&tenant, &a, &b).await.expect(200);
    assert_eq!(merged.body["merge"]["moved"]["relationships"], 3);
    let ties = tenant.all(&format!("/v1/customers/{a}/relationships")).await;
    let mut ends: Vec<Value> = ties.iter().map(|tie| json!([tie["from_id"], tie["to_id"]])).collect();
    ends.sort_by_key(Value::to_string);
    let mut expected = [json!([a, top]), json!([below, a])];
    expected.sort_by_key(Value::to_string);
    assert_eq!(ends, expected);
    let restored = tenant
        .post(&format!("/v1/relationships/{between}/restore"), &json!({}))
        .await;
    restored.expect_problem(409, "merged");
    undo(&tenant, &a, &merged).await.expect(200);
    for tie in [&between, &early, &same] {
        tenant.get(&format!("/v1/relationships/{tie}")).await.expect(200);
    }

    // Nobody is below itself, nor below two at a time.
    merge(&tenant, &top, &below).await.expect_faults(422, &["/from circle"]);
    tie(&tenant, &other, &a, json!({})).await;
    let with_other_parent = company("C").await;
    tie(&tenant, &with_other_parent, &top, json!({})).await;
    merge(&tenant, &other, &with_other_parent)
        .await
        .expect_faults(422, &["/from second_parent"]);
    assert_eq!(
        customer(&tenant, &with_other_parent).await["version"],
        1,
        "nothing of it was kept"
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

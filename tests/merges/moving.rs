//! What refers to a merged customer: it refers to the survivor from then on, and goes back when that is undone.

use super::{customer, merge, person, said, two, undo};
use crate::harness::{Tenant, eventually, id_of};
use serde_json::{Value, json};

async fn tie(tenant: &Tenant, from: &str, to: &str, more: Value) -> String {
    let mut body = json!({"from_id": from, "to_id": to, "role": "parent_company"});
    domain::input::merge(&mut body, &more);
    id_of(&tenant.create("relationships", body).await)
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

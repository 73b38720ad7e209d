//! What every resource can do, told of each of them.

use crate::harness::{RESOURCES, Send, Tenant, at_once, id_of};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// Tells a story of every resource, each in a tenant of its own.
async fn of_every_resource(story: impl AsyncFn(Tenant, &'static str)) {
    for resource in RESOURCES {
        story(Tenant::new(), resource).await;
    }
}

#[tokio::test]
async fn a_record_keeps_its_version_until_something_changes() {
    of_every_resource(async |tenant, resource| {
        let created = tenant.create_example(resource).await;
        let path = format!("/v1/{resource}/{}", id_of(&created));
        let first = tenant.get(&path).await.expect(200);
        assert_eq!(
            first.body, created,
            "{resource}: what is read is what creating it answered"
        );
        assert_eq!(first.header("etag"), "\"1\"");

        let tagged = tenant.patch(&path, &json!({"tags": ["vip"]})).await.expect(200);
        assert_eq!((tagged.header("etag"), &tagged.body["version"]), ("\"2\"", &json!(2)));
        let again = tenant.patch(&path, &json!({"tags": ["vip"]})).await.expect(200);
        assert_eq!(
            again.body, tagged.body,
            "{resource}: a patch that changes nothing keeps the version"
        );
        let kinds = tenant.kinds_of_events(&created).await;
        assert_eq!(kinds, ["created", "updated"], "{resource}: and raises no event");
    })
    .await;
}

#[tokio::test]
async fn records_of_a_batch_are_found_and_told_like_those_made_one_by_one() {
    of_every_resource(async |tenant, resource| {
        let mut items = Vec::new();
        for number in 0..3 {
            let mut data = tenant.example(resource).await;
            data["tags"] = json!(["vip"]);
            data["external_ids"] = json!([{"system": "erp", "id": number.to_string()}]);
            items.push(match number {
                2 => json!({"op": "upsert", "system": "crm", "external_id": "2", "data": data}),
                _ => json!({"op": "create", "data": data}),
            });
        }
        let answer = tenant.batch(resource, json!(items)).await.expect(207);
        let vips = tenant.all(&format!("/v1/{resource}?filter[tags]=vip&sort=id")).await;
        assert_eq!(vips.len(), 3, "{resource}: {}", answer.text);
        for (number, (vip, result)) in vips.iter().zip(answer.data()).enumerate() {
            assert_eq!((&vip["id"], &result["status"]), (&result["id"], &json!(201)));
            let known = tenant.get(&format!("/v1/{resource}/by/erp/{number}")).await.expect(200);
            assert_eq!(&known.body, vip, "{resource}");
            let events = tenant.events_of(vip).await;
            assert_eq!(events.len(), 1, "{resource}: {events:?}");
            assert_eq!(events[0]["changes"]["tags"], json!({"before": null, "after": ["vip"]}));
        }
        assert_eq!(vips[2]["external_ids"].as_array().map(Vec::len), Some(2), "{resource}");
        tenant.get(&format!("/v1/{resource}/by/crm/2")).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_record_can_be_deleted_restored_and_removed_for_good() {
    of_every_resource(async |tenant, resource| {
        let record = tenant.create_example(resource).await;
        let path = format!("/v1/{resource}/{}", id_of(&record));
        let list = format!("/v1/{resource}");
        let restore = || tenant.request(Method::POST, &format!("{path}/restore")).answer();
        let listed = async || {
            tenant
                .all(&list)
                .await
                .iter()
                .any(|other| id_of(other) == id_of(&record))
        };

        assert!(listed().await, "{resource}");
        tenant.delete(&path).await.expect(204);
        tenant.get(&path).await.expect_problem(404, "not_found");
        assert!(!listed().await, "{resource}: a deleted record is in no list");
        tenant.delete(&path).await.expect_problem(404, "not_found");

        let restored = restore().await.expect(200);
        assert_eq!(restored.body["version"], 3, "{resource}");
        assert!(listed().await, "{resource}");
        assert_eq!(
            restore().await.expect(200).body,
            restored.body,
            "{resource}: there was nothing to restore"
        );

        tenant.delete(&format!("{path}?purge=true")).await.expect(204);
        tenant.get(&path).await.expect(404);
        restore().await.expect_problem(404, "not_found");
        assert_eq!(
            tenant.kinds_of_events(&record).await,
            ["created", "deleted", "restored", "purged"],
            "{resource}"
        );
        let kept = tenant.events_of(&record).await;
        assert!(
            kept.iter().all(|event| event["changes"] == json!({})),
            "{resource}: the contents of a purged record are nowhere: {kept:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_record_is_upserted_and_found_by_the_id_of_another_system() {
    of_every_resource(async |tenant, resource| {
        // A slash, a space and a letter outside ASCII, as other systems have them.
        let path = format!("/v1/{resource}/by/erp/A%2F1%20%C3%BC");
        tenant.get(&path).await.expect_problem(404, "not_found");
        let body = tenant.example(resource).await;
        tenant
            .put(&format!("{path}?mode=update_only"), &body)
            .await
            .expect_problem(404, "not_found");

        let created = tenant.put(&path, &body).await.expect(201);
        assert_eq!(
            created.body["external_ids"],
            json!([{"system": "erp", "id": "A/1 ü"}]),
            "{resource}"
        );
        assert_eq!(created.header("location"), format!("/v1/{resource}/{}", created.id()));
        assert_eq!(tenant.get(&path).await.expect(200).body, created.body);

        let same = tenant.put(&path, &body).await.expect(200);
        assert_eq!(same.body, created.body, "{resource}: the same data changes nothing");
        let tagged = tenant.put(&path, &json!({"tags": ["a"]})).await.expect(200);
        assert_eq!(tagged.body["version"], 2, "{resource}: what is left out stays");
        tenant
            .put(&format!("{path}?mode=create_only"), &body)
            .await
            .expect_problem(409, "already_exists");

        let mut other = tenant.example(resource).await;
        other["external_ids"] = created.body["external_ids"].clone();
        let list = format!("/v1/{resource}");
        tenant
            .post(&list, &other)
            .await
            .expect_problem(409, "external_id_taken");

        tenant.delete(&list_item(resource, &created.body)).await.expect(204);
        tenant.get(&path).await.expect(404);
        tenant.put(&path, &body).await.expect_problem(409, "deleted");
    })
    .await;
}

#[tokio::test]
async fn a_dry_run_answers_as_the_write_would_and_keeps_nothing() {
    of_every_resource(async |tenant, resource| {
        let record = tenant.create_example(resource).await;
        let path = list_item(resource, &record);
        let body = tenant.example(resource).await;
        let events = tenant.changes().await.len();

        let created = tenant
            .post(&format!("/v1/{resource}?dry_run=true"), &body)
            .await
            .expect(201);
        tenant.get(&list_item(resource, &created.body)).await.expect(404);
        let patched = tenant
            .patch(&format!("{path}?dry_run=true"), &json!({"tags": ["a"]}))
            .await
            .expect(200);
        assert_eq!(patched.body["version"], 2);
        tenant
            .put(&format!("/v1/{resource}/by/erp/1?dry_run=true"), &body)
            .await
            .expect(201);
        tenant.delete(&format!("{path}?dry_run=true")).await.expect(204);
        tenant
            .delete(&format!("{path}?dry_run=true&purge=true"))
            .await
            .expect(204);
        let items = json!({"items": [{"op": "create", "data": body}, {"op": "delete", "id": record["id"]}]});
        let batch = tenant
            .post(&format!("/v1/{resource}/batch?dry_run=true"), &items)
            .await
            .expect(207);
        assert_eq!(batch.data()[0]["status"], 201);
        assert_eq!(batch.data()[1]["status"], 204);

        assert_eq!(tenant.get(&path).await.expect(200).body, record, "{resource}");
        tenant.get(&format!("/v1/{resource}/by/erp/1")).await.expect(404);
        assert_eq!(tenant.changes().await.len(), events, "{resource}: nothing happened");
    })
    .await;
}

#[tokio::test]
async fn writes_that_come_together_and_are_undone_harm_no_other() {
    const ROUNDS: usize = 40;
    let tenant = Tenant::new();
    let (list, dry, batch) = (
        "/v1/products",
        "/v1/products?dry_run=true",
        "/v1/products/batch?atomic=true",
    );
    let product =
        |name: &str, round: usize| json!({"name": format!("{name} {round}"), "sku": format!("{name}{round}")});
    join_all((0..ROUNDS).map(|round| {
        let tenant = &tenant;
        async move {
            let item = |data: Value| json!({"op": "create", "data": data});
            let half_good = json!({"items": [item(product("torn", round)), item(json!({"name": ""}))]});
            let (kept, discarded, torn, gone) = (
                product("kept", round),
                product("discarded", round),
                half_good,
                json!({"name": "gone", "owner_id": Uuid::nil()}),
            );
            let (kept, discarded, torn, gone) = tokio::join!(
                tenant.post(list, &kept),
                tenant.post(dry, &discarded),
                tenant.post(batch, &torn),
                tenant.post(list, &gone),
            );
            discarded.expect(201);
            torn.expect_problem(422, "invalid");
            gone.expect_problem(422, "invalid");
            let renamed = json!({"name": format!("renamed {round}")});
            let path = list_item("products", &kept.expect(201).body);
            tenant.patch(&path, &renamed).await.expect(200);
        }
    }))
    .await;
    for (word, found) in [
        ("renamed", ROUNDS),
        ("kept", ROUNDS),
        ("discarded", 0),
        ("torn", 0),
        ("gone", 0),
    ] {
        let path = format!("/v1/products?limit=100&q={word}");
        assert_eq!(tenant.get(&path).await.expect(200).data().len(), found, "{word}");
    }
    assert_eq!(tenant.changes_of("product.*").await.len(), 2 * ROUNDS);
}

#[tokio::test]
async fn a_record_can_be_trimmed_to_some_fields_and_include_its_owner() {
    of_every_resource(async |tenant, resource| {
        let owner = tenant.create_example("users").await;
        let mut body = tenant.example(resource).await;
        body["owner_id"] = owner["id"].clone();
        let record = tenant.create(resource, body).await;
        let path = list_item(resource, &record);

        let trimmed = tenant.get(&format!("{path}?fields=id,tags")).await.expect(200);
        assert_eq!(trimmed.body, json!({"id": record["id"], "tags": []}), "{resource}");
        let with_owner = tenant.get(&format!("{path}?fields=id&include=owner")).await.expect(200);
        assert_eq!(
            with_owner.body,
            json!({"id": record["id"], "owner": owner}),
            "{resource}"
        );
        let listed = tenant
            .get(&format!(
                "/v1/{resource}?include=owner&fields=id&filter[id]={}",
                id_of(&record)
            ))
            .await;
        assert_eq!(
            listed.expect(200).data(),
            [json!({"id": record["id"], "owner": owner})],
            "{resource}"
        );
        let search =
            json!({"rule": {"field": "id", "op": "eq", "value": record["id"]}, "include": ["owner"], "fields": ["id"]});
        let found = tenant
            .post(&format!("/v1/{resource}/search"), &search)
            .await
            .expect(200);
        assert_eq!(
            found.data(),
            [json!({"id": record["id"], "owner": owner})],
            "{resource}"
        );

        let wrong = tenant.get(&format!("{path}?fields=id,colour&include=weather")).await;
        wrong.expect_faults(400, &["?fields unknown_field", "?include unknown_relation"]);
    })
    .await;
}

#[tokio::test]
async fn who_is_answered_reads_what_was_written_however_many_read_and_write() {
    let tenant = Tenant::new();
    let read_by_all = list_item("products", &tenant.create("products", json!({"name": "GTX"})).await);
    at_once(48, async |client| {
        for round in 0..5 {
            if client % 2 == 0 {
                tenant.get(&read_by_all).await.expect(200);
                continue;
            }
            let name = format!("Product {client}/{round}");
            let created = tenant.create("products", json!({ "name": name })).await;
            let path = list_item("products", &created);
            assert_eq!(tenant.get(&path).await.expect(200).body, created);
            let patched = tenant.patch(&path, &json!({"category": "A"})).await.expect(200);
            assert_eq!(tenant.get(&path).await.expect(200).body, patched.body);
            tenant.delete(&path).await.expect(204);
            tenant.get(&path).await.expect(404);
        }
    })
    .await;
}

fn list_item(resource: &str, record: &Value) -> String {
    format!("/v1/{resource}/{}", id_of(record))
}

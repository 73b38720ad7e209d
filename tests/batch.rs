//! Batches: many writes in one request, each on its own or all or nothing.

use crate::harness::{Tenant, at_once, id_of};
use serde_json::{Value, json};

/// A thousand creates, of which three are bad.
fn thousand_with_three_bad() -> (Value, [usize; 3]) {
    let bad = [7, 500, 999];
    let mut items: Vec<Value> = (0..1_000)
        .map(|number| json!({"op": "create", "data": {"name": format!("Product {number:04}")}}))
        .collect();
    items[bad[0]]["data"]["name"] = json!("");
    items[bad[1]]["data"]["colour"] = json!("red");
    items[bad[2]]["data"]["owner_id"] = json!("019aa000-0000-7000-8000-000000000000");
    (json!({ "items": items }), bad)
}

#[tokio::test]
async fn of_a_thousand_items_with_three_bad_ones_the_others_are_kept() {
    let tenant = Tenant::new();
    let (body, bad) = thousand_with_three_bad();
    let answer = tenant.post("/v1/products/batch", &body).await.expect(207);
    assert_eq!(answer.data().len(), 1_000);
    for (index, result) in answer.data().iter().enumerate() {
        if bad.contains(&index) {
            assert_eq!(
                (&result["status"], &result["outcome"]),
                (&json!(422), &json!("failed")),
                "item {index}"
            );
        } else {
            assert_eq!(
                (&result["status"], &result["outcome"]),
                (&json!(201), &json!("created")),
                "item {index}"
            );
            assert_eq!(result["version"], 1);
        }
    }
    let fault = |index: usize| &answer.data()[index]["error"]["errors"][0];
    assert_eq!(fault(bad[0])["pointer"], "/data/name");
    assert_eq!(fault(bad[1])["pointer"], "/data/colour");
    assert_eq!(fault(bad[2])["pointer"], "/data/owner_id");

    let kept = tenant.all("/v1/products?sort=name&limit=500").await;
    assert_eq!(kept.len(), 997);
    let created: Vec<_> = answer
        .data()
        .iter()
        .filter(|result| result["status"] == 201)
        .map(id_of)
        .collect();
    assert_eq!(
        kept.iter().map(id_of).collect::<Vec<_>>(),
        created,
        "in the order of the items"
    );
    assert_eq!(tenant.changes_of("product.created").await.len(), 997);
}

#[tokio::test]
async fn an_atomic_batch_with_a_bad_item_keeps_nothing_and_tells_every_fault() {
    let tenant = Tenant::new();
    let (body, _) = thousand_with_three_bad();
    let answer = tenant.post("/v1/products/batch?atomic=true", &body).await;
    answer.expect_faults(
        422,
        &[
            "/items/7/data/name invalid_length",
            "/items/500/data/colour unknown_field",
            "/items/999/data/owner_id unknown_reference",
        ],
    );
    assert!(tenant.all("/v1/products").await.is_empty());
    assert!(tenant.changes_of("product.*").await.is_empty());

    let good = json!({"items": [{"op": "create", "data": {"name": "A"}}, {"op": "create", "data": {"name": "B"}}]});
    tenant.post("/v1/products/batch?atomic=true", &good).await.expect(207);
    assert_eq!(tenant.all("/v1/products").await.len(), 2);
}

#[tokio::test]
async fn every_operation_tells_its_outcome() {
    let tenant = Tenant::new();
    let id = id_of(&tenant.create("products", json!({"name": "GTX"})).await);
    let items = json!([
        {"op": "update", "id": id, "if_match": "\"1\"", "data": {"category": "A"}},
        {"op": "update", "id": id, "data": {"category": "A"}},
        {"op": "upsert", "system": "erp", "external_id": "1", "data": {"name": "New"}},
        {"op": "upsert", "system": "erp", "external_id": "1", "data": {"name": "New"}},
        {"op": "upsert", "system": "erp", "external_id": "1", "mode": "create_only", "data": {"name": "New"}},
        {"op": "upsert", "system": "erp", "external_id": "2", "mode": "update_only", "data": {"name": "New"}},
        {"op": "delete", "id": id},
        {"op": "delete", "id": id},
        {"op": "update", "data": {}},
        {"op": "create"},
        {"op": "explode"},
        {"op": "create", "data": {"name": "A"}, "colour": "red"},
        "create",
    ]);
    let answer = tenant.batch("products", items).await.expect(207);
    let told: Vec<String> = answer
        .data()
        .iter()
        .map(|result| format!("{} {}", result["status"], result["outcome"].as_str().unwrap_or("none")))
        .collect();
    let expected = [
        "200 updated",
        "200 unchanged",
        "201 created",
        "200 unchanged",
        "409 failed",
        "404 failed",
        "204 deleted",
        "404 failed",
        "422 failed",
        "422 failed",
        "422 failed",
        "422 failed",
        "422 failed",
    ];
    assert_eq!(told, expected, "{}", answer.text);
}

#[tokio::test]
async fn new_records_that_stand_in_each_others_way_get_each_its_own_answer() {
    let tenant = Tenant::new();
    let customer = |name: &str, id: &str| json!({"kind": "organisation", "name": name, "external_ids": [{"system": "erp", "id": id}]});
    let items = json!([
        {"op": "create", "data": customer("Northwind Traders", "1")},
        {"op": "create", "data": customer("Contoso Pharma", "1")},
        {"op": "create", "data": customer("Fabrikam Steel", "2")},
    ]);
    let answer = tenant.batch("customers", items).await.expect(207);
    let statuses: Vec<_> = answer.data().iter().map(|result| result["status"].clone()).collect();
    assert_eq!(statuses, [201, 409, 201], "{}", answer.text);
    assert_eq!(answer.data()[1]["error"]["code"], "external_id_taken");

    let upsert = |id: &str| {
        let data = json!({"kind": "organisation", "name": format!("Customer {id} of the ERP")});
        json!({"op": "upsert", "system": "erp", "external_id": id, "data": data})
    };
    let answer = tenant.batch("customers", json!([upsert("3"), upsert("4"), upsert("3")]));
    let outcomes: Vec<_> = answer
        .await
        .expect(207)
        .data()
        .iter()
        .map(|result| result["outcome"].clone())
        .collect();
    assert_eq!(outcomes, ["created", "created", "unchanged"]);
    let answer = tenant.batch("customers", json!([upsert("5"), upsert("4")]));
    let outcomes: Vec<_> = answer
        .await
        .expect(207)
        .data()
        .iter()
        .map(|result| result["outcome"].clone())
        .collect();
    assert_eq!(outcomes, ["created", "unchanged"]);
}

#[tokio::test]
async fn interactions_of_a_batch_are_counted_for_each_customer() {
    let tenant = Tenant::new();
    let (one, other) = (
        tenant.example_id("customers").await,
        tenant.example_id("customers").await,
    );
    let call = |customer: &str, day: u32| {
        let started_at = format!("2026-01-{day:02}T09:30:00Z");
        json!({"op": "create", "data": {"channel": "call", "started_at": started_at, "customer_id": customer}})
    };
    for items in [
        json!([call(&one, 2), call(&other, 3), call(&one, 5)]),
        json!([call(&one, 4), call(&one, 1)]),
    ] {
        let answer = tenant.batch("interactions", items).await.expect(207);
        assert!(
            answer.data().iter().all(|result| result["status"] == 201),
            "{}",
            answer.text
        );
    }
    let found = async |filter: &str| -> Vec<String> {
        let found = tenant.all(&format!("/v1/customers?{filter}")).await;
        found.iter().map(id_of).collect()
    };
    assert_eq!(found("filter[call_count]=4").await, std::slice::from_ref(&one));
    assert_eq!(found("filter[call_count]=1").await, [other]);
    assert_eq!(found("filter[last_interaction_at]=2026-01-05T09:30:00Z").await, [one]);
}

#[tokio::test]
async fn batches_that_count_for_the_same_customers_are_all_kept_though_they_come_at_once() {
    const BATCHES: usize = 8;
    const EACH: usize = 25;
    let tenant = Tenant::new();
    let (one, other) = (
        tenant.example_id("customers").await,
        tenant.example_id("customers").await,
    );
    let call = |customer: &str| {
        json!({"op": "create", "data": {
            "channel": "call", "started_at": "2026-01-02T09:30:00Z", "customer_id": customer}})
    };
    let calls = [call(&one), call(&other)];
    let answers = at_once(BATCHES, async |batch| {
        let items: Vec<&Value> = (0..2 * EACH).map(|item| &calls[(batch + item) % 2]).collect();
        tenant.batch("interactions", json!(items)).await.expect(207)
    })
    .await;
    for answer in answers {
        assert!(
            answer.data().iter().all(|result| result["status"] == 201),
            "{}",
            answer.text
        );
    }
    let counted = format!("/v1/customers?filter[call_count]={}", BATCHES * EACH);
    let mut found: Vec<String> = tenant.all(&counted).await.iter().map(id_of).collect();
    found.sort();
    let mut both = [one, other];
    both.sort();
    assert_eq!(found, both);
}

#[tokio::test]
async fn items_name_records_of_the_same_batch_and_of_other_systems() {
    let tenant = Tenant::new();
    let teams = json!([
        {"op": "create", "ref": "west", "data": {"name": "West"}},
        {"op": "upsert", "system": "hr", "external_id": "7/b", "ref": "north", "data": {"name": "North", "parent_id": "ref/west"}},
        {"op": "create", "data": {"name": "Oslo", "parent_id": "ref/north"}},
        {"op": "create", "data": {"name": "Lost", "parent_id": "ref/nowhere"}},
        {"op": "create", "data": {"name": "Bergen", "parent_id": "by/hr/7/b"}},
        {"op": "create", "data": {"name": "Lost", "parent_id": "by/hr/8"}},
    ]);
    let answer = tenant.batch("teams", teams).await.expect(207);
    let parent = async |index: usize| {
        let path = format!("/v1/teams/{}", id_of(&answer.data()[index]));
        tenant.get(&path).await.expect(200).body["parent_id"].clone()
    };
    assert_eq!(parent(1).await, answer.data()[0]["id"]);
    assert_eq!(parent(2).await, answer.data()[1]["id"]);
    assert_eq!(parent(4).await, answer.data()[1]["id"]);
    for lost in [3, 5] {
        let fault = &answer.data()[lost]["error"]["errors"][0];
        assert_eq!(
            (&fault["pointer"], &fault["code"]),
            (&json!("/data/parent_id"), &json!("unknown_reference"))
        );
    }
    // Outside a batch there are no local names, but ids of other systems work all the same.
    tenant
        .post("/v1/teams", &json!({"name": "A", "parent_id": "ref/west"}))
        .await
        .expect(422);
    let team = tenant
        .create("teams", json!({"name": "A", "parent_id": "by/hr/7/b"}))
        .await;
    assert_eq!(team["parent_id"], answer.data()[1]["id"]);
}

/// Where an item fails, the others are written again in smaller parts, which must know the names given before.
#[tokio::test]
async fn items_name_each_other_however_far_apart_though_others_fail_between_them() {
    let tenant = Tenant::new();
    let mut items: Vec<Value> = (0..120)
        .map(|n| json!({"op": "create", "ref": format!("r{n}"), "data": {"name": format!("Team {n}")}}))
        .collect();
    items[37] = json!({"op": "create", "ref": "r37", "data": {"name": ""}});
    items[110]["data"]["parent_id"] = json!("ref/r3");
    items[111]["data"]["parent_id"] = json!("ref/r37");
    let answer = tenant.batch("teams", json!(items)).await.expect(207);
    for (index, result) in answer.data().iter().enumerate() {
        let expected = if [37, 111].contains(&index) { 422 } else { 201 };
        assert_eq!(result["status"], expected, "item {index}: {result}");
    }
    let path = format!("/v1/teams/{}", id_of(&answer.data()[110]));
    assert_eq!(
        tenant.get(&path).await.expect(200).body["parent_id"],
        answer.data()[3]["id"]
    );
    assert_eq!(tenant.all("/v1/teams").await.len(), 118);
}

/// They take more parameters than either database allows in one statement.
#[tokio::test]
async fn the_records_of_a_batch_may_have_many_external_ids_together() {
    let tenant = Tenant::new();
    let item = |n: usize| {
        let ids: Vec<Value> = (0..14)
            .map(|k| json!({"system": format!("s{k}"), "id": format!("{n}")}))
            .collect();
        json!({"op": "create", "data": {"name": format!("Product {n}"), "external_ids": ids}})
    };
    let items: Vec<Value> = (0..1000).map(item).collect();
    let answer = tenant.batch("products", json!(items)).await.expect(207);
    assert!(answer.data().iter().all(|result| result["status"] == 201));
    let last = tenant.get("/v1/products/by/s13/999").await.expect(200);
    assert_eq!(last.body["name"], "Product 999");

    let in_one_system = |n: usize| {
        let ids: Vec<Value> = (0..34)
            .map(|k| json!({"system": "erp", "id": format!("{n}-{k}")}))
            .collect();
        json!({"op": "create", "data": {"name": "Product", "external_ids": ids}})
    };
    let items: Vec<Value> = (0..1000).map(in_one_system).collect();
    let answer = tenant.batch("products", json!(items)).await.expect(207);
    assert!(answer.data().iter().all(|result| result["status"] == 201));
}

#[tokio::test]
async fn a_batch_has_1_to_1000_items() {
    let tenant = Tenant::new();
    let items = |count: usize| json!(vec![json!({"op": "create", "data": {"name": "A"}}); count]);
    for count in [0, 1_001] {
        tenant
            .batch("products", items(count))
            .await
            .expect_faults(422, &["/items invalid_length"]);
    }
    tenant
        .post("/v1/products/batch", &json!({"things": []}))
        .await
        .expect(422);
    assert!(tenant.all("/v1/products").await.is_empty());
}

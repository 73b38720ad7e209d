//! Duplicates of customers: refused when they are created, found with a score and reasons.

use crate::harness::{Answer, PASSWORD, Server, Tenant, id_of};
use serde_json::{Value, json};

async fn person(tenant: &Tenant, name: &str, more: Value) -> String {
    let answer = try_person(tenant, name, more, "?allow_duplicates=true").await;
    answer.expect(201).id()
}

async fn try_person(tenant: &Tenant, name: &str, more: Value, parameters: &str) -> Answer {
    let mut body = json!({"kind": "person", "name": name});
    domain::input::merge(&mut body, &more);
    tenant.post(&format!("/v1/customers{parameters}"), &body).await
}

fn email(address: &str) -> Value {
    json!({"emails": [{"address": address}]})
}

fn phone() -> Value {
    json!({"phones": [{"number": "+493012345678"}]})
}

#[tokio::test]
async fn a_customer_that_is_there_already_is_refused_unless_one_knows_better() {
    let tenant = Tenant::new();
    let ada = person(&tenant, "Ada Lovelace", email("ada@example.com")).await;
    let again = try_person(&tenant, "A. Byron", email("ADA@example.COM"), "").await;
    let refused = again.expect_problem(409, "duplicate");
    assert_eq!(
        refused.body["candidates"],
        json!([{"id": ada, "name": "Ada Lovelace", "score": 0.9, "reasons": [{"reason": "email", "similarity": 1.0}]}])
    );
    assert_eq!(tenant.all("/v1/customers").await.len(), 1);
    try_person(&tenant, "A. Byron", email("ada@example.com"), "?allow_duplicates=true")
        .await
        .expect(201);
    try_person(
        &tenant,
        "A. Byron",
        email("other@example.com"),
        "?allow_duplicates=perhaps",
    )
    .await
    .expect_faults(400, &["?allow_duplicates invalid_value"]);
    let wrong = tenant
        .post("/v1/products?allow_duplicates=true", &json!({"name": "GTX"}))
        .await;
    wrong.expect_faults(400, &["?allow_duplicates unknown_parameter"]);

    // What is changed is not asked for, nor what another tenant has or was deleted.
    tenant
        .patch(&format!("/v1/customers/{ada}"), &json!({"tags": ["gold"]}))
        .await
        .expect(200);
    let other = Tenant::new();
    let theirs = try_person(&other, "Ada", email("ada@example.com"), "")
        .await
        .expect(201)
        .id();
    other.delete(&format!("/v1/customers/{theirs}")).await.expect(204);
    try_person(&other, "Ada", email("ada@example.com"), "")
        .await
        .expect(201);
}

#[tokio::test]
async fn households_share_a_phone_and_cities_a_name() {
    let tenant = Tenant::new();
    let known = json!({"phones": phone()["phones"], "addresses": [{"city": "Berlin", "postal_code": "10115"}],
                       "birth_date": "1980-02-03"});
    person(&tenant, "Ada Lovelace", known).await;
    for (name, more, status) in [
        ("Ada Lovelace", json!({}), 201),
        ("Bob Lovelace", phone(), 201),
        ("Ada Lovelance", phone(), 409),
        ("Ada Lovelace", json!({"addresses": [{"city": "Berlin"}]}), 201),
        ("Ada Lovelace", json!({"addresses": [{"postal_code": "10115"}]}), 409),
        ("Lovelace, Ada", json!({"birth_date": "1980-02-03"}), 409),
        ("Bob", json!({"birth_date": "1980-02-03"}), 201),
    ] {
        let path = "?dry_run=true";
        let answer = try_person(&tenant, name, more.clone(), path).await;
        assert_eq!(answer.status, status, "{name} {more}: {}", answer.text);
    }
    let office = |name: &str, city: &str| json!({"kind": "organisation", "name": name, "addresses": [{"city": city}], "organisation": {"tax_id": city}});
    tenant.create("customers", office("Acme GmbH", "Hamburg")).await;
    tenant
        .post("/v1/customers", &office("ACME", "hamburg"))
        .await
        .expect_problem(409, "duplicate");
    let same_tax = json!({"kind": "organisation", "name": "Zeta", "organisation": {"tax_id": "HAM-BURG"}});
    tenant
        .post("/v1/customers", &same_tax)
        .await
        .expect_problem(409, "duplicate");
    tenant.create("customers", office("Acme", "Bremen")).await;
}

#[tokio::test]
async fn upserts_and_batches_are_asked_too() {
    let tenant = Tenant::new();
    let ada = person(&tenant, "Ada", email("ada@example.com")).await;
    let body = json!({"kind": "person", "name": "Ada", "emails": [{"address": "ada@example.com"}]});
    let path = "/v1/customers/by/erp/1";
    tenant.put(path, &body).await.expect_problem(409, "duplicate");
    tenant
        .put(&format!("{path}?allow_duplicates=true"), &body)
        .await
        .expect(201);
    tenant.put(path, &body).await.expect(200);

    let items = json!([
        {"op": "create", "data": body},
        {"op": "upsert", "system": "erp", "external_id": "2", "data": body},
        {"op": "create", "data": {"kind": "person", "name": "Bob", "emails": [{"address": "bob@example.com"}]}},
        {"op": "create", "data": {"kind": "person", "name": "Bob", "emails": [{"address": "bob@example.com"}]}},
    ]);
    let results = tenant.batch("customers", items.clone()).await.expect(207);
    let statuses: Vec<_> = results.data().iter().map(|result| result["status"].clone()).collect();
    assert_eq!(
        statuses,
        [409, 409, 201, 409],
        "an item is compared with those before it"
    );
    let candidates = results.data()[0]["error"]["candidates"].as_array().unwrap();
    assert!(candidates.iter().any(|candidate| candidate["id"] == ada.as_str()));
    let all = tenant
        .post("/v1/customers/batch?allow_duplicates=true", &json!({ "items": items }))
        .await
        .expect(207);
    assert!(all.data().iter().all(|result| result["status"] == 201), "{}", all.text);
}

#[tokio::test]
async fn duplicates_are_found_with_scores_and_reasons() {
    let tenant = Tenant::new();
    let ada = person(
        &tenant,
        "Ada Lovelace",
        json!({"emails": [{"address": "ada@example.com"}], "phones": phone()["phones"]}),
    )
    .await;
    let same = person(
        &tenant,
        "Ada Lovelace",
        json!({"emails": [{"address": "ada@example.com"}], "phones": phone()["phones"]}),
    )
    .await;
    let bob = person(&tenant, "Bob", phone()).await;
    person(&tenant, "Eve", email("eve@example.com")).await;
    person(&tenant, "Ada Lovelace", json!({})).await;

    let of = async |id: &str, parameters: &str| {
        let path = format!("/v1/customers/{id}/duplicates{parameters}");
        tenant.get(&path).await.expect(200).body["data"].clone()
    };
    let found = of(&ada, "").await;
    assert_eq!(
        (found.as_array().unwrap().len(), &found[0]["id"], &found[1]["id"]),
        (2, &json!(same), &json!(bob))
    );
    let reasons: Vec<_> = found[0]["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|evidence| evidence["reason"].clone())
        .collect();
    assert_eq!(reasons, ["email", "name", "phone"]);
    assert!(found[0]["score"].as_f64().unwrap() > 0.9 && found[1]["score"] == 0.6);
    assert_eq!(of(&ada, "?min_score=0.8").await.as_array().unwrap().len(), 1);

    let pairs = async |parameters: &str| tenant.all(&format!("/v1/customers/duplicates{parameters}")).await;
    let names = |pairs: &[Value]| -> Vec<[String; 2]> {
        let ids = pairs
            .iter()
            .map(|pair| [id_of(&pair["customers"][0]), id_of(&pair["customers"][1])]);
        ids.collect()
    };
    let all = pairs("").await;
    let expected = [
        [ada.clone(), same.clone()],
        [ada.clone(), bob.clone()],
        [same.clone(), bob.clone()],
    ];
    assert_eq!(names(&all), expected, "each pair once, though it shares two values");
    assert_eq!(pairs("?limit=1").await, all);
    assert_eq!(names(&pairs("?min_score=0.8").await), expected[..1]);
    assert_eq!(Tenant::new().all("/v1/customers/duplicates").await, Vec::<Value>::new());

    let cursor = tenant
        .get("/v1/customers/duplicates?limit=1")
        .await
        .expect(200)
        .next_cursor()
        .unwrap();
    let wrong = format!("/v1/customers/duplicates?min_score=0.7&cursor={cursor}");
    tenant.get(&wrong).await.expect_faults(400, &["?cursor invalid_cursor"]);
    let wrong = format!("/v1/customers/{ada}/duplicates?min_score=2&limit=1");
    let faults = ["?min_score out_of_range", "?limit unknown_parameter"];
    tenant.get(&wrong).await.expect_faults(400, &faults);
    Tenant::new()
        .get(&format!("/v1/customers/{ada}/duplicates"))
        .await
        .expect_problem(404, "not_found");

    // A changed customer is found by what it has become.
    let path = format!("/v1/customers/{bob}");
    tenant
        .patch(
            &path,
            &json!({"phones": [], "emails": [{"address": "EVE@example.com"}]}),
        )
        .await
        .expect(200);
    assert_eq!(of(&bob, "").await[0]["name"], "Eve");
}

#[tokio::test]
async fn who_may_not_see_a_customer_is_not_told_of_it() {
    let tenant = Tenant::on(Server::for_log_ins());
    let fay = tenant.user("fay", "agent").await;
    let path = format!("/v1/users/{}", id_of(&fay));
    tenant.patch(&path, &json!({"record_rule": "own"})).await.expect(200);
    person(&tenant, "Ada", email("ada@example.com")).await;
    let token = tenant.login("fay", PASSWORD).await.expect(200);
    let caller = tenant.as_logged_in(&token);
    let hers = try_person(&caller, "Ada", email("ada@example.com"), "")
        .await
        .expect(201)
        .id();
    let found = caller
        .get(&format!("/v1/customers/{hers}/duplicates"))
        .await
        .expect(200);
    assert_eq!(found.data(), &[] as &[Value]);
    assert_eq!(caller.all("/v1/customers/duplicates").await, Vec::<Value>::new());
    assert_eq!(tenant.all("/v1/customers/duplicates").await.len(), 1);
}

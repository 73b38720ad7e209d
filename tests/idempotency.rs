//! `Idempotency-Key`: a request that is repeated has one effect, and the same answer.

use crate::harness::{Answer, Send, Tenant, at_once};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

impl Tenant {
    async fn post_once(&self, key: &str, path: &str, body: &Value) -> Answer {
        self.request(Method::POST, path)
            .header("Idempotency-Key", key)
            .json(body)
            .answer()
            .await
    }
}

#[tokio::test]
async fn the_same_key_fifty_times_at_once_makes_one_record() {
    let tenant = Tenant::new();
    let body = json!({"name": "GTX"});
    let answers = at_once(50, |_| tenant.post_once("k-1", "/v1/products", &body)).await;
    let mut bodies = BTreeSet::new();
    let mut fresh = 0;
    for answer in answers {
        let answer = answer.expect(201);
        assert_eq!(answer.header("etag"), "\"1\"");
        assert_eq!(answer.header("location"), format!("/v1/products/{}", answer.id()));
        fresh += usize::from(answer.header("idempotency-replayed") != "true");
        bodies.insert(answer.text);
    }
    assert_eq!(
        (fresh, bodies.len()),
        (1, 1),
        "one did it, all got its answer to the byte"
    );
    assert_eq!(tenant.all("/v1/products").await.len(), 1);
    assert_eq!(
        tenant
            .changes()
            .await
            .iter()
            .filter(|event| event["kind"] == "product.created")
            .count(),
        1
    );
}

#[tokio::test]
async fn a_key_belongs_to_one_request_of_one_principal_of_one_tenant() {
    let (tenant, other) = (Tenant::new(), Tenant::new());
    let gtx = json!({"name": "GTX", "sku": "1"});
    let first = tenant.post_once("k", "/v1/products", &gtx).await.expect(201);
    // Bare or quoted, with its members in another order: still the same request.
    let same = tenant
        .post_once("\"k\"", "/v1/products", &json!({"sku": "1", "name": "GTX"}))
        .await
        .expect(201);
    assert_eq!((same.header("idempotency-replayed"), &same.text), ("true", &first.text));

    let reused = |answer: Answer| answer.expect_problem(422, "idempotency_key_reused");
    reused(tenant.post_once("k", "/v1/products", &json!({"name": "MG"})).await);
    reused(tenant.post_once("k", "/v1/products?dry_run=true", &gtx).await);

    let of_other = other.post_once("k", "/v1/products", &gtx).await.expect(201);
    assert_eq!(
        of_other.header("idempotency-replayed"),
        "",
        "another tenant's answer is never replayed"
    );
    assert_ne!(of_other.id(), first.id());
    let elsewhere = tenant
        .post_once("k", "/v1/customers", &json!({"kind": "person", "name": "Ada"}))
        .await
        .expect(201);
    assert_eq!(
        elsewhere.header("idempotency-replayed"),
        "",
        "nor that of another resource"
    );
    assert_eq!(tenant.all("/v1/products").await.len(), 1);
}

#[tokio::test]
async fn every_kind_of_write_can_be_repeated() {
    let tenant = Tenant::new();
    let product = tenant.post("/v1/products", &json!({"name": "GTX"})).await.expect(201);
    let path = format!("/v1/products/{}", product.id());
    let items = json!({"items": [{"op": "create", "data": {"name": "A"}}, {"op": "create", "data": {}}]});
    let restore = format!("{path}/restore");
    let writes = [
        (Method::PATCH, path.as_str(), json!({"category": "A"}), 200),
        (Method::PUT, "/v1/products/by/erp/1", json!({"name": "New"}), 201),
        (Method::POST, "/v1/products/batch", items, 207),
        (Method::DELETE, path.as_str(), Value::Null, 204),
        (Method::POST, restore.as_str(), Value::Null, 200),
    ];
    for (method, path, body, status) in writes {
        let events = tenant.changes().await.len();
        let send = || {
            let request = tenant.request(method.clone(), path).header("Idempotency-Key", "every");
            if body.is_null() { request } else { request.json(&body) }.answer()
        };
        let first = send().await.expect(status);
        let again = send().await.expect(status);
        assert_eq!(again.header("idempotency-replayed"), "true", "{method} {path}");
        assert_eq!(
            (&again.text, again.header("etag")),
            (&first.text, first.header("etag")),
            "{method} {path}"
        );
        assert_eq!(
            tenant.changes().await.len(),
            events + 1,
            "{method} {path} had one effect"
        );
    }
}

#[tokio::test]
async fn a_refused_request_does_not_use_up_its_key() {
    let tenant = Tenant::new();
    tenant
        .post_once("k", "/v1/products", &json!({"name": ""}))
        .await
        .expect(422);
    tenant
        .post_once("k", "/v1/products", &json!({"name": "GTX"}))
        .await
        .expect(201);
}

#[tokio::test]
async fn a_key_has_1_to_255_printable_characters() {
    let tenant = Tenant::new();
    let long = "x".repeat(256);
    for key in ["", "\"\"", "\"half", "t\tab", long.as_str()] {
        let answer = tenant.post_once(key, "/v1/products", &json!({"name": "GTX"})).await;
        answer.expect_faults(400, &["?Idempotency-Key invalid_value"]);
    }
    tenant
        .post_once(&long[1..], "/v1/products", &json!({"name": "GTX"}))
        .await
        .expect(201);
}

//! Everything that can be wrong with a request: told at once, told where, and never a 500.

use crate::harness::{Answer, Send, Tenant, id_of};
use reqwest::{Body, Method};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

impl Tenant {
    /// Posts bytes as they are.
    async fn post_raw(&self, path: &str, media_type: &str, body: impl Into<Body>) -> Answer {
        self.request(Method::POST, path)
            .header("Content-Type", media_type)
            .body(body)
            .answer()
            .await
    }
}

const JSON: &str = "application/json";

#[tokio::test]
async fn every_fault_of_a_body_is_told_with_its_place() {
    let tenant = Tenant::new();
    let body = json!({
        "name": "", "sku": 5, "colour": "red", "tags": ["a", 7], "active": "yes",
        "unit_price": {"amount": "1.234", "currency": "EUR"},
        "external_ids": [{"system": "erp"}, {"system": "erp", "id": "1", "extra": true}],
    });
    let faults = [
        "/name invalid_length",
        "/sku invalid_type",
        "/colour unknown_field",
        "/tags/1 invalid_type",
        "/active invalid_type",
        "/unit_price invalid_value",
        "/external_ids/0/id required",
        "/external_ids/1/extra unknown_field",
    ];
    tenant.post("/v1/products", &body).await.expect_faults(422, &faults);
    tenant
        .put("/v1/products/by/erp/1", &body)
        .await
        .expect_faults(422, &faults);
    let path = format!(
        "/v1/products/{}",
        id_of(&tenant.create("products", json!({"name": "A"})).await)
    );
    tenant.patch(&path, &body).await.expect_faults(422, &faults);
    tenant
        .patch(&path, &json!({"name": null}))
        .await
        .expect_faults(422, &["/name required"]);
}

#[tokio::test]
async fn what_the_service_keeps_cannot_be_set() {
    let tenant = Tenant::new();
    let path = format!(
        "/v1/products/{}",
        id_of(&tenant.create("products", json!({"name": "A"})).await)
    );
    for member in [
        "id",
        "version",
        "created_at",
        "updated_at",
        "created_by",
        "updated_by",
        "deleted_at",
        "tenant_id",
    ] {
        let fault = format!("/{member} unknown_field");
        for value in [json!(null), json!("019aa000-0000-7000-8000-000000000000"), json!(7)] {
            tenant
                .post("/v1/products", &json!({"name": "A", member: value}))
                .await
                .expect_faults(422, &[&fault]);
            tenant
                .patch(&path, &json!({member: value}))
                .await
                .expect_faults(422, &[&fault]);
        }
    }
}

#[tokio::test]
async fn a_body_that_is_no_clean_json_is_refused() {
    let tenant = Tenant::new();
    let deep = |levels: usize| format!("{{\"name\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
    let bodies: Vec<Vec<u8>> = vec![
        b"{".to_vec(),
        b"{\"name\":\"A\"} x".to_vec(),
        b"{\"name\":\"A\",}".to_vec(),
        b"{name: 'A'}".to_vec(),
        b"{\"name\":\"A\",\"name\":\"B\"}".to_vec(),
        br#"{"name":"A\u0000B"}"#.to_vec(),
        br#"{"name":"\ud800"}"#.to_vec(),
        br#"{"name":"\udc00\ud800"}"#.to_vec(),
        b"{\"name\":\"\xff\xfe\"}".to_vec(),
        b"{\"name\":\"\xed\xa0\x80\"}".to_vec(),
        b"{\"name\":\"\xc0\xaf\"}".to_vec(),
        b"{\"name\":1e999}".to_vec(),
        b"{\"name\":NaN}".to_vec(),
        b"null".to_vec(),
        b"\xef\xbb\xbf{\"name\":\"A\"}".to_vec(),
        deep(40).into_bytes(),
        deep(100_000).into_bytes(),
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        let answer = tenant.post_raw("/v1/products", JSON, body).await;
        assert_eq!(answer.status, 400, "{shown} was answered {}", answer.text);
        answer.expect_problem(400, "malformed_request");
    }
    tenant
        .post_raw("/v1/products", JSON, "")
        .await
        .expect_problem(400, "malformed_request");
    for body in ["[]", "\"A\"", "5", "true"] {
        tenant
            .post_raw("/v1/products", JSON, body)
            .await
            .expect_faults(422, &[" invalid_type"]);
    }
    assert!(tenant.all("/v1/products").await.is_empty());
}

#[tokio::test]
async fn a_body_of_another_media_type_or_size_is_refused() {
    let tenant = Tenant::new();
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "nonsense",
    ] {
        let answer = tenant.post_raw("/v1/products", media_type, "{\"name\":\"A\"}").await;
        answer.expect_problem(415, "unsupported_media_type");
    }
    let charset = tenant
        .post_raw("/v1/products", "application/json; charset=utf-8", "{\"name\":\"A\"}")
        .await;
    let path = format!("/v1/products/{}", charset.expect(201).id());
    let merge = tenant
        .request(Method::PATCH, &path)
        .header("Content-Type", "application/merge-patch+json");
    merge.body("{\"category\":\"A\"}").answer().await.expect(200);

    let product = |length: usize| format!("{{\"name\":\"A\",\"description\":\"{}\"}}", "x".repeat(length));
    tenant
        .post_raw("/v1/products", JSON, product(256 * 1024))
        .await
        .expect_problem(413, "body_too_large");
    tenant
        .post_raw("/v1/products", JSON, product(200 * 1024))
        .await
        .expect_faults(422, &["/description invalid_length"]);
    let padded = format!("{}{{\"items\":[]}}", " ".repeat(16 * 1024 * 1024));
    tenant
        .post_raw("/v1/products/batch", JSON, padded)
        .await
        .expect_problem(413, "body_too_large");
    let padded = format!("{}{{\"items\":[]}}", " ".repeat(1024 * 1024));
    tenant
        .post_raw("/v1/products/batch", JSON, padded)
        .await
        .expect_faults(422, &["/items invalid_length"]);
}

#[tokio::test]
async fn a_bomb_of_json_costs_next_to_nothing() {
    let tenant = Tenant::new();
    let bombs = [
        "[".repeat(250_000),
        "{\"a\":".repeat(50_000),
        format!("[{}]", "{},".repeat(80_000)),
    ];
    for bomb in bombs {
        let started = Instant::now();
        let answer = tenant.post_raw("/v1/products", JSON, bomb).await;
        assert!([400, 422].contains(&answer.status), "{}", answer.text);
        assert!(
            started.elapsed() < Duration::from_secs(2),
            "it took {:?}",
            started.elapsed()
        );
    }
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_not_found() {
    let tenant = Tenant::new();
    for path in [
        "/v1",
        "/v2/products",
        "/v1/widgets",
        "/v1/products/",
        "/v1/products/not-a-uuid",
        "/v1/products/1/2/3",
        "/v1/products/019aa000-0000-7000-8000-000000000000",
        "/v1/products/by/erp",
        "/v1/products/by/erp/none",
        "/v1/products/%00",
        "/v1/products/%FF",
        "/v1/products/../../etc/passwd",
    ] {
        tenant.get(path).await.expect_problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_query_that_is_no_text_is_refused() {
    let tenant = Tenant::new();
    for query in [
        "filter[name]=%00",
        "%00=1",
        "q=a%00bc",
        "filter%5Bname=1",
        "filter[name][]=1",
        "filter[]=1",
    ] {
        let answer = tenant.get(&format!("/v1/products?{query}")).await;
        assert_eq!(answer.status, 400, "{query} was answered {}", answer.text);
    }
    // What is no UTF-8 stands as replacement characters, and so finds nothing.
    for query in ["filter[name]=%FF", "filter[name]=%ED%A0%80"] {
        let answer = tenant.get(&format!("/v1/products?{query}")).await;
        assert!(
            [200, 400].contains(&answer.status),
            "{query} was answered {}",
            answer.text
        );
    }
    let long = format!("/v1/products?filter[name]={}", "x".repeat(20_000));
    let answer = tenant.get(&long).await;
    assert!([200, 400, 414, 431].contains(&answer.status), "{}", answer.text);
}

#[tokio::test]
async fn every_path_tells_which_methods_it_has() {
    let tenant = Tenant::new();
    let document = tenant.stranger().get("/openapi.json").await.expect(200).body;
    for (path, operations) in document["paths"].as_object().expect("paths") {
        let declared: Vec<String> = operations
            .as_object()
            .expect("operations")
            .keys()
            .map(|m| m.to_uppercase())
            .collect();
        let filled = path
            .replace("{id}", "019aa000-0000-7000-8000-000000000000")
            .replace(['{', '}'], "");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if declared.iter().any(|other| other == method) {
                continue;
            }
            let answer = tenant
                .request(method.parse().expect("a method"), &filled)
                .json(&json!({}))
                .answer()
                .await;
            let answer = answer.expect_problem(405, "method_not_allowed");
            let mut allowed: Vec<&str> = answer.header("allow").split(',').map(str::trim).collect();
            allowed.retain(|method| *method != "HEAD");
            allowed.sort_unstable();
            let mut expected: Vec<&str> = declared.iter().map(String::as_str).collect();
            expected.sort_unstable();
            assert_eq!(allowed, expected, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_problem_leads_to_the_page_that_explains_it() {
    let tenant = Tenant::new();
    let answer = tenant
        .post("/v1/products", &json!({}))
        .await
        .expect_problem(422, "invalid");
    let page = answer.body["type"].as_str().expect("a type");
    let page = tenant.stranger().get(page).await.expect(200);
    assert!(page.text.contains("invalid"), "{}", page.text);
}

#[tokio::test]
async fn a_request_keeps_its_name_from_the_client_to_the_event() {
    let tenant = Tenant::new();
    let create = |name: &str| {
        tenant
            .request(Method::POST, "/v1/products")
            .header("X-Request-Id", name)
            .json(&json!({"name": "A"}))
            .answer()
    };
    let answer = create("order-77:a.b_c").await.expect(201);
    assert_eq!(answer.header("x-request-id"), "order-77:a.b_c");
    assert_eq!(tenant.events_of(&answer.body).await[0]["request_id"], "order-77:a.b_c");

    let long = "x".repeat(129);
    for unfit in ["with a space", "<script>", long.as_str()] {
        let answer = create(unfit).await.expect(201);
        let made = answer.header("x-request-id").to_owned();
        assert!(made != unfit && !made.is_empty(), "{unfit} is replaced");
        assert_eq!(tenant.events_of(&answer.body).await[0]["request_id"], Value::from(made));
    }
}

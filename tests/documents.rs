//! Documents: files that go in and come out by streaming, with their versions.

use crate::harness::files::{chunked, content, content_digest, download, file, put, sha256};
use crate::harness::{Answer, NOBODY, Send, Tenant, id_of};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn content_comes_out_as_it_went_in_in_every_version() {
    let tenant = Tenant::new();
    let id = tenant.example_id("documents").await;
    content(&tenant, &id, "")
        .answer()
        .await
        .expect_problem(404, "not_found");
    let (first, second) = (file(3_500_000, 1), file(1, 2));
    let sent = put(&tenant, &id, chunked(&first)).answer().await.expect(201);
    assert_eq!(sent.header("etag"), "\"2\"");
    assert_eq!(sent.header("content-location"), format!("/v1/documents/{id}"));
    let expected = json!([1, "text/plain; charset=utf-8", 3_500_000, sha256(&first)]);
    let of = |body: &Value| {
        json!([
            body["content_version"],
            body["content_type"],
            body["size"],
            body["sha256"]
        ])
    };
    assert_eq!(of(&sent.body), expected);
    let digest = content_digest(&second);
    let sent = put(&tenant, &id, second.clone())
        .header("Content-Digest", digest)
        .answer()
        .await
        .expect(200);
    assert_eq!(
        (&sent.body["content_version"], &sent.body["size"]),
        (&json!(2), &json!(1))
    );
    // Content that is there already is no change, however often it is sent.
    let again = put(&tenant, &id, second.clone()).answer().await.expect(200);
    assert_eq!(again.body, sent.body);

    assert_eq!(download(content(&tenant, &id, "")).await.bytes, second);
    assert_eq!(download(content(&tenant, &id, "?version=2")).await.bytes, second);
    let old = download(content(&tenant, &id, "?version=1")).await;
    assert!(old.bytes == first, "the first version is as it was");
    for (name, value) in [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-length", "3500000"),
        ("content-disposition", "attachment; filename=\"Offer 2026-17.pdf\""),
        ("etag", &format!("\"{}\"", sha256(&first))),
        ("repr-digest", &content_digest(&first)),
        ("accept-ranges", "bytes"),
        ("cache-control", "private, no-cache"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
    ] {
        assert_eq!(old.header(name), value, "{name}");
    }
    let shown = download(content(&tenant, &id, "?disposition=inline")).await;
    assert_eq!(
        shown.header("content-disposition"),
        "inline; filename=\"Offer 2026-17.pdf\""
    );
    let head = tenant.request(Method::HEAD, &format!("/v1/documents/{id}/content?version=1"));
    let head = download(head).await;
    assert_eq!(
        (head.status, head.header("content-length"), head.bytes.len()),
        (200, "3500000", 0)
    );
    content(&tenant, &id, "?version=3")
        .answer()
        .await
        .expect_problem(404, "not_found");
    content(&tenant, &id, "?version=0&disposition=execute")
        .answer()
        .await
        .expect_faults(400, &["?version out_of_range", "?disposition invalid_value"]);

    let versions = tenant.all(&format!("/v1/documents/{id}/versions?limit=1")).await;
    let told: Vec<_> = versions
        .iter()
        .map(|version| (&version["version"], &version["sha256"]))
        .collect();
    let hashes = [json!(sha256(&first)), json!(sha256(&second))];
    assert_eq!(told, [(&json!(1), &hashes[0]), (&json!(2), &hashes[1])]);
    assert!(
        versions
            .iter()
            .all(|version| version["created_by"] == sent.body["updated_by"])
    );
    let record = tenant.get(&format!("/v1/documents/{id}")).await.expect(200).body;
    assert_eq!(
        tenant.kinds_of_events(&record).await,
        ["created", "content_added", "content_added"]
    );
}

#[tokio::test]
async fn a_client_gets_the_part_it_asks_for_and_nothing_that_it_has() {
    let tenant = Tenant::new();
    let id = tenant.example_id("documents").await;
    let whole = file(700_000, 3);
    put(&tenant, &id, whole.clone()).answer().await.expect(201);
    let etag = format!("\"{}\"", sha256(&whole));
    let part = async |range: &str, if_range: &str| {
        let request = content(&tenant, &id, "").header("Range", range);
        let request = if if_range.is_empty() {
            request
        } else {
            request.header("If-Range", if_range)
        };
        download(request).await
    };
    for (range, start, end) in [
        ("bytes=0-0", 0, 1),
        ("bytes=300000-", 300_000, 700_000),
        ("bytes=-7", 699_993, 700_000),
    ] {
        for condition in ["", &etag] {
            let answer = part(range, condition).await;
            assert_eq!(answer.status, 206);
            assert_eq!(
                answer.header("content-range"),
                format!("bytes {start}-{}/700000", end - 1)
            );
            assert_eq!(answer.header("content-length"), (end - start).to_string());
            assert!(answer.bytes == whole[start..end], "{range}");
        }
    }
    for (range, condition) in [("bytes=0-1,5-6", ""), ("rows=1-2", ""), ("bytes=0-0", "\"other\"")] {
        let answer = part(range, condition).await;
        assert_eq!((answer.status, answer.bytes.len()), (200, 700_000), "{range}");
    }
    let beyond = content(&tenant, &id, "")
        .header("Range", "bytes=700000-")
        .answer()
        .await;
    let beyond = beyond.expect_problem(416, "range_not_satisfiable");
    assert_eq!(beyond.header("content-range"), "bytes */700000");
    let known = content(&tenant, &id, "")
        .header("If-None-Match", &etag)
        .answer()
        .await
        .expect(304);
    assert_eq!((known.header("etag"), known.text.as_str()), (etag.as_str(), ""));
}

#[tokio::test]
async fn one_request_makes_a_document_with_its_content() {
    let tenant = Tenant::new();
    let body = json!({"kind": "person", "name": "Ada", "external_ids": [{"system": "erp", "id": "7"}]});
    let customer = tenant.create("customers", body).await;
    let path = "/v1/documents/upload?subject_type=customer&subject_id=by/erp/7&name=%C3%84ngebot.pdf&description=March";
    let upload = |path: &str| {
        let request = tenant
            .request(Method::POST, path)
            .header("Content-Type", "application/pdf");
        request.header("Idempotency-Key", "one")
    };
    let pdf = file(300_000, 4);
    let made = upload(path).body(pdf.clone()).answer().await.expect(201);
    let id = made.id();
    assert_eq!(made.header("location"), format!("/v1/documents/{id}"));
    assert_eq!(made.body["subject"], json!({"type": "customer", "id": customer["id"]}));
    assert_eq!(
        (&made.body["name"], &made.body["description"]),
        (&json!("Ängebot.pdf"), &json!("March"))
    );
    assert_eq!(
        (&made.body["content_type"], &made.body["size"]),
        (&json!("application/pdf"), &json!(300_000))
    );
    let answer = download(content(&tenant, &id, "")).await;
    assert!(answer.bytes == pdf);
    let told = "attachment; filename=\"_ngebot.pdf\"; filename*=UTF-8''%C3%84ngebot.pdf";
    assert_eq!(answer.header("content-disposition"), told);

    let again = upload(path).body(chunked(&pdf)).answer().await.expect(201);
    assert_eq!((again.id(), again.header("idempotency-replayed")), (id.clone(), "true"));
    let other = upload(path).body("another file").answer().await;
    other.expect_problem(422, "idempotency_key_reused");
    let found = tenant
        .get(&format!("/v1/customers/{}?include=documents", id_of(&customer)))
        .await
        .expect(200);
    assert_eq!(found.body["documents"], json!([made.body]));
    let hash = sha256(&pdf);
    for filter in [
        "filter[content_type]=application/pdf",
        "filter[size][gte]=300000&filter[size][lte]=300000&sort=-size",
        &format!("filter[sha256]={hash}"),
        &format!("filter[subject.id]={}", id_of(&customer)),
        "filter[name][starts_with]=Än&sort=name",
        "filter[content_version]=1",
        "q=ngebot",
    ] {
        let found = tenant.get(&format!("/v1/documents?{filter}")).await.expect(200);
        assert_eq!(found.ids(), std::slice::from_ref(&id), "{filter}");
    }
    assert_eq!(
        tenant.all("/v1/documents?filter[size][gt]=300000").await,
        Vec::<Value>::new()
    );
}

#[tokio::test]
async fn an_upload_that_is_described_wrongly_is_refused_as_a_whole() {
    let tenant = Tenant::new();
    let upload = async |query: &str, body: &'static str| {
        let path = format!("/v1/documents/upload?{query}");
        tenant.request(Method::POST, &path).body(body).answer().await
    };
    for (query, faults) in [
        (
            "",
            &["?subject_type required", "?subject_id required", "?name required"][..],
        ),
        (
            "subject_type=planet&subject_id=7&name=..&tags=a",
            &[
                "?subject_type invalid_choice",
                "?subject_id invalid_value",
                "?name invalid_format",
                "?tags unknown_parameter",
            ],
        ),
        (
            &format!("subject_type=document&subject_id={NOBODY}&name=a/b"),
            &["?subject_type invalid_choice", "?name invalid_format"],
        ),
        (
            "subject_type=customer&subject_id=by/erp/1&name=a%0Ab",
            &["?name invalid_format"],
        ),
    ] {
        upload(query, "content").await.expect_faults(400, faults);
    }
    for id in [NOBODY, "by/erp/1"] {
        let query = format!("subject_type=customer&subject_id={id}&name=a");
        upload(&query, "content")
            .await
            .expect_faults(422, &["/subject/id unknown_reference"]);
    }
    let customer = tenant.example_id("customers").await;
    let query = format!("subject_type=customer&subject_id={customer}&name=a");
    upload(&query, "").await.expect_problem(400, "malformed_request");
    let dry = upload(&format!("{query}&dry_run=true"), "content").await.expect(201);
    assert_eq!(dry.body["size"], 7);
    assert_eq!(
        tenant.all("/v1/documents").await,
        Vec::<Value>::new(),
        "nothing was kept"
    );
    let reader = tenant.as_role("reader");
    let refused = reader
        .request(Method::POST, &format!("/v1/documents/upload?{query}"))
        .body("content")
        .answer();
    refused.await.expect_problem(403, "forbidden");
}

#[tokio::test]
async fn content_is_put_only_where_it_is_expected() {
    let tenant = Tenant::new();
    let id = tenant.example_id("documents").await;
    let sent = async |if_match: &str, text: &'static str| -> Answer {
        put(&tenant, &id, text).header("If-Match", if_match).answer().await
    };
    let hash = |text: &str| format!("\"{}\"", sha256(text.as_bytes()));
    sent("\"1\"", "one").await.expect(201);
    sent("\"1\"", "two").await.expect_problem(412, "version_mismatch");
    sent(&hash("one"), "two").await.expect(200);
    sent(&hash("one"), "three")
        .await
        .expect_problem(412, "version_mismatch");
    let third = sent(&format!("{}, {}", hash("one"), hash("two")), "three")
        .await
        .expect(200);
    assert_eq!(third.header("etag"), "\"4\"");
    sent("*", "four").await.expect(200);
    sent("four", "five")
        .await
        .expect_faults(400, &["?If-Match invalid_value"]);

    let careful = Tenant::with_options(&["--require-if-match"]);
    let id = careful.example_id("documents").await;
    put(&careful, &id, "one")
        .answer()
        .await
        .expect_problem(428, "version_required");
    put(&careful, &id, "one")
        .header("If-Match", "\"1\"")
        .answer()
        .await
        .expect(201);
}

#[tokio::test]
async fn a_repeated_put_has_one_effect_and_a_dry_run_none() {
    let tenant = Tenant::new();
    let id = tenant.example_id("documents").await;
    let path = format!("/v1/documents/{id}/content?dry_run=true");
    let dry = tenant
        .request(Method::PUT, &path)
        .body("content")
        .answer()
        .await
        .expect(201);
    assert_eq!(dry.body["content_type"], "application/octet-stream");
    content(&tenant, &id, "")
        .answer()
        .await
        .expect_problem(404, "not_found");
    let keyed = |text: &'static str| {
        put(&tenant, &id, text)
            .header("Idempotency-Key", "k")
            .header("If-Match", "\"1\"")
    };
    let first = keyed("one").answer().await.expect(201);
    put(&tenant, &id, "two").answer().await.expect(200);
    let again = keyed("one").answer().await.expect(201);
    assert_eq!(
        (&again.body, again.header("idempotency-replayed")),
        (&first.body, "true")
    );
    keyed("three")
        .answer()
        .await
        .expect_problem(422, "idempotency_key_reused");
    let retyped = tenant
        .request(Method::PUT, &format!("/v1/documents/{id}/content"))
        .header("Idempotency-Key", "k")
        .header("If-Match", "\"1\"")
        .header("Content-Type", "text/html")
        .body("one");
    retyped.answer().await.expect_problem(422, "idempotency_key_reused");
    assert_eq!(download(content(&tenant, &id, "")).await.bytes, b"two");
}

#[tokio::test]
async fn the_content_of_another_tenant_or_of_a_deleted_document_is_not_there() {
    let (tenant, thief) = (Tenant::new(), Tenant::new());
    let id = tenant.example_id("documents").await;
    put(&tenant, &id, "secret").answer().await.expect(201);
    let refused = async |who: &Tenant| {
        content(who, &id, "").answer().await.expect_problem(404, "not_found");
        content(who, &id, "?version=1")
            .answer()
            .await
            .expect_problem(404, "not_found");
        put(who, &id, "mine").answer().await.expect_problem(404, "not_found");
        let keyed = put(who, &id, "mine").header("Idempotency-Key", "k").answer().await;
        keyed.expect_problem(404, "not_found");
        who.get(&format!("/v1/documents/{id}/versions"))
            .await
            .expect_problem(404, "not_found");
    };
    refused(&thief).await;
    for path in ["..%2F..%2Frapport.db", "%2e%2e", "a"] {
        content(&tenant, path, "")
            .answer()
            .await
            .expect_problem(404, "not_found");
    }
    tenant.delete(&format!("/v1/documents/{id}")).await.expect(204);
    refused(&tenant).await;
    tenant
        .post(&format!("/v1/documents/{id}/restore"), &json!({}))
        .await
        .expect(200);
    assert_eq!(download(content(&tenant, &id, "")).await.bytes, b"secret");
}

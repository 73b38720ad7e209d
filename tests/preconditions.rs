//! `ETag`, `If-Match` and `If-None-Match`: nobody writes over what they have not seen.

use crate::harness::{Send, Tenant, at_once, id_of};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn what_the_client_has_already_is_not_sent_again() {
    let tenant = Tenant::new();
    let path = product(&tenant).await;
    let ask = |known: &'static str| {
        tenant
            .request(Method::GET, &path)
            .header("If-None-Match", known)
            .answer()
    };
    for known in ["\"1\"", "W/\"1\"", "\"7\", \"1\"", "*"] {
        let answer = ask(known).await.expect(304);
        assert_eq!((answer.text.as_str(), answer.header("etag")), ("", "\"1\""), "{known}");
    }
    for known in ["\"2\"", "1", "\"\""] {
        ask(known).await.expect(200);
    }
}

#[tokio::test]
async fn a_write_over_an_unseen_version_is_refused_with_the_record_as_it_is() {
    let tenant = Tenant::new();
    let path = product(&tenant).await;
    let second = tenant
        .patch_at(&path, "\"1\"", &json!({"category": "A"}))
        .await
        .expect(200);

    let lost = tenant.patch_at(&path, "\"1\"", &json!({"category": "B"})).await;
    let lost = lost.expect_problem(412, "version_mismatch");
    assert_eq!(lost.body["current"], second.body);
    assert_eq!(lost.header("etag"), "\"2\"");

    let delete = |etag: &'static str| tenant.request(Method::DELETE, &path).header("If-Match", etag).answer();
    delete("\"1\"").await.expect_problem(412, "version_mismatch");
    delete("W/\"2\"").await.expect_problem(412, "version_mismatch");
    delete("seven").await.expect_faults(400, &["?If-Match invalid_value"]);
    let batch = json!([{"op": "update", "id": second.id(), "if_match": "1", "data": {"category": "B"}}]);
    let batch = tenant.batch("products", batch).await.expect(207);
    assert_eq!(batch.data()[0]["status"], 412);
    assert_eq!(batch.data()[0]["error"]["current"], second.body);
    assert_eq!(
        tenant.get(&path).await.body,
        second.body,
        "none of these changed anything"
    );
    delete("\"2\"").await.expect(204);
}

#[tokio::test]
async fn of_sixteen_writers_with_the_same_etag_one_wins_each_round() {
    let tenant = Tenant::new();
    let path = product(&tenant).await;
    for round in 1..=5 {
        let etag = format!("\"{round}\"");
        let answers = at_once(16, |writer| {
            let (tenant, path, etag) = (&tenant, &path, &etag);
            async move {
                tenant
                    .patch_at(path, etag, &json!({"category": format!("{round}/{writer}")}))
                    .await
            }
        })
        .await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!((won.len(), lost.len()), (1, 15), "round {round}");
        let current = tenant.get(&path).await.expect(200);
        assert_eq!(current.body, won[0].body);
        for answer in lost {
            assert_eq!(
                answer.expect_problem(412, "version_mismatch").body["current"],
                current.body
            );
        }
    }
}

#[tokio::test]
async fn writers_who_do_not_name_a_version_all_get_through() {
    let tenant = Tenant::new();
    let path = product(&tenant).await;
    let answers = at_once(32, |writer| {
        let (tenant, path) = (&tenant, &path);
        async move { tenant.patch(path, &json!({"category": format!("{writer}")})).await }
    })
    .await;
    let mut versions: Vec<_> = answers
        .into_iter()
        .map(|answer| answer.expect(200).body["version"].as_i64())
        .collect();
    versions.sort_unstable();
    assert_eq!(
        versions,
        (2..=33).map(Some).collect::<Vec<_>>(),
        "each made a version of its own"
    );
}

#[tokio::test]
async fn a_tenant_can_demand_that_every_change_names_the_version() {
    let tenant = Tenant::with_options(&["--require-if-match"]);
    let product = tenant.create("products", json!({"name": "GTX"})).await;
    let path = format!("/v1/products/{}", id_of(&product));
    tenant
        .patch(&path, &json!({"category": "A"}))
        .await
        .expect_problem(428, "version_required");
    tenant.delete(&path).await.expect_problem(428, "version_required");
    tenant
        .delete(&format!("{path}?purge=true"))
        .await
        .expect_problem(428, "version_required");
    let batch = json!([{"op": "update", "id": product["id"], "data": {}}, {"op": "delete", "id": product["id"]}]);
    for result in tenant.batch("products", batch).await.expect(207).data() {
        assert_eq!(
            (&result["status"], &result["error"]["code"]),
            (&json!(428), &json!("version_required"))
        );
    }
    assert_eq!(tenant.get(&path).await.expect(200).body, product);
    tenant
        .patch_at(&path, "\"1\"", &json!({"category": "A"}))
        .await
        .expect(200);
    tenant
        .put("/v1/products/by/erp/1", &json!({"name": "New"}))
        .await
        .expect(201);
    tenant
        .put("/v1/products/by/erp/1", &json!({"name": "Old"}))
        .await
        .expect_problem(428, "version_required");
}

async fn product(tenant: &Tenant) -> String {
    format!(
        "/v1/products/{}",
        id_of(&tenant.create("products", json!({"name": "GTX"})).await)
    )
}

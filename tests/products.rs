//! The life of one record, told on products: what every resource can do.

use crate::harness::{Send, Tenant, id_of};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_product_is_created_read_changed_deleted_and_restored() {
    let tenant = Tenant::new();
    let fields = json!({"name": "GTX Pro", "sku": "GTX-PRO", "unit_price": {"amount": "4821.00", "currency": "EUR"}});
    let created = tenant.post("/v1/products", &fields).await.expect(201);
    let path = format!("/v1/products/{}", created.id());
    assert_eq!(created.header("location"), path);
    assert_eq!(created.header("etag"), "\"1\"");
    assert_eq!(created.body["version"], 1);
    assert_eq!(created.body["unit_price"], fields["unit_price"]);
    assert_eq!(created.body["active"], true);

    let read = tenant.get(&path).await.expect(200);
    assert_eq!(read.body, created.body);

    let changed = tenant
        .patch(&path, &json!({"sku": null, "category": "GTX"}))
        .await
        .expect(200);
    assert_eq!(changed.header("etag"), "\"2\"");
    assert_eq!(changed.body["sku"], json!(null));
    assert_eq!(changed.body["category"], "GTX");
    assert_eq!(changed.body["name"], "GTX Pro");

    tenant.delete(&path).await.expect(204);
    tenant.get(&path).await.expect_problem(404, "not_found");
    tenant
        .patch(&path, &json!({"category": "B"}))
        .await
        .expect_problem(404, "not_found");
    assert!(tenant.all("/v1/products").await.is_empty());

    let restored = tenant
        .request(Method::POST, &format!("{path}/restore"))
        .answer()
        .await
        .expect(200);
    assert_eq!(restored.body["version"], 4);
    assert_eq!(
        tenant.all("/v1/products").await.iter().map(id_of).collect::<Vec<_>>(),
        [created.id()]
    );
}

//! Notes about records of any kind.

use crate::harness::{RESOURCES, Tenant, id_of};
use domain::Kind;
use serde_json::json;

#[tokio::test]
async fn a_note_can_be_about_a_record_of_any_kind_but_a_note() {
    for resource in RESOURCES.iter().filter(|resource| **resource != "notes") {
        let tenant = Tenant::new();
        let record = tenant.create_example(resource).await;
        let kind = Kind::from_plural(resource).unwrap().as_str();
        let path = format!("/v1/{resource}/{}", id_of(&record));
        let note = tenant
            .create(
                "notes",
                json!({"subject": {"type": kind, "id": record["id"]}, "body": "Call first."}),
            )
            .await;

        let found = tenant.get(&format!("{path}?include=notes")).await.expect(200);
        assert_eq!(found.body["notes"], json!([note]), "{resource}");
        let filter = format!("/v1/notes?filter[subject.id]={}", id_of(&record));
        assert_eq!(tenant.all(&filter).await, std::slice::from_ref(&note), "{resource}");

        let about_note = json!({"subject": {"type": "note", "id": note["id"]}, "body": "No."});
        tenant
            .post("/v1/notes", &about_note)
            .await
            .expect_faults(422, &["/subject/type invalid_choice"]);
    }
}

#[tokio::test]
async fn a_note_needs_its_subject_and_goes_with_it() {
    let tenant = Tenant::new();
    let product = json!({"name": "GTX", "external_ids": [{"system": "erp", "id": "7"}]});
    let product = tenant.create("products", product).await;
    let by_erp = json!({"subject": {"type": "product", "id": "by/erp/7"}, "body": "Sells well."});
    let note = tenant.create("notes", by_erp).await;
    assert_eq!(note["subject"]["id"], product["id"]);

    let customer = json!({"subject": {"type": "customer", "id": product["id"]}, "body": "Of another kind."});
    tenant
        .post("/v1/notes", &customer)
        .await
        .expect_faults(422, &["/subject/id unknown_reference"]);
    let stranger = Tenant::new();
    let elsewhere = json!({"subject": {"type": "product", "id": product["id"]}, "body": "Not mine."});
    stranger
        .post("/v1/notes", &elsewhere)
        .await
        .expect_faults(422, &["/subject/id unknown_reference"]);

    tenant
        .delete(&format!("/v1/products/{}?purge=true", id_of(&product)))
        .await
        .expect(204);
    tenant.get(&format!("/v1/notes/{}", id_of(&note))).await.expect(404);
    let tombstone = tenant.changes_of("note.purged").await;
    assert_eq!(tombstone.len(), 1);
}

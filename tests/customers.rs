//! Customers: who they are, how they are reached and found, and how they move along their lifecycle.

use crate::harness::{Tenant, id_of};
use serde_json::{Value, json};

fn ada() -> Value {
    json!({
        "kind": "person", "given_name": "Ada", "family_name": "Lovelace",
        "emails": [{"address": " Ada.L@Example.COM ", "label": "work"}, {"address": "ada@home.example"}],
        "phones": [{"number": "030 / 1234 5678"}, {"number": "+44 (0)20 7946 0018", "primary": true}],
        "addresses": [{"city": "Berlin", "country": "DE"}, {"city": "London", "country": "GB"}],
        "handles": [{"network": "linkedin", "handle": "@AdaL"}],
        "language": "EN-gb", "time_zone": "Europe/London", "birth_date": "1985-12-10",
        "demographics": {"gender": "female", "education": "doctorate", "occupation": "engineer", "household_size": 3,
                         "income_band": "80-100k"},
        "interests": ["engines", "poetry"],
        "preferences": {"channel": "email", "frequency": "monthly", "quiet_hours": {"start": "22:00", "end": "07:30"},
                        "product_likes": ["looms"]},
        "tags": ["vip"], "external_ids": [{"system": "erp", "id": "C-1"}],
    })
}

fn acme() -> Value {
    json!({
        "kind": "organisation", "name": "Acme Corporation", "lifecycle": "customer",
        "emails": [{"address": "info@acme.example"}], "addresses": [{"city": "Lyon", "country": "FR"}],
        "organisation": {"legal_name": "Acme SA", "industry": "software", "employees": 1200, "founded_year": 1996,
                         "annual_revenue": {"amount": "1100040000.00", "currency": "USD"},
                         "website": "https://acme.example", "tax_id": "FR123"},
    })
}

#[tokio::test]
async fn contact_points_come_to_one_form_with_one_primary_each() {
    let tenant = Tenant::new();
    let ada = tenant.create("customers", ada()).await;
    assert_eq!(ada["name"], "Ada Lovelace");
    assert_eq!(ada["lifecycle"], "lead");
    assert_eq!(ada["language"], "en-GB");
    assert_eq!(
        ada["emails"][0],
        json!({"address": "Ada.L@example.com", "label": "work", "primary": true})
    );
    assert_eq!(ada["emails"][1]["primary"], false);
    assert_eq!(ada["phones"][0]["number"], "+493012345678");
    assert_eq!(
        ada["phones"][1],
        json!({"number": "+442079460018", "label": null, "primary": true})
    );
    assert_eq!(ada["handles"][0]["handle"], "AdaL");
}

#[tokio::test]
async fn every_fault_of_a_customer_is_told_at_once() {
    let tenant = Tenant::new();
    let body = json!({
        "kind": "organisation", "given_name": "Ada", "birth_date": "2999-01-01",
        "emails": [{"address": "ada"}, {"address": "a@b.example", "primary": true}, {"address": "A@B.example", "primary": true}],
        "phones": [{"number": "030 1234"}], "addresses": [{"country": "UK"}],
        "preferences": {"quiet_hours": {"start": "22:00", "end": "22:00"}},
    });
    let faults = [
        "/name required",
        "/given_name persons_only",
        "/birth_date persons_only",
        "/emails/0/address invalid_format",
        "/emails/2 duplicate",
        "/emails/2/primary second_primary",
        "/phones/0/number invalid_format",
        "/addresses/0/country unknown_country",
        "/preferences/quiet_hours empty_span",
    ];
    tenant.post("/v1/customers", &body).await.expect_faults(422, &faults);
    let unborn = json!({"kind": "person", "name": "Ada", "birth_date": "2999-01-01"});
    tenant
        .post("/v1/customers", &unborn)
        .await
        .expect_faults(422, &["/birth_date out_of_range"]);
}

#[tokio::test]
async fn a_persons_name_follows_its_parts() {
    let tenant = Tenant::new();
    let ada = tenant
        .create(
            "customers",
            json!({"kind": "person", "given_name": "Ada", "family_name": "Byron"}),
        )
        .await;
    let path = format!("/v1/customers/{}", id_of(&ada));
    let married = tenant
        .patch(&path, &json!({"family_name": "Lovelace"}))
        .await
        .expect(200);
    assert_eq!(married.body["name"], "Ada Lovelace");
    tenant.patch(&path, &json!({"name": "Lady Lovelace"})).await.expect(200);
    let king = tenant.patch(&path, &json!({"family_name": "King"})).await.expect(200);
    assert_eq!(king.body["name"], "Lady Lovelace");
    let cleared = tenant.patch(&path, &json!({"name": null})).await.expect(200);
    assert_eq!(cleared.body["name"], "Ada King");
}

#[tokio::test]
async fn customers_are_found_by_everything_that_is_known_of_them() {
    let tenant = Tenant::new();
    let [ada, acme] = [ada(), acme()].map(|body| tenant.create("customers", body));
    let (ada, acme) = (id_of(&ada.await), id_of(&acme.await));
    for filter in [
        "kind]=person",
        "name]=Ada Lovelace",
        "lifecycle]=lead",
        "emails]=ADA.L@example.com",
        "phones]=%2B442079460018",
        "country]=GB",
        "city]=Berlin",
        "handles]=linkedin:adal",
        "tags]=vip",
        "interests]=poetry",
        "language]=en-GB",
        "time_zone]=Europe/London",
        "birth_date][lt]=1990-01-01",
        "demographics.gender]=female",
        "demographics.education]=doctorate",
        "demographics.occupation][contains]=ENGIN",
        "demographics.household_size][gte]=3",
        "demographics.income_band]=80-100k",
        "preferences.channel]=email",
        "preferences.frequency]=monthly",
        "preferences.quiet_hours]=23",
        "preferences.product_likes]=looms",
    ] {
        let found = tenant.get(&format!("/v1/customers?filter[{filter}")).await.expect(200);
        assert_eq!(found.ids(), [ada.as_str()], "{filter}");
    }
    for filter in [
        "kind]=organisation",
        "country][in]=FR,BE",
        "emails][missing]=false",
        "preferences.quiet_hours][has_none]=23",
        "organisation.industry]=software",
        "organisation.employees][between]=1000,2000",
        "organisation.founded_year]=1996",
        "organisation.annual_revenue][gt]=1000000000 USD",
        "organisation.tax_id]=FR123",
    ] {
        let found = tenant.get(&format!("/v1/customers?filter[{filter}")).await.expect(200);
        assert!(found.ids().contains(&acme), "{filter}: {}", found.text);
    }
    for words in ["lovelace", "ada.l@exam", "79460018", "adal"] {
        let found = tenant.get(&format!("/v1/customers?q={words}")).await.expect(200);
        assert_eq!(found.ids(), [ada.as_str()], "{words}");
    }
    let by_id = tenant.get("/v1/customers/by/erp/C-1").await.expect(200);
    assert_eq!(by_id.id(), ada);
}

#[tokio::test]
async fn what_is_known_is_patched_part_by_part() {
    let tenant = Tenant::new();
    let ada = tenant.create("customers", ada()).await;
    let path = format!("/v1/customers/{}", id_of(&ada));
    let part_by_part =
        json!({"demographics": {"occupation": null, "household_size": 4}, "preferences": {"quiet_hours": null}});
    let changed = tenant.patch(&path, &part_by_part).await.expect(200).body;
    assert_eq!(changed["demographics"]["gender"], "female");
    assert_eq!(changed["demographics"]["occupation"], Value::Null);
    assert_eq!(changed["demographics"]["household_size"], 4);
    assert_eq!(changed["preferences"]["quiet_hours"], Value::Null);
    assert_eq!(changed["preferences"]["channel"], "email");

    let again = tenant.patch(&path, &part_by_part).await.expect(200).body;
    assert_eq!(again["version"], 2, "what changes nothing is no change");
    assert_eq!(
        tenant
            .put("/v1/customers/by/erp/C-1", &json!({"tags": ["vip"]}))
            .await
            .expect(200)
            .body["version"],
        2
    );
}

#[tokio::test]
async fn a_customer_moves_along_its_lifecycle_with_dated_reasons() {
    let tenant = Tenant::new();
    let ada = tenant
        .create("customers", json!({"kind": "person", "name": "Ada"}))
        .await;
    let path = format!("/v1/customers/{}", id_of(&ada));
    let lifecycle = format!("{path}/lifecycle");

    let jump = tenant.post(&lifecycle, &json!({"stage": "loyal"})).await;
    let jump = jump.expect_faults(422, &["/lifecycle illegal_transition"]);
    assert_eq!(
        jump.body["errors"][0]["message"],
        "lead may be followed by prospect, customer, lost only"
    );
    tenant
        .patch(&path, &json!({"lifecycle": "dormant"}))
        .await
        .expect_faults(422, &["/lifecycle illegal_transition"]);

    let bought = tenant
        .post(&lifecycle, &json!({"stage": "customer", "reason": "First order"}))
        .await
        .expect(200);
    assert_eq!(bought.header("etag"), "\"2\"");
    assert_eq!(bought.body["lifecycle"], "customer");
    assert_ne!(bought.body["lifecycle_since"], ada["lifecycle_since"]);
    let repeated = tenant
        .post(&lifecycle, &json!({"stage": "customer", "reason": "Again"}))
        .await
        .expect(200);
    assert_eq!(repeated.body["version"], 2, "it was there already");
    let renamed = tenant.patch(&path, &json!({"name": "Ada L"})).await.expect(200);
    assert_eq!(renamed.body["lifecycle_since"], bought.body["lifecycle_since"]);
    tenant.patch(&path, &json!({"lifecycle": "lost"})).await.expect(200);
    tenant
        .post(&lifecycle, &json!({"stage": "prospect", "reason": "x".repeat(1001)}))
        .await
        .expect_faults(422, &["/reason invalid_length"]);

    let history = tenant.all(&format!("{lifecycle}?limit=2")).await;
    let told: Vec<_> = history
        .iter()
        .map(|c| json!([c["from_stage"], c["to_stage"], c["reason"]]))
        .collect();
    let expected = json!([
        [null, "lead", null],
        ["lead", "customer", "First order"],
        ["customer", "lost", null]
    ]);
    assert_eq!(Value::from(told), expected);
    assert_eq!(history[1]["changed_at"], bought.body["lifecycle_since"]);

    Tenant::new().get(&lifecycle).await.expect_problem(404, "not_found");
    tenant
        .as_role("reader")
        .post(&lifecycle, &json!({"stage": "lead"}))
        .await
        .expect_problem(403, "forbidden");
}

#[tokio::test]
async fn a_purged_customer_takes_its_history_and_relationships_along() {
    let tenant = Tenant::new();
    let ada = id_of(
        &tenant
            .create("customers", json!({"kind": "person", "name": "Ada"}))
            .await,
    );
    let acme = id_of(&tenant.create("customers", acme()).await);
    let tie = json!({"from_id": ada, "to_id": acme, "role": "works_at"});
    let tie = id_of(&tenant.create("relationships", tie).await);
    tenant
        .delete(&format!("/v1/customers/{ada}?purge=true"))
        .await
        .expect(204);
    tenant
        .get(&format!("/v1/relationships/{tie}"))
        .await
        .expect_problem(404, "not_found");
    assert!(
        tenant
            .all(&format!("/v1/customers/{acme}/relationships"))
            .await
            .is_empty()
    );
    let kinds: Vec<_> = tenant
        .changes()
        .await
        .iter()
        .map(|event| event["kind"].clone())
        .collect();
    assert!(kinds.contains(&json!("relationship.purged")) && kinds.contains(&json!("customer.purged")));
}

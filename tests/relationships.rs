//! Relationships: who works where and belongs to whom, in both directions, and the hierarchy of companies.

use crate::harness::{Answer, Tenant, at_once, id_of};
use serde_json::{Value, json};

async fn company(tenant: &Tenant, name: &str) -> String {
    id_of(
        &tenant
            .create("customers", json!({"kind": "organisation", "name": name}))
            .await,
    )
}

async fn tie(tenant: &Tenant, company: &str, parent: &str, first: Option<&str>, last: Option<&str>) -> Answer {
    let body = json!({
        "from_id": company, "to_id": parent, "role": "parent_company", "started_on": first, "ended_on": last,
    });
    tenant.post("/v1/relationships", &body).await
}

/// The names in a hierarchy, with their depth.
async fn hierarchy(tenant: &Tenant, of: &str, parameters: &str) -> Value {
    let found = tenant
        .get(&format!("/v1/customers/{of}/hierarchy{parameters}"))
        .await
        .expect(200);
    found
        .data()
        .iter()
        .map(|entry| json!([entry["depth"], entry["customer"]["name"]]))
        .collect()
}

#[tokio::test]
async fn relationships_are_seen_from_both_ends() {
    let tenant = Tenant::new();
    let acme = company(&tenant, "Acme").await;
    let ada = id_of(
        &tenant
            .create("customers", json!({"kind": "person", "name": "Ada"}))
            .await,
    );
    let bob = id_of(
        &tenant
            .create("customers", json!({"kind": "person", "name": "Bob"}))
            .await,
    );
    let works = json!({"from_id": ada, "to_id": acme, "role": "works_at", "title": "CTO", "started_on": "2020-01-01"});
    let works = id_of(&tenant.create("relationships", works).await);
    let referred = json!({"from_id": bob, "to_id": ada, "role": "referred_by"});
    let referred = id_of(&tenant.create("relationships", referred).await);

    let of = async |customer: &str, parameters: &str| {
        tenant
            .get(&format!("/v1/customers/{customer}/relationships{parameters}"))
            .await
            .expect(200)
    };
    assert_eq!(of(&ada, "").await.ids().len(), 2);
    assert_eq!(of(&acme, "").await.ids(), [works.as_str()]);
    assert_eq!(of(&ada, "?filter[role]=referred_by").await.ids(), [referred.as_str()]);
    let embedded = of(&acme, "?include=from,to&fields=role,title").await;
    assert_eq!(embedded.data()[0]["title"], "CTO");
    assert!(
        embedded.text.contains("\"Ada\"") && embedded.text.contains("\"Acme\""),
        "{}",
        embedded.text
    );
    let with_ties = tenant
        .get(&format!(
            "/v1/customers/{ada}?include=relationships_from,relationships_to"
        ))
        .await;
    assert!(with_ties.expect(200).text.contains(&works));

    Tenant::new()
        .get(&format!("/v1/customers/{ada}/relationships"))
        .await
        .expect_problem(404, "not_found");
}

#[tokio::test]
async fn a_relationship_ties_two_customers_for_a_time_that_ends_after_it_begins() {
    let tenant = Tenant::new();
    let [a, b] = [company(&tenant, "A").await, company(&tenant, "B").await];
    let body = json!({
        "from_id": a, "to_id": a, "role": "partner", "started_on": "2026-02-01", "ended_on": "2026-01-31",
    });
    let faults = ["/to_id same_customer", "/ended_on out_of_range"];
    tenant
        .post("/v1/relationships", &body)
        .await
        .expect_faults(422, &faults);

    let strangers = company(&Tenant::new(), "Elsewhere").await;
    let body = json!({"from_id": a, "to_id": strangers, "role": "partner"});
    tenant
        .post("/v1/relationships", &body)
        .await
        .expect_faults(422, &["/to_id unknown_reference"]);
    let body = json!({"from_id": a, "to_id": b, "role": "owns"});
    tenant.post("/v1/relationships", &body).await.expect(422);
}

#[tokio::test]
async fn a_hierarchy_is_walked_down_and_up_on_a_day() {
    let tenant = Tenant::new();
    let [top, middle, low, other] = [
        company(&tenant, "Top").await,
        company(&tenant, "Middle").await,
        company(&tenant, "Low").await,
        company(&tenant, "Other").await,
    ];
    tie(&tenant, &middle, &top, None, None).await.expect(201);
    let sold = tie(&tenant, &low, &middle, None, Some("2025-12-31")).await.expect(201);
    tie(&tenant, &low, &other, Some("2026-01-01"), None).await.expect(201);

    assert_eq!(
        hierarchy(&tenant, &top, "?on=2025-06-01").await,
        json!([[1, "Middle"], [2, "Low"]])
    );
    assert_eq!(hierarchy(&tenant, &top, "?on=2026-06-01").await, json!([[1, "Middle"]]));
    assert_eq!(hierarchy(&tenant, &top, "").await, json!([[1, "Middle"]]));
    assert_eq!(
        hierarchy(&tenant, &low, "?direction=up&on=2025-06-01").await,
        json!([[1, "Middle"], [2, "Top"]])
    );
    assert_eq!(hierarchy(&tenant, &low, "?direction=up").await, json!([[1, "Other"]]));
    assert_eq!(
        hierarchy(&tenant, &top, "?on=2025-06-01&depth=1").await,
        json!([[1, "Middle"]])
    );

    let cut = tenant
        .get(&format!("/v1/customers/{top}/hierarchy?on=2025-06-01&limit=1"))
        .await
        .expect(200);
    assert_eq!(cut.body["truncated"], true);
    assert_eq!(cut.data()[0]["parent_id"], top.as_str());
    assert_eq!(cut.data()[0]["child_id"], middle.as_str());

    let path = format!("/v1/customers/{top}/hierarchy?direction=sideways&depth=51&on=yesterday&way=up");
    let faults = [
        "?direction invalid_value",
        "?depth out_of_range",
        "?on invalid_value",
        "?way unknown_parameter",
    ];
    tenant.get(&path).await.expect_faults(400, &faults);
    Tenant::new()
        .get(&format!("/v1/customers/{top}/hierarchy"))
        .await
        .expect_problem(404, "not_found");

    tenant
        .delete(&format!("/v1/relationships/{}", sold.id()))
        .await
        .expect(204);
    assert_eq!(hierarchy(&tenant, &top, "?on=2025-06-01").await, json!([[1, "Middle"]]));
}

#[tokio::test]
async fn a_company_has_one_parent_at_a_time_and_hierarchies_no_circle() {
    let tenant = Tenant::new();
    let [a, b, c] = [
        company(&tenant, "A").await,
        company(&tenant, "B").await,
        company(&tenant, "C").await,
    ];
    let below = tie(&tenant, &a, &b, None, None).await.expect(201);
    tie(&tenant, &a, &c, None, None)
        .await
        .expect_faults(422, &["/from_id second_parent"]);
    tie(&tenant, &b, &c, None, None).await.expect(201);
    tie(&tenant, &c, &a, None, None)
        .await
        .expect_faults(422, &["/to_id circle"]);

    let path = format!("/v1/relationships/{}", below.id());
    tenant
        .patch(&path, &json!({"ended_on": "2026-03-31"}))
        .await
        .expect(200);
    tie(&tenant, &a, &c, Some("2026-04-01"), None).await.expect(201);
    tenant
        .patch(&path, &json!({"ended_on": null}))
        .await
        .expect_faults(422, &["/from_id second_parent"]);

    tenant.delete(&path).await.expect(204);
    tie(&tenant, &a, &b, None, Some("2026-03-31")).await.expect(201);
    let restored = tenant.post(&format!("{path}/restore"), &json!({})).await;
    restored.expect_faults(422, &["/from_id second_parent"]);
}

#[tokio::test]
async fn ties_written_at_the_same_time_make_no_circle() {
    let tenant = Tenant::new();
    let companies = [
        company(&tenant, "A").await,
        company(&tenant, "B").await,
        company(&tenant, "C").await,
    ];
    let answers = at_once(3, async |index| {
        tie(&tenant, &companies[index], &companies[(index + 1) % 3], None, None).await
    })
    .await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(
        made,
        2,
        "{:?}",
        answers.iter().map(|answer| &answer.text).collect::<Vec<_>>()
    );
    let refused = answers.into_iter().find(|answer| answer.status != 201).unwrap();
    refused.expect_faults(422, &["/to_id circle"]);
}

//! Opportunities: possible sales, how they move from stage to stage, and the history that this leaves.

use crate::harness::{Answer, Send, Tenant, at_once, id_of};
use crate::pipelines::Pipeline;
use reqwest::Method;
use serde_json::{Value, json};

fn path_of(opportunity: &Value) -> String {
    format!("/v1/opportunities/{}", id_of(opportunity))
}

async fn act(tenant: &Tenant, opportunity: &Value, action: &str, body: Value) -> Answer {
    tenant.post(&format!("{}/{action}", path_of(opportunity)), &body).await
}

async fn kinds_of_events(tenant: &Tenant) -> Vec<String> {
    let events = tenant.changes().await;
    let kinds = events.iter().filter_map(|event| event["kind"].as_str());
    kinds
        .filter_map(|kind| kind.strip_prefix("opportunity."))
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn an_opportunity_enters_by_the_first_open_stage() {
    let tenant = Tenant::new();
    let pipeline = Pipeline::new(&tenant, "Direct").await;
    let opportunity = pipeline
        .opportunity(&tenant, json!({"expected_close_on": "2026-12-31"}))
        .await;
    assert_eq!(opportunity["stage_id"], pipeline.prospecting);
    assert_eq!(opportunity["status"], "open");
    assert_eq!(opportunity["closed_on"], json!(null));
    assert_eq!(opportunity["stage_entered_at"], opportunity["created_at"]);
    assert_eq!(tenant.get(&path_of(&opportunity)).await.expect(200).body, opportunity);

    let empty = id_of(&tenant.create("pipelines", json!({"name": "Empty"})).await);
    let nowhere = json!({"name": "Roof", "pipeline_id": empty});
    tenant
        .post("/v1/opportunities", &nowhere)
        .await
        .expect_faults(422, &["/stage_id required"]);
}

#[tokio::test]
async fn everything_about_a_sale_is_kept_and_found() {
    let tenant = Tenant::new();
    let pipeline = Pipeline::new(&tenant, "Direct").await;
    let company = tenant
        .create("customers", json!({"kind": "organisation", "name": "Isdom"}))
        .await;
    let person = tenant
        .create("customers", json!({"kind": "person", "name": "Ada Byron"}))
        .await;
    let product = tenant
        .put("/v1/products/by/maven/GTX%20Pro", &json!({"name": "GTX Pro"}))
        .await
        .expect(201);
    let more = json!({
        "customer_id": id_of(&company),
        "amount": {"amount": "9640.00", "currency": "EUR"},
        "lines": [
            {"product_id": "by/maven/GTX Pro", "quantity": "2.50", "unit_price": {"amount": "4821.00", "currency": "EUR"},
             "discount_percent": "12.5"},
        ],
        "contacts": [{"customer_id": id_of(&person), "role": "decision_maker"}],
        "competitors": ["Globex"],
        "channel": "field",
    });
    let opportunity = pipeline.opportunity(&tenant, more).await;
    let line = json!({"product_id": product.id(), "quantity": "2.5", "discount_percent": "12.5",
                      "unit_price": {"amount": "4821.00", "currency": "EUR"}});
    assert_eq!(opportunity["lines"], json!([line]));
    pipeline.opportunity(&tenant, json!({"name": "Wall"})).await;

    for filter in [
        format!("filter[customer_id]={}", id_of(&company)),
        format!("filter[product_ids]={}", product.id()),
        format!("filter[contact_ids]={}", id_of(&person)),
        "filter[competitors]=Globex".to_owned(),
        "filter[channel]=field".to_owned(),
        "filter[customer.name]=Isdom".to_owned(),
    ] {
        let found = tenant.get(&format!("/v1/opportunities?{filter}")).await.expect(200);
        assert_eq!(found.ids(), [id_of(&opportunity)], "{filter}");
    }
    let included = tenant
        .get(&format!("{}?include=customer,stage,pipeline", path_of(&opportunity)))
        .await
        .expect(200);
    assert!(
        included.text.contains("Isdom") && included.text.contains("Prospecting"),
        "{}",
        included.text
    );
}

#[tokio::test]
async fn every_fault_of_an_opportunity_is_told() {
    let tenant = Tenant::new();
    let pipeline = Pipeline::new(&tenant, "Direct").await;
    let price = |currency| json!({"amount": "1", "currency": currency});
    let nobody = "0199aaaa-0000-7000-8000-000000000000";
    let line = |currency| json!({"product_id": nobody, "quantity": "1", "unit_price": price(currency)});
    let wrong = pipeline.fields(json!({"probability": 101, "lines": [line("EUR"), line("USD")], "competitors": [""]}));
    let faults = [
        "/probability out_of_range",
        "/lines/1/unit_price/currency currency_differs",
        "/competitors/0 invalid_length",
    ];
    tenant
        .post("/v1/opportunities", &wrong)
        .await
        .expect_faults(422, &faults);

    let strangers =
        json!({"customer_id": nobody, "lines": [line("EUR")], "contacts": [{"customer_id": nobody, "role": "user"}]});
    let faults = [
        "/customer_id unknown_reference",
        "/lines/0/product_id unknown_reference",
        "/contacts/0/customer_id unknown_reference",
    ];
    tenant
        .post("/v1/opportunities", &pipeline.fields(strangers))
        .await
        .expect_faults(422, &faults);

    let closed = pipeline.fields(json!({"closed_on": "2026-01-01", "close_reason": "Price"}));
    let faults = ["/closed_on opportunity_open", "/close_reason opportunity_open"];
    tenant
        .post("/v1/opportunities", &closed)
        .await
        .expect_faults(422, &faults);
    let no_number =
        pipeline.fields(json!({"lines": [{"product_id": nobody, "quantity": 2.5, "unit_price": price("EUR")}]}));
    let answer = tenant.post("/v1/opportunities", &no_number).await.expect(422);
    assert!(answer.faults()[0].starts_with("/lines/0/quantity "), "{}", answer.text);
}

#[tokio::test]
async fn won_lost_and_reopened_leave_a_history() {
    let tenant = Tenant::new();
    let pipeline = Pipeline::new(&tenant, "Direct").await;
    let opportunity = pipeline.opportunity(&tenant, json!({})).await;
    act(&tenant, &opportunity, "stage", json!({"stage_id": pipeline.engaging}))
        .await
        .expect(200);
    let won = act(&tenant, &opportunity, "win", json!({"close_reason": "Price"}))
        .await
        .expect(200);
    assert_eq!(won.body["status"], "won");
    assert_eq!(won.body["stage_id"], pipeline.won);
    assert!(won.body["closed_on"].is_string());
    assert_eq!(won.header("etag"), "\"3\"");
    for action in ["win", "lose"] {
        act(&tenant, &opportunity, action, json!({}))
            .await
            .expect_problem(409, "opportunity_closed");
    }
    let back = json!({"stage_id": pipeline.engaging});
    tenant
        .patch(&path_of(&opportunity), &back)
        .await
        .expect_problem(409, "opportunity_closed");

    let reopen = format!("{}/reopen", path_of(&opportunity));
    let reopened = tenant.request(Method::POST, &reopen).answer().await.expect(200);
    assert_eq!(reopened.body["stage_id"], pipeline.engaging, "where it was before");
    assert_eq!(
        (&reopened.body["closed_on"], &reopened.body["close_reason"]),
        (&json!(null), &json!(null))
    );
    act(&tenant, &opportunity, "reopen", json!({}))
        .await
        .expect_problem(409, "opportunity_open");
    let closing = json!({"closed_on": "2026-11-02", "close_reason": "No budget"});
    let lost = act(&tenant, &opportunity, "lose", closing).await.expect(200);
    assert_eq!(
        (&lost.body["status"], &lost.body["closed_on"]),
        (&json!("lost"), &json!("2026-11-02"))
    );

    let history = tenant
        .get(&format!("{}/stages", path_of(&opportunity)))
        .await
        .expect(200);
    let stays = history.data();
    let names: Vec<_> = stays.iter().map(|stay| stay["stage_name"].as_str()).collect();
    assert_eq!(names, ["Prospecting", "Engaging", "Won", "Engaging", "Lost"].map(Some));
    for pair in stays.windows(2) {
        assert_eq!(pair[0]["left_at"], pair[1]["entered_at"]);
    }
    assert_eq!(stays[4]["left_at"], json!(null));
    assert_eq!(stays[4]["entered_at"], lost.body["stage_entered_at"]);
    assert!(
        stays[0]["duration"].as_str().is_some_and(|text| text.starts_with("PT")),
        "{}",
        stays[0]
    );
    let paged = tenant.all(&format!("{}/stages?limit=2", path_of(&opportunity))).await;
    assert_eq!(paged.len(), 5);

    let told = ["created", "moved", "won", "reopened", "lost"];
    assert_eq!(kinds_of_events(&tenant).await, told);
}

#[tokio::test]
async fn a_patch_moves_as_an_action_does() {
    let tenant = Tenant::new();
    let pipeline = Pipeline::new(&tenant, "Direct").await;
    let other = Pipeline::new(&tenant, "Partners").await;
    let opportunity = pipeline.opportunity(&tenant, json!({})).await;
    let path = path_of(&opportunity);
    let faults = ["/stage_id wrong_pipeline"];
    tenant
        .patch(&path, &json!({"stage_id": other.won}))
        .await
        .expect_faults(422, &faults);
    tenant
        .patch(&path, &json!({"pipeline_id": other.id}))
        .await
        .expect_faults(422, &faults);
    let moved = tenant
        .patch(&path, &json!({"pipeline_id": other.id, "stage_id": null}))
        .await
        .expect(200);
    assert_eq!(moved.body["stage_id"], other.prospecting);

    let won = tenant
        .patch(&path, &json!({"stage_id": other.won, "closed_on": "2026-11-01"}))
        .await
        .expect(200);
    assert_eq!(
        (&won.body["status"], &won.body["closed_on"]),
        (&json!("won"), &json!("2026-11-01"))
    );
    tenant
        .patch(&path, &json!({"closed_on": null}))
        .await
        .expect_faults(422, &["/closed_on required"]);
    let same = tenant.patch(&path, &json!({"stage_id": other.won})).await.expect(200);
    assert_eq!(same.body["version"], won.body["version"]);
    assert_eq!(kinds_of_events(&tenant).await, ["created", "moved", "won"]);
}

#[tokio::test]
async fn history_is_brought_in_by_foreign_ids() {
    let tenant = Tenant::new();
    let stage = |name: &str, kind: &str| {
        json!({"op": "upsert", "system": "maven", "external_id": name,
               "data": {"pipeline_id": "by/maven/sales", "name": name, "position": 0, "kind": kind}})
    };
    tenant
        .put("/v1/pipelines/by/maven/sales", &json!({"name": "Sales"}))
        .await
        .expect(201);
    tenant
        .batch("stages", json!([stage("Won", "won"), stage("Engaging", "open")]))
        .await
        .expect(207);
    let data = json!({"name": "GTX Pro", "pipeline_id": "by/maven/sales", "stage_id": "by/maven/Won",
                      "opened_on": "2016-10-25", "closed_on": "2017-03-11",
                      "amount": {"amount": "4514", "currency": "USD"}});
    let first = tenant
        .put("/v1/opportunities/by/maven/Z063OYW0", &data)
        .await
        .expect(201);
    assert_eq!(
        (&first.body["status"], &first.body["closed_on"]),
        (&json!("won"), &json!("2017-03-11"))
    );
    let again = tenant
        .put("/v1/opportunities/by/maven/Z063OYW0", &data)
        .await
        .expect(200);
    assert_eq!(again.body["version"], 1);

    let fields = json!({"name": "X", "pipeline_id": "by/maven/sales"});
    let opportunity = tenant
        .put("/v1/opportunities/by/maven/X", &fields)
        .await
        .expect(201)
        .body;
    let moved = act(&tenant, &opportunity, "stage", json!({"stage_id": "by/maven/Won"}))
        .await
        .expect(200);
    assert_eq!(moved.body["status"], "won");
    act(&tenant, &opportunity, "stage", json!({}))
        .await
        .expect_faults(422, &["/stage_id required"]);
}

#[tokio::test]
async fn an_action_obeys_preconditions_keys_and_dry_runs() {
    let tenant = Tenant::new();
    let pipeline = Pipeline::new(&tenant, "Direct").await;
    let opportunity = pipeline.opportunity(&tenant, json!({})).await;
    let win = format!("{}/win", path_of(&opportunity));
    let dry = tenant
        .post(&format!("{win}?dry_run=true"), &json!({}))
        .await
        .expect(200);
    assert_eq!(dry.body["status"], "won");
    assert_eq!(tenant.get(&path_of(&opportunity)).await.body["status"], "open");

    let stale = tenant
        .request(Method::POST, &win)
        .header("If-Match", "\"9\"")
        .answer()
        .await;
    stale.expect_problem(412, "version_mismatch");
    let keyed = at_once(8, |_| async {
        let request = tenant.request(Method::POST, &win).header("Idempotency-Key", "win-1");
        request.answer().await
    });
    let answers = keyed.await;
    assert!(answers.iter().all(|answer| [200, 409].contains(&answer.status)));
    assert!(answers.iter().any(|answer| answer.status == 200));
    assert_eq!(kinds_of_events(&tenant).await, ["created", "won"]);
}

#[tokio::test]
async fn what_another_tenant_sells_is_not_there() {
    let (tenant, other) = (Tenant::new(), Tenant::new());
    let pipeline = Pipeline::new(&tenant, "Direct").await;
    let opportunity = pipeline.opportunity(&tenant, json!({})).await;
    for action in ["win", "lose", "reopen", "stage"] {
        let body = json!({"stage_id": pipeline.won});
        let body = if action == "stage" { body } else { json!({}) };
        act(&other, &opportunity, action, body)
            .await
            .expect_problem(404, "not_found");
    }
    other
        .get(&format!("{}/stages", path_of(&opportunity)))
        .await
        .expect_problem(404, "not_found");
    let reader = tenant.as_role("reader");
    act(&reader, &opportunity, "win", json!({})).await.expect(403);
    reader
        .get(&format!("{}/stages", path_of(&opportunity)))
        .await
        .expect(200);
}

#[tokio::test]
async fn purging_takes_the_history_along() {
    let tenant = Tenant::new();
    let pipeline = Pipeline::new(&tenant, "Direct").await;
    let opportunity = pipeline.opportunity(&tenant, json!({"stage_id": pipeline.lost})).await;
    tenant
        .delete(&format!("{}?purge=true", path_of(&opportunity)))
        .await
        .expect(204);
    tenant
        .get(&format!("{}/stages", path_of(&opportunity)))
        .await
        .expect_problem(404, "not_found");
    let mut summary = tenant
        .get(&format!("/v1/pipelines/{}/summary", pipeline.id))
        .await
        .expect(200);
    assert_eq!(summary.body["stages"][3]["count"].take(), json!(0));
}

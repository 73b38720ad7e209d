//! Pipelines and their stages: the order of selling, and the summary of what stands in it.

use crate::harness::{Tenant, id_of};
use serde_json::{Value, json};

/// A pipeline with two open stages, a won and a lost one.
pub(crate) struct Pipeline {
    pub(crate) id: String,
    pub(crate) prospecting: String,
    pub(crate) engaging: String,
    pub(crate) won: String,
    pub(crate) lost: String,
}

impl Pipeline {
    pub(crate) async fn new(tenant: &Tenant, name: &str) -> Self {
        let id = id_of(&tenant.create("pipelines", json!({ "name": name })).await);
        let stage = async |name: &str, position: i32, kind: &str, probability: i32| {
            let stage = json!({"pipeline_id": id, "name": name, "position": position, "kind": kind,
                               "probability": probability});
            id_of(&tenant.create("stages", stage).await)
        };
        Self {
            won: stage("Won", 2, "won", 0).await,
            lost: stage("Lost", 3, "lost", 0).await,
            engaging: stage("Engaging", 1, "open", 40).await,
            prospecting: stage("Prospecting", 0, "open", 10).await,
            id,
        }
    }

    /// A new opportunity with these fields and more, in this pipeline.
    pub(crate) async fn opportunity(&self, tenant: &Tenant, more: Value) -> Value {
        tenant.create("opportunities", self.fields(more)).await
    }

    /// What an opportunity in this pipeline must have, and more.
    pub(crate) fn fields(&self, more: Value) -> Value {
        let mut fields = json!({"name": "Roof", "pipeline_id": self.id});
        let Value::Object(more) = more else {
            panic!("{more} is no object")
        };
        fields.as_object_mut().expect("an object").extend(more);
        fields
    }
}

#[tokio::test]
async fn stages_are_listed_in_their_order() {
    let tenant = Tenant::new();
    let pipeline = Pipeline::new(&tenant, "Direct").await;
    Pipeline::new(&tenant, "Partners").await;
    let path = format!("/v1/stages?filter[pipeline_id]={}&sort=position", pipeline.id);
    let stages = tenant.all(&path).await;
    let names: Vec<_> = stages.iter().map(|stage| stage["name"].as_str()).collect();
    assert_eq!(names, ["Prospecting", "Engaging", "Won", "Lost"].map(Some));
    let probabilities: Vec<_> = stages.iter().map(|stage| stage["probability"].as_i64()).collect();
    assert_eq!(
        probabilities,
        [10, 40, 100, 0].map(Some),
        "won is certain, lost is not to be had"
    );

    let path = format!("/v1/pipelines/{}?include=stages", pipeline.id);
    let included = tenant.get(&path).await.expect(200).body;
    assert!(included.to_string().contains("Prospecting"), "{included}");
}

#[tokio::test]
async fn the_name_of_a_stage_is_unique_in_its_pipeline() {
    let tenant = Tenant::new();
    let pipeline = Pipeline::new(&tenant, "Direct").await;
    let again = json!({"pipeline_id": pipeline.id, "name": "Engaging", "position": 7});
    tenant
        .post("/v1/stages", &again)
        .await
        .expect_problem(409, "name_taken");

    let path = format!("/v1/stages/{}", pipeline.engaging);
    tenant.delete(&path).await.expect(204);
    tenant.create("stages", again).await;
    tenant.post(&format!("{path}/restore"), &json!({})).await.expect(409);
}

#[tokio::test]
async fn a_stage_needs_a_pipeline_of_the_tenant() {
    let (tenant, other) = (Tenant::new(), Tenant::new());
    let pipeline = Pipeline::new(&other, "Direct").await;
    let stage = json!({"pipeline_id": pipeline.id, "name": "New", "position": 0, "probability": 101});
    let faults = ["/probability out_of_range"];
    tenant.post("/v1/stages", &stage).await.expect_faults(422, &faults);
    let stage = json!({"pipeline_id": pipeline.id, "name": "New", "position": 0});
    let faults = ["/pipeline_id unknown_reference"];
    tenant.post("/v1/stages", &stage).await.expect_faults(422, &faults);
}

#[tokio::test]
async fn what_is_in_use_is_not_taken_away() {
    let tenant = Tenant::new();
    let pipeline = Pipeline::new(&tenant, "Direct").await;
    let opportunity = pipeline.opportunity(&tenant, json!({})).await;
    let stage = format!("/v1/stages/{}", pipeline.prospecting);
    tenant
        .patch(&stage, &json!({"kind": "won"}))
        .await
        .expect_problem(409, "stage_in_use");
    tenant
        .patch(&stage, &json!({"name": "Asking", "probability": 15}))
        .await
        .expect(200);
    tenant.delete(&stage).await.expect_problem(409, "stage_in_use");
    let path = format!("/v1/pipelines/{}", pipeline.id);
    tenant.delete(&path).await.expect_problem(409, "pipeline_in_use");

    let purge = format!("/v1/opportunities/{}?purge=true", id_of(&opportunity));
    tenant.delete(&purge).await.expect(204);
    tenant.delete(&stage).await.expect(204);
    tenant.delete(&path).await.expect(204);
}

#[tokio::test]
async fn a_summary_tells_each_stage_by_currency() {
    let tenant = Tenant::new();
    let pipeline = Pipeline::new(&tenant, "Direct").await;
    let euros = |amount: &str| json!({"amount": amount, "currency": "EUR"});
    for more in [
        json!({"amount": euros("100.00")}),
        json!({"amount": euros("300.00"), "probability": 50}),
        json!({"amount": {"amount": "1000", "currency": "JPY"}}),
        json!({}),
        json!({"amount": euros("70.00"), "stage_id": pipeline.won, "probability": 5}),
        json!({"amount": euros("9999999999999.99"), "stage_id": pipeline.lost}),
        json!({"amount": euros("9999999999999.99"), "stage_id": pipeline.lost}),
    ] {
        pipeline.opportunity(&tenant, more).await;
    }
    let deleted = pipeline.opportunity(&tenant, json!({"amount": euros("5.00")})).await;
    tenant
        .delete(&format!("/v1/opportunities/{}", id_of(&deleted)))
        .await
        .expect(204);

    let by_amount = tenant.all("/v1/opportunities?sort=-amount&limit=2").await;
    let ids: std::collections::BTreeSet<_> = by_amount.iter().map(id_of).collect();
    assert_eq!((by_amount.len(), ids.len()), (7, 7), "each stands on one page");

    let path = format!("/v1/pipelines/{}/summary", pipeline.id);
    let summary = tenant.get(&path).await.expect(200).body;
    assert_eq!(summary["pipeline_id"], pipeline.id);
    let stages = summary["stages"].as_array().expect("stages");
    let counts: Vec<_> = stages.iter().map(|stage| stage["count"].as_i64()).collect();
    assert_eq!(counts, [4, 0, 1, 2].map(Some));
    assert_eq!(stages[0]["stage_id"], pipeline.prospecting);
    let expected = json!([
        {"currency": "EUR", "count": 2, "total": euros("400.00"), "weighted": euros("160.00")},
        {"currency": "JPY", "count": 1, "total": {"amount": "1000", "currency": "JPY"},
         "weighted": {"amount": "100", "currency": "JPY"}},
    ]);
    assert_eq!(stages[0]["amounts"], expected);
    assert_eq!(stages[1]["amounts"], json!([]));
    assert_eq!(
        stages[2]["amounts"][0]["weighted"],
        euros("70.00"),
        "what is won is certain"
    );
    assert_eq!(stages[3]["amounts"][0]["total"], euros("19999999999999.98"));
    assert_eq!(stages[3]["amounts"][0]["weighted"], euros("0.00"));

    tenant.get(&format!("{path}?limit=3")).await.expect(400);
    Tenant::new().get(&path).await.expect_problem(404, "not_found");
}

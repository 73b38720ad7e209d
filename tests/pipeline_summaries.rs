//! Summaries of pipelines: always what the opportunities themselves come to, however these were written.

use crate::harness::{PASSWORD, Server, Tenant, at_once, id_of};
use crate::pipelines::Pipeline;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn euros(amount: u32) -> Value {
    json!({"amount": format!("{amount}.00"), "currency": "EUR"})
}

fn path_of(opportunity: &Value) -> String {
    format!("/v1/opportunities/{}", id_of(opportunity))
}

/// Count, total and weighted total in cents, by stage and currency; under no currency the count of all.
type Sums = BTreeMap<(String, String), (i64, i64, i64)>;

/// An amount of whole units in cents.
fn cents(money: &Value) -> i64 {
    let text = money["amount"].as_str().expect("an amount");
    let (units, fraction) = text.split_once('.').unwrap_or((text, ""));
    assert!(
        fraction.chars().all(|digit| digit == '0'),
        "{text} is no amount of whole units"
    );
    units.parse::<i64>().expect("digits") * 100
}

/// What the opportunities that the caller may see come to.
async fn counted(caller: &Tenant, pipeline: &Pipeline) -> Sums {
    let listed = caller
        .all(&format!(
            "/v1/opportunities?filter[pipeline_id]={}&limit=500",
            pipeline.id
        ))
        .await;
    let mut sums = Sums::new();
    for opportunity in listed {
        let stage = opportunity["stage_id"].as_str().expect("a stage").to_owned();
        sums.entry((stage.clone(), String::new())).or_default().0 += 1;
        let amount = &opportunity["amount"];
        if let Some(currency) = amount["currency"].as_str() {
            let own = opportunity["probability"].as_i64();
            let probability = match stage.as_str() {
                stage if stage == pipeline.won => 100,
                stage if stage == pipeline.lost => 0,
                stage if stage == pipeline.engaging => own.unwrap_or(40),
                _ => own.unwrap_or(10),
            };
            let sum = sums.entry((stage, currency.to_owned())).or_default();
            let amount = cents(amount);
            *sum = (sum.0 + 1, sum.1 + amount, sum.2 + amount * probability / 100);
        }
    }
    sums
}

/// What the summary says they come to.
async fn told(caller: &Tenant, pipeline: &Pipeline) -> Sums {
    let summary = caller
        .get(&format!("/v1/pipelines/{}/summary", pipeline.id))
        .await
        .expect(200)
        .body;
    let mut sums = Sums::new();
    for stage in summary["stages"].as_array().expect("stages") {
        let id = stage["stage_id"].as_str().expect("an id").to_owned();
        let count = stage["count"].as_i64().expect("a count");
        if count > 0 {
            sums.insert((id.clone(), String::new()), (count, 0, 0));
        }
        for amount in stage["amounts"].as_array().expect("amounts") {
            let currency = amount["currency"].as_str().expect("a currency").to_owned();
            let count = amount["count"].as_i64().expect("a count");
            let sum = (count, cents(&amount["total"]), cents(&amount["weighted"]));
            sums.insert((id.clone(), currency), sum);
        }
    }
    sums
}

async fn agree(caller: &Tenant, pipeline: &Pipeline, after: &str) {
    let told = told(caller, pipeline).await;
    assert!(!told.is_empty(), "after {after}");
    assert_eq!(told, counted(caller, pipeline).await, "after {after}");
}

/// Thirty new opportunities of some owner: in two stages, with amounts in two currencies or none, with an estimate or none.
async fn fill(tenant: &Tenant, pipeline: &Pipeline, owner: &Value) -> Vec<Value> {
    let new = (0..30_u32).map(|number| {
        let mut fields = pipeline.fields(json!({"owner_id": owner}));
        if number % 3 > 0 {
            fields["amount"] = euros(100 * number);
        } else if number % 2 > 0 {
            fields["amount"] = json!({"amount": format!("{}", 700 * number), "currency": "JPY"});
        }
        if number % 4 == 0 {
            fields["probability"] = json!(20);
        }
        if number % 5 == 0 {
            fields["stage_id"] = json!(pipeline.engaging);
        }
        json!({"op": "create", "data": fields})
    });
    let answer = tenant.batch("opportunities", new.collect()).await.expect(207);
    answer.body["data"].as_array().expect("items").clone()
}

#[tokio::test]
async fn a_summary_tells_what_each_way_to_write_brought_about() {
    let tenant = Tenant::new();
    let pipeline = Pipeline::new(&tenant, "Direct").await;
    let made = fill(&tenant, &pipeline, &json!(null)).await;
    agree(&tenant, &pipeline, "a batch").await;

    for (opportunity, change) in made.iter().zip([
        json!({"amount": euros(900)}),
        json!({"amount": null}),
        json!({"amount": {"amount": "500", "currency": "JPY"}}),
        json!({"probability": 60}),
        json!({"probability": null, "amount": euros(800)}),
        json!({"stage_id": pipeline.engaging, "amount": euros(1200)}),
        json!({"name": "Another name"}),
    ]) {
        tenant.patch(&path_of(opportunity), &change).await.expect(200);
        agree(&tenant, &pipeline, &change.to_string()).await;
    }
    for (opportunity, action) in made[7..].iter().zip(["win", "lose", "win"]) {
        let path = format!("{}/{action}", path_of(opportunity));
        tenant.post(&path, &json!({})).await.expect(200);
        agree(&tenant, &pipeline, action).await;
    }
    let path = format!("{}/reopen", path_of(&made[7]));
    tenant.post(&path, &json!({})).await.expect(200);
    agree(&tenant, &pipeline, "reopening").await;

    tenant.delete(&path_of(&made[10])).await.expect(204);
    tenant.delete(&path_of(&made[11])).await.expect(204);
    agree(&tenant, &pipeline, "deletions").await;
    let path = format!("{}/restore", path_of(&made[10]));
    tenant.post(&path, &json!({})).await.expect(200);
    agree(&tenant, &pipeline, "a restoration").await;
    for gone in &made[11..13] {
        let path = format!("{}?purge=true", path_of(gone));
        tenant.delete(&path).await.expect(204);
    }
    agree(&tenant, &pipeline, "purging one that was deleted and one that was not").await;

    let known = "/v1/opportunities/by/erp/O-1";
    let upserted = pipeline.fields(json!({"amount": euros(1500)}));
    let upserted = tenant.put(known, &upserted).await.expect(201).body;
    agree(&tenant, &pipeline, "an upsert of a new one").await;
    let change = json!({"amount": euros(1600), "probability": 70});
    tenant.put(known, &change).await.expect(200);
    agree(&tenant, &pipeline, "an upsert of a known one").await;

    let other = Pipeline::new(&tenant, "Partners").await;
    let there = json!({"pipeline_id": other.id, "stage_id": other.engaging});
    tenant.patch(&path_of(&upserted), &there).await.expect(200);
    agree(&tenant, &pipeline, "a move to another pipeline").await;
    agree(&tenant, &other, "a move from another pipeline").await;

    let refused = json!([
        {"op": "create", "data": pipeline.fields(json!({"amount": euros(5000)}))},
        {"op": "create", "data": pipeline.fields(json!({"probability": 101}))},
    ]);
    let body = json!({"items": refused, "atomic": true});
    tenant.post("/v1/opportunities/batch", &body).await.expect(422);
    let dry = pipeline.fields(json!({"amount": euros(7000)}));
    tenant.post("/v1/opportunities?dry_run=true", &dry).await.expect(201);
    agree(&tenant, &pipeline, "what was not written").await;
}

#[tokio::test]
async fn a_summary_loses_nothing_where_many_write_at_once() {
    let tenant = Tenant::new();
    let pipeline = Pipeline::new(&tenant, "Direct").await;
    at_once(40, async |number| {
        let mut amount = 100 * (u32::try_from(number).unwrap() + 1);
        let opportunity = pipeline.opportunity(&tenant, json!({"amount": euros(amount)})).await;
        for stage in [&pipeline.engaging, &pipeline.prospecting] {
            amount += 100;
            let change = json!({"amount": euros(amount), "stage_id": stage});
            tenant.patch(&path_of(&opportunity), &change).await.expect(200);
        }
    })
    .await;
    agree(&tenant, &pipeline, "writers at once").await;
}

#[tokio::test]
async fn a_summary_tells_each_caller_what_it_may_see() {
    let tenant = Tenant::on(Server::for_log_ins());
    let (cleo, dora) = (tenant.user("cleo", "agent").await, tenant.user("dora", "agent").await);
    let pipeline = Pipeline::new(&tenant, "Direct").await;
    let mine = fill(&tenant, &pipeline, &cleo["id"]).await;
    let others = fill(&tenant, &pipeline, &json!(null)).await;
    let team = id_of(&tenant.create("teams", json!({"name": "North"})).await);
    let narrow = async |rule: Value| {
        let path = format!("/v1/users/{}", id_of(&cleo));
        tenant.patch(&path, &rule).await.expect(200);
        tenant.as_logged_in(&tenant.login("cleo", PASSWORD).await.expect(200))
    };

    let own = narrow(json!({"record_rule": "own"})).await;
    agree(&own, &pipeline, "the rule own").await;
    assert_ne!(told(&own, &pipeline).await, told(&tenant, &pipeline).await);
    tenant
        .patch(&path_of(&mine[1]), &json!({"owner_id": null}))
        .await
        .expect(200);
    agree(&own, &pipeline, "giving one away").await;

    let of_team = narrow(json!({"record_rule": "team", "team_id": team})).await;
    let colleague = json!({"team_id": team});
    tenant
        .patch(&format!("/v1/users/{}", id_of(&dora)), &colleague)
        .await
        .expect(200);
    tenant
        .patch(&path_of(&others[1]), &json!({"team_id": team}))
        .await
        .expect(200);
    tenant
        .patch(&path_of(&others[2]), &json!({"owner_id": dora["id"]}))
        .await
        .expect(200);
    agree(&of_team, &pipeline, "the rule team").await;
    agree(&tenant, &pipeline, "the rule all").await;
}

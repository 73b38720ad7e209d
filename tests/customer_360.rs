//! The overview of a customer: one answer for one screen, with what the caller may see of it.

use crate::harness::{PASSWORD, Server, Tenant, id_of};
use crate::pipelines::Pipeline;
use crate::tickets::{act, open};
use serde_json::{Value, json};

async fn customer(tenant: &Tenant, name: &str) -> String {
    let body = json!({"kind": "organisation", "name": name, "lifecycle": "customer"});
    id_of(&tenant.create("customers", body).await)
}

async fn overview(tenant: &Tenant, of: &str, parameters: &str) -> Value {
    let path = format!("/v1/customers/{of}/360{parameters}");
    tenant.get(&path).await.expect(200).body
}

fn ids(section: &Value) -> Vec<String> {
    section["data"].as_array().expect("data").iter().map(id_of).collect()
}

fn euros(amount: &str) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

#[tokio::test]
async fn nothing_is_shown_of_a_customer_about_whom_there_is_nothing() {
    let tenant = Tenant::new();
    let acme = customer(&tenant, "Acme").await;
    let seen = overview(&tenant, &acme, "").await;
    assert_eq!(seen["customer"]["name"], "Acme");
    let none = json!({"data": [], "has_more": false});
    for section in ["tasks", "appointments", "notes", "segments"] {
        assert_eq!(seen[section], none, "{section}");
    }
    assert_eq!(seen["documents"], json!({"count": 0, "data": [], "has_more": false}));
    let totals = json!({"count": 0, "amounts": []});
    let opportunities = json!({"open": totals, "won": totals, "lost": totals, "data": [], "has_more": false});
    assert_eq!(seen["opportunities"], opportunities);
    assert_eq!(
        seen["tickets"],
        json!({"by_status": {}, "open_count": 0, "breached_count": 0, "rated_count": 0, "satisfaction": null,
               "data": [], "has_more": false})
    );
    assert_eq!(
        seen["interactions"],
        json!({"count": 0, "last_interaction_at": null, "by_channel": {}, "data": [], "has_more": false})
    );
    assert_eq!(
        seen["relationships"],
        json!({"parent": null, "data": [], "has_more": false})
    );
}

#[tokio::test]
async fn a_customer_is_seen_with_its_ties_and_what_is_sold_to_it() {
    let tenant = Tenant::new();
    let [acme, holding, ada] = [
        customer(&tenant, "Acme").await,
        customer(&tenant, "Holding").await,
        customer(&tenant, "Ada").await,
    ];
    let tie = async |from: &str, to: &str, role: &str, more: Value| {
        let mut body = json!({"from_id": from, "to_id": to, "role": role});
        domain::input::merge(&mut body, &more);
        id_of(&tenant.create("relationships", body).await)
    };
    tie(&acme, &ada, "parent_company", json!({"ended_on": "2020-12-31"})).await;
    let parent = tie(&acme, &holding, "parent_company", json!({"started_on": "2021-01-01"})).await;
    let works = tie(&ada, &acme, "works_at", json!({"title": "CTO"})).await;
    let referred = tie(&ada, &holding, "referred_by", json!({})).await;

    let pipeline = Pipeline::new(&tenant, "Direct").await;
    let deal = async |more: Value| {
        let mut fields = json!({"customer_id": acme});
        domain::input::merge(&mut fields, &more);
        pipeline.opportunity(&tenant, fields).await
    };
    deal(json!({"amount": euros("100.00")})).await;
    let second = deal(json!({"amount": euros("50.00"), "probability": 60})).await;
    let third = deal(json!({})).await;
    let won = deal(json!({"amount": euros("7.50")})).await;
    let path = format!("/v1/opportunities/{}", id_of(&won));
    tenant.post(&format!("{path}/win"), &json!({})).await.expect(200);

    let seen = overview(&tenant, &acme, "?limit=2").await;
    let ties = &seen["relationships"];
    assert_eq!(ties["parent"]["relationship"]["id"], parent.as_str());
    assert_eq!(
        ties["parent"]["customer"],
        json!({"id": holding, "name": "Holding", "lifecycle": "customer"})
    );
    let shown: Vec<_> = ties["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tie| tie["relationship"]["id"].clone())
        .collect();
    assert_eq!(shown, [json!(works), json!(parent)]);
    assert_eq!(
        (&ties["data"][0]["customer"]["name"], &ties["has_more"]),
        (&json!("Ada"), &json!(true))
    );
    assert!(!seen.to_string().contains(&referred));

    let sold = &seen["opportunities"];
    assert_eq!(sold["open"]["count"], 3);
    assert_eq!(
        sold["open"]["amounts"],
        json!([{"currency": "EUR", "count": 2, "total": euros("150.00"), "weighted": euros("40.00")}])
    );
    assert_eq!(
        (&sold["won"]["count"], &sold["won"]["amounts"][0]["total"]),
        (&json!(1), &euros("7.50"))
    );
    assert_eq!(ids(sold), [id_of(&third), id_of(&second)]);
    assert_eq!(sold["has_more"], true);
}

#[tokio::test]
async fn a_customer_is_seen_with_its_matters_and_what_is_planned() {
    let tenant = Tenant::new();
    let (acme, other) = (customer(&tenant, "Acme").await, customer(&tenant, "Other").await);
    for (subject, status) in [("a", "new"), ("b", "open"), ("c", "solved")] {
        open(
            &tenant,
            json!({"customer_id": acme, "subject": subject, "status": status}),
        )
        .await;
    }
    open(&tenant, json!({"customer_id": other})).await;
    let rated = open(&tenant, json!({"customer_id": acme, "status": "solved"})).await;
    let link = act(&tenant, &rated, "satisfaction_link", json!({})).await.expect(200);
    let path = link.body["path"].as_str().unwrap().to_owned();
    tenant.stranger().post(&path, &json!({"score": 4})).await.expect(200);

    for (channel, at) in [
        ("call", "2026-01-01T10:00:00Z"),
        ("call", "2026-01-03T10:00:00Z"),
        ("email", "2026-01-02T10:00:00Z"),
    ] {
        let body = json!({"channel": channel, "started_at": at, "customer_id": acme});
        tenant.create("interactions", body).await;
    }
    let task = async |subject: &str, due: Value, status: &str| {
        let body = json!({"subject": subject, "due_at": due, "status": status, "customer_id": acme});
        id_of(&tenant.create("tasks", body).await)
    };
    let someday = task("someday", json!(null), "open").await;
    let later = task("later", json!("2027-05-01T00:00:00Z"), "in_progress").await;
    let sooner = task("sooner", json!("2027-04-01T00:00:00Z"), "open").await;
    task("done", json!(null), "done").await;
    let meet = async |starts: &str, ends: &str, more: Value| {
        let mut body = json!({"subject": "Meet", "starts_at": starts, "ends_at": ends, "customer_id": acme});
        domain::input::merge(&mut body, &more);
        id_of(&tenant.create("appointments", body).await)
    };
    meet("2020-01-01T10:00:00Z", "2020-01-01T11:00:00Z", json!({})).await;
    meet(
        "2190-01-01T10:00:00Z",
        "2190-01-01T11:00:00Z",
        json!({"status": "cancelled"}),
    )
    .await;
    let last = meet("2190-02-01T10:00:00Z", "2190-02-01T11:00:00Z", json!({})).await;
    let weekly = meet(
        "2020-01-01T10:00:00Z",
        "2020-01-01T11:00:00Z",
        json!({"recurrence": "FREQ=WEEKLY"}),
    )
    .await;
    let note = async |body: &str, pinned: bool| {
        let body = json!({"subject": {"type": "customer", "id": acme}, "body": body, "pinned": pinned});
        id_of(&tenant.create("notes", body).await)
    };
    let (pinned, plain) = (note("Pays late", true).await, note("Likes tea", false).await);
    let file = async |name: &str| {
        let body = json!({"subject": {"type": "customer", "id": acme}, "name": name});
        id_of(&tenant.create("documents", body).await)
    };
    let (offer, contract, draft) = (
        file("Offer.pdf").await,
        file("Contract.pdf").await,
        file("Draft.pdf").await,
    );
    tenant.delete(&format!("/v1/documents/{draft}")).await.expect(204);
    let segment = tenant
        .create("segments", json!({"name": "Gold", "kind": "static"}))
        .await;
    let members = format!("/v1/segments/{}/members", id_of(&segment));
    tenant.post(&members, &json!({"add": [acme]})).await.expect(200);

    let seen = overview(&tenant, &acme, "").await;
    let matters = &seen["tickets"];
    assert_eq!(matters["by_status"], json!({"new": 1, "open": 1, "solved": 2}));
    assert_eq!(
        (&matters["open_count"], &matters["breached_count"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(
        (&matters["rated_count"], &matters["satisfaction"]),
        (&json!(1), &json!(4.0))
    );
    assert_eq!(matters["data"][1]["subject"], "b");
    let contacts = &seen["interactions"];
    assert_eq!(
        (&contacts["count"], &contacts["by_channel"]),
        (&json!(3), &json!({"call": 2, "email": 1}))
    );
    assert_eq!(contacts["last_interaction_at"], contacts["data"][0]["started_at"]);
    assert_eq!(ids(&seen["tasks"]), [sooner, later, someday]);
    let next = seen["appointments"]["data"].as_array().unwrap();
    let next: Vec<_> = next.iter().map(|next| id_of(&next["appointment"])).collect();
    assert_eq!(next, [weekly, last]);
    assert_eq!(ids(&seen["notes"]), [pinned, plain]);
    assert_eq!(seen["documents"]["count"], 2);
    assert_eq!(ids(&seen["documents"]), [contract, offer]);
    assert_eq!(seen["segments"]["data"][0]["name"], "Gold");
    assert!(seen["segments"]["data"][0]["entered_at"].is_string());

    let few = overview(&tenant, &acme, "?limit=1&sections=tasks,%20notes").await;
    let members: Vec<&String> = few.as_object().unwrap().keys().collect();
    assert_eq!(members, ["customer", "tasks", "notes"]);
    assert_eq!((&few["tasks"]["has_more"], ids(&few["notes"]).len()), (&json!(true), 1));
}

#[tokio::test]
async fn sections_need_their_scopes_and_show_what_the_record_rule_allows() {
    let tenant = Tenant::on(Server::for_log_ins());
    let cleo = tenant.user("cleo", "agent").await;
    let narrowed = json!({"record_rule": "own"});
    tenant
        .patch(&format!("/v1/users/{}", id_of(&cleo)), &narrowed)
        .await
        .expect(200);
    let mine = json!({"kind": "organisation", "name": "Acme", "owner_id": cleo["id"]});
    let acme = id_of(&tenant.create("customers", mine).await);
    let pipeline = Pipeline::new(&tenant, "Direct").await;
    for owner in [json!(cleo["id"]), json!(null)] {
        pipeline
            .opportunity(&tenant, json!({"customer_id": acme, "owner_id": owner}))
            .await;
        open(&tenant, json!({"customer_id": acme, "owner_id": owner})).await;
        let call =
            json!({"channel": "call", "started_at": "2026-01-01T10:00:00Z", "customer_id": acme, "owner_id": owner});
        tenant.create("interactions", call).await;
    }
    let log_in = async |scope: &str| {
        let body = json!({"email": "cleo@example.com", "password": PASSWORD, "tenant": tenant.name, "scope": scope});
        let tokens = tenant.stranger().post("/v1/auth/login", &body).await.expect(200);
        tenant.with_token(tokens.text_of("access_token"))
    };
    let everything = "customers:read opportunities:read tickets:read interactions:read users:read";
    let seen = overview(&log_in(everything).await, &acme, "").await;
    assert_eq!(seen["owner"]["id"], cleo["id"]);
    assert_eq!(
        (
            &seen["opportunities"]["open"]["count"],
            ids(&seen["opportunities"]).len()
        ),
        (&json!(1), 1)
    );
    assert_eq!(
        (&seen["tickets"]["open_count"], ids(&seen["tickets"]).len()),
        (&json!(1), 1)
    );
    assert_eq!(
        (&seen["interactions"]["count"], ids(&seen["interactions"]).len()),
        (&json!(1), 1)
    );
    assert_eq!(seen.get("notes"), None);
    assert_eq!(overview(&tenant, &acme, "").await["interactions"]["count"], 2);

    let little = log_in("customers:read notes:read").await;
    let seen = overview(&little, &acme, "").await;
    let members: Vec<&String> = seen.as_object().unwrap().keys().collect();
    assert_eq!(members, ["customer", "notes"]);
    let path = format!("/v1/customers/{acme}/360");
    little
        .get(&format!("{path}?sections=tickets"))
        .await
        .expect_problem(403, "forbidden");

    let foreign = id_of(
        &tenant
            .create("customers", json!({"kind": "organisation", "name": "Not hers"}))
            .await,
    );
    little
        .get(&format!("/v1/customers/{foreign}/360"))
        .await
        .expect_problem(404, "not_found");
    Tenant::new().get(&path).await.expect_problem(404, "not_found");
    let wrong = format!("{path}?sections=weather&limit=51&depth=1");
    let faults = [
        "?sections invalid_choice",
        "?limit out_of_range",
        "?depth unknown_parameter",
    ];
    tenant.get(&wrong).await.expect_faults(400, &faults);
}

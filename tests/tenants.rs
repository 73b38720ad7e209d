//! Walls between tenants, and between callers with different rights: told of every operation of the served document.

use crate::harness::{Answer, NOBODY, Operation, RESOURCES, Send, Server, Tenant, id_of};
use domain::Kind;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The operations that need no token. This list may only shrink. Who has the link of a question may answer it.
const PUBLIC: &[&str] = &[
    "answer_satisfaction",
    "create_token",
    "get_authorization_server",
    "get_calendar",
    "get_health",
    "get_jwks",
    "get_limits",
    "get_metrics",
    "get_openapi",
    "get_problem",
    "get_readiness",
    "get_satisfaction",
    "list_problems",
    "login",
    "revoke_token",
];

/// The reads that answer 400 unless they are asked for something. Their own stories tell what they show.
const ASKING: &[&str] = &["get_free_busy"];

/// The writes that every caller may do, since they are about nobody else. This list may only shrink.
const OF_ONESELF: &[&str] = &["logout", "set_user_password"];

/// A word in every record of the other tenant, which must never be seen.
const SECRET: &str = "secret-of-another-tenant";

#[tokio::test]
async fn no_operation_but_the_public_ones_is_open_to_strangers() {
    let tenant = Tenant::new();
    let stranger = tenant.stranger();
    let mut public = BTreeSet::new();
    for operation in Operation::all(&tenant).await {
        assert_eq!(
            operation.is_public,
            PUBLIC.contains(&operation.id.as_str()),
            "{} in the document",
            operation.id
        );
        let answer = operation.call(&stranger, NOBODY, &json!({})).await;
        if PUBLIC.contains(&operation.id.as_str()) {
            public.insert(operation.id);
            continue;
        }
        let answer = answer.expect_problem(401, "unauthorized");
        assert!(
            answer.header("www-authenticate").starts_with("Bearer"),
            "{}",
            operation.id
        );
        let forged = operation.call(&tenant.with_token("nonsense"), NOBODY, &json!({})).await;
        let challenge = forged
            .expect_problem(401, "unauthorized")
            .header("www-authenticate")
            .to_owned();
        assert!(
            challenge.contains("error=\"invalid_token\""),
            "{}: {challenge}",
            operation.id
        );
    }
    assert_eq!(
        public,
        PUBLIC.iter().map(|id| (*id).to_owned()).collect(),
        "what is gone leaves the list"
    );
}

#[tokio::test]
async fn a_reader_reads_everything_and_writes_nothing() {
    let tenant = Tenant::new();
    let reader = tenant.as_role("reader");
    let operations = Operation::all(&tenant).await;
    let exceptions = [PUBLIC, OF_ONESELF].concat();
    for operation in operations
        .iter()
        .filter(|operation| !exceptions.contains(&operation.id.as_str()))
    {
        let answer = operation.call(&reader, NOBODY, &json!({})).await;
        let is_for_others = operation.resource() == "service_accounts" || operation.resource() == "changes";
        if operation.is_write() || is_for_others {
            answer.expect_problem(403, "forbidden");
        } else {
            assert_ne!(answer.status, 403, "{}", operation.id);
        }
    }
}

/// What one tenant has, for another to try and find.
struct Treasure {
    /// The ids of its records, by resource.
    ids: BTreeMap<&'static str, String>,
    /// Everything it can see of itself.
    state: Value,
}

impl Treasure {
    async fn of(tenant: &Tenant) -> Self {
        let mut ids = BTreeMap::new();
        for resource in RESOURCES {
            let mut body = tenant.example(resource).await;
            body["tags"] = json!([SECRET]);
            let record = tenant.create(resource, body).await;
            let known = json!({"external_ids": [{"system": "erp", "id": record["id"]}]});
            tenant
                .patch(&format!("/v1/{resource}/{}", id_of(&record)), &known)
                .await
                .expect(200);
            ids.insert(*resource, id_of(&record));
        }
        Self {
            ids,
            state: state_of(tenant).await,
        }
    }
}

/// All records and events of a tenant.
async fn state_of(tenant: &Tenant) -> Value {
    let mut state = json!({ "changes": tenant.changes().await });
    for resource in RESOURCES {
        state[*resource] = json!(tenant.all(&format!("/v1/{resource}?limit=500")).await);
    }
    state
}

/// An answer without what differs from request to request.
fn essence(answer: &Answer) -> (u16, String, Option<String>) {
    let mut body = answer.body.clone();
    body["request_id"] = Value::Null;
    let etag = answer.headers.get("etag").map(|etag| format!("{etag:?}"));
    (answer.status, body.to_string(), etag)
}

#[tokio::test]
async fn the_records_of_another_tenant_might_as_well_not_be() {
    let (rich, thief) = (Tenant::new(), Tenant::new());
    let treasure = Treasure::of(&rich).await;
    let operations = Operation::all(&thief).await;
    for operation in operations.iter().filter(|operation| operation.names_a_record()) {
        let Some(id) = treasure.ids.get(operation.resource()) else {
            continue;
        };
        for body in bodies(operation, &thief).await {
            let theirs = operation.call(&thief, id, &body).await;
            let nobodys = operation.call(&thief, NOBODY, &body).await;
            if operation.id.starts_with("upsert_") && theirs.status == 201 {
                // A record of the thief's own: external ids of tenants do not collide.
                assert_ne!(theirs.id(), *id);
                continue;
            }
            assert_eq!(
                essence(&theirs),
                essence(&nobodys),
                "{} tells whether there is such a record",
                operation.id
            );
            assert!(theirs.status >= 400, "{} answered {}", operation.id, theirs.text);
            assert!(
                !theirs.text.contains(SECRET) && !theirs.text.contains(id.as_str()),
                "{}",
                operation.id
            );
        }
    }
    assert_eq!(state_of(&rich).await, treasure.state, "nothing of it was changed");
}

/// Bodies to try an operation with: an empty one, one that changes any record, and one that is right for it.
async fn bodies(operation: &Operation, tenant: &Tenant) -> Vec<Value> {
    let mut bodies = vec![json!({}), json!({"tags": ["stolen"]})];
    if operation.path.ends_with("/by/{system}/{external_id}") && RESOURCES.contains(&operation.resource()) {
        bodies.push(tenant.example(operation.resource()).await);
    }
    match operation.id.as_str() {
        "move_opportunity" => bodies.push(json!({ "stage_id": id_of(&tenant.create_example("stages").await) })),
        "merge_customer" => bodies.push(json!({ "from": id_of(&tenant.create_example("customers").await) })),
        "move_customer" => bodies.push(json!({"stage": "prospect"})),
        "set_user_password" => bodies.push(json!({"password": "a stolen password"})),
        "lose_opportunity" | "win_opportunity" => bodies.push(json!({"close_reason": "price"})),
        _ => {}
    }
    bodies
}

#[tokio::test]
async fn lists_searches_and_the_feed_show_nothing_of_another_tenant() {
    let (rich, thief) = (Tenant::new(), Tenant::new());
    let treasure = Treasure::of(&rich).await;
    for operation in Operation::all(&thief).await {
        let is_another_story = [PUBLIC, ASKING].concat().contains(&operation.id.as_str());
        if operation.names_a_record() || operation.is_write() || is_another_story {
            continue;
        }
        let everybody = match operation.id.as_str() {
            "preview_segment" => json!({"rule": {"all": []}, "sample": 100}),
            _ => json!({}),
        };
        let answer = operation.call(&thief, NOBODY, &everybody).await.expect(200);
        let seen = treasure.ids.values().find(|id| answer.text.contains(id.as_str()));
        assert_eq!(seen, None, "{}", operation.id);
        assert!(!answer.text.contains(SECRET), "{}", operation.id);
    }
    for (resource, id) in &treasure.ids {
        for parameters in [
            format!("filter[tags]={SECRET}"),
            format!("filter[id]={id}"),
            format!("filter[id][in]={id},{NOBODY}"),
            "q=sec&include=owner".to_owned(),
        ] {
            let list = thief
                .get(&format!("/v1/{resource}?total=exact&{parameters}"))
                .await
                .expect(200);
            assert_eq!(
                (list.data(), &list.body["page"]["total"]),
                (&[][..], &json!(0)),
                "{resource} {parameters}"
            );
        }
        let items = json!([
            {"op": "update", "id": id, "data": {"tags": ["stolen"]}},
            {"op": "delete", "id": id},
            {"op": "upsert", "system": "erp", "external_id": id, "mode": "update_only", "data": {"tags": ["stolen"]}},
        ]);
        let results = thief.batch(resource, items).await.expect(207);
        assert!(
            results.data().iter().all(|result| result["status"] == 404),
            "{resource}: {}",
            results.text
        );
    }
    assert_eq!(state_of(&rich).await, treasure.state, "nothing of it was changed");
}

/// A body that names a record by its id.
type Naming = Box<dyn Fn(&str) -> Value>;

#[tokio::test]
async fn a_record_cannot_refer_to_one_of_another_tenant() {
    let (rich, thief) = (Tenant::new(), Tenant::new());
    let treasure = Treasure::of(&rich).await;
    for kind in Kind::ALL {
        let resource = kind.plural();
        let record = thief.create_example(resource).await;
        let references = kind
            .registry()
            .all_fields()
            .filter_map(|field| Some((field.name, field.references?)));
        let settable = references.filter(|(name, _)| !["created_by", "updated_by"].contains(name));
        let mut tries: Vec<(Kind, Naming)> = Vec::new();
        for (name, target) in settable {
            tries.push((target, Box::new(move |id| json!({ name: id }))));
        }
        if *kind == Kind::Opportunity {
            let line = |id: &str| json!({"lines": [{"product_id": id, "quantity": "1", "unit_price": {"amount": "1.00", "currency": "EUR"}}]});
            tries.push((Kind::Product, Box::new(line)));
            tries.push((
                Kind::Customer,
                Box::new(|id| json!({"contacts": [{"customer_id": id, "role": "decision_maker"}]})),
            ));
        }
        for (target, body) in tries {
            let path = format!("/v1/{resource}/{}", id_of(&record));
            let id = &treasure.ids[target.plural()];
            let theirs = thief.patch(&path, &body(id)).await.expect(422);
            let nobodys = thief.patch(&path, &body(NOBODY)).await.expect(422);
            assert_eq!(essence(&theirs), essence(&nobodys), "{resource} {}", body("…"));
            let by_nobody = thief.patch(&path, &body(&format!("by/erp/{NOBODY}"))).await.expect(422);
            let by = thief.patch(&path, &body(&format!("by/erp/{id}"))).await.expect(422);
            assert_eq!(by.faults(), by_nobody.faults(), "{resource} {}", body("by/erp/…"));
            let mut whole = thief.example(resource).await;
            domain::input::merge(&mut whole, &body(id));
            let created = thief.post(&format!("/v1/{resource}"), &whole).await.expect(422);
            assert_eq!(created.faults(), nobodys.faults(), "{resource} {}", body("…"));
        }
    }
    assert_eq!(state_of(&rich).await, treasure.state);
}

#[tokio::test]
async fn every_resource_of_the_document_takes_part_in_these_stories() {
    let tenant = Tenant::new();
    let operations = Operation::all(&tenant).await;
    let resources: BTreeSet<&str> = operations
        .iter()
        .filter(|operation| operation.path.ends_with("/batch"))
        .map(Operation::resource)
        .collect();
    assert_eq!(
        resources,
        RESOURCES.iter().copied().collect(),
        "examples.rs has a body for each"
    );
    assert_eq!(resources, Kind::ALL.iter().map(|kind| kind.plural()).collect());
    let ids: BTreeSet<&str> = operations.iter().map(|operation| operation.id.as_str()).collect();
    assert_eq!(ids.len(), operations.len(), "no two operations share a name");
}

#[tokio::test]
async fn tenants_do_not_share_external_ids_names_or_keys() {
    let (one, other) = (Tenant::new(), Tenant::new());
    for tenant in [&one, &other] {
        let body = json!({"name": "GTX", "external_ids": [{"system": "erp", "id": "1"}]});
        let request = tenant
            .request(Method::POST, "/v1/products")
            .header("Idempotency-Key", "k")
            .json(&body);
        let answer = request.answer().await.expect(201);
        assert_eq!(answer.header("idempotency-replayed"), "");
        assert_eq!(tenant.get("/v1/products/by/erp/1").await.expect(200).id(), answer.id());
        let email = json!({"name": "Ada", "role": "agent", "email": "ada@example.com"});
        tenant.post("/v1/users", &email).await.expect(201);
    }
}

#[tokio::test]
async fn the_password_that_is_printed_for_a_new_tenant_logs_its_administrator_in() {
    let tenant = Tenant::on(Server::for_log_ins());
    let body = json!({"email": "admin@localhost", "password": tenant.password, "tenant": tenant.name});
    let tokens = tenant.stranger().post("/v1/auth/login", &body).await.expect(200).body;
    let admin = tenant.with_token(tokens["access_token"].as_str().expect("a token"));
    let product = admin.create("products", json!({"name": "GTX"})).await;
    let me = admin.get("/v1/auth/me").await.expect(200);
    assert_eq!(
        (&product["created_by"], &me.body["role"]),
        (&me.body["id"], &json!("admin"))
    );
}

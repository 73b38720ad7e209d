//! A server for tests that keeps records in memory and can be told to misbehave.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Value, json};
use url::Url;

/// What a fake server was sent and what it is going to do.
#[derive(Default)]
pub(crate) struct State {
    /// Records by resource, system and external id.
    pub(crate) records: HashMap<(String, String, String), Value>,
    /// Systems and external ids of all records, for references.
    known: HashSet<(String, String)>,
    /// Sizes of the batches that were answered.
    pub(crate) batches: Vec<usize>,
    /// Answers to give instead of the real one, first in first out: a status and a Retry-After.
    pub(crate) refusals: VecDeque<(u16, Option<u64>)>,
    /// Close the connection after this many more batches, for good.
    pub(crate) batches_left: Option<usize>,
    /// How many items to answer with 503 before taking any.
    pub(crate) busy_items: usize,
    /// The token that is good now; any when empty.
    pub(crate) token: String,
    /// How many tokens were handed out.
    pub(crate) grants: usize,
}

/// A running fake; it ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) url: Url,
    state: Arc<Mutex<State>>,
}

impl Fake {
    pub(crate) fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = web::Data::from(state.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .app_data(web::PayloadConfig::new(16 << 20))
                .route("/v1/auth/token", web::post().to(grant))
                .route("/v1/{resource}/batch", web::post().to(batch))
        });
        let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", server.addrs()[0]).parse().unwrap();
        tokio::spawn(server.run());
        Self { url, state }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn record(&self, resource: &str, id: &str) -> Option<Value> {
        let key = (resource.to_owned(), "maven".to_owned(), id.to_owned());
        self.state().records.get(&key).cloned()
    }
}

async fn grant(state: web::Data<Mutex<State>>, form: web::Form<HashMap<String, String>>) -> HttpResponse {
    if form.get("client_secret").map(String::as_str) != Some("secret") {
        return problem(401, "invalid client");
    }
    let mut state = state.lock().unwrap();
    state.grants += 1;
    state.token = format!("token-{}", state.grants);
    HttpResponse::Ok().json(json!({"access_token": state.token, "expires_in": 600}))
}

async fn batch(
    state: web::Data<Mutex<State>>,
    resource: web::Path<String>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let mut state = state.lock().unwrap();
    if let Some((status, retry_after)) = state.refusals.pop_front() {
        let mut answer = HttpResponse::build(actix_web::http::StatusCode::from_u16(status).unwrap());
        retry_after.map(|seconds| answer.insert_header(("Retry-After", seconds.to_string())));
        return answer.json(json!({"title": "not now", "status": status}));
    }
    let bearer = request
        .headers()
        .get("Authorization")
        .map(|value| value.to_str().unwrap().to_owned());
    if !state.token.is_empty() && bearer != Some(format!("Bearer {}", state.token)) {
        return problem(401, "the token has expired");
    }
    match &mut state.batches_left {
        Some(0) => return problem(403, "enough"),
        Some(left) => *left -= 1,
        None => {}
    }
    let body: Value = serde_json::from_slice(&body).unwrap();
    let items = body["items"].as_array().unwrap();
    let dry_run = request.query_string().contains("dry_run=true");
    let before = dry_run.then(|| (state.records.clone(), state.known.clone()));
    let data: Vec<Value> = items.iter().map(|item| upsert(&mut state, &resource, item)).collect();
    if let Some((records, known)) = before {
        (state.records, state.known) = (records, known);
    }
    state.batches.push(items.len());
    HttpResponse::build(actix_web::http::StatusCode::MULTI_STATUS).json(json!({"data": data}))
}

fn upsert(state: &mut State, resource: &str, item: &Value) -> Value {
    let text = |name: &str| item[name].as_str().unwrap().to_owned();
    let data = &item["data"];
    if state.busy_items > 0 {
        state.busy_items -= 1;
        return json!({"status": 503, "outcome": "failed", "error": {"title": "Busy", "status": 503}});
    }
    let mut faults = Vec::new();
    if data["name"] == "bad" {
        faults.push(fault("/name", "is bad"));
    }
    for (field, value) in data.as_object().unwrap() {
        let reference = value
            .as_str()
            .and_then(|text| text.strip_prefix("by/")?.split_once('/'));
        let known = |(system, id): (&str, &str)| state.known.contains(&(system.to_owned(), id.to_owned()));
        if reference.is_some_and(|reference| !known(reference)) {
            faults.push(fault(&format!("/{field}"), "there is no such record"));
        }
    }
    if !faults.is_empty() {
        let error = json!({"title": "Invalid", "status": 422, "errors": faults});
        return json!({"status": 422, "outcome": "failed", "error": error});
    }
    let key = (resource.to_owned(), text("system"), text("external_id"));
    state.known.insert((key.1.clone(), key.2.clone()));
    let outcome = match state.records.insert(key, data.clone()) {
        None => "created",
        Some(old) if old == *data => "unchanged",
        Some(_) => "updated",
    };
    json!({"status": 200, "outcome": outcome, "id": "x", "version": 1})
}

fn fault(pointer: &str, message: &str) -> Value {
    json!({"pointer": format!("/data{pointer}"), "code": "invalid", "message": message})
}

fn problem(status: u16, detail: &str) -> HttpResponse {
    HttpResponse::build(actix_web::http::StatusCode::from_u16(status).unwrap())
        .json(json!({"title": "no", "status": status, "detail": detail}))
}

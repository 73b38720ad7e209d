//! `kill -9` under write load: what was answered is there, once and whole, and the feed tells it in order.

use crate::harness::{Answer, Send, Server, Settings, Tenant, id_of};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

const WRITERS: usize = 24;
const ROUNDS: usize = 3;

/// What one writer knows: what was answered, and the request that was not.
#[derive(Default)]
struct Writer {
    /// The last answer about each record, by id.
    answered: BTreeMap<String, Value>,
    /// The key and body of the request under way when the server died.
    cut: Option<(String, Value)>,
}

#[tokio::test]
async fn whatever_was_answered_survives_a_kill_once_and_whole() {
    let mut server = Server::start(Settings::new());
    let tenant = Tenant::on(&server);
    let start = tenant.now().await;
    let mut answered: BTreeMap<String, Value> = BTreeMap::new();
    let mut batches: Vec<Vec<String>> = Vec::new();
    for round in 0..ROUNDS {
        let tenant = tenant.at(&server);
        let writers: Vec<_> = (0..WRITERS).map(|_| RefCell::new(Writer::default())).collect();
        let answered_batches = RefCell::new(Vec::new());
        let load = join_all((0..WRITERS).map(|number| {
            let (tenant, writers, batches) = (&tenant, &writers, &answered_batches);
            async move {
                if number % 8 == 0 {
                    write_batches(tenant, &format!("{round}-{number}"), batches).await;
                } else {
                    write(tenant, &format!("{round}-{number}"), &writers[number]).await;
                }
            }
        }));
        let killing = async {
            tokio::time::sleep(Duration::from_millis(1_200)).await;
            server.kill()
        };
        let (settings, _) = tokio::join!(killing, load);
        server = Server::start(settings);

        let tenant = tenant.at(&server);
        for writer in writers {
            let Writer { answered: mine, cut } = writer.into_inner();
            answered.extend(mine);
            if let Some((key, body)) = cut {
                // Whether it was kept or not, sending it again has one effect.
                let record = put(&tenant, &key, &body).await.expect("the server is back").body;
                answered.insert(id_of(&record), record);
            }
        }
        batches.extend(answered_batches.into_inner());
        check(&tenant, &start, &answered, &batches).await;
    }
    assert!(answered.len() > 100, "there was load: {} records", answered.len());
}

/// Creates records by an external id and changes them, one request after the other, until the server is gone.
async fn write(tenant: &Tenant, name: &str, writer: &RefCell<Writer>) {
    for number in 0.. {
        for category in ["created", "changed"] {
            let key = format!("{name}-{number}-{category}");
            let body = json!({"name": format!("{name}-{number}"), "category": category});
            match put(tenant, &key, &body).await {
                Ok(answer) if answer.status < 300 => {
                    writer.borrow_mut().answered.insert(answer.id(), answer.body);
                }
                Ok(answer) => panic!("a live server answered {}", answer.text),
                Err(_) => {
                    writer.borrow_mut().cut = Some((key, body));
                    return;
                }
            }
        }
    }
}

async fn put(tenant: &Tenant, key: &str, body: &Value) -> reqwest::Result<Answer> {
    let path = format!("/v1/products/by/crash/{}", body["name"].as_str().expect("a name"));
    tenant
        .request(Method::PUT, &path)
        .header("Idempotency-Key", key)
        .json(body)
        .try_answer()
        .await
}

/// Creates ten records at a time, all or nothing, until the server is gone.
async fn write_batches(tenant: &Tenant, name: &str, answered: &RefCell<Vec<Vec<String>>>) {
    for number in 0.. {
        let names: Vec<String> = (0..10).map(|item| format!("batch {name}-{number}-{item}")).collect();
        let items: Vec<Value> = names
            .iter()
            .map(|name| json!({"op": "create", "data": {"name": name}}))
            .collect();
        let request = tenant
            .request(Method::POST, "/v1/products/batch?atomic=true")
            .json(&json!({ "items": items }));
        match request.try_answer().await {
            Ok(answer) => answered
                .borrow_mut()
                .push(answer.expect(207).data().iter().map(id_of).collect()),
            Err(_) => return,
        }
    }
}

/// Compares what was answered with the records, the external ids and the feed.
async fn check(tenant: &Tenant, start: &str, answered: &BTreeMap<String, Value>, batches: &[Vec<String>]) {
    let records: BTreeMap<String, Value> = tenant
        .all("/v1/products?limit=500")
        .await
        .into_iter()
        .map(|record| (id_of(&record), record))
        .collect();
    for (id, answer) in answered {
        assert_eq!(
            records.get(id),
            Some(answer),
            "an answered write is there as it was answered"
        );
    }
    for id in batches.iter().flatten() {
        assert!(records.contains_key(id), "an answered batch is there");
    }
    let mut by_batch: BTreeMap<&str, usize> = BTreeMap::new();
    let mut names = BTreeMap::new();
    for (id, record) in &records {
        let name = record["name"].as_str().expect("a name");
        assert_eq!(names.insert(name, id), None, "{name} is there once");
        if let Some(batch) = name.strip_prefix("batch ").and_then(|name| name.rsplit_once('-')) {
            *by_batch.entry(batch.0).or_default() += 1;
        } else {
            let found = tenant.get(&format!("/v1/products/by/crash/{name}")).await.expect(200);
            assert_eq!(found.body, *record, "the external id leads to the record");
        }
    }
    assert!(
        by_batch.values().all(|count| *count == 10),
        "a batch is there as a whole or not at all: {by_batch:?}"
    );

    let mut versions: BTreeMap<String, i64> = BTreeMap::new();
    for event in tenant.changes_after(start).await {
        let version = versions
            .entry(event["subject"]["id"].as_str().expect("an id").to_owned())
            .or_default();
        *version += 1;
        assert_eq!(
            event["version"], *version,
            "every version once and in its turn: {event}"
        );
    }
    let expected: BTreeMap<String, i64> = records
        .iter()
        .map(|(id, record)| (id.clone(), record["version"].as_i64().expect("a version")))
        .collect();
    assert_eq!(
        versions, expected,
        "the feed tells of every version of every record, and of nothing else"
    );
}

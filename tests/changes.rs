//! The change feed: what happened, in commit order, without gaps, to be followed and resumed.

use crate::harness::{Database, Send, Server, Settings, Tenant, at_once, eventually, id_of};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

#[tokio::test]
async fn every_change_is_told_with_what_was_before_and_what_is_after() {
    let tenant = Tenant::new();
    let start = tenant.now().await;
    let product = tenant.create("products", json!({"name": "GTX", "tags": ["a"]})).await;
    let path = format!("/v1/products/{}", id_of(&product));
    tenant
        .patch(
            &path,
            &json!({"name": "GTX Pro", "category": "GTX", "tags": ["a", "b"]}),
        )
        .await
        .expect(200);
    tenant.delete(&path).await.expect(204);
    tenant
        .request(Method::POST, &format!("{path}/restore"))
        .answer()
        .await
        .expect(200);
    tenant.delete(&path).await.expect(204);

    tenant.settle().await;
    let page = tenant.get(&format!("/v1/changes?after={start}")).await.expect(200);
    let told: Vec<(&Value, &Value)> = page
        .data()
        .iter()
        .map(|event| (&event["kind"], &event["version"]))
        .collect();
    let kinds = ["created", "updated", "deleted", "restored", "deleted"].map(|what| json!(format!("product.{what}")));
    let versions = [1, 2, 3, 4, 5].map(|version| json!(version));
    assert_eq!(told, kinds.iter().zip(&versions).collect::<Vec<_>>());

    let [created, updated, deleted, ..] = page.data() else {
        panic!("five events")
    };
    assert_eq!(created["subject"], json!({"type": "product", "id": product["id"]}));
    assert_eq!(created["occurred_at"], product["created_at"]);
    assert_eq!(created["changes"]["name"], json!({"before": null, "after": "GTX"}));
    assert_eq!(created["changes"].get("sku"), None, "what was left out did not change");
    let changes = json!({
        "name": {"before": "GTX", "after": "GTX Pro"},
        "category": {"before": null, "after": "GTX"},
        "tags": {"before": ["a"], "after": ["a", "b"]},
    });
    assert_eq!(updated["changes"], changes);
    assert_eq!(deleted["changes"], json!({}));
    assert_eq!(page.body["page"]["has_more"], false);
}

#[tokio::test]
async fn the_feed_is_resumed_where_it_was_left_and_narrowed_to_types() {
    let tenant = Tenant::new();
    let start = tenant.now().await;
    for number in 0..5 {
        let product = tenant.create("products", json!({"name": format!("P{number}")})).await;
        tenant
            .patch(&format!("/v1/products/{}", id_of(&product)), &json!({"category": "A"}))
            .await
            .expect(200);
        tenant.create("teams", json!({"name": format!("T{number}")})).await;
    }
    tenant.settle().await;
    let whole = tenant
        .get(&format!("/v1/changes?after={start}&limit=500"))
        .await
        .expect(200);
    assert_eq!(whole.data().len(), 15);
    for (types, count) in [
        ("product.created", 5),
        ("product.*", 10),
        ("team.*,product.updated", 10),
        ("customer.*", 0),
        ("product.won", 0),
    ] {
        let mut found = Vec::new();
        let mut after = start.clone();
        loop {
            let page = tenant
                .get(&format!("/v1/changes?types={types}&limit=3&after={after}"))
                .await
                .expect(200);
            assert!(page.data().len() <= 3);
            found.extend_from_slice(page.data());
            after = page.next_cursor().expect("the feed always tells where to go on");
            if page.body["page"]["has_more"] == false {
                break;
            }
        }
        found.retain(|event| whole.data().contains(event));
        assert_eq!(found.len(), count, "{types}");
        let order: Vec<&Value> = whole.data().iter().filter(|event| found.contains(event)).collect();
        assert_eq!(
            order,
            found.iter().collect::<Vec<_>>(),
            "{types}: in the order of the whole feed"
        );
        tenant.create("products", json!({"name": "later"})).await;
        tenant.settle().await;
        let next = tenant
            .get(&format!("/v1/changes?types=product.created&after={after}"))
            .await
            .expect(200);
        assert_eq!(next.data().len(), 1, "{types}: the cursor leads on");
    }
    for wrong in ["Product.created", "product", "product.", "*", "a.b.c", ""] {
        tenant
            .get(&format!("/v1/changes?types={wrong}"))
            .await
            .expect_faults(400, &["?types invalid_value"]);
    }
    let bad = tenant
        .get("/v1/changes?limit=501&wait=31&colour=red&after=nonsense")
        .await;
    bad.expect_faults(
        400,
        &["?limit out_of_range", "?wait out_of_range", "?colour unknown_parameter"],
    );
}

#[tokio::test]
async fn a_waiting_reader_hears_of_a_change_at_once_and_of_none_in_time() {
    let tenant = Tenant::new();
    let start = tenant.now().await;
    let started = Instant::now();
    let none = tenant
        .get(&format!("/v1/changes?after={start}&wait=1"))
        .await
        .expect(200);
    assert!(none.data().is_empty() && started.elapsed() >= Duration::from_millis(950));

    let started = Instant::now();
    let long_poll = format!("/v1/changes?after={start}&wait=30");
    let reading = tenant.get(&long_poll);
    let change = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        tenant.create("products", json!({"name": "GTX"})).await
    };
    let (heard, product) = tokio::join!(reading, change);
    assert_eq!(heard.expect(200).data()[0]["subject"]["id"], product["id"]);
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "it took {:?}",
        started.elapsed()
    );
}

/// Writers that change the same records over and over, and a reader that follows them.
#[tokio::test]
async fn many_writers_make_one_order_that_a_reader_can_follow() {
    const WRITERS: usize = 16;
    const ROUNDS: usize = 15;
    let tenant = Tenant::new();
    let start = tenant.now().await;
    let mut paths = Vec::new();
    for number in 0..5 {
        let product = tenant.create("products", json!({"name": format!("P{number}")})).await;
        paths.push(format!("/v1/products/{}", id_of(&product)));
    }
    let write = async |writer: usize| {
        for round in 0..ROUNDS {
            let body = json!({"category": format!("{writer}/{round}")});
            tenant
                .patch(&paths[(writer + round) % paths.len()], &body)
                .await
                .expect(200);
            if round % 5 == 0 {
                let team = json!({"op": "create", "data": {"name": "T"}});
                tenant.batch("teams", json!([team, team, team])).await.expect(207);
            }
        }
    };
    let written = at_once(WRITERS, write);
    let expected = paths.len() + WRITERS * ROUNDS + WRITERS * 3 * 3;
    let (followed, _) = tokio::join!(follow(&tenant, start, expected), written);

    let ids: BTreeSet<&str> = followed.iter().filter_map(|event| event["id"].as_str()).collect();
    assert_eq!(ids.len(), expected, "each event once");
    let mut versions: BTreeMap<&str, i64> = BTreeMap::new();
    for event in &followed {
        let version = versions
            .entry(event["subject"]["id"].as_str().expect("an id"))
            .or_default();
        *version += 1;
        assert_eq!(
            event["version"], *version,
            "every version of a record in its turn: {event}"
        );
    }
    let again: Vec<Value> = tenant
        .changes()
        .await
        .into_iter()
        .filter(|event| ids.contains(event["id"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(again, followed, "whoever reads it later reads the same");
}

/// What a transaction of another process that is still at work has written may come before what is already there.
#[tokio::test]
async fn no_reader_passes_a_transaction_at_work_whatever_starts_beside_it() {
    let settings = Settings::new();
    let url = settings.database_url.clone();
    let server = Server::start(settings);
    let tenant = Tenant::on(&server);
    let start = tenant.now().await;
    let at_work = Database::transaction_at_work(&url);
    for name in ["one", "two", "three"] {
        tenant.create("products", json!({ "name": name })).await;
    }
    Tenant::on(&server);
    let feed = format!("/v1/changes?after={start}");
    let told = tenant.get(&feed).await.expect(200).data().len();
    assert_eq!(told, if at_work.is_some() { 0 } else { 3 });
    drop(at_work);
    assert_eq!(tenant.changes_after(&start).await.len(), 3);
}

/// Follows the feed until it has told so many events.
async fn follow(tenant: &Tenant, start: String, count: usize) -> Vec<Value> {
    const PATIENCE: Duration = Duration::from_secs(30);
    let (mut events, mut after, mut last) = (Vec::new(), start.clone(), Instant::now());
    while events.len() < count {
        let path = format!("/v1/changes?after={after}&wait=5&limit=17");
        let page = tenant.get(&path).await.expect(200);
        after = page.next_cursor().expect("a cursor");
        if !page.data().is_empty() {
            events.extend_from_slice(page.data());
            last = Instant::now();
        } else if last.elapsed() > PATIENCE {
            // What comes from here was late; what comes only from the start was left out.
            let late = tenant.changes_after(&after).await.len();
            let all = tenant.changes_after(&start).await.len();
            panic!(
                "{} of {count} events came, {late} more now, and {all} are in the feed",
                events.len()
            );
        }
    }
    events
}

#[tokio::test]
async fn a_cursor_to_what_is_no_longer_kept_has_expired() {
    let server = Server::start(Settings::new());
    let tenant = Tenant::on(&server);
    let begin = tenant.now().await;
    tenant.create("products", json!({"name": "old"})).await;
    let middle = tenant.now().await;
    tenant.create("products", json!({"name": "newer"})).await;
    let settings = server.kill();

    let first = "SELECT min(position) FROM events WHERE subject_type = 'product'";
    let old = format!("subject_type <> 'product' OR position <= ({first})");
    Database::age_events(&settings.database_url, &old);
    let server = Server::start(settings.with("RAPPORT_EVENT_RETENTION_DAYS", "1"));
    let tenant = tenant.at(&server);
    let old = format!("/v1/changes?after={begin}");
    let expired = eventually("trimming", async || {
        Some(tenant.get(&old).await).filter(|a| a.status != 200)
    })
    .await;
    expired.expect_problem(410, "cursor_expired");
    assert_eq!(
        tenant.changes_after(&middle).await.len(),
        1,
        "what is younger is still there"
    );
    let now = tenant.now().await;
    tenant.create("products", json!({"name": "newest"})).await;
    assert_eq!(tenant.changes_after(&now).await.len(), 1);
    assert_eq!(
        tenant.changes().await.len(),
        2,
        "without a cursor the feed begins with what is kept"
    );
}

#[tokio::test]
async fn a_command_beside_the_server_writes_no_event_behind_a_cursor() {
    let admin = Tenant::new();
    for name in ["one", "two", "three"] {
        admin.create("products", json!({ "name": name })).await;
    }
    let other = Tenant::new();
    let cursor = other.now().await;
    other.as_role("agent");
    let product = other.create("products", json!({"name": "four"})).await;
    other.as_role("reader");
    let subjects: Vec<Value> = other
        .changes_after(&cursor)
        .await
        .iter()
        .map(|event| event["kind"].clone())
        .collect();
    assert_eq!(
        subjects,
        ["service_account.created", "product.created", "service_account.created"],
        "{product}"
    );
}

//! Starting, stopping, and several instances on one database.

use crate::harness::{Database, Send, Server, Settings, Tenant, at_once, id_of};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn two_instances_that_start_together_make_one_schema() {
    let settings = Settings::new();
    if Database::under_test() == Database::Sqlite {
        // One process serves a file; migrating it is safe from several.
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| settings.run(&["migrate"]));
            }
        });
        let tenant = Tenant::on(&Server::start(settings));
        assert!(!tenant.token.is_empty());
        return;
    }
    let starting = [Server::begin(settings.clone()), Server::begin(settings)];
    let [one, other] = starting.map(crate::harness::Starting::listening);
    let here = Tenant::on(&one);
    let there = here.at(&other);
    let record = here.create("products", json!({"name": "GTX"})).await;
    let path = format!("/v1/products/{}", id_of(&record));
    assert_eq!(there.get(&path).await.expect(200).body, record);

    // What one gave out, the other takes: tokens, cursors, answers kept for a key.
    here.create("products", json!({"name": "MG"})).await;
    let cursor = here
        .get("/v1/products?limit=1&sort=name")
        .await
        .expect(200)
        .next_cursor()
        .expect("more");
    let rest = there
        .get(&format!("/v1/products?limit=1&sort=name&cursor={cursor}"))
        .await
        .expect(200);
    assert_eq!(rest.data()[0]["name"], "MG");
    let change = |tenant: &Tenant| {
        let request = tenant.request(Method::PATCH, &path).header("Idempotency-Key", "k");
        request.json(&json!({"category": "A"})).answer()
    };
    let first = change(&here).await.expect(200);
    let again = change(&there).await.expect(200);
    assert_eq!(
        (again.header("idempotency-replayed"), &again.text),
        ("true", &first.text)
    );
    let after = there.now().await;
    let long_poll = format!("/v1/changes?after={after}&wait=10");
    let reading = there.get(&long_poll);
    let writing = here.create("products", json!({"name": "Alpha"}));
    let (heard, written) = tokio::join!(reading, writing);
    assert_eq!(
        heard.expect(200).data()[0]["subject"]["id"],
        written["id"],
        "a reader hears of the other's writes"
    );

    at_once(8, |writer| {
        let (tenant, path) = ([&here, &there][writer % 2], &path);
        async move {
            for round in 0..5 {
                let body = json!({"category": format!("{writer}/{round}")});
                tenant.patch(path, &body).await.expect(200);
            }
        }
    })
    .await;
    for tenant in [&here, &there] {
        let events = tenant.events_of(&record).await;
        let versions: Vec<_> = events.iter().filter_map(|event| event["version"].as_i64()).collect();
        assert_eq!(
            versions,
            (1..=42).collect::<Vec<_>>(),
            "one order, whoever wrote and whoever reads"
        );
    }
}

#[tokio::test]
async fn a_server_told_to_stop_ends_what_it_began() {
    let server = Server::start(Settings::new());
    let tenant = Tenant::on(&server);
    let after = tenant.now().await;
    tenant.stranger().get("/readyz").await.expect(200);
    let long_poll = format!("/v1/changes?after={after}&wait=30");
    let reading = tenant.get(&long_poll);
    let stopping = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.signal("TERM");
    };
    let (waited, ()) = tokio::join!(reading, stopping);
    assert_eq!(
        waited.expect(200).data(),
        [json!(null); 0],
        "the reader who waited is let go with an answer"
    );
    assert_eq!(server.wait_for_exit(), 0);
    let refused = tenant.request(Method::GET, "/healthz").try_answer().await;
    assert!(refused.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn strangers_see_that_the_service_lives_and_nothing_else() {
    let stranger = Tenant::new().stranger();
    assert_eq!(stranger.get("/healthz").await.expect(200).body["status"], "ok");
    assert_eq!(stranger.get("/readyz").await.expect(200).body["status"], "ready");
    assert_eq!(stranger.get("/v1/limits").await.expect(200).body["batch_items"], 1_000);
    let metrics = stranger.get("/metrics").await.expect(200);
    assert!(metrics.text.contains("rapport_http_requests_total"), "{}", metrics.text);
    assert!(!metrics.text.contains("/v1/products/0"), "no ids in the metrics");
}

#[tokio::test]
async fn requests_are_counted_by_route_and_not_by_what_clients_make_up() {
    let server = Server::start(Settings::new());
    let tenant = Tenant::on(&server);
    tenant
        .get("/v1/products/019aa000-0000-7000-8000-000000000000")
        .await
        .expect_problem(404, "not_found");
    tenant.get("/v1/made_up").await.expect_problem(404, "not_found");
    let brewed = tenant.request(Method::from_bytes(b"BREW").expect("a method"), "/v1/products/batch");
    brewed.answer().await.expect_problem(405, "method_not_allowed");
    let metrics = tenant.stranger().get("/metrics").await.expect(200);
    let counted = |labels: &str| {
        let line = format!("rapport_http_requests_total{{{labels}}} 1");
        assert!(metrics.text.contains(&line), "{line} in {}", metrics.text);
    };
    counted(r#"method="GET",route="/v1/products/{id}",status="404""#);
    counted(r#"method="GET",route="none",status="404""#);
    counted(r#"method="other",route="/v1/products/batch",status="405""#);
    assert!(!metrics.text.contains("BREW") && !metrics.text.contains("made_up"));
}

#[tokio::test]
async fn what_people_read_is_where_it_was_and_nowhere_near() {
    let stranger = Tenant::new().stranger();
    for page in [
        "/",
        "/docs/",
        "/docs/swagger-ui.css",
        "/guide",
        "/guide/rules",
        "/guide/rules.md",
    ] {
        stranger.get(page).await.expect(200);
    }
    let redirect = stranger.get("/docs").await.expect(308);
    assert_eq!(redirect.header("location"), "/docs/");
    for nothing in [
        "/docs/nothing",
        "/docs/a/b",
        "/guide/",
        "/guide/nothing",
        "/v1",
        "/v1/",
        "/v1/products/",
        "//v1/products",
    ] {
        stranger.get(nothing).await.expect_problem(404, "not_found");
    }
    let posted = stranger.post("/guide", &json!({})).await;
    assert_eq!(posted.expect_problem(405, "method_not_allowed").header("allow"), "GET");
}

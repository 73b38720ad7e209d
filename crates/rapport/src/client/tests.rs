use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::*;
use crate::fake::Fake;

fn patience() -> Patience {
    let mut patience = Patience::new(Box::new(|_| {}));
    patience.pace = Duration::from_millis(5);
    patience.total = Duration::from_secs(3);
    patience.first = Duration::from_millis(100);
    patience
}

fn client(fake: &Fake, credentials: Credentials) -> Client {
    Client::new(&fake.url, credentials, patience()).unwrap()
}

fn token(text: &str) -> Credentials {
    Credentials::Token(text.into())
}

fn account(secret: &str) -> Credentials {
    Credentials::ServiceAccount {
        id: "id".into(),
        secret: secret.into(),
    }
}

async fn send(client: &Client) -> Result<Vec<ItemAnswer>, Error> {
    let data = json!({"name": "Acme"});
    let item = Upsert::new("maven", "Acme", None, &data).to_json().unwrap();
    client.batch("customers", &[item], &[]).await
}

#[tokio::test]
async fn throttling_and_overload_are_waited_out() {
    let fake = Fake::start();
    fake.state().refusals.extend([(429, Some(1)), (503, None), (502, None)]);
    let started = std::time::Instant::now();
    let answers = send(&client(&fake, token("t"))).await.unwrap();
    assert_eq!(answers[0].outcome, Outcome::Created);
    assert!(started.elapsed() >= Duration::from_secs(1), "Retry-After is kept to");
}

#[tokio::test]
async fn items_that_the_server_was_too_busy_for_are_sent_again() {
    let fake = Fake::start();
    fake.state().busy_items = 3;
    let data = json!({"name": "Acme"});
    let item = |id: &str| Upsert::new("maven", id, None, &data).to_json().unwrap();
    let client = client(&fake, token("t"));
    let answers = client.batch("customers", &[item("a"), item("b")], &[]).await.unwrap();
    assert!(answers.iter().all(|answer| answer.outcome == Outcome::Created));
    assert_eq!(fake.state().batches, [2, 2, 1]);
}

#[tokio::test]
async fn patience_has_an_end() {
    let fake = Fake::start();
    fake.state().refusals.extend([(503, Some(3600)); 3]);
    let error = send(&client(&fake, token("t"))).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_soon() {
    let told = Arc::new(AtomicUsize::new(0));
    let counter = told.clone();
    let notice: Notice = Box::new(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let mut patience = Patience::new(notice);
    patience.first = Duration::from_millis(500);
    let nowhere = "http://127.0.0.1:9".parse().unwrap();
    let client = Client::new(&nowhere, token("t"), patience).unwrap();
    let message = send(&client).await.unwrap_err().to_string();
    assert!(
        message.contains("127.0.0.1:9") && message.contains("RAPPORT_URL"),
        "{message}"
    );
    assert_eq!(told.load(Ordering::Relaxed), 1, "one notice, not one a try");
}

#[tokio::test]
async fn a_service_account_renews_its_token_when_it_runs_out() {
    let fake = Fake::start();
    let client = client(&fake, account("secret"));
    send(&client).await.unwrap();
    "another".clone_into(&mut fake.state().token);
    send(&client).await.unwrap();
    assert_eq!(fake.state().grants, 2);
    send(&client).await.unwrap();
    assert_eq!(fake.state().grants, 2, "a good token is kept");
}

#[tokio::test]
async fn a_wrong_secret_is_told_at_once() {
    let fake = Fake::start();
    let message = send(&client(&fake, account("wrong"))).await.unwrap_err().to_string();
    assert!(
        message.contains("RAPPORT_CLIENT_SECRET") && message.contains("invalid client"),
        "{message}"
    );
}

#[tokio::test]
async fn an_expired_token_names_the_remedy() {
    let fake = Fake::start();
    "fresh".clone_into(&mut fake.state().token);
    let message = send(&client(&fake, token("stale"))).await.unwrap_err().to_string();
    for part in [
        "RAPPORT_TOKEN",
        "the token has expired",
        "RAPPORT_CLIENT_ID",
        "same command again",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

#[tokio::test]
async fn other_refusals_are_shown_as_the_server_words_them() {
    let fake = Fake::start();
    fake.state().batches_left = Some(0);
    let message = send(&client(&fake, token("t"))).await.unwrap_err().to_string();
    assert!(
        message.contains("/v1/customers/batch") && message.contains("enough"),
        "{message}"
    );
}

#[test]
fn a_problem_reads_as_its_faults() {
    let text = r#"{"title":"Invalid","status":422,"errors":[{"pointer":"/name","code":"x","message":"is empty"},{"pointer":"","message":"no"}]}"#;
    let problem: Problem = serde_json::from_str(text).unwrap();
    assert_eq!(problem.to_string(), "/name: is empty; no");
    let bare = Problem {
        status: 403,
        title: "Forbidden".into(),
        ..Problem::default()
    };
    assert_eq!(bare.to_string(), "Forbidden (403)");
}

#[test]
fn a_base_address_may_have_a_path() {
    for base in ["http://h/crm", "http://h/crm/"] {
        let client = Client::new(&base.parse().unwrap(), token("t"), patience()).unwrap();
        assert_eq!(
            client.address("v1/customers/batch").unwrap().as_str(),
            "http://h/crm/v1/customers/batch"
        );
    }
}

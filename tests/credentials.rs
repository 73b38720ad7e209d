//! What users and service accounts prove themselves with: passwords, secrets, and limits on guessing them.

use crate::harness::{PASSWORD, Send, Server, Settings, Tenant, id_of};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_service_account_gets_tokens_by_its_secret_until_it_is_revoked() {
    let admin = Tenant::on(Server::for_log_ins());
    let account = admin
        .create("service_accounts", json!({"name": "ERP", "role": "integration"}))
        .await;
    let id = id_of(&account);
    let path = format!("/v1/service_accounts/{id}/secrets");
    let made = admin.request(Method::POST, &path).answer().await.expect(201);
    let secret = made.text_of("secret").to_owned();
    assert!(secret.starts_with(made.text_of("prefix")) && secret.starts_with("rap_"));

    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &id),
        ("client_secret", &secret),
    ];
    let answer = admin.grant(&form).await.expect(200);
    assert_eq!(answer.body.get("refresh_token"), None);
    let caller = admin.as_logged_in(&answer);
    let me = caller.get("/v1/auth/me").await.expect(200).body;
    assert_eq!((&me["id"], &me["type"]), (&account["id"], &json!("service_account")));
    let basic = admin
        .stranger()
        .request(Method::POST, "/v1/auth/token")
        .basic_auth(&id, Some(&secret));
    basic
        .form(&[("grant_type", "client_credentials")])
        .answer()
        .await
        .expect(200);

    let listed = admin.get(&path).await.expect(200);
    assert!(!listed.text.contains(&secret));
    assert_eq!(listed.data().len(), 1);
    admin.delete(&format!("{path}/{}", made.id())).await.expect(204);
    caller.is_refused_in_a_second().await;
    admin.grant(&form).await.expect_problem(401, "invalid_client");
    assert_ne!(admin.get(&path).await.expect(200).data()[0]["revoked_at"], Value::Null);
    let kinds = admin.kinds_of_events(&account).await;
    assert_eq!(kinds, ["created", "secret_created", "secret_revoked"]);
}

#[tokio::test]
async fn a_secret_is_shown_once_and_only_to_an_admin() {
    let admin = Tenant::on(Server::for_log_ins());
    let account = admin
        .create("service_accounts", json!({"name": "ERP", "role": "integration"}))
        .await;
    let path = format!("/v1/service_accounts/{}/secrets", id_of(&account));
    let make = || {
        admin
            .request(Method::POST, &path)
            .header("Idempotency-Key", "one")
            .json(&json!({}))
    };
    let first = make().answer().await.expect(201);
    let again = make().answer().await.expect(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(
        (&again.body["id"], &again.body["secret"]),
        (&first.body["id"], &Value::Null)
    );
    for role in ["manager", "agent", "reader", "integration"] {
        let other = admin.as_role(role);
        other.post(&path, &json!({})).await.expect_problem(403, "forbidden");
        other.get(&path).await.expect_problem(403, "forbidden");
    }
    let stranger = Tenant::on(Server::for_log_ins());
    stranger.post(&path, &json!({})).await.expect_problem(404, "not_found");
    stranger.get(&path).await.expect_problem(404, "not_found");
    stranger
        .delete(&format!("{path}/{}", first.id()))
        .await
        .expect_problem(404, "not_found");
    let year = json!({"expires_at": "2099-01-01T00:00:00Z"});
    admin
        .post(&path, &year)
        .await
        .expect_faults(422, &["/expires_at out_of_range"]);
    for _ in 0..9 {
        admin.post(&path, &json!({})).await.expect(201);
    }
    admin
        .post(&path, &json!({}))
        .await
        .expect_problem(409, "too_many_secrets");
}

#[tokio::test]
async fn a_password_is_changed_by_its_user_or_an_admin() {
    let admin = Tenant::on(Server::for_log_ins());
    let hal = admin.user("hal", "agent").await;
    let other = admin.user("ida", "agent").await;
    let path = format!("/v1/users/{}/password", id_of(&hal));
    let laptop = admin.as_logged_in(&admin.login("hal", PASSWORD).await.expect(200));
    let phone = admin.as_logged_in(&admin.login("hal", PASSWORD).await.expect(200));

    let change = |current: Option<&str>, new: &str| json!({"current_password": current, "password": new});
    for (body, fault) in [
        (change(None, "a new password"), "/current_password required"),
        (
            change(Some("wrong password"), "a new password"),
            "/current_password wrong_password",
        ),
        (change(Some(PASSWORD), "short"), "/password too_short"),
        (change(Some(PASSWORD), "Password123"), "/password too_common"),
    ] {
        let answer = laptop.put(&path, &body).await;
        assert!(!answer.text.contains("wrong password") && !answer.text.contains("Password123"));
        answer.expect_faults(422, &[fault]);
    }
    let others = format!("/v1/users/{}/password", id_of(&other));
    laptop
        .put(&others, &change(Some(PASSWORD), "a new password"))
        .await
        .expect_problem(403, "forbidden");

    laptop
        .put(
            &format!("{path}?dry_run=true"),
            &change(Some(PASSWORD), "a new password"),
        )
        .await
        .expect(204);
    admin.login("hal", PASSWORD).await.expect(200);
    laptop
        .put(&path, &change(Some(PASSWORD), "a new password"))
        .await
        .expect(204);
    laptop.get("/v1/auth/me").await.expect(200);
    phone.is_refused_in_a_second().await;
    admin.login("hal", PASSWORD).await.expect(401);
    admin.login("hal", "a new password").await.expect(200);
    admin
        .put(&path, &json!({"password": "an admin's choice"}))
        .await
        .expect(204);
    laptop.is_refused_in_a_second().await;
    admin.login("hal", "an admin's choice").await.expect(200);
    let kinds = admin.kinds_of_events(&hal).await;
    assert_eq!(
        kinds,
        ["created", "password_changed", "password_changed", "password_changed"]
    );
    let nobody = Tenant::on(Server::for_log_ins());
    nobody
        .put(&path, &json!({"password": "a stranger's choice"}))
        .await
        .expect_problem(404, "not_found");
}

#[tokio::test]
async fn who_guesses_at_an_account_is_slowed_down_and_its_owner_is_not() {
    let admin = Tenant::on(Server::for_log_ins());
    admin.user("joe", "agent").await;
    let from = async |address: &str, password: &str| {
        let body = json!({"email": "joe@example.com", "password": password, "tenant": admin.name});
        let request = admin.stranger().request(Method::POST, "/v1/auth/login");
        request.header("X-Forwarded-For", address).json(&body).answer().await
    };
    for _ in 0..10 {
        from("198.51.100.1", "a guess").await.expect(401);
    }
    let refused = from("198.51.100.1", PASSWORD)
        .await
        .expect_problem(429, "too_many_requests");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((25..=30).contains(&wait), "{wait}");
    from("198.51.100.2", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn an_address_may_try_so_often_whatever_it_says_where_it_comes_from() {
    let strict = Server::start(Settings::new());
    let admin = Tenant::on(&strict);
    let mut statuses = Vec::new();
    for number in 0..14 {
        let body = json!({"email": format!("guess{number}@example.com"), "password": "a guess"});
        let request = admin.stranger().request(Method::POST, "/v1/auth/login");
        let request = request.header("X-Forwarded-For", format!("203.0.113.{number}"));
        statuses.push(request.json(&body).answer().await.status);
    }
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert!((3..=4).contains(&refused), "{statuses:?}");
}

//! How people log in, stay logged in and log out, and how soon a change to a user counts.

use crate::harness::{Database, PASSWORD, Send, Server, Tenant, at_once, eventually, id_of};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_user_logs_in_works_and_logs_out() {
    let admin = Tenant::on(Server::for_log_ins());
    let ann = admin.user("ann", "agent").await;
    let answer = admin.login("Ann", PASSWORD).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(
        (answer.text_of("token_type"), &answer.body["expires_in"]),
        ("Bearer", &json!(600))
    );
    let caller = admin.as_logged_in(&answer);
    let me = caller.get("/v1/auth/me").await.expect(200).body;
    assert_eq!(
        (&me["id"], &me["type"], &me["role"]),
        (&ann["id"], &json!("user"), &json!("agent"))
    );
    assert_eq!(me["record_rule"], "team");
    assert_eq!(me["tenant"]["name"], admin.name.as_str());
    let scopes: Vec<&str> = answer.text_of("scope").split(' ').collect();
    assert_eq!(me["scopes"], json!(scopes));
    let product = caller.post("/v1/products", &json!({"name": "x"})).await;
    assert!(
        product
            .header("www-authenticate")
            .contains("error=\"insufficient_scope\"")
    );
    product.expect_problem(403, "forbidden");
    let customer = caller
        .create("customers", json!({"kind": "person", "name": "Zoe"}))
        .await;
    assert_eq!(
        (&customer["created_by"], &customer["owner_id"]),
        (&ann["id"], &ann["id"])
    );

    caller
        .request(Method::POST, "/v1/auth/logout")
        .answer()
        .await
        .expect(204);
    caller.is_refused_in_a_second().await;
    admin
        .refresh(answer.text_of("refresh_token"))
        .await
        .expect_problem(400, "invalid_grant");
}

#[tokio::test]
async fn whatever_is_wrong_with_a_log_in_the_answer_is_the_same() {
    let admin = Tenant::on(Server::for_log_ins());
    admin.user("bob", "agent").await;
    let other = Tenant::on(Server::for_log_ins());
    let gone = admin.user("gone", "agent").await;
    admin
        .patch(&format!("/v1/users/{}", id_of(&gone)), &json!({"active": false}))
        .await
        .expect(200);
    let mut bodies = Vec::new();
    for answer in [
        admin.login("bob", "wrong password").await,
        admin.login("nobody", PASSWORD).await,
        other.login("bob", PASSWORD).await,
        admin.login("gone", PASSWORD).await,
        admin.login("bob", "").await,
        admin.login("bob", &"x".repeat(5000)).await,
    ] {
        let mut body = answer.expect_problem(401, "invalid_credentials").body;
        body["request_id"] = Value::Null;
        bodies.push(body);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    let echo = admin.login("bob", "s3cr3t-never-shown").await;
    assert!(!echo.text.contains("s3cr3t"));
    let malformed = json!({"email": 5, "password": ["s3cr3t-never-shown"]});
    let malformed = admin.stranger().post("/v1/auth/login", &malformed).await;
    assert!(!malformed.text.contains("s3cr3t"), "{}", malformed.text);
    malformed.expect_faults(422, &["/email invalid_type", "/password invalid_type"]);
}

#[tokio::test]
async fn an_address_that_is_used_in_two_tenants_needs_the_tenant() {
    let (one, other) = (Tenant::on(Server::for_log_ins()), Tenant::on(Server::for_log_ins()));
    one.user("both", "agent").await;
    let body = json!({"email": "both@example.com", "password": PASSWORD});
    one.stranger().post("/v1/auth/login", &body).await.expect(200);
    other.user("both", "agent").await;
    one.stranger()
        .post("/v1/auth/login", &body)
        .await
        .expect_problem(401, "invalid_credentials");
    other.login("both", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_token_may_be_asked_to_permit_less() {
    let admin = Tenant::on(Server::for_log_ins());
    admin.user("cleo", "manager").await;
    let body =
        |scope: &str| json!({"email": "cleo@example.com", "password": PASSWORD, "tenant": admin.name, "scope": scope});
    let post = async |scope: &str| admin.stranger().post("/v1/auth/login", &body(scope)).await;
    let answer = post("products:read customers:read").await.expect(200);
    let caller = admin.as_logged_in(&answer);
    caller.get("/v1/products").await.expect(200);
    caller
        .post("/v1/products", &json!({"name": "x"}))
        .await
        .expect_problem(403, "forbidden");
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", answer.text_of("refresh_token")),
    ];
    let more = admin.grant(&[&form[..], &[("scope", "products:write")]].concat()).await;
    more.expect_problem(400, "invalid_scope");
    let less = admin
        .grant(&[&form[..], &[("scope", "products:read")]].concat())
        .await
        .expect(200);
    admin
        .as_logged_in(&less)
        .get("/v1/customers")
        .await
        .expect_problem(403, "forbidden");
    post("admin").await.expect_faults(422, &["/scope invalid_scope"]);
    post("everything").await.expect_faults(422, &["/scope invalid_scope"]);
}

#[tokio::test]
async fn a_refresh_token_is_used_once_and_its_reuse_ends_the_session() {
    let admin = Tenant::on(Server::for_log_ins());
    admin.user("dora", "agent").await;
    let first = admin.login("dora", PASSWORD).await.expect(200);
    let first_refresh = first.text_of("refresh_token");
    let second = admin.refresh(first_refresh).await.expect(200);
    assert_ne!(second.text_of("refresh_token"), first_refresh);
    let again = admin.refresh(first_refresh).await.expect(200);
    assert_eq!(
        again.body["refresh_token"], second.body["refresh_token"],
        "the answer may have been lost"
    );
    let third = admin.refresh(second.text_of("refresh_token")).await.expect(200);

    let caller = admin.as_logged_in(&third);
    caller.get("/v1/auth/me").await.expect(200);
    age(&admin, "refresh_tokens", "used_at", 11).await;
    admin.refresh(first_refresh).await.expect_problem(400, "invalid_grant");
    caller.is_refused_in_a_second().await;
    admin
        .refresh(third.text_of("refresh_token"))
        .await
        .expect_problem(400, "invalid_grant");
}

/// Makes an instant of the tenant's sessions or refresh tokens earlier by so many seconds.
async fn age(tenant: &Tenant, table: &str, column: &str, seconds: u64) {
    let me = tenant.get("/v1/auth/me").await.expect(200).body;
    let id = me["tenant"]["id"].as_str().unwrap();
    let blob = id.replace('-', "");
    Database::execute(
        &Server::for_log_ins().settings.database_url,
        &format!("UPDATE {table} SET {column} = {column} - {seconds}000000 WHERE tenant_id = x'{blob}'"),
        &format!("UPDATE {table} SET {column} = {column} - interval '{seconds} s' WHERE tenant_id = '{id}'"),
    );
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_and_in_the_end_also_when_it_is() {
    const DAY: u64 = 86_400;
    let admin = Tenant::on(Server::for_log_ins());
    admin.user("fay", "agent").await;
    let mut last = admin.login("fay", PASSWORD).await.expect(200);
    for _ in 0..2 {
        age(&admin, "refresh_tokens", "expires_at", 13 * DAY).await;
        age(&admin, "sessions", "expires_at", 13 * DAY).await;
        last = admin.refresh(last.text_of("refresh_token")).await.expect(200);
    }
    age(&admin, "sessions", "expires_at", 5 * DAY).await;
    let refused = admin.refresh(last.text_of("refresh_token")).await;
    refused.expect_problem(400, "invalid_grant");
    admin.as_logged_in(&last).is_refused_in_a_second().await;

    let idle = admin.login("fay", PASSWORD).await.expect(200);
    age(&admin, "refresh_tokens", "expires_at", 15 * DAY).await;
    let refused = admin.refresh(idle.text_of("refresh_token")).await;
    refused.expect_problem(400, "invalid_grant");
}

#[tokio::test]
async fn a_refresh_token_sent_many_times_at_once_has_one_successor() {
    let admin = Tenant::on(Server::for_log_ins());
    admin.user("eve", "agent").await;
    let first = admin.login("eve", PASSWORD).await.expect(200);
    let answers = at_once(20, |_| admin.refresh(first.text_of("refresh_token"))).await;
    let successors: Vec<Value> = answers
        .into_iter()
        .map(|answer| answer.expect(200).body["refresh_token"].clone())
        .collect();
    assert!(
        successors.iter().all(|successor| *successor == successors[0]),
        "{successors:?}"
    );
}

#[tokio::test]
async fn a_change_to_a_user_counts_within_a_second() {
    let admin = Tenant::on(Server::for_log_ins());
    let frida = admin.user("frida", "manager").await;
    let path = format!("/v1/users/{}", id_of(&frida));
    let logged_in = admin.login("frida", PASSWORD).await.expect(200);
    let caller = admin.as_logged_in(&logged_in);
    caller.post("/v1/products", &json!({"name": "x"})).await.expect(201);

    admin.patch(&path, &json!({"role": "reader"})).await.expect(200);
    eventually("the new role", async || {
        (caller.post("/v1/products", &json!({"name": "y"})).await.status == 403).then_some(())
    })
    .await;
    admin.patch(&path, &json!({"active": false})).await.expect(200);
    caller.is_refused_in_a_second().await;
    admin
        .refresh(logged_in.text_of("refresh_token"))
        .await
        .expect_problem(400, "invalid_grant");
    admin.patch(&path, &json!({"active": true})).await.expect(200);
    eventually("the way back", async || {
        (caller.get("/v1/auth/me").await.status == 200).then_some(())
    })
    .await;
    admin.delete(&path).await.expect(204);
    caller.is_refused_in_a_second().await;
}

#[tokio::test]
async fn a_session_is_given_up_by_either_of_its_tokens() {
    let admin = Tenant::on(Server::for_log_ins());
    admin.user("gus", "agent").await;
    for name in ["access_token", "refresh_token"] {
        let answer = admin.login("gus", PASSWORD).await.expect(200);
        let caller = admin.as_logged_in(&answer);
        let revoke = async |token: &str| {
            let request = admin.stranger().request(Method::POST, "/v1/auth/revoke");
            request.form(&[("token", token)]).answer().await
        };
        revoke("nonsense").await.expect(200);
        caller.get("/v1/auth/me").await.expect(200);
        revoke(answer.text_of(name)).await.expect(200);
        caller.is_refused_in_a_second().await;
        let of_account = revoke(&admin.token).await.expect_problem(400, "unsupported_token_type");
        assert_eq!(of_account.text_of("error"), "unsupported_token_type");
    }
}

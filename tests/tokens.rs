//! Access tokens: who signs them, which are taken, and how the endpoint that gives them speaks.

use crate::harness::{PASSWORD, Send, Server, Settings, Tenant, eventually, id_of};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn errors_of_the_token_endpoint_speak_to_clients_of_either_kind() {
    let admin = Tenant::on(Server::for_log_ins());
    for (form, status, error) in [
        (&[][..], 400, "invalid_request"),
        (&[("grant_type", "password")], 400, "unsupported_grant_type"),
        (&[("grant_type", "refresh_token")], 400, "invalid_request"),
        (
            &[("grant_type", "refresh_token"), ("refresh_token", "x")],
            400,
            "invalid_grant",
        ),
        (&[("grant_type", "client_credentials")], 401, "invalid_client"),
        (&[("grant_type", "a"), ("grant_type", "b")], 400, "invalid_request"),
    ] {
        let answer = admin.grant(form).await.expect(status);
        assert_eq!(answer.text_of("error"), error, "{}", answer.text);
        assert_eq!(answer.body["error_description"], answer.body["detail"]);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.header("www-authenticate").starts_with("Basic"), status == 401);
    }
    let json = admin
        .stranger()
        .post("/v1/auth/token", &json!({"grant_type": "refresh_token"}))
        .await;
    assert_eq!(
        json.expect_problem(415, "unsupported_media_type").text_of("error"),
        "invalid_request"
    );
}

#[tokio::test]
async fn tokens_are_signed_by_published_keys_also_when_these_change() {
    let admin = Tenant::on(Server::for_log_ins());
    let stranger = admin.stranger();
    let kids = async || {
        let set = stranger.get("/.well-known/jwks.json").await.expect(200).body;
        let keys = set["keys"].as_array().unwrap().clone();
        assert!(keys.iter().all(|key| key.get("d").is_none() && key["alg"] == "EdDSA"));
        keys.into_iter()
            .map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let before = kids().await;
    let made = Server::for_log_ins()
        .settings
        .run(&["keys", "rotate"])
        .trim()
        .to_owned();
    eventually("the next key", async || kids().await.contains(&made).then_some(())).await;
    assert!(before.iter().all(|kid| *kid != made));
    admin.get("/v1/auth/me").await.expect(200);
    admin.user("kim", "agent").await;
    let fresh = admin.login("kim", PASSWORD).await.expect(200);
    admin.as_logged_in(&fresh).get("/v1/auth/me").await.expect(200);

    let metadata = stranger
        .get("/.well-known/oauth-authorization-server")
        .await
        .expect(200)
        .body;
    let issuer = metadata["issuer"].as_str().unwrap();
    assert_eq!(metadata["jwks_uri"], format!("{issuer}/.well-known/jwks.json"));
}

#[tokio::test]
async fn what_is_no_token_of_this_service_is_refused() {
    let admin = Tenant::on(Server::for_log_ins());
    let good = admin.token.clone();
    let mut parts: Vec<&str> = good.split('.').collect();
    parts[2] = "AAAA";
    let forged = parts.join(".");
    let unsigned = format!(
        "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{}.",
        good.split('.').nth(1).unwrap()
    );
    for token in [&forged, &unsigned, "nonsense", "a.b.c", &"x".repeat(20_000)] {
        let answer = admin.with_token(token).get("/v1/customers").await;
        let challenge = answer.header("www-authenticate").to_owned();
        answer.expect_problem(401, "unauthorized");
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    }
    let none = admin
        .stranger()
        .get("/v1/customers")
        .await
        .expect_problem(401, "unauthorized");
    assert_eq!(none.header("www-authenticate"), "Bearer realm=\"rapport\"");
    let request = admin.stranger().request(Method::GET, "/v1/customers");
    request
        .basic_auth("a", Some("b"))
        .answer()
        .await
        .expect_problem(401, "unauthorized");
}

#[tokio::test]
async fn a_foreign_issuer_speaks_for_the_users_that_bear_its_ids() {
    let foreign = Server::start(Settings::new());
    let their_admin = Tenant::on(&foreign);
    let metadata = their_admin
        .get("/.well-known/oauth-authorization-server")
        .await
        .expect(200)
        .body;
    let issuer = metadata["issuer"].as_str().unwrap();
    let subject = id_of(&their_admin.get("/v1/auth/me").await.expect(200).body);

    let settings = Settings::new();
    let file = settings.folder.join("rapport.toml");
    let jwks = format!("{}/.well-known/jwks.json", foreign.url);
    let config = format!(
        "public_url = 'https://crm.example.com'\n[[issuers]]\nissuer = '{issuer}'\naudience = '{issuer}'\njwks = '{jwks}'\ntenant = 'default'\n"
    );
    std::fs::write(&file, config).unwrap();
    let ours = Server::start(settings.with("RAPPORT_CONFIG", file.to_str().unwrap()));
    let admin = their_admin.at(&ours).with_token(ours.settings.run(&["token"]).trim());
    let guest = admin.with_token(&their_admin.token);

    guest.get("/v1/auth/me").await.expect_problem(401, "unauthorized");
    let known_as = json!([{"system": issuer, "id": subject}]);
    let fields = json!({"name": "Guest", "role": "reader", "external_ids": known_as});
    let user = admin.create("users", fields).await;
    let me = guest.get("/v1/auth/me").await.expect(200).body;
    assert_eq!((&me["id"], &me["role"]), (&user["id"], &json!("reader")));
    guest
        .post("/v1/products", &json!({"name": "x"}))
        .await
        .expect_problem(403, "forbidden");
    admin
        .patch(&format!("/v1/users/{}", id_of(&user)), &json!({"active": false}))
        .await
        .expect(200);
    guest.is_refused_in_a_second().await;
}

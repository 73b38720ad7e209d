//! Users, teams and service accounts, as records: who they are and what they may do.

use crate::harness::{Tenant, id_of};
use serde_json::json;

#[tokio::test]
async fn no_two_users_log_in_with_the_same_address() {
    let tenant = Tenant::new();
    let ada = tenant
        .create(
            "users",
            json!({"name": "Ada", "email": " Ada@Example.COM", "role": "agent"}),
        )
        .await;
    assert_eq!(ada["email"], "ada@example.com");
    assert_eq!(ada["active"], true);
    assert_eq!(ada["record_rule"], json!(null));
    let other = json!({"name": "Eve", "email": "ADA@example.com", "role": "reader"});
    tenant
        .post("/v1/users", &other)
        .await
        .expect_problem(409, "email_taken");
    Tenant::new().post("/v1/users", &other).await.expect(201);
    tenant
        .create("users", json!({"name": "Without", "role": "agent"}))
        .await;
    tenant
        .create("users", json!({"name": "An address", "role": "agent"}))
        .await;
    let wrong = json!({"name": "", "email": "nowhere", "role": "agent"});
    tenant
        .post("/v1/users", &wrong)
        .await
        .expect_faults(422, &["/name invalid_length", "/email invalid_format"]);
    let found = tenant.get("/v1/users?filter[email]=ada@example.com").await.expect(200);
    assert_eq!(found.ids(), [id_of(&ada)]);
}

#[tokio::test]
async fn only_an_administrator_gives_roles() {
    let tenant = Tenant::new();
    for (resource, body) in [
        ("users", json!({"name": "Eve", "role": "admin"})),
        ("service_accounts", json!({"name": "Eve", "role": "admin"})),
    ] {
        for role in ["manager", "agent", "reader", "integration"] {
            let path = format!("/v1/{resource}");
            tenant
                .as_role(role)
                .post(&path, &body)
                .await
                .expect_problem(403, "forbidden");
        }
        tenant.create(resource, body).await;
    }
    tenant.as_role("manager").get("/v1/users").await.expect(200);
    tenant
        .as_role("manager")
        .get("/v1/service_accounts")
        .await
        .expect_problem(403, "forbidden");
}

#[tokio::test]
async fn teams_stand_below_teams_and_make_no_circle() {
    let tenant = Tenant::new();
    let west = id_of(&tenant.create("teams", json!({"name": "West"})).await);
    let coast = id_of(
        &tenant
            .create("teams", json!({"name": "Coast", "parent_id": west}))
            .await,
    );
    let circle = tenant
        .patch(&format!("/v1/teams/{west}"), &json!({"parent_id": coast}))
        .await;
    circle.expect_faults(422, &["/parent_id circle"]);
    tenant
        .create("users", json!({"name": "Ada", "role": "agent", "team_id": coast}))
        .await;
    let found = tenant
        .get("/v1/users?filter[team.name]=Coast&include=team")
        .await
        .expect(200);
    assert_eq!(found.data()[0]["name"], "Ada");
    let below = tenant
        .get(&format!("/v1/teams?filter[parent_id]={west}"))
        .await
        .expect(200);
    assert_eq!(below.ids(), [coast]);
}

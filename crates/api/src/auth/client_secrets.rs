//! `/v1/service_accounts/{id}/secrets`: what programs log in with.

use super::secrets::{Purpose, Secret};
use crate::acting::Acting;
use crate::problem::Problem;
use crate::reply;
use crate::resource::Id;
use actix_web::{HttpResponse, web};
use domain::operation::scopes::Scope as Permission;
use domain::{Fault, input};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sql::Timestamp;
use sql::ids::TokenId;
use std::time::Duration;
use store::operation::credentials::{self, ClientSecret};
use utoipa::ToSchema;

/// How long a secret lives unless it is said, and at most.
const LIFE: Duration = Duration::from_hours(8760);

/// A new secret.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSecret {
    /// When it ends by itself; in a year at most, which is also the default.
    expires_at: Option<Timestamp>,
}

/// A secret that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedSecret {
    /// The secret, this once. A repetition with the same Idempotency-Key does not show it again.
    #[schema(examples("rap_4fQx2a…"))]
    secret: Option<String>,
    /// What is kept of it.
    #[serde(flatten)]
    kept: ClientSecret,
}

/// The secrets of a service account.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClientSecrets {
    /// The secrets, the ended ones too, oldest first.
    data: Vec<ClientSecret>,
}

/// Create a secret of a service account.
///
/// It is shown once and cannot be read again. To change secrets without a gap, make the next one first.
#[utoipa::path(post, path = "/v1/service_accounts/{id}/secrets", tag = "Service accounts",
    operation_id = "create_service_account_secret",
    params(("id" = uuid::Uuid, Path, description = "The service account")), request_body = Option<NewSecret>,
    responses((status = 201, description = "The secret", body = CreatedSecret)),
    security(("bearer" = []), ("oauth2" = ["admin"])))]
pub async fn create(Id(account): Id, mut acting: Acting) -> Result<HttpResponse, Problem> {
    acting.caller.require(Permission::Admin)?;
    let expires_at = expiry(acting.take_optional_body())?;
    let secret = Secret::generate(Purpose::Api, acting.caller.scope.tenant.id);
    let (hash, hint) = (secret.hash(), secret.hint().to_owned());
    let made = acting.write(move |tx| {
        let kept = credentials::create_secret(tx, account, &hash, &hint, expires_at)?;
        Ok(reply::of_json(201, CreatedSecret { secret: None, kept }))
    });
    crate::access::respond(reply::with_secret(made.await?, "secret", secret.reveal())?)
}

/// When the secret ends: not before now, and within a year.
fn expiry(body: Option<Value>) -> Result<Timestamp, Problem> {
    let now = Timestamp::now();
    let latest: Timestamp = (now.utc() + LIFE).into();
    let body: NewSecret = body
        .map_or(Ok(NewSecret::default()), |body| input::parse_body(&body))
        .map_err(Problem::invalid)?;
    let expires_at = body.expires_at.unwrap_or(latest);
    if expires_at > now && expires_at <= latest {
        return Ok(expires_at);
    }
    Err(Problem::invalid(vec![Fault::new(
        "/expires_at",
        "out_of_range",
        "must be within the next 365 days",
    )]))
}

/// List the secrets of a service account.
///
/// They are told by their last characters; the secrets themselves are not kept.
#[utoipa::path(get, path = "/v1/service_accounts/{id}/secrets", tag = "Service accounts",
    operation_id = "list_service_account_secrets",
    params(("id" = uuid::Uuid, Path, description = "The service account")),
    responses((status = 200, description = "Its secrets", body = ClientSecrets)),
    security(("bearer" = []), ("oauth2" = ["admin"])))]
pub async fn list(Id(account): Id, acting: Acting) -> Result<HttpResponse, Problem> {
    acting.caller.require(Permission::Admin)?;
    let data = acting.read(move |tx| credentials::list_secrets(tx, account)).await?;
    Ok(HttpResponse::Ok().json(ClientSecrets { data }))
}

/// Revoke a secret of a service account.
///
/// The tokens that it got end within a second.
#[utoipa::path(delete, path = "/v1/service_accounts/{id}/secrets/{secret_id}", tag = "Service accounts",
    operation_id = "delete_service_account_secret",
    params(("id" = uuid::Uuid, Path, description = "The service account"),
        ("secret_id" = uuid::Uuid, Path, description = "The secret")),
    responses((status = 204, description = "It is revoked")),
    security(("bearer" = []), ("oauth2" = ["admin"])))]
pub async fn revoke(
    path: web::Path<(String, String)>,
    Id(account): Id,
    acting: Acting,
) -> Result<HttpResponse, Problem> {
    acting.caller.require(Permission::Admin)?;
    let secret: TokenId = path.1.parse().map_err(|_| Problem::not_found())?;
    let revoked = acting.write(move |tx| {
        credentials::revoke_secret(tx, account, secret)?;
        Ok(reply::no_content())
    });
    crate::access::respond(revoked.await?)
}

//! What other services need to know to use and to check tokens: the keys (RFC 7517) and the metadata (RFC 8414).

use super::keys::KeySet;
use crate::state::State;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, web};
use domain::operation::scopes::Scope;
use serde::Serialize;
use sql::Timestamp;
use utoipa::ToSchema;

/// Less than the time for which the next key is published before it signs.
const MAY_BE_KEPT: (actix_web::http::header::HeaderName, &str) = (CACHE_CONTROL, "public, max-age=300");

/// Get the public keys.
///
/// The public keys that access tokens are signed with, the next one included.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "Auth", operation_id = "get_jwks",
    responses((status = 200, description = "The key set", body = KeySet)), security(()))]
pub async fn jwks(state: web::Data<State>) -> HttpResponse {
    let keys = state.auth.tokens.keys().published(Timestamp::now());
    HttpResponse::Ok().insert_header(MAY_BE_KEPT).json(keys)
}

/// How this service does OAuth 2.0.
#[derive(Debug, Serialize, ToSchema)]
pub struct Metadata {
    /// The service's name as an issuer.
    #[schema(examples("http://127.0.0.1:8080"))]
    issuer: String,
    /// Where tokens are got.
    token_endpoint: String,
    /// Where they are given up.
    revocation_endpoint: String,
    /// Where the keys are.
    jwks_uri: String,
    /// Where all is explained.
    service_documentation: String,
    /// Every scope.
    scopes_supported: Vec<String>,
    /// None: there is no authorization endpoint.
    response_types_supported: [&'static str; 0],
    /// How one gets a token.
    grant_types_supported: [&'static str; 2],
    /// How a client proves who it is.
    token_endpoint_auth_methods_supported: [&'static str; 3],
    /// A token that is given up proves enough.
    revocation_endpoint_auth_methods_supported: [&'static str; 1],
}

/// Get the metadata of the authorization server.
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", tag = "Auth",
    operation_id = "get_authorization_server",
    responses((status = 200, description = "The metadata", body = Metadata)), security(()))]
pub async fn metadata(state: web::Data<State>) -> HttpResponse {
    let issuer = state.auth.tokens.issuer();
    HttpResponse::Ok().insert_header(MAY_BE_KEPT).json(Metadata {
        issuer: issuer.to_owned(),
        token_endpoint: format!("{issuer}/v1/auth/token"),
        revocation_endpoint: format!("{issuer}/v1/auth/revoke"),
        jwks_uri: format!("{issuer}/.well-known/jwks.json"),
        service_documentation: format!("{issuer}/docs"),
        scopes_supported: Scope::all().map(|scope| scope.to_string()).collect(),
        response_types_supported: [],
        grant_types_supported: ["client_credentials", "refresh_token"],
        token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "none"],
        revocation_endpoint_auth_methods_supported: ["none"],
    })
}

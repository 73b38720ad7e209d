//! How requests about log-ins are read: JSON and forms, and the answer that carries tokens.

use crate::problem::Problem;
use crate::query::Query;
use crate::state::State;
use actix_web::dev::Payload;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use domain::input;
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Error, Scope, Transaction};
use utoipa::ToSchema;

/// A JSON body read into a type, every fault told; the request has no query parameters.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            Query::of(&request)?.finish()?;
            let body = crate::body::read(&request, payload).await?;
            if body.is_null() {
                return Err(Problem::new("malformed_request", "a JSON body is needed"));
            }
            input::parse_body(&body).map(Self).map_err(Problem::invalid)
        })
    }
}

/// An access token, and what comes with it (RFC 6749 section 5.1).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TokenResponse {
    /// Send it as `Authorization: Bearer …`.
    pub access_token: String,
    /// Always `Bearer`.
    #[schema(examples("Bearer"))]
    pub token_type: &'static str,
    /// In how many seconds the access token ends.
    #[schema(examples(600))]
    pub expires_in: u64,
    /// Gets the next access token, once, at `/v1/auth/token`. Service accounts use their secret instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub refresh_token: Option<String>,
    /// What the token permits: scopes with a space between.
    #[schema(examples("customers:read customers:write"))]
    pub scope: String,
}

impl TokenResponse {
    /// The answer; no cache may keep it.
    pub fn answer(&self) -> HttpResponse {
        HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(self)
    }
}

/// Reads before it is known who calls.
pub(super) async fn read<T, F>(state: &State, work: F) -> Result<T, Error>
where
    F: Fn(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
    T: Send + 'static,
{
    state.store.read(&Scope::nobody(), work).await
}

/// Writes before it is known who calls.
pub(super) async fn write<T, F>(state: &State, work: F) -> Result<T, Error>
where
    F: Fn(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
    T: Send + 'static,
{
    state.store.write(&Scope::nobody(), work).await
}

/// The seconds of a wait, rounded up: whoever waits so long is let in.
pub(super) fn too_many(super::throttle::Wait(wait): super::throttle::Wait) -> Problem {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Problem::new("too_many_requests", "too many attempts to log in").retry_after(seconds)
}

impl From<super::passwords::PasswordError> for Problem {
    fn from(error: super::passwords::PasswordError) -> Self {
        match error {
            super::passwords::PasswordError::Overloaded => Self::unavailable("too many log-ins at the same time"),
            error @ super::passwords::PasswordError::Failed => Self::internal(&error.to_string()),
        }
    }
}

impl From<super::tokens::CannotSign> for Problem {
    fn from(error: super::tokens::CannotSign) -> Self {
        Self::internal(&error.to_string())
    }
}

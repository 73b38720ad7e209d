//! Who calls, on whose behalf, and what they may do.

use crate::auth::service::{Known, Unknown};
use crate::auth::tokens::InvalidToken;
use crate::problem::Problem;
use crate::request_id;
use crate::state::State;
use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderMap, WWW_AUTHENTICATE};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use domain::operation::scopes::{Scope as Permission, Scopes};
use futures_util::future::LocalBoxFuture;
use sql::ids::TokenId;
use std::sync::Arc;
use store::operation::principals::Principal;

/// An authenticated caller.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Tenant, actor and visibility, for the store.
    pub scope: store::Scope,
    known: Arc<Known>,
}

impl Caller {
    fn new(known: Arc<Known>) -> Self {
        let principal = &known.principal;
        Self {
            scope: store::Scope {
                tenant: principal.tenant.clone(),
                actor: principal.actor(),
                visibility: principal.visibility(),
                request_id: request_id::current(),
            },
            known,
        }
    }

    /// The user or service account.
    pub fn principal(&self) -> &Principal {
        &self.known.principal
    }

    /// What it may do.
    pub fn permissions(&self) -> &Scopes {
        &self.known.permissions
    }

    /// The session that a user's token belongs to.
    pub fn session(&self) -> Option<TokenId> {
        self.known.session
    }

    /// Refuses a caller without a permission.
    pub fn require(&self, permission: Permission) -> Result<(), Problem> {
        if self.permissions().allow(permission) {
            return Ok(());
        }
        let challenge = format!("Bearer realm=\"rapport\", error=\"insufficient_scope\", scope=\"{permission}\"");
        Err(Problem::forbidden(format!("the scope {permission} is needed")).with_header(WWW_AUTHENTICATE, challenge))
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let state = request.app_data::<web::Data<State>>();
            let state = state.ok_or_else(|| Problem::internal("no state"))?;
            authenticate(state, &request).await
        })
    }
}

/// Who sent a request, by its access token; refused when its tenant sends too many.
pub(crate) async fn authenticate(state: &State, request: &HttpRequest) -> Result<Caller, Problem> {
    let token = bearer(request.headers())?;
    match state.auth.known(&state.store, token).await {
        Ok(known) => {
            let caller = Caller::new(known);
            if let Some(limit) = &state.rate_limit {
                request.extensions_mut().insert(limit.admit(caller.scope.tenant.id)?);
            }
            Ok(caller)
        }
        Err(Unknown::Store(error)) => Err(error.into()),
        Err(Unknown::Token(error @ InvalidToken::KeysUnavailable)) => Err(Problem::unavailable(error.to_string())),
        Err(Unknown::Token(error)) => Err(Problem::unauthorized(Some("invalid_token"), error.to_string())),
    }
}

/// The token of the one `Authorization` header (RFC 6750 section 2.1).
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut values = headers.get_all(AUTHORIZATION);
    let missing = || Problem::unauthorized(None, "send an access token: Authorization: Bearer …");
    let value = values.next().ok_or_else(missing)?;
    if values.next().is_some() {
        return Err(Problem::unauthorized(
            Some("invalid_request"),
            "send one Authorization header",
        ));
    }
    let (scheme, token) = str::from_utf8(value.as_bytes())
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or_else(missing)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token.trim())
    } else {
        Err(missing())
    }
}

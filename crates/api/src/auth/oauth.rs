//! The endpoints of OAuth 2.0: tokens (RFC 6749) and their revocation (RFC 7009).
//!
//! Their errors are problem documents that also carry `error` and `error_description`, so that clients of either kind
//! understand them.

use super::login::{requested_scopes, token_for_user};
use super::requests::{TokenResponse, read, write};
use super::secrets::{Purpose, Secret};
use super::tokens::{FIRST_PARTY_CLIENT, Grant, LIFE};
use crate::problem::Problem;
use crate::state::State;
use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::operation::scopes::Scopes;
use futures_util::future::LocalBoxFuture;
use serde::Deserialize;
use sql::Timestamp;
use sql::ids::PrincipalId;
use std::collections::HashMap;
use store::operation::sessions::Rotation;
use store::operation::{credentials, principals, sessions};
use store::{ActorKind, Error};
use utoipa::ToSchema;

/// What the token endpoint is asked for. Unknown parameters mean nothing (RFC 6749 section 3.2).
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "documents the form, which is read by name")]
pub struct TokenRequest {
    /// `client_credentials` for service accounts, `refresh_token` for users.
    #[schema(examples("client_credentials"))]
    grant_type: String,
    /// With `refresh_token`: the refresh token.
    refresh_token: Option<String>,
    /// With `client_credentials`: the service account's id, unless it is in the `Authorization` header.
    client_id: Option<String>,
    /// With `client_credentials`: the service account's secret, unless it is in the `Authorization` header.
    client_secret: Option<String>,
    /// Scopes with a space between, to get a token that permits less.
    scope: Option<String>,
}

/// What the revocation endpoint is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "documents the form, which is read by name")]
pub struct RevocationRequest {
    /// A refresh token, or the access token of a user.
    token: String,
    /// What it is, as a hint.
    #[schema(examples("refresh_token"))]
    token_type_hint: Option<String>,
}

/// A form and the credentials of the client beside it.
pub struct Form {
    fields: HashMap<String, String>,
    basic: Option<(String, String)>,
}

impl Form {
    fn take(&mut self, name: &str) -> Option<String> {
        self.fields.remove(name)
    }

    fn need(&mut self, name: &str) -> Result<String, Problem> {
        self.take(name)
            .ok_or_else(|| invalid_request(format!("the parameter {name} is missing")))
    }

    /// Who the client says it is, and its secret (RFC 6749 section 2.3.1): in the header or in the form, not in both.
    fn client(&mut self) -> Result<(String, String), Problem> {
        let in_form = (self.take("client_id"), self.take("client_secret"));
        match (self.basic.take(), in_form) {
            (Some(_), (_, Some(_))) => Err(invalid_request(
                "the client's secret stands both in the header and the form",
            )),
            (Some(basic), (id, None)) if id.as_ref().is_none_or(|id| *id == basic.0) => Ok(basic),
            (None, (Some(id), Some(secret))) => Ok((id, secret)),
            _ => Err(invalid_client()),
        }
    }
}

impl FromRequest for Form {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let media_type = request
                .headers()
                .get(CONTENT_TYPE)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default();
            let essence = media_type.split(';').next().unwrap_or_default().trim();
            if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
                let problem = Problem::new(
                    "unsupported_media_type",
                    "the body must be application/x-www-form-urlencoded",
                );
                return Err(problem.with_oauth_error(415, "invalid_request"));
            }
            let bytes = crate::body::read_bytes(&request, payload).await?;
            let fields =
                fields_of(&bytes).ok_or_else(|| invalid_request("the form is malformed or names a parameter twice"))?;
            Ok(Self {
                fields,
                basic: basic_credentials(&request)?,
            })
        })
    }
}

/// The parameters; an empty one counts as left out (RFC 6749 section 3.2).
fn fields_of(bytes: &[u8]) -> Option<HashMap<String, String>> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(bytes).ok()?;
    let mut fields = HashMap::new();
    for (name, value) in pairs {
        if value.contains('\0') || name.contains('\0') {
            return None;
        }
        if !value.is_empty() && fields.insert(name, value).is_some() {
            return None;
        }
    }
    Some(fields)
}

/// The id and secret of an `Authorization: Basic` header, each form-encoded before it was joined.
fn basic_credentials(request: &HttpRequest) -> Result<Option<(String, String)>, Problem> {
    let Some(value) = request.headers().get(AUTHORIZATION) else {
        return Ok(None);
    };
    let read = || {
        let (scheme, credentials) = value.to_str().ok()?.split_once(' ')?;
        let text = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
        let (id, secret) = text.split_once(':').filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        let decoded = |text: &str| {
            let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&format!("v={text}")).ok()?;
            pairs.into_iter().next().map(|(_, value)| value)
        };
        Some((decoded(id)?, decoded(secret)?))
    };
    read().map(Some).ok_or_else(invalid_client)
}

fn oauth(status: u16, error: &'static str, detail: impl Into<String>) -> Problem {
    Problem::new(error, detail).with_oauth_error(status, error)
}

fn invalid_request(detail: impl Into<String>) -> Problem {
    Problem::new("malformed_request", detail).with_oauth_error(400, "invalid_request")
}

fn invalid_client() -> Problem {
    oauth(
        401,
        "invalid_client",
        "the client is unknown, or its secret is wrong or has ended",
    )
    .with_header(WWW_AUTHENTICATE, "Basic realm=\"rapport\"")
}

fn invalid_grant() -> Problem {
    oauth(
        400,
        "invalid_grant",
        "the refresh token is unknown, used up, expired or revoked",
    )
}

fn invalid_scope(detail: &str) -> Problem {
    oauth(400, "invalid_scope", detail)
}

fn scopes_asked(form: &mut Form) -> Result<Option<Scopes>, Problem> {
    requested_scopes(form.take("scope").as_deref()).map_err(|message| invalid_scope(&format!("scope {message}")))
}

const TOO_MUCH: &str = "asks for more than was granted";

/// Get an access token.
///
/// `client_credentials` with the id and secret of a service account, in the form or as HTTP Basic; or `refresh_token`,
/// which uses the token up and answers its successor. A refresh token that comes a second time ends its session; within
/// ten seconds it gets the same successor again, since the first answer may have been lost.
#[utoipa::path(post, path = "/v1/auth/token", tag = "Auth", operation_id = "create_token",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "An access token", body = TokenResponse), (status = 401, description = "Refused")),
    security((), ("client" = [])))]
pub async fn token(state: web::Data<State>, mut form: Form) -> Result<HttpResponse, Problem> {
    match form.need("grant_type")?.as_str() {
        "client_credentials" => client_credentials(&state, form).await,
        "refresh_token" => refresh(&state, form).await,
        _ => Err(oauth(
            400,
            "unsupported_grant_type",
            "grant_type must be client_credentials or refresh_token",
        )),
    }
}

async fn client_credentials(state: &State, mut form: Form) -> Result<HttpResponse, Problem> {
    let (id, secret) = form.client()?;
    let id: PrincipalId = id.parse().map_err(|_| invalid_client())?;
    let asked = scopes_asked(&mut form)?;
    let secret = Secret::parse(Purpose::Api, &secret).ok_or_else(invalid_client)?;
    let (tenant, hash) = (secret.tenant(), secret.hash());
    let found = read(state, move |tx| {
        let Some(secret) = credentials::valid_secret(tx, tenant, id, &hash)? else {
            return Ok(None);
        };
        Ok(principals::find_active(tx, tenant, ActorKind::ServiceAccount, id)?.map(|principal| (secret, principal)))
    });
    let (session, principal) = found.await?.ok_or_else(invalid_client)?;
    let role = principal.role.scopes();
    let granted = asked.unwrap_or_else(|| role.clone());
    if !role.allow_all(&granted) {
        return Err(invalid_scope(TOO_MUCH));
    }
    let grant = Grant {
        tenant,
        principal: principal.id,
        service_account: true,
        scope: granted.to_string(),
        session: Some(session),
        life: LIFE,
    };
    let response = TokenResponse {
        access_token: state.auth.tokens.issue(&grant, Timestamp::now())?,
        token_type: "Bearer",
        expires_in: LIFE.as_secs(),
        refresh_token: None,
        scope: grant.scope,
    };
    Ok(response.answer())
}

async fn refresh(state: &State, mut form: Form) -> Result<HttpResponse, Problem> {
    let token = form.need("refresh_token")?;
    let asked = scopes_asked(&mut form)?;
    if form
        .take("client_id")
        .is_some_and(|client| client != FIRST_PARTY_CLIENT)
    {
        return Err(invalid_grant());
    }
    let token = Secret::parse(Purpose::Refresh, &token).ok_or_else(invalid_grant)?;
    let successor = token.successor(&state.auth.tokens.keys().refresh_seed());
    let (tenant, hash, next) = (token.tenant(), token.hash(), successor.hash());
    let narrower = asked.clone();
    let rotated = write(state, move |tx| {
        let principal = match sessions::rotate(tx, tenant, &hash, &next)? {
            Rotation::Rotated(session) => {
                let granted = session.scope.parse::<Scopes>().unwrap_or_default();
                if narrower.as_ref().is_some_and(|asked| !granted.allow_all(asked)) {
                    return Err(Error::Refused(domain::Refusal::conflict("invalid_scope", TOO_MUCH)));
                }
                principals::find_active(tx, tenant, ActorKind::User, session.principal)?.map(|found| (found, session))
            }
            Rotation::Reused(session) => {
                tracing::warn!(%tenant, user = %session.principal, session = %session.id, "a refresh token was used twice: its session is over");
                None
            }
            Rotation::Unknown => None,
        };
        Ok(principal)
    });
    let (principal, session) = rotated.await.map_err(scope_or_store)?.ok_or_else(invalid_grant)?;
    let scope = asked.map_or(session.scope, |asked| asked.to_string());
    token_for_user(state, &principal, session.id, scope, &successor)
}

/// The only conflict that a rotation can end in is a scope that asks for too much.
fn scope_or_store(error: Error) -> Problem {
    match error {
        Error::Refused(domain::Refusal::Conflict {
            code: "invalid_scope",
            detail,
        }) => invalid_scope(&detail),
        error => error.into(),
    }
}

/// Revoke a token.
///
/// Takes a refresh token, or the access token of a user. What is no token of this service is none that could be used, so
/// that is a success too. The access tokens of a service account end with its secret.
#[utoipa::path(post, path = "/v1/auth/revoke", tag = "Auth", operation_id = "revoke_token",
    request_body(content = RevocationRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The token is not valid, or not any more")), security(()))]
pub async fn revoke(state: web::Data<State>, mut form: Form) -> Result<HttpResponse, Problem> {
    let token = form.need("token")?;
    if let Some(refresh) = Secret::parse(Purpose::Refresh, &token) {
        let (tenant, hash) = (refresh.tenant(), refresh.hash());
        let revoked = write(&state, move |tx| match sessions::of_token(tx, tenant, &hash)? {
            Some(session) => sessions::revoke(tx, tenant, session),
            None => Ok(()),
        });
        revoked.await?;
    } else if let Ok(claims) = state.auth.tokens.verify(&token, Timestamp::now()) {
        let session = claims.sid.filter(|_| claims.client_id == FIRST_PARTY_CLIENT);
        let Some(session) = session else {
            return Err(
                Problem::new("unsupported_token_type", "revoke the service account's secret instead")
                    .with_oauth_error(400, "unsupported_token_type"),
            );
        };
        let revoked = write(&state, move |tx| sessions::revoke(tx, claims.tenant, session));
        revoked.await?;
    }
    Ok(HttpResponse::Ok().finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn basic(text: &str) -> Result<Option<(String, String)>, Problem> {
        let request = TestRequest::default().insert_header((AUTHORIZATION, text));
        basic_credentials(&request.to_http_request())
    }

    #[test]
    fn a_form_is_read_strictly() {
        assert_eq!(
            fields_of(b"a=1&b=").unwrap(),
            HashMap::from([("a".to_owned(), "1".to_owned())])
        );
        assert_eq!(fields_of(b"a=%2B+x").unwrap()["a"], "+ x");
        assert!(fields_of(b"a=1&a=2").is_none());
        assert!(fields_of(b"a=%00").is_none());
    }

    #[test]
    fn a_client_may_name_itself_in_the_header() {
        let header = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(
            basic(&header("a%3Ab:s%20t")).unwrap(),
            Some(("a:b".into(), "s t".into()))
        );
        for wrong in ["Basic", "Basic ***", "Bearer abc", &header("no colon")] {
            assert!(basic(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_client_names_itself_once() {
        let form = |basic: bool, fields: &[(&str, &str)]| Form {
            fields: fields
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            basic: basic.then(|| ("a".into(), "b".into())),
        };
        assert!(form(true, &[]).client().is_ok());
        assert!(form(true, &[("client_id", "a")]).client().is_ok());
        assert!(form(true, &[("client_id", "x")]).client().is_err());
        assert!(form(true, &[("client_secret", "b")]).client().is_err());
        assert!(
            form(false, &[("client_id", "a"), ("client_secret", "b")])
                .client()
                .is_ok()
        );
        assert!(form(false, &[("client_id", "a")]).client().is_err());
    }
}

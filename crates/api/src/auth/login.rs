//! How people log in and out, and who one is.

use super::passwords::Password;
use super::requests::{Body, TokenResponse, read, too_many, write};
use super::secrets::{Purpose, Secret, hex_sha256};
use super::throttle::{FAILURES_COUNT_FOR, wait_after};
use super::tokens::{Grant, LIFE};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::State;
use actix_web::{HttpRequest, HttpResponse, web};
use domain::Fault;
use domain::operation::roles::{RecordRule, Role};
use domain::operation::scopes::Scopes;
use serde::{Deserialize, Serialize};
use sql::Timestamp;
use sql::ids::{PrincipalId, TeamId, TenantId, TokenId};
use std::net::IpAddr;
use store::operation::credentials::Candidate;
use store::operation::principals::Principal;
use store::operation::{credentials, login_failures, principals, sessions};
use store::{ActorKind, Transaction};
use utoipa::ToSchema;

/// Who logs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// The user's e-mail address.
    #[schema(examples("admin@localhost"))]
    email: String,
    /// The user's password.
    password: Password,
    /// The tenant's name; needed where the address is used in several.
    #[schema(examples("default"))]
    tenant: Option<String>,
    /// Scopes with a space between, to get a token that permits less than the role.
    #[schema(examples("customers:read"))]
    scope: Option<String>,
}

/// Log in.
///
/// Answers an access token and a refresh token. A wrong address, password or tenant all get the same 401.
#[utoipa::path(post, path = "/v1/auth/login", tag = "Auth", operation_id = "login", request_body = LoginRequest,
    responses((status = 200, description = "Logged in", body = TokenResponse), (status = 401, description = "Refused")),
    security(()))]
pub async fn login(
    state: web::Data<State>,
    request: HttpRequest,
    Body(body): Body<LoginRequest>,
) -> Result<HttpResponse, Problem> {
    let address = state.auth.client_address(&request);
    state.auth.throttle.attempt(address).map_err(too_many)?;
    let scopes = requested_scopes(body.scope.as_deref())
        .map_err(|message| Problem::invalid(vec![Fault::new("/scope", "invalid_scope", message)]))?;
    let attempt = Attempt::new(&body.email, address);
    let candidate = attempt.candidate(&state, &body.email, body.tenant).await?;
    let hash = candidate.as_ref().and_then(|candidate| candidate.hash.clone());
    let proven = state.auth.passwords.verify(body.password, hash).await?;
    let Some(candidate) = candidate.filter(|_| proven) else {
        attempt.failed(&state).await?;
        return Err(wrong_credentials());
    };
    let refresh = Secret::generate(Purpose::Refresh, candidate.tenant);
    let (hash, at) = (refresh.hash(), attempt.clone());
    let opened = write(&state, move |tx| open(tx, &candidate, scopes.as_ref(), &hash, &at));
    let (principal, session, scope) = opened.await?.ok_or_else(wrong_credentials)?;
    tracing::info!(tenant = %principal.tenant.id, user = %principal.id, "logged in");
    token_for_user(&state, &principal, session, scope, &refresh)
}

/// The same for whatever is wrong, so that nobody learns which addresses are known.
fn wrong_credentials() -> Problem {
    Problem::new(
        "invalid_credentials",
        "the e-mail address, the password or the tenant is wrong; where an address is used in several tenants, name one",
    )
    .with_header(actix_web::http::header::WWW_AUTHENTICATE, "Bearer realm=\"rapport\"")
}

/// What is asked for; nothing asked for is as much as the role allows.
pub(super) fn requested_scopes(scope: Option<&str>) -> Result<Option<Scopes>, &'static str> {
    let scopes = scope.map(str::parse::<Scopes>).transpose();
    let scopes = scopes.map_err(|_| "must be scopes of this service with a space between")?;
    Ok(scopes.filter(|scopes| !scopes.is_empty()))
}

/// Who tries and from where, as it is kept: the address a digest, since most of those who are guessed at are strangers.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    account: String,
    address: String,
}

impl Attempt {
    pub(super) fn new(email: &str, address: IpAddr) -> Self {
        Self {
            account: hex_sha256(email_as_kept(email).as_bytes()),
            address: super::addresses::limited_as(address).to_string(),
        }
    }

    /// The one user that is meant, unless too many attempts have failed.
    async fn candidate(
        &self,
        state: &State,
        email: &str,
        tenant: Option<String>,
    ) -> Result<Option<Candidate>, Problem> {
        let (attempt, email) = (self.clone(), email_as_kept(email));
        let found = read(state, move |tx| {
            let failures = login_failures::find(tx, &attempt.account, &attempt.address)?;
            let candidates = credentials::candidates(tx, &email, tenant.as_deref())?;
            Ok((failures, candidates))
        });
        let (failures, candidates) = found.await?;
        check(failures)?;
        match <[Candidate; 1]>::try_from(candidates) {
            Ok([one]) => Ok(Some(one)),
            Err(_) => Ok(None),
        }
    }

    /// Refuses to go on after too many failures.
    pub(super) async fn admitted(&self, state: &State) -> Result<(), Problem> {
        let attempt = self.clone();
        let found = read(state, move |tx| {
            login_failures::find(tx, &attempt.account, &attempt.address)
        });
        check(found.await?)
    }

    /// Counts a failure.
    pub(super) async fn failed(&self, state: &State) -> Result<(), Problem> {
        metrics::counter!("rapport_login_failures_total").increment(1);
        let attempt = self.clone();
        let counted = write(state, move |tx| {
            login_failures::add(tx, &attempt.account, &attempt.address, FAILURES_COUNT_FOR)
        });
        Ok(counted.await?)
    }

    /// Forgets the failures.
    pub(super) fn succeeded(&self, tx: &mut Transaction<'_>) -> Result<(), store::Error> {
        login_failures::clear(tx, &self.account, &self.address)
    }
}

fn check(failures: Option<login_failures::Failures>) -> Result<(), Problem> {
    let Some(login_failures::Failures { failures, last_at }) = failures else {
        return Ok(());
    };
    wait_after(failures, last_at, Timestamp::now()).map_err(too_many)
}

/// An address as the users table has it.
fn email_as_kept(email: &str) -> String {
    domain::customer::contact_points::normalise_email(email).to_lowercase()
}

/// Opens a session for a user that has just proven who it is; none when it was disabled meanwhile.
fn open(
    tx: &mut Transaction<'_>,
    candidate: &Candidate,
    asked: Option<&Scopes>,
    token_hash: &str,
    attempt: &Attempt,
) -> Result<Option<(Principal, TokenId, String)>, store::Error> {
    attempt.succeeded(tx)?;
    let Some(principal) = principals::find_active(tx, candidate.tenant, ActorKind::User, candidate.user)? else {
        return Ok(None);
    };
    let role = principal.role.scopes();
    if asked.is_some_and(|asked| !role.allow_all(asked)) {
        let fault = domain::Refusal::fault("/scope", "invalid_scope", "asks for more than the user's role permits");
        return Err(fault.into());
    }
    let scope = asked.unwrap_or(&role).to_string();
    let session = sessions::open(tx, candidate.tenant, candidate.user, &scope, token_hash)?;
    Ok(Some((principal, session, scope)))
}

/// Signs an access token of a session and hands it over with the refresh token.
pub(super) fn token_for_user(
    state: &State,
    principal: &Principal,
    session: TokenId,
    scope: String,
    refresh: &Secret,
) -> Result<HttpResponse, Problem> {
    let grant = Grant {
        tenant: principal.tenant.id,
        principal: principal.id,
        service_account: false,
        scope,
        session: Some(session),
        life: LIFE,
    };
    let response = TokenResponse {
        access_token: state.auth.tokens.issue(&grant, Timestamp::now())?,
        token_type: "Bearer",
        expires_in: LIFE.as_secs(),
        refresh_token: Some(refresh.reveal().to_owned()),
        scope: grant.scope,
    };
    Ok(response.answer())
}

/// Log out.
///
/// Ends the session of the token that is sent, with every token of it.
#[utoipa::path(post, path = "/v1/auth/logout", tag = "Auth", operation_id = "logout",
    responses((status = 204, description = "Logged out")))]
pub async fn logout(state: web::Data<State>, caller: Caller) -> Result<HttpResponse, Problem> {
    if let Some(session) = caller.session() {
        let tenant = caller.scope.tenant.id;
        let revoked = state
            .store
            .write(&caller.scope, move |tx| sessions::revoke(tx, tenant, session));
        revoked.await?;
    }
    Ok(HttpResponse::NoContent().finish())
}

/// Who calls.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// The user's or service account's id.
    #[schema(value_type = uuid::Uuid)]
    id: PrincipalId,
    /// Which of the two.
    #[serde(rename = "type")]
    kind: ActorKind,
    /// What it is called.
    name: String,
    /// The user's e-mail address.
    email: Option<String>,
    /// Its role.
    role: Role,
    /// Whose records it sees and changes.
    record_rule: RecordRule,
    /// Its team.
    #[schema(value_type = Option<uuid::Uuid>)]
    team_id: Option<TeamId>,
    /// What the token permits.
    scopes: Vec<String>,
    /// The tenant.
    tenant: MyTenant,
}

/// The caller's tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyTenant {
    /// Names it for good.
    #[schema(value_type = uuid::Uuid)]
    id: TenantId,
    /// What it is called.
    #[schema(examples("default"))]
    name: String,
    /// The currency it reports in.
    currency: domain::money::Currency,
    /// Where its days begin.
    time_zone: domain::locale::TimeZone,
    /// Whether a change without `If-Match` is refused.
    require_if_match: bool,
}

/// Get the caller.
///
/// Tells who calls and what the token permits.
#[utoipa::path(get, path = "/v1/auth/me", tag = "Auth", operation_id = "get_me",
    responses((status = 200, description = "Who calls", body = Me)))]
pub async fn me(request: HttpRequest, caller: Caller) -> Result<HttpResponse, Problem> {
    crate::query::Query::of(&request)?.finish()?;
    let principal = caller.principal();
    let tenant = &principal.tenant;
    Ok(HttpResponse::Ok().json(Me {
        id: principal.id,
        kind: principal.kind,
        name: principal.name.clone(),
        email: principal.email.clone(),
        role: principal.role,
        record_rule: principal.record_rule,
        team_id: principal.team_id,
        scopes: caller.permissions().iter().map(|scope| scope.to_string()).collect(),
        tenant: MyTenant {
            id: tenant.id,
            name: tenant.name.clone(),
            currency: tenant.currency,
            time_zone: tenant.time_zone,
            require_if_match: tenant.require_if_match,
        },
    }))
}

//! All that decides who calls, put together: made once at start and shared by every request.

use super::addresses::{Network, TrustedProxies};
use super::issuers::{IssuerConfig, IssuerConfigError, Issuers};
use super::keys::{KeyError, KeyRing};
use super::passwords::{PasswordError, Passwords};
use super::throttle::{BURST, Throttle};
use super::tokens::{Claims, InvalidToken, Tokens};
use actix_web::HttpRequest;
use domain::operation::scopes::{Scope as Permission, Scopes};
use moka::sync::Cache;
use sql::Timestamp;
use sql::ids::TokenId;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::operation::principals::{self, Principal};
use store::operation::{credentials, sessions, tenants};
use store::{ActorKind, Scope, Store, Transaction};

/// How long a caller that was looked up is taken as is: less than the second within which a revocation must work.
const KNOWN_FOR: Duration = Duration::from_millis(500);
/// Bytes of the tokens of callers that are remembered, at most.
const KNOWN: u64 = 16 << 20;

/// What the configuration says about who may call.
#[derive(Debug, Clone)]
pub struct AuthOptions {
    /// The URL by which clients reach the service; also its name as an issuer of tokens.
    pub public_url: String,
    /// The folder of the signing keys, shared by all instances.
    pub keys: PathBuf,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Foreign issuers whose tokens are taken.
    pub issuers: Vec<IssuerConfig>,
    /// How many log-ins an address may try at once.
    pub login_burst: NonZeroU32,
}

impl AuthOptions {
    /// The defaults for a service at this URL with keys in this folder.
    pub fn new(public_url: impl Into<String>, keys: impl Into<PathBuf>) -> Self {
        Self {
            public_url: public_url.into(),
            keys: keys.into(),
            trusted_proxies: Vec::new(),
            issuers: Vec::new(),
            login_burst: BURST,
        }
    }
}

/// Why the service cannot tell who calls, and so does not start.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The foreign issuers.
    #[error(transparent)]
    Issuers(#[from] IssuerConfigError),
    /// The passwords.
    #[error(transparent)]
    Passwords(#[from] PasswordError),
}

/// Who calls.
pub struct Auth {
    /// Makes and takes this service's tokens.
    pub tokens: Tokens,
    /// Hashes and compares passwords.
    pub passwords: Passwords,
    /// Limits log-ins by address.
    pub throttle: Throttle,
    proxies: TrustedProxies,
    issuers: Issuers,
    known: KnownCallers,
}

/// By token. Only tokens that were verified get in, so nobody can choose them for their hash.
type KnownCallers = Cache<Arc<str>, Arc<Known>, foldhash::quality::RandomState>;

/// Who a token stands for and what it permits, as it was a moment ago.
#[derive(Debug)]
pub struct Known {
    /// Who.
    pub principal: Principal,
    /// What it may do with this token: what the role and the token both allow.
    pub permissions: Scopes,
    /// The user's session.
    pub session: Option<TokenId>,
}

/// Why a token does not tell who calls.
#[derive(Debug, thiserror::Error)]
pub enum Unknown {
    /// It is not taken.
    #[error(transparent)]
    Token(#[from] InvalidToken),
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Auth {
    /// Puts it together. Makes the first signing key where there is none.
    pub fn open(options: AuthOptions) -> Result<Self, AuthError> {
        let public_url = options.public_url.trim_end_matches('/').to_owned();
        Ok(Self {
            issuers: Issuers::new(options.issuers, &public_url)?,
            tokens: Tokens::new(public_url, Arc::new(KeyRing::open(options.keys)?)),
            passwords: Passwords::new()?,
            throttle: Throttle::new(options.login_burst),
            proxies: TrustedProxies::new(options.trusted_proxies),
            known: Cache::builder()
                .weigher(|token: &Arc<str>, _| u32::try_from(token.len()).unwrap_or(u32::MAX))
                .max_capacity(KNOWN)
                .time_to_live(KNOWN_FOR)
                .build_with_hasher(foldhash::quality::RandomState::default()),
        })
    }

    /// The address that a request comes from.
    pub fn client_address(&self, request: &HttpRequest) -> IpAddr {
        let peer = request.peer_addr().map_or(Ipv4Addr::LOCALHOST.into(), |peer| peer.ip());
        let forwarded: Vec<&str> = request
            .headers()
            .get_all("x-forwarded-for")
            .filter_map(|value| value.to_str().ok())
            .collect();
        self.proxies.client(peer, forwarded.into_iter())
    }

    /// Who a token stands for. The signature is checked once in a while, and with it whether user, session or secret
    /// still count.
    pub async fn known(&self, store: &Store, token: &str) -> Result<Arc<Known>, Unknown> {
        if let Some(known) = self.known.get(token) {
            return Ok(known);
        }
        let known = Arc::new(self.look_up(store, token).await?);
        self.known.insert(token.into(), known.clone());
        Ok(known)
    }

    async fn look_up(&self, store: &Store, token: &str) -> Result<Known, Unknown> {
        let now = Timestamp::now();
        if self.issuers.claims_one(token) {
            return self.look_up_foreign(store, token, now).await;
        }
        let claims = self.tokens.verify(token, now)?;
        let scopes = scopes_in(&claims.scope);
        let session = claims.sid;
        let principal = store.read(&Scope::nobody(), move |tx| acting(tx, &claims)).await?;
        let principal = principal.ok_or(InvalidToken::Revoked)?;
        Ok(Known {
            permissions: principal.role.scopes().limited_to(&scopes),
            session: session.filter(|_| principal.kind == ActorKind::User),
            principal,
        })
    }

    async fn look_up_foreign(&self, store: &Store, token: &str, now: Timestamp) -> Result<Known, Unknown> {
        let subject = self.issuers.verify(token, now).await?;
        let scope = subject.scope.clone();
        let find = move |tx: &mut Transaction<'_>| {
            let tenant = tenants::find_by_name(tx, &subject.tenant)?;
            let Some(tenant) = tenant else { return Ok(None) };
            principals::find_by_external_id(tx, tenant.id, &subject.issuer, &subject.subject)
        };
        let principal = store.read(&Scope::nobody(), find).await?.ok_or(InvalidToken::Revoked)?;
        let role = principal.role.scopes();
        Ok(Known {
            // An issuer that knows nothing of our scopes narrows nothing.
            permissions: match scope.map(|scope| scopes_in(&scope)) {
                Some(scopes) if !scopes.is_empty() => role.limited_to(&scopes),
                _ => role,
            },
            session: None,
            principal,
        })
    }
}

/// The principal of a token, when it and what the token was given for still count.
fn acting(tx: &mut Transaction<'_>, claims: &Claims) -> Result<Option<Principal>, store::Error> {
    let is_account = claims.client_id == claims.sub.to_string();
    let kind = if is_account {
        ActorKind::ServiceAccount
    } else {
        ActorKind::User
    };
    let counts = match claims.sid {
        None => true,
        Some(secret) if is_account => credentials::is_valid(tx, claims.tenant, claims.sub, secret)?,
        Some(session) => sessions::is_open(tx, claims.tenant, claims.sub, session)?,
    };
    if counts {
        principals::find_active(tx, claims.tenant, kind, claims.sub)
    } else {
        Ok(None)
    }
}

/// The scopes of this service in a text. Others, such as `openid`, mean nothing here.
fn scopes_in(text: &str) -> Scopes {
    let known = text.split(' ').filter_map(|scope| scope.parse::<Permission>().ok());
    known.collect()
}

//! Foreign issuers: tokens that another service signed, taken for one tenant by the keys that it publishes.
//!
//! Its subject `sub` is the user or service account here with the external id (issuer, `sub`). What that principal
//! may do is decided here; the token can only narrow it.

use super::tokens::{InvalidToken, checked_header, in_time, reason, validation};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::{Deserialize, Serialize};
use sql::Timestamp;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How old a key set may be before it is fetched again.
const FRESH_FOR: Duration = Duration::from_mins(10);
/// How old it may be when it cannot be fetched: an issuer's outage is not ours.
const USABLE_FOR: Duration = Duration::from_hours(24);
/// The least time between two fetches that unknown key ids ask for.
const UNKNOWN_KEY_PAUSE: Duration = Duration::from_secs(30);
/// How long the first failure holds further fetches back; each one in a row doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
const LONGEST_SET: usize = 256 * 1024;
/// A shorter RSA key can be broken (NIST SP 800-131A); counted in base64 digits of the modulus.
const SHORTEST_MODULUS: usize = 342;

/// A foreign issuer, as the configuration names it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// Its `iss`, to the letter.
    pub issuer: String,
    /// The `aud` that it writes for this service.
    pub audience: String,
    /// Where its keys are: an `https` URL (`http` on this machine), or a file.
    pub jwks: String,
    /// The name of the tenant whose users it speaks for.
    pub tenant: String,
    /// The `typ` of its access tokens. Some issuers write `JWT`; add it only where the audience is this service's own.
    #[serde(default = "access_token_only")]
    pub types: Vec<String>,
}

fn access_token_only() -> Vec<String> {
    vec![super::tokens::ACCESS_TOKEN_TYPE.to_owned()]
}

/// What is wrong with the configuration of issuers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssuerConfigError {
    /// The keys would come over an open line.
    #[error("the key set of the issuer {0} must be a file or an https URL")]
    Insecure(String),
    /// Two entries, or this service itself, by one name.
    #[error("the issuer {0} is named twice")]
    Twice(String),
    /// No HTTP client could be made.
    #[error("no HTTP client for the key sets of issuers: {0}")]
    Client(String),
}

/// Who a foreign token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignSubject {
    /// The issuer: the system of the external id.
    pub issuer: String,
    /// The external id.
    pub subject: String,
    /// The name of the tenant.
    pub tenant: String,
    /// How far the token reaches; without it as far as the principal's role.
    pub scope: Option<String>,
}

#[derive(Deserialize)]
struct ForeignClaims {
    sub: String,
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
    scope: Option<String>,
}

#[derive(Deserialize)]
struct OnlyIssuer {
    iss: String,
}

/// The foreign issuers.
pub struct Issuers(Vec<Issuer>);

impl Issuers {
    /// Reads the configuration. `own` is this service's own name as an issuer.
    pub fn new(configs: Vec<IssuerConfig>, own: &str) -> Result<Self, IssuerConfigError> {
        let mut issuers: Vec<Issuer> = Vec::new();
        for config in configs {
            if config.issuer == own || issuers.iter().any(|issuer| issuer.config.issuer == config.issuer) {
                return Err(IssuerConfigError::Twice(config.issuer));
            }
            issuers.push(Issuer::new(config)?);
        }
        Ok(Self(issuers))
    }

    /// Whether the token says that one of these made it. Nothing is verified yet.
    pub fn claims_one(&self, token: &str) -> bool {
        self.named_by(token).is_some()
    }

    /// Who the token speaks for, when its issuer signed it and its time is now.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<ForeignSubject, InvalidToken> {
        self.named_by(token)
            .ok_or(InvalidToken::Issuer)?
            .verify(token, now)
            .await
    }

    fn named_by(&self, token: &str) -> Option<&Issuer> {
        let claims: OnlyIssuer = jsonwebtoken::dangerous::insecure_decode_claims(token).ok()?;
        self.0.iter().find(|issuer| issuer.config.issuer == claims.iss)
    }
}

/// One issuer with its keys.
struct Issuer {
    config: IssuerConfig,
    source: Source,
    keys: RwLock<Keys>,
    fetching: tokio::sync::Mutex<()>,
}

/// Where a key set comes from.
enum Source {
    File(PathBuf),
    Url(reqwest::Client, url::Url),
}

/// The keys of one issuer as they were last read.
struct Keys {
    known: Arc<Vec<ForeignKey>>,
    read_at: Option<Instant>,
    /// Whatever the outcome was.
    tried_at: Option<Instant>,
    failures: u32,
}

impl Keys {
    fn find(&self, kid: Option<&str>, algorithm: Algorithm, at: Instant) -> Option<ForeignKey> {
        let usable = self
            .read_at
            .is_some_and(|read_at| at.duration_since(read_at) < USABLE_FOR);
        let fits = |key: &&ForeignKey| key.algorithms.contains(&algorithm);
        let mut fitting = self.known.iter().filter(fits);
        let key = match kid {
            Some(kid) => fitting.find(|key| key.id.as_deref() == Some(kid)),
            // Without a name there must be no choice.
            None => fitting.next().filter(|_| self.known.len() == 1),
        };
        key.filter(|_| usable).cloned()
    }

    /// Whether the set may be fetched now: when it is old, or a key is missing, and not too soon after the last time.
    fn may_fetch(&self, missing: bool, at: Instant) -> bool {
        let age = |then: Option<Instant>| then.map_or(Duration::MAX, |then| at.duration_since(then));
        let pause = match self.failures {
            0 if missing => UNKNOWN_KEY_PAUSE,
            0 => FRESH_FOR,
            failures => FIRST_PAUSE
                .saturating_mul(2_u32.saturating_pow(failures - 1))
                .min(LONGEST_PAUSE),
        };
        (missing || age(self.read_at) >= FRESH_FOR) && age(self.tried_at) >= pause
    }
}

/// A key with the only algorithms that it may be used with.
#[derive(Clone)]
struct ForeignKey {
    id: Option<String>,
    algorithms: &'static [Algorithm],
    key: DecodingKey,
}

impl Issuer {
    fn new(config: IssuerConfig) -> Result<Self, IssuerConfigError> {
        Ok(Self {
            source: Source::new(&config)?,
            config,
            keys: RwLock::new(Keys {
                known: Arc::default(),
                read_at: None,
                tried_at: None,
                failures: 0,
            }),
            fetching: tokio::sync::Mutex::new(()),
        })
    }

    async fn verify(&self, token: &str, now: Timestamp) -> Result<ForeignSubject, InvalidToken> {
        let types: Vec<String> = self.config.types.iter().map(|typ| typ.to_ascii_lowercase()).collect();
        let types: Vec<&str> = types.iter().map(String::as_str).collect();
        let header = checked_header(token, &types)?;
        let key = self.key(header.kid.as_deref(), header.alg).await?;
        let validation = validation(&[header.alg], &self.config.issuer, &self.config.audience);
        let claims: ForeignClaims = jsonwebtoken::decode(token, &key.key, &validation)
            .map_err(|error| reason(&error))?
            .claims;
        in_time(claims.exp, claims.nbf.max(claims.iat), now)?;
        Ok(ForeignSubject {
            issuer: self.config.issuer.clone(),
            subject: claims.sub,
            tenant: self.config.tenant.clone(),
            scope: claims.scope,
        })
    }

    async fn key(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<ForeignKey, InvalidToken> {
        let find = || {
            let at = Instant::now();
            let keys = self.read();
            let found = keys.find(kid, algorithm, at);
            let fetch = keys.may_fetch(found.is_none(), at);
            (found, fetch)
        };
        let (found, fetch) = find();
        if !fetch {
            return found.ok_or_else(|| self.missing());
        }
        if let Some(key) = found {
            // One that is old but usable is taken now; whoever gets the lock looks for a newer set meanwhile.
            if let Ok(guard) = self.fetching.try_lock() {
                self.fetch().await;
                drop(guard);
            }
            return Ok(find().0.unwrap_or(key));
        }
        let guard = self.fetching.lock().await;
        if find().1 {
            self.fetch().await;
        }
        drop(guard);
        find().0.ok_or_else(|| self.missing())
    }

    fn missing(&self) -> InvalidToken {
        if self.read().read_at.is_none() {
            InvalidToken::KeysUnavailable
        } else {
            InvalidToken::Signature
        }
    }

    /// Reads the set once and takes note of how it went.
    async fn fetch(&self) {
        let outcome = self.source.read().await;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        keys.tried_at = Some(now);
        match outcome {
            Ok(known) => {
                keys.known = Arc::new(known);
                keys.read_at = Some(now);
                keys.failures = 0;
            }
            Err(reason) => {
                keys.failures = keys.failures.saturating_add(1);
                tracing::warn!(
                    issuer = self.config.issuer,
                    reason,
                    "the issuer's keys could not be read"
                );
            }
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source {
    fn new(config: &IssuerConfig) -> Result<Self, IssuerConfigError> {
        let Ok(url) = url::Url::parse(&config.jwks) else {
            return Ok(Self::File(config.jwks.clone().into()));
        };
        let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        match url.scheme() {
            "https" => {}
            "http" if here => {}
            "file" => return Ok(Self::File(url.path().into())),
            _ => return Err(IssuerConfigError::Insecure(config.issuer.clone())),
        }
        // A redirect could lead into the network of this machine.
        let client = reqwest::Client::builder()
            .timeout(FETCH_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| IssuerConfigError::Client(error.to_string()))?;
        Ok(Self::Url(client, url))
    }

    async fn read(&self) -> Result<Vec<ForeignKey>, String> {
        let bytes = match self {
            Self::File(path) => tokio::fs::read(path).await.map_err(|error| error.to_string())?,
            Self::Url(client, url) => download(client, url).await?,
        };
        let set: RawSet = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        // One key of a kind that is not known here does not spoil the others.
        let keys: Vec<ForeignKey> = set
            .keys
            .into_iter()
            .filter_map(|key| usable(serde_json::from_value(key).ok()?))
            .collect();
        if keys.is_empty() {
            Err("the set has no key that can be used".into())
        } else {
            Ok(keys)
        }
    }
}

#[derive(Deserialize)]
struct RawSet {
    keys: Vec<serde_json::Value>,
}

async fn download(client: &reqwest::Client, url: &url::Url) -> Result<Vec<u8>, String> {
    let mut response = client
        .get(url.clone())
        .send()
        .await
        .map_err(|error| error.without_url().to_string())?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(format!("answered {}", response.status()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| error.without_url().to_string())?
    {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LONGEST_SET {
            return Err("the set is too long".into());
        }
    }
    Ok(bytes)
}

/// The key with its algorithms, when it is a public key for signatures that is strong enough.
fn usable(jwk: Jwk) -> Option<ForeignKey> {
    if jwk
        .common
        .public_key_use
        .as_ref()
        .is_some_and(|purpose| *purpose != PublicKeyUse::Signature)
    {
        return None;
    }
    let possible: &'static [Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
        AlgorithmParameters::EllipticCurve(point) if point.curve == EllipticCurve::P256 => &[Algorithm::ES256],
        AlgorithmParameters::EllipticCurve(point) if point.curve == EllipticCurve::P384 => &[Algorithm::ES384],
        AlgorithmParameters::RSA(rsa) if rsa.n.trim_end_matches('=').len() >= SHORTEST_MODULUS => {
            match jwk.common.key_algorithm {
                Some(KeyAlgorithm::RS384) => &[Algorithm::RS384],
                Some(KeyAlgorithm::RS512) => &[Algorithm::RS512],
                Some(KeyAlgorithm::PS256) => &[Algorithm::PS256],
                Some(KeyAlgorithm::PS384) => &[Algorithm::PS384],
                Some(KeyAlgorithm::PS512) => &[Algorithm::PS512],
                Some(KeyAlgorithm::RS256) | None => &[Algorithm::RS256],
                Some(_) => return None,
            }
        }
        _ => return None,
    };
    Some(ForeignKey {
        key: DecodingKey::from_jwk(&jwk).ok()?,
        id: jwk.common.key_id,
        algorithms: possible,
    })
}

#[cfg(test)]
#[path = "issuers_tests.rs"]
mod tests;

//! Access tokens: signed JWTs as RFC 9068 lays them down, made and taken only with this service's own keys.
//!
//! A token says who, for which tenant and how far. What that principal may do is looked up when it is used.

use super::keys::{Key, KeyRing};
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};
use sql::Timestamp;
use sql::ids::{PrincipalId, TenantId, TokenId};
use std::sync::Arc;
use std::time::Duration;

/// How long an access token lives.
pub const LIFE: Duration = Duration::from_mins(10);

/// The longest life that may be asked for on the server's machine.
pub const LONGEST_LIFE: Duration = Duration::from_hours(24);

/// By how much clocks may differ.
pub const LEEWAY: Duration = Duration::from_secs(30);

/// The `typ` of an access token.
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// The client that people log in with: this service's own log-in.
pub const FIRST_PARTY_CLIENT: &str = "rapport";

/// Nothing that this service signs comes near; spares the work on what is longer.
const LONGEST_TOKEN: usize = 8 * 1024;

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who made it: this service.
    pub iss: String,
    /// Who shall take it: this service.
    pub aud: String,
    /// The user or service account that acts.
    pub sub: PrincipalId,
    /// [`FIRST_PARTY_CLIENT`] for users; for a service account the same as `sub`.
    pub client_id: String,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    /// When it was made.
    pub iat: i64,
    /// When it begins.
    pub nbf: i64,
    /// Names the token.
    pub jti: TokenId,
    /// How far it reaches, within what the principal's role allows: scopes with a space between.
    pub scope: String,
    /// The tenant.
    pub tenant: TenantId,
    /// What it was given for and ends with: a user's session or a service account's secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<TokenId>,
}

/// What an access token is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The tenant.
    pub tenant: TenantId,
    /// The user or service account.
    pub principal: PrincipalId,
    /// Whether it is a service account.
    pub service_account: bool,
    /// Scopes with a space between.
    pub scope: String,
    /// The session or secret that it ends with.
    pub session: Option<TokenId>,
    /// How long it lives; [`LONGEST_LIFE`] at most.
    pub life: Duration,
}

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// Not a JWT, or one with claims or a header that this service does not make.
    #[error("the access token is malformed")]
    Malformed,
    /// Signed otherwise than by a key and algorithm that count here.
    #[error("the access token is not signed by a key of its issuer")]
    Signature,
    /// Not an access token.
    #[error("the token is not an access token")]
    Type,
    /// Made by someone else.
    #[error("the access token's issuer is not trusted here")]
    Issuer,
    /// Made for someone else.
    #[error("the access token is for another audience")]
    Audience,
    /// Its time is over.
    #[error("the access token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the access token is not valid yet")]
    Premature,
    /// What it was given for has ended: session, secret or principal.
    #[error("the access token has been revoked")]
    Revoked,
    /// The issuer's keys cannot be fetched just now.
    #[error("the keys of the access token's issuer cannot be fetched")]
    KeysUnavailable,
}

/// No token could be made: the folder of keys is empty or holds a key that does not sign.
#[derive(Debug, thiserror::Error)]
#[error("no key can sign an access token")]
pub struct CannotSign;

/// Makes and takes access tokens.
pub struct Tokens {
    issuer: String,
    keys: Arc<KeyRing>,
    validation: Validation,
}

impl Tokens {
    /// Tokens of the service at this URL, which is both issuer and audience.
    pub fn new(issuer: impl Into<String>, keys: Arc<KeyRing>) -> Self {
        let issuer = issuer.into();
        Self {
            validation: validation(&[Algorithm::EdDSA], &issuer, &issuer),
            issuer,
            keys,
        }
    }

    /// The service's URL, as it stands in tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The keys that sign.
    pub fn keys(&self) -> &Arc<KeyRing> {
        &self.keys
    }

    /// Signs a token.
    pub fn issue(&self, grant: &Grant, now: Timestamp) -> Result<String, CannotSign> {
        let iat = now.utc().timestamp();
        let life = i64::try_from(grant.life.min(LONGEST_LIFE).as_secs()).unwrap_or_default();
        let client_id = if grant.service_account {
            grant.principal.to_string()
        } else {
            FIRST_PARTY_CLIENT.into()
        };
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.issuer.clone(),
            sub: grant.principal,
            client_id,
            exp: iat + life,
            iat,
            nbf: iat,
            jti: TokenId::new(),
            scope: grant.scope.clone(),
            tenant: grant.tenant,
            sid: grant.session,
        };
        sign(&*self.keys.signing(now).ok_or(CannotSign)?, &claims)
    }

    /// What a token says, when this service signed it and its time is now.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, InvalidToken> {
        let header = checked_header(token, &[ACCESS_TOKEN_TYPE])?;
        // A key comes from the folder and from nowhere else, so a token that brings or names one of its own is forged.
        if header.jku.is_some() || header.jwk.is_some() || header.x5u.is_some() || header.x5c.is_some() {
            return Err(InvalidToken::Malformed);
        }
        let kid = header.kid.as_deref().ok_or(InvalidToken::Malformed)?;
        let key = self.keys.verifying(kid, now).ok_or(InvalidToken::Signature)?;
        let claims: Claims = jsonwebtoken::decode(token, key.verifier(), &self.validation)
            .map_err(|error| reason(&error))?
            .claims;
        in_time(claims.exp, Some(claims.nbf.max(claims.iat)), now)?;
        Ok(claims)
    }
}

/// What every token is checked for, whoever made it. Time is checked by [`in_time`], against the time that is handed in.
pub(super) fn validation(algorithms: &[Algorithm], issuer: &str, audience: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.algorithms = algorithms.to_vec();
    validation.validate_exp = false;
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation
}

/// The header, when the token is of a size and type to go on with.
pub(super) fn checked_header(token: &str, types: &[&str]) -> Result<Header, InvalidToken> {
    if token.len() > LONGEST_TOKEN {
        return Err(InvalidToken::Malformed);
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| InvalidToken::Malformed)?;
    // Nothing that a header calls critical is known here (RFC 7515 section 4.1.11).
    if header.crit.is_some() || header.enc.is_some() || header.zip.is_some() {
        return Err(InvalidToken::Malformed);
    }
    let typ = header.typ.as_deref().unwrap_or_default().to_ascii_lowercase();
    let typ = typ.strip_prefix("application/").unwrap_or(&typ);
    if types.contains(&typ) {
        Ok(header)
    } else {
        Err(InvalidToken::Type)
    }
}

/// Whether a token's time is now, give or take [`LEEWAY`].
pub(super) fn in_time(ends: i64, begins: Option<i64>, now: Timestamp) -> Result<(), InvalidToken> {
    let now = now.utc().timestamp();
    let leeway = i64::try_from(LEEWAY.as_secs()).unwrap_or_default();
    if ends.saturating_add(leeway) <= now {
        return Err(InvalidToken::Expired);
    }
    if begins.is_some_and(|begins| begins > now + leeway) {
        return Err(InvalidToken::Premature);
    }
    Ok(())
}

/// Our name for what the library found.
pub(super) fn reason(error: &jsonwebtoken::errors::Error) -> InvalidToken {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::InvalidIssuer => InvalidToken::Issuer,
        ErrorKind::InvalidAudience => InvalidToken::Audience,
        ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm | ErrorKind::InvalidKeyFormat => {
            InvalidToken::Signature
        }
        _ => InvalidToken::Malformed,
    }
}

fn sign(key: &Key, claims: &Claims) -> Result<String, CannotSign> {
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some(ACCESS_TOKEN_TYPE.to_owned());
    header.kid = Some(key.id.clone());
    jsonwebtoken::encode(&header, claims, key.signer()).map_err(|_| CannotSign)
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;

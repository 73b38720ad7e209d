//! Log-ins and their refresh tokens (RFC 9700 section 4.14): each token is used once, and a second use ends them all.
//!
//! Each query names its tenant, since it is asked before anyone is known.

use crate::{Error, Transaction};
use diesel::prelude::*;
use sql::Timestamp;
use sql::ids::{PrincipalId, TenantId, TokenId};
use sql::schema::{refresh_tokens, sessions};
use std::time::Duration;

/// How long a session lives when it is used.
pub const ABSOLUTE_LIFE: Duration = Duration::from_hours(720);
/// How long it lives when it is not.
pub const IDLE_LIFE: Duration = Duration::from_hours(336);
/// How long a used token still gets its successor again: its first answer may have been lost.
pub const GRACE: Duration = Duration::from_secs(10);

/// A session as its next access token needs it.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Session {
    /// Names it.
    pub id: TokenId,
    /// Who logged in: a user.
    pub principal: PrincipalId,
    /// How far its tokens reach.
    pub scope: String,
    expires_at: Timestamp,
    revoked_at: Option<Timestamp>,
}

/// What became of a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// The successor is valid now.
    Rotated(Session),
    /// It was used before, so someone else has it: the session is over.
    Reused(Session),
    /// It is none, or its time is over.
    Unknown,
}

/// Opens a session with its first refresh token.
pub fn open(
    tx: &mut Transaction<'_>,
    tenant: TenantId,
    principal: PrincipalId,
    scope: &str,
    token_hash: &str,
) -> Result<TokenId, Error> {
    let (id, now) = (TokenId::new(), tx.now());
    let expires_at = after(now, ABSOLUTE_LIFE);
    diesel::insert_into(sessions::table)
        .values((
            sessions::tenant_id.eq(tenant),
            sessions::id.eq(id),
            sessions::principal_id.eq(principal),
            sessions::scope.eq(scope),
            sessions::created_at.eq(now),
            sessions::expires_at.eq(expires_at),
        ))
        .execute(tx.connection())?;
    insert_token(tx, tenant, id, token_hash, expires_at)?;
    Ok(id)
}

/// Uses a refresh token up and makes its successor valid.
pub fn rotate(tx: &mut Transaction<'_>, tenant: TenantId, hash: &str, successor: &str) -> Result<Rotation, Error> {
    let now = tx.now();
    let found: Option<(TokenId, Timestamp, Option<Timestamp>)> = refresh_tokens::table
        .find((tenant, hash))
        .select((
            refresh_tokens::session_id,
            refresh_tokens::expires_at,
            refresh_tokens::used_at,
        ))
        .first(tx.connection())
        .optional()?;
    let Some((session, expires_at, used_at)) = found else {
        return Ok(Rotation::Unknown);
    };
    let session = find(tx, tenant, session)?;
    if session.revoked_at.is_some() || session.expires_at <= now || expires_at <= now {
        return Ok(Rotation::Unknown);
    }
    match used_at {
        Some(used_at) if now <= after(used_at, GRACE) => Ok(Rotation::Rotated(session)),
        Some(_) => {
            revoke(tx, tenant, session.id)?;
            Ok(Rotation::Reused(session))
        }
        None => {
            diesel::update(refresh_tokens::table.find((tenant, hash)))
                .set(refresh_tokens::used_at.eq(Some(now)))
                .execute(tx.connection())?;
            insert_token(tx, tenant, session.id, successor, session.expires_at)?;
            Ok(Rotation::Rotated(session))
        }
    }
}

/// Whether a session of this principal is open.
pub fn is_open(
    tx: &mut Transaction<'_>,
    tenant: TenantId,
    principal: PrincipalId,
    session: TokenId,
) -> Result<bool, Error> {
    let now = tx.now();
    let open = sessions::table
        .find((tenant, session))
        .filter(sessions::principal_id.eq(principal))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(now));
    let count: i64 = open.count().get_result(tx.connection())?;
    Ok(count == 1)
}

/// The session that a refresh token belongs to.
pub fn of_token(tx: &mut Transaction<'_>, tenant: TenantId, hash: &str) -> Result<Option<TokenId>, Error> {
    let row = refresh_tokens::table
        .find((tenant, hash))
        .select(refresh_tokens::session_id);
    Ok(row.first(tx.connection()).optional()?)
}

/// Ends a session: none of its tokens is taken any more.
pub fn revoke(tx: &mut Transaction<'_>, tenant: TenantId, session: TokenId) -> Result<(), Error> {
    let now = tx.now();
    diesel::update(
        sessions::table
            .find((tenant, session))
            .filter(sessions::revoked_at.is_null()),
    )
    .set(sessions::revoked_at.eq(Some(now)))
    .execute(tx.connection())?;
    Ok(())
}

/// Ends the sessions of a user, but the one that asks for it.
pub fn revoke_others(
    tx: &mut Transaction<'_>,
    tenant: TenantId,
    principal: PrincipalId,
    kept: Option<TokenId>,
) -> Result<(), Error> {
    let now = tx.now();
    let kept = kept.unwrap_or(TokenId(uuid::Uuid::nil()));
    let others = sessions::table
        .filter(sessions::tenant_id.eq(tenant))
        .filter(sessions::principal_id.eq(principal))
        .filter(sessions::id.ne(kept))
        .filter(sessions::revoked_at.is_null());
    diesel::update(others)
        .set(sessions::revoked_at.eq(Some(now)))
        .execute(tx.connection())?;
    Ok(())
}

/// Forgets the sessions of a tenant that ended before an instant, with their tokens.
pub fn forget(tx: &mut Transaction<'_>, before: Timestamp) -> Result<usize, Error> {
    let tenant = tx.tenant();
    let ended: Vec<TokenId> = sessions::table
        .filter(sessions::tenant_id.eq(tenant))
        .filter(sessions::expires_at.lt(before))
        .order(sessions::expires_at)
        .limit(1_000)
        .select(sessions::id)
        .load(tx.connection())?;
    let tokens = refresh_tokens::table
        .filter(refresh_tokens::tenant_id.eq(tenant))
        .filter(refresh_tokens::session_id.eq_any(ended.clone()));
    diesel::delete(tokens).execute(tx.connection())?;
    let rows = sessions::table
        .filter(sessions::tenant_id.eq(tenant))
        .filter(sessions::id.eq_any(ended));
    Ok(diesel::delete(rows).execute(tx.connection())?)
}

fn find(tx: &mut Transaction<'_>, tenant: TenantId, id: TokenId) -> Result<Session, Error> {
    let row = sessions::table.find((tenant, id)).select((
        sessions::id,
        sessions::principal_id,
        sessions::scope,
        sessions::expires_at,
        sessions::revoked_at,
    ));
    Ok(row.first(tx.connection())?)
}

fn insert_token(
    tx: &mut Transaction<'_>,
    tenant: TenantId,
    session: TokenId,
    hash: &str,
    session_ends: Timestamp,
) -> Result<(), Error> {
    let now = tx.now();
    diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::tenant_id.eq(tenant),
            refresh_tokens::hash.eq(hash),
            refresh_tokens::session_id.eq(session),
            refresh_tokens::issued_at.eq(now),
            refresh_tokens::expires_at.eq(after(now, IDLE_LIFE).min(session_ends)),
        ))
        .execute(tx.connection())?;
    Ok(())
}

fn after(instant: Timestamp, time: Duration) -> Timestamp {
    (instant.utc() + time).into()
}

//! How users and service accounts prove who they are: Argon2id strings and SHA-256 of random secrets.

use crate::events::{FieldChanges, NewEvent};
use crate::{Error, Transaction};
use diesel::prelude::*;
use domain::{Kind, Refusal};
use serde::Serialize;
use sql::ids::{PrincipalId, RecordId, TenantId, TokenId};
use sql::schema::{client_secrets, passwords, service_accounts, tenants, users};
use sql::{Timestamp, on_either};
use utoipa::ToSchema;

/// Secrets that one service account may have at the same time: enough to change them without a gap.
pub const SECRETS: usize = 10;

/// A user that an e-mail address may stand for.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Candidate {
    /// Its tenant.
    pub tenant: TenantId,
    /// The user.
    pub user: PrincipalId,
    /// Its password's Argon2id string.
    pub hash: Option<String>,
}

/// The active users with this address, of one tenant or of any; two of them are enough to know it is not unique.
pub fn candidates(tx: &mut Transaction<'_>, email: &str, tenant: Option<&str>) -> Result<Vec<Candidate>, Error> {
    let of_password = passwords::tenant_id
        .eq(users::tenant_id)
        .and(passwords::user_id.eq(users::id));
    let mut query = users::table
        .inner_join(tenants::table.on(tenants::id.eq(users::tenant_id)))
        .left_join(passwords::table.on(of_password))
        .filter(users::email.eq(email))
        .filter(users::active.eq(true))
        .filter(users::deleted_at.is_null())
        .select((users::tenant_id, users::id, passwords::hash.nullable()))
        .limit(2)
        .into_boxed();
    if let Some(tenant) = tenant {
        query = query.filter(tenants::name.eq(tenant.to_owned()));
    }
    Ok(query.load(tx.connection())?)
}

/// The Argon2id string of a user of the tenant at work.
pub fn password(tx: &mut Transaction<'_>, user: RecordId) -> Result<Option<String>, Error> {
    let row = passwords::table.find((tx.tenant(), user)).select(passwords::hash);
    Ok(row.first(tx.connection()).optional()?)
}

/// Gives a user of the tenant at work a new password, by its Argon2id string.
pub fn set_password(tx: &mut Transaction<'_>, user: RecordId, hash: &str) -> Result<(), Error> {
    let (tenant, now) = (tx.tenant(), tx.now());
    let version = users::table
        .find((tenant, user))
        .filter(users::deleted_at.is_null())
        .select(users::version)
        .first(tx.connection())?;
    let row = (
        passwords::tenant_id.eq(tenant),
        passwords::user_id.eq(user),
        passwords::hash.eq(hash),
        passwords::changed_at.eq(now),
    );
    let change = (passwords::hash.eq(hash), passwords::changed_at.eq(now));
    on_either!(tx.connection(), |c| diesel::insert_into(passwords::table)
        .values(row)
        .on_conflict((passwords::tenant_id, passwords::user_id))
        .do_update()
        .set(change)
        .execute(c))?;
    announce(tx, Kind::User, user, version, "password_changed");
    Ok(())
}

/// A secret of a service account, without the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, Queryable, Selectable)]
#[diesel(table_name = client_secrets)]
pub struct ClientSecret {
    /// Names it.
    #[schema(value_type = uuid::Uuid)]
    pub id: TokenId,
    /// How it begins, to tell it from others.
    #[schema(examples("rap_4fQx2a"))]
    pub prefix: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Gives a service account one more secret, by its SHA-256.
pub fn create_secret(
    tx: &mut Transaction<'_>,
    account: RecordId,
    hash: &str,
    prefix: &str,
    expires_at: Timestamp,
) -> Result<ClientSecret, Error> {
    let (tenant, now) = (tx.tenant(), tx.now());
    let version = account_version(tx, account)?;
    let living = secrets(tx, account)?
        .into_iter()
        .filter(|secret| secret.revoked_at.is_none() && secret.expires_at > now);
    if living.count() >= SECRETS {
        return Err(Refusal::conflict("too_many_secrets", format!("revoke one of the {SECRETS} secrets first")).into());
    }
    let secret = ClientSecret {
        id: TokenId::new(),
        prefix: prefix.to_owned(),
        created_at: now,
        expires_at,
        revoked_at: None,
    };
    diesel::insert_into(client_secrets::table)
        .values((
            client_secrets::tenant_id.eq(tenant),
            client_secrets::id.eq(secret.id),
            client_secrets::service_account_id.eq(account),
            client_secrets::hash.eq(hash),
            client_secrets::prefix.eq(prefix),
            client_secrets::created_at.eq(now),
            client_secrets::expires_at.eq(expires_at),
        ))
        .execute(tx.connection())?;
    announce(tx, Kind::ServiceAccount, account, version, "secret_created");
    Ok(secret)
}

/// The secrets of a service account, the ended ones too, oldest first.
pub fn list_secrets(tx: &mut Transaction<'_>, account: RecordId) -> Result<Vec<ClientSecret>, Error> {
    account_version(tx, account)?;
    secrets(tx, account)
}

/// Ends a secret, and with it every token that it got.
pub fn revoke_secret(tx: &mut Transaction<'_>, account: RecordId, secret: TokenId) -> Result<(), Error> {
    let (tenant, now) = (tx.tenant(), tx.now());
    let version = account_version(tx, account)?;
    let row = client_secrets::table
        .find((tenant, secret))
        .filter(client_secrets::service_account_id.eq(account));
    let revoked: Option<Timestamp> = row.select(client_secrets::revoked_at).first(tx.connection())?;
    if revoked.is_some() {
        return Ok(());
    }
    diesel::update(client_secrets::table.find((tenant, secret)))
        .set(client_secrets::revoked_at.eq(Some(now)))
        .execute(tx.connection())?;
    announce(tx, Kind::ServiceAccount, account, version, "secret_revoked");
    Ok(())
}

/// The secret of a service account with this SHA-256, when it counts.
pub fn valid_secret(
    tx: &mut Transaction<'_>,
    tenant: TenantId,
    account: PrincipalId,
    hash: &str,
) -> Result<Option<TokenId>, Error> {
    let now = tx.now();
    let row = client_secrets::table
        .filter(client_secrets::tenant_id.eq(tenant))
        .filter(client_secrets::service_account_id.eq(account))
        .filter(client_secrets::hash.eq(hash))
        .filter(client_secrets::revoked_at.is_null())
        .filter(client_secrets::expires_at.gt(now))
        .select(client_secrets::id);
    Ok(row.first(tx.connection()).optional()?)
}

/// Whether a secret still counts.
pub fn is_valid(
    tx: &mut Transaction<'_>,
    tenant: TenantId,
    account: PrincipalId,
    secret: TokenId,
) -> Result<bool, Error> {
    let now = tx.now();
    let row = client_secrets::table
        .find((tenant, secret))
        .filter(client_secrets::service_account_id.eq(account))
        .filter(client_secrets::revoked_at.is_null())
        .filter(client_secrets::expires_at.gt(now));
    let count: i64 = row.count().get_result(tx.connection())?;
    Ok(count == 1)
}

/// Removes all by which a user or service account of the tenant at work could prove who it is.
pub fn forget(tx: &mut Transaction<'_>, id: RecordId) -> Result<(), Error> {
    let tenant = tx.tenant();
    crate::operation::sessions::revoke_others(tx, tenant, PrincipalId(id.0), None)?;
    diesel::delete(passwords::table.find((tenant, id))).execute(tx.connection())?;
    crate::interaction::calendar_feeds::forget(tx, id)?;
    let secrets = client_secrets::table
        .filter(client_secrets::tenant_id.eq(tenant))
        .filter(client_secrets::service_account_id.eq(id));
    diesel::delete(secrets).execute(tx.connection())?;
    Ok(())
}

fn secrets(tx: &mut Transaction<'_>, account: RecordId) -> Result<Vec<ClientSecret>, Error> {
    let rows = client_secrets::table
        .filter(client_secrets::tenant_id.eq(tx.tenant()))
        .filter(client_secrets::service_account_id.eq(account))
        .order(client_secrets::id)
        .select(ClientSecret::as_select());
    Ok(rows.load(tx.connection())?)
}

/// The version of a service account that is not deleted; on the way it is known that there is one.
fn account_version(tx: &mut Transaction<'_>, account: RecordId) -> Result<i64, Error> {
    let row = service_accounts::table
        .find((tx.tenant(), account))
        .filter(service_accounts::deleted_at.is_null())
        .select(service_accounts::version);
    Ok(row.first(tx.connection())?)
}

fn announce(tx: &mut Transaction<'_>, kind: Kind, id: RecordId, version: i64, what: &str) {
    let event = NewEvent::new(tx, kind, what, id, version, FieldChanges::default());
    tx.announce(event);
}

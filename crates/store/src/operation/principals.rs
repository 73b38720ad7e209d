//! Who may act right now: users and service accounts that are active, with their role and record rule.
//!
//! Each query names its tenant, since it is asked before anyone is known.

use crate::operation::tenants;
use crate::{Actor, ActorKind, Error, Transaction};
use diesel::prelude::*;
use domain::Kind;
use domain::operation::roles::{RecordRule, Role};
use domain::operation::tenants::Tenant;
use domain::operation::visibility::Visibility;
use sql::ids::{PrincipalId, RecordId, TeamId, TenantId, UserId};
use sql::schema::{external_ids, service_accounts, users};
use std::sync::Arc;

/// A user or a service account that may act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Whose data it may touch.
    pub tenant: Arc<Tenant>,
    /// A user or a service account.
    pub kind: ActorKind,
    /// Which one.
    pub id: PrincipalId,
    /// What it is called.
    pub name: String,
    /// The address that a user logs in with.
    pub email: Option<String>,
    /// What it may do.
    pub role: Role,
    /// On whose records.
    pub record_rule: RecordRule,
    /// Its team.
    pub team_id: Option<TeamId>,
}

impl Principal {
    /// As the actor of a transaction.
    pub fn actor(&self) -> Actor {
        Actor {
            kind: self.kind,
            id: Some(self.id),
        }
    }

    /// Which records of owned kinds it may see.
    pub fn visibility(&self) -> Visibility {
        let user = UserId(self.id.0);
        match self.record_rule {
            RecordRule::All => Visibility::All,
            RecordRule::Team => Visibility::Team {
                user,
                team: self.team_id,
            },
            RecordRule::Own => Visibility::Own { user },
        }
    }
}

/// What both tables say about a principal.
type Row = (String, Option<String>, Role, Option<RecordRule>, Option<TeamId>);

/// The user or service account with this id, when it may act.
pub fn find_active(
    tx: &mut Transaction<'_>,
    tenant: TenantId,
    kind: ActorKind,
    id: PrincipalId,
) -> Result<Option<Principal>, Error> {
    let row = match kind {
        ActorKind::User => user(tx, tenant, id)?,
        ActorKind::ServiceAccount => service_account(tx, tenant, id)?,
        ActorKind::System => None,
    };
    let (Some((name, email, role, record_rule, team_id)), Some(tenant)) = (row, tenants::find(tx, tenant)?) else {
        return Ok(None);
    };
    Ok(Some(Principal {
        tenant: Arc::new(tenant),
        kind,
        id,
        name,
        email,
        role,
        record_rule: record_rule.unwrap_or(role.record_rule()),
        team_id,
    }))
}

/// The user or service account that a foreign issuer knows by this id, when it may act.
pub fn find_by_external_id(
    tx: &mut Transaction<'_>,
    tenant: TenantId,
    system: &str,
    id: &str,
) -> Result<Option<Principal>, Error> {
    for (kind, actor) in [
        (Kind::User, ActorKind::User),
        (Kind::ServiceAccount, ActorKind::ServiceAccount),
    ] {
        let found: Option<RecordId> = external_ids::table
            .find((tenant, kind, system, id))
            .select(external_ids::record_id)
            .first(tx.connection())
            .optional()?;
        if let Some(found) = found {
            return find_active(tx, tenant, actor, PrincipalId(found.0));
        }
    }
    Ok(None)
}

fn user(tx: &mut Transaction<'_>, tenant: TenantId, id: PrincipalId) -> Result<Option<Row>, Error> {
    let row = users::table
        .find((tenant, id))
        .filter(users::active.eq(true))
        .filter(users::deleted_at.is_null())
        .select((
            users::name,
            users::email,
            users::role,
            users::record_rule,
            users::team_id,
        ));
    Ok(row.first(tx.connection()).optional()?)
}

fn service_account(tx: &mut Transaction<'_>, tenant: TenantId, id: PrincipalId) -> Result<Option<Row>, Error> {
    let row: Option<(String, Role, Option<RecordRule>, Option<TeamId>)> = service_accounts::table
        .find((tenant, id))
        .filter(service_accounts::active.eq(true))
        .filter(service_accounts::deleted_at.is_null())
        .select((
            service_accounts::name,
            service_accounts::role,
            service_accounts::record_rule,
            service_accounts::team_id,
        ))
        .first(tx.connection())
        .optional()?;
    Ok(row.map(|(name, role, record_rule, team_id)| (name, None, role, record_rule, team_id)))
}

//! New tenants with their admin, the first one at the first start. And tokens for whoever sits at the server's own command line.

use super::passwords::{Password, PasswordError, Passwords};
use super::secrets::generate_password;
use super::tokens::{CannotSign, Grant, Tokens};
use domain::Refusal;
use domain::locale::TimeZone;
use domain::money::Currency;
use domain::operation::roles::Role;
use domain::operation::service_accounts::{ServiceAccount, ServiceAccountFields};
use domain::operation::tenants::Tenant;
use domain::operation::users::{User, UserFields};
use domain::record::ExternalId;
use sql::Timestamp;
use sql::ids::PrincipalId;
use std::sync::Arc;
use std::time::Duration;
use store::operation::principals::{self, Principal};
use store::operation::{credentials, tenants};
use store::records;
use store::{ActorKind, Error, Scope, Store, Transaction};

/// The system in whose name the command line's own accounts have their external ids.
const COMMAND_LINE: &str = "rapport.command_line";

/// The first tenant's name, unless the configuration says otherwise.
pub const FIRST_TENANT: &str = "default";

/// How a tenant is set up.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// What it is called.
    pub name: String,
    /// The currency it reports in.
    pub currency: Currency,
    /// Where its days begin.
    pub time_zone: TimeZone,
    /// Whether a change without `If-Match` is refused.
    pub require_if_match: bool,
    /// The admin's address, to log in with.
    pub admin_email: String,
}

impl Default for NewTenant {
    fn default() -> Self {
        Self {
            name: FIRST_TENANT.to_owned(),
            currency: Currency::default(),
            time_zone: TimeZone::default(),
            require_if_match: false,
            admin_email: "admin@localhost".to_owned(),
        }
    }
}

/// What must be told once about a new tenant.
pub struct NewAdmin {
    /// The tenant's name.
    pub tenant: String,
    /// The address to log in with.
    pub email: String,
    /// The generated password. It is kept nowhere in clear.
    pub password: String,
}

/// Why the first tenant or a token was not made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The store.
    #[error(transparent)]
    Store(#[from] Error),
    /// The password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The token.
    #[error(transparent)]
    Token(#[from] CannotSign),
    /// The tenant is not clear.
    #[error("{0}")]
    Tenant(String),
    /// An admin has switched the command line off.
    #[error("the service account \"{0}\" is disabled or deleted")]
    Disabled(String),
}

/// Sets up the first tenant where there is none yet, and tells its admin's password.
pub async fn bootstrap(store: &Store, passwords: &Passwords, first: NewTenant) -> Result<Option<NewAdmin>, SetupError> {
    if !store.read(&Scope::nobody(), tenants::all).await?.is_empty() {
        return Ok(None);
    }
    match create_tenant(store, passwords, first).await {
        Ok(admin) => Ok(Some(admin)),
        // Of two instances that start together one comes first.
        Err(SetupError::Tenant(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Sets up a tenant with an admin, and tells the admin's password.
pub async fn create_tenant(store: &Store, passwords: &Passwords, new: NewTenant) -> Result<NewAdmin, SetupError> {
    let password = generate_password();
    let hash = passwords.hash(Password::new(password.clone())).await?;
    let admin = NewAdmin {
        tenant: new.name.clone(),
        email: new.admin_email.clone(),
        password,
    };
    let tenant = Arc::new(Tenant {
        require_if_match: new.require_if_match,
        ..Tenant::new(new.name, new.currency, new.time_zone, Timestamp::now())
    });
    let scope = Scope::system(tenant.clone());
    let made = store.write(&scope, move |tx| {
        if tenants::find_by_name(tx, &tenant.name)?.is_some() {
            return Ok(false);
        }
        tenants::create(tx, &tenant)?;
        let user = records::create_unasked::<User>(tx, admin_fields(new.admin_email.clone()))?;
        credentials::set_password(tx, user.meta.id, &hash)?;
        command_line_account(tx, Role::Admin)?;
        Ok(true)
    });
    match made.await {
        Ok(true) => Ok(admin),
        Ok(false) | Err(Error::Refused(Refusal::Conflict { .. })) => Err(SetupError::Tenant(format!(
            "there is a tenant {} already",
            admin.tenant
        ))),
        Err(error) => Err(error.into()),
    }
}

fn admin_fields(email: String) -> UserFields {
    UserFields {
        external_ids: sql::Json::new(Vec::new()),
        tags: sql::Json::new(Vec::new()),
        custom: sql::Json::default(),
        owner_id: None,
        team_id: None,
        name: "Administrator".to_owned(),
        email: Some(email),
        role: Role::Admin,
        record_rule: None,
        active: true,
    }
}

/// What a token for the command line is asked for.
#[derive(Debug, Clone)]
pub struct CommandLineToken {
    /// What it may do.
    pub role: Role,
    /// The tenant's name; where there is only one, it is meant.
    pub tenant: Option<String>,
    /// How long it lives.
    pub life: Duration,
}

/// Makes an access token for whoever may read the keys and the database. It acts as a service account of the role, so
/// that the event log names an actor, and so that an admin can switch it off.
pub async fn command_line_token(store: &Store, tokens: &Tokens, asked: CommandLineToken) -> Result<String, SetupError> {
    let tenant = Arc::new(tenant_named(store, asked.tenant).await?);
    let principal = command_line_principal(store, &tenant, asked.role).await?;
    let grant = Grant {
        tenant: tenant.id,
        principal: principal.id,
        service_account: true,
        scope: principal.role.scopes().to_string(),
        session: None,
        life: asked.life,
    };
    Ok(tokens.issue(&grant, Timestamp::now())?)
}

async fn tenant_named(store: &Store, name: Option<String>) -> Result<Tenant, SetupError> {
    let mut all = store.read(&Scope::nobody(), tenants::all).await?;
    let names = || {
        all.iter()
            .map(|tenant| tenant.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let position = match &name {
        Some(name) => all.iter().position(|tenant| tenant.name == *name),
        None => Some(0).filter(|_| all.len() == 1),
    };
    match (position, name) {
        (Some(position), _) => Ok(all.swap_remove(position)),
        (None, _) if all.is_empty() => Err(SetupError::Tenant(
            "there is no tenant yet: start the service once".into(),
        )),
        (None, Some(name)) => Err(SetupError::Tenant(format!(
            "there is no tenant {name}, but {}",
            names()
        ))),
        (None, None) => Err(SetupError::Tenant(format!("name a tenant: {}", names()))),
    }
}

async fn command_line_principal(store: &Store, tenant: &Arc<Tenant>, role: Role) -> Result<Principal, SetupError> {
    let scope = Scope::system(tenant.clone());
    let find = move |tx: &mut Transaction<'_>| {
        let tenant = tx.tenant();
        principals::find_by_external_id(tx, tenant, COMMAND_LINE, role.as_str())
    };
    // Most of the time it is there already, and a reader does not wait for the server's own writes.
    if let Some(found) = store.read(&scope, find).await? {
        return Ok(found);
    }
    let made = store.write(&scope, move |tx| {
        let tenant = tx.tenant();
        let Some(id) = command_line_account(tx, role)? else {
            return Ok(None);
        };
        principals::find_active(tx, tenant, ActorKind::ServiceAccount, id)
    });
    made.await?.ok_or_else(|| SetupError::Disabled(account_name(role)))
}

fn account_name(role: Role) -> String {
    format!("command line ({role})")
}

/// Makes the service account of a role; none when there is one, which then is disabled or deleted.
fn command_line_account(tx: &mut Transaction<'_>, role: Role) -> Result<Option<PrincipalId>, Error> {
    let known = store::lookups::find_by_external_id(tx, domain::Kind::ServiceAccount, COMMAND_LINE, role.as_str())?;
    if known.is_some() {
        return Ok(None);
    }
    let fields = ServiceAccountFields {
        external_ids: sql::Json::new(vec![ExternalId {
            system: COMMAND_LINE.to_owned(),
            id: role.to_string(),
        }]),
        tags: sql::Json::new(Vec::new()),
        custom: sql::Json::default(),
        owner_id: None,
        team_id: None,
        name: account_name(role),
        description: Some("Acts for `rapport token` on the server's machine.".to_owned()),
        role,
        record_rule: None,
        active: true,
    };
    let account = records::create_unasked::<ServiceAccount>(tx, fields)?;
    Ok(Some(PrincipalId(account.meta.id.0)))
}

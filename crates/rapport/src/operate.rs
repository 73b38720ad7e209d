//! What an operator does on the server's machine: migrate, mint a token, add a tenant, rotate keys.

use crate::config::Config;
use api::auth::keys::KeyRing;
use api::auth::setup::{CommandLineToken, NewTenant, command_line_token, create_tenant};
use api::auth::{Auth, tokens};
use clap::{Args, Subcommand};
use domain::locale::TimeZone;
use domain::money::Currency;
use domain::operation::roles::Role;
use std::io::Write;
use std::time::Duration;
use store::Store;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Whom a token is for.
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// What it may do: admin, manager, agent, reader or integration
    #[arg(long, default_value = "admin")]
    role: Role,
    /// Whose data; may be left out where there is one tenant
    #[arg(long)]
    tenant: Option<String>,
    /// Seconds that it lives
    #[arg(long, default_value_t = tokens::LIFE.as_secs())]
    ttl: u64,
}

/// What to do with tenants.
#[derive(Debug, Subcommand)]
pub(crate) enum TenantsCommand {
    /// Add a tenant with an administrator, and print the administrator's password
    Create {
        /// What it is called
        name: String,
        /// The address of its administrator
        #[arg(long, default_value = "admin@localhost")]
        email: String,
        /// The currency it reports in (ISO 4217)
        #[arg(long, default_value = "EUR")]
        currency: Currency,
        /// Where its days begin (IANA)
        #[arg(long, default_value = "UTC")]
        time_zone: TimeZone,
        /// Refuse changes without If-Match
        #[arg(long)]
        require_if_match: bool,
    },
}

/// What to do with signing keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make the next key. It is published at once, and signs when every instance and client can know it
    Rotate,
}

/// Prints one line on standard output, which is for results alone.
pub(crate) fn print_line(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}

/// `rapport migrate`.
pub(crate) fn migrate(config: &Config) -> Result<()> {
    Store::open(&config.store_options())?;
    Ok(())
}

/// `rapport token`.
pub(crate) async fn token(config: &Config, args: TokenArgs) -> Result<()> {
    let store = Store::open(&config.store_options())?;
    let auth = Auth::open(config.auth_options()?)?;
    let asked = CommandLineToken {
        role: args.role,
        tenant: args.tenant,
        life: Duration::from_secs(args.ttl),
    };
    print_line(&command_line_token(&store, &auth.tokens, asked).await?)
}

/// `rapport tenants`.
pub(crate) async fn tenants(config: &Config, command: TenantsCommand) -> Result<()> {
    let TenantsCommand::Create {
        name,
        email,
        currency,
        time_zone,
        require_if_match,
    } = command;
    let store = Store::open(&config.store_options())?;
    let auth = Auth::open(config.auth_options()?)?;
    let new = NewTenant {
        name,
        currency,
        time_zone,
        require_if_match,
        admin_email: email,
    };
    let admin = create_tenant(&store, &auth.passwords, new).await?;
    print_line(&admin.password)
}

/// `rapport keys`.
pub(crate) fn keys(config: &Config, command: &KeysCommand) -> Result<()> {
    match command {
        KeysCommand::Rotate => print_line(&KeyRing::rotate(config.keys())?),
    }
}

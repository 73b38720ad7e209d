//! Configuration: a file, over it the environment, over that the command line.

use api::auth::AuthOptions;
use api::auth::issuers::IssuerConfig;
use api::{Documents, RateLimit};
use clap::Args;
use domain::customer::media_types::NoMediaType;
use domain::money::Currency;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;
use store::Blobs;
use store::blobs::Location;

/// Settings on the command line. Each can also stand in the environment, or in the file.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ConfigArgs {
    /// A TOML file with settings
    #[arg(long, global = true, env = "RAPPORT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The database: <sqlite://path> or postgres://… [env: `DATABASE_URL`]
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Where to listen [env: `RAPPORT_BIND`]
    #[arg(long, global = true, value_name = "ADDRESS")]
    bind: Option<SocketAddr>,
    /// Where the default database, keys and documents are kept [env: `RAPPORT_DATA_DIR`]
    #[arg(long, global = true, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
}

/// Every setting of the service.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The database; by default `rapport.db` in the data folder.
    #[serde(default)]
    pub(crate) database_url: Option<String>,
    /// A PostgreSQL replica for reads that may lag.
    #[serde(default)]
    pub(crate) database_replica_url: Option<String>,
    /// Connections to the database.
    #[serde(default)]
    pub(crate) database_pool: Option<u32>,
    /// Off behind a transaction pooler that cannot keep prepared statements.
    pub(crate) prepared_statements: bool,
    /// Where to listen.
    pub(crate) bind: SocketAddr,
    /// Where the default database, keys and documents are kept.
    pub(crate) data_dir: PathBuf,
    /// What to log, as a filter of the tracing crate.
    pub(crate) log: String,
    /// `text` or `json`.
    pub(crate) log_format: LogFormat,
    /// Threads that serve; by default one a core.
    #[serde(default)]
    pub(crate) workers: Option<usize>,
    /// Seconds that requests in flight may go on after the signal to stop.
    pub(crate) drain_seconds: u64,
    /// Days that events stay in the feed; none keeps them all.
    #[serde(default)]
    pub(crate) event_retention_days: Option<u32>,
    /// Seconds between two rounds of tidying.
    pub(crate) maintenance_seconds: u64,
    /// Where the content of documents is kept: `file:///folder` or `s3://bucket/prefix`; by default `documents` in the
    /// data folder.
    #[serde(default)]
    pub(crate) documents_url: Option<String>,
    /// Bytes of the content of a document at most.
    pub(crate) document_max_bytes: u64,
    /// The media types that documents may have, parted by commas: `*`, or such as `application/pdf, image/*`.
    pub(crate) document_types: String,
    /// Seconds after which content that belongs to no document is removed; longer than any upload takes.
    pub(crate) document_orphan_seconds: u64,
    /// Milliseconds between two looks for what time has brought about: breaches, reminders and the like.
    pub(crate) duty_milliseconds: u64,
    /// The URL by which clients reach the service, and its name as an issuer of tokens; by default from `bind`.
    #[serde(default)]
    pub(crate) public_url: Option<String>,
    /// Proxies whose `X-Forwarded-For` is believed: addresses or ranges parted by commas.
    #[serde(default)]
    pub(crate) trusted_proxies: Option<String>,
    /// Foreign issuers whose tokens are taken.
    #[serde(default)]
    pub(crate) issuers: Vec<IssuerConfig>,
    /// Log-ins that one address may try at once.
    pub(crate) login_burst: NonZeroU32,
    /// Requests a second that a tenant may send on the long run; 0 for no limit. By default none on loopback, else 100.
    #[serde(default)]
    pub(crate) rate_per_second: Option<u32>,
    /// Writes that may share one commit on SQLite; 1 gives each a commit of its own.
    pub(crate) group_commit: usize,
    /// What the first tenant is called.
    pub(crate) first_tenant: String,
    /// The currency that the first tenant reports in.
    pub(crate) first_currency: Currency,
    /// The address of the first administrator.
    pub(crate) first_email: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

impl Config {
    /// Reads the file, the environment and the command line.
    pub(crate) fn load(arguments: &ConfigArgs) -> Result<Self, ::config::ConfigError> {
        let defaults = [
            ("prepared_statements", "true"),
            ("bind", "127.0.0.1:8080"),
            ("data_dir", "data"),
            ("log", "info"),
            ("log_format", "text"),
            ("drain_seconds", "30"),
            ("maintenance_seconds", "3600"),
            ("document_max_bytes", "26214400"),
            ("document_types", "*"),
            ("document_orphan_seconds", "86400"),
            ("duty_milliseconds", "5000"),
            ("login_burst", "10"),
            ("group_commit", "512"),
            ("first_tenant", "default"),
            ("first_currency", "EUR"),
            ("first_email", "admin@localhost"),
        ];
        let mut builder = ::config::Config::builder();
        for (name, value) in defaults {
            builder = builder.set_default(name, value)?;
        }
        if let Some(file) = &arguments.config {
            builder = builder.add_source(::config::File::from(file.as_path()));
        }
        for (name, value) in environment() {
            builder = builder.set_override(name, value)?;
        }
        let path = |path: &PathBuf| path.to_string_lossy().into_owned();
        builder
            .set_override_option("database_url", arguments.database_url.clone())?
            .set_override_option("bind", arguments.bind.map(|bind| bind.to_string()))?
            .set_override_option("data_dir", arguments.data_dir.as_ref().map(path))?
            .build()?
            .try_deserialize()
    }

    /// The database, given or by default.
    pub(crate) fn database_url(&self) -> String {
        let default = || format!("sqlite://{}", self.data_dir.join("rapport.db").display());
        self.database_url.clone().unwrap_or_else(default)
    }

    /// How to open the store.
    pub(crate) fn store_options(&self) -> store::Options {
        let defaults = store::Options::new(self.database_url());
        store::Options {
            replica_url: self.database_replica_url.clone(),
            pool_size: self.database_pool.unwrap_or(defaults.pool_size),
            prepared_statements: self.prepared_statements,
            group_commit: self.group_commit.max(1),
            ..defaults
        }
    }

    /// Where and how the content of documents is kept.
    pub(crate) fn documents(&self) -> Result<Documents, String> {
        let location = match &self.documents_url {
            Some(url) => Location::parse(url).map_err(|error| error.to_string())?,
            None => Location::Folder(self.data_dir.join("documents")),
        };
        let types = self.document_types.parse();
        Ok(Documents {
            blobs: Blobs::open(&location).map_err(|error| error.to_string())?,
            max_bytes: self.document_max_bytes,
            types: types.map_err(|error: NoMediaType| format!("document_types: each {error}"))?,
            orphan_age: Duration::from_secs(self.document_orphan_seconds),
        })
    }

    /// Who may call, and how that is proved.
    pub(crate) fn auth_options(&self) -> Result<AuthOptions, String> {
        let url = self
            .public_url
            .clone()
            .unwrap_or_else(|| format!("http://{}", self.bind));
        let proxies = self.trusted_proxies.as_deref().unwrap_or_default();
        let proxies = proxies
            .split(',')
            .map(str::trim)
            .filter(|range| !range.is_empty())
            .map(str::parse);
        Ok(AuthOptions {
            trusted_proxies: proxies.collect::<Result<_, _>>()?,
            issuers: self.issuers.clone(),
            login_burst: self.login_burst,
            ..AuthOptions::new(url, self.keys())
        })
    }

    /// Where the signing keys are.
    pub(crate) fn keys(&self) -> PathBuf {
        self.data_dir.join("keys")
    }

    /// What a tenant may send.
    pub(crate) fn rate_limit(&self) -> Option<RateLimit> {
        let by_default = if self.bind.ip().is_loopback() { 0 } else { 100 };
        NonZeroU32::new(self.rate_per_second.unwrap_or(by_default)).map(RateLimit::new)
    }

    /// How long events are kept, if not for good.
    pub(crate) fn event_retention(&self) -> Option<chrono::Duration> {
        self.event_retention_days
            .map(|days| chrono::Duration::days(days.into()))
    }

    /// The settings as they may be shown: without passwords.
    pub(crate) fn redacted(&self) -> Self {
        Self {
            database_url: Some(without_password(&self.database_url())),
            database_replica_url: self.database_replica_url.as_deref().map(without_password),
            ..self.clone()
        }
    }
}

/// Every setting that can stand in the environment: `DATABASE_URL` and `DATABASE_REPLICA_URL` by these names, the
/// others with a prefix, as `RAPPORT_BIND`. Issuers are tables, and stand in the file.
const IN_ENVIRONMENT: &[&str] = &[
    "database_url",
    "database_replica_url",
    "database_pool",
    "prepared_statements",
    "bind",
    "data_dir",
    "log",
    "log_format",
    "workers",
    "drain_seconds",
    "event_retention_days",
    "maintenance_seconds",
    "documents_url",
    "document_max_bytes",
    "document_types",
    "document_orphan_seconds",
    "duty_milliseconds",
    "public_url",
    "trusted_proxies",
    "login_burst",
    "rate_per_second",
    "group_commit",
    "first_tenant",
    "first_currency",
    "first_email",
];

fn environment() -> impl Iterator<Item = (&'static str, String)> {
    IN_ENVIRONMENT.iter().filter_map(|setting| {
        let name = setting.to_uppercase();
        let is_of_any_program = name.starts_with("DATABASE_") && name.ends_with("URL");
        let name = if is_of_any_program {
            name
        } else {
            format!("RAPPORT_{name}")
        };
        std::env::var(name)
            .ok()
            .filter(|value| !value.is_empty())
            .map(|value| (*setting, value))
    })
}

fn without_password(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(mut parsed) if parsed.password().is_some() => match parsed.set_password(Some("redacted")) {
            Ok(()) => parsed.to_string(),
            Err(()) => "redacted".to_owned(),
        },
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_but_the_issuers_can_stand_in_the_environment() {
        let config = Config::load(&ConfigArgs::default()).unwrap();
        let json = serde_json::to_value(config).unwrap();
        let names: Vec<_> = json
            .as_object()
            .unwrap()
            .keys()
            .filter(|name| *name != "issuers")
            .collect();
        assert_eq!(names, IN_ENVIRONMENT);
    }

    #[test]
    fn a_password_is_never_shown() {
        assert_eq!(
            without_password("postgres://me:secret@host/db"),
            "postgres://me:redacted@host/db"
        );
        assert_eq!(without_password("sqlite://data/rapport.db"), "sqlite://data/rapport.db");
    }
}

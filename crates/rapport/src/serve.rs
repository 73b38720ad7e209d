//! `rapport serve`: opens the store, makes what is missing, greets the newcomer, and serves.

use crate::config::{Config, LogFormat};
use api::auth::Auth;
use api::auth::setup::{NewAdmin, NewTenant, bootstrap};
use api::cursor::CursorKey;
use api::{ServerOptions, State, duties, maintenance};
use domain::locale::TimeZone;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tracing_subscriber::EnvFilter;

/// Serves until a signal to stop.
pub(crate) async fn run(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    start_log(&config)?;
    tracing::info!(settings = %serde_json::to_string(&config.redacted())?, "starting");
    let metrics = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder()?;
    let store = Arc::new(Store::open(&config.store_options())?);
    let auth = Arc::new(Auth::open(config.auth_options()?)?);
    let first = bootstrap(&store, &auth.passwords, first_tenant(&config)).await?;
    let state = State {
        cursor_key: CursorKey::new(&auth.tokens.keys().refresh_seed()),
        store,
        documents: Arc::new(config.documents()?),
        auth,
        metrics,
        rate_limit: config.rate_limit().map(Arc::new),
        draining: Arc::default(),
    };
    maintenance::start(
        &state,
        Duration::from_secs(config.maintenance_seconds.max(1)),
        config.event_retention(),
    );
    duties::start(&state, Duration::from_millis(config.duty_milliseconds.max(10)));
    let options = ServerOptions {
        bind: config.bind,
        workers: config
            .workers
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(2, usize::from)),
        drain: Duration::from_secs(config.drain_seconds),
    };
    api::serve(state, options, |address| greet(address, &config, first.as_ref())).await?;
    tracing::info!("stopped");
    Ok(())
}

fn start_log(config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    let filter = EnvFilter::try_new(&config.log)?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    match config.log_format {
        LogFormat::Text => log.compact().init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}

fn first_tenant(config: &Config) -> NewTenant {
    NewTenant {
        name: config.first_tenant.clone(),
        currency: config.first_currency,
        time_zone: TimeZone::default(),
        require_if_match: false,
        admin_email: config.first_email.clone(),
    }
}

/// Says on standard output where the service is and how to begin.
fn greet(address: SocketAddr, config: &Config, first: Option<&NewAdmin>) {
    let url = format!("http://{address}");
    let token = match first {
        Some(NewAdmin { email, password, .. }) => format!(
            "TOKEN=$(curl -s {url}/v1/auth/login -H 'Content-Type: application/json' \
             -d '{{\"email\":\"{email}\",\"password\":\"{password}\"}}' | sed -E 's/.*\"access_token\":\"([^\"]+)\".*/\\1/')"
        ),
        None => format!("TOKEN=$({} token --role admin{})", program(), flags(config)),
    };
    let welcome = first.map_or_else(String::new, |NewAdmin { email, password, .. }| {
        format!("\nThe first administrator is {email}, with the password {password} (it is shown only now)\n")
    });
    let lines = format!(
        "Rapport serves on {url}, its documentation on {url}/docs\n{welcome}\n  {token}\n  \
         curl -s {url}/v1/customers -H \"Authorization: Bearer $TOKEN\"\n\n"
    );
    let mut out = std::io::stdout().lock();
    // Nobody may be reading; the service goes on all the same.
    drop(out.write_all(lines.as_bytes()).and_then(|()| out.flush()));
}

fn program() -> String {
    std::env::current_exe().map_or_else(|_| "rapport".to_owned(), |path| path.display().to_string())
}

/// What the token command needs to find this service's keys and database again.
fn flags(config: &Config) -> String {
    let folder = Some(&config.data_dir).filter(|folder| folder.as_os_str() != "data");
    let folder = folder.map(|folder| format!(" --data-dir '{}'", folder.display()));
    let url = config.redacted().database_url.filter(|_| config.database_url.is_some());
    let url = url.map(|url| format!(" --database-url '{url}'"));
    [folder, url].into_iter().flatten().collect()
}

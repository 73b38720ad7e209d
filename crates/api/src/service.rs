//! The routes, the middleware around them, and the server that runs them.

pub(crate) mod satisfaction;
pub(crate) mod tickets;

use crate::customer::{customers, documents};
use crate::endpoint::{Endpoint, endpoint};
use crate::interaction::interactions;
use crate::marketing::segments;
use crate::openapi::{generic_endpoints as resource, site};
use crate::sales::{opportunities, pipelines};
use crate::state::State;
use crate::{auth, guide, limits, observe, request_id, router};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use domain::customer::custom_fields::CustomField;
use domain::customer::notes::Note;
use domain::customer::relationships::Relationship;
use domain::interaction::appointments::Appointment;
use domain::interaction::tasks::Task;
use domain::operation::service_accounts::ServiceAccount;
use domain::operation::teams::Team;
use domain::operation::users::User;
use domain::sales::products::Product;
use domain::sales::stages::Stage;
use domain::service::business_hours::BusinessHours;
use domain::service::sla_policies::SlaPolicy;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

/// How the server listens.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Where to listen.
    pub bind: SocketAddr,
    /// Threads that serve.
    pub workers: usize,
    /// How long requests in flight may go on after the signal to stop.
    pub drain: Duration,
}

/// Every endpoint: what is served and what the API document says, in the order of the document.
pub(crate) static ENDPOINTS: LazyLock<Vec<Endpoint>> = LazyLock::new(endpoints);

fn endpoints() -> Vec<Endpoint> {
    let resources = [
        customers::endpoints(),
        resource::<Relationship>(),
        resource::<Note>(),
        documents::endpoints(),
        resource::<CustomField>(),
        interactions::endpoints(),
        resource::<Product>(),
        pipelines::endpoints(),
        resource::<Stage>(),
        opportunities::endpoints(),
        tickets::endpoints(),
        resource::<SlaPolicy>(),
        resource::<BusinessHours>(),
        resource::<Task>(),
        appointments(),
        segments::endpoints(),
        resource::<User>(),
        resource::<Team>(),
        resource::<ServiceAccount>(),
        auth::endpoints(),
        site::endpoints(),
        guide::endpoints(),
    ];
    let others = vec![
        endpoint!(crate::changes::list_changes),
        endpoint!(crate::limits::get_limits),
        endpoint!(crate::health::get_health),
        endpoint!(crate::health::get_readiness),
        endpoint!(crate::health::get_metrics),
        endpoint!(crate::problem_pages::list_problems),
        endpoint!(crate::problem_pages::get_problem),
        endpoint!(crate::openapi::site::get_openapi),
    ];
    resources.into_iter().chain([others]).flatten().collect()
}

/// What there is about appointments beyond the resource: free times, and calendars to subscribe to.
fn appointments() -> Vec<Endpoint> {
    let mut endpoints = resource::<Appointment>();
    endpoints.extend([
        endpoint!(crate::interaction::free_busy::get_free_busy),
        endpoint!(crate::interaction::calendar_feeds::create_calendar_feed),
        endpoint!(crate::interaction::calendar_feeds::list_calendar_feeds),
        endpoint!(crate::interaction::calendar_feeds::delete_calendar_feed),
        endpoint!(crate::interaction::calendar_feeds::get_calendar),
    ]);
    endpoints
}

/// Serves until a signal to stop; then takes no new work, ends what is in flight, and returns.
pub async fn serve(state: State, options: ServerOptions, on_bound: impl FnOnce(SocketAddr)) -> std::io::Result<()> {
    router::check().map_err(std::io::Error::other)?;
    let shared = state.clone();
    let server = HttpServer::new(move || {
        App::new()
            // Each worker counts by itself how many requests hold it, and need not tell the others.
            .app_data(web::Data::new(shared.clone()))
            .default_service(router::router())
            .wrap(from_fn(observe::request))
            .wrap(from_fn(request_id::assign))
    })
    .workers(options.workers)
    .client_request_timeout(limits::HEADER_DEADLINE)
    .keep_alive(limits::KEEP_ALIVE)
    .max_connections(10_000)
    .shutdown_timeout(options.drain.as_secs())
    .bind(options.bind)?;
    if let Some(address) = server.addrs().first() {
        on_bound(*address);
    }
    let server = server.disable_signals().run();
    let handle = server.handle();
    tokio::pin!(server);
    tokio::select! {
        result = &mut server => return result,
        () = stop_signal() => {}
    }
    state.draining.store(true, std::sync::atomic::Ordering::Relaxed);
    tracing::info!("stopping: ending what is in flight");
    let (result, ()) = tokio::join!(server, handle.stop(true));
    result
}

async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

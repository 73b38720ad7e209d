//! The routes, the middleware around them, and the server that runs them.

use crate::customer::customers;
use crate::problem::Problem;
use crate::resource::{on, resource};
use crate::sales::{opportunities, pipelines};
use crate::state::State;
use crate::{auth, changes, guide, health, limits, observe, problem_pages, request_id};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpResponse, HttpServer, web};
use domain::customer::relationships::Relationship;
use domain::operation::service_accounts::ServiceAccount;
use domain::operation::teams::Team;
use domain::operation::users::User;
use domain::sales::products::Product;
use domain::sales::stages::Stage;
use std::net::SocketAddr;
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

/// Mounts every route of the service.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::scope("/v1")
                .service(customers::routes())
                .service(resource::<Relationship>())
                .service(resource::<Product>())
                .service(pipelines::routes())
                .service(resource::<Stage>())
                .service(opportunities::routes())
                .service(resource::<User>().configure(auth::user_routes))
                .service(resource::<Team>())
                .service(resource::<ServiceAccount>().configure(auth::service_account_routes))
                .service(auth::routes())
                .service(on("/changes").route(web::get().to(changes::list_changes)))
                .service(on("/limits").route(web::get().to(limits::get_limits)))
                .default_service(web::to(not_found)),
        )
        .service(on("/healthz").route(web::get().to(health::get_health)))
        .service(on("/readyz").route(web::get().to(health::get_readiness)))
        .service(on("/metrics").route(web::get().to(health::get_metrics)))
        .configure(auth::well_known_routes)
        .configure(problem_pages::routes)
        .configure(guide::routes)
        .default_service(web::to(not_found));
}

async fn not_found() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found())
}

/// Serves until a signal to stop; then takes no new work, ends what is in flight, and returns.
pub async fn serve(state: State, options: ServerOptions, on_bound: impl FnOnce(SocketAddr)) -> std::io::Result<()> {
    // Meanwhile, so that the first phone number does not wait for the numbering plans inside a transaction.
    drop(tokio::task::spawn_blocking(domain::customer::phone_numbers::load));
    let data = web::Data::new(state.clone());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .configure(routes)
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

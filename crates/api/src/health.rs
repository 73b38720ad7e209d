//! Whether the service lives, is ready, and what it measures. These need no token and name no data.

use crate::problem::Problem;
use crate::state::State;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

/// How the service is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok` when it lives, `ready` when it can serve.
    #[schema(examples("ok"))]
    status: &'static str,
    /// The version of the service.
    #[schema(examples("0.1.0"))]
    version: &'static str,
}

const fn health(status: &'static str) -> Health {
    Health {
        status,
        version: env!("CARGO_PKG_VERSION"),
    }
}

/// Check whether the process lives.
#[utoipa::path(get, path = "/healthz", tag = "Operation", operation_id = "get_health",
    responses((status = 200, description = "The process lives", body = Health)), security(()))]
pub(crate) async fn get_health() -> HttpResponse {
    HttpResponse::Ok().json(health("ok"))
}

/// Check whether the service is ready.
///
/// The database answers and the service is not shutting down.
#[utoipa::path(get, path = "/readyz", tag = "Operation", operation_id = "get_readiness",
    responses((status = 200, description = "Ready to serve", body = Health), (status = 503, description = "Not ready", body = Problem, content_type = "application/problem+json")),
    security(()))]
pub(crate) async fn get_readiness(state: web::Data<State>) -> Result<HttpResponse, Problem> {
    if state.is_draining() {
        return Err(Problem::unavailable("the service is shutting down"));
    }
    state.store.ping().await?;
    Ok(HttpResponse::Ok().json(health("ready")))
}

/// Get the metrics.
///
/// Counters and histograms for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "Operation", operation_id = "get_metrics",
    responses((status = 200, description = "Metrics in the Prometheus text format", body = String, content_type = "text/plain")),
    security(()))]
pub(crate) async fn get_metrics(state: web::Data<State>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(state.metrics.render())
}

//! Whether the service lives, is ready, and what it measures. These need no token and name no data.

use crate::problem::Problem;
use crate::state::State;
use actix_web::{HttpResponse, web};
use serde_json::json;

/// `GET /healthz`: the process lives.
#[utoipa::path(get, path = "/healthz", tag = "Operation", operation_id = "get_health",
    summary = "Check whether the process lives",
    responses((status = 200, description = "The process lives", body = Object)), security(()))]
pub(crate) async fn get_health() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

/// `GET /readyz`: the database answers and the service is not shutting down.
#[utoipa::path(get, path = "/readyz", tag = "Operation", operation_id = "get_readiness",
    summary = "Check whether the service is ready",
    responses((status = 200, description = "Ready to serve", body = Object), (status = 503, description = "Not ready", body = Problem, content_type = "application/problem+json")),
    security(()))]
pub(crate) async fn get_readiness(state: web::Data<State>) -> Result<HttpResponse, Problem> {
    if state.is_draining() {
        return Err(Problem::unavailable("the service is shutting down"));
    }
    state.store.ping().await?;
    Ok(HttpResponse::Ok().json(json!({ "status": "ready" })))
}

/// `GET /metrics`: counters and histograms for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "Operation", operation_id = "get_metrics",
    summary = "Get the metrics",
    responses((status = 200, description = "Metrics in the Prometheus text format", body = String, content_type = "text/plain")),
    security(()))]
pub(crate) async fn get_metrics(state: web::Data<State>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(state.metrics.render())
}

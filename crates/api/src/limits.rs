//! The limits of the service, in one place, and published at `GET /v1/limits`.

use actix_web::HttpResponse;
use serde_json::json;
use std::time::Duration;

/// Bytes of a JSON body.
pub const BODY: usize = 256 * 1024;
/// Bytes of the body of a batch.
pub const BATCH_BODY: usize = 16 * 1024 * 1024;
/// Items of a batch.
pub const BATCH_ITEMS: usize = 1_000;
/// How long a body may take to arrive.
pub const BODY_DEADLINE: Duration = Duration::from_secs(30);
/// How long the headers of a request may take to arrive.
pub const HEADER_DEADLINE: Duration = Duration::from_secs(5);
/// How long an idle connection is kept.
pub const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Records on a page unless the client says otherwise.
pub const PAGE: i64 = 50;
/// Records on a page at most.
pub const MAX_PAGE: i64 = 500;
/// Records of a to-many relation that `include` embeds, over one page of a list.
pub const INCLUDED: usize = 1_000;
/// How long a long-poll of the change feed may wait.
pub const MAX_WAIT: Duration = Duration::from_secs(30);

/// The limit of the body for a path.
pub(crate) fn body_limit(path: &str) -> usize {
    if path.ends_with("/batch") { BATCH_BODY } else { BODY }
}

/// `GET /v1/limits`: every limit, for programs to read.
#[utoipa::path(get, path = "/v1/limits", tag = "Operation", operation_id = "get_limits",
    summary = "Get the limits",
    responses((status = 200, description = "Every limit of the service", body = Object)), security(()))]
pub async fn get_limits() -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "body_bytes": BODY,
        "batch_body_bytes": BATCH_BODY,
        "batch_items": BATCH_ITEMS,
        "json_depth": crate::strict_json::MAX_DEPTH,
        "body_seconds": BODY_DEADLINE.as_secs(),
        "header_seconds": HEADER_DEADLINE.as_secs(),
        "page_default": PAGE,
        "page_max": MAX_PAGE,
        "included_max": INCLUDED,
        "wait_seconds_max": MAX_WAIT.as_secs(),
        "rule_depth": 8,
        "rule_nodes": 200,
        "rule_aggregates": 10,
        "idempotency_hours": 24,
    }))
}

//! The limits of the service, in one place, and published at `GET /v1/limits`.

use crate::state::State;
use actix_web::{HttpResponse, web};
use domain::rule;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

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

/// Bytes a second at which the content of a document must arrive on the long run.
pub const UPLOAD_RATE: u64 = 16 * 1024;

/// How long content may take until the next of its bytes arrives, from when the first were awaited.
pub(crate) fn upload_deadline(received: u64) -> Duration {
    BODY_DEADLINE + Duration::from_secs(received / UPLOAD_RATE)
}

/// Whether what is sent or answered at a path streams, for as long as it goes on at a fair rate.
pub(crate) fn is_stream(path: &str) -> bool {
    path.starts_with("/v1/documents/") && (path.ends_with("/content") || path.ends_with("/upload"))
}

/// Every limit of the service.
#[derive(Debug, Serialize, ToSchema)]
pub struct Limits {
    /// Bytes of a JSON body.
    #[schema(examples(262_144))]
    body_bytes: usize,
    /// Bytes of the body of a batch.
    #[schema(examples(16_777_216))]
    batch_body_bytes: usize,
    /// Bytes of the content of a document.
    #[schema(examples(26_214_400))]
    document_bytes: u64,
    /// Bytes a second at which the content of a document must arrive on the long run, after the first `body_seconds`.
    #[schema(examples(16_384))]
    document_bytes_per_second: u64,
    /// Items of a batch.
    #[schema(examples(1000))]
    batch_items: usize,
    /// Levels of nesting in a body.
    #[schema(examples(32))]
    json_depth: usize,
    /// Seconds that a body may take to arrive.
    #[schema(examples(30))]
    body_seconds: u64,
    /// Seconds that the headers may take to arrive.
    #[schema(examples(5))]
    header_seconds: u64,
    /// Records on a page unless the client says otherwise.
    #[schema(examples(50))]
    page_default: i64,
    /// Records on a page at most.
    #[schema(examples(500))]
    page_max: i64,
    /// Records of a to-many relation that `include` embeds, over one page.
    #[schema(examples(1000))]
    included_max: usize,
    /// Seconds that a request to the change feed may wait.
    #[schema(examples(30))]
    wait_seconds_max: u64,
    /// Levels of a rule.
    #[schema(examples(8))]
    rule_depth: usize,
    /// Nodes of a rule.
    #[schema(examples(200))]
    rule_nodes: usize,
    /// Nodes of a rule that look at related records.
    #[schema(examples(10))]
    rule_aggregates: usize,
    /// Hours for which the answer to an Idempotency-Key is kept.
    #[schema(examples(24))]
    idempotency_hours: u64,
}

/// Get the limits.
///
/// Every limit, for programs to read.
#[utoipa::path(get, path = "/v1/limits", tag = "Operation", operation_id = "get_limits",
    responses((status = 200, description = "Every limit of the service", body = Limits)), security(()))]
pub async fn get_limits(state: web::Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(Limits {
        body_bytes: BODY,
        batch_body_bytes: BATCH_BODY,
        document_bytes: state.documents.max_bytes,
        document_bytes_per_second: UPLOAD_RATE,
        batch_items: BATCH_ITEMS,
        json_depth: crate::strict_json::MAX_DEPTH,
        body_seconds: BODY_DEADLINE.as_secs(),
        header_seconds: HEADER_DEADLINE.as_secs(),
        page_default: PAGE,
        page_max: MAX_PAGE,
        included_max: INCLUDED,
        wait_seconds_max: MAX_WAIT.as_secs(),
        rule_depth: rule::MOST_DEPTH,
        rule_nodes: rule::MOST_NODES,
        rule_aggregates: rule::MOST_RELATED,
        idempotency_hours: 24,
    })
}

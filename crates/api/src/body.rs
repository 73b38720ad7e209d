//! Reads a JSON body within its limits of size and time.

use crate::limits;
use crate::problem::Problem;
use crate::strict_json;
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::BytesMut;
use futures_util::StreamExt;
use serde_json::Value;

/// The body as JSON; null when there is none.
pub(crate) async fn read(request: &HttpRequest, payload: Payload) -> Result<Value, Problem> {
    let bytes = read_bytes(request, payload).await?;
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    if !is_json(request) {
        return Err(Problem::new(
            "unsupported_media_type",
            "the body must be application/json",
        ));
    }
    let value = strict_json::parse(&bytes).map_err(|fault| Problem::new("malformed_request", fault))?;
    if value.is_null() {
        Err(Problem::new("malformed_request", "the body must not be null"))
    } else {
        Ok(value)
    }
}

/// The body as it came.
pub(crate) async fn read_bytes(request: &HttpRequest, payload: Payload) -> Result<BytesMut, Problem> {
    let limit = limits::body_limit(request.path());
    let read = tokio::time::timeout(limits::BODY_DEADLINE, collect(payload, limit));
    read.await
        .map_err(|_| Problem::new("request_timeout", "the body took too long to arrive"))?
}

async fn collect(mut payload: Payload, limit: usize) -> Result<BytesMut, Problem> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::new("malformed_request", "the body broke off"))?;
        if bytes.len() + chunk.len() > limit {
            return Err(Problem::new(
                "body_too_large",
                format!("the body may have {limit} bytes"),
            ));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn is_json(request: &HttpRequest) -> bool {
    let media_type = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    ["application/json", "application/merge-patch+json"]
        .iter()
        .any(|json| essence.eq_ignore_ascii_case(json))
}

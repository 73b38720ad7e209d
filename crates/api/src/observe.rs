//! What surrounds every request: its log line and metrics, its deadline, and a problem document for
//! whatever went wrong outside a handler. Nothing personal is logged: the route, never the path.

use crate::limits;
use crate::problem::Problem;
use crate::rate_limit::Remaining;
use crate::router::MatchedPath;
use crate::{request_id, request_metrics};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::CONTENT_TYPE;
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, ResponseError};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

/// How long a request may take in all, with its body and its wait for changes.
const HARD_DEADLINE: Duration = Duration::from_secs(75);

/// Middleware around every request.
pub(crate) async fn request(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let method = request.method().clone();
    if method == Method::HEAD {
        // HEAD is GET without the body (RFC 9110 section 9.3.2); the codec leaves the body out.
        request.head_mut().method = Method::GET;
    }
    // What streams has a deadline of its own, by what has arrived.
    let deadline = (!limits::is_stream(request.path())).then_some(HARD_DEADLINE);
    let deadline = deadline.unwrap_or(Duration::from_hours(24));
    let work = AssertUnwindSafe(tokio::time::timeout(deadline, next.call(request))).catch_unwind();
    // The request must not be held while it is routed, so what fails here has no route to be counted under.
    let mut response = match work.await {
        Ok(Ok(response)) => as_problem(response?.map_into_boxed_body()),
        Ok(Err(_)) => return Err(Problem::unavailable("the request took too long").into()),
        Err(_) => return Err(Problem::internal("a handler panicked").into()),
    };
    let remaining = response.request().extensions().get::<Remaining>().copied();
    if let Some(remaining) = remaining {
        remaining.write(response.response_mut().headers_mut());
    }
    let matched = response.request().extensions().get::<MatchedPath>().copied();
    let route = matched.map_or("none", |matched| matched.0);
    let (status, seconds) = (response.status(), started.elapsed().as_secs_f64());
    request_metrics::count(&method, route, status, seconds);
    tracing::info!(
        request_id = request_id::current().as_deref(),
        %method,
        route,
        status = status.as_u16(),
        milliseconds = (seconds * 100_000.0).round() / 100.0,
        "request"
    );
    Ok(response)
}

/// Gives a problem document to the answers that the framework makes by itself: 404, 400, 408, 413.
fn as_problem(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let status = response.status();
    let is_problem = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/"));
    if is_problem || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let problem = match status {
        StatusCode::NOT_FOUND => Problem::not_found(),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new("body_too_large", "the body is too large"),
        StatusCode::REQUEST_TIMEOUT => Problem::new("request_timeout", "the request took too long to arrive"),
        status if status.is_client_error() => Problem::new("malformed_request", "the request cannot be read"),
        _ => Problem::internal("an answer without a cause"),
    };
    ServiceResponse::new(response.into_parts().0, problem.error_response())
}

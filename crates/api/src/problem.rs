//! Every way in which a request can fail, as a problem document (RFC 9457).
//!
//! [`PROBLEMS`] is the one table of codes; each `type` leads to the page that explains it.

mod kinds;

pub use kinds::{PROBLEMS, ProblemKind};

use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{StatusCode, Uri};
use actix_web::{HttpResponse, ResponseError};
use domain::customer::duplicates::DuplicateCandidate;
use domain::{Fault, Refusal};
use serde::Serialize;
use serde_json::Value;
use sql::ids::RecordId;
use std::fmt;
use utoipa::ToSchema;

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Problem {
    /// The page that explains this kind of problem.
    #[serde(rename = "type")]
    #[schema(examples("/problems/invalid"))]
    type_url: String,
    /// What it is, in a few words.
    title: String,
    /// The HTTP status.
    #[schema(value_type = u16, minimum = 400, maximum = 599)]
    status: u16,
    /// What happened this time.
    detail: String,
    /// The stable code, for programs.
    #[schema(examples("invalid"))]
    code: String,
    /// Names the request in the service's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    request_id: Option<String>,
    /// Every fault of the input.
    errors: Vec<Fault>,
    /// With 412, the record as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, nullable = false)]
    current: Option<Value>,
    /// With the code `duplicate`, who may be the same, the most alike first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    candidates: Vec<DuplicateCandidate>,
    /// With the code `merged`, the customer that goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<uuid::Uuid>, nullable = false)]
    merged_into_id: Option<RecordId>,
    /// With errors of OAuth 2.0, its error code (RFC 6749 section 5.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<&'static str>,
    /// With errors of OAuth 2.0, what happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error_description: Option<String>,
    #[serde(skip)]
    headers: Vec<(header::HeaderName, String)>,
}

/// Where a customer has gone.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CustomerMoved {
    /// The customer that goes on.
    #[schema(value_type = uuid::Uuid)]
    merged_into_id: RecordId,
}

impl Problem {
    /// A problem of a kind of [`PROBLEMS`].
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        let fallback = || PROBLEMS.iter().find(|kind| kind.status == 409);
        let kind = PROBLEMS.iter().find(|kind| kind.code == code).or_else(fallback);
        let (page, status, title) =
            kind.map_or(("internal_error", 500, ""), |kind| (kind.code, kind.status, kind.title));
        Self {
            type_url: format!("/problems/{page}"),
            title: title.to_owned(),
            status,
            detail: detail.into(),
            code: code.to_owned(),
            request_id: None,
            errors: Vec::new(),
            current: None,
            candidates: Vec::new(),
            merged_into_id: None,
            error: None,
            error_description: None,
            headers: Vec::new(),
        }
    }

    /// Faults of the body: 422.
    pub fn invalid(faults: Vec<Fault>) -> Self {
        Self::new("invalid", counted(&faults)).with_errors(faults)
    }

    /// Faults of query parameters or headers: 400.
    pub fn invalid_parameters(faults: Vec<Fault>) -> Self {
        Self::new("invalid_parameter", counted(&faults)).with_errors(faults)
    }

    /// One fault of a query parameter: 400.
    pub fn parameter(name: &str, code: &str, message: impl Into<String>) -> Self {
        Self::invalid_parameters(vec![Fault::new(format!("?{name}"), code, message)])
    }

    /// Not found, or not to be seen: 404.
    pub fn not_found() -> Self {
        Self::new("not_found", "there is no such resource")
    }

    /// No or no valid credentials: 401, with the challenge of RFC 6750.
    pub fn unauthorized(error: Option<&str>, detail: impl Into<String>) -> Self {
        let challenge = match error {
            Some(error) => format!("Bearer realm=\"rapport\", error=\"{error}\""),
            None => "Bearer realm=\"rapport\"".to_owned(),
        };
        Self::new("unauthorized", detail).with_header(header::WWW_AUTHENTICATE, challenge)
    }

    /// The scope that is missing: 403.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new("forbidden", detail)
    }

    /// Repeat later: 503.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new("unavailable", detail).retry_after(1)
    }

    /// After how many seconds to repeat.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.with_header(header::RETRY_AFTER, seconds.to_string())
    }

    /// With faults.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<Fault>) -> Self {
        self.errors = errors;
        self
    }

    /// With a header of the answer.
    #[must_use]
    pub fn with_header(mut self, name: header::HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With the members of an OAuth 2.0 error (RFC 6749 section 5.2).
    #[must_use]
    pub fn with_oauth_error(mut self, status: u16, error: &'static str) -> Self {
        self.status = status;
        self.error = Some(error);
        self.error_description = Some(self.detail.clone());
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The faults.
    pub fn errors(&self) -> &[Fault] {
        &self.errors
    }

    fn merged(into: RecordId) -> Self {
        let mut problem = Self::new("merged", "the customer was merged into another one");
        problem.merged_into_id = Some(into);
        problem
    }

    /// Not a problem for who follows it: what was asked for is at the same place of the customer that goes on.
    pub fn moved(asked: &Uri, from: RecordId, into: RecordId) -> Self {
        let segment = |segment: &str| match segment.parse() {
            Ok(id) if from == id => into.to_string(),
            _ => segment.to_owned(),
        };
        let path: Vec<String> = asked.path().split('/').map(segment).collect();
        let query = asked.query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut moved = Self::merged(into).with_header(header::LOCATION, path.join("/") + &query);
        moved.status = StatusCode::MOVED_PERMANENTLY.as_u16();
        moved
    }

    fn stale(current: Value, version: i64) -> Self {
        let mut problem = Self::new("version_mismatch", format!("the record is at version {version}"))
            .with_header(header::ETAG, format!("\"{version}\""));
        problem.current = Some(current);
        problem
    }
}

fn counted(faults: &[Fault]) -> String {
    match faults {
        [one] if one.pointer.is_empty() => format!("the body {}", one.message),
        [one] => format!("{} {}", one.pointer, one.message),
        _ => format!("{} faults", faults.len()),
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        use store::Error;
        match error {
            Error::NotFound => Self::not_found(),
            Error::Refused(refusal) => refusal.into(),
            Error::Stale { current, version } => Self::stale(*current, version),
            Error::Duplicate(candidates) => {
                let names: Vec<&str> = candidates.iter().map(|candidate| candidate.name.as_str()).collect();
                let detail = format!("may be the same as {}", names.join(", "));
                Self {
                    candidates,
                    ..Self::new("duplicate", detail)
                }
            }
            Error::Merged { into, .. } => Self::merged(into),
            Error::VersionRequired => Self::new("version_required", "send If-Match with the record's ETag"),
            Error::CursorExpired => Self::new("cursor_expired", "the events after this cursor are no longer kept"),
            Error::KeyReused => Self::new(
                "idempotency_key_reused",
                "this Idempotency-Key was used for another request",
            ),
            Error::KeyInUse => Self::new(
                "request_in_progress",
                "the first request with this key is still running",
            )
            .retry_after(1),
            Error::BatchFailed(items) => Self::of_batch(items),
            Error::Overloaded => Self::unavailable("too much is waiting already"),
            Error::Unavailable(cause) => {
                tracing::warn!(%cause, "the database is unavailable");
                Self::unavailable("the database cannot be reached or is full")
            }
            Error::Blobs(cause) => {
                tracing::warn!(%cause, "the store of documents is unavailable");
                Self::unavailable("the store of documents cannot be reached or is full")
            }
            error if error.is_timeout() => {
                tracing::warn!(%error, "a statement took too long");
                Self::unavailable("the database took too long")
            }
            error if error.is_transient() => Self::unavailable("too many write the same records at once"),
            Error::Schema(cause) | Error::Internal(cause) => Self::internal(&cause),
            Error::Database(error) => Self::internal(&error.to_string()),
        }
    }
}

impl Problem {
    /// Something that should not happen: the cause is logged, the client is told nothing of it.
    pub fn internal(cause: &str) -> Self {
        tracing::error!(cause, "a request failed");
        Self::new("internal_error", "the request could not be served")
    }

    fn of_batch(items: Vec<(usize, store::Error)>) -> Self {
        let mut faults = Vec::new();
        for (index, error) in items {
            let problem = Self::from(error);
            let prefix = format!("/items/{index}");
            if problem.errors.is_empty() {
                faults.push(Fault::new(prefix, &problem.code, problem.detail));
            } else {
                faults.extend(problem.errors.into_iter().map(|fault| fault.under(&prefix)));
            }
        }
        Self::invalid(faults)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Invalid(faults) => Self::invalid(faults),
            Refusal::Conflict { code, detail } => Self::new(code, detail),
            Refusal::Forbidden(detail) => Self::forbidden(detail),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        for (name, value) in &self.headers {
            response.append_header((name.clone(), value.as_str()));
        }
        if let (StatusCode::MOVED_PERMANENTLY, Some(merged_into_id)) = (self.status_code(), self.merged_into_id) {
            return response.json(CustomerMoved { merged_into_id });
        }
        let mut body = serde_json::to_value(self).unwrap_or_default();
        if let (Value::Object(members), Some(id)) = (&mut body, crate::request_id::current()) {
            members.insert("request_id".to_owned(), Value::String(id.to_string()));
        }
        response
            .insert_header((
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/problem+json"),
            ))
            .body(body.to_string())
    }
}

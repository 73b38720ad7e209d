//! The ways to fail, added to every operation by rule.

use super::components::{Components, Form};
use super::parameters::header;
use crate::problem::{CustomerMoved, PROBLEMS, Problem};
use serde_json::{Map, Value, json};

/// The responses that operations refer to, one a status: made from the one table of problems.
pub(super) fn shared() -> Value {
    let mut responses = Map::new();
    for status in PROBLEMS.iter().map(|problem| problem.status) {
        responses.entry(name(status)).or_insert_with(|| response(status));
    }
    Value::Object(responses)
}

const fn name(status: u16) -> &'static str {
    match status {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        406 => "NotAcceptable",
        408 => "RequestTimeout",
        409 => "Conflict",
        410 => "Gone",
        412 => "PreconditionFailed",
        413 => "ContentTooLarge",
        415 => "UnsupportedMediaType",
        416 => "RangeNotSatisfiable",
        422 => "Invalid",
        428 => "PreconditionRequired",
        429 => "TooManyRequests",
        503 => "Unavailable",
        _ => "InternalError",
    }
}

fn response(status: u16) -> Value {
    let kinds: Vec<_> = PROBLEMS.iter().filter(|problem| problem.status == status).collect();
    let description: Vec<_> = kinds
        .iter()
        .map(|problem| format!("{} (`{}`). {}", problem.title, problem.code, problem.advice))
        .collect();
    let examples: Map<String, Value> = kinds
        .iter()
        .map(|problem| {
            let value = json!({
                "type": format!("/problems/{}", problem.code), "title": problem.title, "status": status,
                "detail": problem.title, "code": problem.code, "request_id": super::samples::ID, "errors": [],
            });
            (problem.code.to_owned(), json!({ "value": value }))
        })
        .collect();
    let mut headers = json!({ "X-Request-Id": header("RequestId") });
    match status {
        401 => headers["WWW-Authenticate"] = header("Challenge"),
        405 => headers["Allow"] = header("Allow"),
        429 => {
            headers["Retry-After"] = header("RetryAfter");
            headers["RateLimit"] = header("RateLimit");
            headers["RateLimit-Policy"] = header("RateLimitPolicy");
        }
        416 => headers["Content-Range"] = header("ContentRange"),
        409 | 503 => headers["Retry-After"] = header("RetryAfter"),
        412 => headers["ETag"] = header("ETag"),
        _ => {}
    }
    json!({
        "description": description.join("\n\n"),
        "headers": headers,
        "content": { "application/problem+json": {
            "schema": { "$ref": "#/components/schemas/Problem" }, "examples": examples,
        }},
    })
}

/// Adds that the id of a customer may lead to another one.
pub(super) fn add_redirect(operation: &mut Value, components: &mut Components) {
    let schema = components.of::<CustomerMoved>(Form::Sent);
    let schema = super::components::reference(&schema);
    operation["responses"]["301"] = json!({
        "description": "The customer was merged into another one, which has what was asked for.",
        "headers": { "Location": header("MovedTo") },
        "content": { "application/json": { "example": super::samples::sent(components, &schema), "schema": schema } },
    });
}

/// Adds the failures that an operation can have, and the request id to its parameters and answers.
pub(super) fn add(operation: &mut Value, components: &mut Components) {
    components.of::<Problem>(Form::Sent);
    let is_public = operation["security"]
        .as_array()
        .is_some_and(|ways| ways.contains(&json!({})));
    let has_body = operation["requestBody"].is_object();
    let parameters: Vec<String> = operation["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|parameter| format!("{} {}", parameter["$ref"], parameter["in"]))
        .collect();
    let takes = |name: &str| parameters.iter().any(|parameter| parameter.contains(name));
    let by_path = takes("/Id\"") || takes("/System\"") || takes("\"path\"");
    let rules = [
        (&[400][..], !is_public || has_body || !parameters.is_empty()),
        (&[401, 403], !is_public),
        (&[404], by_path),
        (&[409, 422], takes("IdempotencyKey")),
        (&[412, 428], takes("IfMatch")),
        (&[408, 413, 415, 422], has_body),
        (&[429, 500, 503], !is_public || has_body),
    ];
    let statuses = rules
        .iter()
        .filter(|(_, applies)| *applies)
        .flat_map(|(statuses, _)| *statuses);
    let mut responses = std::mem::take(&mut operation["responses"])
        .as_object()
        .cloned()
        .unwrap_or_default();
    let shared = |status: u16| json!({ "$ref": format!("#/components/responses/{}", name(status)) });
    for (status, response) in &mut responses {
        match status.parse() {
            // A failure that says nothing of its body is the one that all have.
            Ok(status) if status >= 400 && response["content"].is_null() => *response = shared(status),
            _ => {
                response["headers"]["X-Request-Id"] = header("RequestId");
                if !is_public {
                    response["headers"]["RateLimit"] = header("RateLimit");
                    response["headers"]["RateLimit-Policy"] = header("RateLimitPolicy");
                }
            }
        }
    }
    for status in statuses {
        responses.entry(status.to_string()).or_insert_with(|| shared(*status));
    }
    responses.sort_keys();
    operation["responses"] = Value::Object(responses);
    let mut all = operation["parameters"].as_array().cloned().unwrap_or_default();
    all.push(super::parameters::parameter("RequestId"));
    operation["parameters"] = all.into();
}

//! The kinds of failure: code, status and what to do about each. One table, which the pages and the API document tell too.

/// One kind of failure.
#[derive(Debug)]
pub struct ProblemKind {
    /// The stable code.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What it is, in a few words.
    pub title: &'static str,
    /// What to do about it.
    pub advice: &'static str,
}

const fn kind(code: &'static str, status: u16, title: &'static str, advice: &'static str) -> ProblemKind {
    ProblemKind {
        code,
        status,
        title,
        advice,
    }
}

/// The kinds of failure, by status.
pub const PROBLEMS: &[ProblemKind] = &[
    kind(
        "malformed_request",
        400,
        "The request is malformed",
        "Send JSON (RFC 8259) in UTF-8 without duplicate names or U+0000, and headers as documented.",
    ),
    kind(
        "invalid_parameter",
        400,
        "A parameter is not valid",
        "Each entry of `errors` names the parameter. Unknown parameters are refused, not ignored.",
    ),
    kind(
        "unauthorized",
        401,
        "Authentication is needed",
        "Send `Authorization: Bearer <access token>`; get one at `/v1/auth/login` or `/v1/auth/token`.",
    ),
    kind(
        "invalid_credentials",
        401,
        "The e-mail address, password or tenant is wrong",
        "Which one is not told. After some failures further attempts must wait `Retry-After` seconds.",
    ),
    kind(
        "invalid_client",
        401,
        "The client is not known",
        "Send the id of a service account and one of its secrets, as HTTP Basic or in the form (RFC 6749 section 2.3.1).",
    ),
    kind(
        "invalid_grant",
        400,
        "The refresh token is not valid",
        "Log in again. A refresh token is used once; one that comes a second time ends its session.",
    ),
    kind(
        "invalid_scope",
        400,
        "The scope is not valid",
        "Ask for scopes of this service that the role, or the session, includes.",
    ),
    kind(
        "unsupported_grant_type",
        400,
        "The grant type is not supported",
        "Use `client_credentials` or `refresh_token`; people log in at `/v1/auth/login`.",
    ),
    kind(
        "unsupported_token_type",
        400,
        "Tokens of this type cannot be revoked",
        "The access tokens of a service account end when its secret is revoked, and after ten minutes by themselves.",
    ),
    kind(
        "forbidden",
        403,
        "Not permitted",
        "The caller's role or token does not include the scope that `detail` names.",
    ),
    kind(
        "not_found",
        404,
        "Not found",
        "There is no such resource, or the caller may not see it.",
    ),
    kind(
        "method_not_allowed",
        405,
        "Method not allowed",
        "The `Allow` header lists the methods of this resource.",
    ),
    kind("not_acceptable", 406, "Not acceptable", "This service answers in JSON."),
    kind(
        "request_timeout",
        408,
        "The request took too long to arrive",
        "Send the whole request within 30 seconds.",
    ),
    kind(
        "conflict",
        409,
        "In conflict with the present state",
        "`code` says which rule; reload the record and decide again.",
    ),
    kind(
        "duplicate",
        409,
        "There seems to be such a record already",
        "`candidates` names those that may be the same, with reasons. Change one of them, or repeat with `allow_duplicates=true`.",
    ),
    kind(
        "merged",
        409,
        "The customer was merged into another one",
        "`merged_into_id` names the one that goes on: look at it, and send what you want of it there.",
    ),
    kind(
        "request_in_progress",
        409,
        "The first request with this key is still running",
        "Repeat after `Retry-After` seconds with the same Idempotency-Key.",
    ),
    kind(
        "cursor_expired",
        410,
        "The cursor has expired",
        "What it pointed at is no longer kept. Start again: load everything by lists, then follow the feed from its present end.",
    ),
    kind(
        "link_expired",
        410,
        "The link has expired",
        "Ask whoever sent it for another one.",
    ),
    kind(
        "version_mismatch",
        412,
        "The record has changed",
        "`current` is the record as it is now; apply the change to it and send its ETag.",
    ),
    kind(
        "body_too_large",
        413,
        "The body is too large",
        "`/v1/limits` lists the limits; use batches or imports for more.",
    ),
    kind(
        "unsupported_media_type",
        415,
        "Unsupported media type",
        "Send JSON as `application/json`; the content of a document as one of the types that this service takes.",
    ),
    kind(
        "range_not_satisfiable",
        416,
        "The range lies outside the content",
        "`Content-Range` tells how many bytes there are.",
    ),
    kind(
        "invalid",
        422,
        "The input is not valid",
        "Each entry of `errors` points to one fault; nothing was kept.",
    ),
    kind(
        "idempotency_key_reused",
        422,
        "The Idempotency-Key was used for another request",
        "Use a new key for a new request.",
    ),
    kind(
        "version_required",
        428,
        "The version must be named",
        "This tenant demands `If-Match` with the ETag of the record on every change.",
    ),
    kind(
        "too_many_requests",
        429,
        "Too many requests",
        "Wait `Retry-After` seconds.",
    ),
    kind(
        "internal_error",
        500,
        "Internal error",
        "It is logged under `request_id`. Repeating the request with an Idempotency-Key is safe.",
    ),
    kind(
        "unavailable",
        503,
        "Temporarily unavailable",
        "Repeat after `Retry-After` seconds.",
    ),
];

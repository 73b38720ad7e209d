//! `If-Match` and `If-None-Match` (RFC 9110 section 13): the `ETag` of a record is its version.

use crate::problem::Problem;
use actix_web::http::header::{HeaderMap, IF_MATCH, IF_NONE_MATCH};
use store::records::Expected;

/// The `ETag` of a version.
pub(crate) fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// What If-Match expects of the record.
pub(crate) fn expected_version(headers: &HeaderMap) -> Result<Expected, Problem> {
    let Some(value) = headers.get(IF_MATCH) else {
        return Ok(Expected::Unstated);
    };
    let fault = || Problem::parameter("If-Match", "invalid_value", "must be an entity tag such as \"7\", or *");
    expected(value.to_str().map_err(|_| fault())?).ok_or_else(fault)
}

/// Reads an If-Match value, from the header or from an item of a batch. None when it is malformed.
pub(crate) fn expected(text: &str) -> Option<Expected> {
    if text.trim() == "*" {
        return Some(Expected::Any);
    }
    let mut versions = Vec::new();
    for tag in text.split(',').map(str::trim) {
        let is_number = !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_digit());
        let is_tag = tag
            .trim_start_matches("W/")
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        match is_tag {
            // A weak tag never matches strongly (RFC 9110 section 13.1.1), nor does a tag that is no version.
            Some(inner) => versions.extend(inner.parse::<i64>().ok().filter(|_| !tag.starts_with("W/"))),
            None if is_number => versions.extend(tag.parse::<i64>().ok()),
            None => return None,
        }
    }
    Some(Expected::OneOf(versions))
}

/// The contents that If-Match names: entity tags that are a SHA-256 in hexadecimal, as documents have.
pub(crate) fn expected_contents(headers: &HeaderMap) -> Vec<String> {
    let named = headers
        .get(IF_MATCH)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let tags = named.split(',').map(str::trim);
    let quoted = tags.filter_map(|tag| tag.strip_prefix('"')?.strip_suffix('"'));
    let is_hash = |tag: &&str| tag.len() == 64 && tag.bytes().all(|byte| byte.is_ascii_hexdigit());
    quoted.filter(is_hash).map(str::to_owned).collect()
}

/// Whether the client has this version already.
pub(crate) fn is_known(headers: &HeaderMap, version: i64) -> bool {
    is_known_tag(headers, &etag(version))
}

/// Whether the client has already what has this `ETag`.
pub(crate) fn is_known_tag(headers: &HeaderMap, current: &str) -> bool {
    let Some(value) = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    value
        .split(',')
        .map(str::trim)
        .any(|tag| tag == "*" || tag.trim_start_matches("W/") == current)
}

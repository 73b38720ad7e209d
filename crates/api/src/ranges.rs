//! Range requests (RFC 9110 section 14): which part of some content a client wants.

use actix_web::http::header::{self, HeaderMap};
use std::ops::Range;

/// What of the content is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it.
    Whole,
    /// The bytes from one to before another.
    Part(Range<u64>),
    /// Bytes that there are not.
    Nothing,
}

/// What a request wants of content with this `ETag` and size. More than one range at once is answered with the whole,
/// as is a range of content that has changed.
pub(crate) fn wanted(headers: &HeaderMap, etag: &str, size: u64) -> Wanted {
    let has_changed = |condition: &header::HeaderValue| condition.as_bytes() != etag.as_bytes();
    if headers.get(header::IF_RANGE).is_some_and(has_changed) {
        return Wanted::Whole;
    }
    let range = headers
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    match range {
        Some(header::Range::Bytes(ranges)) if ranges.len() == 1 => {
            let bytes = ranges.first().and_then(|range| range.to_satisfiable_range(size));
            bytes.map_or(Wanted::Nothing, |(first, last)| Wanted::Part(first..last + 1))
        }
        _ => Wanted::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_range_is_a_part_of_what_there_is() {
        for (range, expected) in [
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=2-5", Wanted::Part(2..6)),
            ("bytes=8-", Wanted::Part(8..10)),
            ("bytes=8-99", Wanted::Part(8..10)),
            ("bytes=-3", Wanted::Part(7..10)),
            ("bytes=-99", Wanted::Part(0..10)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=0-1,4-5", Wanted::Whole),
            ("bytes=5-2", Wanted::Whole),
            ("lines=1-2", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("", Wanted::Whole),
        ] {
            let request = TestRequest::default().insert_header(("Range", range)).to_http_request();
            assert_eq!(wanted(request.headers(), "\"x\"", 10), expected, "{range}");
        }
    }

    #[test]
    fn a_range_of_other_content_is_the_whole() {
        for (if_range, expected) in [
            ("\"x\"", Wanted::Part(0..1)),
            ("W/\"x\"", Wanted::Whole),
            ("\"y\"", Wanted::Whole),
            ("Sat, 31 Jan 2026 09:30:00 GMT", Wanted::Whole),
        ] {
            let request = TestRequest::default().insert_header(("Range", "bytes=0-0"));
            let request = request.insert_header(("If-Range", if_range)).to_http_request();
            assert_eq!(wanted(request.headers(), "\"x\"", 10), expected, "{if_range}");
        }
    }
}

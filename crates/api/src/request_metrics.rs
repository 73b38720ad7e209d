//! How many requests there were, and what time they took: by method, route and status, none of which a client can make up.

use actix_web::http::{Method, StatusCode};
use metrics::{Counter, Histogram, counter, histogram};
use std::cell::RefCell;
use std::collections::HashMap;

/// Methods that are told apart. Of others there could be any number.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Where requests of a method and a route are counted that had the same status.
struct Series {
    requests: Counter,
    seconds: Histogram,
}

thread_local! {
    /// Those that this thread has counted in: to find one anew takes several times as long as to count.
    static SERIES: RefCell<HashMap<(&'static str, &'static str, u16), Series>> = RefCell::default();
}

/// Counts a request that was answered.
pub(crate) fn count(method: &Method, route: &'static str, status: StatusCode, seconds: f64) {
    let known = METHODS.into_iter().find(|known| method.as_str() == *known);
    let (method, status) = (known.unwrap_or("other"), status.as_u16());
    SERIES.with_borrow_mut(|series| {
        let series = series.entry((method, route, status)).or_insert_with(|| Series {
            requests: counter!("rapport_http_requests_total",
                "method" => method, "route" => route, "status" => status.to_string()),
            seconds: histogram!("rapport_http_request_seconds", "method" => method, "route" => route),
        });
        series.requests.increment(1);
        series.seconds.record(seconds);
    });
}

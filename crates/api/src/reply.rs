//! Answers that carry a record.

use crate::preconditions::etag;
use domain::Record;
use store::Error;
use store::idempotency::{Header, Reply};
use store::records::Outcome;

/// Where a record is found.
pub(crate) fn location<R: Record>(record: &R) -> String {
    format!("/v1/{}/{}", R::KIND.plural(), record.meta().id)
}

/// A record, with its `ETag`; when it is new, also its `Location`.
pub(crate) fn of_record<R: Record>(record: &R, outcome: Outcome) -> Result<Reply, Error> {
    let created = outcome == Outcome::Created;
    let mut headers = vec![Header("ETag".to_owned(), etag(record.meta().version))];
    if created {
        headers.push(Header("Location".to_owned(), location(record)));
    }
    let body = serde_json::to_string(record)?;
    Ok(Reply {
        status: if created { 201 } else { 200 },
        headers,
        body,
        replayed: false,
    })
}

/// Done, with nothing to say.
pub(crate) fn no_content() -> Reply {
    Reply {
        status: 204,
        headers: Vec::new(),
        body: String::new(),
        replayed: false,
    }
}

/// Any JSON.
pub(crate) fn of_json(status: u16, body: &impl serde::Serialize) -> Result<Reply, Error> {
    Ok(Reply {
        status,
        headers: Vec::new(),
        body: serde_json::to_string(body)?,
        replayed: false,
    })
}

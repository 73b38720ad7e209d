//! Answers that carry a record.

use crate::preconditions::etag;
use domain::Record;
use serde::Serialize;
use serde_json::Value;
use store::Error;
use store::idempotency::{Body, Header, Reply};
use store::records::Outcome;

/// Where a record is found.
pub(crate) fn location<R: Record>(record: &R) -> String {
    format!("/v1/{}/{}", R::KIND.plural(), record.meta().id)
}

/// A record, with its `ETag`; when it is new, also its `Location`.
pub(crate) fn of_record<R: Record>(record: R, outcome: Outcome) -> Reply {
    let created = outcome == Outcome::Created;
    let mut headers = vec![Header("ETag".to_owned(), etag(record.meta().version))];
    if created {
        headers.push(Header("Location".to_owned(), location(&record)));
    }
    Reply {
        status: if created { 201 } else { 200 },
        headers,
        body: Body::json(record),
        replayed: false,
    }
}

/// Done, with nothing to say.
pub(crate) fn no_content() -> Reply {
    Reply {
        status: 204,
        headers: Vec::new(),
        body: String::new().into(),
        replayed: false,
    }
}

/// Any JSON.
pub(crate) fn of_json(status: u16, body: impl Serialize + Send + 'static) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: Body::json(body),
        replayed: false,
    }
}

/// The answer with a secret, which what is kept for repetitions must not hold: a repetition lacks it.
pub(crate) fn with_secret(reply: Reply, member: &str, secret: &str) -> Result<Reply, Error> {
    if reply.replayed {
        return Ok(reply);
    }
    let mut body: Value = serde_json::from_str(&reply.body.written()?)?;
    body[member] = secret.into();
    Ok(Reply {
        body: Body::json(body),
        ..reply
    })
}

//! One effect for a repeated request: the answer is kept in the transaction of the effect.
//!
//! See the Idempotency-Key header, draft-ietf-httpapi-idempotency-key-header.

use crate::{Error, Transaction};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use sql::ids::PrincipalId;
use sql::schema::idempotency_keys;
use sql::{Json, Timestamp};

/// What a client calls a request that it may repeat.
#[derive(Debug, Clone)]
pub struct Key {
    /// The client's name for it.
    pub key: String,
    /// The HTTP method.
    pub method: String,
    /// The path and query.
    pub path: String,
    /// A hash of what was sent.
    pub fingerprint: String,
}

/// An answer as it is sent, and kept.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers that belong to the answer: `ETag`, `Location`.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Body,
    /// Whether this is an answer given before.
    pub replayed: bool,
}

/// The body of an answer; empty for none. It is written when it is kept or sent, so that no transaction waits for what
/// is only sent.
pub struct Body(Box<dyn FnOnce() -> Result<String, Error> + Send>);

impl Body {
    /// A value, in JSON.
    pub fn json(value: impl Serialize + Send + 'static) -> Self {
        Self(Box::new(move || Ok(serde_json::to_string(&value)?)))
    }

    /// Its text.
    pub fn written(self) -> Result<String, Error> {
        (self.0)()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self(Box::new(|| Ok(text)))
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Body")
    }
}

/// A header of a kept answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header(pub String, pub String);

/// Runs work once for a key: a repetition gets the first answer, and the work is not done.
pub fn once(
    tx: &mut Transaction<'_>,
    key: Option<&Key>,
    work: impl FnOnce(&mut Transaction<'_>) -> Result<Reply, Error>,
) -> Result<Reply, Error> {
    let Some(key) = key else { return work(tx) };
    if let Some(reply) = kept(tx, key)? {
        return Ok(reply);
    }
    claim(tx, key)?;
    if let Some(reply) = kept(tx, key)?.filter(|reply| reply.status != UNANSWERED) {
        return Ok(reply);
    }
    let reply = work(tx)?;
    let body = reply.body.written()?;
    keep(tx, key, reply.status, &reply.headers, &body)?;
    Ok(Reply {
        body: body.into(),
        ..reply
    })
}

/// The status of a claimed key whose answer is not there yet. Only its own transaction ever sees it.
const UNANSWERED: u16 = 0;

fn principal(tx: &Transaction<'_>) -> PrincipalId {
    tx.actor().id.unwrap_or(PrincipalId(uuid::Uuid::nil()))
}

fn kept(tx: &mut Transaction<'_>, key: &Key) -> Result<Option<Reply>, Error> {
    let id = (tx.tenant(), principal(tx), &key.method, &key.path, &key.key);
    let row: Option<(String, i32, Json<Vec<Header>>, String)> = idempotency_keys::table
        .find(id)
        .select((
            idempotency_keys::fingerprint,
            idempotency_keys::status,
            idempotency_keys::headers,
            idempotency_keys::body,
        ))
        .first(tx.connection())
        .optional()?;
    match row {
        None => Ok(None),
        Some((fingerprint, ..)) if fingerprint != key.fingerprint => Err(Error::KeyReused),
        Some((_, status, headers, body)) => Ok(Some(Reply {
            status: u16::try_from(status).unwrap_or(UNANSWERED),
            headers: headers.into_inner(),
            body: Body::from(body),
            replayed: true,
        })),
    }
}

/// Takes the key. On PostgreSQL this waits while another transaction holds it, so that the second of two
/// simultaneous requests finds the answer of the first.
fn claim(tx: &mut Transaction<'_>, key: &Key) -> Result<(), Error> {
    let (tenant, principal, now) = (tx.tenant(), principal(tx), tx.now());
    let row = (
        (
            idempotency_keys::tenant_id.eq(tenant),
            idempotency_keys::principal_id.eq(principal),
            idempotency_keys::method.eq(&key.method),
            idempotency_keys::path.eq(&key.path),
            idempotency_keys::key.eq(&key.key),
        ),
        idempotency_keys::fingerprint.eq(&key.fingerprint),
        idempotency_keys::created_at.eq(now),
        idempotency_keys::status.eq(i32::from(UNANSWERED)),
        idempotency_keys::headers.eq(Json::new(Vec::<Header>::new())),
        idempotency_keys::body.eq(""),
    );
    let claimed = sql::on_either!(tx.connection(), |c| diesel::insert_into(idempotency_keys::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c));
    claimed.map(drop).map_err(|error| {
        let error = Error::from(error);
        if error.is_timeout() { Error::KeyInUse } else { error }
    })
}

fn keep(tx: &mut Transaction<'_>, key: &Key, status: u16, headers: &[Header], body: &str) -> Result<(), Error> {
    let id = (tx.tenant(), principal(tx), &key.method, &key.path, &key.key);
    diesel::update(idempotency_keys::table.find(id))
        .set((
            idempotency_keys::status.eq(i32::from(status)),
            idempotency_keys::headers.eq(Json::new(headers.to_vec())),
            idempotency_keys::body.eq(body),
        ))
        .execute(tx.connection())?;
    Ok(())
}

/// Forgets the answers that were kept before an instant.
pub fn forget(tx: &mut Transaction<'_>, before: Timestamp) -> Result<usize, Error> {
    let old = idempotency_keys::table
        .filter(idempotency_keys::tenant_id.eq(tx.tenant()))
        .filter(idempotency_keys::created_at.lt(before));
    Ok(diesel::delete(old).execute(tx.connection())?)
}

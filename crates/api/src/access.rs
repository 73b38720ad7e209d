//! Extractors that stand in a handler's signature: [`Reading`] and [`Writing`] a kind of record.
//!
//! They authenticate, check the scope, and carry what the mechanics need: preconditions, the
//! idempotency key, the body. A handler cannot be called without the permission it names.

use crate::body;
use crate::caller::{Caller, authenticate};
use crate::preconditions::expected_version;
use crate::problem::Problem;
use crate::query::Query;
use crate::state::State;
use crate::strict_json;
use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, Uri};
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use domain::operation::scopes::Scope as Permission;
use domain::{Record, RuleContext};
use futures_util::future::LocalBoxFuture;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::marker::PhantomData;
use std::sync::Arc;
use store::idempotency::{self, Key, Reply};
use store::records::Expected;
use store::{Error, Transaction};

/// The caller may read records of this kind.
pub struct Reading<R> {
    /// What every request can reach.
    pub state: web::Data<State>,
    /// Who calls.
    pub caller: Caller,
    /// The query parameters.
    pub query: Query,
    /// The body of a search; null when there is none.
    pub body: Value,
    /// What was asked for, where an answer may lead elsewhere.
    asked: Option<Uri>,
    kind: PhantomData<R>,
}

/// The caller may write records of this kind.
pub struct Writing<R> {
    /// What every request can reach.
    pub state: web::Data<State>,
    /// Who calls.
    pub caller: Caller,
    /// The query parameters; `dry_run` is taken already.
    pub query: Query,
    /// The body; null when there is none.
    pub body: Value,
    /// The version that the caller knows, from If-Match.
    pub expected: Expected,
    dry_run: bool,
    sees_latest: bool,
    key: Option<Key>,
    kind: PhantomData<R>,
}

async fn admit(request: &HttpRequest, permission: Permission) -> Result<(web::Data<State>, Caller), Problem> {
    let state = request
        .app_data::<web::Data<State>>()
        .ok_or_else(|| Problem::internal("no state"))?;
    let caller = authenticate(state, request).await?;
    caller.require(permission)?;
    Ok((state.clone(), caller))
}

impl<R: Record> FromRequest for Reading<R> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let (state, caller) = admit(&request, Permission::Read(R::KIND)).await?;
            let body = body::read(&request, payload).await?;
            Ok(Self {
                state,
                caller,
                query: Query::of(&request)?,
                body,
                asked: (request.method() == Method::GET).then(|| request.uri().clone()),
                kind: PhantomData,
            })
        })
    }
}

impl<R: Record> FromRequest for Writing<R> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let (state, caller) = admit(&request, Permission::Write(R::KIND)).await?;
            let body = body::read(&request, payload).await?;
            Self::with_body(&request, state, caller, body)
        })
    }
}

/// The caller may write records of this kind by a body of any media type, which is read as it arrives.
pub(crate) struct Uploading<R> {
    /// What the caller may do, but for the idempotency key: what the request is shows only when the body is read.
    pub(crate) writing: Writing<R>,
    /// The body.
    pub(crate) payload: Payload,
}

impl<R: Record> FromRequest for Uploading<R> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let (state, caller) = admit(&request, Permission::Write(R::KIND)).await?;
            let writing = Writing::with_body(&request, state, caller, Value::Null)?;
            Ok(Self { writing, payload })
        })
    }
}

impl<R: Record> Reading<R> {
    /// What rules need to know. The tenant's custom fields are asked for where the request names one.
    pub async fn rule_context(&self) -> Result<RuleContext, Problem> {
        let custom = if self.query.mentions("custom.") || domain::custom_values::are_named(&self.body) {
            self.run(store::custom_values::catalogue).await?
        } else {
            Arc::default()
        };
        Ok(self.caller.scope.rule_context(sql::Timestamp::now(), custom))
    }

    /// Reads in the caller's scope. Who asks for a merged customer is led to the one that goes on.
    pub async fn run<T, F>(&self, work: F) -> Result<T, Problem>
    where
        F: Fn(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        let read = self.state.store.read(&self.caller.scope, work).await;
        read.map_err(|error| self.problem(error))
    }

    /// The same, of one record that is found by its key.
    pub async fn run_by_key<T, F>(&self, work: F) -> Result<T, Problem>
    where
        F: Fn(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        let read = self.state.store.read_by_key(&self.caller.scope, work).await;
        read.map_err(|error| self.problem(error))
    }

    fn problem(&self, error: Error) -> Problem {
        match (error, &self.asked) {
            (Error::Merged { from, into }, Some(asked)) => Problem::moved(asked, from, into),
            (error, _) => error.into(),
        }
    }
}

impl<R: Record> Writing<R> {
    fn with_body(request: &HttpRequest, state: web::Data<State>, caller: Caller, body: Value) -> Result<Self, Problem> {
        let mut query = Query::of(request)?;
        let dry_run = query.take_flag("dry_run");
        let expected = expected_version(request.headers())?;
        let key = idempotency_key(request.headers())?.map(|key| name_request(request, key, &body));
        Ok(Self {
            state,
            caller,
            query,
            body,
            expected,
            dry_run,
            sees_latest: false,
            key,
            kind: PhantomData,
        })
    }

    /// The same, in a transaction that sees what others commit while it waits for them.
    #[must_use]
    pub(crate) fn seeing_latest(self) -> Self {
        Self {
            sees_latest: true,
            ..self
        }
    }

    /// Whether nothing is to be kept.
    pub(crate) const fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// Whether the request has an idempotency key, so that it may be the repetition of one that was answered.
    pub(crate) const fn may_be_repeated(&self) -> bool {
        self.key.is_some()
    }

    /// With what the body of an upload has turned out to be, which tells one request with the same key from another.
    #[must_use]
    pub(crate) fn having_read(mut self, request: &HttpRequest, body: &Value) -> Self {
        self.key = self.key.map(|key| name_request(request, key.key, body));
        self
    }

    /// The body, which this operation needs.
    pub fn take_body(&mut self) -> Result<Value, Problem> {
        match std::mem::take(&mut self.body) {
            Value::Null => Err(Problem::new("malformed_request", "a JSON body is needed")),
            body => Ok(body),
        }
    }

    /// Reads what the write is going to need, where that makes it shorter.
    pub(crate) fn read_ahead<T>(&self, work: impl Fn(&mut Transaction<'_>) -> Result<Option<T>, Error>) -> Option<T> {
        self.state.store.read_ahead(&self.caller.scope, work)
    }

    /// Writes in the caller's scope, once for an idempotency key, and keeps nothing in a dry run.
    pub async fn run<F>(self, work: F) -> Result<HttpResponse, Problem>
    where
        F: Fn(&mut Transaction<'_>) -> Result<Reply, Error> + Send + 'static,
    {
        self.query.finish()?;
        let (dry_run, sees_latest, key) = (self.dry_run, self.sees_latest, self.key);
        let reply = self.state.store.write(&self.caller.scope, move |tx| {
            if sees_latest {
                tx.see_latest()?;
            }
            if dry_run {
                tx.discard();
            }
            idempotency::once(tx, key.as_ref(), &work)
        });
        respond(reply.await?)
    }
}

/// Sends a kept or a fresh answer.
pub(crate) fn respond(reply: Reply) -> Result<HttpResponse, Problem> {
    let status = actix_web::http::StatusCode::from_u16(reply.status).unwrap_or_default();
    let mut response = HttpResponse::build(status);
    for idempotency::Header(name, value) in &reply.headers {
        response.insert_header((name.as_str(), value.as_str()));
    }
    if reply.replayed {
        response.insert_header(("Idempotency-Replayed", "true"));
    }
    let body = reply.body.written()?;
    Ok(if body.is_empty() {
        response.finish()
    } else {
        response.content_type("application/json").body(body)
    })
}

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The key, bare or as a quoted string (a structured field, RFC 8941).
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let bare = |value: &HeaderValue| {
        let text = value.to_str().ok()?.trim();
        let text = text
            .strip_prefix('"')
            .map_or(Some(text), |rest| rest.strip_suffix('"'))?;
        ((1..=255).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)))
            .then(|| text.to_owned())
    };
    let fault = || {
        Problem::parameter(
            "Idempotency-Key",
            "invalid_value",
            "must have 1 to 255 printable ASCII characters",
        )
    };
    bare(value).map(Some).ok_or_else(fault)
}

/// What makes a request the same one when it is repeated.
pub(crate) fn name_request(request: &HttpRequest, key: String, body: &Value) -> Key {
    let if_match = request
        .headers()
        .get("if-match")
        .map(HeaderValue::as_bytes)
        .unwrap_or_default();
    let mut hash = Sha256::new();
    for part in [
        request.query_string().as_bytes(),
        if_match,
        strict_json::canonical(body).as_bytes(),
    ] {
        hash.update(part);
        hash.update([0]);
    }
    let fingerprint = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, hash.finalize());
    Key {
        key,
        method: request.method().to_string(),
        path: request.path().to_owned(),
        fingerprint,
    }
}

//! The extractor of operations that are not about a kind of record: whoever has a valid token may call them.
//!
//! What more is needed, the handler asks of [`Acting::caller`].

use crate::access::{idempotency_key, name_request};
use crate::body;
use crate::caller::{Caller, authenticate};
use crate::problem::Problem;
use crate::query::Query;
use crate::state::State;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use serde_json::Value;
use store::idempotency::{self, Key, Reply};
use store::{Error, Transaction};

/// Someone who is known acts.
pub struct Acting {
    /// What every request can reach.
    pub state: web::Data<State>,
    /// Who calls.
    pub caller: Caller,
    /// The query parameters; `dry_run` is taken already.
    pub query: Query,
    body: Value,
    dry_run: bool,
    key: Option<Key>,
}

impl FromRequest for Acting {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let state = request.app_data::<web::Data<State>>();
            let state = state.ok_or_else(|| Problem::internal("no state"))?;
            let caller = authenticate(state, &request).await?;
            let body = body::read(&request, payload).await?;
            let mut query = Query::of(&request)?;
            let dry_run = !request.method().is_safe() && query.take_flag("dry_run");
            let key = idempotency_key(request.headers())?.map(|key| name_request(&request, key, &body));
            Ok(Self {
                state: state.clone(),
                caller,
                query,
                body,
                dry_run,
                key,
            })
        })
    }
}

impl Acting {
    /// The body, which this operation needs.
    pub fn take_body(&mut self) -> Result<Value, Problem> {
        let missing = || Problem::new("malformed_request", "a JSON body is needed");
        self.take_optional_body().ok_or_else(missing)
    }

    /// The body, which may be left out.
    pub fn take_optional_body(&mut self) -> Option<Value> {
        Some(std::mem::take(&mut self.body)).filter(|body| !body.is_null())
    }

    /// Forgets the idempotency key: for what may be repeated anyway, or must leave no hash of its body behind.
    #[must_use]
    pub fn without_key(self) -> Self {
        Self { key: None, ..self }
    }

    /// Reads in the caller's scope.
    pub async fn read<T, F>(self, work: F) -> Result<T, Problem>
    where
        F: Fn(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        self.query.finish()?;
        Ok(self.state.store.read(&self.caller.scope, work).await?)
    }

    /// Writes in the caller's scope, once for an idempotency key, and keeps nothing in a dry run.
    pub async fn write<F>(self, work: F) -> Result<Reply, Problem>
    where
        F: Fn(&mut Transaction<'_>) -> Result<Reply, Error> + Send + 'static,
    {
        self.query.finish()?;
        let (dry_run, key) = (self.dry_run, self.key);
        let reply = self.state.store.write(&self.caller.scope, move |tx| {
            if dry_run {
                tx.discard();
            }
            idempotency::once(tx, key.as_ref(), &work)
        });
        Ok(reply.await?)
    }
}

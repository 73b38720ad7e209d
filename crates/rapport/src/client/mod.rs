//! A small client of Rapport's own HTTP API for the commands that load data into a running server.
//! It sends batches, waits out short outages and throttling, and keeps its access token fresh.

mod credentials;
mod retry;

use std::time::Duration;

use clap::Args;
use reqwest::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::Url;

use credentials::{Credentials, Session, tenant_of};
pub(crate) use retry::Notice;
use retry::{Patience, Reply, passing};

/// The flag of a batch by which customers are taken that there seem to be already.
pub(crate) const ALLOW_DUPLICATES: &str = "allow_duplicates";

/// Which server a command speaks to. Secrets come from the environment only, because a command line shows in `ps`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServerArgs {
    /// Base address of the running server
    #[arg(
        long,
        env = "RAPPORT_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080"
    )]
    pub(crate) url: Url,
}

/// Why the client gave up. Every text says what the reader can do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(
        "no credentials: set RAPPORT_TOKEN (on the server's machine: RAPPORT_TOKEN=$(rapport token --role admin)), \
         or RAPPORT_CLIENT_ID and RAPPORT_CLIENT_SECRET of a service account"
    )]
    NoCredentials,
    #[error("RAPPORT_CLIENT_ID and RAPPORT_CLIENT_SECRET go together: {0} is missing")]
    HalfCredentials(&'static str),
    #[error(
        "the server does not accept the token in RAPPORT_TOKEN{0}. Access tokens last some 10 minutes. Get a new one \
         (on the server's machine: RAPPORT_TOKEN=$(rapport token --role admin --ttl 3600)), or set RAPPORT_CLIENT_ID \
         and RAPPORT_CLIENT_SECRET of a service account, with which a long load renews its token by itself; then \
         give the same command again: what was acknowledged is not lost"
    )]
    TokenRefused(String),
    #[error("the server does not accept RAPPORT_CLIENT_ID and RAPPORT_CLIENT_SECRET: {0}")]
    ClientRefused(Box<Problem>),
    #[error("{method} {url} was refused: {problem}")]
    Refused {
        method: &'static str,
        url: String,
        problem: Box<Problem>,
    },
    #[error("{url} does not answer ({cause}); tried for {} s. Is the server running, is RAPPORT_URL right?", .waited.as_secs())]
    Unreachable {
        url: String,
        waited: Duration,
        cause: String,
    },
    #[error("{url} answered something that is not Rapport's API: {cause}")]
    Foreign { url: String, cause: String },
    #[error("{0} is not a base address for HTTP")]
    BadAddress(String),
    #[error("cannot set up HTTP: {0}")]
    Setup(reqwest::Error),
}

/// What the server says is wrong (RFC 9457).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    pub(crate) status: u16,
    pub(crate) title: String,
    pub(crate) detail: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) errors: Vec<Fault>,
    pub(crate) request_id: Option<String>,
}

/// One fault of a body: where it is and what is wrong there.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Fault {
    pub(crate) pointer: String,
    pub(crate) message: String,
}

impl ItemAnswer {
    /// The faults of an item point into the item; who sent a record wants to know where in the record they are.
    fn of_record(mut self) -> Self {
        for fault in self.error.iter_mut().flat_map(|problem| &mut problem.errors) {
            if let Some(pointer) = fault.pointer.strip_prefix("/data") {
                fault.pointer = pointer.to_owned();
            }
        }
        self
    }

    /// Whether the item was not taken for a reason that passes.
    fn is_passing(&self) -> bool {
        StatusCode::from_u16(self.status).is_ok_and(passing)
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.errors.is_empty() {
            let faults: Vec<_> = self.errors.iter().map(ToString::to_string).collect();
            return out.write_str(&faults.join("; "));
        }
        let text = self.detail.as_deref().unwrap_or(&self.title);
        match &self.code {
            Some(code) if text.is_empty() => write!(out, "{code} ({})", self.status),
            Some(code) => write!(out, "{text} ({code})"),
            None => write!(out, "{text} ({})", self.status),
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.pointer.is_empty() {
            out.write_str(&self.message)
        } else {
            write!(out, "{}: {}", self.pointer, self.message)
        }
    }
}

/// What became of one item of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Created,
    Updated,
    Unchanged,
    Deleted,
    Failed,
}

/// The answer to one item of a batch.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ItemAnswer {
    #[serde(default)]
    status: u16,
    pub(crate) outcome: Outcome,
    pub(crate) error: Option<Problem>,
}

/// One item of a batch: make the record with this external id what `data` says.
#[derive(Debug, Serialize)]
pub(crate) struct Upsert<'a, D> {
    op: &'static str,
    system: &'a str,
    external_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'a str>,
    data: &'a D,
}

impl<'a, D: Serialize> Upsert<'a, D> {
    /// An upsert by `(system, external_id)`; `mode` is the server's default where none is given.
    pub(crate) fn new(system: &'a str, external_id: &'a str, mode: Option<&'a str>, data: &'a D) -> Self {
        Self {
            op: "upsert",
            system,
            external_id,
            mode,
            data,
        }
    }

    /// The item as it goes over the wire, so that its size is known before it is sent.
    pub(crate) fn to_json(&self) -> serde_json::Result<Box<RawValue>> {
        serde_json::value::to_raw_value(self)
    }
}

/// A connection to one server as one principal.
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    session: Session,
    patience: Patience,
}

impl Client {
    /// A client with the credentials of the environment. `notice` is told when a request has to wait.
    pub(crate) fn from_env(server: &ServerArgs, notice: Notice) -> Result<Self, Error> {
        Self::new(&server.url, Credentials::from_env()?, Patience::new(notice))
    }

    /// A client with a given token, for tests.
    #[cfg(test)]
    pub(crate) fn with_token(server: &ServerArgs, token: &str) -> Result<Self, Error> {
        Self::new(
            &server.url,
            Credentials::Token(token.to_owned()),
            Patience::new(Box::new(|_| {})),
        )
    }

    fn new(base: &Url, credentials: Credentials, patience: Patience) -> Result<Self, Error> {
        let mut base = base.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let http = reqwest::Client::builder()
            .user_agent(concat!("rapport/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_mins(1))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(Error::Setup)?;
        Ok(Self {
            http,
            base,
            session: Session::new(credentials),
            patience,
        })
    }

    /// Where records go: the server, and the tenant as far as the token tells it. Part of what a saved position
    /// belongs to.
    pub(crate) async fn destination(&self) -> Result<String, Error> {
        let token = self.session.token(self).await?;
        Ok(format!("{} {}", self.base, tenant_of(&token).unwrap_or_default()))
    }

    /// Sends items to a resource's batch endpoint and gives one answer an item, in order. Items that the server was
    /// too busy for are sent again. `flags` are parameters that are true.
    pub(crate) async fn batch(
        &self,
        resource: &str,
        items: &[Box<RawValue>],
        flags: &[&str],
    ) -> Result<Vec<ItemAnswer>, Error> {
        let mut url = self.address(&format!("v1/{resource}/batch"))?;
        // Only customers are checked for duplicates.
        for flag in flags
            .iter()
            .filter(|flag| **flag != ALLOW_DUPLICATES || resource == "customers")
        {
            url.query_pairs_mut().append_pair(flag, "true");
        }
        let mut waits = self.patience.waits(&url);
        let mut answers = self.batch_once(&url, items).await?;
        loop {
            let busy: Vec<usize> = (0..answers.len())
                .filter(|index| answers[*index].is_passing())
                .collect();
            let Some(first) = busy.first() else { return Ok(answers) };
            let cause = answers[*first]
                .error
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            waits.next(&cause, None).await?;
            let again: Vec<_> = busy.iter().map(|index| items[*index].clone()).collect();
            for (index, answer) in busy.into_iter().zip(self.batch_once(&url, &again).await?) {
                answers[index] = answer;
            }
        }
    }

    async fn batch_once(&self, url: &Url, items: &[Box<RawValue>]) -> Result<Vec<ItemAnswer>, Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            items: &'a [Box<RawValue>],
        }
        #[derive(Deserialize)]
        struct Answer {
            data: Vec<ItemAnswer>,
        }
        let foreign = |cause: String| Error::Foreign {
            url: url.to_string(),
            cause,
        };
        let body = serde_json::to_string(&Body { items }).map_err(|error| foreign(error.to_string()))?;
        let reply = self.post(url, body).await?;
        let answer: Answer = serde_json::from_slice(&reply.body).map_err(|error| foreign(error.to_string()))?;
        if answer.data.len() == items.len() {
            return Ok(answer.data.into_iter().map(ItemAnswer::of_record).collect());
        }
        Err(foreign(format!(
            "{} answers to {} items",
            answer.data.len(),
            items.len()
        )))
    }

    /// Posts JSON as the principal; a token that ran out on the way is renewed once.
    async fn post(&self, url: &Url, body: String) -> Result<Reply, Error> {
        let mut renewed = false;
        loop {
            let token = self.session.token(self).await?;
            let request = || {
                let request = self.http.post(url.clone()).bearer_auth(&token);
                request
                    .header(reqwest::header::CONTENT_TYPE, "application/json")
                    .body(body.clone())
            };
            let reply = self.patience.send(url, request).await?;
            match reply.status {
                StatusCode::UNAUTHORIZED if !renewed && self.session.renewable() => {
                    self.session.forget(&token).await;
                    renewed = true;
                }
                StatusCode::UNAUTHORIZED => return Err(self.session.refused(reply.problem())),
                status if status.is_success() => return Ok(reply),
                _ => {
                    return Err(Error::Refused {
                        method: "POST",
                        url: url.to_string(),
                        problem: Box::new(reply.problem()),
                    });
                }
            }
        }
    }

    fn address(&self, path: &str) -> Result<Url, Error> {
        self.base
            .join(path)
            .map_err(|_| Error::BadAddress(self.base.to_string()))
    }
}

/// Reads an answer to its end, so that a connection cut in the middle counts as not answered.
async fn read(response: Response) -> reqwest::Result<Reply> {
    let status = response.status();
    let header = response.headers().get(reqwest::header::RETRY_AFTER);
    let retry_after = header
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    Ok(Reply {
        status,
        retry_after,
        body: response.bytes().await?.to_vec(),
    })
}

#[cfg(test)]
mod tests;

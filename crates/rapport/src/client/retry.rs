//! Patience: throttling (429), overload (503) and lost connections are waited out for a bounded time.
//! Every request the commands send may be sent twice, because all of them are upserts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::{RequestBuilder, StatusCode};
use url::Url;

use super::{Error, Problem, read};

/// Told once a request has to wait, so that a human sees why nothing moves.
pub(crate) type Notice = Box<dyn Fn(&str) + Send + Sync>;

/// An answer that was read to its end.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// The problem document, or as much of one as can be said about an answer that has none.
    pub(super) fn problem(&self) -> Problem {
        let mut problem: Problem = serde_json::from_slice(&self.body).unwrap_or_default();
        problem.status = self.status.as_u16();
        if problem.title.is_empty() {
            self.status
                .canonical_reason()
                .unwrap_or("no reason given")
                .clone_into(&mut problem.title);
        }
        problem
    }
}

/// How long to wait for a server that is away or busy.
pub(super) struct Patience {
    /// For a server that has answered before: long enough for a restart or a fail-over.
    pub(super) total: Duration,
    /// For a server that has never answered: most likely it is not there at all.
    pub(super) first: Duration,
    /// The first wait; each further one is twice as long, up to `slowest`.
    pub(super) pace: Duration,
    /// The longest single wait that the client chooses by itself.
    pub(super) slowest: Duration,
    reached: AtomicBool,
    notice: Notice,
}

impl Patience {
    pub(super) fn new(notice: Notice) -> Self {
        Self {
            total: Duration::from_mins(3),
            first: Duration::from_secs(3),
            pace: Duration::from_millis(200),
            slowest: Duration::from_secs(10),
            reached: AtomicBool::new(false),
            notice,
        }
    }

    /// Sends until there is an answer worth showing or patience has run out.
    pub(super) async fn send(&self, url: &Url, request: impl Fn() -> RequestBuilder) -> Result<Reply, Error> {
        let mut waits = self.waits(url);
        loop {
            match self.attempt(request()).await {
                Ok(reply) if !passing(reply.status) => return Ok(reply),
                Ok(reply) => waits.next(&reply.problem().to_string(), reply.retry_after).await?,
                Err(error) => waits.next(&innermost(&error), None).await?,
            }
        }
    }

    /// The waits between the attempts at one thing.
    pub(super) fn waits<'a>(&'a self, url: &'a Url) -> Waits<'a> {
        Waits {
            patience: self,
            url,
            started: Instant::now(),
            pause: self.pace,
        }
    }

    async fn attempt(&self, request: RequestBuilder) -> reqwest::Result<Reply> {
        let response = request.send().await?;
        self.reached.store(true, Ordering::Relaxed);
        read(response).await
    }
}

/// See [`Patience::waits`].
pub(super) struct Waits<'a> {
    patience: &'a Patience,
    url: &'a Url,
    started: Instant,
    pause: Duration,
}

impl Waits<'_> {
    /// Waits as long as the server asked for, or else longer each time; an error when patience has run out.
    pub(super) async fn next(&mut self, cause: &str, asked: Option<Duration>) -> Result<(), Error> {
        let patience = self.patience;
        let reached = patience.reached.load(Ordering::Relaxed);
        let limit = if reached { patience.total } else { patience.first };
        let wait = asked.unwrap_or_else(|| jitter(self.pause));
        let waited = self.started.elapsed();
        if waited + wait > limit {
            return Err(Error::Unreachable {
                url: self.url.to_string(),
                waited,
                cause: cause.to_owned(),
            });
        }
        if self.pause == patience.pace {
            (patience.notice)(&format!("{cause}; trying again"));
        }
        tokio::time::sleep(wait).await;
        self.pause = (self.pause * 2).min(patience.slowest);
        Ok(())
    }
}

/// Answers that say "not now": the limiter, an overloaded or draining server, a proxy without a server behind it.
pub(super) fn passing(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::BAD_GATEWAY
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// Spreads waits over half to the whole of a pause, so that clients do not come back in step.
fn jitter(pause: Duration) -> Duration {
    pause.mul_f64(rand::random_range(0.5..=1.0))
}

/// The first cause of an error: reqwest says "error sending request" and hides the refused connection below it.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

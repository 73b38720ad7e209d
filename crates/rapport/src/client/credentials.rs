//! Who the client is: a token as given, or a service account that fetches tokens and renews them in time.

use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::sync::Mutex;

use super::{Client, Error, Problem};

/// What the environment gives to prove who asks.
pub(super) enum Credentials {
    /// `RAPPORT_TOKEN`: good until it expires.
    Token(String),
    /// `RAPPORT_CLIENT_ID` and `RAPPORT_CLIENT_SECRET`: good for as long as the load takes.
    ServiceAccount { id: String, secret: String },
}

impl Credentials {
    /// A service account is taken before a token, because it outlasts one.
    pub(super) fn from_env() -> Result<Self, Error> {
        let get = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        Self::choose(
            get("RAPPORT_CLIENT_ID"),
            get("RAPPORT_CLIENT_SECRET"),
            get("RAPPORT_TOKEN"),
        )
    }

    fn choose(id: Option<String>, secret: Option<String>, token: Option<String>) -> Result<Self, Error> {
        match (id, secret, token) {
            (Some(id), Some(secret), _) => Ok(Self::ServiceAccount { id, secret }),
            (Some(_), None, _) => Err(Error::HalfCredentials("RAPPORT_CLIENT_SECRET")),
            (None, Some(_), _) => Err(Error::HalfCredentials("RAPPORT_CLIENT_ID")),
            (None, None, Some(token)) => Ok(Self::Token(token.trim().to_owned())),
            (None, None, None) => Err(Error::NoCredentials),
        }
    }
}

/// Credentials and the token they gave last.
pub(super) struct Session {
    credentials: Credentials,
    current: Mutex<Option<Token>>,
}

struct Token {
    value: String,
    renew_at: Instant,
}

#[derive(Deserialize)]
struct Grant {
    access_token: String,
    #[serde(default = "a_minute")]
    expires_in: u64,
}

/// What to count on where the server does not say how long a token lasts.
fn a_minute() -> u64 {
    60
}

impl Session {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            current: Mutex::new(None),
        }
    }

    /// Whether a refused token can be replaced.
    pub(super) fn renewable(&self) -> bool {
        matches!(self.credentials, Credentials::ServiceAccount { .. })
    }

    /// A token that is good now. Requests in flight together wait for one renewal.
    pub(super) async fn token(&self, client: &Client) -> Result<String, Error> {
        let (id, secret) = match &self.credentials {
            Credentials::Token(token) => return Ok(token.clone()),
            Credentials::ServiceAccount { id, secret } => (id, secret),
        };
        let mut current = self.current.lock().await;
        if let Some(token) = current.as_ref().filter(|token| Instant::now() < token.renew_at) {
            return Ok(token.value.clone());
        }
        let fresh = fetch(client, id, secret).await?;
        let value = fresh.value.clone();
        *current = Some(fresh);
        Ok(value)
    }

    /// Drops a token that the server no longer takes, unless another request has already replaced it.
    pub(super) async fn forget(&self, refused: &str) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|token| token.value == refused) {
            *current = None;
        }
    }

    /// The error for a principal that the server does not take.
    pub(super) fn refused(&self, problem: Problem) -> Error {
        match self.credentials {
            Credentials::Token(_) => {
                Error::TokenRefused(problem.detail.map(|detail| format!(" ({detail})")).unwrap_or_default())
            }
            Credentials::ServiceAccount { .. } => Error::ClientRefused(Box::new(problem)),
        }
    }
}

/// The client-credentials grant (RFC 6749 §4.4).
async fn fetch(client: &Client, id: &str, secret: &str) -> Result<Token, Error> {
    let url = client.address("v1/auth/token")?;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", id),
        ("client_secret", secret),
    ];
    let reply = client
        .patience
        .send(&url, || client.http.post(url.clone()).form(&form))
        .await?;
    if reply.status.is_client_error() {
        return Err(Error::ClientRefused(Box::new(reply.problem())));
    }
    if !reply.status.is_success() {
        return Err(Error::Refused {
            method: "POST",
            url: url.to_string(),
            problem: Box::new(reply.problem()),
        });
    }
    let grant: Grant = serde_json::from_slice(&reply.body).map_err(|error| Error::Foreign {
        url: url.to_string(),
        cause: error.to_string(),
    })?;
    // A tenth of its life early: a token must not run out between here and the server.
    let life = Duration::from_secs(grant.expires_in).mul_f64(0.9);
    Ok(Token {
        value: grant.access_token,
        renew_at: Instant::now() + life,
    })
}

/// The tenant that a token speaks for, read without proof: it only keeps saved positions of two tenants apart.
pub(super) fn tenant_of(token: &str) -> Option<String> {
    use base64::Engine as _;
    let payload = token.split('.').nth(1)?;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    claims.get("tenant")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(id: Option<&str>, secret: Option<&str>, token: Option<&str>) -> Result<Credentials, Error> {
        Credentials::choose(id.map(Into::into), secret.map(Into::into), token.map(Into::into))
    }

    #[test]
    fn a_service_account_outlasts_a_token_and_is_taken_first() {
        assert!(matches!(
            choose(Some("id"), Some("secret"), Some("t")),
            Ok(Credentials::ServiceAccount { .. })
        ));
        assert!(matches!(choose(None, None, Some("t\n")), Ok(Credentials::Token(token)) if token == "t"));
    }

    #[test]
    fn half_or_no_credentials_name_what_is_missing() {
        let message =
            |result: Result<Credentials, Error>| result.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(message(choose(Some("id"), None, Some("t"))).contains("RAPPORT_CLIENT_SECRET is missing"));
        assert!(message(choose(None, Some("secret"), None)).contains("RAPPORT_CLIENT_ID is missing"));
        assert!(message(choose(None, None, None)).contains("rapport token --role admin"));
    }

    #[test]
    fn the_tenant_of_a_token_is_found() {
        // {"tenant":"t-1"}
        assert_eq!(tenant_of("e30.eyJ0ZW5hbnQiOiJ0LTEifQ.sig").as_deref(), Some("t-1"));
        assert_eq!(tenant_of("opaque"), None);
    }
}

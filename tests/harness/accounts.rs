//! Users and service accounts that prove who they are, for the stories about that.

use super::answer::{Answer, Send};
use super::server::{Server, Settings};
use super::tenant::Tenant;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::OnceLock;
use std::time::Duration;

/// The password of every user that a story makes.
pub(crate) const PASSWORD: &str = "correct horse battery";

impl Server {
    /// A server on which log-ins are not limited by address, since all stories come from one, and which believes what
    /// they say about theirs.
    pub(crate) fn for_log_ins() -> &'static Self {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(|| {
            let settings = Settings::new().with("RAPPORT_LOGIN_BURST", "100000");
            Self::start(settings.with("RAPPORT_TRUSTED_PROXIES", "127.0.0.0/8"))
        })
    }
}

impl Tenant {
    /// A user with a password.
    pub(crate) async fn user(&self, name: &str, role: &str) -> Value {
        let email = format!("{name}@example.com");
        let user = self
            .create("users", json!({"name": name, "email": email, "role": role}))
            .await;
        let path = format!("/v1/users/{}/password", super::id_of(&user));
        self.put(&path, &json!({ "password": PASSWORD })).await.expect(204);
        user
    }

    /// A user tries to log in.
    pub(crate) async fn login(&self, name: &str, password: &str) -> Answer {
        let body = json!({"email": format!("{name}@example.com"), "password": password, "tenant": self.name});
        self.stranger().post("/v1/auth/login", &body).await
    }

    /// The caller whose access token an answer has.
    pub(crate) fn as_logged_in(&self, answer: &Answer) -> Self {
        self.with_token(answer.text_of("access_token"))
    }

    /// Asks the token endpoint.
    pub(crate) async fn grant(&self, form: &[(&str, &str)]) -> Answer {
        let request = self.stranger().request(Method::POST, "/v1/auth/token");
        request.form(form).answer().await
    }

    /// Asks the token endpoint for the next tokens of a session.
    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        self.grant(&[("grant_type", "refresh_token"), ("refresh_token", token)])
            .await
    }

    /// Fails unless what is asked a second from now is refused.
    pub(crate) async fn is_refused_in_a_second(&self) {
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.get("/v1/auth/me").await.expect_problem(401, "unauthorized");
    }
}

impl Answer {
    /// A member of the body that is a text.
    #[track_caller]
    pub(crate) fn text_of(&self, name: &str) -> &str {
        let text = self.body[name].as_str();
        text.unwrap_or_else(|| panic!("no {name} in {}", self.text))
    }
}

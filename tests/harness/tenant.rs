//! A tenant of its own for each story, and a client that acts in it.

use super::answer::{Answer, Send};
use super::database::Database;
use super::server::{Server, Settings};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

/// A client with a token of some role in some tenant.
#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    /// What the tenant is called.
    pub(crate) name: String,
    /// The password that its administrator was given.
    pub(crate) password: String,
    /// The access token sent with every request; empty for a stranger.
    pub(crate) token: String,
    url: String,
    settings: Settings,
    client: Client,
}

impl Tenant {
    /// An administrator of a new tenant on the shared server.
    pub(crate) fn new() -> Self {
        Self::on(Server::shared())
    }

    /// An administrator of a new tenant on a server.
    pub(crate) fn on(server: &Server) -> Self {
        Self::set_up(server, &[])
    }

    /// An administrator of a new tenant on the shared server, set up with options of `rapport tenants create`.
    pub(crate) fn with_options(options: &[&str]) -> Self {
        Self::set_up(Server::shared(), options)
    }

    fn set_up(server: &Server, options: &[&str]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("tenant {}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let create = [&["tenants", "create", name.as_str()], options].concat();
        let password = server.settings.run(&create).trim().to_owned();
        let (url, settings) = (server.url.clone(), server.settings.clone());
        Self {
            name,
            password,
            token: String::new(),
            url,
            settings,
            client: new_client(),
        }
        .as_role("admin")
    }

    /// The same tenant with the rights of a role.
    pub(crate) fn as_role(&self, role: &str) -> Self {
        let token = self.settings.run(&["token", "--tenant", &self.name, "--role", role]);
        self.with_token(token.trim())
    }

    /// The same tenant with another token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            ..self.clone()
        }
    }

    /// Someone without a token.
    pub(crate) fn stranger(&self) -> Self {
        self.with_token("")
    }

    /// The same client at another server on the same database.
    pub(crate) fn at(&self, server: &Server) -> Self {
        Self {
            url: server.url.clone(),
            client: new_client(),
            ..self.clone()
        }
    }

    /// A request, to be given headers and a body, and to be sent with [`Send::answer`].
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        if self.token.is_empty() {
            request
        } else {
            request.bearer_auth(&self.token)
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).answer().await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::POST, path).json(body).answer().await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::PUT, path).json(body).answer().await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::PATCH, path).json(body).answer().await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.request(Method::DELETE, path).answer().await
    }

    /// Patches a record at the version that the caller knows.
    pub(crate) async fn patch_at(&self, path: &str, etag: &str, body: &Value) -> Answer {
        self.request(Method::PATCH, path)
            .header("If-Match", etag)
            .json(body)
            .answer()
            .await
    }

    /// A new record of a resource (`products`), which must come into being.
    pub(crate) async fn create(&self, resource: &str, body: Value) -> Value {
        self.post(&format!("/v1/{resource}"), &body).await.expect(201).body
    }

    /// A batch of items, each answered on its own.
    pub(crate) async fn batch(&self, resource: &str, items: Value) -> Answer {
        self.post(&format!("/v1/{resource}/batch"), &json!({ "items": items }))
            .await
    }

    /// Every record of a list, page by page. The path may have parameters.
    pub(crate) async fn all(&self, path: &str) -> Vec<Value> {
        self.follow(path, "cursor", None).await
    }

    /// Waits until the feed tells everything that has been answered.
    pub(crate) async fn settle(&self) {
        Database::settle(&self.settings.database_url).await;
    }

    /// Every event of the feed so far.
    pub(crate) async fn changes(&self) -> Vec<Value> {
        self.follow("/v1/changes?limit=500", "after", None).await
    }

    /// The events after a cursor so far.
    pub(crate) async fn changes_after(&self, cursor: &str) -> Vec<Value> {
        self.follow("/v1/changes?limit=500", "after", Some(cursor.to_owned()))
            .await
    }

    /// The events of some types (`product.*`) so far.
    pub(crate) async fn changes_of(&self, types: &str) -> Vec<Value> {
        self.follow(&format!("/v1/changes?limit=500&types={types}"), "after", None)
            .await
    }

    /// The events of one record so far.
    pub(crate) async fn events_of(&self, record: &Value) -> Vec<Value> {
        self.changes()
            .await
            .into_iter()
            .filter(|event| event["subject"]["id"] == record["id"])
            .collect()
    }

    /// What happened to one record so far: `created`, `updated`, ….
    pub(crate) async fn kinds_of_events(&self, record: &Value) -> Vec<String> {
        let kind = |event: &Value| {
            event["kind"]
                .as_str()
                .and_then(|kind| Some(kind.split_once('.')?.1.to_owned()))
        };
        self.events_of(record).await.iter().filter_map(kind).collect()
    }

    /// A cursor to whatever happens from now on.
    pub(crate) async fn now(&self) -> String {
        self.settle().await;
        let end = self.get("/v1/changes?after=now").await.expect(200);
        end.next_cursor().expect("the feed always tells where to go on")
    }

    /// Reads from page to page for as long as there is more.
    async fn follow(&self, path: &str, parameter: &str, mut cursor: Option<String>) -> Vec<Value> {
        if path.starts_with("/v1/changes") {
            self.settle().await;
        }
        let mark = if path.contains('?') { '&' } else { '?' };
        let mut found = Vec::new();
        loop {
            let place = cursor
                .map(|cursor| format!("{mark}{parameter}={cursor}"))
                .unwrap_or_default();
            let page = self.get(&format!("{path}{place}")).await.expect(200);
            found.extend_from_slice(page.data());
            if page.body["page"]["has_more"] == false {
                return found;
            }
            cursor = Some(page.next_cursor().expect("a page that is not the last has a cursor"));
        }
    }
}

/// Connections belong to the runtime of one story, so no two stories share a client.
fn new_client() -> Client {
    let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    client.build().expect("a client")
}

//! The operations of the served OpenAPI document, for stories that hold for every one of them.

use super::answer::{Answer, Send};
use super::tenant::Tenant;
use serde_json::{Value, json};

/// An id that nothing has.
pub(crate) const NOBODY: &str = "019aa000-0000-7000-8000-000000000000";

/// One operation.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    /// Its name: `create_product`.
    pub(crate) id: String,
    /// GET, POST, ….
    pub(crate) method: String,
    /// The path, with the names of its parameters in braces.
    pub(crate) path: String,
    /// Whether it takes a body.
    pub(crate) has_body: bool,
    /// Whether the document says that it needs no token.
    pub(crate) is_public: bool,
    /// The media type of the body.
    media_type: String,
}

impl Operation {
    /// Every operation of the document.
    pub(crate) async fn all(tenant: &Tenant) -> Vec<Self> {
        let document = tenant.stranger().get("/openapi.json").await.expect(200).body;
        let paths = document["paths"].as_object().expect("paths");
        let of_path = |(path, operations): (&String, &Value)| {
            let operations = operations.as_object().cloned().unwrap_or_default();
            let path = path.clone();
            operations
                .into_iter()
                .map(move |(method, operation)| Self::read(&method, &path, &operation))
        };
        paths.iter().flat_map(of_path).collect()
    }

    fn read(method: &str, path: &str, operation: &Value) -> Self {
        let content = operation["requestBody"]["content"].as_object();
        Self {
            id: operation["operationId"]
                .as_str()
                .expect("every operation has an id")
                .to_owned(),
            method: method.to_uppercase(),
            path: path.to_owned(),
            has_body: content.is_some(),
            is_public: operation["security"]
                .as_array()
                .is_some_and(|ways| ways.contains(&json!({}))),
            media_type: content
                .and_then(|content| content.keys().next().cloned())
                .unwrap_or_default(),
        }
    }

    /// The resource it belongs to: `products` of `/v1/products/{id}`.
    pub(crate) fn resource(&self) -> &str {
        self.path
            .strip_prefix("/v1/")
            .and_then(|rest| rest.split('/').next())
            .unwrap_or_default()
    }

    /// Whether its path names a record.
    pub(crate) fn names_a_record(&self) -> bool {
        self.path.contains('{')
    }

    /// Whether it changes something; some only ask, though they are a POST.
    pub(crate) fn is_write(&self) -> bool {
        let asks = ["/search", "/preview", "/explain"];
        self.method != "GET" && !asks.iter().any(|verb| self.path.ends_with(verb))
    }

    /// Calls it about the record with this id, or with this id in the system `erp`.
    pub(crate) async fn call(&self, tenant: &Tenant, id: &str, body: &Value) -> Answer {
        let path = self
            .path
            .replace("{id}", id)
            .replace("{system}", "erp")
            .replace("{external_id}", id);
        let path = path.replace("{secret_id}", NOBODY).replace(['{', '}'], "");
        let request = tenant.request(self.method.parse().expect("a method"), &path);
        match (self.has_body, self.media_type.as_str()) {
            (true, "application/x-www-form-urlencoded") => request.form(&Vec::<(String, String)>::new()),
            (true, _) => request.json(body),
            (false, _) => request,
        }
        .answer()
        .await
    }
}

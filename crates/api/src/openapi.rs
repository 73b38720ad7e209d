//! The API document (OpenAPI 3.1), written from the list of endpoints, the types and the registry of fields.

mod batch_operations;
mod components;
mod error_responses;
mod operations;
mod own_operations;
mod parameters;
mod rule_schemas;
mod samples;
mod schemas;
pub(crate) mod site;
mod tenant_document;
#[cfg(test)]
mod tests;
mod tidying;

use crate::endpoint::Endpoint;
use actix_web::http::Method;
pub(crate) use components::Components;
use components::properties_of;
use domain::operation::scopes::Scope as Permission;
use domain::{Kind, Record};
pub(crate) use operations::{generic_endpoints, list_within};
use serde_json::{Map, Value, json};
use std::sync::OnceLock;

/// The API document, as it is printed and committed.
pub fn json() -> String {
    let document = document(&crate::service::ENDPOINTS);
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

/// The names of a record's members, in order.
pub(crate) fn member_names<R: Record>() -> &'static [String] {
    static NAMES: [OnceLock<Vec<String>>; Kind::ALL.len()] = [const { OnceLock::new() }; Kind::ALL.len()];
    NAMES[R::KIND as usize].get_or_init(|| {
        let mut components = Components::new(Vec::new());
        let name = components.record::<R>();
        let members = properties_of(components.schema(&name)).map(|(name, _)| name.clone());
        members.collect()
    })
}

fn document(endpoints: &[Endpoint]) -> Value {
    let kinds: Vec<Kind> = Kind::ALL
        .iter()
        .copied()
        .filter(|kind| endpoints.iter().any(|endpoint| endpoint.kind == Some(*kind)))
        .collect();
    let mut components = Components::new(kinds.clone());
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in endpoints {
        let Some(mut operation) = own_operations::described(endpoint, &mut components) else {
            continue;
        };
        if endpoint.method == Method::GET && endpoint.path.starts_with("/v1/customers/{id}") {
            error_responses::add_redirect(&mut operation, &mut components);
        }
        error_responses::add(&mut operation, &mut components);
        let item = paths.entry(endpoint.path.clone()).or_insert_with(|| json!({}));
        item[endpoint.method.as_str().to_lowercase()] = operation;
    }
    tidying::tidied(json!({
        "openapi": "3.1.0",
        "info": info(),
        "servers": [{ "url": "/", "description": "The service that serves this document" }],
        "tags": tags(&kinds),
        "paths": paths,
        "components": {
            "schemas": components.into_schemas(),
            "parameters": parameters::shared(),
            "headers": parameters::headers(),
            "responses": error_responses::shared(),
            "securitySchemes": security_schemes(),
        },
    }))
}

fn info() -> Value {
    json!({
        "title": "Rapport",
        "version": env!("CARGO_PKG_VERSION"),
        "summary": "A headless CRM",
        "description": include_str!("openapi/introduction.md"),
        "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
    })
}

fn tags(kinds: &[Kind]) -> Value {
    let resources = kinds
        .iter()
        .map(|kind| json!({ "name": operations::tag(*kind), "description": operations::about(*kind) }));
    let others = [
        (
            "Changes",
            "The change feed: every change of every record, in commit order.",
        ),
        ("Auth", "Tokens: how people and programs get, renew and revoke them."),
        ("Operation", "Limits, health and metrics, and the documentation itself."),
    ];
    let others = others.map(|(name, description)| json!({ "name": name, "description": description }));
    resources.chain(others).collect()
}

fn security_schemes() -> Value {
    let scopes: Map<String, Value> = Permission::all()
        .map(|scope| (scope.to_string(), Value::from(meaning(scope))))
        .collect();
    json!({
        "bearer": {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "An access token, from `POST /v1/auth/login`, `POST /v1/auth/token` or `rapport token`.",
        },
        "oauth2": {
            "type": "oauth2",
            "description": "For programs: a service account's id and secret.",
            "flows": { "clientCredentials": { "tokenUrl": "/v1/auth/token", "scopes": scopes } },
        },
        "client": {
            "type": "http", "scheme": "basic",
            "description": "A service account's id and secret, at the token endpoint.",
        },
    })
}

fn meaning(scope: Permission) -> String {
    match scope {
        Permission::Read(kind) => format!("Read {}", operations::words(kind.plural())),
        Permission::Write(kind) => format!("Read and write {}", operations::words(kind.plural())),
        Permission::ReadChanges => "Follow the change feed".to_owned(),
        Permission::Purge => "Remove records for good".to_owned(),
        Permission::Admin => "Administer the tenant".to_owned(),
    }
}

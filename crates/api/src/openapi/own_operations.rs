//! Operations that stand before their handlers as `#[utoipa::path]`, brought to the form of the generic ones.

use super::components::{Components, Form, reference, schema_name};
use super::operations::{self, security};
use super::parameters::{header, parameter};
use super::samples;
use super::schemas::{unwrap_descriptions, without_null};
use crate::endpoint::{Description, Endpoint};
use domain::Kind;
use domain::operation::scopes::Scope as Permission;
use serde_json::{Value, json};
use utoipa::openapi::OpenApi;

/// What the document says of an endpoint: nothing of pages.
pub(super) fn described(endpoint: &Endpoint, components: &mut Components) -> Option<Value> {
    match endpoint.description {
        Description::Generic(describe) => Some(describe(components)),
        Description::Own(document) => Some(own(endpoint, document(), components)),
        Description::Page => None,
    }
}

fn own(endpoint: &Endpoint, document: OpenApi, components: &mut Components) -> Value {
    let method = endpoint.method.as_str().to_lowercase();
    let json = serde_json::to_value(&document).unwrap_or_default();
    components.learn(
        document
            .components
            .into_iter()
            .flat_map(|components| components.schemas),
    );
    let mut operation = json["paths"][&endpoint.path][&method].clone();
    unwrap_descriptions(&mut operation);
    let summary = operation["summary"].as_str().unwrap_or_default();
    operation["summary"] = summary.trim_end_matches('.').into();
    operation["parameters"] = components.turned(&operation["parameters"], Form::Sent);
    for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
        without_null(&mut parameter["schema"]);
    }
    let body = operation
        .get_mut("requestBody")
        .and_then(|body| body.get_mut("content")?.as_object_mut());
    for (_, content) in body.into_iter().flatten() {
        without_null(&mut content["schema"]);
        content["schema"] = components.turned(&content["schema"], Form::Set);
        let name = content["schema"]["$ref"]
            .as_str()
            .and_then(|target| target.rsplit('/').next());
        if let Some(example) = name.map(|name| samples::settable(components, name)) {
            content["example"] = example;
        }
    }
    operation["responses"] = components.turned(&operation["responses"], Form::Sent);
    for (_, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        let content = response
            .get_mut("content")
            .and_then(|content| content.get_mut("application/json"));
        if let Some(content) = content.filter(|content| !content["schema"]["$ref"].is_null()) {
            content["example"] = samples::sent(components, &content["schema"]);
        }
    }
    if let Some(members) = operation.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    if let Some(kind) = endpoint.kind {
        of_resource(&mut operation, kind, &method);
    }
    if operation["security"].is_null() {
        operation["security"] = json!([{ "bearer": [] }]);
    }
    operation
}

/// An operation of a resource has the tag, the scope and the habits of it. One that states no scope of its own is made
/// with `Reading` or `Writing` of the kind, and takes what those take.
fn of_resource(operation: &mut Value, kind: Kind, method: &str) {
    operation["tags"] = json!([operations::tag(kind)]);
    let reads = method == "get";
    let mut takes = if reads {
        vec![]
    } else {
        vec!["DryRun", "IdempotencyKey"]
    };
    if operation["security"].is_null() {
        let scope = if reads {
            Permission::Read(kind)
        } else {
            Permission::Write(kind)
        };
        operation["security"] = security(&[scope]);
        takes.splice(0..0, ["IfMatch"].into_iter().filter(|_| !reads));
    }
    let mut all = operation["parameters"].as_array().cloned().unwrap_or_default();
    for own in all.iter_mut().filter(|own| own["in"] == "path" && own["name"] == "id") {
        *own = parameter("Id");
    }
    all.extend(takes.into_iter().map(parameter));
    operation["parameters"] = all.into();
    let responses = operation["responses"].as_object_mut().into_iter().flatten();
    for (_, response) in responses.filter(|(status, _)| !reads && status.starts_with('2')) {
        response["headers"]["Idempotency-Replayed"] = header("IdempotencyReplayed");
        let is_record =
            response["content"]["application/json"]["schema"]["$ref"] == reference(&schema_name(kind))["$ref"];
        if is_record {
            response["headers"]["ETag"] = header("ETag");
        }
    }
}

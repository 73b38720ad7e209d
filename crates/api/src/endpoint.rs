//! One list of endpoints mounts the routes and writes the API document: neither can lack what the other has.

use crate::openapi::Components;
use actix_web::http::Method;
use actix_web::{Resource, Scope, web};
use domain::Kind;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::openapi::OpenApi;

/// A path with a method, what answers it, and what the API document says of it.
pub(crate) struct Endpoint {
    /// The method.
    pub(crate) method: Method,
    /// The whole path, with `{id}` and its like.
    pub(crate) path: String,
    /// The kind of record it reads or writes, where it is one of a resource.
    pub(crate) kind: Option<Kind>,
    /// What the API document says of it.
    pub(crate) description: Description,
    handler: fn() -> actix_web::Route,
}

/// Where the description of an endpoint comes from.
#[derive(Clone, Copy)]
pub(crate) enum Description {
    /// It is written for every resource alike.
    Generic(fn(&mut Components) -> Value),
    /// It stands before the handler, as `#[utoipa::path]`.
    Own(fn() -> OpenApi),
}

impl Endpoint {
    /// An endpoint that every resource has.
    pub(crate) fn generic(
        kind: Kind,
        method: Method,
        path: String,
        handler: fn() -> actix_web::Route,
        description: fn(&mut Components) -> Value,
    ) -> Self {
        Self {
            method,
            path,
            kind: Some(kind),
            description: Description::Generic(description),
            handler,
        }
    }

    /// An endpoint whose path and method stand in `#[utoipa::path]` before its handler; see [`endpoint!`].
    pub(crate) fn own(description: fn() -> OpenApi, handler: fn() -> actix_web::Route) -> Self {
        let document = serde_json::to_value(description()).unwrap_or_default();
        let path = document["paths"].as_object().and_then(|paths| paths.iter().next());
        let (path, item) = path.map_or((String::new(), &Value::Null), |(path, item)| (path.clone(), item));
        let mut methods = item.as_object().into_iter().flat_map(|item| item.keys());
        let method = methods.find_map(|name| Method::from_bytes(name.to_uppercase().as_bytes()).ok());
        let segments: Vec<&str> = path.split('/').collect();
        let kind = segments.get(2).and_then(|plural| Kind::from_plural(plural));
        Self {
            method: method.unwrap_or(Method::GET),
            path,
            kind,
            description: Description::Own(description),
            handler,
        }
    }

    fn route(&self) -> actix_web::Route {
        (self.handler)().method(self.method.clone())
    }
}

/// An endpoint, by the path of its handler, before which `#[utoipa::path]` says where it is found.
///
/// ```text
/// endpoint!(crate::changes::list_changes)
/// ```
macro_rules! endpoint {
    ($($segment:ident)::+) => {{
        #[derive(utoipa::OpenApi)]
        #[openapi(paths($($segment)::+))]
        struct Documented;
        $crate::endpoint::Endpoint::own(<Documented as utoipa::OpenApi>::openapi, || actix_web::web::to($($segment)::+))
    }};
}
pub(crate) use endpoint;

/// Mounts endpoints: those under `/v1` in a scope for each name that follows, so that a request is compared with a
/// handful of paths and not with all.
pub(crate) fn mount(endpoints: &[Endpoint], config: &mut web::ServiceConfig) {
    let mut scopes: BTreeMap<&str, Scope> = BTreeMap::new();
    for group in by_path(endpoints) {
        let path = group.first().map_or("", |endpoint| &endpoint.path);
        if let Some(rest) = path.strip_prefix("/v1/") {
            let (name, rest) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
            let scope = scopes.remove(name).unwrap_or_else(|| web::scope(name));
            scopes.insert(name, scope.service(resource(rest, &group)));
        } else {
            config.service(resource(path, &group));
        }
    }
    let v1 = scopes.into_values().fold(web::scope("/v1"), Scope::service);
    config.service(v1);
}

/// A path that answers 405 with `Allow` to methods it does not have.
pub(crate) fn on(path: &str) -> Resource {
    web::resource(path.to_owned())
}

fn resource(path: &str, endpoints: &[&Endpoint]) -> Resource {
    endpoints
        .iter()
        .map(|endpoint| endpoint.route())
        .fold(on(path), Resource::route)
}

/// The endpoints of each path, fixed names before parameters: `/batch` before `/{id}`.
fn by_path(endpoints: &[Endpoint]) -> impl Iterator<Item = Vec<&Endpoint>> {
    let mut groups: BTreeMap<Vec<(bool, &str)>, Vec<&Endpoint>> = BTreeMap::new();
    for endpoint in endpoints {
        let segments = endpoint.path.split('/');
        let key = segments.map(|segment| (segment.starts_with('{'), segment));
        groups.entry(key.collect()).or_default().push(endpoint);
    }
    groups.into_values()
}

//! What an endpoint is. One list of them leads the requests and writes the API document: neither can lack what the other
//! has.

use crate::openapi::Components;
use actix_web::Route;
use actix_web::http::Method;
use domain::Kind;
use serde_json::Value;
use utoipa::openapi::OpenApi;

/// A path with a method, what answers it, and what the API document says of it.
pub(crate) struct Endpoint {
    /// The method.
    pub(crate) method: Method,
    /// The whole path, with `{id}` and its like, and with `{*rest}` for all that follows.
    pub(crate) path: String,
    /// The kind of record it reads or writes, where it is one of a resource.
    pub(crate) kind: Option<Kind>,
    /// What the API document says of it.
    pub(crate) description: Description,
    handler: fn() -> Route,
}

/// Where the description of an endpoint comes from.
#[derive(Clone, Copy)]
pub(crate) enum Description {
    /// It is written for every resource alike.
    Generic(fn(&mut Components) -> Value),
    /// It stands before the handler, as `#[utoipa::path]`.
    Own(fn() -> OpenApi),
    /// There is none: it is a page for people to read.
    Page,
}

impl Endpoint {
    /// An endpoint that every resource has.
    pub(crate) fn generic(
        kind: Kind,
        method: Method,
        path: String,
        handler: fn() -> Route,
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
    pub(crate) fn own(description: fn() -> OpenApi, handler: fn() -> Route) -> Self {
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

    /// A page that people read, which the API document leaves out.
    pub(crate) fn page(path: &str, handler: fn() -> Route) -> Self {
        Self {
            method: Method::GET,
            path: path.to_owned(),
            kind: None,
            description: Description::Page,
            handler,
        }
    }

    /// What answers, of whatever method: which one it is for is known before it is asked.
    pub(crate) fn route(&self) -> Route {
        (self.handler)()
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

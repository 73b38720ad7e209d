//! Finds what answers a request: first by its path, in a tree that all workers share, then by its method. There are no
//! regular expressions in it, which took an eighth of a read by key (docs/decisions/0025).

use crate::endpoint::Endpoint;
use crate::problem::Problem;
use crate::service::ENDPOINTS;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse, always_ready, fn_factory};
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::{Error, HttpMessage, ResponseError, Route, dev::Service};
use futures_util::future::{LocalBoxFuture, ready};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The path of the endpoint that a request was led to, with `{id}` and its like: an extension of the request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MatchedPath(pub(crate) &'static str);

/// Every path, and what it has; see [`check`].
static PATHS: LazyLock<Result<Paths, matchit::InsertError>> = LazyLock::new(|| paths(&ENDPOINTS));

type Paths = matchit::Router<Methods>;

/// The methods of a path.
struct Methods {
    path: &'static str,
    /// Each with its place among the endpoints.
    endpoints: Vec<(usize, &'static Endpoint)>,
}

impl Methods {
    /// Where the endpoint of the method is.
    fn place(&self, method: &actix_web::http::Method) -> Option<usize> {
        let found = self.endpoints.iter().find(|(_, endpoint)| endpoint.method == *method);
        found.map(|(place, _)| *place)
    }

    /// The value of `Allow` (RFC 9110 section 10.2.1).
    fn allow(&self) -> Option<HeaderValue> {
        let names: Vec<&str> = self.endpoints.iter().map(|(_, other)| other.method.as_str()).collect();
        HeaderValue::from_str(&names.join(", ")).ok()
    }
}

fn paths(endpoints: &'static [Endpoint]) -> Result<Paths, matchit::InsertError> {
    let mut by_path: BTreeMap<&'static str, Vec<_>> = BTreeMap::new();
    for place in endpoints.iter().enumerate() {
        by_path.entry(&place.1.path).or_default().push(place);
    }
    let mut paths = Paths::new();
    for (path, endpoints) in by_path {
        paths.insert(path, Methods { path, endpoints })?;
    }
    Ok(paths)
}

/// Builds the tree, once for all workers.
///
/// # Errors
/// [`matchit::InsertError`] where two paths cannot be told apart, or one is malformed: a fault of the program.
pub(crate) fn check() -> Result<(), &'static matchit::InsertError> {
    PATHS.as_ref().map(|_| ())
}

/// What answers every request of a worker.
pub(crate) fn router()
-> impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse, Error = Error, InitError = ()> {
    fn_factory(|| async {
        let paths = PATHS.as_ref().map_err(|_| ())?;
        let mut services = Vec::with_capacity(ENDPOINTS.len());
        for endpoint in ENDPOINTS.iter() {
            services.push(endpoint.route().new_service(()).await?);
        }
        Ok(Router { paths, services })
    })
}

/// What the endpoints answer with, made for one worker.
struct Router {
    paths: &'static Paths,
    /// In the order of the endpoints.
    services: Vec<<Route as ServiceFactory<ServiceRequest>>::Service>,
}

impl Service<ServiceRequest> for Router {
    type Response = ServiceResponse;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<ServiceResponse, Error>>;

    always_ready!();

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let Ok(found) = self.paths.at(request.match_info().as_str()) else {
            return refused(request, &Problem::not_found(), None);
        };
        let methods = found.value;
        let parameters = found.params.iter().map(|(name, value)| (name, value.to_owned()));
        let parameters: Vec<(&'static str, String)> = parameters.collect();
        request.extensions_mut().insert(MatchedPath(methods.path));
        let service = methods
            .place(request.method())
            .and_then(|place| self.services.get(place));
        let Some(service) = service else {
            let problem = Problem::new("method_not_allowed", "this resource does not have that method");
            return refused(request, &problem, methods.allow());
        };
        for (name, value) in parameters {
            request.match_info_mut().add_static(name, value);
        }
        service.call(request)
    }
}

fn refused(
    request: ServiceRequest,
    problem: &Problem,
    allow: Option<HeaderValue>,
) -> LocalBoxFuture<'static, Result<ServiceResponse, Error>> {
    let mut response = problem.error_response();
    if let Some(allow) = allow {
        response.headers_mut().insert(ALLOW, allow);
    }
    Box::pin(ready(Ok(request.into_response(response))))
}

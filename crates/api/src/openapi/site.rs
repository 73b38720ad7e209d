//! The document as it is served, with Swagger UI beside it, and the front page that leads there.

use crate::caller::authenticate;
use crate::endpoint::Endpoint;
use crate::problem::Problem;
use crate::state::State;
use actix_web::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, IF_NONE_MATCH, LOCATION, VARY,
};
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::{Arc, LazyLock};
use store::custom_values;
use utoipa_swagger_ui::Config;

/// Swagger UI styles elements directly, and draws icons from data URLs; nothing else is let in.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

struct Document {
    bytes: web::Bytes,
    etag: String,
}

impl Document {
    fn of(document: &Value) -> Self {
        let text = document.to_string();
        let digest = Sha256::digest(text.as_bytes());
        let tag = URL_SAFE_NO_PAD.encode(&digest[..12]);
        Self {
            bytes: text.into(),
            etag: format!("\"{tag}\""),
        }
    }

    /// That of the tenant of who asks.
    async fn of_tenant(state: &State, request: &HttpRequest) -> Result<Self, Problem> {
        let caller = authenticate(state, request).await?;
        let catalogue = state.store.read(&caller.scope, custom_values::catalogue).await?;
        // Some megabytes are written anew: not where others wait.
        let written = web::block(move || {
            let mut document = serde_json::from_slice(&EVERYBODYS.bytes)?;
            super::tenant_document::tell(&mut document, &catalogue);
            Ok(Self::of(&document))
        });
        let written: Result<_, serde_json::Error> =
            written.await.map_err(|error| Problem::internal(&error.to_string()))?;
        written.map_err(|error| Problem::internal(&error.to_string()))
    }

    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let known = request.headers().get(IF_NONE_MATCH);
        let known = known.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_known = known
            .split(',')
            .any(|tag| tag.trim().trim_start_matches("W/") == self.etag);
        let mut response = if is_known {
            HttpResponse::NotModified()
        } else {
            HttpResponse::Ok()
        };
        response
            .insert_header((ETAG, self.etag.as_str()))
            .insert_header((CACHE_CONTROL, "no-cache"))
            .insert_header((VARY, AUTHORIZATION.as_str()));
        if is_known {
            return response.finish();
        }
        response.content_type("application/json").body(self.bytes.clone())
    }
}

/// The one that everybody gets who does not say who asks. Only its text is kept: the tree takes ten times the memory.
static EVERYBODYS: LazyLock<Document> = LazyLock::new(|| Document::of(&super::document(&crate::service::ENDPOINTS)));

static SWAGGER_UI: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    let config = Config::from("/openapi.json")
        .persist_authorization(false)
        .try_it_out_enabled(true);
    Arc::new(config.deep_linking(true).display_request_duration(true).filter(true))
});

/// Where that is which people look at.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::page("/", || web::to(front_page)),
        Endpoint::page("/docs", || web::to(to_docs)),
        Endpoint::page("/docs/", || web::to(docs)),
        Endpoint::page("/docs/{*file}", || web::to(docs)),
    ]
}

/// Get this document.
///
/// With an access token it tells the custom fields of the tenant, too.
#[utoipa::path(get, path = "/openapi.json", tag = "Operation", operation_id = "get_openapi",
    responses((status = 200, description = "The API document", body = Object)), security((), ("bearer" = [])))]
pub(crate) async fn get_openapi(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, Problem> {
    if request.headers().contains_key(AUTHORIZATION) {
        return Ok(Document::of_tenant(&state, &request).await?.answer(&request));
    }
    Ok(EVERYBODYS.answer(&request))
}

async fn to_docs() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, "/docs/"))
        .finish()
}

async fn docs(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let file = request.match_info().query("file");
    let found = utoipa_swagger_ui::serve(file, Arc::clone(&SWAGGER_UI));
    let file = found
        .map_err(|error| Problem::internal(&error.to_string()))?
        .ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .content_type(file.content_type)
        .body(file.bytes.to_vec()))
}

async fn front_page() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"))
        .content_type("text/html; charset=utf-8")
        .body(include_str!("front_page.html"))
}

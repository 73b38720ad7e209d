//! The document as it is served, with Swagger UI beside it, and the front page that leads there.

use crate::endpoint::on;
use crate::problem::Problem;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, IF_NONE_MATCH, LOCATION};
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::sync::{Arc, LazyLock};
use utoipa_swagger_ui::Config;

/// Swagger UI styles elements directly, and draws icons from data URLs; nothing else is let in.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

struct Document {
    bytes: web::Bytes,
    etag: String,
}

static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
    let text = super::compact_json();
    let digest = Sha256::digest(text.as_bytes());
    let tag = URL_SAFE_NO_PAD.encode(&digest[..12]);
    Document {
        bytes: text.into(),
        etag: format!("\"{tag}\""),
    }
});

static SWAGGER_UI: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    let config = Config::from("/openapi.json")
        .persist_authorization(false)
        .try_it_out_enabled(true);
    Arc::new(config.deep_linking(true).display_request_duration(true).filter(true))
});

/// Mounts what people look at.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(on("/").route(web::get().to(front_page)))
        .service(on("/docs").route(web::get().to(to_docs)))
        .service(on("/docs/{file:.*}").route(web::get().to(docs)));
}

/// Get this document.
#[utoipa::path(get, path = "/openapi.json", tag = "Operation", operation_id = "get_openapi",
    responses((status = 200, description = "The API document", body = Object)), security(()))]
pub(crate) async fn get_openapi(request: HttpRequest) -> HttpResponse {
    let Document { bytes, etag } = &*DOCUMENT;
    let known = request
        .headers()
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    if known.is_some_and(|tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag)) {
        return HttpResponse::NotModified()
            .insert_header((ETAG, etag.as_str()))
            .finish();
    }
    HttpResponse::Ok()
        .insert_header((ETAG, etag.as_str()))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .content_type("application/json")
        .body(bytes.clone())
}

async fn to_docs() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, "/docs/"))
        .finish()
}

async fn docs(file: web::Path<String>) -> Result<HttpResponse, Problem> {
    let found = utoipa_swagger_ui::serve(&file, Arc::clone(&SWAGGER_UI));
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

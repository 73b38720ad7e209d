//! The pages that a problem's `type` leads to, made from the one table of problems.

use crate::problem::{PROBLEMS, Problem, ProblemKind};
use crate::resource::on;
use actix_web::{HttpResponse, web};

/// Mounts the pages.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(on("/problems").route(web::get().to(index)))
        .service(on("/problems/{code}").route(web::get().to(page)));
}

async fn index() -> HttpResponse {
    let entries: String = PROBLEMS.iter().map(section).collect();
    html(&format!("<h1>Problems</h1>{entries}"))
}

async fn page(code: web::Path<String>) -> Result<HttpResponse, Problem> {
    let kind = PROBLEMS
        .iter()
        .find(|kind| kind.code == code.as_str())
        .ok_or_else(Problem::not_found)?;
    Ok(html(&section(kind)))
}

fn section(kind: &ProblemKind) -> String {
    let ProblemKind {
        code,
        status,
        title,
        advice,
    } = kind;
    let advice = advice.replace('&', "&amp;").replace('<', "&lt;");
    format!("<h2 id=\"{code}\">{status} {title}</h2><p><code>{code}</code></p><p>{advice}</p>")
}

fn html(body: &str) -> HttpResponse {
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Rapport: problems</title><body>{body}</body></html>"
    );
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page)
}

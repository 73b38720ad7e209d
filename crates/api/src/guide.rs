//! The guide: the pages of `docs/`, compiled in and served as HTML.

use crate::endpoint::Endpoint;
use crate::problem::Problem;
use actix_web::{HttpResponse, web};
use pulldown_cmark::{Options, Parser, html};

/// The pages, by the name of their file.
const PAGES: &[(&str, &str)] = &[
    ("conventions", include_str!("../../../docs/conventions.md")),
    ("customers", include_str!("../../../docs/customers.md")),
    ("rules", include_str!("../../../docs/rules.md")),
    ("custom_fields", include_str!("../../../docs/custom_fields.md")),
    ("calendar", include_str!("../../../docs/calendar.md")),
    ("import", include_str!("../../../docs/import.md")),
    ("tickets", include_str!("../../../docs/tickets.md")),
    ("segments", include_str!("../../../docs/segments.md")),
    ("documents", include_str!("../../../docs/documents.md")),
    ("operation", include_str!("../../../docs/operation.md")),
];

const STYLE: &str = "body{max-width:52rem;margin:2rem auto;padding:0 1rem;font:16px/1.5 system-ui,sans-serif;color:#1b1f24}\
    pre{background:#f4f5f7;padding:.8rem;overflow-x:auto}code{font-size:.9em}\
    table{border-collapse:collapse}td,th{border:1px solid #d5d9e0;padding:.3rem .6rem;text-align:left;vertical-align:top}";

/// Where the pages are.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::page("/guide", || web::to(index)),
        Endpoint::page("/guide/{page}", || web::to(page)),
    ]
}

async fn index() -> HttpResponse {
    let links: Vec<_> = PAGES
        .iter()
        .map(|(name, _)| format!("- [{name}](/guide/{name})"))
        .collect();
    let links = links.join("\n");
    answer(
        "Guide",
        &format!("# Rapport\n\n{links}\n- [reference](/docs)\n- [problems](/problems)\n"),
    )
}

async fn page(name: web::Path<String>) -> Result<HttpResponse, Problem> {
    // A link between the files of docs/ names the file.
    let name = name.strip_suffix(".md").unwrap_or(&name);
    let page = PAGES.iter().find(|(other, _)| *other == name);
    page.map(|(name, markdown)| answer(name, markdown))
        .ok_or_else(Problem::not_found)
}

fn answer(title: &str, markdown: &str) -> HttpResponse {
    let mut body = String::new();
    html::push_html(&mut body, Parser::new_ext(markdown, Options::ENABLE_TABLES));
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Rapport: {title}</title>\
         <style>{STYLE}</style><body>{body}</body></html>"
    );
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page)
}

//! What documents have beyond every resource: their content, with its versions.

use crate::access::{Reading, Uploading, Writing};
use crate::customer::document_duties::settle;
use crate::customer::document_uploads::digest_header;
use crate::endpoint::{Endpoint, endpoint};
use crate::history;
use crate::list::PageInfo;
use crate::openapi::generic_endpoints as resource;
use crate::preconditions::{expected_contents, is_known_tag};
use crate::problem::Problem;
use crate::ranges::{Wanted, wanted};
use crate::reply;
use crate::resource::{Id, draft};
use actix_web::body::SizedStream;
use actix_web::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LOCATION, CONTENT_RANGE, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, Charset, ContentDisposition, DispositionParam, DispositionType, ETAG, ExtendedValue, HeaderMap,
    HeaderName, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use domain::customer::documents::{Disposition, Document, DocumentFields, DocumentVersion, NewContent};
use domain::record::Fields;
use domain::{Fault, Refusal, input};
use futures_util::TryStreamExt;
use serde::Serialize;
use serde_json::{Value, json};
use std::ops::Range;
use store::customer::document_versions::{self, Known};
use store::idempotency::{Header, Reply};
use store::records::Outcome;
use store::{Error, Transaction};
use utoipa::ToSchema;

/// The endpoints of documents.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = resource::<Document>();
    endpoints.extend([
        endpoint!(crate::customer::documents::upload_document),
        endpoint!(crate::customer::documents::put_document_content),
        endpoint!(crate::customer::documents::get_document_content),
        endpoint!(crate::customer::documents::list_document_versions),
    ]);
    endpoints
}

/// A file as it is.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary, min_length = 1)]
#[expect(dead_code, reason = "content streams, and never stands in memory as a whole")]
struct File(Vec<u8>);

/// Create a document with its content.
///
/// The body is the file as it is, of any media type that this service takes; what the document is called and what it
/// belongs to stands in the query. Whatever else a document has can be set afterwards. Nothing is kept unless the whole
/// file has arrived.
#[utoipa::path(post, path = "/v1/documents/upload", tag = "Documents", operation_id = "upload_document",
    params(
        ("subject_type" = domain::Kind, Query, description = "The kind of the record it belongs to; not `document`"),
        ("subject_id" = String, Query, description = "The record it belongs to: its id, or `by/{system}/{external_id}`",
            pattern = r"^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|by/[^/]{1,64}/[\s\S]{1,255})$"),
        ("name" = String, Query, description = "The file name", min_length = 1, max_length = 255,
            pattern = r"^[^\u0000-\u001f\u007f-\u009f/\\\u200e\u200f\u202a-\u202e\u2066-\u2069]+$"),
        ("description" = Option<String>, Query, description = "What is in it", max_length = 2000,
            pattern = r"^[^\u0000]*$"),
        ("Content-Digest" = Option<String>, Header, description = "The SHA-256 of the body, as `sha-256=:base64:` (RFC 9530): another body is refused.",
            pattern = "^sha-256=:[A-Za-z0-9+/]{43}=:$"),
    ),
    request_body(content = inline(File), content_type = "*/*", description = "The file"),
    responses((status = 201, description = "The document", body = Document)),
    security(("bearer" = []), ("oauth2" = ["documents:write"])))]
pub(crate) async fn upload_document(
    request: HttpRequest,
    mut uploading: Uploading<Document>,
) -> Result<HttpResponse, Problem> {
    let body = described(&mut uploading.writing)?;
    let draft = draft::<Document>(body)?;
    receive(&request, uploading, move |tx, content| {
        let document = document_versions::upload(tx, draft.clone(), content)?;
        Ok(reply::of_record(document, Outcome::Created))
    })
    .await
}

/// What the query says about a new document, as the body of a create.
fn described(writing: &mut Writing<Document>) -> Result<Value, Problem> {
    const PARAMETERS: [(&str, &str); 4] = [
        ("subject_type", "/subject/type"),
        ("subject_id", "/subject/id"),
        ("name", "/name"),
        ("description", "/description"),
    ];
    let mut body = json!({ "subject": {} });
    for (parameter, pointer) in PARAMETERS {
        let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
        if let (Some(text), Some(parent)) = (writing.query.take(parameter), body.pointer_mut(parent)) {
            parent[name] = text.into();
        }
    }
    let mut read = body.clone();
    if let Some(id) = read
        .pointer_mut("/subject/id")
        .filter(|id| id.as_str().is_some_and(|id| id.starts_with("by/")))
    {
        // It is found out with the rest of the work; here it is only in the way.
        *id = json!(uuid::Uuid::nil());
    }
    let faults = match input::parse::<DocumentFields>(&read) {
        Err(faults) => faults,
        Ok(fields) => match fields.checked() {
            Err(Refusal::Invalid(faults)) => faults,
            _ => Vec::new(),
        },
    };
    let of_parameter = |fault: Fault| {
        let parameter = PARAMETERS.iter().find(|(_, pointer)| *pointer == fault.pointer);
        Fault::new(
            format!("?{}", parameter.map_or("subject_type", |(name, _)| name)),
            &fault.code,
            fault.message,
        )
    };
    writing.query.add_faults(faults.into_iter().map(of_parameter).collect());
    std::mem::take(&mut writing.query).finish()?;
    Ok(body)
}

/// Put the content of a document.
///
/// The body is the file as it is, of any media type that this service takes, and becomes the next version of the
/// content. Content that the document has already makes no version. Nothing is kept unless the whole file has arrived.
/// `If-Match` takes the `ETag` of the document or that of its content.
#[utoipa::path(put, path = "/v1/documents/{id}/content", tag = "Documents", operation_id = "put_document_content",
    params(
        ("id" = uuid::Uuid, Path, description = "The document"),
        ("Content-Digest" = Option<String>, Header, description = "The SHA-256 of the body, as `sha-256=:base64:` (RFC 9530): another body is refused.",
            pattern = "^sha-256=:[A-Za-z0-9+/]{43}=:$"),
    ),
    request_body(content = inline(File), content_type = "*/*", description = "The file"),
    responses(
        (status = 200, description = "The document, which had content before", body = Document,
            headers(("Content-Location" = String, description = "The document, whose `ETag` this is"))),
        (status = 201, description = "The document, which had no content before", body = Document,
            headers(("Content-Location" = String, description = "The document, whose `ETag` this is"))),
    ))]
pub(crate) async fn put_document_content(
    id: Id,
    request: HttpRequest,
    mut uploading: Uploading<Document>,
) -> Result<HttpResponse, Problem> {
    let writing = &mut uploading.writing;
    std::mem::take(&mut writing.query).finish()?;
    let known = Known {
        record: writing.expected.clone(),
        contents: expected_contents(request.headers()),
    };
    if !writing.may_be_repeated() {
        // So that nobody sends a file in vain. A repeated request gets its answer whatever has happened since.
        let (scope, known) = (&writing.caller.scope, known.clone());
        let expected = writing
            .state
            .store
            .read(scope, move |tx| document_versions::expect(tx, id.0, &known));
        expected.await?;
    }
    receive(&request, uploading, move |tx, content| {
        let (document, outcome) = document_versions::put(tx, id.0, &known, content)?;
        let is_first = outcome == Outcome::Updated && document.state.content_version == 1;
        let location = Header(CONTENT_LOCATION.to_string(), reply::location(&document));
        let mut reply = reply::of_record(document, outcome);
        reply.status = if is_first { 201 } else { 200 };
        reply.headers.push(location);
        Ok(reply)
    })
    .await
}

/// Takes the body in, and does with it what is to be done in one write.
async fn receive<F>(request: &HttpRequest, uploading: Uploading<Document>, work: F) -> Result<HttpResponse, Problem>
where
    F: Fn(&mut Transaction<'_>, &NewContent) -> Result<Reply, Error> + Send + 'static,
{
    let Uploading { writing, mut payload } = uploading;
    let (state, scope, keep) = (
        writing.state.clone(),
        writing.caller.scope.clone(),
        !writing.is_dry_run(),
    );
    let announced = state.documents.announced(request.headers())?;
    let content = state.documents.receive(scope.tenant.id, announced, &mut payload, keep);
    let content = content.await?;
    let object = content.object;
    let sent = json!({ "content_type": content.content_type.to_string(), "sha256": content.sha256 });
    let writing = writing.having_read(request, &sent);
    let answer = writing.run(move |tx| work(tx, &content)).await;
    // After a failure of ours nobody knows whether it was kept; then it is left to the duty that removes orphans.
    let is_settled = answer.as_ref().map_or_else(|problem| problem.status() < 500, |_| true);
    if keep && is_settled {
        settle(&state, &scope, object).await;
    }
    answer
}

/// Get the content of a document.
///
/// Streams the file. `Range` gets a part of it, `If-None-Match` nothing when the client has it already. Browsers are
/// told to save it, not to guess its type, and to run nothing that is in it.
#[utoipa::path(get, path = "/v1/documents/{id}/content", tag = "Documents", operation_id = "get_document_content",
    params(
        ("id" = uuid::Uuid, Path, description = "The document"),
        ("version" = Option<i64>, Query, description = "A version of the content; by default the newest", minimum = 1),
        ("disposition" = inline(Option<Disposition>), Query, description = "Whether a browser is to save it, which is the default, or to show it"),
        ("Range" = Option<String>, Header, description = "The part that is wanted, such as `bytes=0-1023`; several parts at once get the whole."),
        ("If-Range" = Option<String>, Header, description = "The `ETag` of the content of which the client has another part already."),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the content as the client has it: when it is still so, the answer is 304 without a body."),
    ),
    responses(
        (status = 200, description = "The file", body = inline(File), content_type = "*/*", headers(
            ("ETag" = String, description = "The SHA-256 of the content in hexadecimal, in quotes"),
            ("Content-Disposition" = String, description = "What to do with it, and the file name (RFC 6266)"),
            ("Repr-Digest" = String, description = "The SHA-256 of the whole content (RFC 9530)"),
        )),
        (status = 206, description = "The part of the file that was asked for", body = inline(File), content_type = "*/*", headers(
            ("ETag" = String, description = "The SHA-256 of the whole content in hexadecimal, in quotes"),
            ("Content-Range" = String, description = "Which part it is, and how many bytes there are in all"),
        )),
        (status = 304, description = "It is as the client has it",
            headers(("ETag" = String, description = "The SHA-256 of the content in hexadecimal, in quotes"))),
        (status = 416, description = "There is no such part"),
    ))]
pub(crate) async fn get_document_content(
    id: Id,
    request: HttpRequest,
    mut reading: Reading<Document>,
) -> Result<HttpResponse, Problem> {
    let number = reading.query.take_number("version", 1..=i64::MAX);
    let disposition = reading.query.take_as("disposition", "attachment or inline");
    let disposition = disposition.unwrap_or(Disposition::Attachment);
    std::mem::take(&mut reading.query).finish()?;
    let found = reading.run(move |tx| document_versions::find(tx, id.0, number));
    let (document, version) = found.await?;
    let etag = format!("\"{}\"", version.sha256);
    if is_known_tag(request.headers(), &etag) {
        return Ok(HttpResponse::NotModified().insert_header((ETAG, etag)).finish());
    }
    let size = u64::try_from(version.size).unwrap_or_default();
    let (mut response, range) = range_of(request.headers(), &etag, size)?;
    let range_length = range.end - range.start;
    let content = state_blobs(&reading).read(version.tenant_id, version.object, range);
    let content = content
        .await?
        .inspect_err(|error| tracing::warn!(%error, "content broke off"));
    response
        .insert_header((CONTENT_TYPE, version.content_type))
        .insert_header((
            CONTENT_DISPOSITION,
            content_disposition(disposition, &document.fields.name),
        ))
        .insert_header((ETAG, etag))
        .insert_header((REPR_DIGEST, digest_header(&version.sha256)))
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header((CACHE_CONTROL, "private, no-cache"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"));
    Ok(response.body(SizedStream::new(range_length, content)))
}

const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

fn state_blobs(reading: &Reading<Document>) -> &store::Blobs {
    &reading.state.documents.blobs
}

/// The status of the answer, and the bytes it is to have.
fn range_of(headers: &HeaderMap, etag: &str, size: u64) -> Result<(HttpResponseBuilder, Range<u64>), Problem> {
    match wanted(headers, etag, size) {
        Wanted::Whole => Ok((HttpResponse::Ok(), 0..size)),
        Wanted::Part(range) => {
            let mut response = HttpResponse::PartialContent();
            let told = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            response.insert_header((CONTENT_RANGE, told));
            Ok((response, range))
        }
        Wanted::Nothing => {
            let problem = Problem::new("range_not_satisfiable", format!("the content has {size} bytes"));
            Err(problem.with_header(CONTENT_RANGE, format!("bytes */{size}")))
        }
    }
}

/// What to do with the file and what it is called (RFC 6266), for old programs with `_` in place of what is not ASCII.
fn content_disposition(disposition: Disposition, name: &str) -> ContentDisposition {
    let plain = |c: char| {
        if c.is_ascii() && !c.is_control() && c != '%' {
            c
        } else {
            '_'
        }
    };
    let mut parameters = vec![DispositionParam::Filename(name.chars().map(plain).collect())];
    if !name.chars().all(|c| plain(c) == c) {
        parameters.push(DispositionParam::FilenameExt(ExtendedValue {
            charset: Charset::Ext("UTF-8".to_owned()),
            language_tag: None,
            value: name.as_bytes().to_vec(),
        }));
    }
    let disposition = match disposition {
        Disposition::Attachment => DispositionType::Attachment,
        Disposition::Inline => DispositionType::Inline,
    };
    ContentDisposition {
        disposition,
        parameters,
    }
}

/// A page of the versions of a document.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DocumentVersions {
    /// The versions, the oldest first.
    data: Vec<DocumentVersion>,
    /// Where to go on.
    page: PageInfo,
}

/// List the versions of a document.
///
/// Every content that a document has had, the oldest first: its type, size and hash, when it came and from whom.
#[utoipa::path(get, path = "/v1/documents/{id}/versions", tag = "Documents", operation_id = "list_document_versions",
    params(
        ("id" = uuid::Uuid, Path, description = "The document"),
        ("limit" = Option<i64>, Query, description = "Versions on the page", minimum = 1, maximum = 500),
        ("cursor" = Option<String>, Query, description = "Where the page before ended"),
    ),
    responses((status = 200, description = "A page of the versions", body = DocumentVersions)))]
pub(crate) async fn list_document_versions(id: Id, mut reading: Reading<Document>) -> Result<HttpResponse, Problem> {
    let load = move |tx: &mut Transaction<'_>, after, limit| document_versions::page(tx, id.0, after, limit);
    let history = format!("document versions\n{}", id.0);
    let (data, page) = history::page(&mut reading, &history, load, |version| version.id).await?;
    Ok(HttpResponse::Ok().json(DocumentVersions { data, page }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn a_file_keeps_its_name_and_smuggles_nothing() {
        for (name, expected) in [
            ("a b.pdf", r#"attachment; filename="a b.pdf""#),
            (r#"a".exe; x="#, r#"attachment; filename="a\".exe; x=""#),
            (
                "Ängebot 100%.pdf",
                r#"attachment; filename="_ngebot 100_.pdf"; filename*=UTF-8''%C3%84ngebot%20100%25.pdf"#,
            ),
        ] {
            let told = content_disposition(Disposition::Attachment, name).to_string();
            assert_eq!(told, expected);
            assert!(HeaderValue::from_str(&told).is_ok());
        }
    }
}

//! The handlers that every resource has. `openapi::generic_endpoints` says where they are mounted.
//!
//! Each is generic over the kind of record; nothing here knows any kind by name.

use crate::access::{Reading, Writing};
use crate::preconditions::{etag, is_known};
use crate::problem::Problem;
use crate::projection::{Projection, project_one};
use crate::reply;
use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, web};
use domain::operation::scopes::Scope as Permission;
use domain::record::{Checked, ExternalId};
use domain::{Fault, Record, input};
use serde_json::Value;
use sql::ids::RecordId;
use std::str::FromStr;
use std::sync::Arc;
use store::records::{self, Draft, Mode};
use store::references::{self, LocalReferences};
use store::{Error, Stored, Transaction};

/// The id in a path; one that is no UUID names nothing.
pub struct Id(pub RecordId);

impl actix_web::FromRequest for Id {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
        let id = request
            .match_info()
            .get("id")
            .and_then(|text| RecordId::from_str(text).ok());
        std::future::ready(id.map(Self).ok_or_else(Problem::not_found))
    }
}

pub(crate) async fn get<R: Stored>(id: Id, request: HttpRequest, reading: Reading<R>) -> Result<HttpResponse, Problem> {
    one(reading, &request, move |tx| records::get::<R>(tx, id.0)).await
}

pub(crate) async fn get_by<R: Stored>(
    path: web::Path<(String, String)>,
    request: HttpRequest,
    reading: Reading<R>,
) -> Result<HttpResponse, Problem> {
    let (system, id) = path.into_inner();
    one(reading, &request, move |tx| {
        records::get_by_external_id::<R>(tx, &system, &id)
    })
    .await
}

/// Answers one record, trimmed and with what it includes; 304 when the client has it already.
pub async fn one<R: Stored, F>(mut reading: Reading<R>, request: &HttpRequest, find: F) -> Result<HttpResponse, Problem>
where
    F: Fn(&mut Transaction<'_>) -> Result<R, Error> + Send + 'static,
{
    let projection = Projection::taken::<R>(&mut reading.query, &reading.caller)?;
    std::mem::take(&mut reading.query).finish()?;
    let whole = projection.is_whole();
    let (version, body) = reading
        .run_by_key(move |tx| {
            let record = find(tx)?;
            Ok((record.meta().version, project_one(tx, &record, &projection)?))
        })
        .await?;
    let tag = etag(version);
    if whole && is_known(request.headers(), version) {
        return Ok(HttpResponse::NotModified().insert_header((ETAG, tag)).finish());
    }
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, tag))
        .content_type("application/json")
        .body(body))
}

pub(crate) async fn create<R: Stored>(mut writing: Writing<R>) -> Result<HttpResponse, Problem> {
    let draft = draft::<R>(writing.take_body()?)?;
    let refuses = refuses_duplicates(&mut writing);
    writing
        .run(move |tx| {
            if refuses {
                tx.refuse_duplicates();
            }
            let record = records::create::<R>(tx, draft.clone())?;
            Ok(reply::of_record(record, records::Outcome::Created))
        })
        .await
}

/// Reads the settable part now, unless it has what only the store can read: other records by other names, custom values.
pub(crate) fn draft<R: Record>(body: Value) -> Result<Draft<R::Fields>, Problem> {
    if is_for_store(&body) {
        return Ok(Draft::Raw(body, Arc::default()));
    }
    let fields: R::Fields = input::parse(&body).map_err(Problem::invalid)?;
    // What is wrong with it is told by the store, beside custom values that are missing.
    Ok(Checked::of(fields).map_or_else(|_| Draft::Raw(body, Arc::default()), Draft::Ready))
}

/// Whether a body has what only the store can read.
pub(crate) fn is_for_store(body: &Value) -> bool {
    references::any_indirect(body) || body.get("custom").is_some()
}

pub(crate) async fn patch<R: Stored>(id: Id, mut writing: Writing<R>) -> Result<HttpResponse, Problem> {
    let (body, expected) = (writing.take_body()?, writing.expected.clone());
    let prepared = if is_for_store(&body) {
        None
    } else {
        writing.read_ahead(|tx| records::prepare::<R>(tx, id.0, &body))
    };
    writing
        .run(move |tx| {
            let prepared = prepared.as_ref();
            let written = prepared.map(|prepared| records::write_prepared(tx, &expected, prepared));
            let (record, outcome) = match written.transpose()?.flatten() {
                Some(written) => written,
                None => records::patch::<R>(tx, id.0, &expected, body.clone(), &LocalReferences::new())?,
            };
            Ok(reply::of_record(record, outcome))
        })
        .await
}

pub(crate) async fn upsert<R: Stored>(
    path: web::Path<(String, String)>,
    mut writing: Writing<R>,
) -> Result<HttpResponse, Problem> {
    let (system, id) = path.into_inner();
    let known_as = checked_external_id(ExternalId { system, id })?;
    let mode = writing.query.take("mode");
    let mode = mode
        .map_or(Ok(Mode::Upsert), |text| mode_of(&text))
        .map_err(|message| Problem::parameter("mode", "invalid_choice", message))?;
    let (body, expected) = (writing.take_body()?, writing.expected.clone());
    let refuses = refuses_duplicates(&mut writing);
    writing
        .run(move |tx| {
            if refuses {
                tx.refuse_duplicates();
            }
            let (known_as, body) = (known_as.clone(), body.clone());
            let (record, outcome) = records::upsert::<R>(tx, known_as, mode, &expected, body, &Arc::default())?;
            Ok(reply::of_record(record, outcome))
        })
        .await
}

/// Takes `allow_duplicates` where there is such a parameter, and says whether duplicates are to be refused.
pub(crate) fn refuses_duplicates<R: Record>(writing: &mut Writing<R>) -> bool {
    R::REFUSES_DUPLICATES && !writing.query.take_flag("allow_duplicates")
}

/// How an upsert is asked to behave.
pub(crate) fn mode_of(text: &str) -> Result<Mode, &'static str> {
    match text {
        "upsert" => Ok(Mode::Upsert),
        "create_only" => Ok(Mode::CreateOnly),
        "update_only" => Ok(Mode::UpdateOnly),
        _ => Err("must be one of upsert, create_only, update_only"),
    }
}

fn checked_external_id(id: ExternalId) -> Result<ExternalId, Problem> {
    let mut faults = Vec::new();
    domain::validation::check_each("/external_ids", std::slice::from_ref(&id), 1, &mut faults);
    if id.system.contains('\0') || id.id.contains('\0') {
        faults.push(Fault::new("", "invalid_value", "U+0000 is not allowed"));
    }
    if faults.is_empty() {
        Ok(id)
    } else {
        Err(Problem::invalid_parameters(faults))
    }
}

pub(crate) async fn delete<R: Stored>(id: Id, mut writing: Writing<R>) -> Result<HttpResponse, Problem> {
    let purge = writing.query.take_flag("purge");
    if purge {
        writing.caller.require(Permission::Purge)?;
    }
    let expected = writing.expected.clone();
    writing
        .run(move |tx| {
            if purge {
                records::purge::<R>(tx, id.0, &expected)?;
            } else {
                records::delete::<R>(tx, id.0, &expected)?;
            }
            Ok(reply::no_content())
        })
        .await
}

pub(crate) async fn restore<R: Stored>(id: Id, writing: Writing<R>) -> Result<HttpResponse, Problem> {
    writing
        .run(move |tx| {
            let record = records::restore::<R>(tx, id.0)?;
            Ok(reply::of_record(record, records::Outcome::Updated))
        })
        .await
}

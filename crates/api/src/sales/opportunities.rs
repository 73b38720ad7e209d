//! What opportunities have beyond every resource: to win, lose, reopen and move one, and its history.

use crate::access::{Reading, Writing};
use crate::endpoint::{Endpoint, endpoint};
use crate::history;
use crate::list::PageInfo;
use crate::openapi::generic_endpoints as resource;
use crate::problem::Problem;
use crate::reply;
use crate::resource::Id;
use actix_web::HttpResponse;
use domain::Kind;
use domain::operation::scopes::Scope as Permission;
use domain::sales::opportunities::Opportunity;
use domain::sales::opportunity_moves::{Closing, Move, Reopening};
use domain::sales::stage_changes::StageStay;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sql::ids::RecordId;
use store::records::{Expected, Outcome};
use store::sales::{opportunities, stage_changes};
use store::{Error, Transaction, references};
use utoipa::ToSchema;
use validator::Validate;

/// The endpoints of opportunities.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = resource::<Opportunity>();
    endpoints.extend([
        endpoint!(crate::sales::opportunities::win_opportunity),
        endpoint!(crate::sales::opportunities::lose_opportunity),
        endpoint!(crate::sales::opportunities::reopen_opportunity),
        endpoint!(crate::sales::opportunities::move_opportunity),
        endpoint!(crate::sales::opportunities::list_stage_stays),
    ]);
    endpoints
}

/// Win an opportunity.
///
/// Marks an open opportunity as sold: it goes to the first won stage of its pipeline.
#[utoipa::path(post, path = "/v1/opportunities/{id}/win", tag = "Opportunities", operation_id = "win_opportunity",
    params(("id" = uuid::Uuid, Path, description = "The opportunity")),
    request_body = Option<Closing>,
    responses((status = 200, description = "The opportunity", body = Opportunity)))]
pub(crate) async fn win_opportunity(id: Id, writing: Writing<Opportunity>) -> Result<HttpResponse, Problem> {
    act::<Closing, _>(id, writing, opportunities::win).await
}

/// Lose an opportunity.
///
/// Marks an open opportunity as not sold: it goes to the first lost stage of its pipeline.
#[utoipa::path(post, path = "/v1/opportunities/{id}/lose", tag = "Opportunities", operation_id = "lose_opportunity",
    params(("id" = uuid::Uuid, Path, description = "The opportunity")),
    request_body = Option<Closing>,
    responses((status = 200, description = "The opportunity", body = Opportunity)))]
pub(crate) async fn lose_opportunity(id: Id, writing: Writing<Opportunity>) -> Result<HttpResponse, Problem> {
    act::<Closing, _>(id, writing, opportunities::lose).await
}

/// Reopen an opportunity.
///
/// Opens a closed opportunity again; the day and the reason of closing are cleared.
#[utoipa::path(post, path = "/v1/opportunities/{id}/reopen", tag = "Opportunities", operation_id = "reopen_opportunity",
    params(("id" = uuid::Uuid, Path, description = "The opportunity")),
    request_body = Option<Reopening>,
    responses((status = 200, description = "The opportunity", body = Opportunity)))]
pub(crate) async fn reopen_opportunity(id: Id, writing: Writing<Opportunity>) -> Result<HttpResponse, Problem> {
    act::<Reopening, _>(id, writing, opportunities::reopen).await
}

/// Move an opportunity to another stage.
///
/// Moves an opportunity to another stage of its pipeline; a won or lost stage closes it.
#[utoipa::path(post, path = "/v1/opportunities/{id}/stage", tag = "Opportunities", operation_id = "move_opportunity",
    params(("id" = uuid::Uuid, Path, description = "The opportunity")),
    request_body = Move,
    responses((status = 200, description = "The opportunity", body = Opportunity)))]
pub(crate) async fn move_opportunity(id: Id, writing: Writing<Opportunity>) -> Result<HttpResponse, Problem> {
    act::<Move, _>(id, writing, opportunities::move_to).await
}

/// Reads what an action is told, and does it.
async fn act<B, F>(id: Id, mut writing: Writing<Opportunity>, action: F) -> Result<HttpResponse, Problem>
where
    B: DeserializeOwned + Validate,
    F: Fn(&mut Transaction<'_>, RecordId, &Expected, B) -> Result<(Opportunity, Outcome), Error> + Send + 'static,
{
    let (body, expected) = (std::mem::take(&mut writing.body), writing.expected.clone());
    writing
        .run(move |tx| {
            let told = references::read_body(tx, Kind::Opportunity, &body)?;
            let (opportunity, outcome) = action(tx, id.0, &expected, told)?;
            Ok(reply::of_record(opportunity, outcome))
        })
        .await
}

/// A page of the stages that an opportunity was in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StageStays {
    /// The stays, the oldest first.
    data: Vec<StageStay>,
    /// Where to go on.
    page: PageInfo,
}

/// List the stages that an opportunity was in.
///
/// The stages that an opportunity was in, the oldest first: from when to when, for how long, and who moved it there.
#[utoipa::path(get, path = "/v1/opportunities/{id}/stages", tag = "Opportunities", operation_id = "list_stage_stays",
    params(
        ("id" = uuid::Uuid, Path, description = "The opportunity"),
        ("limit" = Option<i64>, Query, description = "Stays on the page", minimum = 1, maximum = 500),
        ("cursor" = Option<String>, Query, description = "Where the page before ended"),
    ),
    responses((status = 200, description = "A page of its history", body = StageStays)),
    security(("bearer" = []), ("oauth2" = ["opportunities:read", "stages:read"])))]
pub(crate) async fn list_stage_stays(id: Id, mut reading: Reading<Opportunity>) -> Result<HttpResponse, Problem> {
    reading.caller.require(Permission::Read(Kind::Stage))?;
    let load = move |tx: &mut Transaction<'_>, after, limit| stage_changes::history(tx, id.0, after, limit);
    let (data, page) = history::page(&mut reading, &format!("stages\n{}", id.0), load, |stay| stay.id).await?;
    Ok(HttpResponse::Ok().json(StageStays { data, page }))
}

//! The question how content a customer is: a signed link, which needs no log-in, and may be answered once.

use crate::access::Writing;
use crate::auth::requests::Body;
use crate::endpoint::{Endpoint, endpoint};
use crate::problem::Problem;
use crate::query::Query;
use crate::reply;
use crate::resource::Id;
use crate::service::tickets::told;
use crate::state::State;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use domain::service::satisfaction::{SatisfactionAnswer, SatisfactionQuestion, SatisfactionState};
use domain::service::tickets::Ticket;
use domain::validation::faults_of;
use serde::Serialize;
use sql::Timestamp;
use sql::ids::{RecordId, TenantId};
use std::sync::Arc;
use store::operation::tenants;
use store::service::tickets;
use store::{Error, Scope, records};
use utoipa::ToSchema;
use validator::Validate;

/// What the signature of a link is for, so that nothing else that is signed passes for one.
const PURPOSE: &str = "ticket satisfaction";

/// The endpoints about how content customers are.
pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        endpoint!(crate::service::satisfaction::ask_for_satisfaction),
        endpoint!(crate::service::satisfaction::get_satisfaction),
        endpoint!(crate::service::satisfaction::answer_satisfaction),
    ]
}

/// A link by which a customer says how content it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SatisfactionLink {
    /// The path of the link, to be put behind the address of this service. Whoever has it may answer.
    #[schema(examples("/v1/satisfaction/8kQ3vM0p"))]
    path: String,
    /// Until when it may be answered.
    expires_at: Timestamp,
}

/// Ask how content the customer is.
///
/// Makes a link by which the customer of a ticket says, once and without logging in, how content it is.
#[utoipa::path(post, path = "/v1/tickets/{id}/satisfaction_link", tag = "Tickets", operation_id = "ask_for_satisfaction",
    params(("id" = uuid::Uuid, Path, description = "The ticket")),
    request_body = Option<SatisfactionQuestion>,
    responses((status = 200, description = "The link", body = SatisfactionLink)))]
pub(crate) async fn ask_for_satisfaction(id: Id, writing: Writing<Ticket>) -> Result<HttpResponse, Problem> {
    let key = writing.state.cursor_key.clone();
    told::<SatisfactionQuestion, _>(id, writing, move |tx, id, _, question| {
        let ticket: Ticket = records::get(tx, id)?;
        let expires_at = question.expires_at(tx.now());
        let place = (ticket.meta.tenant_id, ticket.meta.id, expires_at.micros());
        let token = key
            .seal(PURPOSE, &place)
            .map_err(|problem| Error::Internal(problem.to_string()))?;
        let path = format!("/v1/satisfaction/{token}");
        Ok(reply::of_json(200, SatisfactionLink { path, expires_at }))
    })
    .await
}

/// Get what a customer is asked.
///
/// What the ticket of a link is about, and whether it was answered. The link is all that is needed.
#[utoipa::path(get, path = "/v1/satisfaction/{token}", tag = "Satisfaction", operation_id = "get_satisfaction",
    params(("token" = String, Path, description = "What the link ends with", max_length = 400)),
    responses((status = 200, description = "What is asked", body = SatisfactionState),
        (status = 410, description = "The link has expired")),
    security(()))]
pub(crate) async fn get_satisfaction(
    token: web::Path<String>,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, Problem> {
    Query::of(&request)?.finish()?;
    let (scope, ticket) = opened(&state, &request, &token).await?;
    let ticket = state.store.read(&scope, move |tx| records::get::<Ticket>(tx, ticket));
    Ok(answer(&ticket.await?))
}

/// Say how content one is.
///
/// The answer of a customer, which is given once. The link is all that is needed.
#[utoipa::path(post, path = "/v1/satisfaction/{token}", tag = "Satisfaction", operation_id = "answer_satisfaction",
    params(("token" = String, Path, description = "What the link ends with", max_length = 400)),
    request_body = SatisfactionAnswer,
    responses((status = 200, description = "The answer is kept", body = SatisfactionState),
        (status = 409, description = "It was answered before"), (status = 410, description = "The link has expired")),
    security(()))]
pub(crate) async fn answer_satisfaction(
    token: web::Path<String>,
    request: HttpRequest,
    state: web::Data<State>,
    Body(body): Body<SatisfactionAnswer>,
) -> Result<HttpResponse, Problem> {
    let (scope, ticket) = opened(&state, &request, &token).await?;
    if let Err(errors) = body.validate() {
        return Err(Problem::invalid(faults_of(&errors, "")));
    }
    let rated = state
        .store
        .write(&scope, move |tx| tickets::rate(tx, ticket, body.clone()));
    Ok(answer(&rated.await?))
}

fn answer(ticket: &Ticket) -> HttpResponse {
    let state = ticket.satisfaction();
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(state)
}

/// Whose ticket a link is about. The service itself acts for whoever has it, within what the tenant may send.
async fn opened(state: &State, request: &HttpRequest, token: &str) -> Result<(Scope, RecordId), Problem> {
    let place = state.cursor_key.open(PURPOSE, "token", token);
    let (tenant, ticket, expires_at): (TenantId, RecordId, i64) = place.map_err(|_| Problem::not_found())?;
    if Timestamp::now().micros() >= expires_at {
        return Err(Problem::new(
            "link_expired",
            "the link could be answered until it expired",
        ));
    }
    if let Some(limit) = &state.rate_limit {
        request.extensions_mut().insert(limit.admit(tenant)?);
    }
    let tenant = state
        .store
        .read(&Scope::nobody(), move |tx| tenants::find(tx, tenant))
        .await?;
    let mut scope = Scope::system(Arc::new(tenant.ok_or_else(Problem::not_found)?));
    scope.request_id = crate::request_id::current();
    Ok((scope, ticket))
}

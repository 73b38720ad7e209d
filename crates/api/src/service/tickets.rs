//! What tickets have beyond every resource: comments, and to reopen, escalate, merge and split one.

use crate::access::{Reading, Writing};
use crate::endpoint::{Endpoint, endpoint};
use crate::history;
use crate::list::PageInfo;
use crate::openapi::generic_endpoints as resource;
use crate::problem::Problem;
use crate::reply;
use crate::resource::Id;
use crate::service::satisfaction;
use actix_web::HttpResponse;
use domain::Kind;
use domain::service::ticket_comments::{NewTicketComment, TicketComment};
use domain::service::ticket_moves::{TicketEscalation, TicketMerger, TicketReopening, TicketSplit};
use domain::service::tickets::Ticket;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sql::ids::RecordId;
use store::idempotency::Reply;
use store::records::{Expected, Outcome};
use store::service::{ticket_comments, tickets};
use store::{Error, Transaction, references};
use utoipa::ToSchema;
use validator::Validate;

/// The endpoints of tickets.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = resource::<Ticket>();
    endpoints.extend([
        endpoint!(crate::service::tickets::list_ticket_comments),
        endpoint!(crate::service::tickets::add_ticket_comment),
        endpoint!(crate::service::tickets::reopen_ticket),
        endpoint!(crate::service::tickets::escalate_ticket),
        endpoint!(crate::service::tickets::merge_ticket),
        endpoint!(crate::service::tickets::split_ticket),
    ]);
    endpoints.extend(satisfaction::endpoints());
    endpoints
}

/// A page of what is said in a ticket.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TicketComments {
    /// The comments, the oldest first.
    data: Vec<TicketComment>,
    /// Where to go on.
    page: PageInfo,
}

/// List the comments of a ticket.
///
/// What is said in a ticket, to the customer, by the customer and among colleagues, the oldest first.
#[utoipa::path(get, path = "/v1/tickets/{id}/comments", tag = "Tickets", operation_id = "list_ticket_comments",
    params(
        ("id" = uuid::Uuid, Path, description = "The ticket"),
        ("limit" = Option<i64>, Query, description = "Comments on the page", minimum = 1, maximum = 500),
        ("cursor" = Option<String>, Query, description = "Where the page before ended"),
    ),
    responses((status = 200, description = "A page of comments", body = TicketComments)))]
pub(crate) async fn list_ticket_comments(id: Id, mut reading: Reading<Ticket>) -> Result<HttpResponse, Problem> {
    let load = move |tx: &mut Transaction<'_>, after, limit| ticket_comments::page(tx, id.0, after, limit);
    let (data, page) = history::page(&mut reading, &format!("comments\n{}", id.0), load, |comment| comment.id).await?;
    Ok(HttpResponse::Ok().json(TicketComments { data, page }))
}

/// Comment on a ticket.
///
/// Adds a comment. The first public one of a user answers the customer: it stops the clock of the first response, later
/// ones that of the next response, and a new ticket becomes open. One of the customer starts the clock of the next
/// response, and opens a pending or solved ticket again. A closed ticket takes internal comments only.
#[utoipa::path(post, path = "/v1/tickets/{id}/comments", tag = "Tickets", operation_id = "add_ticket_comment",
    params(("id" = uuid::Uuid, Path, description = "The ticket")),
    request_body = NewTicketComment,
    responses((status = 201, description = "The comment", body = TicketComment)))]
pub(crate) async fn add_ticket_comment(id: Id, writing: Writing<Ticket>) -> Result<HttpResponse, Problem> {
    told::<NewTicketComment, _>(id, writing, |tx, id, expected, new| {
        let (comment, _) = tickets::comment(tx, id, expected, new)?;
        Ok(reply::of_json(201, comment))
    })
    .await
}

/// Reopen a ticket.
///
/// Opens a solved or closed ticket again. The clock of its solution goes on from where it stood. A ticket that was merged
/// into another one stays closed.
#[utoipa::path(post, path = "/v1/tickets/{id}/reopen", tag = "Tickets", operation_id = "reopen_ticket",
    params(("id" = uuid::Uuid, Path, description = "The ticket")),
    request_body = Option<TicketReopening>,
    responses((status = 200, description = "The ticket", body = Ticket)))]
pub(crate) async fn reopen_ticket(id: Id, writing: Writing<Ticket>) -> Result<HttpResponse, Problem> {
    act::<TicketReopening, _>(id, writing, tickets::reopen).await
}

/// Escalate a ticket.
///
/// Passes a ticket on to somebody higher up: raises its level, and gives it to another user, queue or priority.
#[utoipa::path(post, path = "/v1/tickets/{id}/escalate", tag = "Tickets", operation_id = "escalate_ticket",
    params(("id" = uuid::Uuid, Path, description = "The ticket")),
    request_body = Option<TicketEscalation>,
    responses((status = 200, description = "The ticket", body = Ticket)))]
pub(crate) async fn escalate_ticket(id: Id, writing: Writing<Ticket>) -> Result<HttpResponse, Problem> {
    act::<TicketEscalation, _>(id, writing, tickets::escalate).await
}

/// Merge a ticket into another one.
///
/// Closes a ticket in favour of another one of the same customer, which takes its comments and watchers.
#[utoipa::path(post, path = "/v1/tickets/{id}/merge", tag = "Tickets", operation_id = "merge_ticket",
    params(("id" = uuid::Uuid, Path, description = "The ticket that is closed")),
    request_body = TicketMerger,
    responses((status = 200, description = "The ticket that was closed", body = Ticket)))]
pub(crate) async fn merge_ticket(id: Id, writing: Writing<Ticket>) -> Result<HttpResponse, Problem> {
    act::<TicketMerger, _>(id, writing, tickets::merge).await
}

/// Split a ticket.
///
/// Makes a new ticket of a comment, which leaves the ticket in which it stood. The new ticket is linked to that one as
/// one that follows it.
#[utoipa::path(post, path = "/v1/tickets/{id}/split", tag = "Tickets", operation_id = "split_ticket",
    params(("id" = uuid::Uuid, Path, description = "The ticket in which the comment stands")),
    request_body = TicketSplit,
    responses((status = 201, description = "The new ticket", body = Ticket)))]
pub(crate) async fn split_ticket(id: Id, writing: Writing<Ticket>) -> Result<HttpResponse, Problem> {
    act::<TicketSplit, _>(id, writing, tickets::split).await
}

/// Reads what an action is told, does it, and answers the ticket.
async fn act<B, F>(id: Id, writing: Writing<Ticket>, action: F) -> Result<HttpResponse, Problem>
where
    B: DeserializeOwned + Validate,
    F: Fn(&mut Transaction<'_>, RecordId, &Expected, B) -> Result<(Ticket, Outcome), Error> + Send + 'static,
{
    told::<B, _>(id, writing, move |tx, id, expected, body| {
        let (ticket, outcome) = action(tx, id, expected, body)?;
        Ok(reply::of_record(ticket, outcome))
    })
    .await
}

/// Reads what an action is told, and does it.
pub(super) async fn told<B, F>(id: Id, mut writing: Writing<Ticket>, action: F) -> Result<HttpResponse, Problem>
where
    B: DeserializeOwned + Validate,
    F: Fn(&mut Transaction<'_>, RecordId, &Expected, B) -> Result<Reply, Error> + Send + 'static,
{
    let (body, expected) = (std::mem::take(&mut writing.body), writing.expected.clone());
    writing
        .run(move |tx| {
            let told = references::read_body(tx, Kind::Ticket, &body)?;
            action(tx, id.0, &expected, told)
        })
        .await
}

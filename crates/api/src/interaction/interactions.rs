//! What interactions have beyond every resource: events of telephone systems and social networks are taken in.

use crate::access::Writing;
use crate::endpoint::{Endpoint, endpoint};
use crate::openapi::generic_endpoints as resource;
use crate::problem::Problem;
use crate::reply;
use actix_web::HttpResponse;
use domain::interaction::call_events::CallEvent;
use domain::interaction::interactions::Interaction;
use domain::interaction::social_events::SocialEvent;
use domain::operation::scopes::Scope as Permission;
use domain::{Kind, Refusal};
use serde::de::DeserializeOwned;
use store::interaction::inbound;
use store::records::Outcome;
use store::{Error, Transaction, references};
use validator::Validate;

/// The endpoints of interactions.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = resource::<Interaction>();
    endpoints.extend([
        endpoint!(crate::interaction::interactions::receive_call_event),
        endpoint!(crate::interaction::interactions::receive_social_event),
    ]);
    endpoints
}

/// Take in an event of a telephone system.
///
/// Opens, updates or ends the interaction that the call is; its external id is the `call_id`. The customer is found by
/// the phone number; nobody's number opens a lead. Events of a call may come in any order, and one that was taken in
/// before changes nothing.
#[utoipa::path(post, path = "/v1/interactions/inbound/telephony", tag = "Interactions", operation_id = "receive_call_event",
    request_body = CallEvent,
    responses(
        (status = 200, description = "The interaction, which was there already", body = Interaction),
        (status = 201, description = "The new interaction", body = Interaction),
        (status = 404, description = "The interaction of the call was deleted"),
    ),
    security(("bearer" = []), ("oauth2" = ["interactions:write", "customers:write"])))]
pub(crate) async fn receive_call_event(writing: Writing<Interaction>) -> Result<HttpResponse, Problem> {
    receive(writing, CallEvent::checked, inbound::receive_call).await
}

/// Take in an event of a social network.
///
/// Adds what was written to the open interaction of the conversation, or opens one. The customer is found by the
/// handle; nobody's handle opens a lead. A conversation that is `closed` ends its interaction; when none is open, the
/// answer is 404. An event that was taken in before changes nothing.
#[utoipa::path(post, path = "/v1/interactions/inbound/social", tag = "Interactions", operation_id = "receive_social_event",
    request_body = SocialEvent,
    responses(
        (status = 200, description = "The interaction, which was there already", body = Interaction),
        (status = 201, description = "The new interaction", body = Interaction),
        (status = 404, description = "No conversation is open, or its interaction was deleted"),
    ),
    security(("bearer" = []), ("oauth2" = ["interactions:write", "customers:write"])))]
pub(crate) async fn receive_social_event(writing: Writing<Interaction>) -> Result<HttpResponse, Problem> {
    receive(writing, SocialEvent::checked, inbound::receive_social).await
}

async fn receive<E, C, F>(mut writing: Writing<Interaction>, check: C, take_in: F) -> Result<HttpResponse, Problem>
where
    E: DeserializeOwned + Validate,
    C: Fn(E) -> Result<E, Refusal> + Send + 'static,
    F: Fn(&mut Transaction<'_>, &E) -> Result<(Interaction, Outcome), Error> + Send + 'static,
{
    // Whoever is not known yet becomes a customer.
    writing.caller.require(Permission::Write(Kind::Customer))?;
    let body = writing.take_body()?;
    writing
        .run(move |tx| {
            let event = check(references::read_body(tx, Kind::Interaction, &body)?)?;
            let (interaction, outcome) = take_in(tx, &event)?;
            Ok(reply::of_record(interaction, outcome))
        })
        .await
}

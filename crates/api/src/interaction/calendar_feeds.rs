//! Calendars that calendar programs subscribe to: a secret address for each, and the iCalendar text behind it.

use crate::acting::Acting;
use crate::auth::secrets::{Purpose, Secret, hex_sha256};
use crate::preconditions::is_known_tag;
use crate::problem::Problem;
use crate::query::Query;
use crate::reply;
use crate::resource::Id;
use crate::state::State;
use actix_web::http::header::{CACHE_CONTROL, ETAG};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use domain::input;
use serde::{Deserialize, Serialize};
use sql::ids::{CalendarFeedId, UserId};
use std::sync::Arc;
use store::interaction::calendar_feeds::{self, CalendarFeed};
use store::operation::tenants;
use store::{ActorKind, Scope};
use utoipa::ToSchema;
use validator::Validate;

/// A new calendar feed.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewFeed {
    /// What the calendar is called in calendar programs.
    #[validate(length(min = 1, max = 100))]
    #[schema(min_length = 1, max_length = 100, examples("Rapport on my phone"))]
    name: Option<String>,
}

/// A calendar feed that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreatedFeed {
    /// The secret address to subscribe to, this once. A repetition with the same Idempotency-Key does not show it again.
    #[schema(examples("https://crm.example.com/v1/calendars/rac_4fQx2a….ics"))]
    url: Option<String>,
    /// What is kept of it.
    #[serde(flatten)]
    kept: CalendarFeed,
}

/// The calendar feeds of a user.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CalendarFeeds {
    /// The feeds, oldest first.
    data: Vec<CalendarFeed>,
}

/// Create a calendar feed.
///
/// An address at which calendar programs read the appointments and open tasks of the user who calls, without logging
/// in. It is shown once and cannot be read again; who has it reads the calendar until it is revoked.
#[utoipa::path(post, path = "/v1/calendar/feeds", tag = "Appointments", operation_id = "create_calendar_feed",
    params(
        ("dry_run" = Option<bool>, Query, description = "Checks and answers everything, and keeps nothing."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes it safe to repeat the request.",
            min_length = 1, max_length = 255, pattern = "^[!#-~]+$"),
    ),
    request_body = Option<NewFeed>,
    responses((status = 201, description = "The feed", body = CreatedFeed), (status = 409, description = "Too many")))]
pub(crate) async fn create_calendar_feed(mut acting: Acting) -> Result<HttpResponse, Problem> {
    let user = user_of(&acting)?.ok_or_else(|| Problem::forbidden("only users have calendars"))?;
    let body = acting.take_optional_body().unwrap_or_else(|| serde_json::json!({}));
    let asked: NewFeed = input::parse_valid(&body).map_err(store::Error::from)?;
    let name = asked.name.unwrap_or_else(|| "Rapport".to_owned());
    let secret = Secret::generate(Purpose::Calendar, acting.caller.scope.tenant.id);
    let url = format!(
        "{}/v1/calendars/{}.ics",
        acting.state.auth.tokens.issuer(),
        secret.reveal()
    );
    let (hash, hint) = (secret.hash(), secret.hint().to_owned());
    let made = acting.write(move |tx| {
        let kept = calendar_feeds::create(tx, user, &name, &hash, &hint)?;
        Ok(reply::of_json(201, CreatedFeed { url: None, kept }))
    });
    crate::access::respond(reply::with_secret(made.await?, "url", &url)?)
}

/// List one's calendar feeds.
///
/// They are told by the first characters of their secrets; the secrets themselves are not kept.
#[utoipa::path(get, path = "/v1/calendar/feeds", tag = "Appointments", operation_id = "list_calendar_feeds",
    responses((status = 200, description = "The feeds of the user who calls", body = CalendarFeeds)))]
pub(crate) async fn list_calendar_feeds(acting: Acting) -> Result<HttpResponse, Problem> {
    let data = match user_of(&acting)? {
        Some(user) => acting.read(move |tx| calendar_feeds::list(tx, user)).await?,
        None => acting.read(|_| Ok(Vec::new())).await?,
    };
    Ok(HttpResponse::Ok().json(CalendarFeeds { data }))
}

/// Revoke a calendar feed.
///
/// Its address answers 404 from now on.
#[utoipa::path(delete, path = "/v1/calendar/feeds/{id}", tag = "Appointments", operation_id = "delete_calendar_feed",
    params(
        ("id" = uuid::Uuid, Path, description = "The feed"),
        ("dry_run" = Option<bool>, Query, description = "Checks and answers everything, and keeps nothing."),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes it safe to repeat the request.",
            min_length = 1, max_length = 255, pattern = "^[!#-~]+$"),
    ),
    responses((status = 204, description = "It is revoked"), (status = 409, description = "Still running"),
        (status = 422, description = "The key of another request")))]
pub(crate) async fn delete_calendar_feed(Id(feed): Id, acting: Acting) -> Result<HttpResponse, Problem> {
    let user = user_of(&acting)?.ok_or_else(|| Problem::forbidden("only users have calendars"))?;
    let revoked = acting.write(move |tx| {
        calendar_feeds::revoke(tx, user, CalendarFeedId(feed.0))?;
        Ok(reply::no_content())
    });
    crate::access::respond(revoked.await?)
}

/// The user who calls; none when it is a program.
fn user_of(acting: &Acting) -> Result<Option<UserId>, Problem> {
    let actor = acting.caller.scope.actor;
    let id = actor.id.ok_or_else(|| Problem::internal("a caller without an id"))?;
    Ok((actor.kind == ActorKind::User).then_some(UserId(id.0)))
}

/// Read a calendar.
///
/// The appointments and open tasks of a user as iCalendar (RFC 5545), for calendar programs that subscribe to the
/// secret address. It needs no token beside the secret in the path.
#[utoipa::path(get, path = "/v1/calendars/{secret}.ics", tag = "Appointments", operation_id = "get_calendar",
    params(
        ("secret" = String, Path, description = "The secret of the calendar feed", pattern = "^rac_[0-9A-Za-z]{70}$"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the calendar as you have it."),
    ),
    responses((status = 200, description = "The calendar", body = String, content_type = "text/calendar"),
        (status = 304, description = "It is as the client has it"), (status = 429, description = "Too many requests"),
        (status = 500, description = "A fault"), (status = 503, description = "Unavailable")),
    security(()))]
pub(crate) async fn get_calendar(
    secret: web::Path<String>,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, Problem> {
    Query::of(&request)?.finish()?;
    let secret = Secret::parse(Purpose::Calendar, &secret).ok_or_else(Problem::not_found)?;
    let tenant = secret.tenant();
    let tenant = state
        .store
        .read(&Scope::nobody(), move |tx| tenants::find(tx, tenant))
        .await?;
    let scope = Scope::system(Arc::new(tenant.ok_or_else(Problem::not_found)?));
    let hash = secret.hash();
    let calendar = state
        .store
        .read(&scope, move |tx| calendar_feeds::read(tx, &hash))
        .await?;
    let calendar = calendar.ok_or_else(Problem::not_found)?;
    if let Some(limit) = &state.rate_limit {
        request.extensions_mut().insert(limit.admit(scope.tenant.id)?);
    }
    let tag = format!("\"{}\"", hex_sha256(calendar.as_bytes()));
    let kept = (CACHE_CONTROL, "private, max-age=300");
    if is_known_tag(request.headers(), &tag) {
        return Ok(HttpResponse::NotModified()
            .insert_header((ETAG, tag))
            .insert_header(kept)
            .finish());
    }
    Ok(HttpResponse::Ok()
        .insert_header((ETAG, tag))
        .insert_header(kept)
        .insert_header(("Content-Disposition", "inline; filename=\"calendar.ics\""))
        .content_type("text/calendar; charset=utf-8")
        .body(calendar))
}

//! `GET /v1/calendar/free_busy`: when users are busy, without what they do.

use crate::acting::Acting;
use crate::problem::Problem;
use crate::query::Query;
use actix_web::HttpResponse;
use chrono::TimeDelta;
use domain::Kind;
use domain::interaction::series::TimeSpan;
use domain::operation::scopes::Scope as Permission;
use serde::Serialize;
use sql::Timestamp;
use sql::ids::UserId;
use store::interaction::calendars::{self, UserBusy};
use utoipa::ToSchema;

/// Users that may be asked for at once.
const MOST_USERS: usize = 50;
/// Days that the window may have.
const MOST_DAYS: i64 = 62;

/// When some users are busy.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FreeBusy {
    /// The window that was asked for.
    window: TimeSpan,
    /// The users, in the order in which they were asked for.
    data: Vec<UserBusy>,
}

/// Get when users are busy.
///
/// The spans inside a window in which each user has an appointment that is shown as busy: its own and those that it
/// takes part in and has not declined, each occurrence of those that recur, merged. Cancelled ones do not count.
/// It tells of appointments that the caller may not see, but never what they are.
#[utoipa::path(get, path = "/v1/calendar/free_busy", tag = "Appointments", operation_id = "get_free_busy",
    params(
        ("users" = String, Query, description = "The ids of the users, parted by commas; 50 at most",
            pattern = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(,[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}){0,49}$"),
        ("from" = chrono::DateTime<chrono::Utc>, Query, description = "When the window starts"),
        ("to" = chrono::DateTime<chrono::Utc>, Query, description = "When it ends; 62 days later at most"),
    ),
    responses((status = 200, description = "When each user is busy", body = FreeBusy)),
    security(("bearer" = []), ("oauth2" = ["appointments:read"])))]
pub(crate) async fn get_free_busy(mut acting: Acting) -> Result<HttpResponse, Problem> {
    acting.caller.require(Permission::Read(Kind::Appointment))?;
    let users = users_of(&mut acting.query);
    let window = window_of(&mut acting.query);
    std::mem::take(&mut acting.query).finish()?;
    let window = window.ok_or_else(|| Problem::internal("a window without faults"))?;
    let data = acting.read(move |tx| calendars::free_busy(tx, &users, window)).await?;
    Ok(HttpResponse::Ok().json(FreeBusy { window, data }))
}

fn users_of(query: &mut Query) -> Vec<UserId> {
    let texts = query.take_list("users").unwrap_or_default();
    let mut users: Vec<UserId> = Vec::new();
    for text in &texts {
        match text.parse() {
            Ok(user) if users.contains(&user) => query.fault("users", "duplicate", "names a user twice"),
            Ok(user) => users.push(user),
            Err(_) => query.fault("users", "invalid_value", "must be ids of users, parted by commas"),
        }
    }
    if texts.is_empty() {
        query.fault("users", "required", "is required");
    } else if users.len() > MOST_USERS {
        query.fault("users", "too_many", format!("must name at most {MOST_USERS} users"));
    }
    users
}

fn window_of(query: &mut Query) -> Option<TimeSpan> {
    let starts_at = instant(query, "from");
    let ends_at = instant(query, "to");
    let window = TimeSpan {
        starts_at: starts_at?,
        ends_at: ends_at?,
    };
    let length = window.ends_at.utc() - window.starts_at.utc();
    if length <= TimeDelta::zero() || length > TimeDelta::days(MOST_DAYS) {
        let message = format!("must be later than from, by {MOST_DAYS} days at most");
        query.fault("to", "out_of_range", message);
    }
    Some(window)
}

fn instant(query: &mut Query, name: &str) -> Option<Timestamp> {
    let Some(text) = query.take(name) else {
        query.fault(name, "required", "is required");
        return None;
    };
    let instant = Timestamp::parse(&text);
    if instant.is_none() {
        query.fault(
            name,
            "invalid_value",
            "must be an RFC 3339 instant such as 2026-01-31T09:30:00Z",
        );
    }
    instant
}

//! The timeline of a customer: what happened to it and its matters, the latest first.

use super::overview::named;
use crate::access::Reading;
use crate::limits::{MAX_PAGE, PAGE};
use crate::list::PageInfo;
use crate::problem::Problem;
use crate::query::Query;
use crate::resource::Id;
use actix_web::HttpResponse;
use domain::customer::customers::Customer;
use domain::customer::timeline::{Place, TimelineEntry, TimelineKind};
use domain::operation::scopes::Scope as Permission;
use serde::Serialize;
use sql::Timestamp;
use store::customer::timeline::{self, Slice};
use utoipa::ToSchema;

/// A page of a timeline.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Timeline {
    /// The entries, the latest first.
    data: Vec<TimelineEntry>,
    /// Where to go on.
    page: PageInfo,
}

/// Get the timeline of a customer.
///
/// What happened to a customer and its matters, the latest first, put together from its records and the log of events.
/// Nothing is told twice: records tell that they began (an interaction, a ticket, a note), the log what became of them
/// (a ticket solved, an opportunity won, a segment entered). Events that the log has forgotten are not told.
///
/// The kinds whose records the caller has no scope to read are left out, and refused if `kinds` names them. So is what
/// it may not see by its record rule. Pages are keyset pages: what is added meanwhile neither repeats an entry nor
/// skips one.
#[utoipa::path(get, path = "/v1/customers/{id}/timeline", tag = "Customers", operation_id = "get_customer_timeline",
    params(
        ("id" = uuid::Uuid, Path, description = "The customer"),
        ("kinds" = Option<String>, Query, description = "What entries are about, parted by commas; by default all that the caller may read", pattern = r"^\s*(lifecycle|customer|segment|interaction|ticket|opportunity|note|task|appointment)\s*(,\s*(lifecycle|customer|segment|interaction|ticket|opportunity|note|task|appointment)\s*)*$"),
        ("from" = Option<Timestamp>, Query, description = "Nothing before this instant"),
        ("to" = Option<Timestamp>, Query, description = "Only what was before this instant; the present one leaves out the appointments to come"),
        ("limit" = Option<i64>, Query, description = "Entries on the page", minimum = 1, maximum = 500),
        ("cursor" = Option<String>, Query, description = "Where the page before ended"),
    ),
    responses((status = 200, description = "A page of its timeline", body = Timeline)),
    security(("bearer" = []), ("oauth2" = ["customers:read"])))]
pub(crate) async fn get_customer_timeline(id: Id, mut reading: Reading<Customer>) -> Result<HttpResponse, Problem> {
    let limit = reading.query.take_number("limit", 1..=MAX_PAGE).unwrap_or(PAGE);
    let cursor = reading.query.take("cursor");
    let (from, to) = (instant(&mut reading.query, "from"), instant(&mut reading.query, "to"));
    let kinds = named::<TimelineKind>(&mut reading, "kinds", TimelineKind::ALL, |kind| {
        Permission::Read(kind.about())
    })?;
    std::mem::take(&mut reading.query).finish()?;
    let told = kinds.iter().map(TimelineKind::as_str).collect::<Vec<_>>().join(",");
    let tenant = reading.caller.scope.tenant.id;
    let bound_to = format!("{tenant}\ntimeline\n{}\n{told}\n{from:?}\n{to:?}", id.0);
    let key = reading.state.cursor_key.clone();
    let after: Option<Place> = cursor.map(|text| key.open(&bound_to, "cursor", &text)).transpose()?;
    let slice = Slice {
        kinds,
        from,
        to,
        after,
        limit: usize::try_from(limit).unwrap_or(1),
    };
    let (data, has_more) = reading.run(move |tx| timeline::timeline(tx, id.0, &slice)).await?;
    let last = data.last().filter(|_| has_more);
    let next = last.map(|last| key.seal(&bound_to, &last.place())).transpose()?;
    Ok(HttpResponse::Ok().json(Timeline {
        data,
        page: PageInfo::new(next),
    }))
}

fn instant(query: &mut Query, name: &str) -> Option<Timestamp> {
    let text = query.take(name)?;
    let instant = Timestamp::parse(&text);
    if instant.is_none() {
        let message = "must be an RFC 3339 instant such as 2026-01-31T09:30:00Z";
        query.fault(name, "invalid_value", message);
    }
    instant
}

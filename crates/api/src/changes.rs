//! The change feed: every change of the tenant's records, in commit order, without gaps.

use crate::caller::authenticate;
use crate::limits::{MAX_PAGE, MAX_WAIT, PAGE};
use crate::problem::Problem;
use crate::query::Query;
use crate::state::State;
use actix_web::{HttpRequest, HttpResponse, web};
use domain::operation::scopes::Scope as Permission;
use domain::operation::visibility::Visibility;
use serde::{Deserialize, Serialize};
use sql::ids::EventId;
use std::time::Duration;
use store::events::{self, Cursor, Event, Events};
use tokio::time::Instant;
use utoipa::ToSchema;

/// How often a waiting reader looks for what other instances have written.
const LOOK: Duration = Duration::from_millis(500);

/// A page of the feed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Changes {
    /// The events, in commit order.
    data: Vec<Event>,
    /// Where to go on.
    page: FeedPage,
}

/// Where to go on in the feed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FeedPage {
    /// Send it as `after` to go on; it is there even when nothing is new.
    next_cursor: String,
    /// Whether there is more right now.
    has_more: bool,
}

#[derive(Serialize, Deserialize)]
struct Place(i64, EventId);

/// Follow the change feed.
///
/// What happened after a cursor. Without one it begins at the beginning;
/// `after=now` gives a cursor for whatever comes next.
#[utoipa::path(get, path = "/v1/changes", tag = "Changes", operation_id = "list_changes",
    params(
        ("after" = Option<String>, Query, description = "Where the page before ended, or `now`"),
        ("types" = Option<String>, Query, description = "Kinds of event, parted by commas: `customer.created,opportunity.*`", pattern = r"^\s*[a-z_]+\.([a-z_]+|\*)\s*(,\s*[a-z_]+\.([a-z_]+|\*)\s*)*$"),
        ("limit" = Option<i64>, Query, description = "Events on the page", minimum = 1, maximum = 500),
        ("wait" = Option<i64>, Query, description = "Seconds to wait for an event when there is none yet", minimum = 0, maximum = 30),
    ),
    responses((status = 200, description = "Events in commit order", body = Changes), (status = 410, description = "Expired")),
    security(("bearer" = []), ("oauth2" = ["changes:read"])))]
pub(crate) async fn list_changes(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, Problem> {
    let caller = authenticate(&state, &request).await?;
    caller.require(Permission::ReadChanges)?;
    if caller.scope.visibility != Visibility::All {
        return Err(Problem::forbidden(
            "the feed shows every record; the caller's record rule does not",
        ));
    }
    let mut query = Query::of(&request)?;
    let after = query.take("after");
    let kinds = query.take_list("types").unwrap_or_default();
    if kinds.iter().any(|kind| !is_pattern(kind)) {
        query.fault(
            "types",
            "invalid_value",
            "must be kinds such as customer.created or customer.*",
        );
    }
    let limit = usize::try_from(query.take_number("limit", 1..=MAX_PAGE).unwrap_or(PAGE)).unwrap_or(1);
    let most = i64::try_from(MAX_WAIT.as_secs()).unwrap_or(0);
    let wait = u64::try_from(query.take_number("wait", 0..=most).unwrap_or(0)).unwrap_or(0);
    query.finish()?;

    let bound_to = format!("{}\nchanges", caller.scope.tenant.id);
    let cursor = match after.as_deref() {
        None => Cursor::START,
        Some("now") => state.store.read(&caller.scope, events::end).await?,
        Some(text) => {
            let Place(position, id) = state.cursor_key.open(&bound_to, "after", text)?;
            Cursor { position, id }
        }
    };
    let found = follow(&state, &caller.scope, cursor, kinds, limit, Duration::from_secs(wait)).await?;
    let next_cursor = state
        .cursor_key
        .seal(&bound_to, &Place(found.next.position, found.next.id))?;
    Ok(HttpResponse::Ok().json(Changes {
        data: found.events,
        page: FeedPage {
            next_cursor,
            has_more: found.has_more,
        },
    }))
}

/// Reads on; when there is nothing yet, waits for the next commit or for other instances.
async fn follow(
    state: &State,
    scope: &store::Scope,
    mut cursor: Cursor,
    kinds: Vec<String>,
    limit: usize,
    wait: Duration,
) -> Result<Events, Problem> {
    let deadline = Instant::now() + wait;
    let mut commits = state.store.commits();
    loop {
        commits.mark_unchanged();
        let kinds = kinds.clone();
        let found = state
            .store
            .read(scope, move |tx| events::after(tx, cursor, &kinds, limit))
            .await?;
        if !found.events.is_empty() || found.has_more || Instant::now() >= deadline || state.is_draining() {
            return Ok(found);
        }
        cursor = found.next;
        let next_look = (Instant::now() + LOOK).min(deadline);
        // Either way we look again: a commit of this process, or the time to look for others.
        drop(tokio::time::timeout_at(next_look, commits.changed()).await);
    }
}

fn is_pattern(kind: &str) -> bool {
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    kind.split_once('.')
        .is_some_and(|(subject, what)| plain(subject) && (plain(what) || what == "*"))
}

//! The event log: appended in the transaction of the change it tells of, read in commit order.

mod changes;

pub use changes::FieldChange;
pub(crate) use changes::FieldChanges;

use crate::Error;
use crate::transaction::{Actor, ActorKind, Transaction};
use diesel::prelude::*;
use domain::Kind;
use domain::customer::timeline;
use domain::record::RecordLink;
use serde::Serialize;
use serde_json::{Map, Value};
use sql::ids::{CustomerId, EventId, PrincipalId, RecordId, TenantId};
use sql::schema::{event_retention, events};
use sql::{DatabaseConnection, Json, Timestamp, insert_all, on_either, run_kept};
use utoipa::ToSchema;

/// A change to be announced.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
pub struct NewEvent {
    tenant_id: TenantId,
    id: EventId,
    kind: String,
    occurred_at: Timestamp,
    actor_kind: ActorKind,
    actor_id: Option<PrincipalId>,
    subject_type: Kind,
    subject_id: RecordId,
    version: i64,
    changes: Json<Map<String, Value>>,
    request_id: Option<String>,
    customer_id: Option<CustomerId>,
}

impl NewEvent {
    /// A change of a record by whoever the transaction acts for: `what` is `created`, `updated`, `won`, ….
    pub fn new(
        tx: &Transaction<'_>,
        kind: Kind,
        what: &str,
        id: RecordId,
        version: i64,
        changes: FieldChanges,
    ) -> Self {
        let subject = RecordLink { kind, id };
        Self::about(tx, &format!("{kind}.{what}"), subject, version, changes)
    }

    /// Like [`NewEvent::new`], for an event that is not named after the kind of its subject: `segment.entered` is told
    /// of a customer.
    pub fn about(tx: &Transaction<'_>, event: &str, subject: RecordLink, version: i64, changes: FieldChanges) -> Self {
        let Actor {
            kind: actor_kind,
            id: actor_id,
        } = tx.actor();
        Self {
            tenant_id: tx.tenant(),
            id: EventId::new(),
            kind: event.to_owned(),
            occurred_at: tx.now(),
            actor_kind,
            actor_id,
            subject_type: subject.kind,
            subject_id: subject.id,
            version,
            changes: changes.into(),
            request_id: tx.scope().request_id.as_deref().map(str::to_owned),
            customer_id: None,
        }
        .of_customer((subject.kind == Kind::Customer).then_some(CustomerId(subject.id.0)))
    }

    /// The same, told in the timeline of a customer if timelines tell of such events.
    #[must_use]
    pub fn of_customer(self, customer: Option<CustomerId>) -> Self {
        Self {
            customer_id: customer.filter(|_| timeline::is_told(&self.kind)),
            ..self
        }
    }
}

/// One event, as the feed gives it.
#[derive(Debug, Clone, Serialize, ToSchema, Queryable)]
pub struct Event {
    #[serde(skip)]
    position: i64,
    /// Names the event; unique, so that a consumer can tell one it has seen.
    #[schema(value_type = uuid::Uuid)]
    pub id: EventId,
    /// What happened: the kind of record and what was done to it.
    #[schema(examples("customer.created"))]
    pub kind: String,
    /// When.
    pub occurred_at: Timestamp,
    /// Who did it.
    pub actor: EventActor,
    /// The record it happened to.
    pub subject: RecordLink,
    /// The record's version after it.
    pub version: i64,
    /// The fields that changed, each with its value before and after.
    #[schema(value_type = std::collections::HashMap<String, FieldChange<'static>>)]
    pub changes: Json<Map<String, Value>>,
    /// The request that caused it.
    pub request_id: Option<String>,
}

/// Who did something.
#[derive(Debug, Clone, Copy, Serialize, ToSchema, Queryable)]
pub struct EventActor {
    /// What kind of principal.
    #[serde(rename = "type")]
    pub kind: ActorKind,
    /// Which one; none for the service itself.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub id: Option<PrincipalId>,
}

/// Where a reader of the log stands: after this event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The transaction.
    pub position: i64,
    /// The event within it.
    pub id: EventId,
}

impl Cursor {
    /// Before everything that was ever written.
    pub const START: Self = Self {
        position: 0,
        id: EventId(uuid::Uuid::nil()),
    };
}

/// A part of the log.
#[derive(Debug)]
pub struct Events {
    /// The events asked for, in commit order.
    pub events: Vec<Event>,
    /// Where to go on.
    pub next: Cursor,
    /// Whether there may be more right now.
    pub has_more: bool,
}

/// How many events one page looks at, at most, when only some kinds are asked for:
/// a rare kind then costs several short pages instead of one that never ends.
const SCAN: i64 = 10_000;

/// Reads on from a cursor, in commit order and without gaps.
///
/// `kinds` narrows it to kinds such as `customer.created` or `ticket.*`; empty means all.
pub fn after(tx: &mut Transaction<'_>, cursor: Cursor, kinds: &[String], limit: usize) -> Result<Events, Error> {
    let tenant = tx.tenant();
    let trimmed: Option<i64> = event_retention::table
        .find(tenant)
        .select(event_retention::trimmed_to)
        .first(tx.connection())
        .optional()?;
    if cursor != Cursor::START && trimmed.is_some_and(|trimmed| cursor.position < trimmed) {
        return Err(Error::CursorExpired);
    }
    let horizon = horizon(tx.connection())?;
    let scan = if kinds.is_empty() {
        i64::try_from(limit).unwrap_or(SCAN) + 1
    } else {
        SCAN
    };
    let rows: Vec<Event> = query(tenant, cursor, horizon, scan).load(tx.connection())?;
    Ok(page_of(rows, cursor, kinds, limit, scan))
}

/// The events after a place and before the horizon, in commit order. Public so that a test can read its plan.
#[diesel::dsl::auto_type(no_type_alias)]
pub fn query(tenant: TenantId, after: Cursor, horizon: i64, limit: i64) -> _ {
    let position: i64 = after.position;
    let id: EventId = after.id;
    events::table
        .filter(events::tenant_id.eq(tenant))
        .filter(events::position.ge(position))
        .filter(events::position.gt(position).or(events::id.gt(id)))
        .filter(events::position.lt(horizon))
        .order((events::position, events::id))
        .limit(limit)
        .select((
            events::position,
            events::id,
            events::kind,
            events::occurred_at,
            (events::actor_kind, events::actor_id),
            (events::subject_type, events::subject_id),
            events::version,
            events::changes,
            events::request_id,
        ))
}

fn page_of(rows: Vec<Event>, cursor: Cursor, kinds: &[String], limit: usize, scan: i64) -> Events {
    let mut page = Events {
        events: Vec::new(),
        next: cursor,
        has_more: i64::try_from(rows.len()).is_ok_and(|n| n == scan),
    };
    for event in rows {
        if page.events.len() == limit {
            page.has_more = true;
            break;
        }
        page.next = Cursor {
            position: event.position,
            id: event.id,
        };
        if kinds.is_empty() || kinds.iter().any(|kind| matches(kind, &event.kind)) {
            page.events.push(event);
        }
    }
    page
}

/// `ticket.*` matches every kind of ticket event.
fn matches(pattern: &str, kind: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => kind.starts_with(prefix),
        None => pattern == kind,
    }
}

/// The position below which nothing can appear any more.
fn horizon(connection: &mut DatabaseConnection) -> QueryResult<i64> {
    match connection {
        // Readers see whole commits of the single writer only.
        DatabaseConnection::Sqlite(_) => Ok(i64::MAX),
        DatabaseConnection::Postgres(postgres) => diesel::select(event_horizon()).get_result(postgres),
    }
}

diesel::define_sql_function! {
    /// See migration 0001.
    fn event_horizon() -> diesel::sql_types::BigInt;
}

/// Appends the events of a transaction. SQLite's writer names the position; PostgreSQL knows its transaction.
pub(crate) fn append(
    connection: &mut DatabaseConnection,
    new: &[NewEvent],
    position: Option<i64>,
) -> Result<(), Error> {
    match position {
        Some(position) => {
            let rows = new.iter().map(|event| (events::position.eq(position), event));
            insert_all!(connection, events::table, rows)?
        }
        None => insert_all!(connection, events::table, new)?,
    };
    Ok(())
}

diesel::table! {
    /// SQLite's only: how far positions have been given out, in one row. The log itself does not tell, because it is
    /// trimmed.
    event_clock (position) {
        /// The last position given out.
        position -> BigInt,
    }
}

/// The last position that any process gave out. The writer asks in each of its transactions, because others write to
/// the same file: `rapport tenants create` beside a running server.
pub(crate) fn last_position(connection: &mut SqliteConnection) -> QueryResult<i64> {
    event_clock::table.select(event_clock::position).first(connection)
}

/// Keeps the last position given out.
pub(crate) fn keep_position(connection: &mut SqliteConnection, position: i64) -> QueryResult<()> {
    run_kept!(
        connection,
        diesel::update(event_clock::table).set(event_clock::position.eq(position))
    )
    .map(drop)
}

/// Keeps positions growing on PostgreSQL when the data was restored into a cluster with younger transaction ids: the
/// next transaction gets a position after the last event. On data that stayed where it is this changes nothing, also
/// beside other processes at work, because no event that can be seen is of a transaction that has yet to begin.
pub(crate) fn settle_clock(connection: &mut DatabaseConnection) -> Result<(), Error> {
    if let DatabaseConnection::Postgres(postgres) = connection {
        postgres.transaction(|postgres| {
            // Of several processes that start at once, each waits and looks again.
            diesel::sql_query("SELECT FROM event_clock FOR UPDATE").execute(postgres)?;
            diesel::sql_query(
                "UPDATE event_clock SET shift = last.position + 1 - pg_snapshot_xmax(pg_current_snapshot())::text::bigint \
                 FROM (SELECT max(position) AS position FROM events) AS last \
                 WHERE last.position >= shift + pg_snapshot_xmax(pg_current_snapshot())::text::bigint",
            )
            .execute(postgres)
        })?;
    }
    Ok(())
}

diesel::define_sql_function! {
    /// See migration 0001.
    fn event_position() -> diesel::sql_types::BigInt;
}

/// Whether the log tells of one of these records in a transaction that began to write after this one.
pub(crate) fn are_ahead(tx: &mut Transaction<'_>, ids: &[RecordId]) -> Result<bool, Error> {
    let tenant = tx.tenant();
    let DatabaseConnection::Postgres(postgres) = tx.connection() else {
        return Ok(false);
    };
    let position: i64 = diesel::select(event_position()).get_result(postgres)?;
    let ahead = events::table
        .filter(events::tenant_id.eq(tenant))
        .filter(events::subject_id.eq_any(ids.to_vec()))
        .filter(events::position.gt(position));
    Ok(diesel::select(diesel::dsl::exists(ahead)).get_result(postgres)?)
}

/// Forgets events that occurred before an instant, and remembers how far, so that older cursors are refused.
pub fn trim(tx: &mut Transaction<'_>, before: Timestamp) -> Result<usize, Error> {
    let tenant = tx.tenant();
    let old = events::table
        .filter(events::tenant_id.eq(tenant))
        .filter(events::occurred_at.lt(before));
    let last: Option<i64> = old.select(diesel::dsl::max(events::position)).first(tx.connection())?;
    let Some(last) = last else { return Ok(0) };
    on_either!(tx.connection(), |c| diesel::insert_into(event_retention::table)
        .values((
            event_retention::tenant_id.eq(tenant),
            event_retention::trimmed_to.eq(last)
        ))
        .on_conflict(event_retention::tenant_id)
        .do_update()
        .set(event_retention::trimmed_to.eq(last))
        .execute(c))?;
    // Whatever is kept is younger than whatever is not, also where transactions took a while.
    let trimmed = events::table
        .filter(events::tenant_id.eq(tenant))
        .filter(events::position.le(last))
        .filter(events::occurred_at.lt(before));
    Ok(diesel::delete(trimmed).execute(tx.connection())?)
}

/// Takes the contents out of every event of a record that is removed for good; the tombstones stay.
pub(crate) fn forget_contents(tx: &mut Transaction<'_>, id: RecordId) -> Result<(), Error> {
    let of_record = events::table
        .filter(events::tenant_id.eq(tx.tenant()))
        .filter(events::subject_id.eq(id));
    diesel::update(of_record)
        .set(events::changes.eq(Json::new(Map::new())))
        .execute(tx.connection())?;
    Ok(())
}

/// Where the log ends now.
pub fn end(tx: &mut Transaction<'_>) -> Result<Cursor, Error> {
    let (tenant, horizon) = (tx.tenant(), horizon(tx.connection())?);
    let last: Option<(i64, EventId)> = events::table
        .filter(events::tenant_id.eq(tenant))
        .filter(events::position.lt(horizon))
        .order((events::position.desc(), events::id.desc()))
        .select((events::position, events::id))
        .first(tx.connection())
        .optional()?;
    Ok(last.map_or(Cursor::START, |(position, id)| Cursor { position, id }))
}

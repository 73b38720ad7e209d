//! What stands in the calendars of users: their appointments in a window, and all that a calendar program shows.

use crate::records;
use crate::stored::Table;
use crate::{Error, Transaction};
use chrono::{Datelike, TimeDelta};
use diesel::prelude::*;
use domain::interaction::appointments::{self, Appointment, AppointmentFields, AppointmentStatus, ShowAs};
use domain::interaction::calendar_feeds::Feed;
use domain::interaction::free_busy::busy;
use domain::interaction::series::TimeSpan;
use domain::interaction::tasks::{Task, TaskStatus};
use domain::{Kind, Refusal};
use serde::Serialize;
use sql::ids::{RecordId, UserId};
use sql::schema::{appointments as rows, record_values, tasks, users};
use std::collections::HashMap;
use utoipa::ToSchema;

/// When one user is busy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UserBusy {
    /// The user.
    #[schema(value_type = uuid::Uuid)]
    pub user_id: UserId,
    /// The spans in which the user is busy, in order; none touches another.
    pub busy: Vec<TimeSpan>,
}

/// When each of some users is busy inside a window, whoever may see their appointments.
pub fn free_busy(tx: &mut Transaction<'_>, asked: &[UserId], window: TimeSpan) -> Result<Vec<UserBusy>, Error> {
    check_users(tx, asked)?;
    let texts: Vec<String> = asked.iter().map(ToString::to_string).collect();
    let of_user = rows::tenant_id
        .eq(record_values::tenant_id)
        .and(rows::id.eq(record_values::record_id));
    let found = record_values::table
        .inner_join(rows::table.on(of_user))
        .filter(record_values::tenant_id.eq(tx.tenant()))
        .filter(record_values::kind.eq(Kind::Appointment))
        .filter(record_values::field.eq(appointments::USERS))
        .filter(record_values::value.eq_any(texts))
        .filter(rows::deleted_at.is_null())
        .filter(rows::status.ne(AppointmentStatus::Cancelled))
        .filter(rows::show_as.eq(ShowAs::Busy))
        .filter(rows::first_starts_at.lt(window.ends_at))
        .filter(rows::last_ends_at.is_null().or(rows::last_ends_at.gt(window.starts_at)))
        .select((record_values::value, AppointmentFields::as_select()))
        .load::<(String, AppointmentFields)>(tx.connection())?;
    let zone = tx.scope().tenant.time_zone.0;
    let mut spans: HashMap<String, Vec<TimeSpan>> = HashMap::new();
    for (user, fields) in found {
        spans
            .entry(user)
            .or_default()
            .extend(fields.series(zone).within(window));
    }
    let of_user = |user: &UserId| UserBusy {
        user_id: *user,
        busy: busy(spans.remove(&user.to_string()).unwrap_or_default(), window),
    };
    Ok(asked.iter().map(of_user).collect())
}

fn check_users(tx: &mut Transaction<'_>, asked: &[UserId]) -> Result<(), Error> {
    let known = users::table
        .filter(users::tenant_id.eq(tx.tenant()))
        .filter(users::id.eq_any(asked.to_vec()))
        .filter(users::deleted_at.is_null())
        .select(users::id);
    let known: Vec<UserId> = known.load(tx.connection())?;
    if asked.iter().all(|user| known.contains(user)) {
        return Ok(());
    }
    Err(Refusal::fault("?users", "unknown_reference", "names a user that there is not").into())
}

/// Days for which a calendar shows what is over.
const SHOWN_AFTER_END: TimeDelta = TimeDelta::days(90);
/// Appointments, and as many tasks, that a calendar shows at most: the latest ones.
const MOST: i64 = 2000;

/// A user's calendar as iCalendar.
pub fn icalendar(tx: &mut Transaction<'_>, user: UserId, name: &str) -> Result<String, Error> {
    let appointments = appointments_of(tx, user)?;
    let tasks = tasks_of(tx, user)?;
    let feed = Feed {
        name,
        appointments: &appointments,
        tasks: &tasks,
        zone: tx.scope().tenant.time_zone.0,
        year: tx.today().year(),
    };
    Ok(feed.icalendar())
}

/// The appointments that a user has not declined, in order of their ids.
fn appointments_of(tx: &mut Transaction<'_>, user: UserId) -> Result<Vec<Appointment>, Error> {
    let tenant = tx.tenant();
    let shown_from: sql::Timestamp = (tx.now().utc() - SHOWN_AFTER_END).into();
    let of_user = rows::tenant_id
        .eq(record_values::tenant_id)
        .and(rows::id.eq(record_values::record_id));
    let ids: Vec<RecordId> = record_values::table
        .inner_join(rows::table.on(of_user))
        .filter(record_values::tenant_id.eq(tenant))
        .filter(record_values::kind.eq(Kind::Appointment))
        .filter(record_values::field.eq(appointments::USERS))
        .filter(record_values::value.eq(user.to_string()))
        .filter(rows::deleted_at.is_null())
        .filter(rows::last_ends_at.is_null().or(rows::last_ends_at.gt(shown_from)))
        .order((rows::first_starts_at.desc(), rows::id))
        .limit(MOST)
        .select(rows::id)
        .load(tx.connection())?;
    found(tx, &ids)
}

/// The tasks that a user has yet to do by some time, in order of their ids.
fn tasks_of(tx: &mut Transaction<'_>, user: UserId) -> Result<Vec<Task>, Error> {
    let ids: Vec<RecordId> = tasks::table
        .filter(tasks::tenant_id.eq(tx.tenant()))
        .filter(tasks::owner_id.eq(user))
        .filter(tasks::deleted_at.is_null())
        .filter(tasks::status.eq_any([TaskStatus::Open, TaskStatus::InProgress]))
        .filter(tasks::deadline_at.is_not_null())
        .order((tasks::deadline_at.desc(), tasks::id))
        .limit(MOST)
        .select(tasks::id)
        .load(tx.connection())?;
    found(tx, &ids)
}

fn found<R: Table>(tx: &mut Transaction<'_>, ids: &[RecordId]) -> Result<Vec<R>, Error> {
    // PostgreSQL has no list of nothing: `IN ()` is a syntax error.
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (tenant, condition) = (tx.tenant(), records::visible_condition::<R>(tx));
    let mut records = R::find_many(tx.connection(), tenant, ids, condition)?;
    records.sort_by_key(|record| record.meta().id);
    Ok(records)
}

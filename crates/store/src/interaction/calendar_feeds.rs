//! The secret addresses under which users read their calendars; of each only the SHA-256 of its secret is kept.

use crate::events::{FieldChanges, NewEvent};
use crate::interaction::calendars;
use crate::{Error, Transaction};
use diesel::prelude::*;
use domain::{Kind, Refusal};
use serde::Serialize;
use sql::Timestamp;
use sql::ids::{CalendarFeedId, RecordId, TenantId, UserId};
use sql::schema::{calendar_feeds, users};
use utoipa::ToSchema;

/// Addresses that one user may have at the same time: one for each device and program.
const MOST: i64 = 20;

/// A calendar's secret address, without the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, Queryable, Selectable, Insertable)]
#[diesel(table_name = calendar_feeds, treat_none_as_default_value = false)]
pub struct CalendarFeed {
    #[serde(skip)]
    tenant_id: TenantId,
    /// Names it.
    #[schema(value_type = uuid::Uuid)]
    pub id: CalendarFeedId,
    /// Whose calendar it shows.
    #[schema(value_type = uuid::Uuid)]
    pub user_id: UserId,
    /// What the calendar is called.
    pub name: String,
    /// How its secret begins, to tell it from others.
    #[schema(examples("rac_4fQx2a"))]
    pub prefix: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Gives a user one more address, by the SHA-256 of its secret.
pub fn create(
    tx: &mut Transaction<'_>,
    user: UserId,
    name: &str,
    hash: &str,
    prefix: &str,
) -> Result<CalendarFeed, Error> {
    let version = user_version(tx, user)?;
    if i64::try_from(list(tx, user)?.len()).unwrap_or(MOST) >= MOST {
        return Err(Refusal::conflict(
            "too_many_feeds",
            format!("revoke one of the {MOST} calendar feeds first"),
        )
        .into());
    }
    let feed = CalendarFeed {
        tenant_id: tx.tenant(),
        id: CalendarFeedId::new(),
        user_id: user,
        name: name.to_owned(),
        prefix: prefix.to_owned(),
        created_at: tx.now(),
    };
    diesel::insert_into(calendar_feeds::table)
        .values((
            calendar_feeds::tenant_id.eq(feed.tenant_id),
            calendar_feeds::id.eq(feed.id),
            calendar_feeds::user_id.eq(feed.user_id),
            calendar_feeds::name.eq(&feed.name),
            calendar_feeds::hash.eq(hash),
            calendar_feeds::prefix.eq(&feed.prefix),
            calendar_feeds::created_at.eq(feed.created_at),
        ))
        .execute(tx.connection())?;
    announce(tx, user, version, "calendar_feed_created");
    Ok(feed)
}

/// The addresses of a user, oldest first.
pub fn list(tx: &mut Transaction<'_>, user: UserId) -> Result<Vec<CalendarFeed>, Error> {
    let feeds = calendar_feeds::table
        .filter(calendar_feeds::tenant_id.eq(tx.tenant()))
        .filter(calendar_feeds::user_id.eq(user))
        .order(calendar_feeds::id)
        .select(CalendarFeed::as_select());
    Ok(feeds.load(tx.connection())?)
}

/// Revokes an address of a user: it answers 404 from now on.
pub fn revoke(tx: &mut Transaction<'_>, user: UserId, feed: CalendarFeedId) -> Result<(), Error> {
    let version = user_version(tx, user)?;
    let row = calendar_feeds::table
        .find((tx.tenant(), feed))
        .filter(calendar_feeds::user_id.eq(user));
    if diesel::delete(row).execute(tx.connection())? == 0 {
        return Err(Error::NotFound);
    }
    announce(tx, user, version, "calendar_feed_revoked");
    Ok(())
}

/// The calendar under the address whose secret has this SHA-256; none when it was revoked or its user may not act.
pub fn read(tx: &mut Transaction<'_>, hash: &str) -> Result<Option<String>, Error> {
    let of_user = users::tenant_id
        .eq(calendar_feeds::tenant_id)
        .and(users::id.eq(calendar_feeds::user_id));
    let found: Option<(UserId, String)> = calendar_feeds::table
        .inner_join(users::table.on(of_user))
        .filter(calendar_feeds::tenant_id.eq(tx.tenant()))
        .filter(calendar_feeds::hash.eq(hash))
        .filter(users::active.eq(true))
        .filter(users::deleted_at.is_null())
        .select((calendar_feeds::user_id, calendar_feeds::name))
        .first(tx.connection())
        .optional()?;
    found
        .map(|(user, name)| calendars::icalendar(tx, user, &name))
        .transpose()
}

/// Removes every address of a user.
pub(crate) fn forget(tx: &mut Transaction<'_>, user: RecordId) -> Result<(), Error> {
    let feeds = calendar_feeds::table
        .filter(calendar_feeds::tenant_id.eq(tx.tenant()))
        .filter(calendar_feeds::user_id.eq(UserId(user.0)));
    diesel::delete(feeds).execute(tx.connection())?;
    Ok(())
}

/// The version of a user that is not deleted; on the way it is known that there is one.
fn user_version(tx: &mut Transaction<'_>, user: UserId) -> Result<i64, Error> {
    let row = users::table
        .find((tx.tenant(), user))
        .filter(users::deleted_at.is_null())
        .select(users::version);
    Ok(row.first(tx.connection())?)
}

fn announce(tx: &mut Transaction<'_>, user: UserId, version: i64, what: &str) {
    let event = NewEvent::new(tx, Kind::User, what, RecordId(user.0), version, FieldChanges::default());
    tx.announce(event);
}

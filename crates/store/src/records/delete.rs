//! How records are deleted, restored, and removed for good.

use super::{Expected, announce, check_version, find_visible, get_for_change};
use crate::customer::{documents, merges, notes};
use crate::events::{self, FieldChanges, NewEvent};
use crate::stored::Stored;
use crate::{Error, Transaction, lookups};
use domain::operation::visibility::Visibility;
use domain::{Fields, Meta, Record};
use sql::ids::RecordId;

/// Deletes a record; it can be restored.
pub fn delete<R: Stored>(tx: &mut Transaction<'_>, id: RecordId, expected: &Expected) -> Result<(), Error> {
    let before = get_for_change::<R>(tx, id)?;
    check_version(tx, &before, expected)?;
    before.before_delete(tx)?;
    let deleted_at = Some(tx.now());
    set_deleted(tx, &before, deleted_at, "deleted").map(drop)
}

/// Undoes the deletion of a record. One that is not deleted stays as it is.
pub fn restore<R: Stored>(tx: &mut Transaction<'_>, id: RecordId) -> Result<R, Error> {
    let before = find_even_deleted::<R>(tx, id)?;
    if before.meta().deleted_at.is_none() {
        return Ok(before);
    }
    before.before_restore(tx)?;
    // What it would stand beside has changed meanwhile, so it is decided upon again.
    R::decide(tx, Some(&before), before.meta().clone(), before.fields().clone())?;
    set_deleted(tx, &before, None, "restored")
}

/// Removes a record for good, with what leads to it and the contents of its events.
pub fn purge<R: Stored>(tx: &mut Transaction<'_>, id: RecordId, expected: &Expected) -> Result<(), Error> {
    let before = find_even_deleted::<R>(tx, id)?;
    check_version(tx, &before, expected)?;
    purge_found(tx, &before)
}

/// Removes a record that was found for good, with what leads to it and the contents of its events.
pub(crate) fn purge_found<R: Stored>(tx: &mut Transaction<'_>, before: &R) -> Result<(), Error> {
    let id = before.meta().id;
    before.before_purge(tx)?;
    documents::erase_of(tx, id)?;
    notes::erase_of(tx, id)?;
    erase::<R>(tx, id, before.meta().version)?;
    before.after_erase(tx)
}

/// Removes the row, what leads to it, and the contents of its events.
pub(crate) fn erase<R: Stored>(tx: &mut Transaction<'_>, id: RecordId, version: i64) -> Result<(), Error> {
    tx.known().forget(R::KIND, id);
    lookups::remove(tx, R::KIND, id)?;
    merges::forget_record(tx, id)?;
    let tenant = tx.tenant();
    R::remove(tx.connection(), tenant, id)?;
    events::forget_contents(tx, id)?;
    let event = NewEvent::new(tx, R::KIND, "purged", id, version + 1, FieldChanges::default());
    tx.announce(event);
    Ok(())
}

/// The record with this id, deleted or not, locked; only what the caller may see.
pub(super) fn find_even_deleted<R: Stored>(tx: &mut Transaction<'_>, id: RecordId) -> Result<R, Error> {
    let tenant = tx.tenant();
    let found = R::find(tx.connection(), tenant, id, true)?.ok_or(Error::NotFound)?;
    let seen = match found.meta().deleted_at {
        Some(_) => may_see_deleted(tx, &found),
        None => find_visible::<R>(tx, id, false)?.is_some(),
    };
    if seen { Ok(found) } else { Err(Error::NotFound) }
}

/// A deleted record is seen by its owner, and by who sees everything.
pub(crate) fn may_see_deleted<R: Record>(tx: &Transaction<'_>, record: &R) -> bool {
    let common = record.fields().common();
    !R::KIND.registry().owned
        || match tx.scope().visibility {
            Visibility::All => true,
            Visibility::Own { user } => common.owner_id == Some(user),
            Visibility::Team { user, team } => {
                common.owner_id == Some(user) || (team.is_some() && common.team_id == team)
            }
        }
}

/// Deletes or restores a record, and tells of it.
pub(crate) fn set_deleted<R: Stored>(
    tx: &mut Transaction<'_>,
    before: &R,
    deleted_at: Option<sql::Timestamp>,
    what: &str,
) -> Result<R, Error> {
    let after = mark_deleted(tx, before, deleted_at)?;
    announce(tx, what, &after, FieldChanges::default(), None);
    Ok(after)
}

/// Deletes or restores a record without a word.
pub(crate) fn mark_deleted<R: Stored>(
    tx: &mut Transaction<'_>,
    before: &R,
    deleted_at: Option<sql::Timestamp>,
) -> Result<R, Error> {
    let mut after = before.clone();
    *after.meta_mut() = Meta {
        deleted_at,
        ..before.meta().changed(tx.now(), tx.actor().id)
    };
    if !after.update(tx.connection(), before)? {
        return Err(Error::Stale {
            version: before.meta().version,
            current: Box::new(serde_json::to_value(before)?),
        });
    }
    tx.known().forget(R::KIND, after.meta().id);
    R::after_write(tx, Some(before), &after)?;
    Ok(after)
}

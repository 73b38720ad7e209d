//! The mechanics that every kind of record has: find, list, create, change, delete, restore, purge, upsert.
//!
//! Each works in the caller's transaction and sees only what the caller may see.

mod create;
mod delete;
mod patch;

pub use create::{Creation, New, create, create_unasked};
pub(crate) use create::{create_from, insert_decided};
use delete::find_even_deleted;
pub use delete::{delete, purge, restore};
pub(crate) use delete::{erase, mark_deleted, may_see_deleted, purge_found, set_deleted};
pub use patch::{Prepared, patch, prepare, write_prepared};

use crate::events::{FieldChanges, NewEvent};
use crate::filter::{Condition, Order, Page};
use crate::references::{self, LocalReferences};
use crate::shown::Shown;
use crate::stored::Stored;
use crate::{Error, Transaction, custom_values, lookups};
use create::create_one;
use domain::operation::visibility::Visibility;
use domain::record::{Checked, ExternalId};
use domain::{Fields, Record, Refusal, Rule};
use patch::merge_into;
use serde_json::Value;
use sql::ids::RecordId;
use std::cell::Cell;
use std::sync::Arc;

/// What a client sent to be written: already read, or naming other records in ways that must be resolved first.
#[derive(Debug, Clone)]
pub enum Draft<F> {
    /// The settable part.
    Ready(Checked<F>),
    /// The body as it came, and the names that other items of its batch gave.
    Raw(Value, Arc<LocalReferences>),
}

/// What a write came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A new record.
    Created,
    /// A new version of a record.
    Updated,
    /// Nothing to change: the version stays and no event is raised.
    Unchanged,
}

/// Which version of a record the caller knows (If-Match).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Expected {
    /// It did not say.
    #[default]
    Unstated,
    /// Whichever there is.
    Any,
    /// One of these; none of them matches when the list is empty.
    OneOf(Vec<i64>),
}

/// When an upsert may create, and when it may update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Whichever is needed.
    #[default]
    Upsert,
    /// It must be new.
    CreateOnly,
    /// It must be there.
    UpdateOnly,
}

/// The condition that a caller may see a record of this kind.
pub(crate) fn visible_condition<R: Record>(tx: &Transaction<'_>) -> Condition {
    Condition::new(R::KIND.registry(), tx.tenant(), tx.scope().visibility)
}

/// The record with this id, if it is not deleted and the caller may see it.
pub fn find_visible<R: Stored>(tx: &mut Transaction<'_>, id: RecordId, lock: bool) -> Result<Option<R>, Error> {
    let tenant = tx.tenant();
    if is_narrowed::<R>(tx) {
        let condition = visible_condition::<R>(tx);
        let seen = R::find_passing(tx.connection(), tenant, id, condition)?;
        if seen.is_none() || !lock {
            return Ok(seen);
        }
    }
    let found = R::find(tx.connection(), tenant, id, lock)?;
    Ok(found.filter(|record| record.meta().deleted_at.is_none()))
}

/// Whether there is a record with this id that is not deleted and the caller may see.
pub(crate) fn is_visible<R: Stored>(tx: &mut Transaction<'_>, id: RecordId) -> Result<bool, Error> {
    let tenant = tx.tenant();
    if is_narrowed::<R>(tx) {
        return Ok(find_visible::<R>(tx, id, false)?.is_some());
    }
    Ok(R::exists(tx.connection(), tenant, id)?)
}

/// Whether the caller sees only some records of this kind.
pub(crate) fn is_narrowed<R: Record>(tx: &Transaction<'_>) -> bool {
    R::KIND.registry().owned && tx.scope().visibility != Visibility::All
}

/// The record with this id.
pub fn get<R: Stored>(tx: &mut Transaction<'_>, id: RecordId) -> Result<R, Error> {
    match find_visible(tx, id, false)? {
        Some(record) => Ok(record),
        None => Err(R::absent(tx, id)?),
    }
}

/// The record with this id, locked against other writers until the transaction ends.
pub fn get_for_change<R: Stored>(tx: &mut Transaction<'_>, id: RecordId) -> Result<R, Error> {
    match find_visible(tx, id, true)? {
        Some(record) => Ok(record),
        None => Err(R::absent(tx, id)?),
    }
}

/// The record that another system knows by this id.
pub fn get_by_external_id<R: Stored>(tx: &mut Transaction<'_>, system: &str, id: &str) -> Result<R, Error> {
    let id = lookups::find_by_external_id(tx, R::KIND, system, id)?.ok_or(Error::NotFound)?;
    get(tx, id)
}

/// The records that name some of these in a column of theirs, oldest first.
pub(crate) fn referring<R: Stored>(
    tx: &mut Transaction<'_>,
    column: &str,
    ids: &[RecordId],
    limit: usize,
) -> Result<Vec<R>, Error> {
    let tenant = tx.tenant();
    let registry = R::KIND.registry();
    let Some(field) = registry.field_in(column) else {
        return Ok(Vec::new());
    };
    let names_one = Rule::names(field, ids.iter().copied());
    let condition = visible_condition::<R>(tx).with_rule(Some(&names_one));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    R::page(tx.connection(), tenant, condition, Order::by_id(registry), limit)
}

/// Gives the records of a page one after the other, in its order: each may be gone before the next one is read.
pub fn each<R: Stored>(
    tx: &mut Transaction<'_>,
    page: &Page,
    mut take: impl FnMut(R) -> Result<(), Error>,
) -> Result<(), Error> {
    let tenant = tx.tenant();
    let keys = page.keys(R::KIND.registry());
    let wanted = Cell::new(page.limit);
    let mut counted = |record| {
        wanted.set(wanted.get() - 1);
        take(record)
    };
    for part in condition_of::<R>(tx, page).parts(&keys, page.after.as_ref(), page.limit) {
        let wanted = wanted.get();
        if wanted > 0 && part.along_custom_values {
            custom_values::page(tx, part, wanted)?
                .into_iter()
                .try_for_each(&mut counted)?;
        } else if wanted > 0 {
            R::each(
                tx.connection(),
                tenant,
                part.condition,
                part.order,
                wanted,
                &mut counted,
            )?;
        }
    }
    Ok(())
}

/// The records of a page, in its order.
pub fn page<R: Stored>(tx: &mut Transaction<'_>, page: &Page) -> Result<Vec<R>, Error> {
    let mut found = Vec::new();
    each(tx, page, |record| {
        found.push(record);
        Ok(())
    })?;
    Ok(found)
}

/// How many records there are on all pages together.
pub fn count<R: Stored>(tx: &mut Transaction<'_>, page: &Page) -> Result<i64, Error> {
    let tenant = tx.tenant();
    let condition = condition_of::<R>(tx, page);
    Ok(R::count(tx.connection(), tenant, condition)?)
}

fn condition_of<R: Record>(tx: &Transaction<'_>, page: &Page) -> Condition {
    let condition = visible_condition::<R>(tx);
    let condition = condition.with_rule(page.rule.as_ref()).with_search(page.q.as_ref());
    if page.kept { condition.kept() } else { condition }
}

/// Changes a record by a decision that is more than a change of fields.
pub fn change<R: Stored>(
    tx: &mut Transaction<'_>,
    id: RecordId,
    expected: &Expected,
    decide: impl FnOnce(&mut Transaction<'_>, &R) -> Result<R, Error>,
) -> Result<(R, Outcome), Error> {
    let before = get_for_change::<R>(tx, id)?;
    check_version(tx, &before, expected)?;
    let after = decide(tx, &before)?;
    save_decided(tx, &before, after)
}

/// Saves a new settable part over the version read.
pub fn save<R: Stored>(tx: &mut Transaction<'_>, before: &R, fields: R::Fields) -> Result<(R, Outcome), Error> {
    let meta = before.meta().changed(tx.now(), tx.actor().id);
    let old = before.fields();
    let fields = if custom_values::are_untouched(old, &fields) {
        fields.checked_with(Some(old), None)?
    } else {
        custom_values::with_check(tx, R::KIND, Some(old.common().custom), |custom| {
            fields.checked_with(Some(old), custom)
        })??
    };
    let after = R::decide(tx, Some(before), meta, fields)?;
    save_decided(tx, before, after)
}

/// Saves a record that a rule has decided upon over the version read.
pub fn save_decided<R: Stored>(tx: &mut Transaction<'_>, before: &R, mut after: R) -> Result<(R, Outcome), Error> {
    after.meta_mut().clone_from(before.meta());
    let change = Change::of(before, &after)?;
    if !change.any {
        return Ok((before.clone(), Outcome::Unchanged));
    }
    Ok((save_over(tx, before, &[before], after, change)?, Outcome::Updated))
}

/// Saves a record that a rule has decided upon as a new version even where nothing of it changes, because what hangs on it
/// does. What `origin` names is not asked for again.
pub(crate) fn save_beside<R: Stored>(tx: &mut Transaction<'_>, before: &R, origin: &R, after: R) -> Result<R, Error> {
    let change = Change::of(before, &after)?;
    save_over(tx, before, &[before, origin], after, change)
}

/// What a change makes of a record, as it is shown.
struct Change {
    old: Shown,
    new: Shown,
    fields: FieldChanges,
    /// Whether anything differs, even what events do not tell.
    any: bool,
}

impl Change {
    fn of<R: Record>(before: &R, after: &R) -> Result<Self, Error> {
        Self::since(Shown::of(before)?, after)
    }

    fn since<R: Record>(old: Shown, after: &R) -> Result<Self, Error> {
        let new = Shown::of(after)?;
        let (fields, any) = FieldChanges::compared(Some(&old), Some(&new))?;
        Ok(Self { old, new, fields, any })
    }
}

fn save_over<R: Stored>(
    tx: &mut Transaction<'_>,
    before: &R,
    known: &[&R],
    mut after: R,
    mut change: Change,
) -> Result<R, Error> {
    *after.meta_mut() = before.meta().changed(tx.now(), tx.actor().id);
    references::check(tx, known, &after)?;
    if !after.update(tx.connection(), before)? {
        return Err(Error::Stale {
            version: before.meta().version,
            current: Box::new(serde_json::to_value(before)?),
        });
    }
    tx.known().forget(R::KIND, after.meta().id);
    lookups::write(tx, before, &after)?;
    R::after_write(tx, Some(before), &after)?;
    if after.complete(tx, Some(before))? {
        change = Change::since(change.old, &after)?;
    }
    let what = R::update_event(before, &after);
    announce(tx, what, &after, change.fields, Some(&change.new));
    Ok(after)
}

/// Creates or changes the record that another system knows by this id. What the body leaves out stays.
pub fn upsert<R: Stored>(
    tx: &mut Transaction<'_>,
    known_as: ExternalId,
    mode: Mode,
    expected: &Expected,
    body: Value,
    local: &Arc<LocalReferences>,
) -> Result<(R, Outcome), Error> {
    let found = lookups::find_by_external_id(tx, R::KIND, &known_as.system, &known_as.id)?;
    match (found, mode) {
        (Some(_), Mode::CreateOnly) => {
            Err(Refusal::conflict("already_exists", "a record with this external id exists").into())
        }
        (None, Mode::UpdateOnly) => Err(Error::NotFound),
        (None, _) if *expected != Expected::Unstated => Err(Error::NotFound),
        (None, _) => {
            let new = New {
                draft: Draft::Raw(body, Arc::clone(local)),
                known_as: Some(known_as),
            };
            create_one(tx, new).map(|record| (record, Outcome::Created))
        }
        (Some(id), _) => {
            let before = find_even_deleted::<R>(tx, id)?;
            if before.meta().deleted_at.is_some() {
                return Err(Refusal::conflict(
                    "deleted",
                    "the record with this external id is deleted: restore it first",
                )
                .into());
            }
            check_version(tx, &before, expected)?;
            merge_into(tx, &before, body, local, Some(known_as))
        }
    }
}

fn add_external_id<F: Fields>(fields: &mut F, id: ExternalId) {
    let ids = fields.external_ids_mut();
    if !ids.contains(&id) {
        ids.push(id);
    }
}

/// Whether the caller knows the version it is about to change, where it said so or must.
pub(crate) fn check_version<R: Record>(tx: &Transaction<'_>, record: &R, expected: &Expected) -> Result<(), Error> {
    let version = record.meta().version;
    match expected {
        Expected::OneOf(versions) if !versions.contains(&version) => Err(Error::Stale {
            version,
            current: Box::new(serde_json::to_value(record)?),
        }),
        Expected::Unstated if tx.scope().tenant.require_if_match => Err(Error::VersionRequired),
        _ => Ok(()),
    }
}

fn announce<R: Record>(tx: &mut Transaction<'_>, what: &str, record: &R, changes: FieldChanges, shown: Option<&Shown>) {
    let meta = record.meta();
    let event = NewEvent::new(tx, R::KIND, what, meta.id, meta.version, changes);
    // Whose matter it is now; a record that is a customer itself needs no such member.
    let event = if R::KIND == domain::Kind::Customer {
        event
    } else {
        event.of_customer(shown.and_then(|shown| shown.id_in("customer_id")))
    };
    tx.announce(event);
}

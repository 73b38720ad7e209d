//! How a merge is undone: the merged customer comes back as it was, with what was moved and still is with the survivor.

use super::noted::{self, ENDED, SEGMENTS};
use super::places::ROWS;
use super::shifting::shift;
use super::statement::Way;
use super::{Changes, announce, forget_moves, lock, moving, with_fields};
use crate::customer::relationships;
use crate::interaction::activity;
use crate::kinds::with_record;
use crate::marketing::segment_members;
use crate::records::{self, Expected};
use crate::stored::{Stored, Table};
use crate::{Error, Transaction, lookups};
use diesel::prelude::*;
use domain::customer::customers::Customer;
use domain::customer::merges::{CustomerMerge, naming, renamed, undone, unmerged};
use domain::customer::relationships::Relationship;
use domain::marketing::segments::{Segment, SegmentKind};
use domain::{Kind, Record, Refusal};
use sql::Json;
use sql::ids::{CustomerId, EventId, RecordId, SegmentId};
use sql::schema::{customer_merge_moves as moves, customer_merges as merges};
use std::collections::BTreeMap;

/// What undoing a merge came to.
#[derive(Debug)]
pub struct Unmerging {
    /// The merge.
    pub merge: CustomerMerge,
    /// The customer that had taken the other one in.
    pub survivor: Customer,
    /// The customer that is back.
    pub restored: Customer,
    /// The members of the survivor that stay, because somebody changed them since: JSON Pointers.
    pub kept: Vec<String>,
    /// How many records of each resource went back.
    pub returned: BTreeMap<String, i64>,
}

/// Undoes a merge, the last one of its survivor.
pub fn undo(tx: &mut Transaction<'_>, id: RecordId, merge: EventId, expected: &Expected) -> Result<Unmerging, Error> {
    // Read before the customers are locked to know which, and again to see whether anybody was quicker.
    let merged_id = RecordId(find(tx, id, merge)?.merged_id.0);
    lock(tx, &[id, merged_id])?;
    let survivor = records::get_for_change::<Customer>(tx, id)?;
    records::check_version(tx, &survivor, expected)?;
    let merge = find(tx, id, merge)?;
    refuse_late(tx, &merge)?;
    let tenant = tx.tenant();
    let gone = Customer::find(tx.connection(), tenant, merged_id, true)?.ok_or(Error::NotFound)?;
    if !records::may_see_deleted(tx, &gone) {
        return Err(Error::NotFound);
    }
    moving::refuse_overtaken(tx, &[id, merged_id])?;
    let (fields, kept) = unmerged(&survivor.fields, &merge.changes, &gone.fields)?;
    // It is there again before the survivor may refer to it, and found again after the survivor has let its ids go.
    let restored = records::mark_deleted(tx, &gone, None)?;
    let merge = end(tx, merge)?;
    let survivor = records::save_beside(tx, &survivor, &gone, with_fields(&survivor, fields, tx.now()))?;
    lookups::write_new(tx, std::slice::from_ref(&restored))?;
    let way = Way {
        merge: merge.id,
        from: merged_id,
        to: id,
    };
    let returned = move_back(tx, way)?;
    for customer in [id, merged_id] {
        activity::count_anew(tx, Some(CustomerId(customer.0)))?;
        relationships::check_parents(tx, CustomerId(customer.0)).map_err(as_conflict)?;
    }
    forget_moves(tx, merge.id)?;
    announce(tx, "unmerged", &restored, &merge, &returned)?;
    Ok(Unmerging {
        merge,
        survivor,
        restored,
        kept,
        returned,
    })
}

/// The merge of this id into a customer. Who asks for the customer by an old id is told the new one.
fn find(tx: &mut Transaction<'_>, id: RecordId, merge: EventId) -> Result<CustomerMerge, Error> {
    records::get::<Customer>(tx, id)?;
    let merge: Option<CustomerMerge> = merges::table
        .find((tx.tenant(), merge))
        .filter(merges::survivor_id.eq(CustomerId(id.0)))
        .select(CustomerMerge::as_select())
        .first(tx.connection())
        .optional()?;
    merge.ok_or(Error::NotFound)
}

/// Merges are undone once, the last one first: each was decided upon what the ones before had made.
fn refuse_late(tx: &mut Transaction<'_>, merge: &CustomerMerge) -> Result<(), Error> {
    if merge.undone_at.is_some() {
        return Err(Refusal::conflict("already_undone", "the merge is undone already").into());
    }
    let later: Option<EventId> = merges::table
        .filter(merges::tenant_id.eq(tx.tenant()))
        .filter(merges::survivor_id.eq(merge.survivor_id))
        .filter(merges::undone_at.is_null())
        .filter(merges::id.gt(merge.id))
        .order(merges::id.desc())
        .select(merges::id)
        .first(tx.connection())
        .optional()?;
    match later {
        Some(later) => Err(Refusal::conflict("later_merge", format!("undo the later merge {later} first")).into()),
        None => Ok(()),
    }
}

/// Nothing personal is kept of a merge that is undone.
fn end(tx: &mut Transaction<'_>, merge: CustomerMerge) -> Result<CustomerMerge, Error> {
    let merge = CustomerMerge {
        undone_at: Some(tx.now()),
        undone_by: tx.actor().id,
        changes: Json::new(Vec::new()),
        ..merge
    };
    diesel::update(merges::table.find((merge.tenant_id, merge.id)))
        .set((
            merges::undone_at.eq(merge.undone_at),
            merges::undone_by.eq(merge.undone_by),
            merges::changes.eq(&merge.changes),
        ))
        .execute(tx.connection())?;
    Ok(merge)
}

fn as_conflict(error: Error) -> Error {
    match error {
        Error::Refused(refusal @ Refusal::Invalid(_)) => {
            let detail = format!("the hierarchy has changed since: {refusal}");
            Refusal::conflict("hierarchy", detail).into()
        }
        other => other,
    }
}

/// Moves what was moved back, as far as it still is with the survivor, and tells how much that was.
fn move_back(tx: &mut Transaction<'_>, way: Way) -> Result<BTreeMap<String, i64>, Error> {
    let back = way.back();
    let mut returned = BTreeMap::new();
    for kind in Kind::ALL {
        let rows = kind_back(tx, back, *kind)?;
        note(&mut returned, kind.registry().table, rows);
    }
    // Counted for each row by the index: a join may compare each with each.
    for table in ROWS {
        let text = format!(
            "UPDATE {table} SET customer_id = @to WHERE tenant_id = @tenant AND customer_id = @from AND (\
             SELECT count(*) FROM customer_merge_moves AS m WHERE m.tenant_id = @tenant AND m.merge_id = @merge \
             AND m.source = @source AND m.record_id = {table}.id) > 0"
        );
        let rows = back.run(tx, &text, &[("source", table)])?;
        note(&mut returned, table, rows);
    }
    // What became of a record since the merge belongs to whom the record belongs.
    let text = "UPDATE events SET customer_id = @to WHERE tenant_id = @tenant AND customer_id = @from AND (\
                SELECT count(*) FROM customer_merge_moves AS m WHERE m.tenant_id = @tenant \
                AND m.record_id = events.subject_id AND m.merge_id = @merge AND m.source <> @source) > 0";
    back.run(tx, text, &[("source", SEGMENTS)])?;
    let rows = leave_segments(tx, way)?;
    note(&mut returned, SEGMENTS, rows);
    Ok(returned)
}

fn note(returned: &mut BTreeMap<String, i64>, source: &str, rows: usize) {
    if rows > 0 {
        returned.insert(source.to_owned(), i64::try_from(rows).unwrap_or(i64::MAX));
    }
}

fn kind_back(tx: &mut Transaction<'_>, back: Way, kind: Kind) -> Result<usize, Error> {
    let table = kind.registry().table;
    let changed = format!(
        "UPDATE customer_merge_moves SET version = 0 WHERE tenant_id = @tenant AND merge_id = @merge \
         AND source = @source AND version > 0 AND places <> @ended AND version <> coalesce((\
         SELECT t.version FROM {table} AS t WHERE t.tenant_id = @tenant AND t.id = customer_merge_moves.record_id), 0)"
    );
    back.run(tx, &changed, &[("source", table), ("ended", ENDED)])?;
    let mut rows = 0;
    for places in noted::groups(tx, back, kind)? {
        rows += shift(tx, back, kind, &places)?;
    }
    for (id, places, changes) in changed_since(tx, back, kind)? {
        rows += usize::from(with_record!(kind, |R| give_back::<R>(
            tx,
            back,
            id,
            &places,
            changes.as_ref()
        )?));
    }
    if kind == Kind::Relationship {
        rows += restore_ties(tx, back)?;
    }
    Ok(rows)
}

/// The records that cannot go back as they came: they named both customers, or somebody has changed them since.
fn changed_since(
    tx: &mut Transaction<'_>,
    back: Way,
    kind: Kind,
) -> Result<Vec<(RecordId, String, Option<Changes>)>, Error> {
    Ok(moves::table
        .filter(moves::tenant_id.eq(tx.tenant()))
        .filter(moves::merge_id.eq(back.merge))
        .filter(moves::source.eq(kind.registry().table))
        .filter(moves::version.eq(0))
        .order(moves::record_id)
        .select((moves::record_id, moves::places, moves::changes))
        .load(tx.connection())?)
}

/// Gives one record back, in the places that still are as the merge left them.
fn give_back<R: Stored>(
    tx: &mut Transaction<'_>,
    back: Way,
    id: RecordId,
    places: &str,
    changes: Option<&Changes>,
) -> Result<bool, Error> {
    let tenant = tx.tenant();
    let Some(before) = R::find(tx.connection(), tenant, id, true)? else {
        return Ok(false);
    };
    let old = serde_json::to_value(before.fields())?;
    let new = if let Some(changes) = changes {
        undone(&old, changes).0
    } else {
        let pointers = moving::pointers(tx, &before)?.into_iter();
        let pointers = pointers.filter(|pointer| places.split_whitespace().any(|place| is_in::<R>(pointer, place)));
        let named = naming(&old, pointers, &back.from.to_string());
        renamed(&old, &named, &back.to.to_string(), moving::unique(R::KIND))
    };
    let differs = new != old;
    if differs {
        moving::put(tx, &before, new)?;
    }
    Ok(differs)
}

/// Whether a place of a settable part, as a JSON Pointer, is in the column that a note names.
fn is_in<R: Record>(pointer: &str, place: &str) -> bool {
    let field = R::KIND.registry().field_in(place);
    let name = field.map_or(place, |field| field.name).replace('.', "/");
    let rest = pointer
        .strip_prefix('/')
        .and_then(|pointer| pointer.strip_prefix(&name));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Restores the ties that the merge ended, unless somebody has had to do with them since.
fn restore_ties(tx: &mut Transaction<'_>, back: Way) -> Result<usize, Error> {
    let mut rows = 0;
    let tenant = tx.tenant();
    for (id, version) in noted::under(tx, back, Kind::Relationship, ENDED)? {
        let tie = Relationship::find(tx.connection(), tenant, id, true)?;
        if let Some(tie) = tie.filter(|tie| tie.meta.version == version && tie.meta.deleted_at.is_some()) {
            records::set_deleted(tx, &tie, None, "restored")?;
            rows += 1;
        }
    }
    Ok(rows)
}

/// The survivor leaves the segments that it entered in place of the merged customer.
fn leave_segments(tx: &mut Transaction<'_>, way: Way) -> Result<usize, Error> {
    let joined: Vec<RecordId> = moves::table
        .filter(moves::tenant_id.eq(tx.tenant()))
        .filter(moves::merge_id.eq(way.merge))
        .filter(moves::source.eq(SEGMENTS))
        .select(moves::record_id)
        .load(tx.connection())?;
    let (tenant, mut rows) = (tx.tenant(), 0);
    for id in joined {
        let segment = Segment::find(tx.connection(), tenant, id, false)?;
        if segment.is_some_and(|segment| segment.fields.kind != SegmentKind::Dynamic) {
            let moved = segment_members::move_members(tx, SegmentId(id.0), &[], &[CustomerId(way.to.0)])?;
            rows += moved.left;
        }
    }
    Ok(rows)
}

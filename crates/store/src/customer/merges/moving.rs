//! How everything that refers to one customer is made to refer to another one: by statements that work on all records of
//! a kind at once. What was moved is noted, so that it can go back.

use super::noted::{self, EVENTS, REWRITTEN, SEGMENTS};
use super::places::{ROWS, lists};
use super::shifting::shift;
use super::statement::Way;
use crate::kinds::with_record;
use crate::marketing::segment_members;
use crate::records;
use crate::stored::Stored;
use crate::{Error, Transaction, custom_values, events};
use diesel::prelude::*;
use domain::custom_values::CustomValues;
use domain::customer::merges::{changes, naming, renamed};
use domain::marketing::segments::SegmentKind;
use domain::record::Fields;
use domain::{Kind, Record};
use serde_json::Value;
use sql::Json;
use sql::ids::{CustomerId, RecordId, SegmentId};
use sql::schema::{customer_merge_moves as moves, segment_members as members, segments};

/// The keys of the custom fields of a kind of record that name customers.
fn custom_keys(tx: &mut Transaction<'_>, kind: Kind) -> Result<Vec<String>, Error> {
    let catalogue = custom_values::catalogue(tx)?;
    let keys = catalogue.of(kind).filter(|field| field.target == Some(Kind::Customer));
    Ok(keys.map(|field| field.key.clone()).collect())
}

/// Makes everything that refers to one customer refer to the other one.
pub(super) fn move_all(tx: &mut Transaction<'_>, way: Way) -> Result<(), Error> {
    for kind in Kind::ALL {
        move_kind(tx, way, *kind)?;
    }
    for table in ROWS {
        let note = format!(
            "INSERT INTO customer_merge_moves (tenant_id, merge_id, source, record_id, version, places) \
             SELECT tenant_id, @merge, @source, id, 0, 'customer_id' FROM {table} \
             WHERE tenant_id = @tenant AND customer_id = @from"
        );
        way.run(tx, &note, &[("source", table)])?;
        let set = format!("UPDATE {table} SET customer_id = @to WHERE tenant_id = @tenant AND customer_id = @from");
        way.run(tx, &set, &[])?;
    }
    let note = "INSERT INTO customer_merge_moves (tenant_id, merge_id, source, record_id, version, places) \
                SELECT DISTINCT tenant_id, @merge, @source, subject_id, 0, 'customer_id' FROM events \
                WHERE tenant_id = @tenant AND customer_id = @from";
    way.run(tx, note, &[("source", EVENTS)])?;
    let set = "UPDATE events SET customer_id = @to WHERE tenant_id = @tenant AND customer_id = @from";
    way.run(tx, set, &[])?;
    enter_segments(tx, way)
}

fn move_kind(tx: &mut Transaction<'_>, way: Way, kind: Kind) -> Result<(), Error> {
    let keys = custom_keys(tx, kind)?;
    noted::note_both(tx, way, kind)?;
    let both = noted::under(tx, way, kind, REWRITTEN)?;
    refuse_overtaken(tx, &both.iter().map(|(id, _)| *id).collect::<Vec<_>>())?;
    for (id, _) in both {
        with_record!(kind, |R| rewrite::<R>(tx, way, id)?);
    }
    noted::note(tx, way, kind, &keys)?;
    for places in noted::groups(tx, way, kind)? {
        shift(tx, way, kind, &places)?;
    }
    Ok(())
}

/// The places of a settable part that name customers, as JSON Pointers.
pub(super) fn pointers<R: Record>(tx: &mut Transaction<'_>, record: &R) -> Result<Vec<String>, Error> {
    let catalogue = custom_values::catalogue(tx)?;
    let custom: &CustomValues = record.fields().common().custom;
    let references = record
        .references()
        .into_iter()
        .chain(catalogue.references(R::KIND, custom));
    let of_customers = references.filter(|reference| reference.kind == Kind::Customer);
    Ok(of_customers.map(|reference| reference.pointer).collect())
}

/// The members that two entries of a list of this kind must not share.
pub(super) fn unique(kind: Kind) -> &'static [&'static str] {
    lists(kind)
        .map(|list| list.unique)
        .find(|unique| !unique.is_empty())
        .unwrap_or_default()
}

/// Makes one record that names both customers name one.
fn rewrite<R: Stored>(tx: &mut Transaction<'_>, way: Way, id: RecordId) -> Result<(), Error> {
    let tenant = tx.tenant();
    let Some(before) = R::find(tx.connection(), tenant, id, true)? else {
        return Ok(());
    };
    let old = serde_json::to_value(before.fields())?;
    let named = naming(&old, pointers(tx, &before)?.into_iter(), &way.from.to_string());
    let new = renamed(&old, &named, &way.to.to_string(), unique(R::KIND));
    let changes = Json::new(changes(&old, &new));
    put(tx, &before, new)?;
    let row = moves::table.find((tenant, way.merge, R::KIND.registry().table, id));
    diesel::update(row)
        .set(moves::changes.eq(Some(changes)))
        .execute(tx.connection())?;
    Ok(())
}

/// Saves a settable part that says the same of another customer: no rule has a say in it.
pub(super) fn put<R: Stored>(tx: &mut Transaction<'_>, before: &R, fields: Value) -> Result<(), Error> {
    let mut after = before.clone();
    *after.fields_mut() = serde_json::from_value(fields)?;
    records::save_decided(tx, before, after).map(drop)
}

/// On PostgreSQL a transaction that began later may have changed a record and told of it already: this one would tell of
/// it earlier in the log, so it starts again.
pub(super) fn refuse_overtaken(tx: &mut Transaction<'_>, ids: &[RecordId]) -> Result<(), Error> {
    for some in ids.chunks(500) {
        if events::are_ahead(tx, some)? {
            return Err(Error::start_again());
        }
    }
    Ok(())
}

/// The survivor takes the place of the merged customer in segments that no rule keeps up. The merged one stays a member,
/// as deleted customers do, so that it is one again when it comes back.
fn enter_segments(tx: &mut Transaction<'_>, way: Way) -> Result<(), Error> {
    let joined: Vec<SegmentId> = members::table
        .inner_join(
            segments::table.on(segments::tenant_id
                .eq(members::tenant_id)
                .and(segments::id.eq(members::segment_id))),
        )
        .filter(members::tenant_id.eq(tx.tenant()))
        .filter(members::customer_id.eq(way.from))
        .filter(segments::kind.ne(SegmentKind::Dynamic))
        .order(members::segment_id)
        .select(members::segment_id)
        .load(tx.connection())?;
    for segment in joined {
        let moved = segment_members::move_members(tx, segment, &[CustomerId(way.to.0)], &[])?;
        if moved.entered == 1 {
            noted::add(tx, way, SEGMENTS, RecordId(segment.0), 0, "customer_id")?;
        }
    }
    Ok(())
}

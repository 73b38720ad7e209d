//! What a merge moves is noted, a row for each record, so that it can go back.

use super::places::{columns, lists, value};
use super::statement::Way;
use crate::{Error, Transaction};
use diesel::prelude::*;
use domain::Kind;
use sql::ids::RecordId;
use sql::on_either;
use sql::schema::customer_merge_moves as moves;
use std::collections::BTreeMap;

/// What was changed in a record that named both customers, or since the merge, stands in its row.
pub(super) const REWRITTEN: &str = "rewritten";
/// A tie that would have led from the survivor to itself, or once more to the same parent company.
pub(super) const ENDED: &str = "ended";
/// The segments that the survivor entered in place of the merged customer.
pub(super) const SEGMENTS: &str = "segment_members";
/// The subjects of the events that the timeline of the merged customer told.
pub(super) const EVENTS: &str = "events";

/// Notes the records of a kind whose lists name both customers: an entry may then have to go.
pub(super) fn note_both(tx: &mut Transaction<'_>, way: Way, kind: Kind) -> Result<(), Error> {
    let table = kind.registry().table;
    for list in lists(kind) {
        let text = format!(
            "INSERT INTO customer_merge_moves (tenant_id, merge_id, source, record_id, version, places) \
             SELECT a.tenant_id, @merge, @source, a.record_id, 0, @places FROM record_values AS a \
             WHERE a.tenant_id = @tenant AND a.kind = @kind AND a.field = @field AND a.value = {from} \
             AND (SELECT count(*) FROM record_values AS b WHERE b.tenant_id = @tenant AND b.kind = @kind \
             AND b.field = @field AND b.value = {to} AND b.record_id = a.record_id) > 0 \
             AND a.record_id NOT IN (SELECT record_id FROM customer_merge_moves \
             WHERE tenant_id = @tenant AND merge_id = @merge AND source = @source)",
            from = value(list, true),
            to = value(list, false),
        );
        let more = [
            ("source", table),
            ("places", REWRITTEN),
            ("kind", kind.as_str()),
            ("field", list.field),
        ];
        way.run(tx, &text, &more)?;
    }
    Ok(())
}

/// Notes the other records of a kind that name the customer, and in which places each does.
pub(super) fn note(tx: &mut Transaction<'_>, way: Way, kind: Kind, keys: &[String]) -> Result<(), Error> {
    let table = kind.registry().table;
    let (mut ids, mut places) = (Vec::new(), Vec::new());
    for column in columns(kind) {
        ids.push(format!(
            "SELECT id FROM {table} WHERE tenant_id = @tenant AND {column} = @from"
        ));
        places.push(format!("CASE WHEN t.{column} = @from THEN '{column} ' ELSE '' END"));
    }
    for list in lists(kind) {
        let value = format!("field = '{}' AND value = {}", list.field, value(list, true));
        ids.push(format!(
            "SELECT record_id FROM record_values WHERE tenant_id = @tenant AND kind = @kind AND {value}"
        ));
        places.push(format!(
            "CASE WHEN EXISTS (SELECT 1 FROM record_values WHERE tenant_id = @tenant AND kind = @kind AND {value} \
             AND record_id = t.id) THEN '{} ' ELSE '' END",
            list.column
        ));
    }
    for key in keys {
        // A key is of small letters, digits and underscores.
        let value = format!("field = 'custom.{key}' AND reference = @from");
        ids.push(format!(
            "SELECT record_id FROM custom_values WHERE tenant_id = @tenant AND kind = @kind AND {value}"
        ));
        places.push(format!(
            "CASE WHEN EXISTS (SELECT 1 FROM custom_values WHERE tenant_id = @tenant AND kind = @kind AND {value} \
             AND record_id = t.id) THEN 'custom.{key} ' ELSE '' END"
        ));
    }
    if ids.is_empty() {
        return Ok(());
    }
    let except = match kind {
        // The two themselves are decided upon, and ties between them end.
        Kind::Customer => "AND t.id NOT IN (@from, @to)",
        Kind::Relationship => "AND NOT (t.from_id IN (@from, @to) AND t.to_id IN (@from, @to))",
        _ => "",
    };
    let ids = ids.join(" UNION ");
    // See `shifting::of_group`.
    let (named, lock) = if tx.connection().is_sqlite() {
        (format!("t.id IN ({ids})"), "")
    } else {
        (format!("t.id = ANY (ARRAY ({ids}))"), "FOR UPDATE OF t")
    };
    let text = format!(
        "INSERT INTO customer_merge_moves (tenant_id, merge_id, source, record_id, version, places) \
         SELECT t.tenant_id, @merge, @source, t.id, t.version + 1, {places} FROM {table} AS t \
         WHERE t.tenant_id = @tenant AND {named} {except} AND t.id NOT IN (\
         SELECT record_id FROM customer_merge_moves \
         WHERE tenant_id = @tenant AND merge_id = @merge AND source = @source) {lock}",
        places = places.join(" || "),
    );
    way.run(tx, &text, &[("source", table), ("kind", kind.as_str())])?;
    Ok(())
}

/// The groups of records of a kind that name the customer in the same places.
pub(super) fn groups(tx: &mut Transaction<'_>, way: Way, kind: Kind) -> Result<Vec<String>, Error> {
    Ok(moves::table
        .filter(moves::tenant_id.eq(tx.tenant()))
        .filter(moves::merge_id.eq(way.merge))
        .filter(moves::source.eq(kind.registry().table))
        .filter(moves::version.gt(0))
        .filter(moves::places.ne_all(vec![REWRITTEN, ENDED]))
        .select(moves::places)
        .distinct()
        .load(tx.connection())?)
}

/// The records of a kind that were noted under a word instead of places, each with the version that was noted.
pub(super) fn under(tx: &mut Transaction<'_>, way: Way, kind: Kind, word: &str) -> Result<Vec<(RecordId, i64)>, Error> {
    Ok(moves::table
        .filter(moves::tenant_id.eq(tx.tenant()))
        .filter(moves::merge_id.eq(way.merge))
        .filter(moves::source.eq(kind.registry().table))
        .filter(moves::places.eq(word))
        .order(moves::record_id)
        .select((moves::record_id, moves::version))
        .load(tx.connection())?)
}

/// Notes one record.
pub(super) fn add(
    tx: &mut Transaction<'_>,
    way: Way,
    source: &str,
    id: RecordId,
    version: i64,
    places: &str,
) -> Result<(), Error> {
    let row = (
        moves::tenant_id.eq(tx.tenant()),
        moves::merge_id.eq(way.merge),
        moves::source.eq(source),
        moves::record_id.eq(id),
        moves::version.eq(version),
        moves::places.eq(places),
    );
    on_either!(tx.connection(), |c| diesel::insert_into(moves::table)
        .values(row)
        .execute(c))?;
    Ok(())
}

/// How many records of each resource were moved.
pub(super) fn counts(tx: &mut Transaction<'_>, way: Way) -> Result<BTreeMap<String, i64>, Error> {
    let counts: Vec<(String, i64)> = moves::table
        .filter(moves::tenant_id.eq(tx.tenant()))
        .filter(moves::merge_id.eq(way.merge))
        .filter(moves::source.ne(EVENTS))
        .group_by(moves::source)
        .select((moves::source, diesel::dsl::count_star()))
        .load(tx.connection())?;
    Ok(counts.into_iter().collect())
}

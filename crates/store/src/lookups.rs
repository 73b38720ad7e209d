//! The tables by which records are found: external ids, values of multi-valued fields, search texts.
//! Each is written with the record it leads to, and only where something changed.

use crate::savepoints::rows_written;
use crate::stored::Stored;
use crate::{Error, Transaction, custom_values, records};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use domain::record::ExternalId;
use domain::{Fields, Kind, Record, Refusal};
use sql::ids::{RecordId, TenantId};
use sql::schema::{external_ids, record_values, search_texts};
use sql::{insert_all, on_either, run_kept};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The record of a kind that another system knows by this id, deleted or not.
pub fn find_by_external_id(
    tx: &mut Transaction<'_>,
    kind: Kind,
    system: &str,
    id: &str,
) -> Result<Option<RecordId>, Error> {
    let tenant = tx.tenant();
    let key = (tenant, kind, system, id);
    Ok(external_ids::table
        .find(key)
        .select(external_ids::record_id)
        .first(tx.connection())
        .optional()?)
}

/// External ids in one query: databases take only so many parameters.
const ASKED_TOGETHER: usize = 1_000;

/// Whether some record of a kind, deleted or not, is known to other systems by one of these ids.
pub fn is_any_known(tx: &mut Transaction<'_>, kind: Kind, ids: &[ExternalId]) -> Result<bool, Error> {
    let mut by_system: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for id in ids {
        by_system.entry(&id.system).or_default().push(&id.id);
    }
    let portions = by_system
        .iter()
        .flat_map(|(system, ids)| ids.chunks(ASKED_TOGETHER).map(move |ids| (*system, ids)));
    for (system, ids) in portions {
        let known = external_ids::table
            .filter(external_ids::tenant_id.eq(tx.tenant()))
            .filter(external_ids::kind.eq(kind))
            .filter(external_ids::system.eq(system))
            .filter(external_ids::external_id.eq_any(ids));
        if diesel::select(diesel::dsl::exists(known)).get_result(tx.connection())? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The record of a kind that has this among the values of a field: of several that the caller may see, the first.
pub(crate) fn find_by_value<R: Stored>(
    tx: &mut Transaction<'_>,
    field: &'static str,
    value: &str,
) -> Result<Option<R>, Error> {
    let ids: Vec<RecordId> = record_values::table
        .filter(record_values::tenant_id.eq(tx.tenant()))
        .filter(record_values::kind.eq(R::KIND))
        .filter(record_values::field.eq(field))
        .filter(record_values::value.eq(value))
        .order(record_values::record_id)
        .limit(20)
        .select(record_values::record_id)
        .load(tx.connection())?;
    for id in ids {
        if let Some(found) = records::find_visible(tx, id, false)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Writes what leads to new records.
pub(crate) fn write_new<R: Record>(tx: &mut Transaction<'_>, new: &[R]) -> Result<(), Error> {
    let tenant = tx.tenant();
    let known_as = new.iter().flat_map(|record| {
        let ids = record.fields().common().external_ids.iter().enumerate();
        ids.map(|(index, id)| (record.meta().id, index, id))
    });
    insert_external_ids(tx, R::KIND, &known_as.collect::<Vec<_>>())?;
    custom_values::write_new(tx, new)?;
    let found_by = new.iter().flat_map(|record| {
        let id = record.meta().id;
        values(record)
            .into_iter()
            .map(move |value| ValueRow::new(tenant, R::KIND, id, value))
    });
    insert_values(tx, found_by.collect())?;
    let texts = new.iter().map(|record| {
        (
            search_texts::tenant_id.eq(tenant),
            search_texts::kind.eq(R::KIND),
            search_texts::record_id.eq(record.meta().id),
            search_texts::text.eq(search_text(record)),
        )
    });
    insert_all!(tx.connection(), search_texts::table, texts)?;
    Ok(())
}

/// Writes what leads to a record that has changed.
pub(crate) fn write<R: Record>(tx: &mut Transaction<'_>, before: &R, after: &R) -> Result<(), Error> {
    let id = after.meta().id;
    let (old, new) = (before.fields().common(), after.fields().common());
    write_external_ids(tx, R::KIND, id, old.external_ids, new.external_ids)?;
    custom_values::write(tx, R::KIND, id, old.custom, new.custom)?;
    write_values(tx, R::KIND, id, &values(before), &values(after))?;
    if after.search_texts() == before.search_texts() {
        return Ok(());
    }
    let text = search_text(after);
    if text == search_text(before) {
        return Ok(());
    }
    let row = search_texts::table
        .filter(search_texts::tenant_id.eq(tx.tenant()))
        .filter(search_texts::kind.eq(R::KIND))
        .filter(search_texts::record_id.eq(id));
    on_either!(tx.connection(), |c| run_kept!(
        c,
        diesel::update(row).set(search_texts::text.eq(text))
    ))?;
    Ok(())
}

/// Removes all that leads to a record.
pub(crate) fn remove(tx: &mut Transaction<'_>, kind: Kind, id: RecordId) -> Result<(), Error> {
    custom_values::remove(tx, kind, id)?;
    let tenant = tx.tenant();
    let c = tx.connection();
    diesel::delete(
        external_ids::table.filter(
            external_ids::tenant_id
                .eq(tenant)
                .and(external_ids::kind.eq(kind))
                .and(external_ids::record_id.eq(id)),
        ),
    )
    .execute(c)?;
    diesel::delete(
        record_values::table.filter(
            record_values::tenant_id
                .eq(tenant)
                .and(record_values::kind.eq(kind))
                .and(record_values::record_id.eq(id)),
        ),
    )
    .execute(c)?;
    diesel::delete(
        search_texts::table.filter(
            search_texts::tenant_id
                .eq(tenant)
                .and(search_texts::kind.eq(kind))
                .and(search_texts::record_id.eq(id)),
        ),
    )
    .execute(c)?;
    Ok(())
}

fn write_external_ids(
    tx: &mut Transaction<'_>,
    kind: Kind,
    record: RecordId,
    before: &[ExternalId],
    after: &[ExternalId],
) -> Result<(), Error> {
    let tenant = tx.tenant();
    for gone in before.iter().filter(|id| !after.contains(id)) {
        diesel::delete(external_ids::table.find((tenant, kind, &gone.system, &gone.id))).execute(tx.connection())?;
    }
    let new = after.iter().enumerate().filter(|(_, id)| !before.contains(id));
    let new: Vec<_> = new.map(|(index, id)| (record, index, id)).collect();
    insert_external_ids(tx, kind, &new)
}

/// Writes external ids of records, none of which may be another record's. Each stands at a place in its record.
fn insert_external_ids(
    tx: &mut Transaction<'_>,
    kind: Kind,
    new: &[(RecordId, usize, &ExternalId)],
) -> Result<(), Error> {
    let tenant = tx.tenant();
    let row = |(record, _, id): &(RecordId, usize, &ExternalId)| {
        (
            external_ids::tenant_id.eq(tenant),
            external_ids::kind.eq(kind),
            external_ids::system.eq(id.system.clone()),
            external_ids::external_id.eq(id.id.clone()),
            external_ids::record_id.eq(*record),
        )
    };
    let rows = new.iter().map(row);
    let written = insert_all!(tx.connection(), external_ids::table, rows, on_conflict_do_nothing)?;
    if written == new.len() {
        return Ok(());
    }
    for (record, index, id) in new {
        if find_by_external_id(tx, kind, &id.system, &id.id)? != Some(*record) {
            let detail = format!("another {kind} has the external id at /external_ids/{index}");
            return Err(Refusal::conflict("external_id_taken", detail).into());
        }
    }
    Err(Error::Internal("an external id was not written".to_owned()))
}

/// The name of a field, and a value of it.
type Value = (Cow<'static, str>, String);

type Values = BTreeSet<Value>;

fn values<R: Record>(record: &R) -> Values {
    let common = record.fields().common();
    let own = record
        .values()
        .into_iter()
        .map(|(field, values)| (field.into(), values));
    let custom = common.custom.0.iter().filter_map(|(key, value)| {
        let options = value.as_array()?.iter();
        let options = options.filter_map(|option| option.as_str().map(str::to_owned));
        Some((custom_values::name(key).into(), options.collect()))
    });
    let fields = own.chain(custom).chain([("tags".into(), common.tags.to_vec())]);
    fields
        .flat_map(|(field, values): (Cow<'_, _>, Vec<_>)| values.into_iter().map(move |value| (field.clone(), value)))
        .collect()
}

fn write_values(
    tx: &mut Transaction<'_>,
    kind: Kind,
    record: RecordId,
    before: &Values,
    after: &Values,
) -> Result<(), Error> {
    let tenant = tx.tenant();
    for (field, value) in before.difference(after) {
        diesel::delete(record_values::table.find((tenant, kind, field, value, record))).execute(tx.connection())?;
    }
    let new = after.difference(before).cloned();
    insert_values(
        tx,
        new.map(|value| ValueRow::new(tenant, kind, record, value)).collect(),
    )
}

/// A value by which a record is found.
#[derive(Insertable)]
#[diesel(table_name = record_values, treat_none_as_default_value = false)]
struct ValueRow {
    tenant_id: TenantId,
    kind: Kind,
    field: Cow<'static, str>,
    value: String,
    record_id: RecordId,
}

impl ValueRow {
    fn new(tenant_id: TenantId, kind: Kind, record_id: RecordId, (field, value): Value) -> Self {
        Self {
            tenant_id,
            kind,
            field,
            value,
            record_id,
        }
    }
}

fn insert_values(tx: &mut Transaction<'_>, new: Vec<ValueRow>) -> Result<(), Error> {
    if !new.is_empty() {
        insert_all!(tx.connection(), record_values::table, new)?;
    }
    Ok(())
}

fn search_text<R: Record>(record: &R) -> String {
    domain::search::fold(&record.search_texts().join(" "))
}

/// Brings SQLite's trigram index up to the search texts, in one pass for all records of a commit.
pub fn index_search_texts(connection: &mut SqliteConnection) -> QueryResult<()> {
    connection.batch_execute(
        "INSERT INTO search_index (search_index, rowid, text) \
           SELECT 'delete', row, indexed_text FROM search_index_queue WHERE indexed_text IS NOT NULL; \
         INSERT INTO search_index (rowid, text) \
           SELECT row, text FROM search_index_queue JOIN search_texts USING (row); \
         DELETE FROM search_index_queue;",
    )
}

/// Pages of SQLite's trigram index that are merged in one step: some milliseconds of work.
const MERGED_PAGES: i32 = 64;

/// Merges segments of SQLite's trigram index, of which every search looks into each, for one step. Says whether there was
/// anything to merge (<https://www.sqlite.org/fts5.html#the_merge_command>).
pub fn merge_search_index(connection: &mut SqliteConnection) -> QueryResult<bool> {
    let before = rows_written(connection)?;
    diesel::sql_query("INSERT INTO search_index (search_index, rank) VALUES ('merge', ?)")
        .bind::<diesel::sql_types::Integer, _>(MERGED_PAGES)
        .execute(connection)?;
    let after = rows_written(connection)?;
    // The statement itself counts as one.
    Ok(after.wrapping_sub(before) > 1)
}

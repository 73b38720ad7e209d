//! The tables by which records are found: external ids, values of multi-valued fields, search texts.
//! Each is written with the record it leads to, and only where something changed.

use crate::stored::Stored;
use crate::{Error, Transaction, custom_values, records};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use domain::record::ExternalId;
use domain::{Fields, Kind, Record, Refusal};
use sql::ids::RecordId;
use sql::schema::{external_ids, record_values, search_texts};
use sql::{Kept, insert_all, on_either};
use std::borrow::Cow;
use std::collections::BTreeSet;

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

/// Writes what leads to a record.
pub(crate) fn write<R: Record>(tx: &mut Transaction<'_>, before: Option<&R>, after: &R) -> Result<(), Error> {
    let id = after.meta().id;
    write_external_ids(
        tx,
        R::KIND,
        id,
        before.map_or(&[][..], |b| b.fields().common().external_ids),
        after.fields().common().external_ids,
    )?;
    let custom = before.map(|before| before.fields().common().custom);
    custom_values::write(tx, R::KIND, id, custom, after.fields().common().custom)?;
    write_values(tx, R::KIND, id, &before.map(values).unwrap_or_default(), &values(after))?;
    let text = search_text(after);
    match before.map(search_text) {
        Some(old) if old == text => Ok(()),
        old => write_search_text(tx, R::KIND, id, &text, old.is_some()),
    }
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
    for (index, new) in after.iter().enumerate().filter(|(_, id)| !before.contains(id)) {
        if find_by_external_id(tx, kind, &new.system, &new.id)?.is_some() {
            return Err(Refusal::conflict(
                "external_id_taken",
                format!("another {kind} has the external id at /external_ids/{index}"),
            )
            .into());
        }
        diesel::insert_into(external_ids::table)
            .values((
                external_ids::tenant_id.eq(tenant),
                external_ids::kind.eq(kind),
                external_ids::system.eq(&new.system),
                external_ids::external_id.eq(&new.id),
                external_ids::record_id.eq(record),
            ))
            .execute(tx.connection())?;
    }
    Ok(())
}

type Values = BTreeSet<(Cow<'static, str>, String)>;

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
    let new: Vec<_> = after
        .difference(before)
        .map(|(field, value)| {
            (
                record_values::tenant_id.eq(tenant),
                record_values::kind.eq(kind),
                record_values::field.eq(field.clone()),
                record_values::value.eq(value.clone()),
                record_values::record_id.eq(record),
            )
        })
        .collect();
    if !new.is_empty() {
        insert_all!(tx.connection(), record_values::table, new)?;
    }
    Ok(())
}

fn search_text<R: Record>(record: &R) -> String {
    domain::search::fold(&record.search_texts().join(" "))
}

fn write_search_text(
    tx: &mut Transaction<'_>,
    kind: Kind,
    record: RecordId,
    text: &str,
    exists: bool,
) -> Result<(), Error> {
    let tenant = tx.tenant();
    let key = (
        search_texts::tenant_id.eq(tenant),
        search_texts::kind.eq(kind),
        search_texts::record_id.eq(record),
    );
    if exists {
        let row = search_texts::table.filter(key.0.and(key.1).and(key.2));
        on_either!(tx.connection(), |c| Kept(
            diesel::update(row).set(search_texts::text.eq(text))
        )
        .execute(c))?;
    } else {
        on_either!(tx.connection(), |c| diesel::insert_into(search_texts::table)
            .values((key.0, key.1, key.2, search_texts::text.eq(text)))
            .execute(c))?;
    }
    Ok(())
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

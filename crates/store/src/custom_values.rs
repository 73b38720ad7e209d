//! How the values of custom fields are kept for finding: a row for each value of one, in the column of its type. What
//! a record shows stands in the record itself.

use crate::filter::Part;
use crate::{Error, Stored, Transaction, records};
use diesel::dsl::Eq;
use diesel::prelude::*;
use domain::custom_values::{Catalogue, CustomValues, Typed, typed};
use domain::customer::custom_fields::CustomField;
use domain::record::{CustomCheck, Fields};
use domain::{Kind, Record};
use serde_json::Value;
use sql::ids::{RecordId, TenantId};
use sql::insert_all;
use sql::schema::custom_values;
use std::collections::HashMap;
use std::sync::Arc;

/// The tenant's custom fields. The transaction remembers them.
pub fn catalogue(tx: &mut Transaction<'_>) -> Result<Arc<Catalogue>, Error> {
    if let Some(known) = &tx.known().custom_fields {
        return Ok(Arc::clone(known));
    }
    let found: Vec<CustomField> = crate::customer::custom_fields::all(tx)?;
    let catalogue = Arc::new(Catalogue(found));
    tx.known().custom_fields = Some(Arc::clone(&catalogue));
    Ok(catalogue)
}

/// Reads and checks a settable part with what its custom values are held against.
pub(crate) fn with_check<T>(
    tx: &mut Transaction<'_>,
    kind: Kind,
    before: Option<&CustomValues>,
    work: impl FnOnce(Option<CustomCheck<'_>>) -> T,
) -> Result<T, Error> {
    let catalogue = catalogue(tx)?;
    Ok(work(Some(CustomCheck {
        catalogue: &catalogue,
        kind,
        before,
    })))
}

/// Whether a change leaves the custom values alone, so that nothing about them needs to be asked.
pub(crate) fn are_untouched<F: Fields>(before: &F, after: &F) -> bool {
    before.common().custom == after.common().custom
}

/// Writes the rows of new records.
pub(crate) fn write_new<R: Record>(tx: &mut Transaction<'_>, new: &[R]) -> Result<(), Error> {
    let filled = |record: &&R| !record.fields().common().custom.0.is_empty();
    let mut rows = Vec::new();
    for record in new.iter().filter(filled) {
        let values = record.fields().common().custom.0.iter();
        rows.extend(rows_of(tx, R::KIND, record.meta().id, values)?);
    }
    insert(tx, rows)
}

/// Writes the rows of a record whose values have changed.
pub(crate) fn write(
    tx: &mut Transaction<'_>,
    kind: Kind,
    record: RecordId,
    before: &CustomValues,
    after: &CustomValues,
) -> Result<(), Error> {
    let gone = before.0.keys().filter(|key| after.0.get(*key) != before.0.get(*key));
    let gone: Vec<_> = gone.map(name).collect();
    let tenant = tx.tenant();
    if !gone.is_empty() {
        diesel::delete(
            custom_values::table
                .filter(custom_values::tenant_id.eq(tenant))
                .filter(custom_values::kind.eq(kind))
                .filter(custom_values::record_id.eq(record))
                .filter(custom_values::field.eq_any(gone)),
        )
        .execute(tx.connection())?;
    }
    let new: Vec<_> = after
        .0
        .iter()
        .filter(|(key, value)| before.0.get(*key) != Some(value))
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    let rows = rows_of(tx, kind, record, new)?;
    insert(tx, rows)
}

/// Whose value a row is.
type Owner = (
    Eq<custom_values::tenant_id, TenantId>,
    Eq<custom_values::kind, Kind>,
    Eq<custom_values::record_id, RecordId>,
);

fn rows_of<'v>(
    tx: &mut Transaction<'_>,
    kind: Kind,
    record: RecordId,
    values: impl IntoIterator<Item = (&'v String, &'v Value)>,
) -> Result<Vec<(Owner, Row)>, Error> {
    let tenant = tx.tenant();
    let catalogue = catalogue(tx)?;
    let rows = values
        .into_iter()
        .filter_map(|(key, value)| row(&catalogue, kind, key, value));
    let owner = || {
        (
            custom_values::tenant_id.eq(tenant),
            custom_values::kind.eq(kind),
            custom_values::record_id.eq(record),
        )
    };
    Ok(rows.map(|row| (owner(), row)).collect())
}

fn insert(tx: &mut Transaction<'_>, rows: Vec<(Owner, Row)>) -> Result<(), Error> {
    if !rows.is_empty() {
        insert_all!(tx.connection(), custom_values::table, rows)?;
    }
    Ok(())
}

/// Removes the rows of a record.
pub(crate) fn remove(tx: &mut Transaction<'_>, kind: Kind, record: RecordId) -> Result<(), Error> {
    let tenant = tx.tenant();
    diesel::delete(
        custom_values::table
            .filter(custom_values::tenant_id.eq(tenant))
            .filter(custom_values::kind.eq(kind))
            .filter(custom_values::record_id.eq(record)),
    )
    .execute(tx.connection())?;
    Ok(())
}

/// Whether some record has a value of a field.
pub(crate) fn is_used(tx: &mut Transaction<'_>, kind: Kind, key: &str) -> Result<bool, Error> {
    use sql::schema::record_values;
    let (tenant, name) = (tx.tenant(), name(key));
    let single = custom_values::table
        .filter(custom_values::tenant_id.eq(tenant))
        .filter(custom_values::kind.eq(kind))
        .filter(custom_values::field.eq(&name));
    let several = record_values::table
        .filter(record_values::tenant_id.eq(tenant))
        .filter(record_values::kind.eq(kind))
        .filter(record_values::field.eq(&name));
    let c = tx.connection();
    Ok(diesel::select(diesel::dsl::exists(single)).get_result::<bool>(c)?
        || diesel::select(diesel::dsl::exists(several)).get_result::<bool>(c)?)
}

/// The records of a part that goes along the values of a custom field.
pub(crate) fn page<R: Stored>(tx: &mut Transaction<'_>, part: Part, limit: i64) -> Result<Vec<R>, Error> {
    let ids: Vec<RecordId> = custom_values::table
        .filter(part.condition)
        .order(part.order)
        .limit(limit)
        .select(custom_values::record_id)
        .load(tx.connection())?;
    // PostgreSQL has no list of nothing: `IN ()` is a syntax error.
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let tenant = tx.tenant();
    let condition = records::visible_condition::<R>(tx);
    let found = R::find_many(tx.connection(), tenant, &ids, condition)?;
    let mut by_id: HashMap<_, _> = found.into_iter().map(|record| (record.meta().id, record)).collect();
    Ok(ids.iter().filter_map(|id| by_id.remove(id)).collect())
}

/// The name of a field in filters, and in the tables by which records are found.
pub(crate) fn name(key: impl AsRef<str>) -> String {
    format!("custom.{}", key.as_ref())
}

/// A value in the column of its type.
#[derive(Default, Insertable)]
#[diesel(table_name = custom_values, treat_none_as_default_value = false)]
struct Row {
    field: String,
    text: Option<String>,
    number: Option<i64>,
    currency: Option<String>,
    minor: Option<i64>,
    day: Option<chrono::NaiveDate>,
    flag: Option<bool>,
    reference: Option<RecordId>,
}

/// None of what has no definition any more, and of several options, which stand among the values of lists.
fn row(catalogue: &Catalogue, kind: Kind, key: &str, value: &Value) -> Option<Row> {
    let value_type = catalogue.definition(kind, key)?.value_type;
    let mut row = Row {
        field: name(key),
        ..Row::default()
    };
    match typed(value_type, value).ok()? {
        Typed::Text(text) => row.text = Some(text),
        Typed::Number(number) => row.number = Some(number),
        Typed::Money(money) => {
            row.currency = Some(money.currency().as_str().to_owned());
            row.minor = Some(money.minor());
        }
        Typed::Date(day) => row.day = Some(day),
        Typed::Bool(flag) => row.flag = Some(flag),
        Typed::Reference(id) => row.reference = Some(id),
        Typed::Options(_) => return None,
    }
    Some(row)
}

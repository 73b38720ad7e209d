//! How customers are merged, and where old ids lead. What refers to the merged customer is moved by `moving`, and goes back
//! by `undoing`. Neither asks who may see it: who may write both customers may have one of them.

mod moving;
mod noted;
mod places;
mod shifting;
mod statement;
mod undoing;

pub use places::{LISTS, ListPlace, ROWS, columns};
pub use undoing::{Unmerging, undo};

use crate::customer::relationships;
use crate::events::{FieldChanges, NewEvent};
use crate::interaction::activity;
use crate::records::{self, Expected};
use crate::stored::Table;
use crate::{Error, Transaction, custom_values, lookups, references};
use diesel::prelude::*;
use domain::customer::customers::{Customer, CustomerFields, CustomerState};
use domain::customer::merges::{CustomerMerge, CustomerMerger, MergedMember, changes, merged};
use domain::customer::relationships::Relationship;
use domain::fault::faultless;
use domain::record::Reference;
use domain::{Fault, Kind, Refusal};
use noted::ENDED;
use serde_json::{Value, json};
use sql::ids::{CustomerId, EventId, RecordId};
use sql::schema::{customer_merge_moves as moves, customer_merges as merges, customers};
use sql::{DatabaseConnection, Json, Timestamp, on_either};
use statement::Way;
use std::collections::BTreeMap;

/// Takes one customer into another one, with everything that refers to it. To be run by a transaction that
/// [sees the latest](Transaction::see_latest): it waits for those that are about to refer to the merged customer.
pub fn merge(
    tx: &mut Transaction<'_>,
    id: RecordId,
    expected: &Expected,
    merger: &CustomerMerger,
) -> Result<(CustomerMerge, Customer), Error> {
    let from = RecordId(merger.from.0);
    lock(tx, &[id, from])?;
    let survivor = records::get_for_change::<Customer>(tx, id)?;
    records::check_version(tx, &survivor, expected)?;
    let gone = customer_to_merge(tx, id, from)?;
    moving::refuse_overtaken(tx, &[id, from])?;
    let fields = fields_of_both(tx, &survivor, &gone, merger)?;
    let way = Way {
        merge: EventId::new(),
        from,
        to: id,
    };
    let mut merge = begin(tx, way)?;
    end_ties(tx, way)?;
    moving::move_all(tx, way)?;
    lookups::remove(tx, Kind::Customer, from)?;
    let gone = records::mark_deleted(tx, &gone, Some(tx.now()))?;
    let saved = records::save_beside(tx, &survivor, &gone, with_fields(&survivor, fields, tx.now()))?;
    activity::forget(tx, CustomerId(from.0))?;
    activity::count_anew(tx, Some(CustomerId(id.0)))?;
    relationships::check_parents(tx, CustomerId(id.0)).map_err(at_from)?;
    merge.moved = Json::new(noted::counts(tx, way)?);
    merge.changes = Json::new(changes(&survivor.fields, &saved.fields));
    let row = merges::table.find((merge.tenant_id, merge.id));
    diesel::update(row)
        .set((merges::moved.eq(&merge.moved), merges::changes.eq(&merge.changes)))
        .execute(tx.connection())?;
    announce(tx, "merged", &gone, &merge, &merge.moved)?;
    Ok((merge, saved))
}

/// Locks customers in the order of their ids, so that two merges of the same ones wait for each other.
fn lock(tx: &mut Transaction<'_>, ids: &[RecordId]) -> Result<(), Error> {
    if let (tenant, DatabaseConnection::Postgres(postgres)) = (tx.tenant(), tx.connection()) {
        customers::table
            .filter(customers::tenant_id.eq(tenant))
            .filter(customers::id.eq_any(ids.to_vec()))
            .order(customers::id)
            .select(customers::id)
            .for_update()
            .load::<RecordId>(postgres)?;
    }
    Ok(())
}

fn customer_to_merge(tx: &mut Transaction<'_>, survivor: RecordId, from: RecordId) -> Result<Customer, Error> {
    if survivor == from {
        let message = "must be another customer than the one it is merged into";
        return Err(Refusal::fault("/from", "same_customer", message).into());
    }
    let reference = Reference {
        pointer: "/from".to_owned(),
        kind: Kind::Customer,
        id: from,
    };
    let fault = references::fault_of(tx, reference)?;
    faultless(fault.into_iter().collect())?;
    records::get_for_change(tx, from)
}

/// What the survivor becomes. A custom value by which one of the two refers to the other one goes.
fn fields_of_both(
    tx: &mut Transaction<'_>,
    survivor: &Customer,
    gone: &Customer,
    merger: &CustomerMerger,
) -> Result<CustomerFields, Error> {
    let mut fields = merged(&survivor.fields, &gone.fields, &merger.fields)?;
    if !fields.custom.0.is_empty() {
        let catalogue = custom_values::catalogue(tx)?;
        let ids = [survivor.meta.id, gone.meta.id];
        for reference in catalogue.references(Kind::Customer, &fields.custom.clone()) {
            if reference.kind == Kind::Customer && ids.contains(&reference.id) {
                fields
                    .custom
                    .0
                    .retain(|key, _| reference.pointer != format!("/custom/{key}"));
            }
        }
    }
    Ok(fields)
}

/// The survivor with other fields. Each stage of its lifecycle may follow any other one, as there are two histories.
fn with_fields(survivor: &Customer, fields: CustomerFields, now: Timestamp) -> Customer {
    let moved = survivor.fields.lifecycle != fields.lifecycle;
    let lifecycle_since = if moved { now } else { survivor.state.lifecycle_since };
    Customer {
        fields,
        state: CustomerState { lifecycle_since },
        meta: survivor.meta.clone(),
    }
}

fn begin(tx: &mut Transaction<'_>, way: Way) -> Result<CustomerMerge, Error> {
    let merge = CustomerMerge {
        tenant_id: tx.tenant(),
        id: way.merge,
        survivor_id: CustomerId(way.to.0),
        merged_id: CustomerId(way.from.0),
        created_at: tx.now(),
        created_by: tx.actor().id,
        moved: Json::new(BTreeMap::new()),
        changes: Json::new(Vec::new()),
        undone_at: None,
        undone_by: None,
    };
    on_either!(tx.connection(), |c| diesel::insert_into(merges::table)
        .values(&merge)
        .execute(c))?;
    Ok(merge)
}

/// Ends the ties that would lead from the survivor to itself, and to a parent company that the survivor has already.
fn end_ties(tx: &mut Transaction<'_>, way: Way) -> Result<(), Error> {
    let (survivor, gone) = (CustomerId(way.to.0), CustomerId(way.from.0));
    let mut ties = relationships::between(tx, survivor, gone)?;
    ties.extend(relationships::parents_in_common(tx, survivor, gone)?);
    moving::refuse_overtaken(tx, &ties)?;
    let tenant = tx.tenant();
    for id in ties {
        let Some(tie) = Relationship::find(tx.connection(), tenant, id, true)? else {
            continue;
        };
        let now = Some(tx.now());
        let ended = records::set_deleted(tx, &tie, now, "deleted")?;
        let table = Kind::Relationship.registry().table;
        noted::add(tx, way, table, id, ended.meta.version, ENDED)?;
    }
    Ok(())
}

/// What the hierarchy refuses is the fault of the customer that is taken in.
fn at_from(error: Error) -> Error {
    match error {
        Error::Refused(Refusal::Invalid(faults)) => {
            let at_from = |fault: Fault| Fault {
                pointer: "/from".to_owned(),
                message: format!("the survivor would break the hierarchy: {}", fault.message),
                ..fault
            };
            Refusal::Invalid(faults.into_iter().map(at_from).collect()).into()
        }
        other => other,
    }
}

fn announce(
    tx: &mut Transaction<'_>,
    what: &str,
    gone: &Customer,
    merge: &CustomerMerge,
    moved: &BTreeMap<String, i64>,
) -> Result<(), Error> {
    let (survivor, none) = (json!(merge.survivor_id), Value::Null);
    let (before, after) = if what == "merged" {
        (none, survivor)
    } else {
        (survivor, none)
    };
    let changes = FieldChanges::default()
        .with("merged_into_id", before, after)?
        .with("merge_id", Value::Null, json!(merge.id))?
        .with("moved", Value::Null, json!(moved))?;
    let event = NewEvent::new(tx, Kind::Customer, what, gone.meta.id, gone.meta.version, changes);
    let event = match what {
        "merged" => event.of_customer(Some(merge.survivor_id)),
        _ => event,
    };
    tx.announce(event);
    Ok(())
}

/// Whom a customer was merged into, if it was.
fn merged_into(tx: &mut Transaction<'_>, id: RecordId) -> Result<Option<RecordId>, Error> {
    Ok(merges::table
        .filter(merges::tenant_id.eq(tx.tenant()))
        .filter(merges::merged_id.eq(CustomerId(id.0)))
        .filter(merges::undone_at.is_null())
        .select(merges::survivor_id)
        .first(tx.connection())
        .optional()?)
}

/// Who goes on in the place of a merged customer, at the end of all merges, if the caller may see it.
pub(crate) fn survivor_of(tx: &mut Transaction<'_>, id: RecordId) -> Result<Option<RecordId>, Error> {
    let mut last = None;
    // Nobody is merged into who is merged away, so this ends.
    while let Some(next) = merged_into(tx, last.unwrap_or(id))? {
        last = Some(next);
    }
    match last {
        Some(last) if records::is_visible::<Customer>(tx, last)? => Ok(Some(last)),
        _ => Ok(None),
    }
}

/// Why there is no such customer.
pub(crate) fn absent(tx: &mut Transaction<'_>, id: RecordId) -> Result<Error, Error> {
    let survivor = survivor_of(tx, id)?;
    Ok(survivor.map_or(Error::NotFound, |into| Error::Merged { from: id, into }))
}

/// Refuses what cannot be done to a customer that was merged into another one.
pub(crate) fn refuse_merged(tx: &mut Transaction<'_>, id: RecordId) -> Result<(), Error> {
    match merged_into(tx, id)? {
        Some(_) => Err(absent(tx, id)?),
        None => Ok(()),
    }
}

/// Keeps customers from being merged away until the transaction ends, and says which of them are there. Nothing is to be
/// kept from a reader, nor on SQLite, which has one writer: it says nothing then.
pub(crate) fn hold(tx: &mut Transaction<'_>, ids: &[RecordId]) -> Result<Option<Vec<RecordId>>, Error> {
    if !tx.writes() || ids.is_empty() {
        return Ok(None);
    }
    let (tenant, DatabaseConnection::Postgres(postgres)) = (tx.tenant(), tx.connection()) else {
        return Ok(None);
    };
    let held = customers::table
        .filter(customers::tenant_id.eq(tenant))
        .filter(customers::id.eq_any(ids))
        .filter(customers::deleted_at.is_null())
        .order(customers::id)
        .select(customers::id)
        .for_key_share()
        .load(postgres)?;
    Ok(Some(held))
}

/// What customers that were merged into others are called.
pub(crate) fn names(tx: &mut Transaction<'_>, ids: &[RecordId]) -> Result<Vec<(RecordId, String)>, Error> {
    let tenant = tx.tenant();
    let merged = merges::table
        .filter(merges::tenant_id.eq(tenant))
        .filter(merges::undone_at.is_null())
        .select(merges::merged_id);
    Ok(customers::table
        .filter(customers::tenant_id.eq(tenant))
        .filter(customers::id.eq_any(ids.to_vec()))
        .filter(customers::id.eq_any(merged))
        .select((customers::id, customers::name))
        .load(tx.connection())?)
}

/// The merges into a customer after one of them, the oldest first.
pub fn page(
    tx: &mut Transaction<'_>,
    id: RecordId,
    after: Option<EventId>,
    limit: usize,
) -> Result<Vec<CustomerMerge>, Error> {
    records::get::<Customer>(tx, id)?;
    let after = after.unwrap_or(EventId(uuid::Uuid::nil()));
    Ok(merges::table
        .filter(merges::tenant_id.eq(tx.tenant()))
        .filter(merges::survivor_id.eq(CustomerId(id.0)))
        .filter(merges::id.gt(after))
        .order(merges::id)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(CustomerMerge::as_select())
        .load(tx.connection())?)
}

/// Removes a customer's merges with it: those that were merged into it go for good as well, because they are the same
/// customer; one that was merged itself leaves nothing to undo.
pub(crate) fn purge(tx: &mut Transaction<'_>, id: RecordId) -> Result<(), Error> {
    let (tenant, customer) = (tx.tenant(), CustomerId(id.0));
    let taken: Vec<RecordId> = merges::table
        .filter(merges::tenant_id.eq(tenant))
        .filter(merges::survivor_id.eq(customer))
        .filter(merges::undone_at.is_null())
        .select(merges::merged_id)
        .load(tx.connection())?;
    for id in taken {
        if let Some(merged) = Customer::find(tx.connection(), tenant, id, true)? {
            records::purge_found(tx, &merged)?;
        }
    }
    let of_customer = merges::table
        .filter(merges::tenant_id.eq(tenant))
        .filter(merges::survivor_id.eq(customer).or(merges::merged_id.eq(customer)));
    let ids: Vec<EventId> = of_customer.select(merges::id).load(tx.connection())?;
    for id in ids {
        forget_moves(tx, id)?;
        diesel::delete(merges::table.find((tenant, id))).execute(tx.connection())?;
    }
    Ok(())
}

/// Forgets what a merge moved.
fn forget_moves(tx: &mut Transaction<'_>, merge: EventId) -> Result<(), Error> {
    let of_merge = moves::table
        .filter(moves::tenant_id.eq(tx.tenant()))
        .filter(moves::merge_id.eq(merge));
    diesel::delete(of_merge).execute(tx.connection())?;
    Ok(())
}

/// Forgets that a record was moved: it is removed for good.
pub(crate) fn forget_record(tx: &mut Transaction<'_>, id: RecordId) -> Result<(), Error> {
    let of_record = moves::table
        .filter(moves::tenant_id.eq(tx.tenant()))
        .filter(moves::record_id.eq(id));
    diesel::delete(of_record).execute(tx.connection())?;
    Ok(())
}

/// The members of a survivor that a merge changed.
type Changes = Json<Vec<MergedMember>>;

//! Who is in which segment. Every change of it is told in the log, as an event about the customer.

use crate::events::{FieldChanges, NewEvent};
use crate::records::{self, Expected};
use crate::{Error, Transaction, references};
use diesel::prelude::*;
use domain::marketing::segments::{MembershipChange, Segment, SegmentKind};
use domain::record::{RecordLink, Reference};
use domain::{Kind, Refusal};
use serde_json::{Value, json};
use sql::ids::{CustomerId, RecordId, SegmentId};
use sql::on_either;
use sql::schema::{customers, segment_members};
use std::collections::HashMap;

/// How many customers came into a segment, and how many left it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// Those that were not in it before.
    pub entered: usize,
    /// Those that were.
    pub left: usize,
}

/// Adds customers to a static segment, and removes others.
pub fn change(
    tx: &mut Transaction<'_>,
    id: RecordId,
    expected: &Expected,
    change: &MembershipChange,
) -> Result<Moved, Error> {
    let segment = records::get_for_change::<Segment>(tx, id)?;
    records::check_version(tx, &segment, expected)?;
    if segment.fields.kind != SegmentKind::Static {
        let message = "the members of this segment are chosen by its rule";
        return Err(Refusal::conflict("not_static", message).into());
    }
    let mut faults = Vec::new();
    for (index, customer) in change.add.iter().enumerate() {
        let reference = Reference {
            pointer: format!("/add/{index}"),
            kind: Kind::Customer,
            id: RecordId(customer.0),
        };
        faults.extend(references::fault_of(tx, reference)?);
    }
    if !faults.is_empty() {
        return Err(Refusal::Invalid(faults).into());
    }
    move_members(tx, SegmentId(id.0), &change.add, &change.remove)
}

/// Puts customers into a segment and takes others out, and tells of each that was not there before.
pub(crate) fn move_members(
    tx: &mut Transaction<'_>,
    segment: SegmentId,
    entering: &[CustomerId],
    leaving: &[CustomerId],
) -> Result<Moved, Error> {
    let versions = versions(tx, entering.iter().chain(leaving))?;
    let mut moved = Moved::default();
    for customer in entering {
        if enter(tx, segment, *customer)? {
            moved.entered += 1;
            announce(tx, "segment.entered", segment, *customer, &versions)?;
        }
    }
    for customer in leaving {
        if leave(tx, segment, *customer)? {
            moved.left += 1;
            announce(tx, "segment.left", segment, *customer, &versions)?;
        }
    }
    Ok(moved)
}

fn enter(tx: &mut Transaction<'_>, segment: SegmentId, customer: CustomerId) -> Result<bool, Error> {
    let row = (
        segment_members::tenant_id.eq(tx.tenant()),
        segment_members::segment_id.eq(segment),
        segment_members::customer_id.eq(customer),
        segment_members::entered_at.eq(tx.now()),
    );
    let rows = on_either!(tx.connection(), |c| diesel::insert_into(segment_members::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(rows == 1)
}

fn leave(tx: &mut Transaction<'_>, segment: SegmentId, customer: CustomerId) -> Result<bool, Error> {
    let member = segment_members::table.find((tx.tenant(), segment, customer));
    Ok(diesel::delete(member).execute(tx.connection())? == 1)
}

fn versions<'a>(
    tx: &mut Transaction<'_>,
    ids: impl Iterator<Item = &'a CustomerId>,
) -> Result<HashMap<CustomerId, i64>, Error> {
    let ids: Vec<CustomerId> = ids.copied().collect();
    let mut versions = HashMap::new();
    for some in ids.chunks(500) {
        let known: Vec<(CustomerId, i64)> = customers::table
            .filter(customers::tenant_id.eq(tx.tenant()))
            .filter(customers::id.eq_any(some.to_vec()))
            .select((customers::id, customers::version))
            .load(tx.connection())?;
        versions.extend(known);
    }
    Ok(versions)
}

fn announce(
    tx: &mut Transaction<'_>,
    event: &str,
    segment: SegmentId,
    customer: CustomerId,
    versions: &HashMap<CustomerId, i64>,
) -> Result<(), Error> {
    let (before, after) = match event {
        "segment.entered" => (Value::Null, json!(segment)),
        _ => (json!(segment), Value::Null),
    };
    let changes = FieldChanges::default().with("segment_id", before, after)?;
    let subject = RecordLink {
        kind: Kind::Customer,
        id: RecordId(customer.0),
    };
    let version = versions.get(&customer).copied().unwrap_or(1);
    let event = NewEvent::about(tx, event, subject, version, changes);
    tx.announce(event);
    Ok(())
}

/// Forgets who is in a segment, without telling.
pub(crate) fn forget_segment(tx: &mut Transaction<'_>, segment: SegmentId) -> Result<(), Error> {
    let members = segment_members::table
        .filter(segment_members::tenant_id.eq(tx.tenant()))
        .filter(segment_members::segment_id.eq(segment));
    diesel::delete(members).execute(tx.connection())?;
    Ok(())
}

/// Forgets in which segments a customer is, without telling.
pub(crate) fn forget_customer(tx: &mut Transaction<'_>, customer: CustomerId) -> Result<(), Error> {
    let members = segment_members::table
        .filter(segment_members::tenant_id.eq(tx.tenant()))
        .filter(segment_members::customer_id.eq(customer));
    diesel::delete(members).execute(tx.connection())?;
    Ok(())
}

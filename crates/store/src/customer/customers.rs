//! How customers are kept, with the history of their lifecycle.

use crate::customer::{duplicates, merges};
use crate::interaction::activity;
use crate::marketing::segment_members;
use crate::records::{self, Expected, Outcome};
use crate::stored::Stored;
use crate::{Error, Transaction, stored};
use diesel::prelude::*;
use domain::Meta;
use domain::customer::customers::{Customer, CustomerFields, CustomerState};
use domain::customer::lifecycle_changes::{LifecycleChange, LifecycleMove};
use domain::customer::relationships::Relationship;
use sql::ids::{CustomerId, EventId, RecordId};
use sql::insert_all;
use sql::schema::{lifecycle_changes, relationships};

stored!(Customer in customers { fields: CustomerFields, state: CustomerState });

impl Stored for Customer {
    fn decide(
        tx: &mut Transaction<'_>,
        before: Option<&Self>,
        meta: Meta,
        fields: CustomerFields,
    ) -> Result<Self, Error> {
        let decided = match before {
            None => Self::create(meta, fields, tx.now()),
            Some(before) => before.change(meta, fields, tx.now()),
        };
        Ok(decided?)
    }

    const CREATED_TOGETHER: bool = true;

    fn before_insert(tx: &mut Transaction<'_>, new: &[Self]) -> Result<(), Error> {
        duplicates::check_new(tx, new)
    }

    fn after_insert(tx: &mut Transaction<'_>, new: &[Self]) -> Result<(), Error> {
        let begun = new.iter().filter_map(|new| LifecycleChange::between(None, new));
        let begun: Vec<_> = begun.collect();
        insert_all!(tx.connection(), lifecycle_changes::table, &begun)?;
        Ok(())
    }

    fn after_write(tx: &mut Transaction<'_>, before: Option<&Self>, after: &Self) -> Result<(), Error> {
        if let Some(change) = LifecycleChange::between(before, after) {
            diesel::insert_into(lifecycle_changes::table)
                .values(&change)
                .execute(tx.connection())?;
        }
        Ok(())
    }

    fn absent(tx: &mut Transaction<'_>, id: RecordId) -> Result<Error, Error> {
        merges::absent(tx, id)
    }

    /// One that was merged comes back by undoing the merge.
    fn before_restore(&self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        merges::refuse_merged(tx, self.meta.id)
    }

    /// Takes the merges, the history, the figures, the relationships and the membership of segments along; anything else that refers to the customer stands in the way.
    fn before_purge(&self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        merges::purge(tx, self.meta.id)?;
        let (tenant, id) = (tx.tenant(), CustomerId(self.meta.id.0));
        let ties: Vec<RecordId> = relationships::table
            .filter(relationships::tenant_id.eq(tenant))
            .filter(relationships::from_id.eq(id).or(relationships::to_id.eq(id)))
            .select(relationships::id)
            .load(tx.connection())?;
        for tie in ties {
            records::purge::<Relationship>(tx, tie, &Expected::Any)?;
        }
        let history = lifecycle_changes::table
            .filter(lifecycle_changes::tenant_id.eq(tenant))
            .filter(lifecycle_changes::customer_id.eq(id));
        diesel::delete(history).execute(tx.connection())?;
        activity::forget(tx, id)?;
        segment_members::forget_customer(tx, id)
    }
}

/// Moves a customer along its lifecycle and notes why. One that is there already stays as it is, reason and all.
pub fn move_lifecycle(
    tx: &mut Transaction<'_>,
    id: RecordId,
    expected: &Expected,
    to: LifecycleMove,
) -> Result<(Customer, Outcome), Error> {
    let before = records::get_for_change::<Customer>(tx, id)?;
    records::check_version(tx, &before, expected)?;
    let fields = CustomerFields {
        lifecycle: to.stage,
        ..before.fields.clone()
    };
    let (after, outcome) = records::save(tx, &before, fields)?;
    if outcome == Outcome::Updated {
        let (tenant, customer) = (tx.tenant(), CustomerId(id.0));
        let this_move = lifecycle_changes::table
            .filter(lifecycle_changes::tenant_id.eq(tenant))
            .filter(lifecycle_changes::customer_id.eq(customer))
            .filter(lifecycle_changes::changed_at.eq(after.state.lifecycle_since))
            .filter(lifecycle_changes::to_stage.eq(to.stage));
        diesel::update(this_move)
            .set(lifecycle_changes::reason.eq(to.reason))
            .execute(tx.connection())?;
    }
    Ok((after, outcome))
}

/// The moves of a customer after one of them, the oldest first.
pub fn lifecycle(
    tx: &mut Transaction<'_>,
    id: RecordId,
    after: Option<EventId>,
    limit: usize,
) -> Result<Vec<LifecycleChange>, Error> {
    records::get::<Customer>(tx, id)?;
    let tenant = tx.tenant();
    let after = after.unwrap_or(EventId(uuid::Uuid::nil()));
    Ok(lifecycle_changes::table
        .filter(lifecycle_changes::tenant_id.eq(tenant))
        .filter(lifecycle_changes::customer_id.eq(CustomerId(id.0)))
        .filter(lifecycle_changes::id.gt(after))
        .order(lifecycle_changes::id)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(LifecycleChange::as_select())
        .load(tx.connection())?)
}

//! How the history of stages is kept: a row for each stay, the last one open.

use crate::{Error, Transaction, records};
use diesel::prelude::*;
use domain::sales::opportunities::Opportunity;
use domain::sales::stage_changes::{StageChange, StageStay};
use sql::ids::{EventId, OpportunityId, RecordId, StageId};
use sql::insert_all;
use sql::schema::{stage_changes, stages};
use std::collections::HashMap;

/// Begins the stay of new opportunities in their first stage.
pub(crate) fn begin(tx: &mut Transaction<'_>, new: &[Opportunity]) -> Result<(), Error> {
    let begun = new.iter().map(begun).collect::<Result<Vec<_>, _>>()?;
    insert_all!(tx.connection(), stage_changes::table, &begun)?;
    Ok(())
}

/// Ends the present stay and begins the one in the stage that the opportunity has come to.
pub(crate) fn change(tx: &mut Transaction<'_>, opportunity: &Opportunity) -> Result<(), Error> {
    let begun = begun(opportunity)?;
    let present = stage_changes::table
        .filter(stage_changes::tenant_id.eq(begun.tenant_id))
        .filter(stage_changes::opportunity_id.eq(begun.opportunity_id))
        .filter(stage_changes::left_at.is_null());
    diesel::update(present)
        .set(stage_changes::left_at.eq(begun.entered_at))
        .execute(tx.connection())?;
    diesel::insert_into(stage_changes::table)
        .values(&begun)
        .execute(tx.connection())?;
    Ok(())
}

fn begun(opportunity: &Opportunity) -> Result<StageChange, Error> {
    StageChange::begun(opportunity).ok_or_else(|| Error::Internal("no stage was chosen".to_owned()))
}

/// The stays of an opportunity after one of them, in their order.
fn of(
    tx: &mut Transaction<'_>,
    opportunity: RecordId,
    after: Option<EventId>,
    limit: usize,
) -> Result<Vec<StageChange>, Error> {
    let after = after.unwrap_or(EventId(uuid::Uuid::nil()));
    let stays = stage_changes::table
        .filter(stage_changes::tenant_id.eq(tx.tenant()))
        .filter(stage_changes::opportunity_id.eq(OpportunityId(opportunity.0)))
        .filter(stage_changes::id.gt(after))
        .order(stage_changes::id)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(StageChange::as_select());
    Ok(stays.load(tx.connection())?)
}

/// The stages that an opportunity has been in most lately, the latest first.
pub(crate) fn latest(tx: &mut Transaction<'_>, opportunity: RecordId) -> Result<Vec<StageId>, Error> {
    let stays = stage_changes::table
        .filter(stage_changes::tenant_id.eq(tx.tenant()))
        .filter(stage_changes::opportunity_id.eq(OpportunityId(opportunity.0)))
        .order(stage_changes::id.desc())
        .limit(100)
        .select(stage_changes::stage_id);
    Ok(stays.load(tx.connection())?)
}

/// A part of the history of an opportunity, with the names of the stages.
pub fn history(
    tx: &mut Transaction<'_>,
    id: RecordId,
    after: Option<EventId>,
    limit: usize,
) -> Result<Vec<StageStay>, Error> {
    records::get::<Opportunity>(tx, id)?;
    let stays = of(tx, id, after, limit)?;
    let ids: Vec<StageId> = stays.iter().map(|stay| stay.stage_id).collect();
    let names = stages::table
        .filter(stages::tenant_id.eq(tx.tenant()))
        .filter(stages::id.eq_any(ids))
        .select((stages::id, stages::name));
    let names: HashMap<StageId, String> = names.load(tx.connection())?.into_iter().collect();
    let now = tx.now();
    let told = stays.into_iter().map(|stay| {
        let name = names.get(&stay.stage_id).cloned().unwrap_or_default();
        stay.told(name, now)
    });
    Ok(told.collect())
}

/// Removes the history of an opportunity.
pub(crate) fn forget(tx: &mut Transaction<'_>, opportunity: RecordId) -> Result<(), Error> {
    let stays = stage_changes::table
        .filter(stage_changes::tenant_id.eq(tx.tenant()))
        .filter(stage_changes::opportunity_id.eq(OpportunityId(opportunity.0)));
    diesel::delete(stays).execute(tx.connection())?;
    Ok(())
}

//! How stages are kept.

use crate::sales::opportunity_totals;
use crate::stored::{Stored, Table};
use crate::{Error, Transaction, stored};
use diesel::dsl::{exists, select};
use diesel::prelude::*;
use domain::sales::stages::{Stage, StageFields};
use domain::{Meta, Refusal};
use sql::ids::{RecordId, StageId};
use sql::schema::{opportunities, stages};

stored!(Stage in stages { fields: StageFields });

impl Stored for Stage {
    fn decide(tx: &mut Transaction<'_>, before: Option<&Self>, meta: Meta, fields: StageFields) -> Result<Self, Error> {
        if let Some(before) = before
            && let Err(refusal) = before.check_in_use(&fields)
            && is_in_use(tx, before.id())?
        {
            return Err(refusal.into());
        }
        if is_name_taken(tx, &meta, &fields)? {
            let detail = "Another stage of the pipeline has this name.";
            return Err(Refusal::conflict("name_taken", detail).into());
        }
        Ok(Self { meta, fields })
    }

    fn before_delete(&self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        if is_in_use(tx, self.id())? {
            let detail = "Opportunities, perhaps deleted ones, are in this stage. Move or purge them first.";
            return Err(Refusal::conflict("stage_in_use", detail).into());
        }
        Ok(())
    }

    fn before_purge(&self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        opportunity_totals::forget(tx, self.id())
    }
}

/// The stage with this id, as long as it may be entered: it is there, or it was deleted while something came into it.
pub(crate) fn find(tx: &mut Transaction<'_>, id: StageId, present: Option<StageId>) -> Result<Option<Stage>, Error> {
    let tenant = tx.tenant();
    let found = Stage::find(tx.connection(), tenant, RecordId(id.0), false)?;
    Ok(found.filter(|stage| stage.meta.deleted_at.is_none() || present == Some(id)))
}

/// Whether opportunities are in the stage, also deleted ones, since they may be restored.
fn is_in_use(tx: &mut Transaction<'_>, id: StageId) -> Result<bool, Error> {
    let inside = opportunities::table
        .filter(opportunities::tenant_id.eq(tx.tenant()))
        .filter(opportunities::stage_id.eq(id));
    Ok(select(exists(inside)).get_result(tx.connection())?)
}

fn is_name_taken(tx: &mut Transaction<'_>, meta: &Meta, fields: &StageFields) -> Result<bool, Error> {
    let namesake = stages::table
        .filter(stages::tenant_id.eq(tx.tenant()))
        .filter(stages::pipeline_id.eq(fields.pipeline_id))
        .filter(stages::name.eq(&fields.name))
        .filter(stages::id.ne(meta.id))
        .filter(stages::deleted_at.is_null());
    Ok(select(exists(namesake)).get_result(tx.connection())?)
}

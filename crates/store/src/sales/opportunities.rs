//! How opportunities are kept, and how they are won, lost, reopened and moved.

use crate::records::{self, Expected, Outcome};
use crate::sales::{opportunity_totals, pipelines, stage_changes, stages};
use crate::stored::Stored;
use crate::{Error, Transaction, references, stored};
use domain::sales::opportunities::{Opportunity, OpportunityFields, OpportunityState};
use domain::sales::opportunity_moves::{Closing, Moment, Move, Reopening};
use domain::sales::stages::{OpportunityStatus, Stage};
use domain::{Kind, Meta, Refusal};
use sql::ids::{RecordId, StageId};

stored!(Opportunity in opportunities { fields: OpportunityFields, state: OpportunityState });

impl Stored for Opportunity {
    fn decide(
        tx: &mut Transaction<'_>,
        before: Option<&Self>,
        meta: Meta,
        fields: OpportunityFields,
    ) -> Result<Self, Error> {
        let stays = before.is_some_and(|before| before.fields.pipeline_id == fields.pipeline_id);
        if !stays && !references::exists(tx, Kind::Pipeline, RecordId(fields.pipeline_id.0))? {
            return Err(Refusal::fault("/pipeline_id", "unknown_reference", "there is no such pipeline").into());
        }
        let present = before.and_then(|before| before.fields.stage_id.0);
        let stage = match fields.stage_id.0 {
            Some(id) => named_stage(tx, id, present)?,
            None => Stage::entry(&pipelines::stages(tx, fields.pipeline_id)?)?.clone(),
        };
        let moment = moment(tx);
        Ok(match before {
            None => Self::open(meta, fields, &stage, moment)?,
            Some(before) => before.change(fields, &stage, moment)?,
        })
    }

    const CREATED_TOGETHER: bool = true;

    fn after_insert(tx: &mut Transaction<'_>, new: &[Self]) -> Result<(), Error> {
        stage_changes::begin(tx, new)?;
        opportunity_totals::follow(tx, [], new)
    }

    fn after_write(tx: &mut Transaction<'_>, before: Option<&Self>, after: &Self) -> Result<(), Error> {
        if before.is_some_and(|before| before.fields.stage_id != after.fields.stage_id) {
            stage_changes::change(tx, after)?;
        }
        opportunity_totals::follow(tx, before, [after])
    }

    fn before_purge(&self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        stage_changes::forget(tx, self.meta.id)?;
        opportunity_totals::follow(tx, [self], [])
    }

    fn update_event(before: &Self, after: &Self) -> &'static str {
        match (before.state.status, after.state.status) {
            (old, new) if old == new && before.fields.stage_id == after.fields.stage_id => "updated",
            (old, new) if old == new => "moved",
            (_, OpportunityStatus::Open) => "reopened",
            (_, OpportunityStatus::Won) => "won",
            (_, OpportunityStatus::Lost) => "lost",
        }
    }
}

fn moment(tx: &Transaction<'_>) -> Moment {
    Moment {
        now: tx.now(),
        today: tx.today(),
    }
}

fn named_stage(tx: &mut Transaction<'_>, id: StageId, present: Option<StageId>) -> Result<Stage, Error> {
    let unknown = || Refusal::fault("/stage_id", "unknown_reference", "there is no such stage").into();
    stages::find(tx, id, present)?.ok_or_else(unknown)
}

/// Marks an opportunity as sold.
pub fn win(
    tx: &mut Transaction<'_>,
    id: RecordId,
    expected: &Expected,
    closing: Closing,
) -> Result<(Opportunity, Outcome), Error> {
    records::change(tx, id, expected, |tx, before: &Opportunity| {
        let stages = pipelines::stages(tx, before.fields.pipeline_id)?;
        Ok(before.win(&stages, closing, moment(tx))?)
    })
}

/// Marks an opportunity as not sold.
pub fn lose(
    tx: &mut Transaction<'_>,
    id: RecordId,
    expected: &Expected,
    closing: Closing,
) -> Result<(Opportunity, Outcome), Error> {
    records::change(tx, id, expected, |tx, before: &Opportunity| {
        let stages = pipelines::stages(tx, before.fields.pipeline_id)?;
        Ok(before.lose(&stages, closing, moment(tx))?)
    })
}

/// Moves an opportunity to another stage.
pub fn move_to(
    tx: &mut Transaction<'_>,
    id: RecordId,
    expected: &Expected,
    to: Move,
) -> Result<(Opportunity, Outcome), Error> {
    records::change(tx, id, expected, |tx, before: &Opportunity| {
        let stage = named_stage(tx, to.stage_id, before.fields.stage_id.0)?;
        let Move {
            closed_on,
            close_reason,
            ..
        } = to;
        Ok(before.move_to(
            &stage,
            Closing {
                closed_on,
                close_reason,
            },
            moment(tx),
        )?)
    })
}

/// Opens a closed opportunity again: in the stage named, or the open one it was in last, or the first open one.
pub fn reopen(
    tx: &mut Transaction<'_>,
    id: RecordId,
    expected: &Expected,
    Reopening { stage_id }: Reopening,
) -> Result<(Opportunity, Outcome), Error> {
    records::change(tx, id, expected, |tx, before: &Opportunity| {
        let stage = match stage_id {
            Some(id) => named_stage(tx, id, None)?,
            None => stage_before_closing(tx, before)?,
        };
        Ok(before.reopen(&stage, moment(tx))?)
    })
}

fn stage_before_closing(tx: &mut Transaction<'_>, opportunity: &Opportunity) -> Result<Stage, Error> {
    let stages = pipelines::stages(tx, opportunity.fields.pipeline_id)?;
    let open = |id: StageId| {
        let named = stages.iter().find(|stage| stage.id() == id);
        named.filter(|stage| stage.fields.kind == OpportunityStatus::Open)
    };
    let latest = stage_changes::latest(tx, opportunity.meta.id)?;
    match latest.into_iter().find_map(open) {
        Some(stage) => Ok(stage.clone()),
        None => Ok(Stage::entry(&stages)?.clone()),
    }
}

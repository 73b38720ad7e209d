//! How opportunities move between stages: the decisions to open, change, win, lose and reopen one.
//!
//! They keep three things true: the status is that of the stage, the day of closing is known exactly when the
//! opportunity is closed, and a closed opportunity is opened again only on purpose.

use crate::fault::{Fault, Refusal, faultless};
use crate::record::Meta;
use crate::sales::opportunities::{Opportunity, OpportunityFields, OpportunityState};
use crate::sales::stages::{OpportunityStatus, Stage};
use crate::validation::check_date;
use chrono::NaiveDate;
use serde::Deserialize;
use sql::Timestamp;
use sql::ids::StageId;
use utoipa::ToSchema;
use validator::Validate;

/// When a decision is made.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The instant.
    pub now: Timestamp,
    /// The day that it is in the tenant's time zone.
    pub today: NaiveDate,
}

/// How an opportunity is closed.
#[derive(Debug, Clone, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// The day of closing; today when left out.
    #[validate(custom(function = "check_date"))]
    pub closed_on: Option<NaiveDate>,
    /// Why it was won or lost.
    #[validate(length(min = 1, max = 1000))]
    #[schema(min_length = 1, max_length = 1000, examples("Price"))]
    pub close_reason: Option<String>,
}

/// Where an opportunity goes, and how it is closed if the stage closes it.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// The stage to move to.
    #[schema(value_type = uuid::Uuid)]
    pub stage_id: StageId,
    /// The day of closing, for a stage that closes; today when left out.
    #[validate(custom(function = "check_date"))]
    pub closed_on: Option<NaiveDate>,
    /// Why it was won or lost, for a stage that closes.
    #[validate(length(min = 1, max = 1000))]
    #[schema(min_length = 1, max_length = 1000)]
    pub close_reason: Option<String>,
}

/// How an opportunity is opened again.
#[derive(Debug, Clone, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Reopening {
    /// The open stage to put it in; when left out, the one it was in before it was closed.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub stage_id: Option<StageId>,
}

impl Opportunity {
    /// A new opportunity. It may start in a closed stage, so that history can be brought in.
    pub fn open(meta: Meta, mut fields: OpportunityFields, stage: &Stage, moment: Moment) -> Result<Self, Refusal> {
        place(&mut fields, stage)?;
        settle_closing(&mut fields, OpportunityStatus::Open, stage.fields.kind, moment.today)?;
        Ok(Self {
            meta,
            fields,
            state: OpportunityState {
                status: stage.fields.kind,
                stage_entered_at: moment.now,
            },
        })
    }

    /// The opportunity with other fields and in the stage that they name.
    pub fn change(&self, fields: OpportunityFields, stage: &Stage, moment: Moment) -> Result<Self, Refusal> {
        if self.state.status.is_closed() && self.state.status != stage.fields.kind {
            return Err(self.already_closed());
        }
        self.moved(fields, stage, moment)
    }

    /// The opportunity in another stage; closing it when the stage does.
    pub fn move_to(&self, stage: &Stage, closing: Closing, moment: Moment) -> Result<Self, Refusal> {
        let mut fields = self.fields.clone();
        fields.closed_on = closing.closed_on.or(fields.closed_on);
        fields.close_reason = closing.close_reason.or(fields.close_reason);
        self.change(fields, stage, moment)
    }

    /// The opportunity as sold, in the first won stage among those of its pipeline.
    pub fn win(&self, stages: &[Stage], closing: Closing, moment: Moment) -> Result<Self, Refusal> {
        self.close(stages, OpportunityStatus::Won, closing, moment)
    }

    /// The opportunity as not sold, in the first lost stage among those of its pipeline.
    pub fn lose(&self, stages: &[Stage], closing: Closing, moment: Moment) -> Result<Self, Refusal> {
        self.close(stages, OpportunityStatus::Lost, closing, moment)
    }

    /// The closed opportunity in an open stage again, without the day and the reason of closing.
    pub fn reopen(&self, stage: &Stage, moment: Moment) -> Result<Self, Refusal> {
        if !self.state.status.is_closed() {
            return Err(Refusal::conflict("opportunity_open", "The opportunity is open."));
        }
        if stage.fields.kind.is_closed() {
            return Err(Refusal::fault("/stage_id", "stage_closed", "must be an open stage"));
        }
        let mut fields = self.fields.clone();
        fields.closed_on = None;
        fields.close_reason = None;
        self.moved(fields, stage, moment)
    }

    fn close(
        &self,
        stages: &[Stage],
        status: OpportunityStatus,
        closing: Closing,
        moment: Moment,
    ) -> Result<Self, Refusal> {
        if self.state.status.is_closed() {
            return Err(self.already_closed());
        }
        let Some(stage) = Stage::first(stages, status) else {
            let detail = format!("The pipeline has no {status} stage.");
            return Err(Refusal::conflict("stage_missing", detail));
        };
        self.move_to(stage, closing, moment)
    }

    fn moved(&self, mut fields: OpportunityFields, stage: &Stage, moment: Moment) -> Result<Self, Refusal> {
        place(&mut fields, stage)?;
        settle_closing(&mut fields, self.state.status, stage.fields.kind, moment.today)?;
        let before = self.state.stage_entered_at;
        let stays = fields.stage_id == self.fields.stage_id;
        Ok(Self {
            meta: self.meta.clone(),
            fields,
            state: OpportunityState {
                status: stage.fields.kind,
                // A clock that was set back must not make a stage end before it began.
                stage_entered_at: if stays { before } else { before.max(moment.now) },
            },
        })
    }

    fn already_closed(&self) -> Refusal {
        let detail = format!("The opportunity is {}. Reopen it first.", self.state.status);
        Refusal::conflict("opportunity_closed", detail)
    }
}

/// Puts the fields into a stage, which must be one of their pipeline.
fn place(fields: &mut OpportunityFields, stage: &Stage) -> Result<(), Refusal> {
    if stage.fields.pipeline_id != fields.pipeline_id {
        let message = "must be a stage of the opportunity's pipeline";
        return Err(Refusal::fault("/stage_id", "wrong_pipeline", message));
    }
    fields.stage_id = stage.id().into();
    Ok(())
}

/// Makes the day and the reason of closing agree with the status that is entered.
fn settle_closing(
    fields: &mut OpportunityFields,
    before: OpportunityStatus,
    after: OpportunityStatus,
    today: NaiveDate,
) -> Result<(), Refusal> {
    let mut faults = Vec::new();
    if after.is_closed() && fields.closed_on.is_none() {
        if before.is_closed() {
            let message = "must stay: the opportunity is closed";
            faults.push(Fault::new("/closed_on", "required", message));
        } else {
            // An opening day given for another time zone may still lie ahead.
            fields.closed_on = Some(fields.opened_on.map_or(today, |opened_on| opened_on.max(today)));
        }
    }
    if !after.is_closed() {
        let given = [
            ("/closed_on", fields.closed_on.is_some()),
            ("/close_reason", fields.close_reason.is_some()),
        ];
        let message = "must be left out: the opportunity is open";
        let given = given.into_iter().filter(|(_, is_given)| *is_given);
        faults.extend(given.map(|(pointer, _)| Fault::new(pointer, "opportunity_open", message)));
    }
    if fields.closed_on.is_some() && fields.closed_on < fields.opened_on {
        let message = "must not be before the day of opening";
        faults.push(Fault::new("/closed_on", "out_of_range", message));
    }
    faultless(faults)
}

#[cfg(test)]
mod tests;

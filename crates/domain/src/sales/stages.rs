//! Stages: the ordered steps of a pipeline. The last ones close an opportunity as won or lost.

use crate::fault::{Fault, Refusal};
use crate::kind::Kind;
use crate::record::{Fields, Meta, Record, Reference};
use crate::registry::{Field, FieldType, Registry, Relation};
use crate::{common_fields, record_parts, settable};
use diesel::prelude::Queryable;
use serde::Serialize;
use sql::ids::{PipelineId, RecordId, StageId};
use utoipa::ToSchema;

sql::text_enum! {
    /// How an opportunity stands, which its stage decides.
    pub enum OpportunityStatus {
        /// It may still be won.
        Open = "open",
        /// It was sold.
        Won = "won",
        /// It was not sold.
        Lost = "lost",
    }
}

impl OpportunityStatus {
    /// How likely an opportunity that stands so is won, in percent: as its stage says, unless it is open and has an
    /// estimate of its own.
    pub fn probability(self, of_stage: i32, own: Option<i32>) -> i32 {
        match self {
            Self::Open => own.unwrap_or(of_stage),
            Self::Won | Self::Lost => of_stage,
        }
    }

    /// Whether nothing more is to come.
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::Won | Self::Lost)
    }
}

settable! {
    /// What a client may set on a stage.
    pub struct StageFields in stages {
        /// The pipeline that it is a step of.
        #[schema(value_type = uuid::Uuid)]
        pub pipeline_id: PipelineId,
        /// What it is called; unique in its pipeline.
        #[validate(length(min = 1, max = 200))]
        #[schema(min_length = 1, max_length = 200, examples("Negotiation"))]
        pub name: String,
        /// Its place in the order of the pipeline, from 0.
        #[validate(range(min = 0, max = 1000))]
        #[schema(minimum = 0, maximum = 1000)]
        pub position: i32,
        /// How an opportunity in this stage stands.
        #[serde(default = "open")]
        #[schema(default = "open")]
        pub kind: OpportunityStatus,
        /// How likely an opportunity in this stage is won, in percent. A won stage always has 100 and a lost one 0.
        #[serde(default)]
        #[validate(range(min = 0, max = 100))]
        #[schema(minimum = 0, maximum = 100, default = 0, examples(40))]
        pub probability: i32,
    }
}

const fn open() -> OpportunityStatus {
    OpportunityStatus::Open
}

impl Fields for StageFields {
    common_fields!();

    fn normalise(&mut self, _before: Option<&Self>, _faults: &mut Vec<Fault>) {
        match self.kind {
            OpportunityStatus::Open => {}
            OpportunityStatus::Won => self.probability = 100,
            OpportunityStatus::Lost => self.probability = 0,
        }
    }
}

/// A step of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, Queryable)]
pub struct Stage {
    /// What the service keeps.
    #[serde(flatten)]
    pub meta: Meta,
    /// What a client set.
    #[serde(flatten)]
    pub fields: StageFields,
}

impl Stage {
    /// The id, as other records name it.
    pub const fn id(&self) -> StageId {
        StageId(self.meta.id.0)
    }

    /// How likely an opportunity in this stage is won, in percent: closed is certain, otherwise its own estimate or else
    /// that of the stage.
    pub fn effective_probability(&self, own: Option<i32>) -> i32 {
        self.fields.kind.probability(self.fields.probability, own)
    }

    /// The first stage of a kind, in the order of the pipeline whose stages these are.
    pub fn first(stages: &[Self], kind: OpportunityStatus) -> Option<&Self> {
        let of_kind = stages.iter().filter(|stage| stage.fields.kind == kind);
        of_kind.min_by_key(|stage| (stage.fields.position, stage.meta.id))
    }

    /// Where an opportunity enters the pipeline when no stage is named.
    pub fn entry(stages: &[Self]) -> Result<&Self, Refusal> {
        Self::first(stages, OpportunityStatus::Open)
            .ok_or_else(|| Refusal::fault("/stage_id", "required", "must be given: the pipeline has no open stage"))
    }

    /// That a change leaves the opportunities in this stage true: neither their pipeline nor their status may change
    /// without a decision about each of them.
    pub fn check_in_use(&self, fields: &StageFields) -> Result<(), Refusal> {
        if (self.fields.pipeline_id, self.fields.kind) == (fields.pipeline_id, fields.kind) {
            return Ok(());
        }
        let detail = "Opportunities are in this stage, so its pipeline and kind stay as they are. Move them first.";
        Err(Refusal::conflict("stage_in_use", detail))
    }
}

/// The fields of a stage.
pub const REGISTRY: Registry = Registry {
    kind: Kind::Stage,
    plural: "stages",
    table: "stages",
    fields: &[
        Field::reference("pipeline_id", Kind::Pipeline).required(),
        Field::text("name").required().sortable().indexed(),
        Field::new("position", FieldType::Integer).required().sortable(),
        Field::choice("kind", OpportunityStatus::TEXTS).required(),
        Field::new("probability", FieldType::Integer).required(),
    ],
    relations: &[
        Relation::one("pipeline", Kind::Pipeline, "pipeline_id"),
        Relation::many("opportunities", Kind::Opportunity, "stage_id"),
    ],
    owned: false,
};

impl Record for Stage {
    record_parts!(StageFields);
    const KIND: Kind = Kind::Stage;

    fn title(&self) -> &str {
        &self.fields.name
    }

    fn references(&self) -> Vec<Reference> {
        vec![Reference {
            pointer: "/pipeline_id".to_owned(),
            kind: Kind::Pipeline,
            id: RecordId(self.fields.pipeline_id.0),
        }]
    }
}

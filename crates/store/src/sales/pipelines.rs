//! How pipelines are kept, and what stands in them.

use crate::sales::opportunity_totals;
use crate::stored::Stored;
use crate::{Error, Transaction, records, stored};
use diesel::dsl::{exists, select};
use diesel::prelude::*;
use domain::sales::pipeline_summary::PipelineSummary;
use domain::sales::pipelines::{Pipeline, PipelineFields};
use domain::sales::stages::Stage;
use domain::{Meta, Refusal};
use sql::ids::{PipelineId, RecordId, StageId};
use sql::schema::opportunities;

stored!(Pipeline in pipelines { fields: PipelineFields });

impl Stored for Pipeline {
    fn decide(_: &mut Transaction<'_>, _: Option<&Self>, meta: Meta, fields: PipelineFields) -> Result<Self, Error> {
        Ok(Self { meta, fields })
    }

    fn before_delete(&self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        let inside = opportunities::table
            .filter(opportunities::tenant_id.eq(tx.tenant()))
            .filter(opportunities::pipeline_id.eq(PipelineId(self.meta.id.0)));
        if select(exists(inside)).get_result(tx.connection())? {
            let detail = "Opportunities, perhaps deleted ones, are in this pipeline. Move or purge them first.";
            return Err(Refusal::conflict("pipeline_in_use", detail).into());
        }
        Ok(())
    }
}

/// The stages of a pipeline.
pub(crate) fn stages(tx: &mut Transaction<'_>, pipeline: PipelineId) -> Result<Vec<Stage>, Error> {
    records::referring(tx, "pipeline_id", &[RecordId(pipeline.0)], MOST_STAGES)
}

/// A pipeline with more stages than positions would be of no use to anyone.
const MOST_STAGES: usize = 1001;

/// For each stage how many opportunities the caller may see, what they are worth and what may be expected.
pub fn summary(tx: &mut Transaction<'_>, id: RecordId) -> Result<PipelineSummary, Error> {
    let pipeline = PipelineId(records::get::<Pipeline>(tx, id)?.meta.id.0);
    let stages = stages(tx, pipeline)?;
    let ids: Vec<StageId> = stages.iter().map(Stage::id).collect();
    let shares = opportunity_totals::shares(tx, &ids)?;
    Ok(PipelineSummary::new(pipeline, stages, &shares))
}

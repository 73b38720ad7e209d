//! How pipelines are kept, and what stands in them.

use crate::stored::Stored;
use crate::{Error, Transaction, records, stored};
use ::sql::ids::{PipelineId, RecordId, StageId};
use ::sql::schema::opportunities;
use diesel::dsl::{count_star, exists, select, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use domain::money::Currency;
use domain::sales::opportunities::Opportunity;
use domain::sales::pipeline_summary::{PipelineSummary, Share};
use domain::sales::pipelines::{Pipeline, PipelineFields};
use domain::sales::stages::Stage;
use domain::{Meta, Refusal};

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
    let shares = shares(tx, &stages)?;
    Ok(PipelineSummary::new(pipeline, stages, &shares))
}

/// Amounts are added in two parts, millions and the rest: the sum of many large ones would not fit 64 bits.
const MILLION: i128 = 1_000_000;

fn shares(tx: &mut Transaction<'_>, stages: &[Stage]) -> Result<Vec<Share>, Error> {
    type Row = (StageId, Option<Currency>, Option<i32>, i64, Option<i64>, Option<i64>);
    let ids: Vec<StageId> = stages.iter().map(Stage::id).collect();
    let key = (
        opportunities::stage_id,
        opportunities::amount_currency,
        opportunities::probability,
    );
    let rows = opportunities::table
        .filter(opportunities::tenant_id.eq(tx.tenant()))
        // By the stages: asked by the pipeline, SQLite would read every opportunity of the tenant in order of stages.
        .filter(opportunities::stage_id.eq_any(ids))
        .filter(opportunities::deleted_at.is_null())
        .filter(records::visible_condition::<Opportunity>(tx))
        .group_by(key)
        .select((
            opportunities::stage_id,
            opportunities::amount_currency,
            opportunities::probability,
            count_star(),
            sql::<Nullable<BigInt>>("CAST(SUM(amount_minor / 1000000) AS bigint)"),
            sql::<Nullable<BigInt>>("CAST(SUM(amount_minor % 1000000) AS bigint)"),
        ))
        .load::<Row>(tx.connection())?;
    let share = |(stage_id, currency, probability, count, millions, rest): Row| Share {
        stage_id,
        currency,
        probability,
        count,
        minor: i128::from(millions.unwrap_or(0)) * MILLION + i128::from(rest.unwrap_or(0)),
    };
    Ok(rows.into_iter().map(share).collect())
}

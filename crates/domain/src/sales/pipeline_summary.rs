//! What stands in a pipeline: for each stage how many opportunities, what they are worth and what may be expected.

use crate::money::{Currency, Money, MoneyText};
use crate::sales::opportunity_totals::Totals;
use crate::sales::stages::{OpportunityStatus, Stage};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;
use sql::ids::{PipelineId, StageId};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The opportunities of one stage that have the same currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The stage.
    pub stage_id: StageId,
    /// The currency; none where no amount is known.
    pub currency: Option<Currency>,
    /// What they come to.
    pub totals: Totals,
}

/// What stands in a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PipelineSummary {
    /// The pipeline.
    #[schema(value_type = uuid::Uuid)]
    pub pipeline_id: PipelineId,
    /// Its stages, in their order.
    pub stages: Vec<StageSummary>,
}

/// What stands in a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StageSummary {
    /// The stage.
    #[schema(value_type = uuid::Uuid)]
    pub stage_id: StageId,
    /// What it is called.
    pub name: String,
    /// Its place in the order of the pipeline.
    pub position: i32,
    /// How an opportunity in it stands.
    pub kind: OpportunityStatus,
    /// How likely an opportunity in it is won, in percent, unless it has an estimate of its own.
    pub probability: i32,
    /// How many opportunities are in it.
    #[schema(minimum = 0)]
    pub count: i64,
    /// What they are worth, by currency; those without an amount are left out.
    pub amounts: Vec<AmountSummary>,
}

/// What opportunities in one currency are worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AmountSummary {
    /// The currency.
    pub currency: Currency,
    /// How many there are.
    #[schema(minimum = 1)]
    pub count: i64,
    /// The sum of their amounts; null when it is more than can be told.
    #[schema(value_type = Option<MoneyText>)]
    pub total: Option<Money>,
    /// The sum of their amounts, each times its probability; null when it is more than can be told.
    #[schema(value_type = Option<MoneyText>)]
    pub weighted: Option<Money>,
}

impl PipelineSummary {
    /// From the stages of a pipeline and all that stands in them.
    pub fn new(pipeline_id: PipelineId, mut stages: Vec<Stage>, shares: &[Share]) -> Self {
        stages.sort_by_key(|stage| (stage.fields.position, stage.meta.id));
        let stages = stages.iter().map(|stage| StageSummary::new(stage, shares));
        Self {
            pipeline_id,
            stages: stages.collect(),
        }
    }
}

impl StageSummary {
    fn new(stage: &Stage, shares: &[Share]) -> Self {
        let shares: Vec<&Share> = shares.iter().filter(|share| share.stage_id == stage.id()).collect();
        let mut amounts = AmountTotals::default();
        for Share { currency, totals, .. } in &shares {
            if let Some(currency) = currency {
                amounts.add(*currency, totals.count, totals.amount, totals.weighted_in(stage));
            }
        }
        let fields = &stage.fields;
        Self {
            stage_id: stage.id(),
            name: fields.name.clone(),
            position: fields.position,
            kind: fields.kind,
            probability: fields.probability,
            count: shares.iter().map(|share| share.totals.count).sum(),
            amounts: amounts.told(),
        }
    }
}

/// Amounts added up by currency, each also weighted by its probability.
#[derive(Debug, Default)]
pub struct AmountTotals(BTreeMap<Currency, Sums>);

impl AmountTotals {
    /// Adds opportunities of one currency: how many, the sum of their amounts in minor units, and the sum of their amounts
    /// times their probabilities in percent.
    pub fn add(&mut self, currency: Currency, count: i64, minor: i128, weighted: i128) {
        let sums = self.0.entry(currency).or_default();
        sums.count += count;
        sums.minor += minor;
        sums.weighted += weighted;
    }

    /// What they come to.
    pub fn told(&self) -> Vec<AmountSummary> {
        self.0.iter().map(|(currency, sums)| sums.told_in(*currency)).collect()
    }
}

#[derive(Debug, Default)]
struct Sums {
    count: i64,
    minor: i128,
    /// In hundredths of minor units, so that rounding is done once.
    weighted: i128,
}

impl Sums {
    fn told_in(&self, currency: Currency) -> AmountSummary {
        let weighted = Decimal::try_from_i128_with_scale(self.weighted, 2).ok();
        let weighted = weighted.and_then(|minor| minor.round().to_i64());
        let money = |minor| Money::from_minor(minor, currency);
        AmountSummary {
            currency,
            count: self.count,
            total: i64::try_from(self.minor).ok().map(money),
            weighted: weighted.map(money),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fields;
    use crate::record::Meta;
    use serde_json::json;
    use sql::Timestamp;
    use sql::ids::TenantId;

    fn stage(kind: &str, position: i32, probability: i32) -> Stage {
        let fields = json!({"pipeline_id": PipelineId::new(), "name": kind, "position": position, "kind": kind,
                            "probability": probability});
        let fields: crate::sales::stages::StageFields = serde_json::from_value(fields).unwrap();
        let meta = Meta::new(TenantId::new(), Timestamp::now(), None);
        Stage {
            meta,
            fields: fields.checked().unwrap(),
        }
    }

    fn share(stage: &Stage, currency: Option<&str>, probability: Option<i32>, count: i64, amount: i128) -> Share {
        let (unestimated, estimated) = match probability {
            None => (amount, 0),
            Some(probability) => (0, amount * i128::from(probability)),
        };
        Share {
            stage_id: stage.id(),
            currency: currency.map(|code| code.parse().unwrap()),
            totals: Totals {
                count,
                amount,
                unestimated,
                estimated,
            },
        }
    }

    #[test]
    fn sums_by_stage_and_currency() {
        let (won, open) = (stage("won", 5, 0), stage("open", 1, 25));
        let shares = [
            share(&open, Some("EUR"), None, 2, 1001),
            share(&open, Some("EUR"), Some(50), 1, 1001),
            share(&open, Some("USD"), None, 1, 400),
            share(&open, None, None, 7, 0),
            share(&won, Some("EUR"), Some(10), 1, 300),
        ];
        let summary = PipelineSummary::new(PipelineId::new(), vec![won, open], &shares);
        let [open, won] = summary.stages.as_slice() else {
            panic!("{summary:?}")
        };
        assert_eq!((open.count, won.count), (11, 1));

        let euros = &open.amounts[0];
        assert_eq!(euros.total.unwrap().minor(), 2002);
        assert_eq!(
            euros.weighted.unwrap().minor(),
            751,
            "250.25 and 500.50 are rounded together"
        );
        assert_eq!(open.amounts[1].weighted.unwrap().minor(), 100);
        assert_eq!(won.amounts[0].weighted.unwrap().minor(), 300, "what is won is certain");
    }

    #[test]
    fn a_sum_too_large_is_not_told() {
        let open = stage("open", 0, 50);
        let shares = [share(&open, Some("EUR"), None, 3, 3 * i128::from(i64::MAX))];
        let summary = PipelineSummary::new(PipelineId::new(), vec![open], &shares);
        let amounts = &summary.stages[0].amounts[0];
        assert_eq!((amounts.total, amounts.weighted), (None, None));
    }
}

//! What opportunities come to together: kept in groups as they are written, so that a summary of a pipeline need not read
//! them all. How the groups are stored is the store's matter.

use crate::money::{Currency, Money};
use crate::sales::opportunities::Opportunity;
use crate::sales::stages::{OpportunityStatus, Stage};
use sql::ids::{StageId, TeamId, UserId};
use std::collections::BTreeMap;
use std::ops::{AddAssign, SubAssign};

/// What the opportunities of one group have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// The stage that they are in.
    pub stage_id: StageId,
    /// Whose they are: by this and the team it is decided who may see them.
    pub owner_id: Option<UserId>,
    /// The team whose they are.
    pub team_id: Option<TeamId>,
    /// The currency; none where no amount is known.
    pub currency: Option<Currency>,
}

/// What opportunities of one currency come to; what is taken away is negative. Many amounts of 64 bits may not fit 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// How many there are.
    pub count: i64,
    /// The sum of their amounts in minor units.
    pub amount: i128,
    /// The part of it that has no estimate of its own.
    pub unestimated: i128,
    /// The sum of the amounts that have one, each times it: percent of minor units.
    pub estimated: i128,
}

impl Totals {
    /// What they may be expected to bring in a stage, in percent of minor units.
    pub fn weighted_in(&self, stage: &Stage) -> i128 {
        let of_stage = i128::from(stage.fields.probability);
        match stage.fields.kind {
            OpportunityStatus::Open => self.unestimated * of_stage + self.estimated,
            OpportunityStatus::Won | OpportunityStatus::Lost => self.amount * of_stage,
        }
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        self.amount += other.amount;
        self.unestimated += other.unestimated;
        self.estimated += other.estimated;
    }
}

impl SubAssign for Totals {
    fn sub_assign(&mut self, other: Self) {
        self.count -= other.count;
        self.amount -= other.amount;
        self.unestimated -= other.unestimated;
        self.estimated -= other.estimated;
    }
}

/// What writing opportunities adds to the totals of each group. Those that are deleted do not count.
pub fn changes<'o>(
    before: impl IntoIterator<Item = &'o Opportunity>,
    after: impl IntoIterator<Item = &'o Opportunity>,
) -> BTreeMap<Group, Totals> {
    let mut changes: BTreeMap<Group, Totals> = BTreeMap::new();
    for (group, totals) in after.into_iter().filter_map(counted) {
        *changes.entry(group).or_default() += totals;
    }
    for (group, totals) in before.into_iter().filter_map(counted) {
        *changes.entry(group).or_default() -= totals;
    }
    changes.retain(|_, totals| *totals != Totals::default());
    changes
}

fn counted(opportunity: &Opportunity) -> Option<(Group, Totals)> {
    if opportunity.meta.deleted_at.is_some() {
        return None;
    }
    let fields = &opportunity.fields;
    let amount = fields.amount.0;
    let group = Group {
        stage_id: fields.stage_id.0?,
        owner_id: fields.owner_id,
        team_id: fields.team_id,
        currency: amount.map(Money::currency),
    };
    let minor = amount.map_or(0, |amount| i128::from(amount.minor()));
    let (unestimated, estimated) = match fields.probability {
        None => (minor, 0),
        Some(probability) => (0, minor * i128::from(probability)),
    };
    let totals = Totals {
        count: 1,
        amount: minor,
        unestimated,
        estimated,
    };
    Some((group, totals))
}

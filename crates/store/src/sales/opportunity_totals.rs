//! How the totals of opportunities are kept: writes append what they change, and a duty adds up what has piled up.

use crate::filter::Condition;
use crate::{Error, Transaction};
use diesel::dsl::count_star;
use diesel::prelude::*;
use domain::Kind;
use domain::money::Currency;
use domain::sales::opportunities::Opportunity;
use domain::sales::opportunity_totals::{Group, Totals, changes};
use domain::sales::pipeline_summary::Share;
use sql::ids::{RecordId, StageId, TeamId, TenantId, UserId};
use sql::schema::opportunity_totals as totals;
use sql::{Kept, Total, insert_all, on_either};

/// Rows that a group may have before they are added up.
const FEW: i64 = 8;

/// Sums are kept in two parts: those of many large amounts would not fit 64 bits.
const BILLION: i128 = 1_000_000_000;

/// Keeps the totals in step with a write of opportunities.
pub(crate) fn follow<'o>(
    tx: &mut Transaction<'_>,
    before: impl IntoIterator<Item = &'o Opportunity>,
    after: impl IntoIterator<Item = &'o Opportunity>,
) -> Result<(), Error> {
    append(tx, changes(before, after))
}

fn append(tx: &mut Transaction<'_>, groups: impl IntoIterator<Item = (Group, Totals)>) -> Result<(), Error> {
    let tenant = tx.tenant();
    let row = |(group, sums): (Group, Totals)| {
        let (amount, unestimated) = (parts(sums.amount)?, parts(sums.unestimated)?);
        let estimated = parts(sums.estimated)?;
        Ok((
            (
                totals::tenant_id.eq(tenant),
                totals::stage_id.eq(group.stage_id),
                totals::id.eq(RecordId::new()),
                totals::owner_id.eq(group.owner_id),
                totals::team_id.eq(group.team_id),
                totals::currency.eq(group.currency),
            ),
            (
                totals::count.eq(sums.count),
                totals::amount_billions.eq(amount.0),
                totals::amount_rest.eq(amount.1),
                totals::unestimated_billions.eq(unestimated.0),
                totals::unestimated_rest.eq(unestimated.1),
                totals::estimated_billions.eq(estimated.0),
                totals::estimated_rest.eq(estimated.1),
            ),
        ))
    };
    let rows = groups.into_iter().map(row).collect::<Result<Vec<_>, Error>>()?;
    insert_all!(tx.connection(), totals::table, rows)?;
    Ok(())
}

fn parts(sum: i128) -> Result<(i64, i64), Error> {
    let part = |part| i64::try_from(part).map_err(|_| Error::Internal("a sum of amounts is out of range".to_owned()));
    Ok((part(sum / BILLION)?, part(sum % BILLION)?))
}

fn whole((billions, rest): (i64, i64)) -> i128 {
    i128::from(billions) * BILLION + i128::from(rest)
}

type Parts<Billions, Rest> = (Total<Billions>, Total<Rest>);
type Sums = (
    Total<totals::count>,
    Parts<totals::amount_billions, totals::amount_rest>,
    Parts<totals::unestimated_billions, totals::unestimated_rest>,
    Parts<totals::estimated_billions, totals::estimated_rest>,
);
/// The sums of some rows.
const SUMS: Sums = (
    Total(totals::count),
    (Total(totals::amount_billions), Total(totals::amount_rest)),
    (Total(totals::unestimated_billions), Total(totals::unestimated_rest)),
    (Total(totals::estimated_billions), Total(totals::estimated_rest)),
);
type Summed = (i64, (i64, i64), (i64, i64), (i64, i64));

fn added((count, amount, unestimated, estimated): Summed) -> Totals {
    Totals {
        count,
        amount: whole(amount),
        unestimated: whole(unestimated),
        estimated: whole(estimated),
    }
}

/// What the opportunities that the caller may see come to in each of some stages, by currency.
pub(crate) fn shares(tx: &mut Transaction<'_>, stages: &[StageId]) -> Result<Vec<Share>, Error> {
    let registry = Kind::Opportunity.registry();
    let visible = Condition::of_rows("opportunity_totals", registry, tx.tenant(), tx.scope().visibility);
    let query = totals::table
        .filter(totals::tenant_id.eq(tx.tenant()))
        .filter(totals::stage_id.eq_any(stages.to_vec()))
        .filter(visible)
        .group_by((totals::stage_id, totals::currency))
        .select((totals::stage_id, totals::currency, SUMS));
    // The text differs by how many stages there are.
    let rows: Vec<(StageId, Option<Currency>, Summed)> = on_either!(tx.connection(), |c| Kept::new(query).load(c))?;
    let share = |(stage_id, currency, summed)| Share {
        stage_id,
        currency,
        totals: added(summed),
    };
    // Where all has gone, rows stay until they are added up.
    Ok(rows
        .into_iter()
        .map(share)
        .filter(|share| share.totals.count != 0)
        .collect())
}

/// A stage in which the rows of a group have piled up; none when there is none.
pub fn find_piled(tx: &mut Transaction<'_>) -> Result<Option<StageId>, Error> {
    let piled = totals::table
        .filter(totals::tenant_id.eq(tx.tenant()))
        .group_by((totals::stage_id, totals::owner_id, totals::team_id, totals::currency))
        .having(count_star().gt(FEW))
        .select(totals::stage_id)
        .limit(1);
    Ok(piled.first(tx.connection()).optional()?)
}

/// Adds up the rows of each group in a stage. There may be another such stage.
///
/// Rows that come in meanwhile are neither added up nor removed: on PostgreSQL both statements see what was there when the
/// transaction began, and of two that do this at once one begins again.
pub fn add_up(tx: &mut Transaction<'_>, stage: &StageId) -> Result<bool, Error> {
    type Row = (Option<UserId>, Option<TeamId>, Option<Currency>, Summed);
    let group = (totals::owner_id, totals::team_id, totals::currency);
    let rows = of_stage(tx, *stage)
        .group_by(group)
        .select((totals::owner_id, totals::team_id, totals::currency, SUMS));
    let rows: Vec<Row> = rows.load(tx.connection())?;
    forget(tx, *stage)?;
    let groups = rows.into_iter().map(|(owner_id, team_id, currency, summed)| {
        let group = Group {
            stage_id: *stage,
            owner_id,
            team_id,
            currency,
        };
        (group, added(summed))
    });
    append(tx, groups.filter(|(_, sums)| *sums != Totals::default()))?;
    Ok(true)
}

/// Removes what is kept about a stage.
pub(crate) fn forget(tx: &mut Transaction<'_>, stage: StageId) -> Result<(), Error> {
    diesel::delete(of_stage(tx, stage)).execute(tx.connection())?;
    Ok(())
}

#[diesel::dsl::auto_type(no_type_alias)]
fn of_stage(tx: &Transaction<'_>, stage: StageId) -> _ {
    let tenant: TenantId = tx.tenant();
    totals::table
        .filter(totals::tenant_id.eq(tenant))
        .filter(totals::stage_id.eq(stage))
}

//! What the log tells of the past: rules that are answered as of an instant, and records as they were.

use crate::{Error, Transaction};
use diesel::prelude::*;
use domain::marketing::segments::{read_rule, read_rule_of_past};
use domain::rule::past::{as_it_was, fault_of_instant};
use domain::rule::{Rule, RuleContext};
use domain::{Fault, Refusal};
use serde_json::{Map, Value};
use sql::ids::RecordId;
use sql::schema::events;
use sql::{Json, Timestamp};

/// Reads a rule about customers that is asked now, or as of an instant of the past. What is wrong with the instant and
/// with the rule is told together.
pub(crate) fn read_rule_at(tx: &mut Transaction<'_>, rule: &Value, as_of: Option<Timestamp>) -> Result<Rule, Error> {
    let Some(instant) = as_of else {
        return Ok(read_rule(rule, &tx.rule_context()?)?);
    };
    let mut faults: Vec<Fault> = fault_of_instant(instant, tx.now(), oldest_event(tx)?)
        .into_iter()
        .collect();
    match (read_rule_of_past(rule, &context_at(tx, as_of)?), faults.is_empty()) {
        (Ok(rule), true) => Ok(rule),
        (Ok(_), false) => Err(Refusal::Invalid(faults).into()),
        (Err(Refusal::Invalid(of_rule)), _) => {
            faults.extend(of_rule);
            Err(Refusal::Invalid(faults).into())
        }
        (Err(other), _) => Err(other.into()),
    }
}

/// What a rule needs to know that is asked now, or as of an instant of the past.
pub(crate) fn context_at(tx: &mut Transaction<'_>, as_of: Option<Timestamp>) -> Result<RuleContext, Error> {
    let context = tx.rule_context()?;
    let now = as_of.unwrap_or(context.now);
    Ok(RuleContext { now, ..context })
}

/// When the oldest event occurred that is kept.
fn oldest_event(tx: &mut Transaction<'_>) -> Result<Option<Timestamp>, Error> {
    Ok(events::table
        .filter(events::tenant_id.eq(tx.tenant()))
        .order((events::position, events::id))
        .select(events::occurred_at)
        .first(tx.connection())
        .optional()?)
}

/// A record as JSON, as it was at an instant of the past.
pub(crate) fn record_at(
    tx: &mut Transaction<'_>,
    id: RecordId,
    record: Value,
    as_of: Option<Timestamp>,
) -> Result<Value, Error> {
    let Some(instant) = as_of else { return Ok(record) };
    let since = events::table
        .filter(events::tenant_id.eq(tx.tenant()))
        .filter(events::subject_id.eq(id))
        .filter(events::occurred_at.gt(instant));
    let changes: Vec<Json<Map<String, Value>>> = since
        .order((events::version, events::position))
        .select(events::changes)
        .load(tx.connection())?;
    let changes: Vec<_> = changes.into_iter().map(Json::into_inner).collect();
    Ok(as_it_was(record, &changes))
}

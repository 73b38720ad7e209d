//! How policies of service levels are kept, and how the one for a ticket is chosen.

use crate::filter::Condition;
use crate::stored::{Stored, Table};
use crate::{Error, Transaction, stored};
use diesel::prelude::*;
use domain::operation::visibility::Visibility;
use domain::service::business_hours::BusinessHours;
use domain::service::calendar::Calendar;
use domain::service::sla_policies::{SlaPolicy, SlaPolicyFields};
use domain::service::ticket_clocks::Terms;
use domain::service::tickets::Ticket;
use domain::{Kind, Meta, Refusal};
use sql::ids::RecordId;
use sql::schema::sla_policies;

stored!(SlaPolicy in sla_policies { fields: SlaPolicyFields });

impl Stored for SlaPolicy {
    fn decide(tx: &mut Transaction<'_>, _: Option<&Self>, meta: Meta, fields: SlaPolicyFields) -> Result<Self, Error> {
        fields.rule(&tx.rule_context()?).map_err(Refusal::Invalid)?;
        Ok(Self { meta, fields })
    }
}

/// What a policy promises, also a deleted one; none when there is no such policy any more.
pub(crate) fn terms(tx: &mut Transaction<'_>, policy: Option<RecordId>) -> Result<Option<Terms>, Error> {
    let Some(id) = policy else { return Ok(None) };
    let tenant = tx.tenant();
    match SlaPolicy::find(tx.connection(), tenant, id, false)? {
        Some(policy) => terms_of(tx, &policy).map(Some),
        None => Ok(None),
    }
}

/// What the first active policy promises whose conditions a stored ticket meets.
pub(crate) fn choose(tx: &mut Transaction<'_>, ticket: &Ticket) -> Result<Option<Terms>, Error> {
    let (tenant, context) = (tx.tenant(), tx.rule_context()?);
    for id in active(tx)? {
        let Some(policy) = SlaPolicy::find(tx.connection(), tenant, id, false)? else {
            continue;
        };
        // A rule that was right when it was written may name what a newer version of the service has no more.
        let Ok(rule) = policy.fields.rule(&context) else {
            tracing::warn!(policy = %id, "the conditions of a policy can no longer be read; it is passed over");
            continue;
        };
        // What is promised to a customer does not depend on who writes to its ticket.
        let everything = Condition::new(Kind::Ticket.registry(), tenant, Visibility::All);
        let condition = everything.with_rule(Some(&rule));
        if !Ticket::find_many(tx.connection(), tenant, &[ticket.meta.id], condition)?.is_empty() {
            return terms_of(tx, &policy).map(Some);
        }
    }
    Ok(None)
}

/// The active policies, in the order in which they are tried.
fn active(tx: &mut Transaction<'_>) -> Result<Vec<RecordId>, Error> {
    let policies = sla_policies::table
        .filter(sla_policies::tenant_id.eq(tx.tenant()))
        .filter(sla_policies::active.eq(true))
        .filter(sla_policies::deleted_at.is_null())
        .order((sla_policies::position, sla_policies::id))
        .select(sla_policies::id);
    Ok(policies.load(tx.connection())?)
}

fn terms_of(tx: &mut Transaction<'_>, policy: &SlaPolicy) -> Result<Terms, Error> {
    let tenant = tx.tenant();
    let hours = match policy.fields.business_hours_id {
        Some(id) => BusinessHours::find(tx.connection(), tenant, RecordId(id.0), false)?,
        None => None,
    };
    Ok(Terms {
        policy_id: policy.meta.id,
        targets: *policy.fields.targets,
        calendar: hours.map_or(Calendar::Always, |hours| hours.calendar()),
    })
}

//! When the clocks of tickets must be looked at, and the duty that looks at them.

use crate::records::{self, Expected, Outcome};
use crate::service::sla_policies;
use crate::{Error, Transaction};
use diesel::prelude::*;
use domain::service::calendar::Calendar;
use domain::service::tickets::Ticket;
use sql::ids::{RecordId, TicketId};
use sql::on_either;
use sql::schema::{ticket_alarms, tickets};

/// Tickets that one write of the duty looks at.
const PORTION: i64 = 50;

/// Keeps when the clocks of a ticket must be looked at next, by the calendar that they count by.
pub(crate) fn keep(tx: &mut Transaction<'_>, ticket: &Ticket, calendar: &Calendar) -> Result<(), Error> {
    let Some(due_at) = ticket.next_alarm(calendar) else {
        return forget(tx, ticket.meta.id);
    };
    let row = (
        ticket_alarms::tenant_id.eq(tx.tenant()),
        ticket_alarms::ticket_id.eq(ticket.id()),
        ticket_alarms::due_at.eq(due_at),
    );
    on_either!(tx.connection(), |c| diesel::insert_into(ticket_alarms::table)
        .values(row)
        .on_conflict((ticket_alarms::tenant_id, ticket_alarms::ticket_id))
        .do_update()
        .set(ticket_alarms::due_at.eq(due_at))
        .execute(c))?;
    Ok(())
}

/// Nothing is to be looked at.
pub(crate) fn forget(tx: &mut Transaction<'_>, ticket: RecordId) -> Result<(), Error> {
    let row = ticket_alarms::table.find((tx.tenant(), TicketId(ticket.0)));
    diesel::delete(row).execute(tx.connection())?;
    Ok(())
}

/// The tickets whose clocks have something to tell, those that have waited longest first; none when there are none.
pub fn find_due(tx: &mut Transaction<'_>) -> Result<Option<Vec<RecordId>>, Error> {
    let (tenant, now) = (tx.tenant(), tx.now());
    let due = ticket_alarms::table
        .inner_join(
            tickets::table.on(tickets::tenant_id
                .eq(ticket_alarms::tenant_id)
                .and(tickets::id.eq(ticket_alarms::ticket_id))),
        )
        .filter(ticket_alarms::tenant_id.eq(tenant))
        .filter(ticket_alarms::due_at.le(now))
        .filter(tickets::deleted_at.is_null())
        .order((ticket_alarms::due_at, ticket_alarms::ticket_id))
        .limit(PORTION)
        .select(tickets::id);
    let due: Vec<RecordId> = due.load(tx.connection())?;
    Ok(Some(due).filter(|due| !due.is_empty()))
}

/// Lets the clocks of some tickets tell what is due, and says whether more may be left.
///
/// An alarm is noted in the ticket in the write that announces it, so who comes later finds nothing to tell.
pub fn tell(tx: &mut Transaction<'_>, due: &Vec<RecordId>) -> Result<bool, Error> {
    for id in due {
        let told = records::change(tx, *id, &Expected::Any, |tx, before: &Ticket| {
            let terms = sla_policies::terms(tx, before.state.progress.sla_policy_id)?;
            let calendar = terms.as_ref().map_or(Calendar::Always, |terms| terms.calendar.clone());
            Ok(before.clone().with_clocks(&calendar, terms.as_ref(), tx.now()))
        });
        match told {
            Ok((ticket, Outcome::Unchanged)) => {
                let terms = sla_policies::terms(tx, ticket.state.progress.sla_policy_id)?;
                let calendar = terms.map_or(Calendar::Always, |terms| terms.calendar);
                keep(tx, &ticket, &calendar)?;
            }
            // A ticket that was written keeps its next alarm itself, and one that was deleted meanwhile needs none.
            Ok(_) | Err(Error::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(i64::try_from(due.len()).is_ok_and(|count| count == PORTION))
}

//! How tickets are kept, and how they are commented on, reopened, escalated, merged and split.

use crate::events::{FieldChanges, NewEvent};
use crate::records::{self, Expected, Outcome};
use crate::service::{sla_policies, ticket_alarms, ticket_comments};
use crate::shown::Shown;
use crate::stored::{Stored, Table};
use crate::{Error, Transaction, references, stored};
use diesel::prelude::*;
use domain::record::Reference;
use domain::service::calendar::Calendar;
use domain::service::satisfaction::SatisfactionAnswer;
use domain::service::ticket_clocks::Terms;
use domain::service::ticket_comments::{NewTicketComment, TicketComment};
use domain::service::ticket_moves::{
    TicketEscalation, TicketMerger, TicketReopening, TicketSplit, complains_otherwise, happenings,
};
use domain::service::ticket_parts::{Complaint, TicketType};
use domain::service::tickets::{Ticket, TicketFields, TicketState};
use domain::{Kind, Meta, Refusal};
use sql::ids::RecordId;
use sql::schema::{ticket_numbers, tickets};
use sql::{Json, Kept, Timestamp, on_either};

stored!(Ticket in tickets { fields: TicketFields, state: TicketState });

impl Stored for Ticket {
    const CREATED_TOGETHER: bool = true;

    fn decide(
        tx: &mut Transaction<'_>,
        before: Option<&Self>,
        meta: Meta,
        fields: TicketFields,
    ) -> Result<Self, Error> {
        let now = tx.now();
        match before {
            None => {
                let number = next_number(tx)?;
                Ok(Self::open(meta, fields, number))
            }
            Some(before) => {
                let after = before.change(fields, now)?;
                counted(tx, before, after)
            }
        }
    }

    /// The policy is chosen by what the row has become, so it is chosen when it is written.
    fn complete(&mut self, tx: &mut Transaction<'_>, before: Option<&Self>) -> Result<bool, Error> {
        let (old, new) = (terms_of(tx, before)?, sla_policies::choose(tx, self)?);
        let calendar = calendar_of(old.as_ref());
        let mut complete = self.clone().with_clocks(&calendar, new.as_ref(), tx.now());
        if complains_otherwise(before, self) {
            complete.state.progress.earlier_complaints = Some(earlier_complaints(tx, self)?);
        } else if self.fields.kind != TicketType::Complaint {
            complete.state.progress.earlier_complaints = None;
        }
        let differs = complete.state != self.state;
        if differs {
            complete.update(tx.connection(), self)?;
            *self = complete;
        }
        ticket_alarms::keep(tx, self, &calendar_of(new.as_ref()))?;
        if let Some(before) = before {
            tell_the_rest(tx, before, self)?;
        }
        Ok(differs)
    }

    fn before_purge(&self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        ticket_comments::forget(tx, self.id())?;
        ticket_alarms::forget(tx, self.meta.id)
    }

    fn update_event(before: &Self, after: &Self) -> &'static str {
        happenings(before, after).first().map_or("updated", |first| first.what)
    }
}

/// The event of a change tells what mattered most. What else happened has events of its own.
fn tell_the_rest(tx: &mut Transaction<'_>, before: &Ticket, after: &Ticket) -> Result<(), Error> {
    let others: Vec<_> = happenings(before, after).into_iter().skip(1).collect();
    if others.is_empty() {
        return Ok(());
    }
    let all = FieldChanges::between(Some(&Shown::of(before)?), Some(&Shown::of(after)?))?;
    for happening in others {
        let changes = match happening.clock {
            Some(clock) => all.only(clock.as_str())?,
            None => all.clone(),
        };
        announce(tx, after, happening.what, changes);
    }
    Ok(())
}

fn announce(tx: &mut Transaction<'_>, ticket: &Ticket, what: &str, changes: FieldChanges) {
    // The row is written at its new version already.
    let event = NewEvent::new(tx, Kind::Ticket, what, ticket.meta.id, ticket.meta.version, changes);
    tx.announce(event.of_customer(ticket.fields.customer_id));
}

fn terms_of(tx: &mut Transaction<'_>, ticket: Option<&Ticket>) -> Result<Option<Terms>, Error> {
    let policy = ticket.and_then(|ticket| ticket.state.progress.sla_policy_id);
    sla_policies::terms(tx, policy)
}

fn calendar_of(terms: Option<&Terms>) -> Calendar {
    terms.map_or(Calendar::Always, |terms| terms.calendar.clone())
}

/// A ticket with its clocks as they are after a decision, under what was promised before it.
fn counted(tx: &mut Transaction<'_>, before: &Ticket, after: Ticket) -> Result<Ticket, Error> {
    let terms = terms_of(tx, Some(before))?;
    Ok(after.with_clocks(&calendar_of(terms.as_ref()), terms.as_ref(), tx.now()))
}

/// The next number of the tenant. The row of the last one is locked until the transaction ends, so no two tickets have
/// the same.
fn next_number(tx: &mut Transaction<'_>) -> Result<i64, Error> {
    let tenant = tx.tenant();
    let first = (ticket_numbers::tenant_id.eq(tenant), ticket_numbers::last.eq(1_i64));
    Ok(on_either!(tx.connection(), |c| Kept::new(
        diesel::insert_into(ticket_numbers::table)
            .values(first)
            .on_conflict(ticket_numbers::tenant_id)
            .do_update()
            .set(ticket_numbers::last.eq(ticket_numbers::last + 1_i64))
            .returning(ticket_numbers::last)
    )
    .get_result::<i64>(c))?)
}

/// How many complaints of the same customer came before one, in its category or of its cause. How often a customer
/// complains does not depend on who asks. All of them are read, because a condition on their times would lure SQLite
/// onto the index of all tickets by time.
fn earlier_complaints(tx: &mut Transaction<'_>, ticket: &Ticket) -> Result<i64, Error> {
    let Some(customer) = ticket.fields.customer_id else {
        return Ok(0);
    };
    let complaints: Vec<(RecordId, Timestamp, Json<Complaint>)> = tickets::table
        .filter(tickets::tenant_id.eq(tx.tenant()))
        .filter(tickets::customer_id.eq(customer))
        .filter(tickets::kind.eq(TicketType::Complaint))
        .filter(tickets::deleted_at.is_null())
        .select((tickets::id, tickets::created_at, tickets::complaint))
        .load(tx.connection())?;
    let earlier = complaints.iter().filter(|(id, created_at, complaint)| {
        let came_before = (*created_at, *id) < (ticket.meta.created_at, ticket.meta.id);
        came_before && complaint.resembles(&ticket.fields.complaint)
    });
    Ok(i64::try_from(earlier.count()).unwrap_or(i64::MAX))
}

/// Says something in a ticket.
pub fn comment(
    tx: &mut Transaction<'_>,
    id: RecordId,
    expected: &Expected,
    new: NewTicketComment,
) -> Result<(TicketComment, Ticket), Error> {
    if let Some(customer) = new.customer_id {
        let reference = Reference {
            pointer: "/customer_id".to_owned(),
            kind: Kind::Customer,
            id: RecordId(customer.0),
        };
        let fault = references::fault_of(tx, reference)?;
        domain::fault::faultless(fault.into_iter().collect())?;
    }
    let mut added = None;
    let (ticket, _) = records::change(tx, id, expected, |tx, before: &Ticket| {
        let comment = TicketComment::on(before, new, tx.now(), tx.actor().id);
        let after = before.comment(&comment, tx.now())?;
        ticket_comments::add(tx, &comment)?;
        added = Some(comment);
        counted(tx, before, after)
    })?;
    let added = added.ok_or_else(|| Error::Internal("a comment was not added".to_owned()))?;
    Ok((added, ticket))
}

/// Keeps how content the customer is.
pub fn rate(tx: &mut Transaction<'_>, id: RecordId, answer: SatisfactionAnswer) -> Result<Ticket, Error> {
    let rated = records::change(tx, id, &Expected::Any, |tx, before: &Ticket| {
        Ok(before.answered(answer, tx.now())?)
    });
    rated.map(|(ticket, _)| ticket)
}

/// Opens a ticket again.
pub fn reopen(
    tx: &mut Transaction<'_>,
    id: RecordId,
    expected: &Expected,
    TicketReopening { reason }: TicketReopening,
) -> Result<(Ticket, Outcome), Error> {
    records::change(tx, id, expected, |tx, before: &Ticket| {
        let after = before.reopen(tx.now())?;
        let after = noted(tx, after, reason)?;
        counted(tx, before, after)
    })
}

/// Passes a ticket on to somebody higher up.
pub fn escalate(
    tx: &mut Transaction<'_>,
    id: RecordId,
    expected: &Expected,
    to: TicketEscalation,
) -> Result<(Ticket, Outcome), Error> {
    records::change(tx, id, expected, |tx, before: &Ticket| {
        let after = before.escalate(&to, tx.now())?;
        let after = noted(tx, after, to.reason)?;
        counted(tx, before, after)
    })
}

/// The ticket with a reason kept as an internal comment.
fn noted(tx: &mut Transaction<'_>, ticket: Ticket, reason: Option<String>) -> Result<Ticket, Error> {
    let Some(body) = reason else { return Ok(ticket) };
    let internal = NewTicketComment {
        body,
        public: false,
        customer_id: None,
    };
    let comment = TicketComment::on(&ticket, internal, tx.now(), tx.actor().id);
    ticket_comments::add(tx, &comment)?;
    Ok(ticket.comment(&comment, tx.now())?)
}

/// Closes a ticket in favour of another one, which takes its comments.
pub fn merge(
    tx: &mut Transaction<'_>,
    id: RecordId,
    expected: &Expected,
    TicketMerger { into }: TicketMerger,
) -> Result<(Ticket, Outcome), Error> {
    let into = RecordId(into.0);
    if !references::exists(tx, Kind::Ticket, into)? {
        return Err(Refusal::fault("/into_ticket_id", "unknown_reference", "there is no such ticket").into());
    }
    records::change(tx, id, expected, |tx, before: &Ticket| {
        let target: Ticket = records::get_for_change(tx, into)?;
        let (source, absorbing) = before.merge(&target, tx.now())?;
        ticket_comments::move_to(tx, before.id(), target.id(), None)?;
        let absorbing = counted(tx, &target, absorbing)?;
        records::save_decided(tx, &target, absorbing)?;
        counted(tx, before, source)
    })
}

/// Makes a new ticket of a comment, which leaves the ticket in which it stood.
pub fn split(
    tx: &mut Transaction<'_>,
    id: RecordId,
    expected: &Expected,
    TicketSplit { comment_id, subject }: TicketSplit,
) -> Result<(Ticket, Outcome), Error> {
    let before: Ticket = records::get_for_change(tx, id)?;
    records::check_version(tx, &before, expected)?;
    let comment = ticket_comments::find(tx, before.id(), comment_id)?;
    let comment = comment.ok_or_else(|| {
        let message = "there is no such comment in the ticket";
        Refusal::fault("/comment_id", "unknown_reference", message)
    })?;
    let (rest, fields) = before.split(&comment, subject);
    let rest = counted(tx, &before, rest)?;
    records::save_decided(tx, &before, rest)?;
    let new: Ticket = records::create_unasked(tx, fields)?;
    ticket_comments::move_to(tx, before.id(), new.id(), Some(comment_id))?;
    records::change(tx, new.meta.id, &Expected::Any, |tx, opened: &Ticket| {
        let begun = opened.comment(&comment, tx.now())?;
        counted(tx, opened, begun)
    })
    .map(|(ticket, _)| (ticket, Outcome::Created))
}

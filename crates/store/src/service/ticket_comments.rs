//! How comments are kept: rows of a ticket, in the order in which they were made.

use crate::{Error, Transaction, records};
use diesel::prelude::*;
use domain::service::ticket_comments::TicketComment;
use domain::service::tickets::Ticket;
use sql::ids::{EventId, RecordId, TicketId};
use sql::schema::ticket_comments;

/// Adds a comment.
pub(crate) fn add(tx: &mut Transaction<'_>, comment: &TicketComment) -> Result<(), Error> {
    diesel::insert_into(ticket_comments::table)
        .values(comment)
        .execute(tx.connection())?;
    Ok(())
}

/// A comment of a ticket.
pub(crate) fn find(tx: &mut Transaction<'_>, ticket: TicketId, id: EventId) -> Result<Option<TicketComment>, Error> {
    let comment = ticket_comments::table.find((tx.tenant(), ticket, id));
    let comment = comment.select(TicketComment::as_select());
    Ok(comment.first(tx.connection()).optional()?)
}

/// A part of the comments of a ticket, the oldest first.
pub fn page(
    tx: &mut Transaction<'_>,
    ticket: RecordId,
    after: Option<EventId>,
    limit: usize,
) -> Result<Vec<TicketComment>, Error> {
    records::get::<Ticket>(tx, ticket)?;
    let after = after.unwrap_or(EventId(uuid::Uuid::nil()));
    let comments = ticket_comments::table
        .filter(ticket_comments::tenant_id.eq(tx.tenant()))
        .filter(ticket_comments::ticket_id.eq(TicketId(ticket.0)))
        .filter(ticket_comments::id.gt(after))
        .order(ticket_comments::id)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(TicketComment::as_select());
    Ok(comments.load(tx.connection())?)
}

/// Moves the comments of a ticket to another one, where they take their place in time: all, or one of them.
pub(crate) fn move_to(
    tx: &mut Transaction<'_>,
    from: TicketId,
    to: TicketId,
    only: Option<EventId>,
) -> Result<(), Error> {
    let tenant = tx.tenant();
    let all = ticket_comments::table
        .filter(ticket_comments::tenant_id.eq(tenant))
        .filter(ticket_comments::ticket_id.eq(from));
    let moved = ticket_comments::ticket_id.eq(to);
    match only {
        Some(id) => diesel::update(all.filter(ticket_comments::id.eq(id)))
            .set(moved)
            .execute(tx.connection())?,
        None => diesel::update(all).set(moved).execute(tx.connection())?,
    };
    Ok(())
}

/// Removes the comments of a ticket.
pub(crate) fn forget(tx: &mut Transaction<'_>, ticket: TicketId) -> Result<(), Error> {
    let all = ticket_comments::table
        .filter(ticket_comments::tenant_id.eq(tx.tenant()))
        .filter(ticket_comments::ticket_id.eq(ticket));
    diesel::delete(all).execute(tx.connection())?;
    Ok(())
}

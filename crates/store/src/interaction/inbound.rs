//! How events of other systems become interactions: each counts once, finds its customer, and goes into the
//! interaction that is open.

use crate::lookups;
use crate::records::{self, Expected, Outcome};
use crate::{Error, Transaction};
use diesel::prelude::*;
use domain::customer::customers::{Customer, CustomerFields};
use domain::interaction::call_events::CallEvent;
use domain::interaction::inbound::CustomerMatch;
use domain::interaction::interactions::{Interaction, InteractionFields, InteractionState};
use domain::interaction::social_events::{SocialEvent, SocialEventType};
use domain::{Fields, Kind, Meta, Refusal};
use sql::Timestamp;
use sql::ids::{CustomerId, RecordId};
use sql::schema::{inbound_events, interactions};

/// Takes in what a telephone system tells.
pub fn receive_call(tx: &mut Transaction<'_>, event: &CallEvent) -> Result<(Interaction, Outcome), Error> {
    once(tx, &event.source, &event.event_id, |tx| {
        let call = lookups::find_by_external_id(tx, Kind::Interaction, &event.source, &event.call_id)?;
        if let Some(id) = call {
            return update(tx, id, |before| event.update(before));
        }
        let customer = customer_by(tx, "phones", event.customer_number(), || event.lead())?;
        create(tx, event.begin(&customer))
    })
}

/// Takes in what a social network tells. A conversation that is over is only told of one that is open.
pub fn receive_social(tx: &mut Transaction<'_>, event: &SocialEvent) -> Result<(Interaction, Outcome), Error> {
    once(tx, &event.source, &event.event_id, |tx| {
        match open_in_thread(tx, &event.thread())? {
            Some(open) if event.fits(&open) => return update(tx, open.meta.id, |before| event.update(before)),
            Some(full) => end(tx, &full, event.occurred_at)?,
            None if event.event_type == SocialEventType::Closed => return Err(Error::NotFound),
            None => {}
        }
        let customer = customer_by(tx, "handles", &event.handle_value(), || event.lead())?;
        create(tx, event.begin(&customer))
    })
}

/// Does something for an event that has not been taken in yet. One that has answers the interaction it went into.
fn once(
    tx: &mut Transaction<'_>,
    source: &str,
    event_id: &str,
    take_in: impl FnOnce(&mut Transaction<'_>) -> Result<(Interaction, Outcome), Error>,
) -> Result<(Interaction, Outcome), Error> {
    let known: Option<RecordId> = inbound_events::table
        .find((tx.tenant(), source, event_id))
        .select(inbound_events::interaction_id)
        .first(tx.connection())
        .optional()?;
    if let Some(id) = known {
        return Ok((records::get(tx, id)?, Outcome::Unchanged));
    }
    let (interaction, outcome) = take_in(tx).map_err(again_if_taken)?;
    let row = (
        inbound_events::tenant_id.eq(tx.tenant()),
        inbound_events::source.eq(source),
        inbound_events::event_id.eq(event_id),
        inbound_events::interaction_id.eq(interaction.meta.id),
        inbound_events::received_at.eq(tx.now()),
    );
    diesel::insert_into(inbound_events::table)
        .values(row)
        .execute(tx.connection())
        .map_err(|error| again_if_taken(error.into()))?;
    Ok((interaction, outcome))
}

/// Two events of a call that come together may both begin it: one of the transactions then starts again and finds it.
fn again_if_taken(error: Error) -> Error {
    match error {
        Error::Refused(Refusal::Conflict {
            code: "already_exists", ..
        }) => Error::start_again(),
        other => other,
    }
}

fn update(
    tx: &mut Transaction<'_>,
    id: RecordId,
    update: impl FnOnce(&Interaction) -> Parts,
) -> Result<(Interaction, Outcome), Error> {
    records::change(tx, id, &Expected::Any, |_, before: &Interaction| {
        let (fields, state) = update(before);
        Ok(Interaction::new(before.meta.clone(), fields.checked()?, state))
    })
}

fn end(tx: &mut Transaction<'_>, full: &Interaction, at: Timestamp) -> Result<(), Error> {
    update(tx, full.meta.id, |before| {
        let ended_at = Some(before.fields.started_at.max(at));
        let fields = InteractionFields {
            ended_at,
            ..before.fields.clone()
        };
        (fields, before.state)
    })
    .map(drop)
}

type Parts = (InteractionFields, InteractionState);

fn create(tx: &mut Transaction<'_>, (fields, state): Parts) -> Result<(Interaction, Outcome), Error> {
    let meta = Meta::new(tx.tenant(), tx.now(), tx.actor().id);
    let interaction = Interaction::new(meta, fields.checked()?, state);
    Ok((records::insert_decided(tx, interaction)?, Outcome::Created))
}

/// The interaction of a conversation that goes on, the latest one.
fn open_in_thread(tx: &mut Transaction<'_>, thread: &str) -> Result<Option<Interaction>, Error> {
    let open: Option<RecordId> = interactions::table
        .filter(interactions::tenant_id.eq(tx.tenant()))
        .filter(interactions::thread.eq(thread))
        .filter(interactions::ended_at.is_null())
        .filter(interactions::deleted_at.is_null())
        .order(interactions::id.desc())
        .select(interactions::id)
        .first(tx.connection())
        .optional()?;
    open.map(|id| records::get(tx, id)).transpose()
}

/// The customer that has a value, the one that was there first; a new lead where there is none.
fn customer_by(
    tx: &mut Transaction<'_>,
    field: &'static str,
    value: &str,
    lead: impl FnOnce() -> CustomerFields,
) -> Result<CustomerMatch, Error> {
    let customer = match lookups::find_by_value::<Customer>(tx, field, value)? {
        Some(customer) => customer,
        None => records::create_unasked::<Customer>(tx, lead())?,
    };
    Ok(CustomerMatch {
        id: CustomerId(customer.meta.id.0),
        owner_id: customer.fields.owner_id,
        team_id: customer.fields.team_id,
    })
}

/// Forgets the events that were received before an instant.
pub(crate) fn forget(tx: &mut Transaction<'_>, before: Timestamp) -> Result<usize, Error> {
    let old = inbound_events::table
        .filter(inbound_events::tenant_id.eq(tx.tenant()))
        .filter(inbound_events::received_at.lt(before));
    Ok(diesel::delete(old).execute(tx.connection())?)
}

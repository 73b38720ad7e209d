//! What the interactions of a customer amount to: how many there are by channel, and when the last one was.
//!
//! A new interaction is added to the figures; any other change counts anew.

use crate::{Error, Transaction, records};
use diesel::dsl::{case_when, count_star, max};
use diesel::prelude::*;
use diesel::upsert::excluded;
use domain::customer::overview::InteractionFigures;
use domain::interaction::interactions::{Channel, Interaction};
use domain::operation::visibility::Visibility;
use sql::ids::{CustomerId, TenantId};
use sql::schema::{customer_activity as activity, interactions};
use sql::{DatabaseConnection, Timestamp, on_either, run_kept};
use std::collections::BTreeMap;

/// The figures of one customer.
#[derive(Debug, Default, Queryable, Selectable, Insertable)]
#[diesel(table_name = activity, treat_none_as_default_value = false)]
struct Figures {
    last_interaction_at: Option<Timestamp>,
    interaction_count: i64,
    call_count: i64,
    email_count: i64,
    meeting_count: i64,
    visit_count: i64,
    chat_count: i64,
    sms_count: i64,
    fax_count: i64,
    web_count: i64,
    social_count: i64,
    note_count: i64,
}

impl Figures {
    fn add(&mut self, channel: Channel, count: i64, last: Option<Timestamp>) {
        self.interaction_count += count;
        self.last_interaction_at = self.last_interaction_at.max(last);
        let of_channel = match channel {
            Channel::Call => &mut self.call_count,
            Channel::Email => &mut self.email_count,
            Channel::Meeting => &mut self.meeting_count,
            Channel::Visit => &mut self.visit_count,
            Channel::Chat => &mut self.chat_count,
            Channel::Sms => &mut self.sms_count,
            Channel::Fax => &mut self.fax_count,
            Channel::Web => &mut self.web_count,
            Channel::Social => &mut self.social_count,
            Channel::Note => &mut self.note_count,
        };
        *of_channel += count;
    }

    fn told(&self) -> InteractionFigures {
        let channels = [
            (Channel::Call, self.call_count),
            (Channel::Email, self.email_count),
            (Channel::Meeting, self.meeting_count),
            (Channel::Visit, self.visit_count),
            (Channel::Chat, self.chat_count),
            (Channel::Sms, self.sms_count),
            (Channel::Fax, self.fax_count),
            (Channel::Web, self.web_count),
            (Channel::Social, self.social_count),
            (Channel::Note, self.note_count),
        ];
        InteractionFigures::of(channels.map(|(channel, count)| (channel, count, self.last_interaction_at)))
    }
}

/// Keeps the figures in step with a change of an interaction.
pub(crate) fn follow(tx: &mut Transaction<'_>, before: &Interaction, after: &Interaction) -> Result<(), Error> {
    let counted = |interaction: &Interaction| {
        let fields = &interaction.fields;
        (
            fields.customer_id,
            fields.channel,
            fields.started_at,
            interaction.meta.deleted_at.is_some(),
        )
    };
    if counted(before) == counted(after) {
        return Ok(());
    }
    count_anew(tx, before.fields.customer_id)?;
    if before.fields.customer_id == after.fields.customer_id {
        return Ok(());
    }
    count_anew(tx, after.fields.customer_id)
}

/// Adds new interactions to the figures of their customers.
pub(crate) fn add(tx: &mut Transaction<'_>, new: &[Interaction]) -> Result<(), Error> {
    let mut by_customer: BTreeMap<CustomerId, Figures> = BTreeMap::new();
    for new in new {
        if let Some(customer) = new.fields.customer_id {
            let figures = by_customer.entry(customer).or_default();
            figures.add(new.fields.channel, 1, Some(new.fields.started_at));
        }
    }
    if by_customer.is_empty() {
        return Ok(());
    }
    let tenant = tx.tenant();
    let rows = by_customer
        .into_iter()
        .map(|(customer, figures)| (key(tenant, customer), figures));
    macro_rules! plus {
        ($($column:ident),+) => {
            ($(activity::$column.eq(activity::$column + excluded(activity::$column))),+)
        };
    }
    macro_rules! added {
        ($rows:expr) => {{
            let (last, new) = (activity::last_interaction_at, excluded(activity::last_interaction_at));
            let later = new.gt(last).or(last.is_null());
            diesel::insert_into(activity::table)
                .values($rows)
                .on_conflict((activity::tenant_id, activity::customer_id))
                .do_update()
                .set((
                    last.eq(case_when(later, new).otherwise(last)),
                    plus!(
                        interaction_count,
                        call_count,
                        email_count,
                        meeting_count,
                        visit_count,
                        chat_count,
                        sms_count,
                        fax_count,
                        web_count,
                        social_count,
                        note_count
                    ),
                ))
        }};
    }
    match tx.connection() {
        DatabaseConnection::Postgres(c) => _ = added!(rows.collect::<Vec<_>>()).execute(c)?,
        DatabaseConnection::Sqlite(c) => {
            for row in rows {
                run_kept!(c, added!(row))?;
            }
        }
    }
    Ok(())
}

/// What the interactions of a customer amount to, as far as the caller may see them.
pub(crate) fn figures(tx: &mut Transaction<'_>, customer: CustomerId) -> Result<InteractionFigures, Error> {
    if tx.scope().visibility == Visibility::All {
        let kept = activity::table
            .find((tx.tenant(), customer))
            .select(Figures::as_select());
        let kept = kept.first(tx.connection()).optional()?;
        return Ok(kept.unwrap_or_default().told());
    }
    let seen = interactions::table
        .filter(interactions::tenant_id.eq(tx.tenant()))
        .filter(interactions::customer_id.eq(customer))
        .filter(records::visible_condition::<Interaction>(tx))
        .group_by(interactions::channel)
        .select((interactions::channel, count_star(), max(interactions::started_at)));
    let seen: Vec<(Channel, i64, Option<Timestamp>)> = seen.load(tx.connection())?;
    Ok(InteractionFigures::of(seen))
}

/// Counts the interactions of a customer.
pub(crate) fn count_anew(tx: &mut Transaction<'_>, customer: Option<CustomerId>) -> Result<(), Error> {
    let Some(customer) = customer else { return Ok(()) };
    let tenant = tx.tenant();
    let by_channel: Vec<(Channel, i64, Option<Timestamp>)> = interactions::table
        .filter(interactions::tenant_id.eq(tenant))
        .filter(interactions::customer_id.eq(customer))
        .filter(interactions::deleted_at.is_null())
        .group_by(interactions::channel)
        .select((interactions::channel, count_star(), max(interactions::started_at)))
        .load(tx.connection())?;
    let mut figures = Figures::default();
    for (channel, count, last) in by_channel {
        figures.add(channel, count, last);
    }
    forget(tx, customer)?;
    on_either!(tx.connection(), |c| diesel::insert_into(activity::table)
        .values((key(tenant, customer), figures))
        .execute(c))?;
    Ok(())
}

/// Removes the figures of a customer.
pub(crate) fn forget(tx: &mut Transaction<'_>, customer: CustomerId) -> Result<(), Error> {
    let tenant = tx.tenant();
    diesel::delete(activity::table.find((tenant, customer))).execute(tx.connection())?;
    Ok(())
}

type Key = (
    diesel::dsl::Eq<activity::tenant_id, TenantId>,
    diesel::dsl::Eq<activity::customer_id, CustomerId>,
);

fn key(tenant: TenantId, customer: CustomerId) -> Key {
    (activity::tenant_id.eq(tenant), activity::customer_id.eq(customer))
}

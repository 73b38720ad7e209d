//! The overview of a customer: what one screen shows of it, and the figures in it.

use crate::customer::customers::Customer;
use crate::customer::documents::Document;
use crate::customer::lifecycle::Lifecycle;
use crate::customer::notes::Note;
use crate::customer::relationships::Relationship;
use crate::interaction::appointments::{Appointment, AppointmentStatus};
use crate::interaction::interactions::{Channel, Interaction};
use crate::interaction::tasks::Task;
use crate::kind::Kind;
use crate::marketing::segments::SegmentKind;
use crate::money::Currency;
use crate::operation::users::User;
use crate::sales::opportunities::Opportunity;
use crate::sales::pipeline_summary::{AmountSummary, AmountTotals};
use crate::sales::stages::OpportunityStatus;
use crate::service::ticket_status::TicketStatus;
use crate::service::tickets::Ticket;
use chrono_tz::Tz;
use serde::Serialize;
use sql::Timestamp;
use sql::ids::{CustomerId, SegmentId};
use std::collections::BTreeMap;
use utoipa::ToSchema;

sql::text_enum! {
    /// A section of an overview, beside the customer itself.
    pub enum OverviewSection {
        /// The user who is responsible for it.
        Owner = "owner",
        /// Its ties to other customers.
        Relationships = "relationships",
        /// What may be sold to it, and what was.
        Opportunities = "opportunities",
        /// Its open matters, and how many there are and were.
        Tickets = "tickets",
        /// The latest contacts with it.
        Interactions = "interactions",
        /// What is to be done for it.
        Tasks = "tasks",
        /// When one meets.
        Appointments = "appointments",
        /// What was written down about it.
        Notes = "notes",
        /// The files that belong to it.
        Documents = "documents",
        /// The segments it is in.
        Segments = "segments",
    }
}

impl OverviewSection {
    /// Records of which kind one must be allowed to read to see it.
    pub const fn about(self) -> Kind {
        match self {
            Self::Owner => Kind::User,
            Self::Relationships => Kind::Relationship,
            Self::Opportunities => Kind::Opportunity,
            Self::Tickets => Kind::Ticket,
            Self::Interactions => Kind::Interaction,
            Self::Tasks => Kind::Task,
            Self::Appointments => Kind::Appointment,
            Self::Notes => Kind::Note,
            Self::Documents => Kind::Document,
            Self::Segments => Kind::Segment,
        }
    }
}

/// What one screen shows of a customer. A section is missing when it was not asked for, or when the caller has not the
/// scope to read its records; each shows and counts only what the caller may see.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CustomerOverview {
    /// The customer.
    pub customer: Customer,
    /// The user who is responsible for it; also missing when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub owner: Option<User>,
    /// Its ties to other customers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub relationships: Option<RelationshipOverview>,
    /// What may be sold to it, and what was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub opportunities: Option<OpportunityOverview>,
    /// Its open matters, and how many there are and were.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tickets: Option<TicketOverview>,
    /// The latest contacts with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub interactions: Option<InteractionOverview>,
    /// What is to be done for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tasks: Option<TaskOverview>,
    /// When one meets.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub appointments: Option<AppointmentOverview>,
    /// What was written down about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub notes: Option<NoteOverview>,
    /// The files that belong to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub documents: Option<DocumentOverview>,
    /// The segments it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub segments: Option<SegmentOverview>,
}

/// The ties of a customer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RelationshipOverview {
    /// The parent company that it has today.
    #[schema(required)]
    pub parent: Option<CustomerTie>,
    /// The latest ties, in both directions.
    pub data: Vec<CustomerTie>,
    /// Whether there are more.
    pub has_more: bool,
}

/// A tie, and who is at its other end.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CustomerTie {
    /// The tie.
    pub relationship: Relationship,
    /// The customer at the other end; null when the caller may not see it.
    #[schema(required)]
    pub customer: Option<CustomerName>,
}

/// What another customer is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CustomerName {
    /// The customer.
    #[schema(value_type = uuid::Uuid)]
    pub id: CustomerId,
    /// What it is called.
    pub name: String,
    /// Where it stands in its lifecycle.
    pub lifecycle: Lifecycle,
}

impl From<&Customer> for CustomerName {
    fn from(customer: &Customer) -> Self {
        Self {
            id: CustomerId(customer.meta.id.0),
            name: customer.fields.name.clone(),
            lifecycle: customer.fields.lifecycle,
        }
    }
}

/// What may be sold to a customer, and what was.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OpportunityOverview {
    /// All that are open, with what they are worth by currency.
    pub open: OpportunityTotals,
    /// All that were won.
    pub won: OpportunityTotals,
    /// All that were lost.
    pub lost: OpportunityTotals,
    /// The open ones that were created last.
    pub data: Vec<Opportunity>,
    /// Whether there are more open ones.
    pub has_more: bool,
}

/// What some opportunities come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct OpportunityTotals {
    /// How many there are.
    #[schema(minimum = 0)]
    pub count: i64,
    /// What they are worth, by currency, also weighted by probability; those without an amount are left out.
    pub amounts: Vec<AmountSummary>,
}

/// The opportunities of a customer that stand alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpportunityShare {
    /// How they stand.
    pub status: OpportunityStatus,
    /// The probability of their stages, in percent.
    pub of_stage: i32,
    /// Their own estimate, if they have one.
    pub probability: Option<i32>,
    /// The currency; none where no amount is known.
    pub currency: Option<Currency>,
    /// How many there are.
    pub count: i64,
    /// The sum of their amounts in minor units.
    pub minor: i128,
}

impl OpportunityTotals {
    /// Of those that stand in a way.
    pub fn of(status: OpportunityStatus, shares: &[OpportunityShare]) -> Self {
        let (mut count, mut totals) = (0, AmountTotals::default());
        for share in shares.iter().filter(|share| share.status == status) {
            count += share.count;
            if let Some(currency) = share.currency {
                let probability = status.probability(share.of_stage, share.probability);
                totals.add(
                    currency,
                    share.count,
                    share.minor,
                    share.minor * i128::from(probability),
                );
            }
        }
        Self {
            count,
            amounts: totals.told(),
        }
    }
}

/// The matters of a customer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TicketOverview {
    /// How many there are of each status; those of which there is none are left out.
    pub by_status: BTreeMap<TicketStatus, i64>,
    /// How many are neither solved nor closed.
    #[schema(minimum = 0)]
    pub open_count: i64,
    /// How many of these have missed a target.
    #[schema(minimum = 0)]
    pub breached_count: i64,
    /// How many tickets the customer has rated.
    #[schema(minimum = 0)]
    pub rated_count: i64,
    /// How content it was on average, from 1 to 5; null while nothing was rated.
    #[schema(minimum = 1, maximum = 5, required)]
    pub satisfaction: Option<f64>,
    /// The open ones, those that are due first before the others.
    pub data: Vec<Ticket>,
    /// Whether there are more open ones.
    pub has_more: bool,
}

/// The tickets of a customer that stand alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketShare {
    /// How they stand.
    pub status: TicketStatus,
    /// Whether they have missed a target.
    pub breached: bool,
    /// How many there are.
    pub count: i64,
    /// How many of them were rated.
    pub rated: i64,
    /// The sum of their ratings.
    pub score: i64,
}

impl TicketOverview {
    /// The figures of all tickets, and some open ones.
    pub fn new(shares: &[TicketShare], data: Vec<Ticket>, has_more: bool) -> Self {
        let mut by_status = BTreeMap::new();
        for share in shares {
            *by_status.entry(share.status).or_default() += share.count;
        }
        let open = || shares.iter().filter(|share| !share.status.is_done());
        let rated_count = shares.iter().map(|share| share.rated).sum();
        Self {
            by_status,
            open_count: open().map(|share| share.count).sum(),
            breached_count: open().filter(|share| share.breached).map(|share| share.count).sum(),
            rated_count,
            satisfaction: mean(shares.iter().map(|share| share.score).sum(), rated_count),
            data,
            has_more,
        }
    }
}

/// A mean with two decimals.
fn mean(sum: i64, count: i64) -> Option<f64> {
    let hundredths = (sum.checked_mul(100)? + count / 2).checked_div(count)?;
    Some(f64::from(i32::try_from(hundredths).ok()?) / 100.0)
}

/// The contacts with a customer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct InteractionOverview {
    /// How many there are and when the last one was.
    #[serde(flatten)]
    pub figures: InteractionFigures,
    /// The latest.
    pub data: Vec<Interaction>,
    /// Whether there are more.
    pub has_more: bool,
}

/// What the interactions of a customer amount to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct InteractionFigures {
    /// How many there are.
    #[schema(minimum = 0)]
    pub count: i64,
    /// When the last one began.
    #[schema(required)]
    pub last_interaction_at: Option<Timestamp>,
    /// How many there are on each channel; channels without any are left out.
    pub by_channel: BTreeMap<Channel, i64>,
}

impl InteractionFigures {
    /// From how many there are on each channel, and when the last of them was.
    pub fn of(channels: impl IntoIterator<Item = (Channel, i64, Option<Timestamp>)>) -> Self {
        let mut figures = Self::default();
        for (channel, count, last) in channels.into_iter().filter(|(_, count, _)| *count > 0) {
            figures.count += count;
            figures.last_interaction_at = figures.last_interaction_at.max(last);
            *figures.by_channel.entry(channel).or_default() += count;
        }
        figures
    }
}

/// What is to be done for a customer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TaskOverview {
    /// The tasks that are neither done nor cancelled, those that are due first before the others.
    pub data: Vec<Task>,
    /// Whether there are more.
    pub has_more: bool,
}

/// When one meets a customer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AppointmentOverview {
    /// The appointments that are not over or cancelled, by when they take place next.
    pub data: Vec<NextAppointment>,
    /// Whether there are more.
    pub has_more: bool,
}

/// An appointment that is to come, or going on.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NextAppointment {
    /// When it starts next, or has started.
    pub next_starts_at: Timestamp,
    /// The appointment.
    pub appointment: Appointment,
}

impl NextAppointment {
    /// The next time that an appointment takes place; none when it does not any more.
    pub fn of(appointment: Appointment, now: Timestamp, zone: Tz) -> Option<Self> {
        if appointment.fields.status == AppointmentStatus::Cancelled {
            return None;
        }
        let next = appointment.fields.series(zone).after(now).next()?;
        let next_starts_at = next.starts_at;
        Some(Self {
            next_starts_at,
            appointment,
        })
    }
}

/// What was written down about a customer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NoteOverview {
    /// The pinned ones before the others, the latest first.
    pub data: Vec<Note>,
    /// Whether there are more.
    pub has_more: bool,
}

/// The documents of a customer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DocumentOverview {
    /// How many there are.
    #[schema(minimum = 0)]
    pub count: i64,
    /// The latest.
    pub data: Vec<Document>,
    /// Whether there are more.
    pub has_more: bool,
}

/// The segments that a customer is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SegmentOverview {
    /// The segments, by name.
    pub data: Vec<SegmentMembership>,
    /// Whether there are more.
    pub has_more: bool,
}

/// A segment that a customer is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, diesel::prelude::Queryable)]
pub struct SegmentMembership {
    /// The segment.
    #[schema(value_type = uuid::Uuid)]
    pub id: SegmentId,
    /// What it is called.
    pub name: String,
    /// How its members are chosen.
    pub kind: SegmentKind,
    /// Since when the customer is in it.
    pub entered_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Money;

    #[test]
    fn open_opportunities_are_weighted_by_their_own_estimate_or_that_of_their_stage() {
        let currency: Currency = "EUR".parse().unwrap();
        let share = |status, probability, currency, count, minor| OpportunityShare {
            status,
            of_stage: 50,
            probability,
            currency,
            count,
            minor,
        };
        let shares = [
            share(OpportunityStatus::Open, None, Some(currency), 2, 10_000),
            share(OpportunityStatus::Open, Some(10), Some(currency), 1, 1_000),
            share(OpportunityStatus::Open, None, None, 4, 0),
            share(OpportunityStatus::Lost, None, Some(currency), 1, 7),
        ];
        let open = OpportunityTotals::of(OpportunityStatus::Open, &shares);
        assert_eq!((open.count, open.amounts.len()), (7, 1));
        assert_eq!(open.amounts[0].count, 3);
        assert_eq!(open.amounts[0].total, Some(Money::from_minor(11_000, currency)));
        assert_eq!(open.amounts[0].weighted, Some(Money::from_minor(5_100, currency)));
        assert_eq!(
            OpportunityTotals::of(OpportunityStatus::Won, &shares),
            OpportunityTotals::default()
        );
    }

    #[test]
    fn tickets_are_counted_by_status_and_their_ratings_averaged() {
        let share = |status, breached, count, rated, score| TicketShare {
            status,
            breached,
            count,
            rated,
            score,
        };
        let shares = [
            share(TicketStatus::Open, true, 2, 0, 0),
            share(TicketStatus::Open, false, 3, 0, 0),
            share(TicketStatus::Closed, true, 4, 3, 14),
        ];
        let overview = TicketOverview::new(&shares, Vec::new(), false);
        assert_eq!((overview.open_count, overview.breached_count), (5, 2));
        assert_eq!(
            overview.by_status,
            BTreeMap::from([(TicketStatus::Open, 5), (TicketStatus::Closed, 4)])
        );
        assert_eq!((overview.rated_count, overview.satisfaction), (3, Some(4.67)));
        assert_eq!(TicketOverview::new(&[], Vec::new(), false).satisfaction, None);
    }

    #[test]
    fn channels_without_interactions_are_left_out() {
        let [early, late] = [1, 2].map(Timestamp::from_micros);
        let figures = InteractionFigures::of([
            (Channel::Call, 2, early),
            (Channel::Fax, 0, None),
            (Channel::Sms, 1, late),
        ]);
        assert_eq!((figures.count, figures.last_interaction_at), (3, late));
        assert_eq!(
            figures.by_channel,
            BTreeMap::from([(Channel::Call, 2), (Channel::Sms, 1)])
        );
    }
}

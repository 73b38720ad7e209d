//! The overview of a customer, in a fixed number of queries: [`MOST_QUERIES`], whatever there is about it.

use crate::filter::{Condition, Page};
use crate::interaction::activity;
use crate::records;
use crate::stored::{Stored, Table};
use crate::{Error, Transaction};
use ::sql::ids::{CustomerId, RecordId};
use ::sql::schema::{opportunities, segment_members, segments, stages, tickets};
use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use domain::customer::customers::Customer;
use domain::customer::documents::Document;
use domain::customer::notes::Note;
use domain::customer::overview::{
    AppointmentOverview, CustomerName, CustomerOverview, CustomerTie, DocumentOverview, InteractionOverview,
    NextAppointment, NoteOverview, OpportunityOverview, OpportunityShare, OpportunityTotals, OverviewSection,
    RelationshipOverview, SegmentMembership, SegmentOverview, TaskOverview, TicketOverview, TicketShare,
};
use domain::customer::relationships::{Relationship, RelationshipRole};
use domain::interaction::appointments::{Appointment, AppointmentStatus};
use domain::interaction::interactions::Interaction;
use domain::interaction::tasks::TaskStatus;
use domain::marketing::segments::Segment;
use domain::money::Currency;
use domain::operation::users::User;
use domain::rule::{Check, Comparison, Operand, Rule, SortKey, Value};
use domain::sales::opportunities::Opportunity;
use domain::sales::stages::OpportunityStatus;
use domain::service::ticket_status::TicketStatus;
use domain::service::tickets::Ticket;
use domain::{Kind, Record};
use std::collections::{BTreeSet, HashMap};

/// The queries of an overview with all its sections, at most. The API document says so too.
pub const MOST_QUERIES: usize = 20;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The sections, of those that the caller may read.
    pub sections: BTreeSet<OverviewSection>,
    /// The most records in each.
    pub limit: usize,
}

/// What one screen shows of a customer.
pub fn overview(tx: &mut Transaction<'_>, id: RecordId, wanted: &Wanted) -> Result<CustomerOverview, Error> {
    let customer: Customer = records::get(tx, id)?;
    let of = Of {
        customer: CustomerId(id.0),
        limit: wanted.limit,
    };
    macro_rules! section {
        ($section:ident, $load:expr) => {
            if wanted.sections.contains(&OverviewSection::$section) {
                Some($load)
            } else {
                None
            }
        };
    }
    Ok(CustomerOverview {
        owner: section!(Owner, owner(tx, &customer)?).flatten(),
        relationships: section!(Relationships, of.relationships(tx)?),
        opportunities: section!(Opportunities, of.opportunities(tx)?),
        tickets: section!(Tickets, of.tickets(tx)?),
        interactions: section!(Interactions, of.interactions(tx)?),
        tasks: section!(Tasks, of.tasks(tx)?),
        appointments: section!(Appointments, of.appointments(tx)?),
        notes: section!(Notes, of.notes(tx)?),
        documents: section!(Documents, of.documents(tx)?),
        segments: section!(Segments, of.segments(tx)?),
        customer,
    })
}

fn owner(tx: &mut Transaction<'_>, customer: &Customer) -> Result<Option<User>, Error> {
    match customer.fields.owner_id {
        Some(owner) => records::find_visible(tx, RecordId(owner.0), false),
        None => Ok(None),
    }
}

/// A field of a kind of record passes a check.
pub(super) fn field(kind: Kind, name: &str, check: Check) -> Result<Rule, Error> {
    Rule::of_field(kind, name, check).ok_or_else(|| Error::Internal(format!("a {kind} has no field {name}")))
}

/// A field compares with a value.
pub(super) fn compares(kind: Kind, name: &str, how: Comparison, value: Value) -> Result<Rule, Error> {
    field(kind, name, Check::Compare(how, Operand::Value(value)))
}

/// A key to sort by.
pub(super) fn key(kind: Kind, name: &str, descending: bool) -> Result<SortKey, Error> {
    let field = kind.registry().field(name);
    let field = field.ok_or_else(|| Error::Internal(format!("a {kind} has no field {name}")))?;
    Ok(SortKey { field, descending })
}

fn texts(values: impl IntoIterator<Item = &'static str>) -> Check {
    Check::In(values.into_iter().map(|text| Value::Text(text.to_owned())).collect())
}

/// Whose overview it is, and how much of it.
#[derive(Clone, Copy)]
struct Of {
    customer: CustomerId,
    limit: usize,
}

impl Of {
    /// That a field names the customer.
    fn named_by(self, kind: Kind, field: &str) -> Result<Rule, Error> {
        compares(kind, field, Comparison::Equal, Value::Id(RecordId(self.customer.0)))
    }

    /// That records are of the customer and may be seen.
    fn condition<R: Stored>(self, tx: &Transaction<'_>) -> Result<Condition, Error> {
        let its = self.named_by(R::KIND, "customer_id")?;
        Ok(records::visible_condition::<R>(tx).with_rule(Some(&its)))
    }

    /// The first records that name the customer in a field and pass rules, in the order of some fields, and whether
    /// there are more.
    fn first<R: Stored>(
        self,
        tx: &mut Transaction<'_>,
        names: &str,
        rules: Vec<Rule>,
        order: &[(&str, bool)],
    ) -> Result<(Vec<R>, bool), Error> {
        let its = self.named_by(R::KIND, names)?;
        let sort = order.iter().map(|(name, descending)| key(R::KIND, name, *descending));
        let page = Page {
            rule: Some(Rule::All(std::iter::once(its).chain(rules).collect())),
            sort: sort.collect::<Result<_, _>>()?,
            limit: i64::try_from(self.limit).unwrap_or(i64::MAX - 1) + 1,
            kept: true,
            ..Page::default()
        };
        let mut found = records::page::<R>(tx, &page)?;
        let has_more = found.len() > self.limit;
        found.truncate(self.limit);
        Ok((found, has_more))
    }

    fn relationships(self, tx: &mut Transaction<'_>) -> Result<RelationshipOverview, Error> {
        let latest = [("id", true)];
        let (mut ties, more_from) = self.first::<Relationship>(tx, "from_id", Vec::new(), &latest)?;
        let (to, more_to) = self.first::<Relationship>(tx, "to_id", Vec::new(), &latest)?;
        ties.extend(to);
        ties.sort_by_key(|tie| std::cmp::Reverse(tie.meta.id));
        let has_more = more_from || more_to || ties.len() > self.limit;
        ties.truncate(self.limit);

        let role = texts([RelationshipRole::ParentCompany.as_str()]);
        let parents = vec![
            field(Kind::Relationship, "role", role)?,
            holds("started_on", Comparison::LessOrEqual, tx)?,
            holds("ended_on", Comparison::GreaterOrEqual, tx)?,
        ];
        let one = Self { limit: 1, ..self };
        let (parents, _) = one.first::<Relationship>(tx, "from_id", parents, &latest)?;

        let names = self.others(tx, ties.iter().chain(&parents))?;
        let tie = |relationship: Relationship| CustomerTie {
            customer: names.get(&self.other_end(&relationship)).cloned(),
            relationship,
        };
        Ok(RelationshipOverview {
            parent: parents.into_iter().next().map(tie),
            data: ties.into_iter().map(tie).collect(),
            has_more,
        })
    }

    fn other_end(self, tie: &Relationship) -> CustomerId {
        if tie.fields.from_id == self.customer {
            tie.fields.to_id
        } else {
            tie.fields.from_id
        }
    }

    /// The customers at the other ends of ties, as far as the caller may see them.
    fn others<'a>(
        self,
        tx: &mut Transaction<'_>,
        ties: impl Iterator<Item = &'a Relationship>,
    ) -> Result<HashMap<CustomerId, CustomerName>, Error> {
        let ids: BTreeSet<RecordId> = ties.map(|tie| RecordId(self.other_end(tie).0)).collect();
        // PostgreSQL has no list of nothing.
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<RecordId> = ids.into_iter().collect();
        let (tenant, visible) = (tx.tenant(), records::visible_condition::<Customer>(tx));
        let found = Customer::find_many(tx.connection(), tenant, &ids, visible)?;
        let named = found.iter().map(CustomerName::from);
        Ok(named.map(|name| (name.id, name)).collect())
    }

    fn opportunities(self, tx: &mut Transaction<'_>) -> Result<OpportunityOverview, Error> {
        let shares = self.opportunity_shares(tx)?;
        let open = texts([OpportunityStatus::Open.as_str()]);
        let open = vec![field(Kind::Opportunity, "status", open)?];
        let (data, has_more) = self.first(tx, "customer_id", open, &[("created_at", true), ("id", true)])?;
        let totals = |status| OpportunityTotals::of(status, &shares);
        Ok(OpportunityOverview {
            open: totals(OpportunityStatus::Open),
            won: totals(OpportunityStatus::Won),
            lost: totals(OpportunityStatus::Lost),
            data,
            has_more,
        })
    }

    fn opportunity_shares(self, tx: &mut Transaction<'_>) -> Result<Vec<OpportunityShare>, Error> {
        type Row = (
            OpportunityStatus,
            i32,
            Option<i32>,
            Option<Currency>,
            i64,
            Option<i64>,
            Option<i64>,
        );
        let alike = (
            opportunities::status,
            stages::probability,
            opportunities::probability,
            opportunities::amount_currency,
        );
        let its_stage = stages::tenant_id
            .eq(opportunities::tenant_id)
            .and(stages::id.eq(opportunities::stage_id));
        let rows = opportunities::table
            .inner_join(stages::table.on(its_stage))
            .filter(opportunities::tenant_id.eq(tx.tenant()))
            .filter(self.condition::<Opportunity>(tx)?)
            .group_by(alike)
            .select((
                opportunities::status,
                stages::probability,
                opportunities::probability,
                opportunities::amount_currency,
                count_star(),
                // Amounts are added in two parts: the sum of many large ones would not fit 64 bits.
                sql::<Nullable<BigInt>>("CAST(SUM(opportunities.amount_minor / 1000000) AS bigint)"),
                sql::<Nullable<BigInt>>("CAST(SUM(opportunities.amount_minor % 1000000) AS bigint)"),
            ))
            .load::<Row>(tx.connection())?;
        let share = |(status, of_stage, probability, currency, count, millions, rest): Row| OpportunityShare {
            status,
            of_stage,
            probability,
            currency,
            count,
            minor: i128::from(millions.unwrap_or(0)) * 1_000_000 + i128::from(rest.unwrap_or(0)),
        };
        Ok(rows.into_iter().map(share).collect())
    }

    fn tickets(self, tx: &mut Transaction<'_>) -> Result<TicketOverview, Error> {
        let shares = self.ticket_shares(tx)?;
        let open = TicketStatus::ALL.iter().filter(|status| !status.is_done());
        let open = vec![field(Kind::Ticket, "status", texts(open.map(TicketStatus::as_str)))?];
        let (data, has_more) = self.first::<Ticket>(tx, "customer_id", open, &[("due_at", false), ("id", false)])?;
        Ok(TicketOverview::new(&shares, data, has_more))
    }

    fn ticket_shares(self, tx: &mut Transaction<'_>) -> Result<Vec<TicketShare>, Error> {
        type Row = (TicketStatus, bool, i64, i64, Option<i64>);
        let rows = tickets::table
            .filter(tickets::tenant_id.eq(tx.tenant()))
            .filter(self.condition::<Ticket>(tx)?)
            .group_by((tickets::status, tickets::breached))
            .select((
                tickets::status,
                tickets::breached,
                count_star(),
                sql::<BigInt>("COUNT(progress ->> 'satisfaction_score')"),
                sql::<Nullable<BigInt>>("CAST(SUM(CAST(progress ->> 'satisfaction_score' AS bigint)) AS bigint)"),
            ))
            .load::<Row>(tx.connection())?;
        let share = |(status, breached, count, rated, score): Row| TicketShare {
            status,
            breached,
            count,
            rated,
            score: score.unwrap_or(0),
        };
        Ok(rows.into_iter().map(share).collect())
    }

    fn interactions(self, tx: &mut Transaction<'_>) -> Result<InteractionOverview, Error> {
        let figures = activity::figures(tx, self.customer)?;
        let latest = [("started_at", true), ("id", true)];
        let (data, has_more) = self.first::<Interaction>(tx, "customer_id", Vec::new(), &latest)?;
        Ok(InteractionOverview {
            figures,
            data,
            has_more,
        })
    }

    fn tasks(self, tx: &mut Transaction<'_>) -> Result<TaskOverview, Error> {
        let open = TaskStatus::ALL.iter().filter(|status| !status.is_closed());
        let rules = vec![
            // Says again what the status says, because the index has it.
            field(Kind::Task, "done_at", Check::Missing)?,
            field(Kind::Task, "status", texts(open.map(TaskStatus::as_str)))?,
        ];
        let (data, has_more) = self.first(tx, "customer_id", rules, &[("deadline_at", false), ("id", false)])?;
        Ok(TaskOverview { data, has_more })
    }

    fn appointments(self, tx: &mut Transaction<'_>) -> Result<AppointmentOverview, Error> {
        let (now, zone) = (tx.now(), tx.scope().tenant.time_zone.0);
        let kind = Kind::Appointment;
        let goes_on = Comparison::GreaterOrEqual;
        let not_over = Rule::Any(vec![
            field(kind, "last_ends_at", Check::Missing)?,
            compares(kind, "last_ends_at", goes_on, Value::Instant(now))?,
        ]);
        let held = AppointmentStatus::ALL.iter().copied();
        let held = held.filter(|status| *status != AppointmentStatus::Cancelled);
        let rules = vec![
            not_over,
            field(kind, "status", texts(held.map(|status| status.as_str())))?,
        ];
        // Those that recur may come after others that started later, so more are looked at than are shown.
        let many = Self {
            limit: self.limit.max(100),
            ..self
        };
        let (found, cut) = many.first(tx, "customer_id", rules, &[("first_starts_at", false), ("id", false)])?;
        let next = found.into_iter();
        let mut data: Vec<_> = next
            .filter_map(|appointment: Appointment| NextAppointment::of(appointment, now, zone))
            .collect();
        data.sort_by_key(|next| (next.next_starts_at, next.appointment.meta.id));
        let has_more = cut || data.len() > self.limit;
        data.truncate(self.limit);
        Ok(AppointmentOverview { data, has_more })
    }

    fn notes(self, tx: &mut Transaction<'_>) -> Result<NoteOverview, Error> {
        let is_pinned = |pinned| compares(Kind::Note, "pinned", Comparison::Equal, Value::Bool(pinned));
        let latest = [("created_at", true), ("id", true)];
        let (mut data, mut has_more) = self.first::<Note>(tx, "subject.id", vec![is_pinned(true)?], &latest)?;
        let (others, more) = self.first(tx, "subject.id", vec![is_pinned(false)?], &latest)?;
        data.extend(others);
        has_more |= more || data.len() > self.limit;
        data.truncate(self.limit);
        Ok(NoteOverview { data, has_more })
    }

    fn documents(self, tx: &mut Transaction<'_>) -> Result<DocumentOverview, Error> {
        let (data, has_more) = self.first::<Document>(tx, "subject.id", Vec::new(), &[("id", true)])?;
        let its = Page {
            rule: Some(self.named_by(Kind::Document, "subject.id")?),
            kept: true,
            ..Page::default()
        };
        Ok(DocumentOverview {
            count: records::count::<Document>(tx, &its)?,
            data,
            has_more,
        })
    }

    fn segments(self, tx: &mut Transaction<'_>) -> Result<SegmentOverview, Error> {
        let its_segment = segments::tenant_id
            .eq(segment_members::tenant_id)
            .and(segments::id.eq(segment_members::segment_id));
        let mut data: Vec<SegmentMembership> = segment_members::table
            .inner_join(segments::table.on(its_segment))
            .filter(segment_members::tenant_id.eq(tx.tenant()))
            .filter(segment_members::customer_id.eq(self.customer))
            .filter(records::visible_condition::<Segment>(tx))
            .order((segments::name, segments::id))
            .limit(i64::try_from(self.limit).unwrap_or(i64::MAX - 1) + 1)
            .select((
                segments::id,
                segments::name,
                segments::kind,
                segment_members::entered_at,
            ))
            .load(tx.connection())?;
        let has_more = data.len() > self.limit;
        data.truncate(self.limit);
        Ok(SegmentOverview { data, has_more })
    }
}

/// That a tie has no day of this name, or one that compares so with today.
fn holds(day: &str, how: Comparison, tx: &Transaction<'_>) -> Result<Rule, Error> {
    let kind = Relationship::KIND;
    Ok(Rule::Any(vec![
        field(kind, day, Check::Missing)?,
        compares(kind, day, how, Value::Date(tx.today()))?,
    ]))
}

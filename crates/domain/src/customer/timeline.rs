//! The timeline of a customer: what the log tells of it and of its matters, and what its records tell of themselves,
//! in one order. Each thing is told once: a record tells that it began, the log what became of it.

use crate::kind::Kind;
use crate::record::RecordLink;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sql::Timestamp;
use sql::ids::{PrincipalId, RecordId};
use utoipa::ToSchema;

sql::text_enum! {
    /// What an entry of a timeline is about.
    ///
    /// | kind | tells | at |
    /// | --- | --- | --- |
    /// | lifecycle | that the customer was created, and each move along its lifecycle, with the reason | the move |
    /// | customer | other changes of the customer and of those merged into it, and the merges, from the log | the change |
    /// | segment | that it entered or left a segment, from the log | the change |
    /// | interaction | each interaction of the customer | its start |
    /// | ticket | each ticket, when it was created; from the log: solved, closed, reopened, escalated, merged, rated, `sla_breached` | that moment |
    /// | opportunity | each opportunity, when it was created; from the log: moved, won, lost, reopened | that moment |
    /// | note | each note about the customer | when it was written |
    /// | task | each task that is done | when it was done |
    /// | appointment | each appointment; those to come stand first | its first start |
    pub enum TimelineKind {
        /// Moves along the lifecycle.
        Lifecycle = "lifecycle",
        /// Changes of the customer itself.
        Customer = "customer",
        /// Segments entered and left.
        Segment = "segment",
        /// Interactions.
        Interaction = "interaction",
        /// Tickets and what became of them.
        Ticket = "ticket",
        /// Opportunities and what became of them.
        Opportunity = "opportunity",
        /// Notes.
        Note = "note",
        /// Tasks that were done.
        Task = "task",
        /// Appointments.
        Appointment = "appointment",
    }
}

/// How the records of a kind tell that they began.
#[derive(Debug, Clone, Copy)]
pub struct Telling {
    /// The kind of record.
    pub kind: Kind,
    /// What the entry is called.
    pub event: &'static str,
    /// The field that names the customer.
    pub customer: &'static str,
    /// The field that says when.
    pub at: &'static str,
    /// The members that the entry shows.
    pub shows: &'static [&'static str],
}

impl TimelineKind {
    /// Records of which kind one must be allowed to read to be told of it.
    pub const fn about(self) -> Kind {
        match self {
            Self::Lifecycle | Self::Customer => Kind::Customer,
            Self::Segment => Kind::Segment,
            Self::Interaction => Kind::Interaction,
            Self::Ticket => Kind::Ticket,
            Self::Opportunity => Kind::Opportunity,
            Self::Note => Kind::Note,
            Self::Task => Kind::Task,
            Self::Appointment => Kind::Appointment,
        }
    }

    /// The events of the log that are told.
    pub const fn events(self) -> &'static [&'static str] {
        match self {
            Self::Customer => &[
                "customer.updated",
                "customer.restored",
                "customer.merged",
                "customer.unmerged",
            ],
            Self::Segment => &["segment.entered", "segment.left"],
            Self::Ticket => &[
                "ticket.merged",
                "ticket.reopened",
                "ticket.closed",
                "ticket.solved",
                "ticket.escalated",
                "ticket.rated",
                "ticket.sla_breached",
            ],
            Self::Opportunity => &[
                "opportunity.moved",
                "opportunity.won",
                "opportunity.lost",
                "opportunity.reopened",
            ],
            Self::Lifecycle | Self::Interaction | Self::Note | Self::Task | Self::Appointment => &[],
        }
    }

    /// The records that tell of themselves.
    pub fn records(self) -> Option<Telling> {
        let of = |event, at, shows| Telling {
            kind: self.about(),
            event,
            customer: "customer_id",
            at,
            shows,
        };
        Some(match self {
            Self::Interaction => of(
                "interaction.started",
                "started_at",
                &[
                    "channel",
                    "direction",
                    "outcome",
                    "sentiment",
                    "ended_at",
                    "duration_seconds",
                ],
            ),
            Self::Ticket => of(
                "ticket.created",
                "created_at",
                &["number", "type", "status", "priority"],
            ),
            Self::Opportunity => of("opportunity.created", "created_at", &["amount", "status", "stage_id"]),
            Self::Note => Telling {
                customer: "subject.id",
                ..of("note.created", "created_at", &["pinned"])
            },
            Self::Task => of("task.completed", "done_at", &["kind", "priority", "deadline_at"]),
            Self::Appointment => of(
                "appointment.started",
                "first_starts_at",
                &[
                    "starts_at",
                    "ends_at",
                    "starts_on",
                    "ends_on",
                    "location",
                    "status",
                    "recurrence",
                ],
            ),
            Self::Lifecycle | Self::Customer | Self::Segment => return None,
        })
    }

    /// The kind of entry that an event of the log is.
    pub fn of_event(event: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.events().contains(&event))
    }
}

/// Whether timelines tell of an event of the log.
pub fn is_told(event: &str) -> bool {
    TimelineKind::of_event(event).is_some()
}

/// What happened to a customer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TimelineEntry {
    /// Names the entry: the record that tells it, or the event of the log. Unique in the timeline.
    #[schema(value_type = uuid::Uuid)]
    pub id: RecordId,
    /// What it is about.
    pub kind: TimelineKind,
    /// What happened.
    #[schema(examples("ticket.solved"))]
    pub event: String,
    /// When.
    pub occurred_at: Timestamp,
    /// The record it happened to.
    pub subject: RecordLink,
    /// What that record is called; the first 200 characters.
    pub title: String,
    /// The user or service account that did it; null for the service itself.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub actor_id: Option<PrincipalId>,
    /// More of it: some members of the record as it is now; from the log, the members that changed, each with its value
    /// before and after; of a move along the lifecycle, `from_stage`, `to_stage` and `reason`.
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    pub data: Map<String, Value>,
}

/// Where an entry stands in a timeline, which begins with the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place(pub Timestamp, pub RecordId);

impl TimelineEntry {
    /// Where it stands.
    pub const fn place(&self) -> Place {
        Place(self.occurred_at, self.id)
    }
}

/// The characters of a title.
const TITLE: usize = 200;

/// A title, or its beginning.
pub fn shortened(title: &str) -> String {
    title.chars().take(TITLE).collect()
}

/// What the log tells beyond what other entries tell: a move along the lifecycle has an entry of its own.
pub fn without_lifecycle(mut changes: Map<String, Value>) -> Map<String, Value> {
    changes.retain(|name, _| name != "lifecycle" && name != "lifecycle_since");
    changes
}

/// A page of what several sources have together, the greatest place first, and whether more follows. Each source gives
/// what it has after the place where the page begins, from its greatest on: all, or `limit + 1` at least.
pub fn page_of<T>(sources: Vec<Vec<T>>, limit: usize, place: impl Fn(&T) -> Place) -> (Vec<T>, bool) {
    let mut all: Vec<T> = sources.into_iter().flatten().collect();
    all.sort_by_key(|entry| std::cmp::Reverse(place(entry)));
    let has_more = all.len() > limit;
    all.truncate(limit);
    (all, has_more)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn an_event_is_of_one_kind_and_no_record_tells_what_the_log_tells() {
        let events = || TimelineKind::ALL.iter().flat_map(|kind| kind.events());
        let distinct: BTreeSet<_> = events().collect();
        assert_eq!(distinct.len(), events().count());
        for kind in TimelineKind::ALL {
            if let Some(telling) = kind.records() {
                assert!(!is_told(telling.event), "{kind}");
                let registry = telling.kind.registry();
                assert!(registry.field(telling.customer).is_some(), "{kind}");
                assert!(registry.field(telling.at).is_some(), "{kind}");
            }
        }
        assert_eq!(TimelineKind::of_event("segment.left"), Some(TimelineKind::Segment));
        assert_eq!(TimelineKind::of_event("ticket.created"), None);
    }

    #[test]
    fn titles_are_cut_between_characters() {
        assert_eq!(shortened("Ærø"), "Ærø");
        assert_eq!(shortened(&"é".repeat(300)).chars().count(), TITLE);
    }

    fn place(second: i64, number: u128) -> Place {
        let at = Timestamp::from_micros(second * 1_000_000).unwrap();
        Place(at, RecordId(uuid::Uuid::from_u128(number)))
    }

    /// What a source gives after a place: no more than it is asked for.
    fn asked(source: &[Place], after: Option<Place>, most: usize) -> Vec<Place> {
        let mut rest: Vec<Place> = source
            .iter()
            .copied()
            .filter(|place| after.is_none_or(|after| *place < after))
            .collect();
        rest.sort_by_key(|place| std::cmp::Reverse(*place));
        rest.truncate(most);
        rest
    }

    proptest! {
        #[test]
        fn paging_through_equals_sorting_everything(
            seconds in prop::collection::vec(prop::collection::vec(0..6_i64, 0..20), 0..5),
            limit in 1..7_usize,
        ) {
            let mut number = 0;
            let sources: Vec<Vec<Place>> = seconds.iter().map(|source| {
                source.iter().map(|second| { number += 1; place(*second, number) }).collect()
            }).collect();
            let mut expected: Vec<Place> = sources.iter().flatten().copied().collect();
            expected.sort_by_key(|place| std::cmp::Reverse(*place));

            let mut paged = Vec::new();
            loop {
                let after = paged.last().copied();
                let given = sources.iter().map(|source| asked(source, after, limit + 1)).collect();
                let (page, has_more) = page_of(given, limit, |place| *place);
                prop_assert_eq!(has_more, paged.len() + page.len() < expected.len());
                paged.extend(page);
                if !has_more {
                    break;
                }
            }
            prop_assert_eq!(paged, expected);
        }
    }
}

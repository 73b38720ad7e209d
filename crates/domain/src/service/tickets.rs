//! Tickets: matters that customers bring. How they move is in `ticket_moves`, by when they must in `ticket_clocks`.

use crate::fault::Fault;
use crate::kind::Kind;
use crate::record::{Fields, Meta, Record, Reference};
use crate::registry::{Field, FieldType, Registry, Relation};
use crate::service::clocks::Clock;
use crate::service::ticket_parts::{Complaint, TicketChannel, TicketLink, TicketPriority, TicketType};
use crate::service::ticket_status::TicketStatus;
use crate::validation::{check_count, check_unique};
use crate::{common_fields, record_parts, settable, written_whole};
use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};
use serde::{Deserialize, Serialize};
use sql::ids::{CustomerId, RecordId, TicketId, UserId};
use sql::{Json, Timestamp};
use utoipa::ToSchema;
use uuid::Uuid;

settable! {
    /// What a client may set on a ticket.
    pub struct TicketFields in tickets {
        /// What it is about, in a line.
        #[validate(length(min = 1, max = 200))]
        #[schema(min_length = 1, max_length = 200, examples("Parcel has not arrived"))]
        pub subject: String,
        /// What it is about, at length.
        #[validate(length(max = 20000))]
        #[schema(max_length = 20000)]
        pub description: Option<String>,
        /// What kind of matter it is.
        #[serde(rename = "type", default = "question")]
        #[diesel(column_name = kind)]
        #[schema(default = "question")]
        pub kind: TicketType,
        /// How it stands.
        #[serde(default = "new")]
        #[schema(default = "new")]
        pub status: TicketStatus,
        /// How much it presses.
        #[serde(default = "normal")]
        #[schema(default = "normal")]
        pub priority: TicketPriority,
        /// The queue in which it waits for somebody to take it.
        #[validate(length(min = 1, max = 100))]
        #[schema(min_length = 1, max_length = 100, examples("returns"))]
        pub queue: Option<String>,
        /// Who works on it.
        #[schema(value_type = Option<uuid::Uuid>)]
        pub assignee_id: Option<UserId>,
        /// The customer whose matter it is.
        #[schema(value_type = Option<uuid::Uuid>)]
        pub customer_id: Option<CustomerId>,
        /// The person who brought it, where that is somebody else, such as an employee of the customer.
        #[schema(value_type = Option<uuid::Uuid>)]
        pub requester_id: Option<CustomerId>,
        /// The way by which it came in.
        pub channel: Option<TicketChannel>,
        /// The users who want to know how it goes on.
        #[serde(default)]
        #[schema(value_type = HashSet<uuid::Uuid>, max_items = 50)]
        pub watcher_ids: Json<Vec<UserId>>,
        /// The records that it is tied to.
        #[serde(default)]
        #[schema(value_type = HashSet<TicketLink>, max_items = 100)]
        pub links: Json<Vec<TicketLink>>,
        /// What a complaint is about; for tickets of type `complaint` only.
        #[serde(default)]
        #[schema(value_type = Complaint)]
        pub complaint: Json<Complaint>,
    }
}

const fn question() -> TicketType {
    TicketType::Question
}

const fn new() -> TicketStatus {
    TicketStatus::New
}

const fn normal() -> TicketPriority {
    TicketPriority::Normal
}

impl Fields for TicketFields {
    common_fields!();

    fn add_faults(&self, faults: &mut Vec<Fault>) {
        check_count("/watcher_ids", self.watcher_ids.len(), 50, faults);
        check_unique("/watcher_ids", self.watcher_ids.iter(), faults);
        check_count("/links", self.links.len(), 100, faults);
        check_unique("/links", self.links.iter(), faults);
        for (index, link) in self.links.iter().enumerate() {
            link.check(index, faults);
        }
        self.complaint.add_faults(self.kind, faults);
    }
}

/// What has happened to a ticket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct TicketProgress {
    /// The policy of service levels that was chosen.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub sla_policy_id: Option<RecordId>,
    /// The clock towards the first public answer.
    pub first_response: Option<Clock>,
    /// The clock towards the next public answer after something that the customer said.
    pub next_response: Option<Clock>,
    /// The clock towards the solution.
    pub resolution: Option<Clock>,
    /// When a user first answered in public.
    pub first_responded_at: Option<Timestamp>,
    /// Since when something that the customer said awaits an answer.
    pub unanswered_since: Option<Timestamp>,
    /// When it was solved.
    pub solved_at: Option<Timestamp>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// How often it was opened again.
    #[schema(minimum = 0)]
    pub reopened_count: i64,
    /// How many comments there are.
    #[schema(minimum = 0)]
    pub comment_count: i64,
    /// How often it was passed on to somebody higher up.
    #[schema(minimum = 0)]
    pub escalation_level: i64,
    /// When it was passed on last.
    pub escalated_at: Option<Timestamp>,
    /// The ticket that it was merged into.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub merged_into_id: Option<RecordId>,
    /// How many tickets were merged into it.
    #[schema(minimum = 0)]
    pub merged_count: i64,
    /// Of a complaint: how many earlier ones there were of the same customer, in the same category or of the same cause.
    #[schema(minimum = 0)]
    pub earlier_complaints: Option<i64>,
    /// How content the customer is, from 1, not at all, to 5.
    #[schema(minimum = 1, maximum = 5)]
    pub satisfaction_score: Option<i64>,
    /// What the customer says about it.
    pub satisfaction_comment: Option<String>,
    /// When the customer said so.
    pub satisfaction_at: Option<Timestamp>,
}

/// What the service derives about a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sql::schema::tickets, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct TicketState {
    /// A short number for people, unique in the tenant. Numbers may be left out.
    #[schema(minimum = 1, examples(1042))]
    pub number: i64,
    /// When the next of its targets is missed; null while no clock runs.
    pub due_at: Option<Timestamp>,
    /// When an answer is due, the first or the next one.
    pub response_due_at: Option<Timestamp>,
    /// When the solution is due.
    pub resolution_due_at: Option<Timestamp>,
    /// Whether a target has ever been missed.
    pub breached: bool,
    /// What has happened to it.
    #[serde(flatten, serialize_with = "Json::serialize_value")]
    #[schema(value_type = TicketProgress)]
    pub progress: Json<TicketProgress>,
}

written_whole!(TicketState);

/// A matter that a customer brings.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, Queryable)]
pub struct Ticket {
    /// What the service keeps.
    #[serde(flatten)]
    pub meta: Meta,
    /// What a client set.
    #[serde(flatten)]
    pub fields: TicketFields,
    /// What the service derives.
    #[serde(flatten)]
    pub state: TicketState,
}

impl Ticket {
    /// The id, as other records name it.
    pub const fn id(&self) -> TicketId {
        TicketId(self.meta.id.0)
    }
}

/// A field kept in the column of what has happened.
const fn happened(name: &'static str, field_type: FieldType) -> Field {
    Field::json(name, "progress", name, field_type)
}

/// The fields of a ticket.
pub const REGISTRY: Registry = Registry {
    kind: Kind::Ticket,
    plural: "tickets",
    table: "tickets",
    fields: &[
        Field::text("subject").required(),
        Field::text("description"),
        Field::choice("type", TicketType::TEXTS).required().in_column("kind"),
        Field::choice("status", TicketStatus::TEXTS).required().indexed(),
        Field::choice("priority", TicketPriority::TEXTS).required().indexed(),
        Field::text("queue").indexed(),
        Field::reference("assignee_id", Kind::User),
        Field::reference("customer_id", Kind::Customer),
        Field::reference("requester_id", Kind::Customer),
        Field::choice("channel", TicketChannel::TEXTS),
        Field::list("watcher_ids"),
        Field::list("links"),
        Field::json("complaint.category", "complaint", "category", FieldType::Text),
        Field::json("complaint.root_cause", "complaint", "root_cause", FieldType::Text),
        Field::new("number", FieldType::Integer).required().sortable().indexed(),
        Field::new("due_at", FieldType::Instant).sortable().indexed(),
        Field::new("response_due_at", FieldType::Instant).sortable().indexed(),
        Field::new("resolution_due_at", FieldType::Instant).sortable().indexed(),
        Field::new("breached", FieldType::Bool).required().indexed(),
        happened("sla_policy_id", FieldType::Id),
        happened("first_responded_at", FieldType::Instant),
        happened("unanswered_since", FieldType::Instant),
        happened("solved_at", FieldType::Instant),
        happened("closed_at", FieldType::Instant),
        happened("reopened_count", FieldType::Integer),
        happened("comment_count", FieldType::Integer),
        happened("escalation_level", FieldType::Integer),
        happened("escalated_at", FieldType::Instant),
        happened("merged_into_id", FieldType::Id),
        happened("merged_count", FieldType::Integer),
        happened("earlier_complaints", FieldType::Integer),
        happened("satisfaction_score", FieldType::Integer),
        happened("satisfaction_at", FieldType::Instant),
    ],
    relations: &[
        Relation::one("customer", Kind::Customer, "customer_id"),
        Relation::one("requester", Kind::Customer, "requester_id"),
        Relation::one("assignee", Kind::User, "assignee_id"),
    ],
    owned: true,
};

impl Record for Ticket {
    record_parts!(TicketFields);
    const KIND: Kind = Kind::Ticket;

    fn title(&self) -> &str {
        &self.fields.subject
    }

    fn values(&self) -> Vec<(&'static str, Vec<String>)> {
        let watchers = self.fields.watcher_ids.iter();
        let mut links: Vec<String> = self.fields.links.iter().map(|link| link.to.to_string()).collect();
        links.sort_unstable();
        links.dedup();
        vec![
            ("watcher_ids", watchers.map(ToString::to_string).collect()),
            ("links", links),
        ]
    }

    fn references(&self) -> Vec<Reference> {
        let fields = &self.fields;
        let reference = |pointer: String, kind, id: Uuid| Reference {
            pointer,
            kind,
            id: RecordId(id),
        };
        let single = [
            ("/assignee_id", Kind::User, fields.assignee_id.map(Uuid::from)),
            ("/customer_id", Kind::Customer, fields.customer_id.map(Uuid::from)),
            ("/requester_id", Kind::Customer, fields.requester_id.map(Uuid::from)),
        ];
        let single = single
            .into_iter()
            .filter_map(|(pointer, kind, id)| Some(reference(pointer.to_owned(), kind, id?)));
        let watchers = fields.watcher_ids.iter().enumerate();
        let watchers = watchers.map(|(index, id)| reference(format!("/watcher_ids/{index}"), Kind::User, id.0));
        let links = fields.links.iter().enumerate();
        let links = links.map(|(index, link)| link.to.reference(format!("/links/{index}/to/id")));
        single.chain(watchers).chain(links).collect()
    }
}

//! Tasks: what somebody is to do, by when. How they come due and recur is in `task_progress`.

use crate::fault::Fault;
use crate::interaction::recurrence::Recurrence;
use crate::kind::Kind;
use crate::locale::TimeZone;
use crate::record::{Fields, Meta, Record, RecordLink, Reference};
use crate::registry::{Field, FieldType, Registry, Relation};
use crate::validation::{check_count, check_unique};
use crate::{common_fields, record_parts, settable, written_whole};
use chrono::{Datelike, NaiveDate};
use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};
use serde::Serialize;
use sql::ids::{CustomerId, TaskId};
use sql::{Json, Timestamp};
use utoipa::ToSchema;

sql::text_enum! {
    /// What a task asks for.
    pub enum TaskKind {
        /// Anything to do.
        ToDo = "to_do",
        /// To call somebody.
        Call = "call",
        /// To write an e-mail.
        Email = "email",
        /// To write a letter.
        Letter = "letter",
        /// To prepare or hold a meeting.
        Meeting = "meeting",
        /// To visit somebody.
        Visit = "visit",
    }
}

sql::text_enum! {
    /// How much a task matters.
    pub enum TaskPriority {
        /// It can wait.
        Low = "low",
        /// As most do.
        Normal = "normal",
        /// More than most.
        High = "high",
        /// Before everything else.
        Urgent = "urgent",
    }
}

sql::text_enum! {
    /// How a task stands.
    pub enum TaskStatus {
        /// To be done.
        Open = "open",
        /// Begun.
        InProgress = "in_progress",
        /// Done.
        Done = "done",
        /// No longer to be done.
        Cancelled = "cancelled",
    }
}

impl TaskStatus {
    /// Whether nothing is left to do.
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled)
    }
}

settable! {
    /// What a client may set on a task. Its owner is who is to do it.
    pub struct TaskFields in tasks {
        /// What is to be done, in a line.
        #[validate(length(min = 1, max = 200))]
        #[schema(min_length = 1, max_length = 200, examples("Call back about the offer"))]
        pub subject: String,
        /// What is to be done, in full.
        #[validate(length(max = 10000))]
        #[schema(max_length = 10000)]
        pub description: Option<String>,
        /// What it asks for.
        #[serde(default = "to_do")]
        #[schema(default = "to_do")]
        pub kind: TaskKind,
        /// How much it matters.
        #[serde(default = "normal")]
        #[schema(default = "normal")]
        pub priority: TaskPriority,
        /// How it stands. To complete, cancel or reopen a task is to change this; the events say which it was.
        #[serde(default = "open")]
        #[schema(default = "open")]
        pub status: TaskStatus,
        /// The day by whose end it is to be done, where no time is set.
        pub due_on: Option<NaiveDate>,
        /// The instant by which it is to be done; instead of `due_on`.
        pub due_at: Option<Timestamp>,
        /// The zone of the days and clock times by which it recurs; that of the tenant when left out.
        pub time_zone: Option<TimeZone>,
        /// When to remind the owner: the event `task.reminded` is raised once, soon after this instant.
        pub remind_at: Option<Timestamp>,
        /// How it recurs. Completing it opens the next one, which is due at the next time after this one was due.
        pub recurrence: Option<Recurrence>,
        /// The customer it is about.
        #[schema(value_type = Option<uuid::Uuid>)]
        pub customer_id: Option<CustomerId>,
        /// The task of the same series before this one. It is set when a recurring task is completed.
        #[schema(value_type = Option<uuid::Uuid>)]
        pub previous_task_id: Option<TaskId>,
        /// Other records that it is about. The filter field `links` finds them as `opportunity:{id}`.
        #[serde(default)]
        #[schema(value_type = HashSet<RecordLink>, max_items = 50)]
        pub links: Json<Vec<RecordLink>>,
    }
}

const fn to_do() -> TaskKind {
    TaskKind::ToDo
}

const fn normal() -> TaskPriority {
    TaskPriority::Normal
}

const fn open() -> TaskStatus {
    TaskStatus::Open
}

/// The years in which tasks and appointments may lie, so that also what recurs for a century stays in the calendar.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2199;

/// That days and instants lie in the years that calendars hold.
pub(crate) fn check_years(years: &[(&str, Option<i32>)], faults: &mut Vec<Fault>) {
    for (pointer, year) in years {
        if year.is_some_and(|year| !YEARS.contains(&year)) {
            let message = format!("must be in the years {} to {}", YEARS.start(), YEARS.end());
            faults.push(Fault::new(*pointer, "out_of_range", message));
        }
    }
}

/// The year of an instant.
pub(crate) fn year_of(instant: Option<Timestamp>) -> Option<i32> {
    instant.map(|instant| instant.utc().year())
}

impl Fields for TaskFields {
    common_fields!();

    fn add_faults(&self, faults: &mut Vec<Fault>) {
        check_years(
            &[
                ("/due_on", self.due_on.map(|day| day.year())),
                ("/due_at", year_of(self.due_at)),
                ("/remind_at", year_of(self.remind_at)),
            ],
            faults,
        );
        check_count("/links", self.links.len(), 50, faults);
        check_unique("/links", self.links.iter(), faults);
        if self.due_on.is_some() && self.due_at.is_some() {
            faults.push(Fault::new("/due_on", "conflict", "must be left out: due_at is given"));
        }
        if self.recurrence.is_some() && self.due_on.is_none() && self.due_at.is_none() {
            faults.push(Fault::new(
                "/due_on",
                "required",
                "is required, or due_at: the task recurs",
            ));
        }
    }
}

/// What the service derives about a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sql::schema::tasks, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct TaskState {
    /// When it was completed.
    pub done_at: Option<Timestamp>,
    /// The instant by which it is to be done: `due_at`, or the end of `due_on` in its time zone.
    pub deadline_at: Option<Timestamp>,
    /// Whether it is not closed though it should be. The event `task.overdue` tells of it, soon after it was due.
    pub overdue: bool,
    /// When the reminder is still to come.
    pub next_reminder_at: Option<Timestamp>,
    /// When something happens to it by itself: it is reminded of or becomes overdue.
    #[serde(skip)]
    pub wakes_at: Option<Timestamp>,
}

written_whole!(TaskState);

/// Something that somebody is to do.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, Queryable)]
pub struct Task {
    /// What the service keeps.
    #[serde(flatten)]
    pub meta: Meta,
    /// What a client set.
    #[serde(flatten)]
    pub fields: TaskFields,
    /// What the service derives.
    #[serde(flatten)]
    pub state: TaskState,
}

/// The fields of a task.
pub const REGISTRY: Registry = Registry {
    kind: Kind::Task,
    plural: "tasks",
    table: "tasks",
    fields: &[
        Field::text("subject").required().sortable().indexed(),
        Field::choice("kind", TaskKind::TEXTS).required(),
        Field::choice("priority", TaskPriority::TEXTS).required(),
        Field::choice("status", TaskStatus::TEXTS).required().indexed(),
        Field::new("due_on", FieldType::Date),
        Field::new("due_at", FieldType::Instant),
        Field::new("deadline_at", FieldType::Instant).sortable().indexed(),
        Field::new("overdue", FieldType::Bool).required().indexed(),
        Field::new("remind_at", FieldType::Instant),
        Field::new("next_reminder_at", FieldType::Instant),
        Field::text("recurrence"),
        Field::new("done_at", FieldType::Instant).sortable().indexed(),
        Field::list("links"),
        Field::reference("customer_id", Kind::Customer),
        Field::reference("previous_task_id", Kind::Task),
    ],
    relations: &[
        Relation::one("customer", Kind::Customer, "customer_id"),
        Relation::one("previous_task", Kind::Task, "previous_task_id"),
    ],
    owned: true,
};

impl Record for Task {
    record_parts!(TaskFields);
    const KIND: Kind = Kind::Task;

    fn title(&self) -> &str {
        &self.fields.subject
    }

    fn values(&self) -> Vec<(&'static str, Vec<String>)> {
        vec![("links", self.fields.links.iter().map(ToString::to_string).collect())]
    }

    fn references(&self) -> Vec<Reference> {
        let TaskFields {
            customer_id,
            previous_task_id,
            links,
            ..
        } = &self.fields;
        let reference = |pointer: &str, kind, id: uuid::Uuid| Reference {
            pointer: pointer.to_owned(),
            kind,
            id: id.into(),
        };
        let customer = customer_id.map(|id| reference("/customer_id", Kind::Customer, id.0));
        let previous = previous_task_id.map(|id| reference("/previous_task_id", Kind::Task, id.0));
        let links = links
            .iter()
            .enumerate()
            .map(|(index, link)| link.reference(format!("/links/{index}/id")));
        customer.into_iter().chain(previous).chain(links).collect()
    }
}

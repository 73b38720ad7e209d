//! Appointments: when people meet, where, and who takes part. When each takes place is in `appointment_times`.

use crate::fault::Fault;
use crate::interaction::attendees::{Attendee, AttendeeResponse, check_attendees};
use crate::interaction::recurrence::Recurrence;
use crate::interaction::tasks::{check_years, year_of};
use crate::kind::Kind;
use crate::locale::TimeZone;
use crate::record::{Fields, Meta, Record, RecordLink, Reference};
use crate::registry::{Field, FieldType, Registry, Relation};
use crate::validation::{check_count, check_unique};
use crate::{common_fields, record_parts, settable, written_whole};
use chrono::{Datelike, NaiveDate, TimeDelta};
use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};
use serde::{Deserialize, Serialize};
use sql::ids::{CustomerId, UserId};
use sql::{Json, Timestamp};
use utoipa::ToSchema;
use uuid::Uuid;

sql::text_enum! {
    /// How an appointment stands.
    pub enum AppointmentStatus {
        /// It may be changed yet.
        Tentative = "tentative",
        /// It takes place.
        Confirmed = "confirmed",
        /// It does not take place.
        Cancelled = "cancelled",
    }
}

sql::text_enum! {
    /// Whether an appointment takes the time of those who take part.
    pub enum ShowAs {
        /// They have no time for anything else.
        Busy = "busy",
        /// They have.
        Free = "free",
    }
}

settable! {
    /// What a client may set on an appointment: from `starts_at` to `ends_at`, or on whole days from `starts_on` to
    /// `ends_on`. Its owner takes part, unless the participants say otherwise.
    pub struct AppointmentFields in appointments {
        /// What it is about, in a line.
        #[validate(length(min = 1, max = 200))]
        #[schema(min_length = 1, max_length = 200, examples("Demonstration at the customer's"))]
        pub subject: String,
        /// What it is about, in full.
        #[validate(length(max = 10000))]
        #[schema(max_length = 10000)]
        pub description: Option<String>,
        /// Where it is: a place, or the address of a call.
        #[validate(length(min = 1, max = 500))]
        #[schema(min_length = 1, max_length = 500, examples("Room 4"))]
        pub location: Option<String>,
        /// When it starts.
        #[schema(examples("2026-01-31T09:30:00Z"))]
        pub starts_at: Option<Timestamp>,
        /// When it ends; later, and within a year.
        #[schema(examples("2026-01-31T10:30:00Z"))]
        pub ends_at: Option<Timestamp>,
        /// The first day, where it takes whole days.
        pub starts_on: Option<NaiveDate>,
        /// The last day, where it takes whole days; not before the first, and within a year.
        pub ends_on: Option<NaiveDate>,
        /// The zone of the clocks by which it recurs and of its whole days; that of the tenant when left out.
        pub time_zone: Option<TimeZone>,
        /// How it stands.
        #[serde(default = "confirmed")]
        #[schema(default = "confirmed")]
        pub status: AppointmentStatus,
        /// Whether it takes the time of those who take part.
        #[serde(default = "busy")]
        #[schema(default = "busy")]
        pub show_as: ShowAs,
        /// Who takes part, each once.
        #[serde(default)]
        #[schema(value_type = HashSet<Attendee>, max_items = 200)]
        pub participants: Json<Vec<Attendee>>,
        /// How many minutes before each start the event `appointment.reminded` is raised.
        #[serde(default)]
        #[schema(value_type = HashSet<ReminderMinutes>, max_items = 5)]
        pub reminders: Json<Vec<i32>>,
        /// How it recurs. The start is the first occurrence; the others have its time of day in its time zone.
        pub recurrence: Option<Recurrence>,
        /// The days on which it does not take place though the recurrence says so.
        #[serde(default)]
        #[schema(value_type = HashSet<NaiveDate>, max_items = 366)]
        pub except_on: Json<Vec<NaiveDate>>,
        /// The customer it is about.
        #[schema(value_type = Option<uuid::Uuid>)]
        pub customer_id: Option<CustomerId>,
        /// Other records that it is about. The filter field `links` finds them as `opportunity:{id}`.
        #[serde(default)]
        #[schema(value_type = HashSet<RecordLink>, max_items = 50)]
        pub links: Json<Vec<RecordLink>>,
    }
}

/// Minutes before a start; the type that documents such a number.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(value_type = i32, minimum = 0, maximum = 40320, examples(15))]
pub struct ReminderMinutes(pub i32);

/// Four weeks.
const EARLIEST_REMINDER: i32 = 40_320;
/// Days that one occurrence may last.
const LONGEST: i64 = 366;

const fn confirmed() -> AppointmentStatus {
    AppointmentStatus::Confirmed
}

const fn busy() -> ShowAs {
    ShowAs::Busy
}

impl AppointmentFields {
    fn check_times(&self, faults: &mut Vec<Fault>) {
        let missing = |pointer: &str| Fault::new(pointer, "required", "is required: the other end is given");
        let order = |pointer: &str| {
            Fault::new(
                pointer,
                "out_of_range",
                "must be later than the start, and within 366 days",
            )
        };
        match (self.starts_at, self.ends_at) {
            (Some(start), Some(end)) => {
                let length = end.utc() - start.utc();
                if length <= TimeDelta::zero() || length > TimeDelta::days(LONGEST) {
                    faults.push(order("/ends_at"));
                }
            }
            (Some(_), None) => faults.push(missing("/ends_at")),
            (None, Some(_)) => faults.push(missing("/starts_at")),
            (None, None) if self.starts_on.is_none() && self.ends_on.is_none() => {
                let message = "is required, with ends_at; or starts_on and ends_on";
                faults.push(Fault::new("/starts_at", "required", message));
            }
            (None, None) => {}
        }
        match (self.starts_on, self.ends_on) {
            (Some(first), Some(last)) if last < first || (last - first).num_days() >= LONGEST => {
                faults.push(order("/ends_on"));
            }
            (Some(_), None) => faults.push(missing("/ends_on")),
            (None, Some(_)) => faults.push(missing("/starts_on")),
            _ => {}
        }
        let is_timed = self.starts_at.is_some() || self.ends_at.is_some();
        if is_timed && self.starts_on.is_some() {
            faults.push(Fault::new(
                "/starts_on",
                "conflict",
                "must be left out: times are given",
            ));
        }
    }
}

impl Fields for AppointmentFields {
    common_fields!();

    fn normalise(&mut self, _before: Option<&Self>, _faults: &mut Vec<Fault>) {
        self.except_on.sort_unstable();
    }

    fn add_faults(&self, faults: &mut Vec<Fault>) {
        self.check_times(faults);
        check_years(
            &[
                ("/starts_at", year_of(self.starts_at)),
                ("/ends_at", year_of(self.ends_at)),
                ("/starts_on", self.starts_on.map(|day| day.year())),
                ("/ends_on", self.ends_on.map(|day| day.year())),
            ],
            faults,
        );
        check_attendees(&self.participants, faults);
        check_count("/reminders", self.reminders.len(), 5, faults);
        check_unique("/reminders", self.reminders.iter(), faults);
        for (index, minutes) in self.reminders.iter().enumerate() {
            if !(0..=EARLIEST_REMINDER).contains(minutes) {
                let message = format!("must be from 0 to {EARLIEST_REMINDER}");
                faults.push(Fault::new(format!("/reminders/{index}"), "out_of_range", message));
            }
        }
        check_count("/except_on", self.except_on.len(), 366, faults);
        check_unique("/except_on", self.except_on.iter(), faults);
        check_count("/links", self.links.len(), 50, faults);
        check_unique("/links", self.links.iter(), faults);
        if self.recurrence.is_none() && !self.except_on.is_empty() {
            faults.push(Fault::new(
                "/except_on",
                "conflict",
                "must be left out: it does not recur",
            ));
        }
    }
}

/// What the service derives about an appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sql::schema::appointments, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct AppointmentState {
    /// When it starts for the first time.
    pub first_starts_at: Timestamp,
    /// When its last occurrence has ended; null when it recurs without end.
    pub last_ends_at: Option<Timestamp>,
    /// When the next reminder comes.
    pub next_reminder_at: Option<Timestamp>,
}

written_whole!(AppointmentState);

/// A time at which people meet.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, Queryable)]
pub struct Appointment {
    /// What the service keeps.
    #[serde(flatten)]
    pub meta: Meta,
    /// What a client set.
    #[serde(flatten)]
    pub fields: AppointmentFields,
    /// What the service derives.
    #[serde(flatten)]
    pub state: AppointmentState,
}

/// The fields of an appointment.
pub const REGISTRY: Registry = Registry {
    kind: Kind::Appointment,
    plural: "appointments",
    table: "appointments",
    fields: &[
        Field::text("subject").required().sortable().indexed(),
        Field::text("location"),
        Field::choice("status", AppointmentStatus::TEXTS).required(),
        Field::choice("show_as", ShowAs::TEXTS).required(),
        Field::new("starts_at", FieldType::Instant),
        Field::new("ends_at", FieldType::Instant),
        Field::new("starts_on", FieldType::Date),
        Field::new("ends_on", FieldType::Date),
        Field::new("first_starts_at", FieldType::Instant)
            .required()
            .sortable()
            .indexed(),
        Field::new("last_ends_at", FieldType::Instant).sortable().indexed(),
        Field::new("next_reminder_at", FieldType::Instant).indexed(),
        Field::text("recurrence"),
        Field::list("user_ids"),
        Field::list("customer_ids"),
        Field::list("links"),
        Field::reference("customer_id", Kind::Customer),
    ],
    relations: &[Relation::one("customer", Kind::Customer, "customer_id")],
    owned: true,
};

/// The list of the users who have not declined, its owner among them, in `record_values`.
pub const USERS: &str = "user_ids";

impl Appointment {
    /// The users who take part and have not declined: the owner, unless listed otherwise, and the others.
    pub fn users(&self) -> Vec<UserId> {
        let fields = &self.fields;
        let is_listed = |user: &UserId| fields.participants.iter().any(|one| one.user_id == Some(*user));
        let owner = fields.owner_id.filter(|owner| !is_listed(owner));
        let coming = fields
            .participants
            .iter()
            .filter(|one| one.response != AttendeeResponse::Declined);
        owner.into_iter().chain(coming.filter_map(|one| one.user_id)).collect()
    }

    /// The customer whom it is about, and those who take part.
    fn customers(&self) -> impl Iterator<Item = CustomerId> + '_ {
        let guests = self.fields.participants.iter().filter_map(|one| one.customer_id);
        self.fields.customer_id.into_iter().chain(guests)
    }
}

impl Record for Appointment {
    record_parts!(AppointmentFields);
    const KIND: Kind = Kind::Appointment;

    fn title(&self) -> &str {
        &self.fields.subject
    }

    fn search_texts(&self) -> Vec<&str> {
        let location = self.fields.location.as_deref();
        std::iter::once(self.title()).chain(location).collect()
    }

    fn values(&self) -> Vec<(&'static str, Vec<String>)> {
        vec![
            (USERS, self.users().iter().map(ToString::to_string).collect()),
            ("customer_ids", self.customers().map(|id| id.to_string()).collect()),
            ("links", self.fields.links.iter().map(ToString::to_string).collect()),
        ]
    }

    fn references(&self) -> Vec<Reference> {
        let fields = &self.fields;
        let reference = |pointer: String, kind, id: Uuid| Reference {
            pointer,
            kind,
            id: id.into(),
        };
        let customer = fields.customer_id;
        let customer = customer.map(|id| reference("/customer_id".to_owned(), Kind::Customer, id.0));
        let participants = fields.participants.iter().enumerate().flat_map(|(index, one)| {
            let at = |name: &str| format!("/participants/{index}/{name}");
            let customer = one
                .customer_id
                .map(|id| reference(at("customer_id"), Kind::Customer, id.0));
            let user = one.user_id.map(|id| reference(at("user_id"), Kind::User, id.0));
            customer.into_iter().chain(user)
        });
        let links = fields.links.iter().enumerate();
        let links = links.map(|(index, link)| link.reference(format!("/links/{index}/id")));
        customer.into_iter().chain(participants).chain(links).collect()
    }
}

//! Interactions: calls, e-mails, meetings, visits, chats, posts, each with who took part and what came of it.

use super::participants::{Participant, check_participants};
use crate::customer::contact_points::check_network;
use crate::fault::Fault;
use crate::kind::Kind;
use crate::record::{Fields, Meta, Record, RecordLink, Reference};
use crate::registry::{Field, FieldType, Registry, Relation};
use crate::validation::{check_count, check_unique, invalid};
use crate::{common_fields, record_parts, settable, written_whole};
use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};
use serde::Serialize;
use sql::ids::CustomerId;
use sql::{Json, Timestamp};
use std::collections::BTreeSet;
use utoipa::ToSchema;
use validator::ValidationError;

sql::text_enum! {
    /// By what means an interaction takes place.
    pub enum Channel {
        /// By telephone.
        Call = "call",
        /// By e-mail.
        Email = "email",
        /// At a meeting, in one place or by video.
        Meeting = "meeting",
        /// At the customer's.
        Visit = "visit",
        /// In a chat.
        Chat = "chat",
        /// By SMS.
        Sms = "sms",
        /// By fax.
        Fax = "fax",
        /// On a web site.
        Web = "web",
        /// In a social network.
        Social = "social",
        /// Written down only.
        Note = "note",
    }
}

sql::text_enum! {
    /// Which way an interaction goes.
    pub enum Direction {
        /// From the customer to us.
        Inbound = "inbound",
        /// From us to the customer.
        Outbound = "outbound",
        /// Among us.
        Internal = "internal",
    }
}

sql::text_enum! {
    /// What came of an interaction.
    pub enum InteractionOutcome {
        /// It brought something forward.
        Productive = "productive",
        /// It did not.
        Unproductive = "unproductive",
        /// Nobody answered.
        NoAnswer = "no_answer",
        /// The line was engaged.
        Busy = "busy",
        /// A message was left.
        Voicemail = "voicemail",
        /// The message came back.
        Bounced = "bounced",
        /// It was called off.
        Cancelled = "cancelled",
    }
}

sql::text_enum! {
    /// How the customer felt.
    pub enum Sentiment {
        /// Very dissatisfied.
        VeryNegative = "very_negative",
        /// Dissatisfied.
        Negative = "negative",
        /// Neither.
        Neutral = "neutral",
        /// Satisfied.
        Positive = "positive",
        /// Very satisfied.
        VeryPositive = "very_positive",
    }
}

/// Characters of what was said or written at most.
pub(super) const MOST_BODY: usize = 50_000;

settable! {
    /// What a client may set on an interaction.
    pub struct InteractionFields in interactions {
        /// By what means it takes place.
        pub channel: Channel,
        /// Which way it goes.
        pub direction: Option<Direction>,
        /// The customer it is with; further ones stand among the participants.
        #[schema(value_type = Option<uuid::Uuid>)]
        pub customer_id: Option<CustomerId>,
        /// What it is about, in a line.
        #[validate(length(min = 1, max = 255))]
        #[schema(min_length = 1, max_length = 255, examples("Question about the March invoice"))]
        pub subject: Option<String>,
        /// What was said or written.
        #[validate(length(max = 50000))]
        #[schema(max_length = 50000)]
        pub body: Option<String>,
        /// When it began.
        pub started_at: Timestamp,
        /// When it ended, not before it began; missing for as long as it goes on.
        pub ended_at: Option<Timestamp>,
        /// What came of it.
        pub outcome: Option<InteractionOutcome>,
        /// How the customer felt.
        pub sentiment: Option<Sentiment>,
        /// Names the conversation it is a part of.
        #[validate(length(min = 1, max = 255))]
        #[schema(min_length = 1, max_length = 255, examples("<20260131.4711@mail.example.com>"))]
        pub thread: Option<String>,
        /// The social network, in lower case.
        #[validate(custom(function = "check_network"))]
        #[schema(pattern = "^[a-z0-9_]{1,32}$", examples("linkedin"))]
        pub network: Option<String>,
        /// The customer's name in the social network.
        #[validate(length(min = 1, max = 100))]
        #[schema(min_length = 1, max_length = 100, examples("adalovelace"))]
        pub handle: Option<String>,
        /// Where it can be read or heard.
        #[validate(length(min = 1, max = 2000), custom(function = "check_url"))]
        #[schema(min_length = 1, max_length = 2000, pattern = "^https?://", examples("https://example.com/recordings/4711"))]
        pub url: Option<String>,
        /// Who takes part.
        #[serde(default)]
        #[schema(value_type = HashSet<Participant>, max_items = 100)]
        pub participants: Json<Vec<Participant>>,
        /// The records it has to do with.
        #[serde(default)]
        #[schema(value_type = HashSet<RecordLink>, max_items = 50)]
        pub links: Json<Vec<RecordLink>>,
    }
}

/// That a text is the address of something on the web.
pub(super) fn check_url(url: &str) -> Result<(), ValidationError> {
    if url.starts_with("https://") || url.starts_with("http://") {
        Ok(())
    } else {
        Err(invalid("invalid_format", "must begin with https:// or http://"))
    }
}

impl Fields for InteractionFields {
    common_fields!();

    fn add_faults(&self, faults: &mut Vec<Fault>) {
        if self.ended_at.is_some_and(|end| end < self.started_at) {
            faults.push(Fault::new("/ended_at", "out_of_range", "must not be before started_at"));
        }
        check_participants(&self.participants, faults);
        check_count("/links", self.links.len(), 50, faults);
        check_unique("/links", self.links.iter(), faults);
    }
}

/// What the service derives about an interaction.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema, Queryable, Selectable, Insertable, AsChangeset,
)]
#[diesel(table_name = sql::schema::interactions, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct InteractionState {
    /// When a call was answered, where a telephone system told it.
    pub answered_at: Option<Timestamp>,
    /// How many whole seconds it lasted; missing for as long as it goes on.
    pub duration_seconds: Option<i64>,
    /// How many messages a social network brought into it.
    #[schema(minimum = 0)]
    pub message_count: i64,
}

written_whole!(InteractionState);

/// One contact with a customer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, Queryable)]
pub struct Interaction {
    /// What the service keeps.
    #[serde(flatten)]
    pub meta: Meta,
    /// What a client set.
    #[serde(flatten)]
    pub fields: InteractionFields,
    /// What the service derives.
    #[serde(flatten)]
    pub state: InteractionState,
}

impl Interaction {
    /// An interaction of checked fields; `state` is what is known beside them.
    pub fn new(meta: Meta, fields: InteractionFields, state: InteractionState) -> Self {
        let length = fields.ended_at.map(|end| end.utc() - fields.started_at.utc());
        let state = InteractionState {
            duration_seconds: length.map(|length| length.num_seconds()),
            ..state
        };
        Self { meta, fields, state }
    }

    /// Whether it still goes on.
    pub const fn is_open(&self) -> bool {
        self.fields.ended_at.is_none()
    }
}

/// The fields of an interaction. `customer_ids` and `user_ids` hold those of all participants, and `links` the linked
/// records as `opportunity:<id>`.
pub const REGISTRY: Registry = Registry {
    kind: Kind::Interaction,
    plural: "interactions",
    table: "interactions",
    fields: &[
        Field::choice("channel", Channel::TEXTS).required(),
        Field::choice("direction", Direction::TEXTS),
        Field::reference("customer_id", Kind::Customer),
        Field::text("subject"),
        Field::text("body"),
        Field::new("started_at", FieldType::Instant)
            .required()
            .sortable()
            .indexed(),
        Field::new("ended_at", FieldType::Instant),
        Field::choice("outcome", InteractionOutcome::TEXTS),
        Field::choice("sentiment", Sentiment::TEXTS),
        Field::text("thread").indexed(),
        Field::text("network"),
        Field::text("handle"),
        Field::new("answered_at", FieldType::Instant),
        Field::new("duration_seconds", FieldType::Integer),
        Field::new("message_count", FieldType::Integer).required(),
        Field::list("customer_ids"),
        Field::list("user_ids"),
        Field::list("links"),
    ],
    relations: &[Relation::one("customer", Kind::Customer, "customer_id")],
    owned: true,
};

impl Record for Interaction {
    record_parts!(InteractionFields);
    const KIND: Kind = Kind::Interaction;

    fn title(&self) -> &str {
        self.fields.subject.as_deref().unwrap_or(self.fields.channel.as_str())
    }

    fn search_texts(&self) -> Vec<&str> {
        let fields = &self.fields;
        let own = [&fields.subject, &fields.handle].into_iter().flatten();
        let addresses = fields.participants.iter().filter_map(|who| who.address.as_ref());
        own.chain(addresses).map(String::as_str).collect()
    }

    fn values(&self) -> Vec<(&'static str, Vec<String>)> {
        let participants = &self.fields.participants;
        let customers = participants.iter().filter_map(|who| who.customer_id);
        let customers: BTreeSet<_> = customers.map(|id| id.to_string()).collect();
        let users: BTreeSet<_> = participants
            .iter()
            .filter_map(|who| who.user_id)
            .map(|id| id.to_string())
            .collect();
        vec![
            ("customer_ids", customers.into_iter().collect()),
            ("user_ids", users.into_iter().collect()),
            ("links", self.fields.links.iter().map(ToString::to_string).collect()),
        ]
    }

    fn references(&self) -> Vec<Reference> {
        let of = |pointer: String, kind, id: uuid::Uuid| Reference {
            pointer,
            kind,
            id: id.into(),
        };
        let fields = &self.fields;
        let customer = fields
            .customer_id
            .map(|id| of("/customer_id".to_owned(), Kind::Customer, id.0));
        let participants = fields.participants.iter().enumerate().flat_map(|(index, who)| {
            let at = |member: &str| format!("/participants/{index}/{member}");
            let customer = who.customer_id.map(|id| of(at("customer_id"), Kind::Customer, id.0));
            let user = who.user_id.map(|id| of(at("user_id"), Kind::User, id.0));
            customer.into_iter().chain(user)
        });
        let links = fields
            .links
            .iter()
            .enumerate()
            .map(|(index, link)| link.reference(format!("/links/{index}/id")));
        customer.into_iter().chain(participants).chain(links).collect()
    }
}

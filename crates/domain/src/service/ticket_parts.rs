//! What stands inside a ticket: its type and priority, what it is tied to, and what a complaint is about.

use crate::fault::Fault;
use crate::kind::Kind;
use crate::money::{Money, MoneyText};
use crate::record::RecordLink;
use crate::validation::faults_of;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

sql::text_enum! {
    /// What kind of matter a ticket is about.
    pub enum TicketType {
        /// Somebody wants to know something.
        Question = "question",
        /// Something does not work.
        Incident = "incident",
        /// The cause of several incidents.
        Problem = "problem",
        /// Something is to be done.
        Task = "task",
        /// A customer is not content.
        Complaint = "complaint",
    }
}

sql::text_enum! {
    /// How much a matter presses.
    pub enum TicketPriority {
        /// When there is time.
        Low = "low",
        /// As usual.
        Normal = "normal",
        /// Before others.
        High = "high",
        /// At once.
        Urgent = "urgent",
    }
}

sql::text_enum! {
    /// The way by which a matter came in.
    pub enum TicketChannel {
        /// E-mail.
        Email = "email",
        /// A phone call.
        Phone = "phone",
        /// A chat.
        Chat = "chat",
        /// A text message.
        Sms = "sms",
        /// A message in a social network.
        Social = "social",
        /// A form on a web site, or an app.
        Web = "web",
        /// A letter.
        Post = "post",
        /// A visit.
        Visit = "visit",
    }
}

sql::text_enum! {
    /// How a ticket is tied to another record.
    pub enum TicketLinkKind {
        /// Somehow.
        RelatesTo = "relates_to",
        /// It is about the same matter as the other ticket.
        Duplicates = "duplicates",
        /// It is the cause of the other ticket.
        Causes = "causes",
        /// It carries on from the other ticket.
        Follows = "follows",
    }
}

/// A tie of a ticket to another record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TicketLink {
    /// How they are tied; all but `relates_to` tie tickets to tickets.
    #[serde(default = "relates_to")]
    #[schema(default = "relates_to")]
    pub kind: TicketLinkKind,
    /// The other record.
    pub to: RecordLink,
}

const fn relates_to() -> TicketLinkKind {
    TicketLinkKind::RelatesTo
}

impl TicketLink {
    /// A tie to another ticket.
    pub const fn to_ticket(kind: TicketLinkKind, id: sql::ids::RecordId) -> Self {
        Self {
            kind,
            to: RecordLink { kind: Kind::Ticket, id },
        }
    }

    pub(super) fn check(self, index: usize, faults: &mut Vec<Fault>) {
        if self.kind != TicketLinkKind::RelatesTo && self.to.kind != Kind::Ticket {
            let message = "must be ticket, or the kind of the link relates_to";
            faults.push(Fault::new(format!("/links/{index}/to/type"), "invalid_choice", message));
        }
    }
}

sql::text_enum! {
    /// What is done to make up for what a customer complains about.
    pub enum RedressKind {
        /// An apology.
        Apology = "apology",
        /// Money is paid back.
        Refund = "refund",
        /// Money is credited.
        Credit = "credit",
        /// Less is to be paid.
        Discount = "discount",
        /// What is wrong is replaced.
        Replacement = "replacement",
        /// What is wrong is repaired.
        Repair = "repair",
        /// Damage is paid for.
        Compensation = "compensation",
        /// Anything else.
        Other = "other",
    }
}

/// What is done to make up for what a customer complains about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Redress {
    /// What is done.
    pub kind: RedressKind,
    /// What it is worth.
    #[schema(value_type = Option<MoneyText>)]
    pub amount: Option<Money>,
}

/// What a complaint is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Complaint {
    /// Its place in the tree of categories, from the trunk to the leaf, parted by slashes. A filter by `starts_with`
    /// finds a branch.
    #[validate(length(min = 1, max = 200), custom(function = "check_category"))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = "^[^/]+(/[^/]+){0,9}$",
        examples("billing/invoice/late")
    )]
    pub category: Option<String>,
    /// What was found to be the cause.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, examples("courier lost the parcel"))]
    pub root_cause: Option<String>,
    /// What is done to make up for it.
    pub redress: Option<Redress>,
}

fn check_category(category: &str) -> Result<(), ValidationError> {
    let parts: Vec<&str> = category.split('/').collect();
    if parts.len() <= 10 && parts.iter().all(|part| !part.is_empty()) {
        return Ok(());
    }
    let message = "must be 1 to 10 names parted by slashes";
    Err(crate::validation::invalid("invalid_format", message))
}

impl Complaint {
    /// Whether it is in the category of another one, or of its cause.
    pub fn resembles(&self, other: &Self) -> bool {
        let same = |one: &Option<String>, other: &Option<String>| one.is_some() && one == other;
        same(&self.category, &other.category) || same(&self.root_cause, &other.root_cause)
    }

    pub(super) fn add_faults(&self, ticket_type: TicketType, faults: &mut Vec<Fault>) {
        if ticket_type != TicketType::Complaint && *self != Self::default() {
            let message = "must be left out: the ticket is not of type complaint";
            faults.push(Fault::new("/complaint", "not_a_complaint", message));
        }
        if let Err(errors) = self.validate() {
            faults.extend(faults_of(&errors, "/complaint"));
        }
        let worth = self.redress.as_ref().and_then(|redress| redress.amount);
        if worth.is_some_and(|amount| amount.minor() < 0) {
            faults.push(Fault::new(
                "/complaint/redress/amount",
                "out_of_range",
                "must not be negative",
            ));
        }
    }
}

//! What all events of other systems have in common: the customer they belong to, and the lead they open.

use super::interactions::{Channel, InteractionFields};
use crate::customer::customers::{CustomerFields, CustomerKind};
use crate::customer::lifecycle::Lifecycle;
use crate::record::ExternalId;
use sql::ids::{CustomerId, TeamId, UserId};
use sql::{Json, Timestamp};

/// The customer that an event was matched to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CustomerMatch {
    /// The customer.
    pub id: CustomerId,
    /// Who is responsible for it, and so for the interaction.
    pub owner_id: Option<UserId>,
    /// Which team is.
    pub team_id: Option<TeamId>,
}

impl CustomerMatch {
    /// An interaction with the customer of which nothing more is known.
    pub(super) fn interaction(&self, channel: Channel, started_at: Timestamp) -> InteractionFields {
        InteractionFields {
            external_ids: Json::new(Vec::new()),
            tags: Json::new(Vec::new()),
            custom: Json::default(),
            owner_id: self.owner_id,
            team_id: self.team_id,
            channel,
            direction: None,
            customer_id: Some(self.id),
            subject: None,
            body: None,
            started_at,
            ended_at: None,
            outcome: None,
            sentiment: None,
            thread: None,
            network: None,
            handle: None,
            url: None,
            participants: Json::new(Vec::new()),
            links: Json::new(Vec::new()),
        }
    }
}

/// How the sending system knows a lead. As an external id it keeps two events that come together from opening two leads.
pub(super) fn source_of(source: &str, address: &str) -> ExternalId {
    ExternalId {
        system: source.to_owned(),
        id: address.to_owned(),
    }
}

/// A person of whom only a name is known.
pub(super) fn lead(name: &str, known_as: ExternalId) -> CustomerFields {
    CustomerFields {
        external_ids: Json::new(vec![known_as]),
        tags: Json::new(Vec::new()),
        custom: Json::default(),
        owner_id: None,
        team_id: None,
        kind: CustomerKind::Person,
        name: name.to_owned(),
        given_name: None,
        family_name: None,
        lifecycle: Lifecycle::Lead,
        emails: Json::new(Vec::new()),
        phones: Json::new(Vec::new()),
        addresses: Json::new(Vec::new()),
        handles: Json::new(Vec::new()),
        language: None,
        time_zone: None,
        birth_date: None,
        demographics: Json::default(),
        interests: Json::new(Vec::new()),
        preferences: Json::default(),
        organisation: Json::default(),
    }
}

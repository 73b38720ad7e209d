//! What social networks bring in, in one neutral form, and what it makes of an interaction.
//!
//! Messages of one conversation go into one interaction for as long as that is open.

use super::inbound::{CustomerMatch, lead, source_of};
use super::interactions::{Channel, Direction, Interaction, InteractionFields, InteractionState, MOST_BODY, check_url};
use super::participants::{Participant, ParticipantRole};
use crate::customer::contact_points::{Handle, check_network, handle_value, normalise_handles};
use crate::customer::customers::CustomerFields;
use crate::fault::Refusal;
use serde::Deserialize;
use sql::{Json, Timestamp};
use utoipa::ToSchema;
use validator::Validate;

sql::text_enum! {
    /// What happened in a social network.
    pub enum SocialEventType {
        /// Somebody named us.
        Mention = "mention",
        /// Somebody wrote to us.
        Message = "message",
        /// Somebody answered to something of ours.
        Comment = "comment",
        /// The conversation is over.
        Closed = "closed",
    }
}

/// Something that happened in a social network.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct SocialEvent {
    /// The system that tells it.
    #[validate(length(min = 1, max = 64))]
    #[schema(min_length = 1, max_length = 64, examples("social_inbox"))]
    pub source: String,
    /// Names the event in that system; one that was taken in before does nothing.
    #[validate(length(min = 1, max = 255))]
    #[schema(min_length = 1, max_length = 255, examples("msg-77"))]
    pub event_id: String,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: SocialEventType,
    /// When.
    pub occurred_at: Timestamp,
    /// The network, in lower case.
    #[validate(custom(function = "check_network"))]
    #[schema(pattern = "^[a-z0-9_]{1,32}$", examples("linkedin"))]
    pub network: String,
    /// The author's name there; an `@` before it is left out.
    #[validate(length(min = 1, max = 100))]
    #[schema(min_length = 1, max_length = 100, examples("adalovelace"))]
    pub handle: String,
    /// What the author is called.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, examples("Ada Lovelace"))]
    pub author_name: Option<String>,
    /// Names the conversation in the network; without it, all that the author writes is one.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    pub conversation_id: Option<String>,
    /// What was written.
    #[validate(length(min = 1, max = 10000))]
    #[schema(min_length = 1, max_length = 10000)]
    pub text: Option<String>,
    /// Where it can be read.
    #[validate(length(min = 1, max = 2000), custom(function = "check_url"))]
    #[schema(min_length = 1, max_length = 2000, pattern = "^https?://")]
    pub url: Option<String>,
}

impl SocialEvent {
    /// The event with the author's handle in its one form.
    pub fn checked(mut self) -> Result<Self, Refusal> {
        let mut handles = [self.author()];
        normalise_handles(&mut handles);
        let [Handle { handle, .. }] = handles;
        if handle.is_empty() {
            return Err(Refusal::fault("/handle", "invalid_length", "must name somebody"));
        }
        self.handle = handle;
        Ok(self)
    }

    fn author(&self) -> Handle {
        Handle {
            network: self.network.clone(),
            handle: self.handle.clone(),
        }
    }

    /// The author as the filter field `handles` of customers knows it.
    pub fn handle_value(&self) -> String {
        handle_value(&self.author())
    }

    /// Names the conversation among those of all networks.
    pub fn thread(&self) -> String {
        let within = self.conversation_id.as_ref().unwrap_or(&self.handle);
        format!("{}:{within}", self.network)
    }

    /// The lead to open when nobody has the handle.
    pub fn lead(&self) -> CustomerFields {
        let name = self.author_name.as_ref().unwrap_or(&self.handle);
        CustomerFields {
            handles: Json::new(vec![self.author()]),
            ..lead(name, source_of(&self.source, &self.handle_value()))
        }
    }

    /// Whether there is room for the text in an interaction that is open.
    pub fn fits(&self, open: &Interaction) -> bool {
        self.joined(open.fields.body.as_deref())
            .is_none_or(|body| body.chars().count() <= MOST_BODY)
    }

    /// The interaction that begins with the event.
    pub fn begin(&self, customer: &CustomerMatch) -> (InteractionFields, InteractionState) {
        let mut fields = InteractionFields {
            direction: Some(Direction::Inbound),
            thread: Some(self.thread()),
            network: Some(self.network.clone()),
            handle: Some(self.handle.clone()),
            participants: Json::new(vec![Participant {
                customer_id: Some(customer.id),
                user_id: None,
                role: ParticipantRole::From,
                address: Some(self.handle.clone()),
            }]),
            ..customer.interaction(Channel::Social, self.occurred_at)
        };
        let mut state = InteractionState::default();
        self.apply(&mut fields, &mut state);
        (fields, state)
    }

    /// What the event makes of the interaction that is open.
    pub fn update(&self, before: &Interaction) -> (InteractionFields, InteractionState) {
        let (mut fields, mut state) = (before.fields.clone(), before.state);
        self.apply(&mut fields, &mut state);
        (fields, state)
    }

    fn apply(&self, fields: &mut InteractionFields, state: &mut InteractionState) {
        fields.started_at = fields.started_at.min(self.occurred_at);
        fields.body = self.joined(fields.body.as_deref());
        if let Some(url) = &self.url {
            fields.url = Some(url.clone());
        }
        if self.event_type == SocialEventType::Closed {
            fields.ended_at = Some(fields.started_at.max(self.occurred_at));
        } else {
            state.message_count += 1;
        }
    }

    /// A text with that of the event below it.
    fn joined(&self, before: Option<&str>) -> Option<String> {
        let texts: Vec<&str> = before.into_iter().chain(self.text.as_deref()).collect();
        (!texts.is_empty()).then(|| texts.join("\n\n"))
    }
}

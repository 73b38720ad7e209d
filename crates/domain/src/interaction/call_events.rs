//! What telephone systems tell of calls, in one neutral form, and what it makes of an interaction.
//!
//! Events of one call may come in any order and more than once.

use super::inbound::{CustomerMatch, lead, source_of};
use super::interactions::{
    Channel, Direction, Interaction, InteractionFields, InteractionOutcome, InteractionState, check_url,
};
use super::participants::{Participant, ParticipantRole};
use crate::customer::contact_points::Phone;
use crate::customer::customers::CustomerFields;
use crate::customer::phone_numbers::to_e164;
use crate::fault::{Fault, Refusal};
use crate::record::ExternalId;
use serde::Deserialize;
use sql::ids::{CustomerId, UserId};
use sql::{Json, Timestamp};
use utoipa::ToSchema;
use validator::Validate;

sql::text_enum! {
    /// What happened to a call.
    pub enum CallEventType {
        /// It rings.
        Ringing = "ringing",
        /// Somebody answered.
        Answered = "answered",
        /// It ended.
        Ended = "ended",
        /// Nobody answered.
        Missed = "missed",
        /// The caller left a message.
        Voicemail = "voicemail",
    }
}

sql::text_enum! {
    /// Which way a call goes.
    pub enum CallDirection {
        /// The customer calls.
        Inbound = "inbound",
        /// The customer is called.
        Outbound = "outbound",
    }
}

/// Something that happened to a call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CallEvent {
    /// The telephone system that tells it.
    #[validate(length(min = 1, max = 64))]
    #[schema(min_length = 1, max_length = 64, examples("pbx"))]
    pub source: String,
    /// Names the event in that system; one that was taken in before does nothing.
    #[validate(length(min = 1, max = 255))]
    #[schema(min_length = 1, max_length = 255, examples("evt-9001"))]
    pub event_id: String,
    /// Names the call in that system; becomes an external id of the interaction.
    #[validate(length(min = 1, max = 255))]
    #[schema(min_length = 1, max_length = 255, examples("call-4711"))]
    pub call_id: String,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: CallEventType,
    /// When.
    pub occurred_at: Timestamp,
    /// Which way the call goes.
    pub direction: CallDirection,
    /// The number that calls. Of an inbound call it is the customer's, with `+` and the country code.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40, examples("+49 30 901820"))]
    pub from: String,
    /// The number that is called. Of an outbound call it is the customer's, with `+` and the country code.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40, examples("101"))]
    pub to: String,
    /// The user on our side.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub user_id: Option<UserId>,
    /// Where the recording can be heard.
    #[validate(length(min = 1, max = 2000), custom(function = "check_url"))]
    #[schema(min_length = 1, max_length = 2000, pattern = "^https?://")]
    pub recording_url: Option<String>,
}

impl CallEvent {
    /// The event with the customer's number as E.164.
    pub fn checked(mut self) -> Result<Self, Refusal> {
        let (pointer, number) = match self.direction {
            CallDirection::Inbound => ("/from", &mut self.from),
            CallDirection::Outbound => ("/to", &mut self.to),
        };
        match to_e164(number, None) {
            Ok(e164) => *number = e164,
            Err(message) => return Err(Refusal::Invalid(vec![Fault::new(pointer, "invalid_format", message)])),
        }
        Ok(self)
    }

    /// The customer's number.
    pub fn customer_number(&self) -> &str {
        match self.direction {
            CallDirection::Inbound => &self.from,
            CallDirection::Outbound => &self.to,
        }
    }

    /// The lead to open when nobody has the number.
    pub fn lead(&self) -> CustomerFields {
        let number = self.customer_number();
        CustomerFields {
            phones: Json::new(vec![Phone {
                number: number.to_owned(),
                label: None,
                primary: true,
            }]),
            ..lead(number, source_of(&self.source, number))
        }
    }

    /// The interaction that begins with the event.
    pub fn begin(&self, customer: &CustomerMatch) -> (InteractionFields, InteractionState) {
        let (theirs, direction) = match self.direction {
            CallDirection::Inbound => (ParticipantRole::From, Direction::Inbound),
            CallDirection::Outbound => (ParticipantRole::To, Direction::Outbound),
        };
        let mut fields = InteractionFields {
            direction: Some(direction),
            external_ids: Json::new(vec![ExternalId {
                system: self.source.clone(),
                id: self.call_id.clone(),
            }]),
            participants: Json::new(vec![participant(
                theirs,
                Some(customer.id),
                None,
                self.customer_number(),
            )]),
            ..customer.interaction(Channel::Call, self.occurred_at)
        };
        let mut state = InteractionState::default();
        self.apply(&mut fields, &mut state);
        (fields, state)
    }

    /// What the event makes of the interaction that the call is.
    pub fn update(&self, before: &Interaction) -> (InteractionFields, InteractionState) {
        let (mut fields, mut state) = (before.fields.clone(), before.state);
        self.apply(&mut fields, &mut state);
        (fields, state)
    }

    fn apply(&self, fields: &mut InteractionFields, state: &mut InteractionState) {
        let at = self.occurred_at;
        fields.started_at = fields.started_at.min(at);
        if self.event_type == CallEventType::Answered {
            state.answered_at = Some(state.answered_at.map_or(at, |before| before.min(at)));
        }
        let ends = !matches!(self.event_type, CallEventType::Ringing | CallEventType::Answered);
        if ends {
            fields.ended_at = fields.ended_at.max(Some(at));
        }
        if self.event_type == CallEventType::Voicemail {
            fields.outcome.get_or_insert(InteractionOutcome::Voicemail);
        }
        if fields.ended_at.is_some() && state.answered_at.is_none() {
            fields.outcome.get_or_insert(InteractionOutcome::NoAnswer);
        }
        // An answer that is told late corrects what its absence seemed to mean.
        if state.answered_at.is_some() && fields.outcome == Some(InteractionOutcome::NoAnswer) {
            fields.outcome = None;
        }
        if let Some(url) = &self.recording_url {
            fields.url = Some(url.clone());
        }
        self.add_user(fields);
    }

    fn add_user(&self, fields: &mut InteractionFields) {
        let Some(user) = self.user_id else { return };
        if fields.participants.iter().any(|who| who.user_id == Some(user)) {
            return;
        }
        let (ours, number) = match self.direction {
            CallDirection::Inbound => (ParticipantRole::To, &self.to),
            CallDirection::Outbound => (ParticipantRole::From, &self.from),
        };
        fields.participants.push(participant(ours, None, Some(user), number));
    }
}

fn participant(
    role: ParticipantRole,
    customer_id: Option<CustomerId>,
    user_id: Option<UserId>,
    number: &str,
) -> Participant {
    Participant {
        customer_id,
        user_id,
        role,
        address: Some(number.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Meta;
    use proptest::prelude::*;
    use sql::ids::TenantId;

    fn event(event_type: CallEventType, second: u32) -> CallEvent {
        CallEvent {
            source: "pbx".to_owned(),
            event_id: format!("{event_type}-{second}"),
            call_id: "1".to_owned(),
            event_type,
            occurred_at: Timestamp::parse(&format!("2026-01-31T09:30:{second:02}Z")).unwrap(),
            direction: CallDirection::Inbound,
            from: "+4930901820".to_owned(),
            to: "101".to_owned(),
            user_id: Some(UserId(uuid::Uuid::nil())),
            recording_url: None,
        }
    }

    fn call(events: &[CallEvent]) -> Interaction {
        let customer = CustomerMatch {
            id: CustomerId::new(),
            owner_id: None,
            team_id: None,
        };
        let meta = Meta::new(TenantId::new(), events[0].occurred_at, None);
        let (fields, state) = events[0].begin(&customer);
        let mut call = Interaction::new(meta.clone(), fields, state);
        for event in &events[1..] {
            let (fields, state) = event.update(&call);
            call = Interaction::new(meta.clone(), fields, state);
        }
        call
    }

    #[test]
    fn a_call_is_told_from_ringing_to_its_end() {
        use CallEventType::{Answered, Ended, Missed, Ringing, Voicemail};
        let answered = call(&[event(Ringing, 0), event(Answered, 4), event(Ended, 40)]);
        assert_eq!(answered.state.duration_seconds, Some(40));
        assert_eq!(answered.fields.outcome, None);
        assert_eq!(answered.fields.participants.len(), 2);
        let missed = call(&[event(Ringing, 0), event(Missed, 20)]);
        assert_eq!(missed.fields.outcome, Some(InteractionOutcome::NoAnswer));
        let message = call(&[event(Ringing, 0), event(Voicemail, 30)]);
        assert_eq!(message.fields.outcome, Some(InteractionOutcome::Voicemail));
        assert!(call(&[event(Ringing, 0)]).is_open());
    }

    #[test]
    fn the_number_of_the_customer_is_brought_to_e164() {
        let spoken = CallEvent {
            from: "+49 (30) 901820".to_owned(),
            ..event(CallEventType::Ringing, 0)
        };
        assert_eq!(spoken.checked().unwrap().from, "+4930901820");
        let outbound = CallEvent {
            direction: CallDirection::Outbound,
            ..event(CallEventType::Ringing, 0)
        };
        let Err(Refusal::Invalid(faults)) = outbound.checked() else {
            panic!("accepted");
        };
        assert_eq!(faults[0].pointer, "/to");
    }

    proptest! {
        /// The order in which events arrive makes no difference, nor does one that comes twice.
        #[test]
        fn a_call_is_the_same_in_whatever_order_it_is_told(order in Just((0..4_usize).collect::<Vec<_>>()).prop_shuffle(), twice in 0..4_usize) {
            use CallEventType::{Answered, Ended, Ringing};
            let told = [event(Ringing, 0), event(Answered, 4), event(Answered, 6), event(Ended, 40)];
            let mut shuffled: Vec<_> = order.iter().map(|index| told[*index].clone()).collect();
            shuffled.push(told[twice].clone());
            let (one, other) = (call(&told), call(&shuffled));
            prop_assert_eq!(one.state, other.state);
            prop_assert_eq!(one.fields.started_at, other.fields.started_at);
            prop_assert_eq!(one.fields.ended_at, other.fields.ended_at);
            prop_assert_eq!(one.fields.outcome, other.fields.outcome);
        }
    }
}

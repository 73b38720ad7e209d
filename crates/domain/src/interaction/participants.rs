//! Who takes part in an interaction, and as what.

use crate::fault::Fault;
use crate::validation::{check_each, check_unique};
use serde::{Deserialize, Serialize};
use sql::ids::{CustomerId, UserId};
use utoipa::ToSchema;
use validator::Validate;

/// Participants of one interaction at most.
pub const MOST_PARTICIPANTS: usize = 100;

sql::text_enum! {
    /// As what somebody takes part.
    pub enum ParticipantRole {
        /// Wrote, called, posted.
        From = "from",
        /// Was written to, was called.
        To = "to",
        /// Got a copy.
        Cc = "cc",
        /// Got a copy that the others do not see.
        Bcc = "bcc",
        /// Called the meeting.
        Organiser = "organiser",
        /// Was there.
        Attendee = "attendee",
    }
}

/// Somebody who takes part: a customer, a user, or someone of whom only an address is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Participant {
    /// The customer; not together with `user_id`.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub customer_id: Option<CustomerId>,
    /// The user; not together with `customer_id`.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub user_id: Option<UserId>,
    /// As what.
    pub role: ParticipantRole,
    /// The e-mail address, number or name that was used.
    #[validate(length(min = 1, max = 255))]
    #[schema(min_length = 1, max_length = 255, examples("ada@example.com"))]
    pub address: Option<String>,
}

/// Adds the faults of a list of participants.
pub fn check_participants(participants: &[Participant], faults: &mut Vec<Fault>) {
    let pointer = "/participants";
    check_each(pointer, participants, MOST_PARTICIPANTS, faults);
    check_unique(pointer, participants.iter(), faults);
    for (index, participant) in participants.iter().enumerate() {
        let message = match participant {
            Participant {
                customer_id: Some(_),
                user_id: Some(_),
                ..
            } => "must be a customer or a user, not both",
            Participant {
                customer_id: None,
                user_id: None,
                address: None,
                ..
            } => "must have a customer_id, a user_id or an address",
            _ => continue,
        };
        faults.push(Fault::new(format!("{pointer}/{index}"), "invalid_participant", message));
    }
}

//! Who takes part in an appointment, as what, and whether they will come.

use crate::fault::Fault;
use crate::validation::{check_count, check_unique};
use serde::{Deserialize, Serialize};
use sql::ids::{CustomerId, UserId};
use utoipa::ToSchema;

/// Participants of one appointment at most.
pub const MOST_ATTENDEES: usize = 200;

sql::text_enum! {
    /// What somebody does in an appointment.
    pub enum AttendeeRole {
        /// Leads it.
        Chair = "chair",
        /// Is needed.
        Required = "required",
        /// Is welcome.
        Optional = "optional",
        /// Is told of it.
        Informed = "informed",
    }
}

sql::text_enum! {
    /// What somebody has answered to an invitation.
    pub enum AttendeeResponse {
        /// Nothing yet.
        NeedsAction = "needs_action",
        /// Will come.
        Accepted = "accepted",
        /// Will not come.
        Declined = "declined",
        /// May come.
        Tentative = "tentative",
    }
}

/// Somebody who takes part in an appointment: a customer or a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Attendee {
    /// The customer; not together with `user_id`.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub customer_id: Option<CustomerId>,
    /// The user; not together with `customer_id`.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub user_id: Option<UserId>,
    /// What it does there.
    #[serde(default = "required")]
    #[schema(default = "required")]
    pub role: AttendeeRole,
    /// What it has answered.
    #[serde(default = "needs_action")]
    #[schema(default = "needs_action")]
    pub response: AttendeeResponse,
}

const fn required() -> AttendeeRole {
    AttendeeRole::Required
}

const fn needs_action() -> AttendeeResponse {
    AttendeeResponse::NeedsAction
}

/// Adds the faults of a list of attendees.
pub(crate) fn check_attendees(attendees: &[Attendee], faults: &mut Vec<Fault>) {
    let pointer = "/participants";
    check_count(pointer, attendees.len(), MOST_ATTENDEES, faults);
    let known = attendees.iter().map(|one| (one.customer_id, one.user_id));
    check_unique(pointer, known, faults);
    for (index, attendee) in attendees.iter().enumerate() {
        if attendee.customer_id.is_some() == attendee.user_id.is_some() {
            let message = "must have a customer_id or a user_id, not both";
            faults.push(Fault::new(format!("{pointer}/{index}"), "invalid_participant", message));
        }
    }
}

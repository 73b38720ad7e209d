//! What is said in a ticket: to the customer, by the customer, or among colleagues.

use crate::service::tickets::Ticket;
use diesel::prelude::{Insertable, Queryable, Selectable};
use serde::{Deserialize, Serialize};
use sql::Timestamp;
use sql::ids::{CustomerId, EventId, PrincipalId, TenantId, TicketId};
use utoipa::ToSchema;
use validator::Validate;

/// A comment to be added to a ticket.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewTicketComment {
    /// What is said, as plain text or Markdown.
    #[validate(length(min = 1, max = 20000))]
    #[schema(
        min_length = 1,
        max_length = 20000,
        examples("Your parcel has left our house today.")
    )]
    pub body: String,
    /// Whether the customer may read it. What the customer says is always public.
    #[serde(default = "public")]
    #[schema(default = true)]
    pub public: bool,
    /// The customer who says it; when left out, it is the caller who does.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub customer_id: Option<CustomerId>,
}

const fn public() -> bool {
    true
}

/// Something that was said in a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, Queryable, Selectable, Insertable)]
#[diesel(table_name = sql::schema::ticket_comments, treat_none_as_default_value = false)]
pub struct TicketComment {
    /// The tenant it belongs to; never shown.
    #[serde(skip)]
    pub tenant_id: TenantId,
    /// The ticket in which it stands.
    #[schema(value_type = uuid::Uuid)]
    pub ticket_id: TicketId,
    /// Names the comment, and orders those of a ticket.
    #[schema(value_type = uuid::Uuid)]
    pub id: EventId,
    /// What is said.
    pub body: String,
    /// Whether the customer may read it.
    pub public: bool,
    /// The customer who said it; null when it was the user or service account that wrote it.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub customer_id: Option<CustomerId>,
    /// When it was written.
    pub created_at: Timestamp,
    /// The user or service account that wrote it.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub created_by: Option<PrincipalId>,
}

impl TicketComment {
    /// A comment on a ticket.
    pub fn on(ticket: &Ticket, new: NewTicketComment, now: Timestamp, by: Option<PrincipalId>) -> Self {
        Self {
            tenant_id: ticket.meta.tenant_id,
            ticket_id: ticket.id(),
            id: EventId::new(),
            body: new.body,
            public: new.public || new.customer_id.is_some(),
            customer_id: new.customer_id,
            created_at: now,
            created_by: by,
        }
    }
}

//! The history of a customer's lifecycle: every move, when, by whom and why.

use super::customers::Customer;
use super::lifecycle::Lifecycle;
use diesel::prelude::{Insertable, Queryable, Selectable};
use serde::{Deserialize, Serialize};
use sql::Timestamp;
use sql::ids::{CustomerId, EventId, PrincipalId, TenantId};
use utoipa::ToSchema;
use validator::Validate;

/// One move of a customer along its lifecycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, Queryable, Selectable, Insertable)]
#[diesel(table_name = sql::schema::lifecycle_changes, treat_none_as_default_value = false)]
pub struct LifecycleChange {
    /// The tenant it belongs to; never shown.
    #[serde(skip)]
    pub tenant_id: TenantId,
    /// Who moved.
    #[schema(value_type = uuid::Uuid)]
    pub customer_id: CustomerId,
    /// Names the move, and orders those of a customer.
    #[schema(value_type = uuid::Uuid)]
    pub id: EventId,
    /// The stage before; none for the one it was created in.
    pub from_stage: Option<Lifecycle>,
    /// The stage after.
    pub to_stage: Lifecycle,
    /// Why, where it was said.
    pub reason: Option<String>,
    /// When.
    pub changed_at: Timestamp,
    /// The user or service account that did it.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub changed_by: Option<PrincipalId>,
}

impl LifecycleChange {
    /// The move between two states of a customer; none when it stayed where it was.
    pub fn between(before: Option<&Customer>, after: &Customer) -> Option<Self> {
        let from_stage = before.map(|before| before.fields.lifecycle);
        let to_stage = after.fields.lifecycle;
        (from_stage != Some(to_stage)).then(|| Self {
            tenant_id: after.meta.tenant_id,
            customer_id: CustomerId(after.meta.id.0),
            id: EventId::new(),
            from_stage,
            to_stage,
            reason: None,
            changed_at: after.state.lifecycle_since,
            changed_by: after.meta.updated_by,
        })
    }
}

/// A move that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct LifecycleMove {
    /// The stage to move to.
    pub stage: Lifecycle,
    /// Why; kept in the history.
    #[validate(length(min = 1, max = 1000))]
    #[schema(min_length = 1, max_length = 1000, examples("Signed the contract"))]
    pub reason: Option<String>,
}

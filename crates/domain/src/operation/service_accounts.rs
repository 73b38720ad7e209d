//! Service accounts: the programs that log in with a client secret.

use super::roles::{RecordRule, Role};
use crate::kind::Kind;
use crate::record::{Fields, Meta, Record};
use crate::registry::{Field, FieldType, Registry};
use crate::{common_fields, record_parts, settable};
use diesel::prelude::Queryable;
use serde::Serialize;
use utoipa::ToSchema;

settable! {
    /// What a client may set on a service account. The team is `team_id`.
    pub struct ServiceAccountFields in service_accounts {
        /// What the program is called.
        #[validate(length(min = 1, max = 200))]
        #[schema(min_length = 1, max_length = 200, examples("ERP sync"))]
        pub name: String,
        /// What it does.
        #[validate(length(max = 10000))]
        #[schema(max_length = 10000)]
        pub description: Option<String>,
        /// What it may do.
        pub role: Role,
        /// Whose records it sees and changes. By default a matter of the role: an agent works on those of the team,
        /// every other role on all.
        pub record_rule: Option<RecordRule>,
        /// Whether it may log in now.
        #[serde(default = "active")]
        #[schema(default = true)]
        pub active: bool,
    }
}

const fn active() -> bool {
    true
}

impl ServiceAccountFields {
    /// Whose records it sees and changes.
    pub fn effective_record_rule(&self) -> RecordRule {
        self.record_rule.unwrap_or(self.role.record_rule())
    }
}

impl Fields for ServiceAccountFields {
    common_fields!();
}

/// A program that uses the service.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, Queryable)]
pub struct ServiceAccount {
    /// What the service keeps.
    #[serde(flatten)]
    pub meta: Meta,
    /// What a client set.
    #[serde(flatten)]
    pub fields: ServiceAccountFields,
}

/// The fields of a service account.
pub const REGISTRY: Registry = Registry {
    kind: Kind::ServiceAccount,
    plural: "service_accounts",
    table: "service_accounts",
    fields: &[
        Field::text("name").required().sortable().indexed(),
        Field::text("description"),
        Field::choice("role", Role::TEXTS).required(),
        Field::choice("record_rule", RecordRule::TEXTS),
        Field::new("active", FieldType::Bool).required(),
    ],
    relations: &[],
    owned: false,
};

impl Record for ServiceAccount {
    record_parts!(ServiceAccountFields);
    const KIND: Kind = Kind::ServiceAccount;

    fn title(&self) -> &str {
        &self.fields.name
    }
}

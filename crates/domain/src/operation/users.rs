//! Users: the people of the company, who log in and own records.

use super::roles::{RecordRule, Role};
use crate::customer::contact_points::{check_email, normalise_email};
use crate::fault::Fault;
use crate::kind::Kind;
use crate::record::{Fields, Meta, Record};
use crate::registry::{Field, FieldType, Registry};
use crate::{common_fields, record_parts, settable};
use diesel::prelude::Queryable;
use serde::Serialize;
use utoipa::ToSchema;

settable! {
    /// What a client may set on a user. The team is `team_id`.
    pub struct UserFields in users {
        /// What the person is called.
        #[validate(length(min = 1, max = 200))]
        #[schema(min_length = 1, max_length = 200, examples("Darcel Schlecht"))]
        pub name: String,
        /// The address to log in with, kept in lower case; no two users of a tenant have the same. Who has none
        /// does not log in.
        #[validate(custom(function = "check_email"))]
        #[schema(format = "idn-email", min_length = 3, max_length = 254, examples("darcel@example.com"))]
        pub email: Option<String>,
        /// What the person may do.
        pub role: Role,
        /// Whose records the person sees and changes. By default a matter of the role: an agent works on those of the
        /// team, every other role on all.
        pub record_rule: Option<RecordRule>,
        /// Whether the person may log in now.
        #[serde(default = "active")]
        #[schema(default = true)]
        pub active: bool,
    }
}

const fn active() -> bool {
    true
}

impl UserFields {
    /// Whose records the person sees and changes.
    pub fn effective_record_rule(&self) -> RecordRule {
        self.record_rule.unwrap_or(self.role.record_rule())
    }
}

impl Fields for UserFields {
    common_fields!();

    fn normalise(&mut self, _before: Option<&Self>, _faults: &mut Vec<Fault>) {
        self.email = self.email.as_deref().map(|email| normalise_email(email).to_lowercase());
    }
}

/// A person of the company.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, Queryable)]
pub struct User {
    /// What the service keeps.
    #[serde(flatten)]
    pub meta: Meta,
    /// What a client set.
    #[serde(flatten)]
    pub fields: UserFields,
}

/// The fields of a user.
pub const REGISTRY: Registry = Registry {
    kind: Kind::User,
    plural: "users",
    table: "users",
    fields: &[
        Field::text("name").required().sortable().indexed(),
        Field::text("email").indexed(),
        Field::choice("role", Role::TEXTS).required().indexed(),
        Field::choice("record_rule", RecordRule::TEXTS),
        Field::new("active", FieldType::Bool).required(),
    ],
    relations: &[],
    owned: false,
};

impl Record for User {
    record_parts!(UserFields);
    const KIND: Kind = Kind::User;

    fn title(&self) -> &str {
        &self.fields.name
    }

    fn search_texts(&self) -> Vec<&str> {
        let fields = &self.fields;
        [Some(fields.name.as_str()), fields.email.as_deref()]
            .into_iter()
            .flatten()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(json: &str) -> UserFields {
        serde_json::from_str::<UserFields>(json).unwrap().checked().unwrap()
    }

    #[test]
    fn an_address_to_log_in_with_ignores_case() {
        let user = user(r#"{"name": "Ada", "email": " Ada@Example.COM ", "role": "agent"}"#);
        assert_eq!(user.email.as_deref(), Some("ada@example.com"));
        assert!(user.active);
    }

    #[test]
    fn whose_records_follows_the_role_until_it_is_said() {
        let rule = |json| user(json).effective_record_rule();
        assert_eq!(rule(r#"{"name": "Ada", "role": "agent"}"#), RecordRule::Team);
        assert_eq!(rule(r#"{"name": "Ada", "role": "manager"}"#), RecordRule::All);
        assert_eq!(
            rule(r#"{"name": "Ada", "role": "agent", "record_rule": "own"}"#),
            RecordRule::Own
        );
    }
}

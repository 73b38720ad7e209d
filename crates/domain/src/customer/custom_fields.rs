//! Custom fields: what a tenant wants to know of its records beyond what every tenant does. The values stand with the
//! records, see [`crate::custom_values`].

use crate::fault::{Fault, Refusal};
use crate::kind::Kind;
use crate::record::{Fields, Meta, Record};
use crate::registry::{Field, FieldType, Registry};
use crate::{common_fields, record_parts, settable};
use diesel::prelude::Queryable;
use serde::{Deserialize, Serialize};
use sql::Json;
use std::collections::HashSet;
use utoipa::ToSchema;
use validator::Validate;

/// How many custom fields one kind of record may have.
pub const MOST_CUSTOM_FIELDS: i64 = 100;

sql::text_enum! {
    /// What the values of a custom field are.
    pub enum CustomFieldType {
        /// Up to 500 characters.
        Text = "text",
        /// A number with at most 11 digits before and 4 after the point.
        Number = "number",
        /// An amount in a currency.
        Money = "money",
        /// A calendar day.
        Date = "date",
        /// True or false.
        Bool = "bool",
        /// One of the options.
        Choice = "choice",
        /// Several of the options.
        MultiChoice = "multi_choice",
        /// The id of a record of the target kind.
        Reference = "reference",
    }
}

impl CustomFieldType {
    /// Whether its values are options.
    pub const fn has_options(self) -> bool {
        matches!(self, Self::Choice | Self::MultiChoice)
    }
}

/// One of the values that a choice offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CustomFieldOption {
    /// What records hold.
    #[validate(length(min = 1, max = 100))]
    #[schema(min_length = 1, max_length = 100, examples("gold"))]
    pub value: String,
    /// What people read.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, examples("Gold"))]
    pub name: String,
}

settable! {
    /// What a client may set on a custom field.
    pub struct CustomFieldFields in custom_fields {
        /// The kind of record that has the field. It stays.
        pub resource: Kind,
        /// The name of its value in `custom`, in filters and in rules: `custom.tier`. Unique for the kind of record. It
        /// stays.
        #[schema(pattern = "^[a-z][a-z0-9_]{0,49}$", examples("tier"))]
        pub key: String,
        /// What people read.
        #[validate(length(min = 1, max = 200))]
        #[schema(min_length = 1, max_length = 200, examples("Tier"))]
        pub name: String,
        /// What it is for.
        #[validate(length(max = 2000))]
        #[schema(max_length = 2000)]
        pub description: Option<String>,
        /// What its values are. It stays.
        #[serde(rename = "type")]
        pub value_type: CustomFieldType,
        /// What can be chosen, for a choice. A record keeps a value whose option is taken away.
        #[serde(default)]
        #[validate(nested)]
        #[schema(value_type = Vec<CustomFieldOption>, max_items = 200)]
        pub options: Json<Vec<CustomFieldOption>>,
        /// The kind of record that a reference names. It stays.
        #[serde(default)]
        pub target: Option<Kind>,
        /// Whether a new record must have a value, and no record may lose its own.
        #[serde(default)]
        #[schema(default = false)]
        pub required: bool,
        /// Whether the field is out of use: values stay and can be found, none can be set.
        #[serde(default)]
        #[schema(default = false)]
        pub archived: bool,
    }
}

impl Fields for CustomFieldFields {
    common_fields!();

    fn add_faults(&self, faults: &mut Vec<Fault>) {
        if !is_key(&self.key) {
            let message = "must be 1 to 50 lower-case letters, digits and underscores, a letter first";
            faults.push(Fault::new("/key", "invalid_format", message));
        }
        let choices = self.value_type.has_options();
        match self.options.len() {
            0 if choices => faults.push(Fault::new("/options", "required", "is required of a choice")),
            0 => {}
            _ if !choices => faults.push(Fault::new("/options", "not_allowed", "goes only with a choice")),
            1..=200 => {}
            _ => faults.push(Fault::new("/options", "invalid_length", "must have at most 200 items")),
        }
        let mut values = HashSet::new();
        for (index, option) in self.options.iter().enumerate() {
            if !values.insert(&option.value) {
                let pointer = format!("/options/{index}/value");
                faults.push(Fault::new(pointer, "duplicate", "stands there twice"));
            }
        }
        match (self.value_type == CustomFieldType::Reference, self.target) {
            (true, None) => faults.push(Fault::new("/target", "required", "is required of a reference")),
            (false, Some(_)) => faults.push(Fault::new("/target", "not_allowed", "goes only with a reference")),
            _ => {}
        }
    }
}

/// Keys are spliced into JSON paths and shown in query parameters, so they are plain words.
fn is_key(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=50).contains(&text.len())
        && text.bytes().all(plain)
        && text.starts_with(|first: char| first.is_ascii_lowercase())
}

/// A field that the tenant adds to a kind of record.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, Queryable)]
pub struct CustomField {
    /// What the service keeps.
    #[serde(flatten)]
    pub meta: Meta,
    /// What a client set.
    #[serde(flatten)]
    pub fields: CustomFieldFields,
}

impl CustomField {
    /// What records hold would not mean the same any more if one of these changed.
    pub fn check_change(&self, fields: &CustomFieldFields) -> Result<(), Refusal> {
        let before = &self.fields;
        let stays = [
            ("/resource", before.resource == fields.resource),
            ("/key", before.key == fields.key),
            ("/type", before.value_type == fields.value_type),
            ("/target", before.target == fields.target),
        ];
        let changed = stays.into_iter().filter(|(_, same)| !same);
        crate::fault::faultless(
            changed
                .map(|(pointer, _)| Fault::new(pointer, "immutable", "cannot be changed"))
                .collect(),
        )
    }
}

/// The fields of a custom field.
pub const REGISTRY: Registry = Registry {
    kind: Kind::CustomField,
    plural: "custom_fields",
    table: "custom_fields",
    fields: &[
        Field::choice("resource", Kind::TEXTS).required(),
        Field::text("key").required(),
        Field::text("name").required().sortable().indexed(),
        Field::choice("type", CustomFieldType::TEXTS)
            .required()
            .in_column("value_type"),
        Field::choice("target", Kind::TEXTS),
        Field::new("required", FieldType::Bool).required(),
        Field::new("archived", FieldType::Bool).required(),
    ],
    relations: &[],
    owned: false,
};

impl Record for CustomField {
    record_parts!(CustomFieldFields);
    const KIND: Kind = Kind::CustomField;

    fn title(&self) -> &str {
        &self.fields.name
    }

    fn search_texts(&self) -> Vec<&str> {
        vec![&self.fields.name, &self.fields.key]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(json: &str) -> Vec<String> {
        let fields: CustomFieldFields = serde_json::from_str(json).unwrap();
        match fields.checked() {
            Err(Refusal::Invalid(faults)) => faults.into_iter().map(|fault| fault.pointer).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn options_go_with_choices_and_a_target_with_references() {
        let field = |rest: &str| {
            pointers(&format!(
                r#"{{"resource": "customer", "key": "a", "name": "A", {rest}}}"#
            ))
        };
        assert!(field(r#""type": "text""#).is_empty());
        assert!(field(r#""type": "choice", "options": [{"value": "a", "name": "A"}]"#).is_empty());
        assert!(field(r#""type": "reference", "target": "customer""#).is_empty());
        assert_eq!(field(r#""type": "choice""#), ["/options"]);
        assert_eq!(
            field(r#""type": "text", "options": [{"value": "a", "name": "A"}], "target": "note""#),
            ["/options", "/target"]
        );
        assert_eq!(field(r#""type": "reference""#), ["/target"]);
        let twice = r#""type": "multi_choice", "options": [{"value": "a", "name": "A"}, {"value": "a", "name": "B"}]"#;
        assert_eq!(field(twice), ["/options/1/value"]);
    }

    #[test]
    fn keys_are_plain_words() {
        for key in ["tier", "t", "tier_2"] {
            assert!(is_key(key), "{key}");
        }
        for key in [
            "",
            "Tier",
            "2tier",
            "_tier",
            "tier-2",
            "tier.2",
            "tier'",
            "größe",
            &"a".repeat(51),
        ] {
            assert!(!is_key(key), "{key}");
        }
    }
}

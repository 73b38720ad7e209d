//! The mapping file as it is written: TOML into plain structs, checked for its own grammar only.
//! Whether it fits a CSV file is decided in `plan`.

use std::collections::BTreeMap;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// How the rows of one CSV file become records.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mapping {
    /// The resource of every pass that names none.
    pub(super) resource: Option<String>,
    /// The character between cells.
    #[serde(default = "comma")]
    pub(super) delimiter: char,
    /// Corrections of a column's values, made before anything else sees them.
    #[serde(default)]
    pub(super) aliases: BTreeMap<String, BTreeMap<String, String>>,
    /// Walks over the file, in order.
    #[serde(rename = "pass", default)]
    pub(super) passes: Vec<Pass>,
}

/// One walk over the file that makes records of one resource.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pass {
    pub(super) name: Option<String>,
    pub(super) resource: Option<String>,
    pub(super) upsert: Key,
    /// Columns that must not be empty; other rows are skipped.
    #[serde(default)]
    pub(super) when: Names,
    /// Take only the first row of each external id.
    #[serde(default)]
    pub(super) distinct: bool,
    #[serde(default)]
    pub(super) fields: BTreeMap<String, Field>,
}

/// The external id by which a record is found or made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    pub(super) system: String,
    /// A template over columns.
    pub(super) external_id: String,
    pub(super) mode: Option<Mode>,
}

/// What an upsert may do.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    Upsert,
    CreateOnly,
    UpdateOnly,
}

/// One name or several.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
pub(super) enum Names {
    #[default]
    None,
    One(String),
    Many(Vec<String>),
}

impl Names {
    pub(super) fn as_slice(&self) -> &[String] {
        match self {
            Self::None => &[],
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names,
        }
    }
}

/// Where a field's value comes from and what it is. A bare string in the file is a template.
#[derive(Debug, Default)]
pub(super) struct Field {
    pub(super) source: Source,
    pub(super) options: Options,
}

/// Exactly one of these is meant; which ones were written is kept so that a mistake can be named.
#[derive(Debug, Default)]
pub(super) struct Source {
    pub(super) column: Option<String>,
    pub(super) template: Option<String>,
    pub(super) constant: Option<toml::Value>,
}

/// The ways a value is read.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) kind: Option<Kind>,
    pub(super) aliases: BTreeMap<String, String>,
    pub(super) default: Option<String>,
    pub(super) empty: Empty,
    pub(super) format: Option<String>,
    pub(super) currency: Option<String>,
    pub(super) currency_column: Option<String>,
    pub(super) multiplier: Option<toml::Value>,
    pub(super) decimal_mark: Option<char>,
    pub(super) group_mark: Option<char>,
    pub(super) separator: Option<String>,
}

/// The types a cell can be read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Text,
    Integer,
    Decimal,
    Money,
    Date,
    Bool,
    List,
}

/// What an empty cell does to a record that is already there.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Empty {
    /// The record keeps what it has.
    #[default]
    Keep,
    /// The record's field is cleared.
    Clear,
}

/// The long form of a field, as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    column: Option<String>,
    template: Option<String>,
    constant: Option<toml::Value>,
    #[serde(rename = "type")]
    kind: Option<Kind>,
    #[serde(default)]
    aliases: BTreeMap<String, String>,
    default: Option<String>,
    #[serde(default)]
    empty: Empty,
    format: Option<String>,
    currency: Option<String>,
    currency_column: Option<String>,
    multiplier: Option<toml::Value>,
    decimal_mark: Option<char>,
    group_mark: Option<char>,
    separator: Option<String>,
}

impl From<Table> for Field {
    fn from(table: Table) -> Self {
        Self {
            source: Source {
                column: table.column,
                template: table.template,
                constant: table.constant,
            },
            options: Options {
                kind: table.kind,
                aliases: table.aliases,
                default: table.default,
                empty: table.empty,
                format: table.format,
                currency: table.currency,
                currency_column: table.currency_column,
                multiplier: table.multiplier,
                decimal_mark: table.decimal_mark,
                group_mark: table.group_mark,
                separator: table.separator,
            },
        }
    }
}

/// Written by hand because an untagged enum hides which key of the table is wrong.
impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldVisitor;

        impl<'de> Visitor<'de> for FieldVisitor {
            type Value = Field;

            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("a template in quotes or a table with `column`, `template` or `constant`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Field, E> {
                let source = Source {
                    template: Some(text.to_owned()),
                    ..Source::default()
                };
                Ok(Field {
                    source,
                    ..Field::default()
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Field, A::Error> {
                let table = Table::deserialize(MapAccessDeserializer::new(map)).map_err(|error| {
                    let nested = error.to_string().contains("unknown field");
                    let hint = if nested {
                        "; a nested target is written in quotes: \"organisation.industry\""
                    } else {
                        ""
                    };
                    A::Error::custom(format!("{error}{hint}"))
                })?;
                Ok(table.into())
            }
        }
        deserializer.deserialize_any(FieldVisitor)
    }
}

impl Mapping {
    /// Reads a mapping file; the error text has the line and shows it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }
}

fn comma() -> char {
    ','
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(fields: &str) -> String {
        let text =
            format!("[[pass]]\nresource = 'customers'\nupsert = {{ system = 's', external_id = '{{a}}' }}\n{fields}");
        Mapping::parse(&text).err().unwrap_or_default()
    }

    #[test]
    fn a_bare_string_is_a_template_and_a_table_the_long_form() {
        let text = "[[pass]]\nupsert = { system = 's', external_id = '{a}' }\nwhen = 'a'\n[pass.fields]\nname = '{a}'\n\
                    \"organisation.employees\" = { column = 'b', type = 'integer' }";
        let mapping = Mapping::parse(text).unwrap();
        let pass = &mapping.passes[0];
        assert_eq!(pass.when.as_slice(), ["a"]);
        assert_eq!(pass.fields["name"].source.template.as_deref(), Some("{a}"));
        assert_eq!(pass.fields["organisation.employees"].options.kind, Some(Kind::Integer));
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_line() {
        let message = error("[pass.fields]\nname = { colum = 'a' }");
        assert!(message.contains("colum") && message.contains("line 5"), "{message}");
        let message = error("[pass.fields]\nname = { column = 'a', type = 'monney' }");
        assert!(message.contains("monney") && message.contains("money"), "{message}");
    }

    #[test]
    fn a_nested_target_without_quotes_gets_a_hint() {
        let message = error("[pass.fields]\norganisation.industry = { column = 'a' }");
        assert!(message.contains("in quotes"), "{message}");
    }

    #[test]
    fn a_pass_needs_a_key() {
        let message = Mapping::parse("[[pass]]\nresource = 'customers'")
            .err()
            .unwrap_or_default();
        assert!(message.contains("upsert"), "{message}");
    }
}

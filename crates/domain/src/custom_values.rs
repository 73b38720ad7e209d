//! The values of custom fields: how JSON is read as one, what a record may hold, and how filters and rules see them.
//! What a custom field is, is told in [`crate::customer::custom_fields`].

mod fields;
#[cfg(test)]
mod tests;

use crate::customer::custom_fields::{CustomField, CustomFieldFields, CustomFieldType};
use crate::fault::Fault;
use crate::kind::Kind;
use crate::money::{Money, MoneyText, parse_amount};
use crate::record::Reference;
use crate::registry::Field;
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};
use sql::ids::RecordId;
use std::collections::HashSet;
use utoipa::ToSchema;

/// How many characters a text may have; indexes of PostgreSQL take no longer ones.
pub const MOST_CHARACTERS: usize = 500;

/// Numbers are kept as so many parts of one: exact to four decimals.
pub const NUMBER_SCALE: i64 = 10_000;

/// Numbers stay below this, so that JSON readers with 64-bit floats get every digit.
const NUMBERS_BELOW: i64 = 100_000_000_000;

/// The values of the fields that the tenant added, by their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CustomValues(#[serde(deserialize_with = "object")] pub Map<String, Value>);

/// Only an object: a map of `serde_json` by itself takes null for an empty one.
fn object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Object(values) => Ok(values),
        _ => Err(D::Error::custom("invalid type, expected an object")),
    }
}

/// The value of a custom field, of the type that the field has.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum CustomValue {
    /// Of text, date (`2026-01-31`), choice and reference (the id).
    Text(CustomText),
    /// Of number.
    Number(f64),
    /// Of bool.
    Bool(bool),
    /// Of money.
    Money(MoneyText),
    /// Of multi choice.
    Options(CustomOptions),
}

/// The text of a custom value.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(value_type = String, max_length = 500)]
pub struct CustomText(String);

/// The options that a custom value has.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(value_type = Vec<CustomText>, max_items = 200)]
pub struct CustomOptions(Vec<CustomText>);

/// A value of a custom field, as it is kept for finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// A text, or an option.
    Text(String),
    /// A number, in parts of [`NUMBER_SCALE`].
    Number(i64),
    /// An amount.
    Money(Money),
    /// A day.
    Date(NaiveDate),
    /// Yes or no.
    Bool(bool),
    /// Several options.
    Options(Vec<String>),
    /// Another record.
    Reference(RecordId),
}

impl Typed {
    /// As records show it.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Number(number) => number_json(*number),
            Self::Money(money) => json!(money),
            Self::Date(date) => json!(date),
            Self::Bool(bool) => json!(bool),
            Self::Options(options) => json!(options),
            Self::Reference(id) => json!(id),
        }
    }
}

/// A number as JSON has it: whole where it is, otherwise the nearest float, which names the same decimal.
#[expect(clippy::cast_precision_loss, reason = "numbers have at most 15 digits")]
pub fn number_json(scaled: i64) -> Value {
    if scaled % NUMBER_SCALE == 0 {
        json!(scaled / NUMBER_SCALE)
    } else {
        json!(scaled as f64 / NUMBER_SCALE as f64)
    }
}

/// The parts of a JSON number.
pub fn scaled_number(json: &Value) -> Option<i64> {
    let Value::Number(number) = json else { return None };
    // JSON writes very large and very small floats with an exponent: those are out of range anyway.
    parse_amount(&number.to_string())
        .ok()?
        .checked_mul(Decimal::from(NUMBER_SCALE))
        .filter(|number| number.is_integer() && number.abs() < Decimal::from(NUMBERS_BELOW * NUMBER_SCALE))
        .and_then(|number| number.to_i64())
}

/// The custom fields of a tenant that are not deleted.
#[derive(Debug, Default)]
pub struct Catalogue(pub Vec<CustomField>);

impl Catalogue {
    /// The definition of a field of a kind of record.
    pub fn definition(&self, kind: Kind, key: &str) -> Option<&CustomFieldFields> {
        self.of(kind).find(|field| field.key == key)
    }

    /// The definitions for a kind of record.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &CustomFieldFields> {
        let fields = self.0.iter().map(|field| &field.fields);
        fields.filter(move |fields| fields.resource == kind)
    }

    /// The field `custom.key` of a kind of record, as filters, sorting and rules know fields.
    pub fn field(&self, kind: Kind, name: &str) -> Option<&'static Field> {
        let definition = self.definition(kind, name.strip_prefix("custom.")?)?;
        fields::interned(kind, &definition.key, definition.value_type)
    }

    /// The options that values of a field are among; none when it is no choice.
    pub fn options(&self, kind: Kind, name: &str) -> Option<Vec<&str>> {
        let definition = self.definition(kind, name.strip_prefix("custom.")?)?;
        let options = definition.options.iter().map(|option| option.value.as_str());
        definition.value_type.has_options().then(|| options.collect())
    }

    /// The records that custom values name, to be checked: they must exist.
    pub fn references(&self, kind: Kind, values: &CustomValues) -> Vec<Reference> {
        let named = values.0.iter().filter_map(|(key, value)| {
            let target = self.definition(kind, key)?.target?;
            Some(Reference {
                pointer: pointer(key),
                kind: target,
                id: value.as_str()?.parse().ok()?,
            })
        });
        named.collect()
    }

    /// Brings the values of a record to their one form and notes every fault of them. What the record held before
    /// may stay, whatever has become of its field.
    pub fn check(&self, kind: Kind, before: Option<&CustomValues>, values: &mut CustomValues, faults: &mut Vec<Fault>) {
        for (key, value) in &mut values.0 {
            if before.is_some_and(|before| before.0.get(key) == Some(value)) {
                continue;
            }
            match self.definition(kind, key) {
                Some(_) if is_nothing(value) => {}
                Some(definition) => match settable(definition, value) {
                    Ok(typed) => *value = typed.to_json(),
                    Err((code, message)) => faults.push(Fault::new(pointer(key), code, message)),
                },
                None => {
                    let message = format!("is not a custom field of {}", kind.plural());
                    faults.push(Fault::new(pointer(key), "unknown_field", message));
                }
            }
        }
        values.0.retain(|_, value| !is_nothing(value));
        let missing = self.of(kind).filter(|field| field.required && !field.archived);
        let missing = missing.filter(|field| {
            let had = before.is_none_or(|before| before.0.contains_key(&field.key));
            had && !values.0.contains_key(&field.key)
        });
        faults.extend(missing.map(|field| Fault::new(pointer(&field.key), "required", "is required")));
    }
}

/// Null, and no option of several.
fn is_nothing(value: &Value) -> bool {
    value.is_null() || *value == json!([])
}

/// Whether a rule or a part of one names a custom field, of its own kind of record or one hop away.
pub fn are_named(rule: &Value) -> bool {
    match rule {
        Value::String(text) => text.contains("custom."),
        Value::Array(items) => items.iter().any(are_named),
        Value::Object(members) => members.values().any(are_named),
        _ => false,
    }
}

fn pointer(key: &str) -> String {
    format!("/custom/{}", crate::input::escaped(key))
}

type Wrong = (&'static str, String);

fn settable(definition: &CustomFieldFields, value: &Value) -> Result<Typed, Wrong> {
    if definition.archived {
        return Err(("archived", "is of a custom field that is out of use".to_owned()));
    }
    let typed = typed(definition.value_type, value)?;
    let is_option = |text: &String| definition.options.iter().any(|option| option.value == *text);
    let offered = match &typed {
        Typed::Text(text) if definition.value_type.has_options() => is_option(text),
        Typed::Options(texts) => texts.iter().all(is_option),
        _ => true,
    };
    if offered {
        return Ok(typed);
    }
    let options: Vec<_> = definition.options.iter().map(|option| option.value.as_str()).collect();
    Err(("not_a_choice", format!("must be of {}", options.join(", "))))
}

/// Reads a value by the type of its field.
pub fn typed(value_type: CustomFieldType, value: &Value) -> Result<Typed, Wrong> {
    match value_type {
        CustomFieldType::Text | CustomFieldType::Choice => text(value).map(Typed::Text),
        CustomFieldType::Number => scaled_number(value).map(Typed::Number).ok_or_else(|| {
            let message = "must be a number with at most 11 digits before and 4 after the point";
            ("invalid_value", message.to_owned())
        }),
        CustomFieldType::Money => serde_json::from_value(value.clone()).map(Typed::Money).map_err(|_| {
            let message = "must be an amount and a currency, such as {\"amount\": \"500.00\", \"currency\": \"EUR\"}";
            ("invalid_value", message.to_owned())
        }),
        CustomFieldType::Date => {
            let date = value
                .as_str()
                .filter(|text| text.len() == 10)
                .and_then(|text| text.parse().ok());
            date.filter(|date: &NaiveDate| (1..=9999).contains(&date.year()))
                .map(Typed::Date)
                .ok_or_else(|| ("invalid_value", "must be a day such as 2026-01-31".to_owned()))
        }
        CustomFieldType::Bool => value
            .as_bool()
            .map(Typed::Bool)
            .ok_or_else(|| ("invalid_type", "must be true or false".to_owned())),
        CustomFieldType::MultiChoice => options(value).map(Typed::Options),
        CustomFieldType::Reference => value
            .as_str()
            .and_then(|text| text.parse().ok())
            .map(Typed::Reference)
            .ok_or_else(|| ("invalid_value", "must be a UUID".to_owned())),
    }
}

fn text(value: &Value) -> Result<String, Wrong> {
    let text = value.as_str().ok_or(("invalid_type", "must be a text".to_owned()))?;
    if text.contains('\0') {
        return Err(("invalid_value", "must not contain U+0000".to_owned()));
    }
    if (1..=MOST_CHARACTERS).contains(&text.chars().count()) {
        Ok(text.to_owned())
    } else {
        Err(("invalid_length", format!("must have 1 to {MOST_CHARACTERS} characters")))
    }
}

fn options(value: &Value) -> Result<Vec<String>, Wrong> {
    let items = value.as_array().filter(|items| items.len() <= 200);
    let items = items.ok_or(("invalid_type", "must be a list of at most 200 options".to_owned()))?;
    let mut seen = HashSet::new();
    let texts = items.iter().map(text).collect::<Result<Vec<_>, _>>()?;
    Ok(texts.into_iter().filter(|text| seen.insert(text.clone())).collect())
}

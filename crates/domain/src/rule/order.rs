//! The order of lists, and the place in it where a page ends.

use super::Value;
use crate::custom_values::scaled_number;
use crate::money::Money;
use crate::registry::{Field, FieldType, Registry};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sql::Timestamp;

/// How many fields a list may be sorted by, beside the id.
pub const MOST_KEYS: usize = 3;

/// A field that a list is sorted by. Records that lack it come last, whichever way it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortKey {
    /// The field.
    pub field: &'static Field,
    /// From the greatest to the least.
    pub descending: bool,
}

/// Where a record stands in an order: its values of the sort keys. Amounts have two, the currency and the minor
/// units, as they sort by currency first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub Vec<Option<Value>>);

impl Position {
    /// The place of a record, from its JSON; none when that is not a record of the registry.
    pub fn of(record: &Json, keys: &[SortKey]) -> Option<Self> {
        let mut values = Vec::with_capacity(keys.len() + 1);
        for key in keys {
            let json = member(record, key.field.name);
            if key.field.field_type == FieldType::Money {
                let money: Option<Money> = serde_json::from_value(json.clone()).ok()?;
                values.push(money.map(|money| Value::Text(money.currency().as_str().to_owned())));
                values.push(money.map(|money| Value::Integer(money.minor())));
            } else {
                let value = if json.is_null() {
                    None
                } else {
                    Some(value(json, key.field.field_type)?)
                };
                values.push(value);
            }
        }
        Some(Self(values))
    }

    /// Whether it has a value of the right type for each key, as one that was made for another order has not.
    pub fn fits(&self, keys: &[SortKey]) -> bool {
        let types = keys.iter().flat_map(|key| match key.field.field_type {
            FieldType::Money => vec![(FieldType::Text, true), (FieldType::Integer, true)],
            other => vec![(other, key.field.optional)],
        });
        let types: Vec<_> = types.collect();
        types.len() == self.0.len()
            && types
                .iter()
                .zip(&self.0)
                .all(|((field_type, optional), value)| match value {
                    Some(value) => value.is_of(*field_type),
                    None => *optional,
                })
    }
}

impl Value {
    fn is_of(&self, field_type: FieldType) -> bool {
        match self {
            Self::Text(_) => matches!(field_type, FieldType::Text | FieldType::Choice(_) | FieldType::List),
            Self::Integer(_) => matches!(field_type, FieldType::Integer | FieldType::Decimal),
            Self::Id(_) => field_type == FieldType::Id,
            Self::Instant(_) => field_type == FieldType::Instant,
            Self::Date(_) => field_type == FieldType::Date,
            Self::Bool(_) => field_type == FieldType::Bool,
            Self::Money(_) => field_type == FieldType::Money,
        }
    }
}

impl Registry {
    /// The order of a list that names none: by id, which is the order of creation.
    pub fn default_order(&self) -> Vec<SortKey> {
        let id = self.field("id").map(|field| SortKey {
            field,
            descending: false,
        });
        id.into_iter().collect()
    }
}

/// The member that a field names, in an object within when its name has a point.
fn member<'a>(record: &'a Json, name: &str) -> &'a Json {
    name.split('.').fold(record, |json, part| &json[part])
}

fn value(json: &Json, field_type: FieldType) -> Option<Value> {
    let text = json.as_str();
    Some(match field_type {
        FieldType::Text | FieldType::Choice(_) => Value::Text(text?.to_owned()),
        FieldType::Integer => Value::Integer(json.as_i64()?),
        FieldType::Decimal => Value::Integer(scaled_number(json)?),
        FieldType::Id => Value::Id(text?.parse().ok()?),
        FieldType::Instant => Value::Instant(Timestamp::parse(text?)?),
        FieldType::Date => Value::Date(text?.parse().ok()?),
        FieldType::Bool => Value::Bool(json.as_bool()?),
        FieldType::Money | FieldType::List => return None,
    })
}

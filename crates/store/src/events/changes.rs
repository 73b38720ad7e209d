//! What an event tells of a change: each field that differs, before and after.

use domain::registry::UNTOLD;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The value of a field before and after a change.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FieldChange {
    /// Before; null when there was none.
    before: Value,
    /// After; null when there is none.
    after: Value,
}

/// The changes of fields, by their names. A list, because a thousand new records have tens of thousands of them, which are
/// only written.
#[derive(Debug, Clone, Default)]
pub struct FieldChanges(Vec<(String, FieldChange)>);

impl FieldChanges {
    /// The fields that differ between two states of a record, each with its value before and after. A new record was null.
    pub(crate) fn between(before: Value, after: Value) -> Self {
        let (mut before, after) = (members(before), members(after));
        let mut changes = Self(Vec::with_capacity(after.len()));
        for (name, new) in after {
            let old = before.remove(&name).unwrap_or_default();
            changes.add(name, old, new);
        }
        for (name, old) in before {
            changes.add(name, old, Value::Null);
        }
        changes
    }

    /// One more field and its values.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, before: Value, after: Value) -> Self {
        self.0.push((name.to_owned(), FieldChange { before, after }));
        self
    }

    /// Only the change of one field.
    #[must_use]
    pub(crate) fn only(mut self, name: &str) -> Self {
        self.0.retain(|(changed, _)| changed == name);
        self
    }

    fn add(&mut self, name: String, mut before: Value, mut after: Value) {
        if UNTOLD.contains(&name.as_str()) {
            return;
        }
        if let ("custom", Value::Object(old), Value::Object(new)) = (name.as_str(), &mut before, &mut after) {
            keep_differing(old, new);
        }
        if before != after && !(is_nothing(&before) && is_nothing(&after)) {
            self.0.push((name, FieldChange { before, after }));
        }
    }
}

impl Serialize for FieldChanges {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, change)| (name, change)))
    }
}

/// Of many custom values few change at a time: the others need not be told.
fn keep_differing(old: &mut Map<String, Value>, new: &mut Map<String, Value>) {
    let all_old = old.clone();
    old.retain(|key, value| new.get(key) != Some(value));
    new.retain(|key, value| all_old.get(key) != Some(value));
}

fn members(record: Value) -> Map<String, Value> {
    match record {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Null, and the empty list or object that stands for it.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

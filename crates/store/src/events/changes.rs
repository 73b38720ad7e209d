//! What an event tells of a change: each field that differs, before and after.

use crate::Error;
use crate::shown::{Members, Shown};
use domain::registry::UNTOLD;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sql::Json;
use utoipa::ToSchema;

/// The value of a field before and after a change.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FieldChange<'a> {
    /// Before; null when there was none.
    #[schema(value_type = Value)]
    before: Told<'a>,
    /// After; null when there is none.
    #[schema(value_type = Value)]
    after: Told<'a>,
}

/// A value that an event tells.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Told<'a> {
    /// As a record showed it.
    Shown(Option<&'a RawValue>),
    Value(Value),
}

/// The changes of fields, by their names: the JSON that an event keeps, but for its end. A new record has some fifty, which
/// are only written.
#[derive(Debug, Clone, Default)]
pub struct FieldChanges(Vec<u8>);

impl FieldChanges {
    /// The fields that differ between two states of a record, each with its value before and after.
    pub(crate) fn between(before: Option<&Shown>, after: Option<&Shown>) -> Result<Self, Error> {
        Ok(Self::compared(before, after)?.0)
    }

    /// The same, and whether anything differs at all, even what events do not tell.
    pub(crate) fn compared(before: Option<&Shown>, after: Option<&Shown>) -> Result<(Self, bool), Error> {
        let mut changes = Self::default();
        let mut any = false;
        if before == after {
            return Ok((changes, any));
        }
        for Pair { name, before, after } in pairs(before, after)? {
            let (old, new) = (text(before), text(after));
            let is_same = are_same(old, new);
            any |= !is_same || before.is_some() != after.is_some();
            if is_same || UNTOLD.contains(&name) || (is_nothing(old) && is_nothing(new)) {
                continue;
            }
            let change = if name == "custom" {
                change_of_custom_values(old, new)?
            } else {
                let (before, after) = (Told::Shown(before), Told::Shown(after));
                FieldChange { before, after }
            };
            changes.tell(name, &change)?;
        }
        Ok((changes, any))
    }

    /// One more field and its values.
    pub(crate) fn with(mut self, name: &str, before: Value, after: Value) -> Result<Self, Error> {
        let (before, after) = (Told::Value(before), Told::Value(after));
        self.tell(name, &FieldChange { before, after })?;
        Ok(self)
    }

    /// Only the change of one field.
    pub(crate) fn only(&self, name: &str) -> Result<Self, Error> {
        let all = self.clone().json();
        let mut only = Self::default();
        if let Some(change) = Members::of(&all)?.get(name) {
            only.tell(name, change)?;
        }
        Ok(only)
    }

    fn tell(&mut self, name: &str, change: impl Serialize) -> Result<(), Error> {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        serde_json::to_writer(&mut self.0, name)?;
        self.0.push(b':');
        serde_json::to_writer(&mut self.0, &change)?;
        Ok(())
    }

    fn json(mut self) -> String {
        self.0.extend_from_slice(if self.0.is_empty() { b"{}" } else { b"}" });
        // JSON is always written in UTF-8.
        String::from_utf8(self.0).unwrap_or_default()
    }
}

/// As an event keeps them.
impl From<FieldChanges> for Json<Map<String, Value>> {
    fn from(changes: FieldChanges) -> Self {
        Self::of_json(changes.json())
    }
}

/// A member of two states of a record.
struct Pair<'a> {
    name: &'a str,
    before: Option<&'a RawValue>,
    after: Option<&'a RawValue>,
}

/// The members that either state has.
fn pairs<'a>(before: Option<&'a Shown>, after: Option<&'a Shown>) -> Result<Vec<Pair<'a>>, Error> {
    let members = |shown: Option<&'a Shown>| shown.map(Shown::members).transpose();
    let (before, after) = (
        members(before)?.unwrap_or_default(),
        members(after)?.unwrap_or_default(),
    );
    let there = after.iter().enumerate().map(|(at, (name, value))| Pair {
        name,
        before: before.near(at, name),
        after: Some(value),
    });
    let gone = before.iter().enumerate().filter_map(|(at, (name, value))| {
        let is_gone = after.near(at, name).is_none();
        is_gone.then_some(Pair {
            name,
            before: Some(value),
            after: None,
        })
    });
    Ok(there.chain(gone).collect())
}

fn text(value: Option<&RawValue>) -> &str {
    value.map_or("null", RawValue::get)
}

/// Whether two texts say the same: one may come from PostgreSQL, which spaces and orders in its own way.
fn are_same(one: &str, other: &str) -> bool {
    let value = |text| serde_json::from_str::<Value>(text).ok();
    one == other || (one != "null" && other != "null" && value(one).is_some_and(|one| Some(one) == value(other)))
}

/// Null, and the empty list or object that stands for it.
fn is_nothing(text: &str) -> bool {
    matches!(text, "null" | "[]" | "{}")
}

/// Of many custom values few change at a time: the others need not be told.
fn change_of_custom_values(before: &str, after: &str) -> Result<FieldChange<'static>, Error> {
    type Values = Option<Map<String, Value>>;
    let (mut old, mut new): (Values, Values) = (serde_json::from_str(before)?, serde_json::from_str(after)?);
    if let (Some(old), Some(new)) = (&mut old, &mut new) {
        let all_old = old.clone();
        old.retain(|key, value| new.get(key) != Some(value));
        new.retain(|key, value| all_old.get(key) != Some(value));
    }
    Ok(FieldChange {
        before: Told::Value(old.map_or(Value::Null, Value::Object)),
        after: Told::Value(new.map_or(Value::Null, Value::Object)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(text: &str) -> Shown {
        Shown::of(&RawValue::from_string(text.to_owned()).unwrap()).unwrap()
    }

    fn told(before: Option<&str>, after: Option<&str>) -> Value {
        let (before, after) = (before.map(shown), after.map(shown));
        let changes = FieldChanges::between(before.as_ref(), after.as_ref()).unwrap();
        serde_json::from_str(&changes.json()).unwrap()
    }

    #[test]
    fn what_differs_is_told_before_and_after() {
        let before = r#"{"id": 1, "version": 1, "name": "Ada", "tags": ["a"], "gone": true}"#;
        let after = r#"{"id": 1, "version": 2, "new": 7, "name": "Bea", "tags": ["a"]}"#;
        let expected = json!({
            "new": {"before": null, "after": 7},
            "name": {"before": "Ada", "after": "Bea"},
            "gone": {"before": true, "after": null},
        });
        assert_eq!(told(Some(before), Some(after)), expected);
        assert_eq!(
            told(
                None,
                Some(r#"{"id": 1, "name": "Ada", "tags": [], "custom": {}, "owner_id": null}"#)
            ),
            json!({"name": {"before": null, "after": "Ada"}}),
        );
        assert_eq!(told(None, None), json!({}));
    }

    #[test]
    fn another_spelling_of_the_same_is_no_change() {
        let before = r#"{"emails": [{"label": "home", "address": "a@b.example"}], "amount": 1, "tags": null}"#;
        let after = r#"{"emails":[{"address":"a@b.example","label":"home"}],"amount":1,"tags":[]}"#;
        assert_eq!(told(Some(before), Some(after)), json!({}));
        let differ = |before, after: &str| {
            let (_, any) = FieldChanges::compared(Some(&shown(before)), Some(&shown(after))).unwrap();
            any
        };
        assert!(differ(before, after), "no tags were null before");
        assert!(!differ(before, &after.replace("[]", "null")));
        assert!(differ(r#"{"a": null}"#, "{}"));
    }

    #[test]
    fn one_field_can_be_told_alone() {
        let changes = FieldChanges::default().with("stage", json!(1), json!(2)).unwrap();
        let changes = changes.with("note", Value::Null, json!("so")).unwrap();
        let only = |name| changes.only(name).unwrap().json();
        assert_eq!(only("note"), r#"{"note":{"before":null,"after":"so"}}"#);
        assert_eq!(only("other"), "{}");
    }

    #[test]
    fn of_custom_values_those_that_differ_are_told() {
        let before = r#"{"custom": {"size": 1, "colour": "red", "plan": "a"}}"#;
        let after = r#"{"custom": {"plan": "a", "size": 2}}"#;
        let expected = json!({"custom": {"before": {"size": 1, "colour": "red"}, "after": {"size": 2}}});
        assert_eq!(told(Some(before), Some(after)), expected);
        let first = json!({"custom": {"before": null, "after": {"plan": "a", "size": 2}}});
        assert_eq!(told(None, Some(after)), first);
    }
}

//! What can be asked of the past: fields whose changes the log tells, and what happened until then.

use super::Operand;
use super::field::{Reader, Target};
use super::literal::Wrong;
use super::parse::Parser;
use crate::fault::Fault;
use crate::kind::Kind;
use crate::registry::{Field, FieldType, Link, Registry, Relation, Source};
use serde_json::{Map, Value};
use sql::Timestamp;

/// The code of what the log does not tell.
const NO_HISTORY: &str = "no_history";
const NOT_KEPT: &str = "the values that it had are not kept";

impl Field {
    /// Whether its value at an instant of the past can be known: it never changes, or the log tells each change. A merge
    /// moves references to customers without telling it of each record, so theirs are not known.
    pub fn has_past(&self) -> bool {
        let may_be_moved = self.references == Some(Kind::Customer)
            || (matches!(self.source, Source::Custom { .. }) && self.field_type == FieldType::Id);
        ["id", "created_at", "created_by"].contains(&self.name) || (self.is_told() && !may_be_moved)
    }
}

/// Whether it can be known which record a relation led to.
fn leads_in_past(relation: &Relation, registry: &Registry) -> bool {
    let Link::One { column } = relation.link else {
        return false;
    };
    registry.field_in(column).is_some_and(Field::has_past)
}

impl Parser<'_> {
    /// Refuses what a node about records asks beside fields and events, where the past is asked for.
    pub(super) fn refuse_beyond_past(&mut self, node: &Map<String, Value>, at: &str) -> Option<()> {
        for (name, what) in [
            ("related", "related records were"),
            ("segment", "segments had as members"),
        ] {
            if self.past && node.contains_key(name) {
                let message = format!("what {what} then is not kept");
                return self.fault(format!("{at}/{name}"), NO_HISTORY, message);
            }
        }
        Some(())
    }

    /// A target of which the past can be known, where the past is asked for.
    pub(super) fn with_past(&mut self, target: Target, registry: &Registry, at: &str) -> Option<Target> {
        if !self.past || registry.is_of_events() {
            return Some(target);
        }
        match target {
            Target::Field(None, field) if field.has_past() => Some(target),
            Target::Field(Some(via), field) if field.has_past() && leads_in_past(via, registry) => Some(target),
            Target::Field(..) => self.fault(at, NO_HISTORY, NOT_KEPT),
            Target::Record(_) => self.fault(at, NO_HISTORY, "what a search would have found then is not kept"),
        }
    }
}

impl Reader<'_> {
    /// An operand of which the past can be known, where the past is asked for.
    pub(super) fn operand_with_past(&self, operand: Operand, own: &Registry) -> Result<Operand, Wrong> {
        match operand {
            Operand::Field { field, .. } if self.past && !own.is_of_events() && !field.has_past() => {
                Err((NO_HISTORY, NOT_KEPT.into()))
            }
            other => Ok(other),
        }
    }
}

/// What is wrong with asking what was at an instant: it is yet to come, or before the oldest event that is kept.
pub fn fault_of_instant(asked: Timestamp, now: Timestamp, oldest_event: Option<Timestamp>) -> Option<Fault> {
    let fault = |code, message: String| Some(Fault::new("/as_of", code, message));
    match oldest_event {
        _ if asked > now => fault("out_of_range", "must not be in the future".to_owned()),
        Some(oldest) if oldest <= asked => None,
        Some(oldest) => fault(
            "history_not_kept",
            format!("is before the oldest event that is kept, of {}", oldest.to_rfc3339()),
        ),
        None => fault("history_not_kept", "no event is kept".to_owned()),
    }
}

/// A record as it was, from what it is and the changes of the events since, the oldest first.
pub fn as_it_was(mut record: Value, since: &[Map<String, Value>]) -> Value {
    let changes = since.iter().rev().flatten();
    for (name, change) in changes {
        let before = change.get("before").cloned().unwrap_or_default();
        match (name.as_str(), record.get_mut(name)) {
            ("custom", Some(Value::Object(values))) => take_back(values, &before, change.get("after")),
            (_, Some(member)) => *member = before,
            // The event tells of something else than a member of the record.
            (_, None) => {}
        }
    }
    record
}

/// Events tell of the custom values that changed and not of the others.
fn take_back(values: &mut Map<String, Value>, before: &Value, after: Option<&Value>) {
    for key in after
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, _)| key)
    {
        values.remove(key);
    }
    let before = before.as_object().into_iter().flatten();
    values.extend(before.map(|(key, value)| (key.clone(), value.clone())));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn changes(json: Value) -> Map<String, Value> {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_record_goes_back_through_all_its_changes() {
        let now = json!({"name": "C", "language": null, "custom": {"tier": "gold", "size": 3}, "tags": []});
        let since = [
            changes(json!({"name": {"before": "A", "after": "B"}, "language": {"before": "de", "after": null}})),
            changes(json!({"custom": {"before": {"tier": "blue"}, "after": {"tier": "gold"}}})),
            changes(json!({
                "name": {"before": "B", "after": "C"}, "custom": {"before": {"old": 1}, "after": {"size": 3}},
                "segment_id": {"before": null, "after": "x"},
            })),
        ];
        let expected = json!({"name": "A", "language": "de", "custom": {"tier": "blue", "old": 1}, "tags": []});
        assert_eq!(as_it_was(now.clone(), &since), expected);
        assert_eq!(as_it_was(now.clone(), &[]), now);
    }

    #[test]
    fn the_past_begins_with_the_oldest_event_and_ends_now() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let (first, now) = (at("2026-01-01T00:00:00Z"), at("2026-11-22T12:00:00Z"));
        let code = |asked: &str, oldest| fault_of_instant(at(asked), now, oldest).map(|fault| fault.code);
        assert_eq!(code("2026-01-01T00:00:00Z", Some(first)), None);
        assert_eq!(code("2026-11-22T12:00:00Z", Some(first)), None);
        assert_eq!(
            code("2026-11-22T12:00:00.000001Z", Some(first)).unwrap(),
            "out_of_range"
        );
        assert_eq!(code("2025-12-31T23:59:59Z", Some(first)).unwrap(), "history_not_kept");
        assert_eq!(code("2026-06-01T00:00:00Z", None).unwrap(), "history_not_kept");
    }
}

//! The fields of events, by which a rule says which events it means: what happened when, who did it, and what the fields
//! of the record were before and after.

use super::history::LOGGED_AT;
use crate::custom_values::Catalogue;
use crate::kind::Kind;
use crate::registry::{EVENTS, Field, FieldType, Registry, Side, Source};
use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

/// The kinds of principals that may have done something.
pub const ACTORS: &[&str] = &["user", "service_account", "system"];

/// The fields that every event has.
const OF_EVERY_EVENT: [Field; 5] = [
    Field::text("kind").required(),
    Field::new(LOGGED_AT.name, LOGGED_AT.field_type).required(),
    Field::new("version", FieldType::Integer).required(),
    Field::choice("actor.type", ACTORS).required().in_column("actor_kind"),
    Field::new("actor.id", FieldType::Id).in_column("actor_id"),
];

/// The events about records of a kind, described as if they were records themselves.
pub fn events_of(kind: Kind) -> &'static Registry {
    static ALL: LazyLock<Vec<Registry>> = LazyLock::new(|| Kind::ALL.iter().copied().map(registry).collect());
    &ALL[kind as usize]
}

fn registry(kind: Kind) -> Registry {
    let told = kind.registry().all_fields().filter(|field| field.is_told());
    let both_sides = told.flat_map(|field| [Side::Before, Side::After].map(|side| changed(side, field)));
    let fields: Vec<Field> = OF_EVERY_EVENT.into_iter().chain(both_sides).collect();
    Registry {
        kind,
        plural: "events",
        table: EVENTS,
        fields: Vec::leak(fields),
        relations: &[],
        owned: false,
    }
}

fn changed(side: Side, of: &'static Field) -> Field {
    let name: &'static str = String::leak(format!("{}.{}", side.as_str(), of.name));
    Field {
        source: Source::Change { side, of },
        ..Field::new(name, of.field_type)
    }
}

/// The field `before.custom.key` or `after.custom.key`: always the same one. There are no more of them than twice the
/// custom fields, which are limited.
pub(super) fn of_custom_field(custom: &Catalogue, kind: Kind, name: &str) -> Option<&'static Field> {
    type Known = HashMap<(Side, usize), &'static Field>;
    static INTERNED: LazyLock<RwLock<Known>> = LazyLock::new(RwLock::default);
    let (side, name) = name.split_once('.')?;
    let side = [Side::Before, Side::After]
        .into_iter()
        .find(|one| one.as_str() == side)?;
    let of = custom.field(kind, name).filter(|field| field.is_told())?;
    // A custom field is one place in memory for as long as the program runs.
    let key = (side, std::ptr::from_ref(of).addr());
    let known = INTERNED
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&key)
        .copied();
    let new = || {
        let mut interned = INTERNED.write().unwrap_or_else(PoisonError::into_inner);
        *interned
            .entry(key)
            .or_insert_with(|| Box::leak(Box::new(changed(side, of))))
    };
    Some(known.unwrap_or_else(new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_the_events_about_itself() {
        for kind in Kind::ALL {
            assert_eq!(events_of(*kind).kind, *kind);
        }
    }

    #[test]
    fn fields_whose_changes_are_told_have_two_sides() {
        let events = events_of(Kind::Customer);
        for name in [
            "kind",
            "actor.id",
            "before.lifecycle",
            "after.organisation.industry",
            "after.owner_id",
        ] {
            assert!(events.field(name).is_some(), "{name}");
        }
        for name in [
            "id",
            "owner_id",
            "after.tags",
            "after.version",
            "after.call_count",
            "lifecycle",
        ] {
            assert!(events.field(name).is_none(), "{name}");
        }
    }
}

//! Custom fields as the mechanics of filters and rules know fields: by a reference that lives as long as the program.

use crate::customer::custom_fields::CustomFieldType;
use crate::kind::Kind;
use crate::registry::{Field, FieldType, Source};
use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

/// How many different fields of all tenants together may be asked for before the program is started anew: some ten
/// megabytes. Tenants name their fields alike, so a service meets few of them.
const MOST_INTERNED: usize = 65_536;

type Key = (Kind, String, CustomFieldType);

static INTERNED: LazyLock<RwLock<HashMap<Key, &'static Field>>> = LazyLock::new(RwLock::default);

/// The field of a kind of record with this key and type: always the same one. None once there are too many.
pub(super) fn interned(kind: Kind, key: &str, value_type: CustomFieldType) -> Option<&'static Field> {
    let wanted = (kind, key.to_owned(), value_type);
    let known = INTERNED
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&wanted)
        .copied();
    if known.is_some() {
        return known;
    }
    let mut interned = INTERNED.write().unwrap_or_else(PoisonError::into_inner);
    if interned.len() >= MOST_INTERNED && !interned.contains_key(&wanted) {
        return None;
    }
    let new = || -> &'static Field {
        let name: &'static str = Box::leak(format!("custom.{key}").into_boxed_str());
        Box::leak(Box::new(field(name, kind, value_type)))
    };
    Some(interned.entry(wanted).or_insert_with(new))
}

const fn field(name: &'static str, kind: Kind, value_type: CustomFieldType) -> Field {
    let (field_type, column) = match value_type {
        CustomFieldType::Text => (FieldType::Text, "text"),
        CustomFieldType::Number => (FieldType::Decimal, "number"),
        CustomFieldType::Money => (FieldType::Money, "minor"),
        CustomFieldType::Date => (FieldType::Date, "day"),
        CustomFieldType::Bool => (FieldType::Bool, "flag"),
        // Which options there are changes: values are held against them where they are read.
        CustomFieldType::Choice => (FieldType::Choice(&[]), "text"),
        CustomFieldType::MultiChoice => return Field::list(name),
        CustomFieldType::Reference => (FieldType::Id, "reference"),
    };
    let field = Field {
        source: Source::Custom { kind, column },
        ..Field::new(name, field_type)
    };
    field.sortable().indexed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_interned_once() {
        let one = interned(Kind::Customer, "once", CustomFieldType::Text).unwrap();
        let same = interned(Kind::Customer, "once", CustomFieldType::Text).unwrap();
        assert!(std::ptr::eq(one, same));
        assert_eq!(one.name, "custom.once");
        let other = interned(Kind::Ticket, "once", CustomFieldType::Text).unwrap();
        assert!(!std::ptr::eq(one, other));
    }
}

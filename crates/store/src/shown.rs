//! A record as it is shown, in JSON: text, whose members are found without making a tree of values.

use crate::Error;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::fmt;
use std::str::FromStr;

/// A record as it is shown. Most members of two states of it are the same text: only others need be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown(String);

impl Shown {
    /// What is shown of a record.
    pub(crate) fn of(record: &impl Serialize) -> Result<Self, Error> {
        Ok(Self(serde_json::to_string(record)?))
    }

    pub(crate) fn members(&self) -> Result<Members<'_>, Error> {
        Members::of(&self.0)
    }

    /// The id that a member holds.
    pub(crate) fn id_in<Id: FromStr>(&self, member: &str) -> Option<Id> {
        self.members().ok()?.id_in(member)
    }
}

/// The members of a record as they are shown, in their order.
#[derive(Debug, Clone, Default)]
pub struct Members<'a>(Vec<(&'a str, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Finds them in the text of a record.
    pub fn of(record: &'a str) -> Result<Self, Error> {
        Ok(serde_json::from_str(record)?)
    }

    /// Each name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a RawValue)> {
        self.0.iter().copied()
    }

    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// The value of a member that stands at a place, or not far from it: one that may be left out moves those after it.
    pub(crate) fn near(&self, at: usize, name: &str) -> Option<&'a RawValue> {
        let here = self.0.get(at).filter(|(here, _)| *here == name);
        here.map(|(_, value)| *value).or_else(|| self.get(name))
    }

    /// The id that a member holds.
    pub fn id_in<Id: FromStr>(&self, name: &str) -> Option<Id> {
        self.get(name)?.get().trim_matches('"').parse().ok()
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::with_capacity(32);
                while let Some(member) = object.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_name_in_their_order() {
        let members = Members::of(r#"{"name": "Deal",  "tags": ["a",  "b"], "amount": null}"#).unwrap();
        let names: Vec<_> = members.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["name", "tags", "amount"]);
        assert_eq!(members.get("tags").unwrap().get(), r#"["a",  "b"]"#);
        for at in 0..4 {
            assert_eq!(members.near(at, "amount").unwrap().get(), "null");
        }
        assert!(members.get("id").is_none());
        assert!(Members::of("[1]").is_err());
    }

    #[test]
    fn ids_are_found_in_what_is_shown() {
        let id = uuid::Uuid::now_v7();
        let record = format!(r#"{{"name": "Deal", "customer_id": "{id}", "owner_id": null}}"#);
        let members = Members::of(&record).unwrap();
        assert_eq!(members.id_in("customer_id"), Some(id));
        assert_eq!(members.id_in::<uuid::Uuid>("owner_id"), None);
        assert_eq!(members.id_in::<uuid::Uuid>("team_id"), None);
    }
}

//! A typed value in a JSON column.

use crate::MultiBackend;
use crate::types::Document;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sqlite::Sqlite;
use serde::de::DeserializeOwned;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt::Debug;
use std::io::Write;
use std::ops::{Deref, DerefMut};
use std::sync::OnceLock;

/// The version byte that leads PostgreSQL's binary `jsonb` (`jsonb_recv` in its sources).
const JSONB_VERSION: u8 = 1;

/// How `serde_json::value::RawValue` says that text is JSON and shown as it is. Made by itself it would read every text anew
/// to see whether it is JSON, which took a tenth of the time of a list; what stands in these columns is.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// A value kept as JSON in one column; document a field of it by `#[schema(value_type = T)]`. It must serialise to an object or an array:
/// a bare number would change its type in an SQLite column declared `jsonb`.
///
/// What comes from the database stays text until it is looked into: most of what is read is only shown, and is shown as it
/// stands there. So a member that is added to a stored type is shown in old rows once a migration has written it.
#[derive(Debug, Clone, AsExpression, FromSqlRow)]
#[diesel(sql_type = Document)]
pub struct Json<T>
where
    T: Debug,
{
    /// As this program has it; none as long as it is what the text says.
    value: Option<Box<T>>,
    /// As it stands in the database, or is going to.
    text: Option<Cow<'static, str>>,
    /// What the text reads as, once it was looked into.
    read: OnceLock<Box<T>>,
}

impl<T: Debug> Json<T> {
    /// A value that is to be kept.
    pub fn new(value: T) -> Self {
        Self {
            value: Some(Box::new(value)),
            text: None,
            read: OnceLock::new(),
        }
    }

    /// What is JSON already and kept as it is.
    pub const fn of_json(text: String) -> Self {
        Self::of_text(Cow::Owned(text))
    }

    /// Most lists and objects are empty.
    fn from_text(text: &str) -> Self {
        let text = match text {
            "[]" => Cow::Borrowed("[]"),
            "{}" => Cow::Borrowed("{}"),
            text => Cow::Owned(text.to_owned()),
        };
        Self::of_text(text)
    }

    const fn of_text(text: Cow<'static, str>) -> Self {
        Self {
            value: None,
            text: Some(text),
            read: OnceLock::new(),
        }
    }
}

impl<T: Debug + Default + DeserializeOwned> Json<T> {
    /// The value.
    pub fn into_inner(mut self) -> T {
        std::mem::take(&mut *self)
    }
}

impl<T: Debug + Default + DeserializeOwned + Serialize> Json<T> {
    /// Shows the members of the value. Among those of what it stands in (`#[serde(flatten)]`) text cannot be shown.
    pub fn serialize_value<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

/// Only this program writes these columns, so text of another shape is text of a newer one. It reads as nothing, with a
/// warning, and stays as it is for as long as the value is not changed.
fn read<T: Default + DeserializeOwned>(text: Option<&str>) -> T {
    let value = text.map(serde_json::from_str).transpose();
    let value = value
        .inspect_err(|error| tracing::warn!(%error, "a JSON column holds something else than this program writes"));
    value.ok().flatten().unwrap_or_default()
}

impl<T: Debug + Default + DeserializeOwned> Deref for Json<T> {
    type Target = T;
    fn deref(&self) -> &T {
        match &self.value {
            Some(value) => value,
            None => self.read.get_or_init(|| Box::new(read(self.text.as_deref()))),
        }
    }
}

impl<T: Debug + Default + DeserializeOwned> DerefMut for Json<T> {
    fn deref_mut(&mut self) -> &mut T {
        let (text, was_read) = (self.text.take(), self.read.take());
        self.value
            .get_or_insert_with(|| was_read.unwrap_or_else(|| Box::new(read(text.as_deref()))))
    }
}

impl<T: Debug + Default + DeserializeOwned + PartialEq> PartialEq for Json<T> {
    fn eq(&self, other: &Self) -> bool {
        match (&self.text, &other.text) {
            (Some(text), Some(others)) if text == others => true,
            _ => **self == **other,
        }
    }
}

impl<T: Debug + Default + DeserializeOwned + Eq> Eq for Json<T> {}

impl<T: Debug + Default> Default for Json<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: Debug> From<T> for Json<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Debug + Serialize> Serialize for Json<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.text {
            Some(text) => {
                let mut raw = serializer.serialize_struct(RAW_VALUE, 1)?;
                raw.serialize_field(RAW_VALUE, text)?;
                raw.end()
            }
            None => self.value.serialize(serializer),
        }
    }
}

impl<'de, T: Debug + Deserialize<'de>> Deserialize<'de> for Json<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::new)
    }
}

impl<T: Debug + Serialize> ToSql<Document, Pg> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&[JSONB_VERSION])?;
        serde_json::to_writer(out, self)?;
        Ok(IsNull::No)
    }
}

impl<T: Debug> FromSql<Document, Pg> for Json<T> {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes() {
            [JSONB_VERSION, json @ ..] => Ok(Self::from_text(std::str::from_utf8(json)?)),
            _ => Err("unknown jsonb version".into()),
        }
    }
}

impl<T: Debug + Serialize> ToSql<Document, Sqlite> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(self)?);
        Ok(IsNull::No)
    }
}

impl<T: Debug> FromSql<Document, Sqlite> for Json<T> {
    fn from_sql(mut value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self::from_text(value.read_text()))
    }
}

impl<T> ToSql<Document, MultiBackend> for Json<T>
where
    T: Debug + Serialize + Send + Sync + 'static,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        out.set_value((Document, self));
        Ok(IsNull::No)
    }
}

impl<T: Debug> FromSql<Document, MultiBackend> for Json<T> {
    fn from_sql(value: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        value.from_sql::<Self, Document>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(text: &str) -> Json<Vec<String>> {
        Json::from_text(text)
    }

    #[test]
    fn what_was_stored_is_shown_as_it_stands() {
        let words = stored(r#"["a",  "b"]"#);
        assert_eq!(*words, ["a", "b"]);
        assert_eq!(serde_json::to_string(&words).unwrap(), r#"["a",  "b"]"#);
        assert_eq!(serde_json::to_value(&words).unwrap(), serde_json::json!(["a", "b"]));
        assert_eq!(words, Json::new(vec!["a".to_owned(), "b".to_owned()]));
        assert_ne!(words, stored("[]"));
    }

    #[test]
    fn what_was_changed_is_shown_as_it_is_now() {
        for look_before in [false, true] {
            let mut words = stored(r#"["a"]"#);
            assert!(!look_before || words.len() == 1);
            words.push("b".to_owned());
            assert_eq!(serde_json::to_string(&words).unwrap(), r#"["a","b"]"#);
            assert_eq!(words.into_inner(), ["a", "b"]);
        }
    }

    #[test]
    fn text_of_another_shape_reads_as_nothing_and_stays() {
        let newer = stored(r#"{"words": []}"#);
        assert!(newer.is_empty());
        assert_eq!(newer, newer.clone());
        assert_eq!(serde_json::to_string(&newer).unwrap(), r#"{"words": []}"#);
    }
}

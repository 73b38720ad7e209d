//! JSON as both databases and every client can hold it: no duplicate names, no U+0000, not too deep.

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// Levels of nesting in a body at most.
pub(crate) const MAX_DEPTH: usize = 32;

/// Reads a body. The error says what is wrong and where, never what was sent.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, String> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0 }
        .deserialize(&mut reader)
        .map_err(|error| explain(&error))?;
    reader.end().map_err(|error| explain(&error))?;
    Ok(value)
}

fn explain(error: &serde_json::Error) -> String {
    let place = format!("at line {} column {}", error.line(), error.column());
    if error.is_data() {
        let text = error.to_string();
        let cause = text.split(" at line").next().unwrap_or_default();
        return format!("{cause} {place}");
    }
    let cause = if error.is_eof() {
        "the JSON ends too early"
    } else {
        "the JSON is malformed"
    };
    format!("{cause} {place}")
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > MAX_DEPTH {
            Err(E::custom("the JSON is nested too deeply"))
        } else {
            Ok(Self { depth })
        }
    }
}

fn text<E: de::Error>(text: String) -> Result<String, E> {
    if text.contains('\0') {
        Err(E::custom("U+0000 is not allowed"))
    } else {
        Ok(text)
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("the number is not finite"))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        text(value.to_owned()).map(Value::String)
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        text(value).map(Value::String)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let name = text(name)?;
            if members.contains_key(&name) {
                return Err(de::Error::custom("a name stands twice in one object"));
            }
            members.insert(name, access.next_value_seed(inner)?);
        }
        Ok(Value::Object(members))
    }
}

/// The same text for the same JSON, whatever the order of its members.
pub(crate) fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| *name);
            let members: Vec<_> = sorted
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        scalar => scalar.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_a_database_or_a_client_cannot_hold() {
        for (body, fault) in [
            (r#"{"a":1,"a":2}"#, "twice"),
            (r#"{"a":{"b":"x\u0000y"}}"#, "U+0000"),
            (r#"{"a\u0000":1}"#, "U+0000"),
            (r#"{"a":1"#, "too early"),
            ("{\"a\":\"\u{1}\"}", "malformed"),
            (r#"{"a":1} x"#, "malformed"),
            (r#"{"a":"\ud800"}"#, "malformed"),
        ] {
            let error = parse(body.as_bytes()).err().unwrap_or_default();
            assert!(error.contains(fault), "{body}: {error}");
        }
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(deep(MAX_DEPTH).as_bytes()).is_ok());
        assert!(parse(deep(MAX_DEPTH + 1).as_bytes()).is_err());
        assert!(parse(deep(100_000).as_bytes()).is_err());
        assert!(parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn the_canonical_text_ignores_the_order_of_members() {
        let [one, other] = [
            r#"{"a":[1,{"x":"y","b":null}],"c":1.5}"#,
            r#"{"c":1.5,"a":[1,{"b":null,"x":"y"}]}"#,
        ]
        .map(|body| canonical(&parse(body.as_bytes()).unwrap_or_default()));
        assert_eq!(one, other);
    }
}

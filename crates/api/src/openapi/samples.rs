//! Examples, made from the examples of the members.

use super::components::{Components, properties_of, reference};
use domain::Record;
use serde_json::{Value, json};

/// An id.
pub(super) const ID: &str = "01997a3c-5d4e-7f00-8a1b-2c3d4e5f6071";

/// A record as it is sent.
pub(super) fn record<R: Record>(components: &mut Components) -> Value {
    let name = components.record::<R>();
    value(components, &reference(&name), 0)
}

/// What a schema that the service sends is like.
pub(super) fn sent(components: &Components, schema: &Value) -> Value {
    value(components, schema, 0)
}

/// A body that says what it must, and what has an example of its own.
pub(super) fn settable(components: &Components, name: &str) -> Value {
    let schema = components.schema(name);
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let wanted = |name: &str, schema: &Value| required.contains(&json!(name)) || !schema["examples"].is_null();
    let members = properties_of(schema).filter(|(name, schema)| wanted(name, schema));
    let members = members.map(|(name, schema)| (name.clone(), value(components, schema, 0)));
    Value::Object(members.collect())
}

/// How deep examples go: rules hold rules without end.
const MOST_DEPTH: usize = 8;

fn value(components: &Components, schema: &Value, depth: usize) -> Value {
    let value = |schema: &Value| value(components, schema, depth + 1);
    let choices = ["oneOf", "anyOf"]
        .into_iter()
        .filter_map(|key| schema[key].as_array())
        .flatten();
    let given = [
        &schema["examples"][0],
        &schema["example"],
        &schema["default"],
        &schema["enum"][0],
    ];
    if let Some(given) = given.into_iter().find(|given| !given.is_null()) {
        return given.clone();
    }
    if let Some(target) = schema["$ref"].as_str().and_then(|target| target.rsplit('/').next()) {
        return value(components.schema(target));
    }
    if let Some(first) = choices.clone().next() {
        let may_be_null = choices.clone().any(|choice| choice["type"] == "null");
        return if may_be_null { Value::Null } else { value(first) };
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("string"), Some("uuid")) => json!(ID),
        (Some("string"), Some("date")) => json!("2026-01-31"),
        (Some("string"), Some("date-time")) => json!("2026-01-31T09:30:00.000000Z"),
        (Some("string"), _) => json!("text"),
        (Some("integer" | "number"), _) => schema.get("minimum").cloned().unwrap_or(json!(0)),
        (Some("boolean"), _) => json!(false),
        (Some("array"), _) if depth > MOST_DEPTH => json!([]),
        (Some("array"), _) => json!([value(&schema["items"])]),
        (Some("object"), _) => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let members = properties_of(schema).filter(|(name, _)| required.contains(&json!(name)));
            let members = members.map(|(name, schema)| (name.clone(), value(schema)));
            Value::Object(members.collect())
        }
        _ => Value::Null,
    }
}

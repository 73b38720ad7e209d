//! Small changes to one schema.

use serde_json::{Value, json};

pub(super) fn nullable(target: &Value, description: &str) -> Value {
    json!({ "oneOf": [{ "type": "null" }, target], "description": description })
}

pub(super) fn admits_null(schema: &Value) -> bool {
    let choices = schema["oneOf"].as_array().into_iter().flatten();
    let types = std::iter::once(schema)
        .chain(choices)
        .flat_map(|schema| match &schema["type"] {
            Value::Array(types) => types.iter().collect(),
            one => vec![one],
        });
    types.into_iter().any(|one| one == "null")
}

/// The description of a property, which stands beside the reference when the property may be null.
pub(super) fn described(property: &Value) -> String {
    let choices = property["oneOf"].as_array().into_iter().flatten();
    let description = std::iter::once(property)
        .chain(choices)
        .find_map(|schema| schema["description"].as_str());
    description.unwrap_or_default().to_owned()
}

/// Joins the lines of a doc comment; paragraphs, tables and lists stay.
pub(super) fn unwrap_descriptions(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "description" => *text = unwrapped(text),
                    member => unwrap_descriptions(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(unwrap_descriptions),
        _ => {}
    }
}

fn unwrapped(text: &str) -> String {
    let mut unwrapped = String::new();
    for line in text.lines() {
        let begins = line.is_empty() || line.starts_with(['|', '-']) || unwrapped.ends_with('\n');
        if !unwrapped.is_empty() {
            unwrapped.push(if begins { '\n' } else { ' ' });
        }
        unwrapped.push_str(line);
    }
    unwrapped
}

/// What is left out is not null: what utoipa says of an `Option` is said by `required` already.
pub(super) fn without_null(schema: &mut Value) {
    if let Some(types) = schema["type"].as_array() {
        let mut kept = types.iter().filter(|one| *one != "null").cloned().collect::<Vec<_>>();
        schema["type"] = if kept.len() == 1 { kept.remove(0) } else { kept.into() };
    }
    let choices = schema["oneOf"].as_array().cloned().unwrap_or_default();
    if choices.iter().any(|choice| choice["type"] == "null") {
        let other = choices.into_iter().find(|choice| choice["type"] != "null");
        *schema = other.unwrap_or_default();
    }
}

/// Says in words what is taken when a member is left out. Generators make members with a `default` required.
pub(super) fn tell_default(property: &mut Value) {
    let Some(members) = property.as_object_mut() else {
        return;
    };
    let default = members
        .shift_remove("default")
        .filter(|default| ![json!(null), json!(""), json!([])].contains(default));
    if let Some(default) = default {
        let words = match default {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let told = members.get("description").and_then(Value::as_str).unwrap_or_default();
        let told = format!("{told} By default `{words}`.");
        members.insert("description".to_owned(), told.into());
    }
}

pub(super) fn make_nullable(property: &mut Value) {
    if let Some(kind) = property["type"].as_str().map(str::to_owned) {
        property["type"] = json!([kind, "null"]);
        if let Some(choices) = property.get_mut("enum").and_then(Value::as_array_mut) {
            choices.push(Value::Null);
        }
    } else if let Some(target) = property["$ref"].as_str().map(str::to_owned) {
        let description = described(property);
        *property = nullable(&json!({ "$ref": target }), &description);
    }
}

//! The last touch: nothing in the document that nothing refers to, and no longer names than are needed.

use serde_json::Value;
use std::collections::HashSet;

/// Removes components that nothing refers to, and renames `ThingInput` to `Thing` where there is no other one.
pub(super) fn tidied(mut document: Value) -> Value {
    remove_unused(&mut document);
    let names: HashSet<String> = document["components"]["schemas"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect();
    let is_needless = |name: &str| {
        let short = name.strip_suffix("Input")?;
        (names.contains(name) && !names.contains(short)).then(|| short.to_owned())
    };
    rename_references(&mut document, &is_needless);
    if let Some(schemas) = document["components"].get_mut("schemas").and_then(Value::as_object_mut) {
        *schemas = std::mem::take(schemas)
            .into_iter()
            .map(|(name, schema)| (is_needless(&name).unwrap_or(name), schema))
            .collect();
        schemas.sort_keys();
    }
    document
}

fn remove_unused(document: &mut Value) {
    let mut used = HashSet::new();
    let mut open = Vec::new();
    note_references(&document["paths"], &mut open);
    while let Some(target) = open.pop() {
        let component = document.pointer(target.trim_start_matches('#'));
        if let Some(component) = component.filter(|_| used.insert(target.clone())) {
            note_references(component, &mut open);
        }
    }
    for kind in ["schemas", "parameters", "headers", "responses"] {
        if let Some(components) = document["components"].get_mut(kind).and_then(Value::as_object_mut) {
            components.retain(|name, _| used.contains(&format!("#/components/{kind}/{name}")));
        }
    }
}

fn note_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(target) if name == "$ref" => found.push(target.to_owned()),
                    _ => note_references(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| note_references(item, found)),
        _ => {}
    }
}

fn rename_references(value: &mut Value, shorter: &impl Fn(&str) -> Option<String>) {
    match value {
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| rename_references(member, shorter)),
        Value::Array(items) => items.iter_mut().for_each(|item| rename_references(item, shorter)),
        Value::String(text) => {
            if let Some(name) = text.strip_prefix("#/components/schemas/").and_then(shorter) {
                *text = format!("#/components/schemas/{name}");
            }
        }
        _ => {}
    }
}

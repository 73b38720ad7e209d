//! The API document of one tenant: what everybody's says of custom values in general, told of the tenant's own fields.

use super::components::{reference, schema_name};
use super::parameters;
use super::schemas::make_nullable;
use domain::Kind;
use domain::custom_values::{Catalogue, MOST_CHARACTERS};
use domain::customer::custom_fields::{CustomFieldFields, CustomFieldType};
use serde_json::{Map, Value, json};

/// Tells a document the custom fields of a tenant.
pub(super) fn tell(document: &mut Value, catalogue: &Catalogue) {
    for kind in Kind::ALL {
        let fields: Vec<_> = catalogue.of(*kind).collect();
        if fields.is_empty() {
            continue;
        }
        let properties: Map<_, _> = fields.iter().map(|field| (field.key.clone(), value(field))).collect();
        tell_values(&mut document["components"]["schemas"], *kind, &fields, properties);
        tell_lists(document, *kind, catalogue, &fields);
    }
}

/// The schemas of a kind of record name the schema of its custom values.
fn tell_values(schemas: &mut Value, kind: Kind, fields: &[&CustomFieldFields], properties: Map<String, Value>) {
    let name = schema_name(kind);
    let (held, sent) = (format!("{name}Custom"), format!("{name}CustomInput"));
    for (schema, custom) in [
        (name.clone(), &held),
        (format!("{name}Part"), &held),
        (format!("{name}Fields"), &sent),
        (format!("{name}Patch"), &sent),
    ] {
        if let Some(member) = schemas[schema.as_str()].pointer_mut("/properties/custom") {
            *member = reference(custom);
        }
    }
    let mut nullable = properties.clone();
    nullable.iter_mut().for_each(|(_, property)| make_nullable(property));
    let required = fields.iter().filter(|field| field.required && !field.archived);
    let required: Vec<_> = required.map(|field| field.key.as_str()).collect();
    let description = "The values of the fields that the tenant added, by their keys.";
    let object = |properties| {
        json!({
            "type": "object", "description": description, "properties": properties, "additionalProperties": false,
        })
    };
    schemas[held.as_str()] = object(properties);
    schemas[sent.as_str()] = object(nullable);
    // Records from before a field was required may lack it, so only what creates one must have it.
    if !required.is_empty() {
        let creating = format!("{name}Fields");
        schemas[creating.as_str()]["properties"]["custom"] =
            json!({ "allOf": [reference(&sent), { "required": required }] });
    }
}

/// Lists and searches take the fields as filters and keys of the order.
fn tell_lists(document: &mut Value, kind: Kind, catalogue: &Catalogue, fields: &[&CustomFieldFields]) {
    let names = fields.iter().map(|field| format!("custom.{}", field.key));
    let fields: Vec<_> = names.filter_map(|name| catalogue.field(kind, &name)).collect();
    let sorts: Vec<Value> = fields
        .iter()
        .filter(|field| field.sortable)
        .flat_map(|field| [json!(field.name), json!(format!("-{}", field.name))])
        .collect();
    let search = format!("{}Search", schema_name(kind));
    let by = &mut document["components"]["schemas"][search.as_str()]["properties"]["sort"]["items"]["enum"];
    if let Some(by) = by.as_array_mut() {
        by.extend(sorts.clone());
    }
    let path = format!("/v1/{}", kind.plural());
    let Some(list) = document["paths"][path.as_str()]["get"]["parameters"].as_array_mut() else {
        return;
    };
    for parameter in list.iter_mut().filter(|parameter| parameter["name"] == "sort") {
        if let Some(by) = parameter["schema"]["items"]["enum"].as_array_mut() {
            by.extend(sorts.clone());
        }
    }
    list.extend(fields.into_iter().flat_map(parameters::filters_of));
}

/// The schema of a field's values.
fn value(field: &CustomFieldFields) -> Value {
    let options: Vec<_> = field.options.iter().map(|option| option.value.as_str()).collect();
    let mut schema = match field.value_type {
        CustomFieldType::Text => json!({ "type": "string", "minLength": 1, "maxLength": MOST_CHARACTERS }),
        CustomFieldType::Number => json!({ "type": "number", "multipleOf": 0.0001 }),
        CustomFieldType::Money => reference("Money"),
        CustomFieldType::Date => json!({ "type": "string", "format": "date" }),
        CustomFieldType::Bool => json!({ "type": "boolean" }),
        CustomFieldType::Choice => json!({ "type": "string", "enum": options }),
        CustomFieldType::MultiChoice => json!({
            "type": "array", "items": { "type": "string", "enum": options }, "uniqueItems": true,
        }),
        CustomFieldType::Reference => json!({ "type": "string", "format": "uuid" }),
    };
    let told = field.description.as_deref().unwrap_or(&field.name);
    schema["description"] = json!(told);
    schema["title"] = json!(field.name);
    schema
}

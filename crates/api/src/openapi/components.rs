//! The schemas of the document, in the forms in which a type is sent, set and patched.
//!
//! One Rust type has up to three forms. What the service sends has every member. What a client sets may leave members
//! out and may name other records by foreign ids. In a merge patch everything is optional and null clears.

use super::schemas::{
    admits_null, described, make_nullable, nullable, tell_default, unwrap_descriptions, without_null,
};
use domain::registry::Link;
use domain::{Kind, Record};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

/// In which direction a type is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// The service sends it.
    Sent,
    /// A client sets it as a whole.
    Set,
    /// A client merges it into what there is.
    Patch,
}

/// The schemas of the document, and those of the types that it is made of.
pub(crate) struct Components {
    kinds: Vec<Kind>,
    types: BTreeMap<String, Value>,
    names: HashMap<(String, Form), String>,
    schemas: BTreeMap<String, Value>,
}

impl Components {
    /// None yet, in a document of the resources of these kinds.
    pub(crate) fn new(kinds: Vec<Kind>) -> Self {
        Self {
            kinds,
            types: BTreeMap::new(),
            names: HashMap::new(),
            schemas: BTreeMap::new(),
        }
    }

    /// Every schema by its name.
    pub(crate) fn into_schemas(self) -> BTreeMap<String, Value> {
        self.schemas
    }

    /// The schema of this name.
    pub(crate) fn schema(&self, name: &str) -> &Value {
        self.schemas.get(name).unwrap_or(&Value::Null)
    }

    /// Adds a schema that is no type's.
    pub(crate) fn add(&mut self, name: impl Into<String>, schema: Value) -> Value {
        let name = name.into();
        let reference = reference(&name);
        self.schemas.insert(name, schema);
        reference
    }

    /// Takes a schema out again.
    pub(crate) fn take(&mut self, name: &str) -> Value {
        self.names.retain(|_, known| known != name);
        self.schemas.remove(name).unwrap_or_default()
    }

    /// Takes null from the members of the schemas whose names begin like this.
    pub(crate) fn forbid_null(&mut self, prefix: &str) {
        let schemas = self.schemas.iter_mut().filter(|(name, _)| name.starts_with(prefix));
        let members = schemas.filter_map(|(_, schema)| schema.get_mut("properties")?.as_object_mut());
        members.flatten().for_each(|(_, schema)| without_null(schema));
    }

    /// Whether the document has the resource of a kind.
    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// The name of a type's schema in a form; the type and all that it is made of are taken in.
    pub(crate) fn of<T: ToSchema>(&mut self, form: Form) -> String {
        let name = T::name().into_owned();
        let mut schemas = vec![(name.clone(), T::schema())];
        T::schemas(&mut schemas);
        self.learn(schemas);
        self.in_form(&name, form)
    }

    /// Takes in the schemas of types as utoipa makes them.
    pub(crate) fn learn(&mut self, schemas: impl IntoIterator<Item = (String, RefOr<Schema>)>) {
        for (name, schema) in schemas {
            let mut schema = serde_json::to_value(schema).unwrap_or_default();
            unwrap_descriptions(&mut schema);
            self.types.entry(name).or_insert(schema);
        }
    }

    /// The name of a record's schema: with the records that `include` may embed.
    pub(crate) fn record<R: Record>(&mut self) -> String {
        let name = self.of::<R>(Form::Sent);
        let mut embedded = Map::new();
        for relation in R::KIND
            .registry()
            .all_relations()
            .filter(|relation| self.has(relation.target))
        {
            let target = reference(&schema_name(relation.target));
            let schema = match relation.link {
                Link::One { .. } => nullable(&target, "The record embedded by `include`; null when there is none."),
                Link::Many { .. } => {
                    json!({ "type": "array", "items": target, "description": "The records embedded by `include`." })
                }
            };
            embedded.insert(relation.name.to_owned(), schema);
        }
        let schema = self.schemas.get_mut(&name);
        if let Some(properties) = schema.and_then(|schema| schema.get_mut("properties")?.as_object_mut()) {
            properties.extend(embedded);
        }
        name
    }

    /// The same value with every reference to a type turned to its form.
    pub(crate) fn turned(&mut self, value: &Value, form: Form) -> Value {
        match value {
            Value::Object(members) => {
                let members = members.iter().map(|(name, member)| match member.as_str() {
                    Some(target) if name == "$ref" => {
                        let target = target.rsplit('/').next().unwrap_or_default().to_owned();
                        (name.clone(), reference(&self.in_form(&target, form))["$ref"].clone())
                    }
                    _ => (name.clone(), self.turned(member, form)),
                });
                Value::Object(members.collect())
            }
            Value::Array(items) => items.iter().map(|item| self.turned(item, form)).collect(),
            scalar => scalar.clone(),
        }
    }

    fn in_form(&mut self, name: &str, form: Form) -> String {
        // A rule is sent back as it was set.
        let form = if is_of_rules(name) { Form::Set } else { form };
        if let Some(known) = self.names.get(&(name.to_owned(), form)) {
            return known.clone();
        }
        let Some(raw) = self.types.get(name).cloned() else {
            return name.to_owned();
        };
        // A type may hold itself: it is known by name before it is made.
        let own_name = name_in_form(name, form);
        self.names.insert((name.to_owned(), form), own_name.clone());
        let schema = match form {
            Form::Sent => self.sent(&raw),
            Form::Set => self.set(&raw),
            Form::Patch => self.patch(&raw),
        };
        // What differs in nothing that matters is one schema.
        let plainer = match form {
            Form::Sent => None,
            Form::Set => Some(Form::Sent),
            Form::Patch => Some(Form::Set),
        };
        if let Some(plainer) = plainer.filter(|_| !name.ends_with("Fields")) {
            let other = self.in_form(name, plainer);
            if self.schemas.get(&other) == Some(&schema) {
                self.names.insert((name.to_owned(), form), other.clone());
                return other;
            }
        }
        self.schemas.insert(own_name.clone(), schema);
        own_name
    }

    /// What the service sends: the parts of a record as one object, every member of it there.
    fn sent(&mut self, raw: &Value) -> Value {
        let is_whole = raw["allOf"].is_array() || raw["additionalProperties"] == json!(false);
        let mut schema = self.turned(&self.flattened(raw), Form::Sent);
        // A member that may be null is there even when it is; one that is left out when there is none may not be null.
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let is_there = |name: &str, member: &Value| is_whole || required.contains(&json!(name)) || admits_null(member);
        let there = properties_of(&schema).filter(|(name, member)| is_there(name, member));
        let there: Vec<_> = there.map(|(name, _)| name.clone()).collect();
        if !there.is_empty() {
            schema["required"] = there.into();
        }
        schema
    }

    /// The parts that serde flattens into one object, as one.
    fn flattened(&self, raw: &Value) -> Value {
        let Some(parts) = raw["allOf"].as_array() else {
            return raw.clone();
        };
        let mut properties = Map::new();
        for part in parts {
            let target = part["$ref"].as_str().and_then(|target| target.rsplit('/').next());
            let part = target.and_then(|name| self.types.get(name)).unwrap_or(part);
            let part = self.flattened(part);
            properties.extend(properties_of(&part).map(|(name, schema)| (name.clone(), schema.clone())));
        }
        json!({ "type": "object", "description": raw["description"], "properties": properties })
    }

    /// What a client sets: members that name other records take foreign ids too.
    fn set(&mut self, raw: &Value) -> Value {
        let mut schema = self.turned(raw, Form::Set);
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        for (name, property) in properties.into_iter().flatten() {
            tell_default(property);
            // Of values by keys, one that is null is one that is left out.
            if let Some(value) = property
                .get_mut("additionalProperties")
                .filter(|value| value["$ref"].is_string())
            {
                *value = json!({ "oneOf": [{ "type": "null" }, value] });
            }
            if name.ends_with("_id") && property["format"] == "uuid" {
                *property = reference_property(name, property);
                let schemas = &mut self.schemas;
                schemas.entry("Reference".to_owned()).or_insert_with(reference_schema);
            }
        }
        schema
    }

    /// What a client merges: everything may be left out, and null clears what is not required.
    fn patch(&mut self, raw: &Value) -> Value {
        let mut schema = self.set(raw);
        let required = schema["required"].take();
        let required: Vec<&str> = required
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let nested: Vec<_> = properties_of(raw)
            .filter_map(|(name, property)| Some((name.clone(), self.type_named_by(property)?)))
            .collect();
        let nested = nested
            .into_iter()
            .map(|(name, target)| (name, reference(&self.in_form(&target, Form::Patch))));
        let nested: HashMap<_, _> = nested.collect();
        let Some(members) = schema.as_object_mut() else {
            return schema;
        };
        members.shift_remove("required");
        if let Some(properties) = members.get_mut("properties").and_then(Value::as_object_mut) {
            for (name, property) in properties.iter_mut() {
                if let Some(target) = nested.get(name) {
                    let description = described(property);
                    *property = json!({ "$ref": target["$ref"], "description": description });
                }
                if !required.contains(&name.as_str()) {
                    make_nullable(property);
                }
            }
        }
        schema
    }

    /// The object type that a property refers to, directly or beside null.
    fn type_named_by(&self, property: &Value) -> Option<String> {
        let mut choices = property["oneOf"].as_array().into_iter().flatten().chain([property]);
        let target = choices.find_map(|choice| choice["$ref"].as_str())?;
        let name = target.rsplit('/').next()?;
        (self.types.get(name)?["type"] == "object").then(|| name.to_owned())
    }
}

/// The name of a kind's schema.
pub(crate) fn schema_name(kind: Kind) -> String {
    let words = kind.as_str().split('_').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    });
    words.collect()
}

/// A reference to a schema.
pub(crate) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The properties of an object's schema, in order.
pub(crate) fn properties_of(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

fn name_in_form(name: &str, form: Form) -> String {
    match (form, name.strip_suffix("Fields")) {
        (Form::Sent, _) | (Form::Set, Some(_)) => name.to_owned(),
        (Form::Set, None) => format!("{name}Input"),
        (Form::Patch, Some(record)) => format!("{record}Patch"),
        (Form::Patch, None) => format!("{name}Patch"),
    }
}

/// Whether a type is a part of rules.
fn is_of_rules(name: &str) -> bool {
    const REST: [&str; 8] = ["Node", "All", "Any", "Not", "Field", "Related", "Window", "Aggregate"];
    name.strip_prefix("Rule").is_some_and(|rest| REST.contains(&rest))
}

/// How a client may name another record.
fn reference_schema() -> Value {
    json!({
        "type": "string",
        "description": "Another record: its id, `by/{system}/{external_id}`, or in a batch `ref/{name}`.",
        "pattern": "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|by/[^/]{1,64}/[\\s\\S]{1,255}|ref/[\\s\\S]{1,255})$",
        "examples": ["by/erp/C-10042"],
    })
}

fn reference_property(name: &str, property: &Value) -> Value {
    let description = property["description"].as_str().unwrap_or(name);
    let target = reference("Reference");
    if property["type"].is_array() {
        nullable(&target, description)
    } else {
        json!({ "$ref": target["$ref"], "description": description })
    }
}

//! What must hold of the document as a whole.

use super::*;
use std::collections::HashSet;

fn the_document() -> Value {
    serde_json::from_str(&json()).unwrap()
}

fn each(value: &Value, visit: &mut impl FnMut(&Value)) {
    visit(value);
    match value {
        Value::Object(members) => members.values().for_each(|member| each(member, visit)),
        Value::Array(items) => items.iter().for_each(|item| each(item, visit)),
        _ => {}
    }
}

fn operations_of(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, item)| {
        item.as_object()
            .unwrap()
            .iter()
            .map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    operations.collect()
}

#[test]
fn every_reference_leads_somewhere_and_nothing_is_left_over() {
    let document = the_document();
    let mut named = HashSet::new();
    each(&document, &mut |value| {
        if let Some(target) = value["$ref"].as_str() {
            assert!(!document.pointer(&target[1..]).unwrap().is_null(), "{target}");
            named.insert(target.to_owned());
        }
    });
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(
            named.contains(&format!("#/components/schemas/{name}")),
            "{name} is not used"
        );
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_and_says_what_it_does() {
    let document = the_document();
    let mut names = HashSet::new();
    for (place, operation) in operations_of(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{id}");
        assert!(names.insert(id), "{id} stands there twice");
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!(
            !summary.is_empty() && summary.len() <= 60 && !summary.ends_with('.'),
            "{place}: {summary:?}"
        );
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{place}");
        assert!(operation["security"].is_array(), "{place}");
    }
}

#[test]
fn every_parameter_of_a_path_is_described() {
    let document = the_document();
    for (place, operation) in operations_of(&document) {
        let parameters = operation["parameters"].as_array().unwrap().iter();
        let parameters = parameters.map(|one| match one["$ref"].as_str() {
            Some(target) => document.pointer(&target[1..]).unwrap(),
            None => one,
        });
        let described: Vec<_> = parameters
            .filter(|one| one["in"] == "path")
            .map(|one| &one["name"])
            .collect();
        let named: Vec<_> = place
            .split('{')
            .skip(1)
            .map(|rest| json!(rest.split('}').next()))
            .collect();
        assert_eq!(described, named.iter().collect::<Vec<_>>(), "{place}");
    }
}

/// The schema of a settable part with the example that it makes, in which ids stand for what would be resolved.
fn settable<F: domain::Fields>() -> (Value, Value) {
    let mut components = Components::new(Vec::new());
    let name = components.of::<F>(components::Form::Set);
    let mut example = samples::settable(&components, &name).to_string();
    while example.contains("by/erp/C-10042") {
        example = example.replacen("by/erp/C-10042", &uuid::Uuid::now_v7().to_string(), 1);
    }
    (
        components.schema(&name).clone(),
        serde_json::from_str(&example).unwrap(),
    )
}

fn is_read<F: domain::Fields>(body: &Value) -> bool {
    domain::input::parse::<F>(body).is_ok_and(|fields| fields.checked().is_ok())
}

fn check_settable<F: domain::Fields>() {
    let (schema, example) = settable::<F>();
    assert!(is_read::<F>(&example), "{example}");
    for (name, member) in properties_of(&schema).filter(|(_, member)| member["pattern"].is_null()) {
        let with = |value: Value| {
            let mut body = example.clone();
            body[name] = value;
            is_read::<F>(&body)
        };
        let types = member["type"]
            .as_array()
            .cloned()
            .unwrap_or(vec![member["type"].clone()]);
        if types.contains(&json!("string")) && member["format"].is_null() {
            let most = usize::try_from(member["maxLength"].as_u64().unwrap_or_default()).unwrap();
            assert!(most > 0, "{name} has no bound");
            assert!(
                with(json!("é".repeat(most))) && !with(json!("é".repeat(most + 1))),
                "{name} ≤ {most}"
            );
            assert!(member["minLength"].is_null() || !with(json!("")), "{name} may be empty");
        }
        if types.contains(&json!("integer")) {
            let [least, most] = ["minimum", "maximum"].map(|bound| member[bound].as_i64().unwrap());
            assert!(
                !with(json!(least - 1)) && !with(json!(most + 1)),
                "{name}: {least} to {most}"
            );
            assert!(with(json!(least)) && with(json!(most)), "{name}: {least} to {most}");
        }
        let may_be_null = types.contains(&json!("null")) || member["oneOf"][0]["type"] == "null";
        let may_be_null = may_be_null || member["oneOf"][1]["type"] == "null";
        assert_eq!(with(Value::Null), may_be_null, "{name}: null");
    }
}

#[test]
fn schemas_say_what_validators_do() {
    check_settable::<domain::customer::customers::CustomerFields>();
    check_settable::<domain::customer::relationships::RelationshipFields>();
    check_settable::<domain::sales::products::ProductFields>();
    check_settable::<domain::sales::pipelines::PipelineFields>();
    check_settable::<domain::sales::stages::StageFields>();
    check_settable::<domain::sales::opportunities::OpportunityFields>();
    check_settable::<domain::service::tickets::TicketFields>();
    check_settable::<domain::service::sla_policies::SlaPolicyFields>();
    check_settable::<domain::service::business_hours::BusinessHoursFields>();
    check_settable::<domain::operation::users::UserFields>();
    check_settable::<domain::operation::teams::TeamFields>();
    check_settable::<domain::operation::service_accounts::ServiceAccountFields>();
}

#[test]
fn members_are_named_in_their_fixed_order() {
    let names = member_names::<domain::sales::products::Product>();
    assert_eq!(names[..3], ["id", "version", "created_at"]);
    assert_eq!(names.last().map(String::as_str), Some("active"));
}

#[test]
fn the_committed_document_is_what_the_code_says() {
    let committed = include_str!("../../../../openapi/openapi.json");
    assert!(committed == json(), "openapi/openapi.json is stale: run make openapi");
}

/// The places within a schema that name a customer or any record, as `participants.customer_id` and `links`.
fn places_of_customers(document: &Value, schema: &Value, at: &str, within: &mut Vec<String>, places: &mut Vec<String>) {
    if let Some(target) = schema["$ref"].as_str() {
        if target.ends_with("/RecordLink") {
            places.push(at.to_owned());
        } else if !within.iter().any(|outer| outer == target) {
            within.push(target.to_owned());
            places_of_customers(document, document.pointer(&target[1..]).unwrap(), at, within, places);
            within.pop();
        }
        return;
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let at = if at.is_empty() {
            name.clone()
        } else {
            format!("{at}.{name}")
        };
        if name.ends_with("customer_id") {
            places.push(at);
        } else {
            places_of_customers(document, member, &at, within, places);
        }
    }
    let choices = ["oneOf", "allOf", "anyOf"]
        .iter()
        .filter_map(|name| schema[*name].as_array());
    for inner in choices.flatten().chain(schema.get("items")) {
        places_of_customers(document, inner, at, within, places);
    }
}

/// A merge of customers moves what the registry tells of by itself. Lists in JSON stand in a list of their own.
#[test]
fn whatever_names_a_customer_within_a_record_is_known_to_merges() {
    let document = the_document();
    let mut found = 0;
    for kind in Kind::ALL {
        let name = components::schema_name(*kind);
        let schema = &document["components"]["schemas"][&name];
        assert!(schema.is_object(), "{name}");
        // What can be included are records of their own.
        let mut schema = schema.clone();
        for relation in kind.registry().all_relations() {
            schema["properties"].as_object_mut().unwrap().remove(relation.name);
        }
        let mut places = Vec::new();
        places_of_customers(&document, &schema, "", &mut Vec::new(), &mut places);
        found += places.len();
        for place in places {
            let column = place.split('.').next().unwrap_or_default();
            let is_list = store::customer::merges::LISTS
                .iter()
                .any(|list| list.kind == *kind && list.column == column);
            let columns = store::customer::merges::columns(*kind);
            let is_column = columns
                .iter()
                .any(|known| *known == place || *known == format!("{place}_id"));
            assert!(is_list || is_column, "{kind}: {place} is forgotten by merges");
        }
    }
    assert!(found > 10, "the document was read");
}

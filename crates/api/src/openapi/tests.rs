//! What must hold of the document as a whole.

use super::*;
use std::collections::HashSet;

fn the_document() -> Value {
    let text = json();
    // A way to look at it without a server: RAPPORT_OPENAPI=/tmp/openapi.json cargo test -p rapport-api openapi
    if let Some(path) = std::env::var_os("RAPPORT_OPENAPI") {
        std::fs::write(path, &text).unwrap();
    }
    serde_json::from_str(&text).unwrap()
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

#[test]
fn the_example_of_every_settable_part_is_one_that_can_be_read() {
    fn check<F: domain::Fields>() {
        let mut components = Components::new(Vec::new());
        let name = components.of::<F>(components::Form::Set);
        let example = samples::settable(&components, &name);
        println!("{name}: {example}");
        // What stands for ids is resolved before a body is read.
        let mut body = example.to_string();
        while body.contains("by/erp/C-10042") {
            body = body.replacen("by/erp/C-10042", &uuid::Uuid::now_v7().to_string(), 1);
        }
        let body = serde_json::from_str(&body).unwrap();
        assert!(domain::input::parse::<F>(&body).is_ok(), "{name}: {example}");
    }
    check::<domain::customer::customers::CustomerFields>();
    check::<domain::customer::relationships::RelationshipFields>();
    check::<domain::sales::products::ProductFields>();
    check::<domain::sales::pipelines::PipelineFields>();
    check::<domain::sales::stages::StageFields>();
    check::<domain::sales::opportunities::OpportunityFields>();
    check::<domain::operation::users::UserFields>();
    check::<domain::operation::teams::TeamFields>();
    check::<domain::operation::service_accounts::ServiceAccountFields>();
}

#[test]
fn members_are_named_in_their_fixed_order() {
    let names = member_names::<domain::sales::products::Product>();
    assert_eq!(names[..3], ["id", "version", "created_at"]);
    assert_eq!(names.last().map(String::as_str), Some("active"));
}

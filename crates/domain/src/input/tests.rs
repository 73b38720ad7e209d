//! What bodies are read as, and what is told of them.

use super::*;
use crate::sales::products::ProductFields;

fn faults(body: &Value) -> Vec<(String, String)> {
    let faults = parse::<ProductFields>(body).err().unwrap_or_default();
    faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
}

#[test]
fn every_fault_of_a_body_is_told_at_once() {
    let body = json!({
        "sku": 5, "colour": "red", "external_ids": [{"system": 1, "id": "a"}, {"system": "erp", "id": "b"}, {"id": "c"}],
        "unit_price": {"amount": "1.234", "currency": "EUR"}, "category": ""
    });
    let mut found = faults(&body);
    found.sort();
    let expected = [
        ("/category", "invalid_length"),
        ("/colour", "unknown_field"),
        ("/external_ids/0/system", "invalid_type"),
        ("/external_ids/2/system", "required"),
        ("/name", "required"),
        ("/sku", "invalid_type"),
        ("/unit_price", "invalid_value"),
    ];
    assert_eq!(
        found,
        expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned()))
    );
}

#[test]
fn a_wrong_or_missing_choice_hides_no_other_fault() {
    use crate::customer::relationships::RelationshipFields;
    let id = "01890000-0000-7000-8000-000000000000";
    for (role, code) in [
        (json!("owns"), "invalid_choice"),
        (json!(1), "invalid_type"),
        (json!({"a": 1}), "invalid_choice"),
    ] {
        let body = json!({"from_id": id, "to_id": id, "role": role, "title": ""});
        let found = parse::<RelationshipFields>(&body).err().unwrap_or_default();
        let mut found: Vec<_> = found
            .iter()
            .map(|fault| (fault.pointer.as_str(), fault.code.as_str()))
            .collect();
        found.sort_unstable();
        assert_eq!(
            found,
            [
                ("/role", code),
                ("/title", "invalid_length"),
                ("/to_id", "same_customer")
            ],
            "{role}"
        );
    }
    let found = parse::<RelationshipFields>(&json!({})).err().unwrap_or_default();
    let found: Vec<_> = found.iter().map(|fault| fault.pointer.as_str()).collect();
    assert!(
        ["/from_id", "/to_id", "/role"]
            .iter()
            .all(|pointer| found.contains(pointer)),
        "{found:?}"
    );
    // No currency can be guessed.
    let body = json!({"unit_price": {"amount": "1.00"}, "colour": 1});
    let mut found: Vec<_> = faults(&body).into_iter().map(|(pointer, _)| pointer).collect();
    found.sort();
    assert_eq!(found, ["/colour", "/name", "/unit_price/currency"]);
}

#[test]
fn a_message_never_repeats_the_value_sent() {
    let found = parse::<ProductFields>(&json!({"name": 98765, "owner_id": "secret-value"}))
        .err()
        .unwrap_or_default();
    assert_eq!(found.len(), 2);
    assert!(
        found
            .iter()
            .all(|fault| !fault.message.contains("98765") && !fault.message.contains("secret")),
        "{found:?}"
    );
}

#[test]
fn an_array_is_no_object() {
    assert_eq!(faults(&json!([[], [], null, null, "GTX Pro"]))[0].1, "invalid_type");
    let body = json!({"name": "GTX", "external_ids": [["erp", "1"]], "unit_price": ["1.00", "EUR"]});
    let found = faults(&body);
    assert!(found.iter().all(|(_, code)| code == "invalid_type"), "{found:?}");
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn a_patch_names_only_members_that_there_are() {
    let before: ProductFields = parse(&json!({"name": "A", "unit_price": {"amount": "1.00", "currency": "EUR"}}))
        .unwrap_or_else(|f| panic!("{f:?}"));
    let refused = merged(&before, &json!({"unit_price": {"tax": null}}), None)
        .err()
        .unwrap_or_default();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].pointer, "/unit_price/tax");
}

#[test]
fn a_patch_keeps_what_it_leaves_out_and_clears_by_null() {
    let before: ProductFields =
        parse(&json!({"name": "A", "sku": "1", "tags": ["x"]})).unwrap_or_else(|f| panic!("{f:?}"));
    let after = merged(&before, &json!({"sku": null, "category": "C"}), None).unwrap_or_else(|f| panic!("{f:?}"));
    assert_eq!(
        (after.sku, after.category, after.name),
        (None, Some("C".to_owned()), "A".to_owned())
    );
    assert_eq!(*after.tags, ["x"]);
    let refused = merged(&before, &json!({"colour": null, "name": null}), None)
        .err()
        .unwrap_or_default();
    assert_eq!(
        refused.iter().map(|fault| fault.pointer.as_str()).collect::<Vec<_>>(),
        ["/colour", "/name"]
    );
}

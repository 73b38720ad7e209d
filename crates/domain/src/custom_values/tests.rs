//! Custom values: what each type takes, in which form it is kept, and what a change may do.

use super::*;
use crate::record::{Fields, Meta};
use proptest::prelude::*;
use sql::ids::TenantId;

fn catalogue(fields: &[Value]) -> Catalogue {
    let field = |fields: &Value| CustomField {
        meta: Meta::new(TenantId::new(), sql::Timestamp::now(), None),
        fields: serde_json::from_value::<CustomFieldFields>(fields.clone())
            .unwrap()
            .checked()
            .unwrap(),
    };
    Catalogue(fields.iter().map(field).collect())
}

fn of_every_type() -> Catalogue {
    let options = json!([{"value": "gold", "name": "Gold"}, {"value": "silver", "name": "Silver"}]);
    let field = |value_type: &str| json!({"resource": "customer", "key": value_type, "name": "F", "type": value_type});
    let mut fields: Vec<_> = ["text", "number", "money", "date", "bool"]
        .into_iter()
        .map(field)
        .collect();
    for value_type in ["choice", "multi_choice"] {
        let mut choice = field(value_type);
        choice["options"] = options.clone();
        fields.push(choice);
    }
    let mut reference = field("reference");
    reference["target"] = json!("customer");
    fields.push(reference);
    catalogue(&fields)
}

fn checked(catalogue: &Catalogue, before: Option<&Value>, values: &Value) -> Result<Value, Vec<(String, String)>> {
    let values_of = |json: &Value| CustomValues(json.as_object().unwrap().clone());
    let (before, mut values) = (before.map(values_of), values_of(values));
    let mut faults = Vec::new();
    catalogue.check(Kind::Customer, before.as_ref(), &mut values, &mut faults);
    if faults.is_empty() {
        return Ok(Value::Object(values.0));
    }
    Err(faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect())
}

#[test]
fn values_are_brought_to_the_one_form_of_their_type() {
    let catalogue = of_every_type();
    let sent = json!({
        "text": "Hello", "number": 2.50, "money": {"amount": "5", "currency": "EUR"}, "date": "2026-01-31",
        "bool": false, "choice": "gold", "multi_choice": ["silver", "gold", "silver"],
        "reference": "01997A3C-5D4E-7F00-8A1B-2C3D4E5F6071",
    });
    let kept = json!({
        "text": "Hello", "number": 2.5, "money": {"amount": "5.00", "currency": "EUR"}, "date": "2026-01-31",
        "bool": false, "choice": "gold", "multi_choice": ["silver", "gold"],
        "reference": "01997a3c-5d4e-7f00-8a1b-2c3d4e5f6071",
    });
    assert_eq!(checked(&catalogue, None, &sent), Ok(kept.clone()));
    assert_eq!(checked(&catalogue, None, &kept), Ok(kept.clone()));
    assert_eq!(
        checked(&catalogue, None, &json!({"text": null, "multi_choice": []})),
        Ok(json!({}))
    );
}

#[test]
fn every_fault_is_told_at_its_place() {
    let wrong = json!({
        "text": "", "number": "2.5", "money": 5, "date": "2026-02-30", "bool": "yes", "choice": "bronze",
        "multi_choice": ["gold", "tin"], "reference": "7", "else": 1, "": null,
    });
    let told = checked(&of_every_type(), None, &wrong).unwrap_err();
    let told: Vec<_> = told
        .iter()
        .map(|(place, code)| (place.as_str(), code.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("/custom/text", "invalid_length"),
            ("/custom/number", "invalid_value"),
            ("/custom/money", "invalid_value"),
            ("/custom/date", "invalid_value"),
            ("/custom/bool", "invalid_type"),
            ("/custom/choice", "not_a_choice"),
            ("/custom/multi_choice", "not_a_choice"),
            ("/custom/reference", "invalid_value"),
            ("/custom/else", "unknown_field"),
            ("/custom/", "unknown_field"),
        ]
    );
}

#[test]
fn what_a_record_holds_may_stay_whatever_becomes_of_its_field() {
    let archived = json!({"resource": "customer", "key": "old", "name": "Old", "type": "text", "archived": true});
    let catalogue = catalogue(&[archived]);
    let before = json!({"old": "x", "gone": 1});
    assert_eq!(checked(&catalogue, Some(&before), &before), Ok(before.clone()));
    assert_eq!(checked(&catalogue, Some(&before), &json!({})), Ok(json!({})));
    let told = checked(&catalogue, Some(&before), &json!({"old": "y", "gone": 2})).unwrap_err();
    let codes: Vec<_> = told.iter().map(|(_, code)| code.as_str()).collect();
    assert_eq!(codes, ["archived", "unknown_field"]);
}

#[test]
fn a_required_value_must_be_there_at_first_and_may_not_be_lost() {
    let catalogue =
        catalogue(&[json!({"resource": "customer", "key": "a", "name": "A", "type": "bool", "required": true})]);
    let required = Err(vec![("/custom/a".to_owned(), "required".to_owned())]);
    assert_eq!(checked(&catalogue, None, &json!({})), required);
    assert_eq!(checked(&catalogue, Some(&json!({"a": true})), &json!({})), required);
    // Who was there before the field was need not have it.
    assert_eq!(checked(&catalogue, Some(&json!({})), &json!({})), Ok(json!({})));
}

proptest! {
    #[test]
    fn numbers_keep_every_digit(scaled in -999_999_999_999_999_i64..=999_999_999_999_999) {
        let json: Value = serde_json::from_str(&number_json(scaled).to_string()).unwrap();
        prop_assert_eq!(scaled_number(&json), Some(scaled));
    }

    #[test]
    fn checking_twice_changes_nothing(number in any::<f64>(), text in ".{0,20}", flag in any::<bool>()) {
        let catalogue = of_every_type();
        if let Ok(kept) = checked(&catalogue, None, &json!({"number": number, "text": text, "bool": flag})) {
            prop_assert_eq!(checked(&catalogue, None, &kept), Ok(kept.clone()));
        }
    }
}

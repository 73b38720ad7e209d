use super::*;
use crate::rule::query::sort;
use crate::rule::{Position, SortKey};
use serde_json::json;

fn keys(text: &str) -> Vec<SortKey> {
    sort(text, Kind::Opportunity, &super::saturday()).unwrap()
}

#[test]
fn the_position_of_a_record_has_its_values() {
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let record = json!({
        "id": id, "name": "Deal", "created_at": "2026-01-31T09:30:00.000001Z", "closed_on": null,
        "amount": {"amount": "12.50", "currency": "EUR"},
    });
    let position = Position::of(&record, &keys("-created_at,closed_on,amount")).unwrap();
    let expected = vec![
        Some(at("2026-01-31T09:30:00.000001Z")),
        None,
        Some(text("EUR")),
        Some(Value::Integer(1250)),
        Some(Value::Id(id.parse().unwrap())),
    ];
    assert_eq!(position.0, expected);
    let sealed = serde_json::to_string(&position).unwrap();
    assert_eq!(serde_json::from_str::<Position>(&sealed).unwrap(), position);
    assert_eq!(Position::of(&json!({"id": 5}), &keys("")), None);
}

#[test]
fn a_position_fits_its_own_order_only() {
    let id = Some(Value::Id(sql::ids::RecordId::new()));
    let named = Position(vec![Some(text("Deal")), id.clone()]);
    assert!(named.fits(&keys("name")));
    assert!(!named.fits(&keys("")));
    assert!(!named.fits(&keys("-created_at")));
    assert!(!Position(vec![None, id.clone()]).fits(&keys("name")));
    assert!(Position(vec![None, id.clone()]).fits(&keys("closed_on")));
    assert!(Position(vec![None, None, id]).fits(&keys("amount")));
}

use crate::database::*;
use domain::Kind;
use serde_json::{Value as Json, json};
use sql::ids::RecordId;

fn day(text: &str) -> chrono::NaiveDate {
    text.parse().unwrap()
}

/// Asserts which of some records pass rules: by their places in the list.
fn expect(database: &mut Database, tenant: Tenant, kind: Kind, records: &[RecordId], cases: &[(Json, &[usize])]) {
    for (json, expected) in cases {
        let found = tenant.matching(database, kind, json);
        let places: Vec<_> = records
            .iter()
            .enumerate()
            .filter(|(_, id)| found.contains(id))
            .map(|(at, _)| at)
            .collect();
        assert_eq!(places, *expected, "{json}");
    }
}

#[test]
fn text_and_lists_are_compared() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    let product = |name: &str, sku: Option<&str>, tags: &[&str]| Product {
        name: name.to_owned(),
        sku: sku.map(str::to_owned),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        ..Product::default()
    };
    let records = [
        product("Acme 50%", Some("A_1"), &["red", "big"]),
        product("acme gold", Some("AB1"), &["red"]),
        product(r"Back\slash", None, &[]),
        product("É", Some(""), &["green, light", "big"]),
    ]
    .map(|product| tenant.product(&mut database, &product));
    let all: &[usize] = &[0, 1, 2, 3];
    expect(
        &mut database,
        tenant,
        Kind::Product,
        &records,
        &[
            (json!({"field": "name", "value": "acme gold"}), &[1]),
            (json!({"field": "name", "op": "ne", "value": "acme gold"}), &[0, 2, 3]),
            (json!({"field": "sku", "op": "ne", "value": "AB1"}), &[0, 3]),
            (json!({"not": {"field": "sku", "op": "ne", "value": "AB1"}}), &[1, 2]),
            (json!({"not": {"field": "sku", "value": "AB1"}}), &[0, 2, 3]),
            (json!({"not": {"not": {"field": "sku", "value": "AB1"}}}), &[1]),
            (
                json!({"not": {"all": [{"field": "sku", "value": "AB1"}, {"field": "sku", "op": "missing"}]}}),
                all,
            ),
            (json!({"field": "sku", "op": "in", "value": ["AB1", ""]}), &[1, 3]),
            (json!({"field": "sku", "op": "not_in", "value": ["AB1", ""]}), &[0]),
            (
                json!({"not": {"field": "sku", "op": "in", "value": ["AB1", ""]}}),
                &[0, 2],
            ),
            (
                json!({"not": {"field": "sku", "op": "not_in", "value": ["AB1", ""]}}),
                &[1, 2, 3],
            ),
            (json!({"field": "sku", "op": "exists"}), &[0, 1, 3]),
            (json!({"field": "sku", "op": "missing"}), &[2]),
            (json!({"field": "name", "op": "gte", "value": "a"}), &[1, 3]),
            (json!({"field": "name", "op": "between", "value": ["A", "B"]}), &[0]),
            (json!({"field": "name", "op": "contains", "value": "ACME"}), &[0, 1]),
            (json!({"field": "name", "op": "contains", "value": "0%"}), &[0]),
            (json!({"field": "sku", "op": "contains", "value": "A_"}), &[0]),
            (
                json!({"not": {"field": "sku", "op": "contains", "value": "A_"}}),
                &[1, 2, 3],
            ),
            (json!({"field": "name", "op": "contains", "value": "\\"}), &[2]),
            (json!({"field": "name", "op": "contains", "value": "é"}), &[]),
            (json!({"field": "name", "op": "starts_with", "value": "back\\S"}), &[2]),
            (json!({"field": "name", "op": "ends_with", "value": "GOLD"}), &[1]),
            (json!({"field": "name", "op": "search", "value": "gold ACME"}), &[1]),
            (json!({"field": "tags", "value": "red"}), &[0, 1]),
            (json!({"not": {"field": "tags", "value": "red"}}), &[2, 3]),
            (
                json!({"field": "tags", "op": "has_any", "value": ["big", "none"]}),
                &[0, 3],
            ),
            (
                json!({"field": "tags", "op": "has_all", "value": ["big", "red", "red"]}),
                &[0],
            ),
            (
                json!({"not": {"field": "tags", "op": "has_all", "value": ["big", "red"]}}),
                &[1, 2, 3],
            ),
            (
                json!({"field": "tags", "op": "has_none", "value": ["red", "none"]}),
                &[2, 3],
            ),
            (
                json!({"not": {"field": "tags", "op": "has_none", "value": ["red"]}}),
                &[0, 1],
            ),
            (json!({"field": "tags", "op": "contains", "value": ", L"}), &[3]),
            (json!({"field": "tags", "op": "exists"}), &[0, 1, 3]),
            (json!({"field": "tags", "op": "missing"}), &[2]),
            (json!({"all": []}), all),
            (json!({"any": []}), &[]),
            (
                json!({"any": [{"field": "sku", "value": "A_1"}, {"field": "tags", "value": "red"}]}),
                &[0, 1],
            ),
            (json!({"field": "active", "value": false}), all),
            (json!({"field": "id", "value": records[2].to_string()}), &[2]),
            (
                json!({"field": "created_at", "op": "in", "value": ["2026-11-21T12:00:00Z"]}),
                all,
            ),
        ],
    );
}

#[test]
fn amounts_are_compared_in_their_currency() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    let records = [
        Some((50_000, "EUR")),
        Some((50_001, "EUR")),
        Some((70_000, "USD")),
        None,
    ]
    .map(|amount| {
        tenant.opportunity(
            &mut database,
            &Opportunity {
                amount,
                ..Opportunity::default()
            },
        )
    });
    expect(
        &mut database,
        tenant,
        Kind::Opportunity,
        &records,
        &[
            (json!({"field": "amount", "value": "500"}), &[0]),
            (json!({"field": "amount", "op": "ne", "value": "500"}), &[1]),
            (json!({"field": "amount", "op": "gt", "value": "500.00"}), &[1]),
            (
                json!({"not": {"field": "amount", "op": "gt", "value": "500.00"}}),
                &[0, 2, 3],
            ),
            (
                json!({"field": "amount", "op": "gte", "value": {"amount": "1.00", "currency": "USD"}}),
                &[2],
            ),
            (
                json!({"field": "amount", "op": "between", "value": ["500.00", "500.01 EUR"]}),
                &[0, 1],
            ),
            (json!({"field": "amount", "op": "missing"}), &[3]),
            (json!({"field": "amount", "op": "exists"}), &[0, 1, 2]),
        ],
    );
}

#[test]
fn time_is_compared() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    let opportunity = |created: &str, expected: Option<&str>, closed: Option<&str>| Opportunity {
        created_at: Some(instant(created)),
        expected_close_on: expected.map(day),
        closed_on: closed.map(day),
        ..Opportunity::default()
    };
    let records = [
        opportunity("2026-11-21T11:59:59.999999Z", Some("2026-11-21"), None),
        opportunity("2026-10-01T00:00:00Z", Some("2026-10-01"), Some("2026-10-31")),
        opportunity("2026-09-30T22:00:00Z", Some("2026-09-30"), Some("2026-09-23")),
        opportunity("2026-09-30T21:59:59.999999Z", None, Some("2026-09-23")),
    ]
    .map(|opportunity| tenant.opportunity(&mut database, &opportunity));
    expect(
        &mut database,
        tenant,
        Kind::Opportunity,
        &records,
        &[
            // Midnight in Berlin is 22:00 in summer.
            (
                json!({"field": "created_at", "window": {"this": "quarter"}}),
                &[0, 1, 2],
            ),
            (json!({"field": "created_at", "window": {"previous": "quarter"}}), &[3]),
            (json!({"field": "created_at", "window": {"last": "P1D"}}), &[0]),
            (json!({"field": "created_at", "value": "2026-10-01"}), &[1, 2]),
            (
                json!({"field": "created_at", "op": "ne", "value": "2026-10-01"}),
                &[0, 3],
            ),
            (json!({"field": "closed_on", "window": {"this": "quarter"}}), &[1]),
            (
                json!({"not": {"field": "closed_on", "window": {"this": "quarter"}}}),
                &[0, 2, 3],
            ),
            (
                json!({"field": "closed_on", "op": "gt", "value": {"ref": "expected_close_on"}}),
                &[1],
            ),
            (
                json!({"field": "closed_on", "op": "lte", "value": {"ref": "expected_close_on", "offset": "-P7D"}}),
                &[2],
            ),
            (
                json!({"not": {"field": "closed_on", "op": "gt", "value": {"ref": "expected_close_on"}}}),
                &[0, 2, 3],
            ),
            (
                json!({"field": "created_at", "op": "lt", "value": {"ref": "updated_at", "offset": "PT1S"}}),
                &[0, 1, 2, 3],
            ),
            (
                json!({"field": "created_at", "op": "lt", "value": {"ref": "updated_at", "offset": "-PT1S"}}),
                &[],
            ),
        ],
    );
}

#[test]
fn anniversaries_come_round() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    let records = ["1980-11-21", "2000-11-28", "1990-11-29", "1984-02-29"].map(|birth_date| {
        let customer = Customer {
            birth_date: Some(day(birth_date)),
            ..Customer::default()
        };
        tenant.customer(&mut database, &customer)
    });
    expect(
        &mut database,
        tenant,
        Kind::Customer,
        &records,
        &[
            (
                json!({"field": "birth_date", "op": "anniversary_within", "value": "P7D"}),
                &[0, 1],
            ),
            (
                json!({"not": {"field": "birth_date", "op": "anniversary_within", "value": "P7D"}}),
                &[2, 3],
            ),
            (
                json!({"field": "birth_date", "op": "anniversary_within", "value": "P99D"}),
                &[0, 1, 2, 3],
            ),
            (
                json!({"field": "birth_date", "op": "anniversary_within", "value": "P98D"}),
                &[0, 1, 2],
            ),
            (
                json!({"field": "birth_date", "op": "anniversary_within", "value": "P2Y"}),
                &[0, 1, 2, 3],
            ),
        ],
    );
}

#[test]
fn members_of_json_are_compared_by_their_type() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    let records = [
        json!({"employees": 9, "industry": "Toys", "annual_revenue": {"amount": "1000.00", "currency": "EUR"}}),
        json!({"employees": 100, "industry": "toys", "annual_revenue": {"amount": "-0.50", "currency": "EUR"}}),
        json!({"employees": null, "industry": null}),
        json!({"annual_revenue": {"amount": "90", "currency": "JPY"}}),
    ]
    .map(|organisation| {
        let customer = Customer {
            organisation: Some(organisation),
            ..Customer::default()
        };
        tenant.customer(&mut database, &customer)
    });
    expect(
        &mut database,
        tenant,
        Kind::Customer,
        &records,
        &[
            (json!({"field": "organisation.employees", "op": "gt", "value": 9}), &[1]),
            (
                json!({"field": "organisation.employees", "op": "in", "value": [9, 100]}),
                &[0, 1],
            ),
            (
                json!({"not": {"field": "organisation.employees", "op": "gt", "value": 9}}),
                &[0, 2, 3],
            ),
            (json!({"field": "organisation.employees", "op": "missing"}), &[2, 3]),
            (json!({"field": "organisation.industry", "value": "Toys"}), &[0]),
            (
                json!({"field": "organisation.industry", "op": "contains", "value": "OY"}),
                &[0, 1],
            ),
            (
                json!({"field": "organisation.industry", "op": "gt", "value": "U"}),
                &[1],
            ),
            (
                json!({"field": "organisation.annual_revenue", "op": "lt", "value": "1000.00"}),
                &[1],
            ),
            (
                json!({"field": "organisation.annual_revenue", "op": "gte", "value": "90 JPY"}),
                &[3],
            ),
            (
                json!({"field": "organisation.annual_revenue", "op": "exists"}),
                &[0, 1, 3],
            ),
        ],
    );
}

#[test]
fn quotes_and_semicolons_are_only_text() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    let name = "'; DROP TABLE products; --";
    let product = Product {
        name: name.to_owned(),
        ..Product::default()
    };
    let id = tenant.product(&mut database, &product);
    for op in ["eq", "contains", "starts_with", "ends_with"] {
        let found = tenant.matching(
            &mut database,
            Kind::Product,
            &json!({"field": "name", "op": op, "value": name}),
        );
        assert_eq!(found, [id]);
    }
    let found = tenant.matching(&mut database, Kind::Product, &json!({"field": "tags", "value": name}));
    assert!(found.is_empty());
}

#[test]
fn the_largest_rule_runs() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    let test = json!({"not": {"field": "tags", "op": "has_none", "value": ["a", "b", "c", "d", "e"]}});
    let nested = (0..5).fold(json!({"all": vec![test; 90]}), |rule, _| json!({"not": rule}));
    assert!(tenant.matching(&mut database, Kind::Product, &nested).is_empty());
    let values: Vec<_> = (0..1000).map(|number| number.to_string()).collect();
    for op in ["has_all", "has_any"] {
        let listed = json!({"field": "tags", "op": op, "value": values});
        assert!(tenant.matching(&mut database, Kind::Product, &listed).is_empty());
    }
    let chained = json!({"any": vec![json!({"field": "owner.name", "op": "contains", "value": "x"}); 199]});
    assert!(tenant.matching(&mut database, Kind::Product, &chained).is_empty());
}

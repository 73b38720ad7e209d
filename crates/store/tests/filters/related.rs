use crate::database::*;
use domain::Kind;
use serde_json::{Value as Json, json};
use sql::ids::RecordId;

/// Four customers: with two deals, with one, with one that is deleted, with none.
fn customers(database: &mut Database, tenant: Tenant) -> [RecordId; 4] {
    let ids = ["two", "one", "deleted", "none"].map(|name| {
        let customer = Customer {
            name: name.to_owned(),
            countries: vec![if name == "two" { "ID" } else { "DE" }.to_owned()],
            ..Customer::default()
        };
        tenant.customer(database, &customer)
    });
    let deal = |customer: RecordId, amount, probability, status, created: &str, closed: Option<&str>| Opportunity {
        customer: Some(customer),
        amount: Some(amount),
        probability,
        status: Some(status),
        created_at: Some(instant(created)),
        closed_on: closed.map(|day| day.parse().unwrap()),
        ..Opportunity::default()
    };
    let deals = [
        deal(
            ids[0],
            (30_000, "EUR"),
            Some(10),
            "won",
            "2026-11-01T00:00:00Z",
            Some("2026-11-11"),
        ),
        deal(ids[0], (20_001, "EUR"), Some(15), "open", "2026-11-20T00:00:00Z", None),
        deal(
            ids[1],
            (90_000, "USD"),
            None,
            "lost",
            "2026-01-01T00:00:00Z",
            Some("2026-02-01"),
        ),
        deal(
            ids[2],
            (99_999, "EUR"),
            Some(99),
            "won",
            "2026-11-02T00:00:00Z",
            Some("2026-11-03"),
        ),
    ]
    .map(|deal| tenant.opportunity(database, &deal));
    delete(database, Kind::Opportunity, deals[3]);
    ids
}

fn expect(database: &mut Database, tenant: Tenant, records: &[RecordId], cases: &[(Json, &[usize])]) {
    for (json, expected) in cases {
        let found = tenant.matching(database, Kind::Customer, json);
        let places: Vec<_> = records
            .iter()
            .enumerate()
            .filter(|(_, id)| found.contains(id))
            .map(|(at, _)| at)
            .collect();
        assert_eq!(places, *expected, "{json}");
        let negated = tenant.matching(database, Kind::Customer, &json!({"not": json}));
        assert_eq!(negated.len() + found.len(), records.len(), "not {json}");
    }
}

#[test]
fn quantifiers_are_counted_over_what_is_not_deleted() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    let records = customers(&mut database, tenant);
    let won = json!({"field": "status", "value": "won"});
    let likely = json!({"field": "probability", "op": "gte", "value": 10});
    expect(
        &mut database,
        tenant,
        &records,
        &[
            (json!({"related": "opportunities"}), &[0, 1]),
            (json!({"related": "opportunities", "quantifier": "none"}), &[2, 3]),
            (json!({"related": "opportunities", "where": won}), &[0]),
            (
                json!({"related": "opportunities", "where": won, "quantifier": "none"}),
                &[1, 2, 3],
            ),
            (
                json!({"related": "opportunities", "where": won, "quantifier": "all"}),
                &[2, 3],
            ),
            (
                json!({"related": "opportunities", "where": likely, "quantifier": "all"}),
                &[0, 2, 3],
            ),
            (json!({"related": "opportunities", "window": {"last": "P30D"}}), &[0]),
            (
                json!({"related": "opportunities", "window": {"field": "closed_on", "this": "year"}}),
                &[0, 1],
            ),
            (
                json!({"related": "opportunities", "window": {"field": "closed_on", "this": "month"}, "where": won}),
                &[0],
            ),
        ],
    );
}

#[test]
fn figures_are_compared() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    let records = customers(&mut database, tenant);
    let figure = |function: &str, field: &str, op: &str, value: Json| json!({"related": "opportunities", "aggregate": {"fn": function, "field": field}, "op": op, "value": value});
    let count = |op: &str, value: Json| json!({"related": "opportunities", "aggregate": {"fn": "count"}, "op": op, "value": value});
    expect(
        &mut database,
        tenant,
        &records,
        &[
            (count("gte", json!(1)), &[0, 1]),
            (count("eq", json!(0)), &[2, 3]),
            (count("between", json!([1, 1])), &[1]),
            (figure("count_distinct", "status", "eq", json!(2)), &[0]),
            (figure("sum", "amount", "gte", json!("500.01")), &[0]),
            (figure("sum", "amount", "lt", json!("500.01")), &[1, 2, 3]),
            (figure("sum", "amount", "gt", json!("899.99 USD")), &[1]),
            (figure("avg", "amount", "between", json!(["250.00", "250.01"])), &[0]),
            (figure("avg", "amount", "lte", json!("250.00")), &[]),
            (figure("avg", "probability", "eq", json!(12.5)), &[0]),
            (figure("avg", "probability", "gt", json!("12.4999")), &[0]),
            (figure("avg", "probability", "missing", Json::Null), &[1, 2, 3]),
            (figure("min", "amount", "eq", json!("200.01")), &[0]),
            (figure("max", "probability", "gte", json!(15)), &[0]),
            (figure("max", "probability", "missing", Json::Null), &[1, 2, 3]),
            (figure("min", "created_at", "lt", json!("2026-06-01")), &[1]),
            (figure("first", "status", "eq", json!("won")), &[0]),
            (figure("last", "status", "eq", json!("open")), &[0]),
            (figure("last", "status", "in", json!(["open", "lost"])), &[0, 1]),
            (figure("last", "closed_on", "missing", Json::Null), &[0, 2, 3]),
            (figure("last", "closed_on", "exists", Json::Null), &[1]),
            (figure("days_since_last", "closed_on", "eq", json!(10)), &[0]),
            (figure("days_since_last", "closed_on", "gt", json!(10)), &[1]),
            (figure("days_since_last", "created_at", "lte", json!(1)), &[0]),
            (
                json!({
                    "related": "opportunities", "where": {"field": "status", "value": "won"},
                    "window": {"last": "P30D"}, "aggregate": {"fn": "count"}, "op": "gte", "value": 1,
                }),
                &[0],
            ),
            (
                json!({
                    "related": "opportunities", "window": {"field": "closed_on"},
                    "aggregate": {"fn": "last", "field": "status"}, "value": "won",
                }),
                &[0],
            ),
        ],
    );
}

#[test]
fn a_hop_reaches_fields_of_the_record_it_is_tied_to() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    let records = customers(&mut database, tenant);
    let orphan = tenant.opportunity(&mut database, &Opportunity::default());
    let hop = |field: &str, op: &str, value: &str| json!({"field": field, "op": op, "value": value});
    let count = |database: &mut Database, json: Json| tenant.matching(database, Kind::Opportunity, &json).len();
    assert_eq!(count(&mut database, hop("customer.country", "eq", "ID")), 2);
    let listed = json!({"field": "customer.name", "op": "in", "value": ["one", "two"]});
    assert_eq!(count(&mut database, listed), 3);
    assert_eq!(
        count(&mut database, json!({"not": hop("customer.country", "eq", "ID")})),
        2
    );
    assert_eq!(
        count(&mut database, json!({"field": "customer.birth_date", "op": "missing"})),
        4
    );
    assert_eq!(
        count(
            &mut database,
            json!({"not": {"field": "customer.name", "op": "missing"}})
        ),
        3
    );
    assert_eq!(
        count(&mut database, json!({"field": "customer.name", "op": "exists"})),
        3
    );
    assert_eq!(count(&mut database, hop("customer", "search", "two")), 2);
    // A deleted customer has no fields any more.
    delete(&mut database, Kind::Customer, records[0]);
    let missing = tenant.matching(
        &mut database,
        Kind::Opportunity,
        &json!({"field": "customer.name", "op": "missing"}),
    );
    assert_eq!(missing.len(), 3);
    assert!(missing.contains(&orphan));
}

#[test]
fn related_rules_nest() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    let records = customers(&mut database, tenant);
    let json = json!({"related": "opportunities", "where": {"all": [
        {"field": "customer.country", "value": "ID"},
        {"field": "customer.name", "op": "contains", "value": "w"},
        {"not": {"field": "owner.name", "op": "exists"}},
    ]}});
    assert_eq!(tenant.matching(&mut database, Kind::Customer, &json), [records[0]]);
    let team = tenant.team(&mut database);
    tenant.user(&mut database, "Ana", Some(team));
    let users = json!({"related": "users", "where": {"field": "team.name", "value": "Team"}});
    assert_eq!(tenant.matching(&mut database, Kind::Team, &users).len(), 1);
    let children = json!({"related": "children", "where": {"related": "parent"}});
    assert!(tenant.matching(&mut database, Kind::Team, &children).is_empty());
}

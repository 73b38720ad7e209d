//! Random rules select the same records in SQL as by the oracle, however they are nested and negated.

use crate::database::*;
use crate::nodes::nodes;
use crate::oracle::{Record, World};
use domain::Kind;
use domain::money::Money;
use domain::registry::Link;
use domain::rule::{Rule, Value};
use domain::search::folded;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use sql::ids::{RecordId, UserId};

pub(crate) const TEXTS: [&str; 8] = ["", "a", "A", "Abc", "abc%", "b%", "_", "É"];
pub(crate) const INSTANTS: [&str; 4] = [
    "2026-11-21T12:00:00Z",
    "2026-11-20T23:30:00Z",
    "2026-10-01T00:00:00Z",
    "2026-01-01T00:00:00.000001Z",
];
pub(crate) const DAYS: [&str; 5] = ["2026-11-21", "2026-11-28", "2026-02-28", "2024-02-29", "2025-12-31"];
pub(crate) const AMOUNTS: [(i64, &str); 4] = [(0, "EUR"), (100, "EUR"), (-150, "EUR"), (100, "USD")];

/// Writes customers, opportunities and users with every mix of missing values.
pub(crate) fn world(database: &mut Database, tenant: Tenant) -> World {
    let pick = |number: usize, of: usize| (number % (of + 1)).checked_sub(1);
    let users: Vec<UserId> = ["a", "Ab"]
        .iter()
        .map(|name| tenant.user(database, name, None))
        .collect();
    let mut records: Vec<Record> = users
        .iter()
        .zip(["a", "Ab"])
        .map(|(id, name)| {
            let mut record = record(Kind::User, RecordId(id.0), context().now, None);
            record.set("name", Value::Text(name.to_owned()));
            record
        })
        .collect();
    let mut customers = Vec::new();
    for number in 0..24 {
        let customer = Customer {
            name: TEXTS[number % TEXTS.len()].to_owned(),
            lifecycle: Some(["lead", "lost"][number % 2]),
            birth_date: pick(number, DAYS.len()).map(|at| DAYS[at].parse().unwrap()),
            countries: (0..number % 3)
                .map(|at| TEXTS[(number + at) % TEXTS.len()].to_owned())
                .collect(),
            emails: Vec::new(),
            organisation: Some(json!({
                "industry": pick(number / 2, 6).map(|at| TEXTS[at]),
                "employees": pick(number / 3, 3),
                "annual_revenue": pick(number, 3).map(|at| Money::from_minor(AMOUNTS[at].0, AMOUNTS[at].1.parse().unwrap())),
            })),
            owner: pick(number, 2).map(|at| users[at]),
            team: None,
        };
        let id = tenant.customer(database, &customer);
        customers.push(id);
        let mut record = record(Kind::Customer, id, context().now, customer.owner);
        record.text = folded([customer.name.as_str()]);
        record.set("name", Value::Text(customer.name));
        record.set("kind", Value::Text("organisation".to_owned()));
        record.set(
            "lifecycle",
            Value::Text(customer.lifecycle.unwrap_or_default().to_owned()),
        );
        record.put("birth_date", customer.birth_date.map(Value::Date));
        record.put(
            "organisation.industry",
            pick(number / 2, 6).map(|at| Value::Text(TEXTS[at].to_owned())),
        );
        record.put(
            "organisation.employees",
            pick(number / 3, 3).map(|at| Value::Integer(i64::try_from(at).unwrap())),
        );
        record.put("organisation.annual_revenue", pick(number, 3).map(amount));
        record.lists.insert("country", customer.countries);
        record.events = crate::happened::events(database, tenant, id, &users, number);
        records.push(record);
    }
    for number in 0..40_usize {
        let opportunity = Opportunity {
            customer: pick(number, 13).map(|at| customers[at]),
            amount: pick(number, 4).map(|at| AMOUNTS[at]),
            probability: pick(number, 3).map(|at| i32::try_from(at).unwrap()),
            status: Some(["open", "won", "lost"][number % 3]),
            expected_close_on: pick(number / 2, 5).map(|at| DAYS[at].parse().unwrap()),
            closed_on: pick(number / 3, 5).map(|at| DAYS[at].parse().unwrap()),
            created_at: Some(instant(INSTANTS[number % 4])),
            owner: pick(number / 5, 2).map(|at| users[at]),
        };
        let id = tenant.opportunity(database, &opportunity);
        let mut record = record(Kind::Opportunity, id, instant(INSTANTS[number % 4]), opportunity.owner);
        record.put("customer_id", opportunity.customer.map(Value::Id));
        record.put("amount", pick(number, 4).map(amount));
        record.put(
            "probability",
            opportunity
                .probability
                .map(|probability| Value::Integer(probability.into())),
        );
        record.set("status", Value::Text(opportunity.status.unwrap_or_default().to_owned()));
        record.put("expected_close_on", opportunity.expected_close_on.map(Value::Date));
        record.put("closed_on", opportunity.closed_on.map(Value::Date));
        records.push(record);
    }
    World(records)
}

pub(crate) fn amount(at: usize) -> Value {
    Value::Money(Money::from_minor(AMOUNTS[at].0, AMOUNTS[at].1.parse().unwrap()))
}

pub(crate) fn record(kind: Kind, id: RecordId, created_at: sql::Timestamp, owner: Option<UserId>) -> Record {
    let mut record = Record {
        kind,
        id,
        values: std::collections::HashMap::new(),
        lists: std::collections::HashMap::new(),
        text: String::new(),
        events: Vec::new(),
    };
    record.set("id", Value::Id(id));
    record.set("version", Value::Integer(1));
    record.set("created_at", Value::Instant(created_at));
    record.set("updated_at", Value::Instant(created_at));
    record.put("owner_id", owner.map(|owner| Value::Id(RecordId(owner.0))));
    record
}

impl Record {
    pub(crate) fn set(&mut self, field: &'static str, value: Value) {
        self.values.insert(field, value);
    }

    pub(crate) fn put(&mut self, field: &'static str, value: Option<Value>) {
        self.values.extend(value.map(|value| (field, value)));
    }
}

#[test]
fn sql_agrees_with_the_contract() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    let world = world(&mut database, tenant);
    let mut runner = TestRunner::new(Config::with_cases(2000));
    let database = std::cell::RefCell::new(database);
    let (checked, of_events) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let kinds = prop_oneof![Just(Kind::Customer), Just(Kind::Opportunity)];
    let result = runner.run(&(kinds, nodes()), |(kind, node)| {
        let json = node.json(kind);
        // Some of what the dice make is refused, as it should be: that is not what this test looks at.
        let Ok(rule) = Rule::parse(&json, kind, &context()) else {
            return Ok(());
        };
        checked.set(checked.get() + 1);
        let condition = tenant.condition(kind).with_rule(Some(&rule));
        let mut found = select(&mut database.borrow_mut(), kind, condition);
        let mut expected = world.matching(kind, &rule);
        found.sort();
        expected.sort();
        let looks_into_events = node.looks_into_events() && !expected.is_empty();
        of_events.set(of_events.get() + usize::from(looks_into_events));
        prop_assert_eq!(found, expected, "{}", json);
        Ok(())
    });
    result.unwrap();
    assert!(checked.get() > 1000, "only {} rules were read", checked.get());
    assert!(of_events.get() > 50, "only {} look into events", of_events.get());
}

#[test]
fn relations_used_here_are_what_the_oracle_takes_them_for() {
    let link = |kind: Kind, name: &str| kind.registry().relation(name).unwrap().link;
    assert_eq!(
        link(Kind::Customer, "opportunities"),
        Link::Many { column: "customer_id" }
    );
    assert_eq!(link(Kind::Opportunity, "customer"), Link::One { column: "customer_id" });
}

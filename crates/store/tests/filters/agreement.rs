//! Random rules select the same records in SQL as by the oracle, however they are nested and negated.

use crate::database::*;
use crate::oracle::{Record, World};
use domain::Kind;
use domain::money::Money;
use domain::registry::{FieldType, Link};
use domain::rule::{Operator, Rule, Shape, Value};
use domain::search::folded;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value as Json, json};
use sql::ids::{RecordId, UserId};

const TEXTS: [&str; 8] = ["", "a", "A", "Abc", "abc%", "b%", "_", "É"];
const INSTANTS: [&str; 4] = [
    "2026-11-21T12:00:00Z",
    "2026-11-20T23:30:00Z",
    "2026-10-01T00:00:00Z",
    "2026-01-01T00:00:00.000001Z",
];
const DAYS: [&str; 5] = ["2026-11-21", "2026-11-28", "2026-02-28", "2024-02-29", "2025-12-31"];
const AMOUNTS: [(i64, &str); 4] = [(0, "EUR"), (100, "EUR"), (-150, "EUR"), (100, "USD")];
const DURATIONS: [&str; 4] = ["P0D", "P7D", "P1M", "P400D"];
const UNITS: [&str; 5] = ["day", "week", "month", "quarter", "year"];

/// The fields that the records below may have.
const FIELDS: [(Kind, &[&str]); 2] = [
    (
        Kind::Customer,
        &[
            "name",
            "lifecycle",
            "birth_date",
            "country",
            "emails",
            "owner_id",
            "created_at",
            "updated_at",
            "id",
            "organisation.industry",
            "organisation.employees",
            "organisation.annual_revenue",
            "owner.name",
            "owner.team_id",
            "kind",
            "version",
        ],
    ),
    (
        Kind::Opportunity,
        &[
            "customer_id",
            "amount",
            "probability",
            "status",
            "expected_close_on",
            "closed_on",
            "created_at",
            "owner_id",
            "customer.name",
            "customer.country",
            "customer.birth_date",
            "customer.organisation.employees",
            "customer.organisation.annual_revenue",
            "owner.name",
            "channel",
        ],
    ),
];

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

fn amount(at: usize) -> Value {
    Value::Money(Money::from_minor(AMOUNTS[at].0, AMOUNTS[at].1.parse().unwrap()))
}

fn record(kind: Kind, id: RecordId, created_at: sql::Timestamp, owner: Option<UserId>) -> Record {
    let mut record = Record {
        kind,
        id,
        values: std::collections::HashMap::new(),
        lists: std::collections::HashMap::new(),
        text: String::new(),
    };
    record.set("id", Value::Id(id));
    record.set("version", Value::Integer(1));
    record.set("created_at", Value::Instant(created_at));
    record.set("updated_at", Value::Instant(created_at));
    record.put("owner_id", owner.map(|owner| Value::Id(RecordId(owner.0))));
    record
}

impl Record {
    fn set(&mut self, field: &'static str, value: Value) {
        self.values.insert(field, value);
    }

    fn put(&mut self, field: &'static str, value: Option<Value>) {
        self.values.extend(value.map(|value| (field, value)));
    }
}

/// Numbers from which a leaf of a rule is made.
type Dice = [usize; 6];

fn literal(field_type: FieldType, die: usize) -> Json {
    match field_type {
        FieldType::Text | FieldType::List => json!(TEXTS[die % TEXTS.len()]),
        FieldType::Choice(choices) => json!(choices[die % choices.len()]),
        FieldType::Id => json!("01890a5d-ac96-774b-bcce-b302099a8057"),
        FieldType::Integer | FieldType::Decimal => json!(die % 4),
        FieldType::Money => {
            let (minor, currency) = AMOUNTS[die % 4];
            json!(Money::from_minor(minor, currency.parse().unwrap()))
        }
        FieldType::Date => json!(DAYS[die % DAYS.len()]),
        FieldType::Instant if die.is_multiple_of(2) => json!(DAYS[die / 2 % DAYS.len()]),
        FieldType::Instant => json!(INSTANTS[die / 2 % INSTANTS.len()]),
        FieldType::Bool => json!(die.is_multiple_of(2)),
    }
}

fn value_for(operator: Operator, field_type: FieldType, dice: Dice) -> Json {
    let one = |die: usize| literal(field_type, dice[die]);
    match operator.shape() {
        Shape::One => one(2),
        Shape::Pair | Shape::Many => json!([one(2), one(3)]),
        Shape::Text => json!(TEXTS[dice[2] % TEXTS.len()]),
        Shape::Flag => Json::Null,
        Shape::Duration => json!(DURATIONS[dice[2] % 4]),
        Shape::DurationOrUnit if dice[3].is_multiple_of(2) => json!(DURATIONS[dice[2] % 4]),
        Shape::DurationOrUnit | Shape::Unit => json!(UNITS[dice[2] % 5]),
    }
}

/// A test of some field; sometimes against another field of the same record.
fn leaf(kind: Kind, dice: Dice) -> Json {
    let (_, names) = FIELDS.iter().find(|(of, _)| *of == kind).unwrap();
    let name = names[dice[0] % names.len()];
    let registry = kind.registry();
    let field = registry.field(name).unwrap_or_else(|| {
        let (hop, rest) = name.split_once('.').unwrap();
        registry.relation(hop).unwrap().target.registry().field(rest).unwrap()
    });
    let operators = field.field_type.operators();
    let operator = operators[dice[1] % operators.len()];
    if dice[4].is_multiple_of(5) && operator.shape() == Shape::One {
        let value = json!({"ref": names[dice[2] % names.len()], "offset": DURATIONS[dice[3] % 2]});
        let value = if dice[5].is_multiple_of(2) {
            json!({"ref": value["ref"]})
        } else {
            value
        };
        return json!({"field": name, "op": operator, "value": value});
    }
    json!({"field": name, "op": operator, "value": value_for(operator, field.field_type, dice)})
}

/// A look at related opportunities or customers, with rules about them.
fn related(kind: Kind, filter: Option<Json>, dice: Dice) -> Json {
    let name = if kind == Kind::Customer {
        "opportunities"
    } else {
        "customer"
    };
    let mut node = json!({"related": name});
    if let Some(filter) = filter {
        node["where"] = filter;
    }
    let windows = [
        json!({"last": "P30D"}),
        json!({"this": "year"}),
        json!({"field": "closed_on", "previous": "year"}),
    ];
    if dice[0].is_multiple_of(2) {
        node["window"] = windows[dice[0] / 2 % if kind == Kind::Customer { 3 } else { 2 }].clone();
    }
    let functions = [
        "count",
        "count_distinct",
        "sum",
        "avg",
        "min",
        "max",
        "first",
        "last",
        "days_since_last",
    ];
    let function = functions[dice[1] % functions.len()];
    if dice[2].is_multiple_of(3) {
        node["quantifier"] = json!(["any", "all", "none"][dice[1] % 3]);
        return node;
    }
    let target = if kind == Kind::Customer {
        Kind::Opportunity
    } else {
        Kind::Customer
    };
    let (_, names) = FIELDS.iter().find(|(of, _)| *of == target).unwrap();
    let fields: Vec<_> = names.iter().filter_map(|name| target.registry().field(name)).collect();
    let field = fields[dice[3] % fields.len()];
    node["aggregate"] = if function == "count" {
        json!({"fn": function})
    } else {
        json!({"fn": function, "field": field.name})
    };
    let counted = if matches!(function, "count" | "count_distinct" | "days_since_last") {
        FieldType::Integer
    } else {
        field.field_type
    };
    let operator = Operator::ALL[dice[4] % 8];
    node["op"] = json!(operator);
    node["value"] = value_for(operator, counted, [0, 0, dice[5], dice[0], 0, 0]);
    node
}

/// Where a rule goes: about which kind, and what is asked of it.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Leaf(Dice),
    Found(usize),
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Related(Option<Box<Node>>, Dice),
}

impl Node {
    pub(crate) fn json(&self, kind: Kind) -> Json {
        let each = |nodes: &[Self]| nodes.iter().map(|node| node.json(kind)).collect::<Vec<_>>();
        let other = if kind == Kind::Customer {
            Kind::Opportunity
        } else {
            Kind::Customer
        };
        match self {
            Self::Leaf(dice) => leaf(kind, *dice),
            Self::Found(die) if kind == Kind::Customer => {
                json!({"op": "search", "value": (["abc", "BÇ%", "xyz"][die % 3])})
            }
            Self::Found(_) => json!({"field": "customer", "op": "search", "value": "abc"}),
            Self::All(nodes) => json!({"all": each(nodes)}),
            Self::Any(nodes) => json!({"any": each(nodes)}),
            Self::Not(node) => json!({"not": node.json(kind)}),
            Self::Related(filter, dice) => related(kind, filter.as_ref().map(|node| node.json(other)), *dice),
        }
    }
}

/// Rules of every shape, some of which are refused.
pub(crate) fn nodes() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![8 => any::<Dice>().prop_map(Node::Leaf), 1 => any::<usize>().prop_map(Node::Found)];
    leaf.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Node::All),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Node::Any),
            inner.clone().prop_map(|node| Node::Not(Box::new(node))),
            (prop::option::of(inner.prop_map(Box::new)), any::<Dice>())
                .prop_map(|(filter, dice)| Node::Related(filter, dice)),
        ]
    })
}

#[test]
fn sql_agrees_with_the_contract() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    let world = world(&mut database, tenant);
    let mut runner = TestRunner::new(Config::with_cases(2000));
    let database = std::cell::RefCell::new(database);
    let checked = std::cell::Cell::new(0);
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
        prop_assert_eq!(found, expected, "{}", json);
        Ok(())
    });
    result.unwrap();
    assert!(checked.get() > 1000, "only {} rules were read", checked.get());
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

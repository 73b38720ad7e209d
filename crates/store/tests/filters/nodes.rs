//! Random rules.

use crate::agreement::{AMOUNTS, DAYS, INSTANTS, TEXTS};
use crate::happened;
use domain::Kind;
use domain::money::Money;
use domain::registry::{FieldType, Registry};
use domain::rule::{Operator, Shape};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

const DURATIONS: [&str; 4] = ["P0D", "P7D", "P1M", "P400D"];
const UNITS: [&str; 5] = ["day", "week", "month", "quarter", "year"];

/// The fields that the records of the tests may have.
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

/// Numbers from which a leaf of a rule is made.
pub(crate) type Dice = [usize; 6];

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
    leaf_of(names, kind.registry(), dice)
}

pub(crate) fn leaf_of(names: &[&str], registry: &'static Registry, dice: Dice) -> Json {
    let name = names[dice[0] % names.len()];
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
    Event(Option<Box<Node>>, Dice),
    History(Dice),
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
            Self::Event(filter, dice) => happened::node(filter.as_ref().map(|node| node.json_of_event()), *dice),
            Self::History(dice) => happened::history(*dice),
        }
    }

    /// Whether a part of it is a rule about events.
    pub(crate) fn looks_into_events(&self) -> bool {
        match self {
            Self::Event(filter, _) => filter.is_some(),
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().any(Self::looks_into_events),
            Self::Not(node) => node.looks_into_events(),
            Self::Related(filter, _) => filter.iter().any(|node| node.looks_into_events()),
            _ => false,
        }
    }

    /// The same about an event, which has no text and nothing related.
    fn json_of_event(&self) -> Json {
        let each = |nodes: &[Self]| nodes.iter().map(Self::json_of_event).collect::<Vec<_>>();
        match self {
            Self::All(nodes) => json!({"all": each(nodes)}),
            Self::Any(nodes) => json!({"any": each(nodes)}),
            Self::Not(node) => json!({"not": node.json_of_event()}),
            Self::Leaf(dice) | Self::History(dice) | Self::Related(_, dice) | Self::Event(_, dice) => {
                happened::leaf(*dice)
            }
            Self::Found(die) => happened::leaf([*die; 6]),
        }
    }
}

/// Rules of every shape, some of which are refused.
pub(crate) fn nodes() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        8 => any::<Dice>().prop_map(Node::Leaf),
        1 => any::<usize>().prop_map(Node::Found),
        1 => any::<Dice>().prop_map(Node::History),
    ];
    leaf.prop_recursive(4, 12, 3, |inner| {
        let filter = prop::option::of(inner.clone().prop_map(Box::new));
        let event = (filter, any::<Dice>()).prop_map(|(filter, dice)| Node::Event(filter, dice));
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Node::All),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Node::Any),
            inner.clone().prop_map(|node| Node::Not(Box::new(node))),
            (prop::option::of(inner.prop_map(Box::new)), any::<Dice>())
                .prop_map(|(filter, dice)| Node::Related(filter, dice)),
            event,
        ]
    })
}

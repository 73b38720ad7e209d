//! Events in the log, and rules about them.

use crate::agreement::{AMOUNTS, DAYS, INSTANTS, TEXTS, amount, record};
use crate::database::*;
use crate::nodes::{Dice, leaf_of};
use crate::oracle::Record;
use diesel::prelude::*;
use domain::Kind;
use domain::money::Money;
use domain::rule::Value;
use domain::rule::events::{ACTORS, events_of};
use rapport_store::ActorKind;
use serde_json::{Value as Json, json};
use sql::Json as Document;
use sql::ids::{EventId, RecordId, UserId};
use sql::schema::events;

const KINDS: [&str; 4] = [
    "customer.created",
    "customer.updated",
    "customer.deleted",
    "segment.entered",
];
const FIELDS: [&str; 18] = [
    "kind",
    "occurred_at",
    "version",
    "actor.type",
    "actor.id",
    "before.name",
    "after.name",
    "before.lifecycle",
    "after.lifecycle",
    "before.birth_date",
    "after.birth_date",
    "after.owner_id",
    "before.lifecycle_since",
    "after.lifecycle_since",
    "before.organisation.employees",
    "after.organisation.employees",
    "after.organisation.annual_revenue",
    "after.organisation.industry",
];

/// A value of a field before or after a change: as JSON, and as rules see it.
type Told = Option<(Json, Value)>;

fn text(text: &str) -> (Json, Value) {
    (json!(text), Value::Text(text.to_owned()))
}

fn pick<T>(number: usize, of: &[T]) -> Option<&T> {
    (number % (of.len() + 1)).checked_sub(1).map(|at| &of[at])
}

fn day(number: usize) -> Told {
    pick(number, &DAYS).map(|day| (json!(day), Value::Date(day.parse().unwrap())))
}

fn since(number: usize) -> (Json, Value) {
    let at = instant(INSTANTS[number % INSTANTS.len()]);
    (json!(at), Value::Instant(at))
}

fn owner(number: usize, users: &[UserId]) -> Told {
    pick(number, users).map(|user| (json!(user), Value::Id(RecordId(user.0))))
}

fn employees(number: usize) -> Told {
    let number = number % 4;
    (number > 0).then(|| (json!(number), Value::Integer(i64::try_from(number).unwrap())))
}

fn revenue(number: usize) -> Told {
    let (minor, currency) = pick(number, &AMOUNTS)?;
    let money = Money::from_minor(*minor, currency.parse().unwrap());
    Some((json!(money), amount(number % (AMOUNTS.len() + 1) - 1)))
}

/// Writes what happened to a customer, and says it as the oracle knows it.
pub(crate) fn events(
    database: &mut Database,
    tenant: Tenant,
    customer: RecordId,
    users: &[UserId],
    number: usize,
) -> Vec<Record> {
    let count = number % 4;
    (0..count)
        .map(|at| event(database, tenant, customer, users, number * 4 + at))
        .collect()
}

fn event(database: &mut Database, tenant: Tenant, customer: RecordId, users: &[UserId], die: usize) -> Record {
    let id = EventId::new();
    let at = instant(INSTANTS[die % INSTANTS.len()]);
    let actor = pick(die / 2, users);
    let kind = KINDS[die % 7 % KINDS.len()];
    let version = i64::try_from(die % 4).unwrap();
    let actor_kind = [ActorKind::User, ActorKind::ServiceAccount, ActorKind::System][die % 3];
    let mut event = record(Kind::Customer, RecordId(id.0), at, None);
    event.values.clear();
    event.set("kind", Value::Text(kind.to_owned()));
    event.set("occurred_at", Value::Instant(at));
    event.set("version", Value::Integer(version));
    event.set("actor.type", Value::Text(ACTORS[die % 3].to_owned()));
    event.put("actor.id", actor.map(|user| Value::Id(RecordId(user.0))));
    let changes = changes(&mut event, die, users);
    diesel::insert_into(events::table)
        .values((
            events::tenant_id.eq(tenant.id),
            events::position.eq(i64::try_from(die).unwrap()),
            events::id.eq(id),
            events::kind.eq(kind),
            events::occurred_at.eq(at),
            events::actor_kind.eq(actor_kind),
            events::actor_id.eq(actor),
            events::subject_type.eq(Kind::Customer),
            events::subject_id.eq(customer),
            events::version.eq(version),
            events::changes.eq(Document::new(changes)),
        ))
        .execute(&mut **database)
        .unwrap();
    event
}

/// The changes of an event, noted in the oracle's record of it as well.
fn changes(event: &mut Record, die: usize, users: &[UserId]) -> Json {
    let sides = |of: &dyn Fn(usize) -> Told| [of(die), of(die / 3 + 1)];
    let own: [(&str, [Told; 2]); 5] = [
        ("name", sides(&|die| Some(text(TEXTS[die % TEXTS.len()])))),
        ("lifecycle", sides(&|die| Some(text(["lead", "lost"][die % 2])))),
        ("birth_date", sides(&day)),
        ("lifecycle_since", sides(&|die| Some(since(die)))),
        ("owner_id", sides(&|die| owner(die, users))),
    ];
    let within: [(&str, [Told; 2]); 3] = [
        ("industry", sides(&|die| Some(text(TEXTS[die / 2 % TEXTS.len()])))),
        ("employees", sides(&employees)),
        ("annual_revenue", sides(&revenue)),
    ];
    let mut changes = json!({});
    for (bit, (name, sides)) in own.into_iter().enumerate() {
        if (die >> bit).is_multiple_of(2) {
            note(event, name, &sides);
            if sides[0] != sides[1] {
                let json = |told: &Told| told.as_ref().map(|(json, _)| json.clone());
                changes[name] = json!({"before": json(&sides[0]), "after": json(&sides[1])});
            }
        }
    }
    if die.is_multiple_of(3) {
        let mut whole = json!({"before": {}, "after": {}});
        for (name, sides) in within {
            note(event, &format!("organisation.{name}"), &sides);
            for (side, told) in ["before", "after"].into_iter().zip(&sides) {
                if let Some((json, _)) = told {
                    whole[side][name] = json.clone();
                }
            }
        }
        if whole["before"] != whole["after"] {
            changes["organisation"] = whole;
        }
    }
    changes
}

/// A field that did not change has neither side.
fn note(event: &mut Record, name: &str, sides: &[Told; 2]) {
    if sides[0] == sides[1] {
        return;
    }
    for (side, told) in ["before", "after"].into_iter().zip(sides) {
        let field = events_of(Kind::Customer).field(&format!("{side}.{name}")).unwrap();
        event.put(field.name, told.as_ref().map(|(_, value)| value.clone()));
    }
}

/// A test of some field of events.
pub(crate) fn leaf(dice: Dice) -> Json {
    leaf_of(&FIELDS, events_of(Kind::Customer), dice)
}

/// That something happened, with a rule about the events.
pub(crate) fn node(filter: Option<Json>, dice: Dice) -> Json {
    let kinds = ["customer.*", "customer.updated", "customer.created", "segment.*"];
    let mut node = json!({"event": kinds[dice[0] % 8 % 4]});
    if let Some(filter) = filter {
        node["where"] = filter;
    }
    if dice[1].is_multiple_of(3) {
        let spans = ["P7D", "P60D"];
        node["window"] = json!({"last": spans[dice[1] / 3 % 2]});
    }
    if dice[2].is_multiple_of(2) {
        let operators = ["eq", "ne", "gt", "gte", "lt", "lte"];
        node["count"] = json!({"op": operators[dice[2] / 2 % 6], "value": dice[3] % 3});
    }
    node
}

/// That a field changed.
pub(crate) fn history(dice: Dice) -> Json {
    let changed = |field: &str| json!({"history": field});
    let operator = ["changed_to", "changed_from"][dice[1] % 2];
    let to = |field: &str, value: Json| json!({"history": field, "op": operator, "value": value});
    match dice[0] % 5 {
        0 => changed("organisation.employees"),
        1 => changed("organisation.annual_revenue"),
        2 => to("name", json!(TEXTS[dice[2] % TEXTS.len()])),
        3 => to("lifecycle", json!(["lead", "lost"][dice[2] % 2])),
        _ => to("birth_date", json!(DAYS[dice[2] % DAYS.len()])),
    }
}

#[test]
fn the_kinds_of_actors_are_those_of_the_service() {
    assert_eq!(ACTORS, ActorKind::TEXTS);
}

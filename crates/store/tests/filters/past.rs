//! What is asked of an instant of the past is what was answered then.

use crate::agreement::{DAYS, TEXTS};
use crate::database::*;
use crate::nodes::nodes;
use crate::plans::explain;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use domain::Kind;
use domain::customer::customers::Customer;
use domain::customer::merges::CustomerMerger;
use domain::operation::tenants::Tenant as Owner;
use domain::operation::users::User;
use domain::operation::visibility::Visibility;
use domain::rule::{Rule, RuleContext};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use rapport_store::customer::merges;
use rapport_store::filter::Condition;
use rapport_store::marketing::explanations::{Explained, explain_rule};
use rapport_store::operation::tenants;
use rapport_store::records::{self, Draft, Expected};
use rapport_store::references::LocalReferences;
use rapport_store::{Error, Options, Scope, Store, Stored, Transaction};
use serde_json::{Value as Json, json};
use sql::Timestamp;
use sql::ids::{EventId, RecordId};
use sql::schema::customers;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

const ROUNDS: usize = 6;
const CUSTOMERS: usize = 20;
const RULES: usize = 400;

type Answers = Vec<Vec<RecordId>>;

fn make<R: Stored>(tx: &mut Transaction<'_>, body: Json) -> Result<RecordId, Error> {
    let draft = Draft::Raw(body, LocalReferences::new().into());
    Ok(records::create::<R>(tx, draft)?.meta().id)
}

fn patch<R: Stored>(tx: &mut Transaction<'_>, id: RecordId, body: &Json) {
    // What may not be done is left undone.
    let done = tx.savepoint(|tx| records::patch::<R>(tx, id, &Expected::Any, body.clone(), &LocalReferences::new()));
    drop(done);
}

/// The records of the test.
#[derive(Clone)]
struct Cast {
    users: Vec<RecordId>,
    customers: Vec<RecordId>,
}

fn begin(tx: &mut Transaction<'_>) -> Result<Cast, Error> {
    let user = |name: &str| json!({"name": name, "role": "agent"});
    let users = vec![make::<User>(tx, user("a"))?, make::<User>(tx, user("Ab"))?];
    let customer = |number: usize| match number / 2 % 2 {
        0 => json!({"kind": "person", "name": TEXTS[1 + number % 4], "birth_date": DAYS[2 + number % 3]}),
        _ => json!({"kind": "organisation", "name": TEXTS[1 + number % 4], "owner_id": users[0],
                    "organisation": {"employees": number % 4, "industry": TEXTS[1 + number % 7]}}),
    };
    let customers = (0..CUSTOMERS).map(|number| make::<Customer>(tx, customer(number)));
    Ok(Cast {
        customers: customers.collect::<Result<_, _>>()?,
        users,
    })
}

/// What happens in a round. Some customers are left alone.
fn go_on(tx: &mut Transaction<'_>, cast: &Cast, round: usize) -> Result<(), Error> {
    for (number, id) in cast.customers.iter().enumerate().skip(2) {
        let die = number * 7 + round * 13;
        let amount = json!({"amount": format!("{}.00", die % 3), "currency": "EUR"});
        let body = match die % 9 {
            0 | 1 => json!({"name": TEXTS[1 + die % 6]}),
            2 | 3 => json!({"lifecycle": (["prospect", "lost", "lead"][die % 3])}),
            4 => json!({"birth_date": if die.is_multiple_of(2) { Json::Null } else { json!(DAYS[die % 5]) }}),
            5 => json!({"owner_id": if die.is_multiple_of(3) { Json::Null } else { json!(cast.users[die % 2]) }}),
            6 => json!({"organisation": {"employees": die % 4, "annual_revenue": amount}}),
            7 => json!({"organisation": {"industry": TEXTS[1 + die % 7], "annual_revenue": null}, "tags": ["x"]}),
            _ => {
                let gone = tx.savepoint(|tx| records::delete::<Customer>(tx, *id, &Expected::Any));
                if gone.is_err() {
                    drop(tx.savepoint(|tx| records::restore::<Customer>(tx, *id)));
                }
                continue;
            }
        };
        patch::<Customer>(tx, *id, &body);
    }
    let user = cast.users[round % 2];
    patch::<User>(tx, user, &json!({"name": TEXTS[1 + round % 4]}));
    if round == 4 {
        records::delete::<User>(tx, cast.users[1], &Expected::Any)?;
    }
    Ok(())
}

/// Merges the first two customers; undoes it again in a later round.
fn merge(tx: &mut Transaction<'_>, cast: &Cast, undone: Option<EventId>) -> Result<Option<EventId>, Error> {
    let [survivor, gone] = [cast.customers[0], cast.customers[1]];
    if let Some(merge) = undone {
        merges::undo(tx, survivor, merge, &Expected::Any)?;
        return Ok(None);
    }
    let merger: CustomerMerger = serde_json::from_value(json!({"from": gone})).unwrap();
    let (merge, _) = merges::merge(tx, survivor, &Expected::Any, &merger)?;
    Ok(Some(merge.id))
}

fn selected(tx: &mut Transaction<'_>, condition: Condition) -> Vec<RecordId> {
    let query = customers::table
        .filter(condition)
        .order(customers::id)
        .select(customers::id);
    query.load(tx.connection()).unwrap()
}

fn context_at(tx: &mut Transaction<'_>, instant: Timestamp) -> RuleContext {
    let context = tx.rule_context().unwrap();
    RuleContext {
        now: instant,
        ..context
    }
}

/// Who passes each rule now.
fn live(tx: &mut Transaction<'_>, rules: &[Json], instant: Timestamp) -> Answers {
    let context = context_at(tx, instant);
    let tenant = tx.tenant();
    let rules = rules.iter().map(|json| {
        let rule = Rule::parse(json, Kind::Customer, &context).unwrap();
        let condition = Condition::new(Kind::Customer.registry(), tenant, Visibility::All);
        selected(tx, condition.with_rule(Some(&rule)))
    });
    rules.collect()
}

fn then(tx: &Transaction<'_>, instant: Timestamp) -> Condition {
    Condition::as_of(Kind::Customer.registry(), tx.tenant(), Visibility::All, instant)
}

/// Who passed each rule at an instant.
fn past(tx: &mut Transaction<'_>, rules: &[Json], instant: Timestamp) -> Answers {
    let context = context_at(tx, instant);
    let rules = rules.iter().map(|json| {
        let rule = Rule::parse_past(json, Kind::Customer, &context).unwrap();
        let condition = then(tx, instant).with_rule(Some(&rule));
        selected(tx, condition)
    });
    rules.collect()
}

fn explanations_agree(tx: &mut Transaction<'_>, rules: &[Json], instant: Timestamp, answers: &Answers) -> usize {
    let there = selected(tx, then(tx, instant));
    let mut checked = 0;
    for (number, (rule, members)) in rules.iter().zip(answers).enumerate().step_by(5) {
        let id = there[number % there.len()];
        let Ok(customer) = records::get::<Customer>(tx, id) else {
            continue;
        };
        let one = Explained::new(tx, &customer, Some(instant)).unwrap();
        let told = explain_rule(tx, rule, &one).unwrap();
        assert_eq!(told["holds"], members.contains(&id), "{told} at {instant:?}");
        checked += 1;
    }
    checked
}

/// Rules of every shape about what the past is known of.
fn rules() -> Vec<Json> {
    let mut runner = TestRunner::deterministic();
    let rules = std::iter::repeat_with(|| nodes().new_tree(&mut runner).unwrap().current().json(Kind::Customer));
    let known = rules.filter(|json| Rule::parse_past(json, Kind::Customer, &context()).is_ok());
    known.take(RULES).collect()
}

fn lives_on(scope: &Scope) -> impl Fn(&mut Transaction<'_>) -> Result<(), Error> + use<> {
    let tenant = scope.tenant.clone();
    move |tx| tenants::create(tx, &tenant)
}

async fn a_while() -> Timestamp {
    tokio::time::sleep(Duration::from_millis(2)).await;
    let now = Timestamp::now();
    tokio::time::sleep(Duration::from_millis(2)).await;
    now
}

#[tokio::test]
async fn what_is_asked_of_an_instant_is_what_was_answered_then() {
    let place = Place::new();
    let store = Store::open(&Options::new(&place.url)).unwrap();
    let zone = serde_json::from_value(json!("Europe/Berlin")).unwrap();
    let owner = Owner::new("Past", "EUR".parse().unwrap(), zone, Timestamp::now());
    let scope = Scope::system(Arc::new(owner));
    store.write(&scope, lives_on(&scope)).await.unwrap();
    let cast = store.write(&scope, begin).await.unwrap();
    let rules = Arc::new(rules());

    let mut answered: HashMap<Timestamp, Answers> = HashMap::new();
    let mut merged = None;
    for round in 0..ROUNDS {
        let at = a_while().await;
        let asked = rules.clone();
        let answers = store.read(&scope, move |tx| Ok(live(tx, &asked, at))).await.unwrap();
        answered.insert(at, answers);
        let goes_on = cast.clone();
        store.write(&scope, move |tx| go_on(tx, &goes_on, round)).await.unwrap();
        if round == 1 || round == 3 {
            let who = cast.clone();
            merged = store.write(&scope, move |tx| merge(tx, &who, merged)).await.unwrap();
        }
    }

    let asked = rules.clone();
    let now = a_while().await;
    let today = store.read(&scope, move |tx| Ok(live(tx, &asked, now))).await.unwrap();
    let (mut others, mut explained) = (0, 0);
    for (at, answers) in answered {
        let asked = rules.clone();
        let found = store.read(&scope, move |tx| Ok(past(tx, &asked, at))).await.unwrap();
        for (rule, (found, expected)) in rules.iter().zip(found.iter().zip(&answers)) {
            assert_eq!(found, expected, "{rule} at {at:?}");
        }
        others += answers.iter().zip(&today).filter(|(then, today)| then != today).count();
        let asked = rules.clone();
        explained += store
            .read(&scope, move |tx| Ok(explanations_agree(tx, &asked, at, &answers)))
            .await
            .unwrap();
    }
    assert!(others > 200, "only {others} answers differ from those of today");
    assert!(explained > 200, "only {explained} explanations");
}

#[test]
fn what_was_is_found_by_the_subjects_of_events() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    if !database.is_sqlite() {
        // There is nothing in the tables, which PostgreSQL would sooner read as a whole.
        database
            .batch_execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
            .unwrap();
    }
    let rule = json!({"all": [
        {"field": "lifecycle", "value": "lead"},
        {"not": {"field": "organisation.annual_revenue", "op": "gt", "value": "1.00"}},
        {"field": "owner.name", "op": "contains", "value": "a"},
        {"history": "name"},
        {"event": "customer.updated", "where": {"field": "after.lifecycle", "value": "lead"}},
    ]});
    let rule = Rule::parse_past(&rule, Kind::Customer, &context()).unwrap();
    let condition = Condition::as_of(Kind::Customer.registry(), tenant.id, Visibility::All, context().now);
    let query = customers::table
        .filter(condition.with_rule(Some(&rule)))
        .select(customers::id);
    let plan = explain(&mut database, query);
    let reads: Vec<_> = plan.lines().filter(|line| line.contains("events")).collect();
    assert!(reads.len() >= 12, "{plan}");
    assert!(reads.iter().all(|line| line.contains("events_by_subject_id")), "{plan}");
    assert!(
        !plan.contains("SCAN t") && !plan.contains("Seq Scan on events"),
        "{plan}"
    );
}

//! What the statements of a write are: which columns they set, and that they stay prepared.

use crate::database::{Place, Tenant, database};
use crate::overview::{make, scope};
use crate::statements::statements;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use domain::customer::customers::Customer;
use domain::operation::tenants::Tenant as Owner;
use futures_util::future::join_all;
use rapport_store::filter::Page;
use rapport_store::operation::tenants;
use rapport_store::records::{self, Creation, Draft, Expected, New, Outcome};
use rapport_store::references::LocalReferences;
use rapport_store::{Error, Options, Scope, Store, Transaction};
use serde_json::{Value as Json, json};
use sql::ids::RecordId;
use sql::schema::events;
use sql::{DatabaseConnection, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;

fn patch(tx: &mut Transaction<'_>, id: RecordId, patch: Json) {
    let names = LocalReferences::default();
    records::patch::<Customer>(tx, id, &Expected::Unstated, patch, &names).unwrap();
}

/// The columns that an `UPDATE` sets.
fn columns_set(statement: &str) -> BTreeSet<&str> {
    let (_, rest) = statement.split_once(" SET ").unwrap();
    let (sets, _) = rest.split_once(" WHERE ").unwrap();
    let columns = sets.split(", ").map(|set| set.split(" = ").next().unwrap());
    columns
        .map(|column| column.trim_matches(|quote| matches!(quote, '"' | '`')))
        .collect()
}

#[test]
fn a_change_sets_the_columns_that_differ_and_no_others() {
    let mut database = database();
    let scope = scope(Tenant::new(&mut database));
    let whole = json!({
        "kind": "person", "name": "Ada Lovelace", "given_name": "Ada", "language": "en", "tags": ["vip"],
        "emails": [{"address": "ada@example.com"}], "interests": ["engines"], "birth_date": "1815-12-10",
    });
    let id = make::<Customer>(&mut Transaction::new(&mut database, &scope), whole);
    for (change, columns) in [
        (json!({"language": "it"}), &["language"][..]),
        (json!({"tags": ["vip", "old"], "language": "it"}), &["tags"]),
        (json!({"lifecycle": "customer"}), &["lifecycle", "lifecycle_since"]),
        (
            json!({"birth_date": null, "interests": []}),
            &["birth_date", "interests"],
        ),
    ] {
        let ((), statements) = statements(&mut database, &scope, |tx| patch(tx, id, change.clone()));
        let updates = statements.sent.iter().filter(|sent| sent.starts_with("UPDATE"));
        let [update] = updates.filter(|sent| sent.contains("customers")).collect::<Vec<_>>()[..] else {
            panic!("{:?}", statements.sent);
        };
        let always = ["version", "updated_at", "updated_by"];
        assert_eq!(
            columns_set(update),
            always.iter().chain(columns).copied().collect(),
            "{change}"
        );
    }
}

#[test]
fn what_was_prepared_is_written_only_over_the_record_as_it_was_read() {
    let mut database = database();
    let scope = scope(Tenant::new(&mut database));
    let tx = &mut Transaction::new(&mut database, &scope);
    let id = make::<Customer>(tx, json!({"kind": "person", "name": "Ada"}));
    let prepare = |tx: &mut Transaction<'_>, patch: Json| records::prepare::<Customer>(tx, id, &patch).unwrap();
    let italian = prepare(tx, json!({"language": "it"})).unwrap();
    let spanish = prepare(tx, json!({"language": "es"})).unwrap();
    let same = prepare(tx, json!({"name": "Ada"})).unwrap();
    let second = Expected::OneOf(vec![2]);
    assert!(records::write_prepared(tx, &second, &italian).unwrap().is_none());

    let (first, outcome) = records::write_prepared(tx, &Expected::Unstated, &italian)
        .unwrap()
        .unwrap();
    assert_eq!((first.meta.version, outcome), (2, Outcome::Updated));
    for expected in [Expected::Unstated, second] {
        for stale in [&spanish, &same] {
            assert!(records::write_prepared(tx, &expected, stale).unwrap().is_none());
        }
    }
    let kept: Customer = records::get(tx, id).unwrap();
    assert_eq!((kept.meta.version, kept.fields.language), (2, first.fields.language));

    let again = prepare(tx, json!({"language": "it"})).unwrap();
    let (_, outcome) = records::write_prepared(tx, &Expected::Any, &again).unwrap().unwrap();
    assert_eq!(outcome, Outcome::Unchanged);
    for wrong in [json!({"language": 5}), json!({"colour": "red"}), json!([])] {
        assert!(prepare(tx, wrong).is_none(), "why not, the patch itself tells");
    }
    records::delete::<Customer>(tx, id, &Expected::Any).unwrap();
    assert!(records::write_prepared(tx, &Expected::Any, &again).unwrap().is_none());
    assert!(prepare(tx, json!({"language": "es"})).is_none());
}

#[test]
fn writes_that_come_again_find_their_statements_prepared() {
    let mut database = database();
    let scope = scope(Tenant::new(&mut database));
    let person = |number: usize| json!({"kind": "person", "name": format!("Person {number}"), "tags": ["new", "vip"]});
    let round = |database: &mut DatabaseConnection, first: usize| {
        statements(database, &scope, |tx| {
            let id = make::<Customer>(tx, person(first));
            for change in [json!({"language": "it"}), json!({"tags": ["old"]})] {
                patch(tx, id, change);
            }
            let mut together = Creation::<Customer>::of(7);
            for number in 1..=7 {
                let draft = Draft::Raw(person(first + number), Arc::default());
                together.add(tx, New { draft, known_as: None }).unwrap();
            }
            assert_eq!(together.insert(tx).unwrap().len(), 7);
        })
        .1
    };
    let (first, second) = (round(&mut database, 0), round(&mut database, 100));
    let kept: BTreeSet<_> = first.kept.iter().collect();
    let writes = |sent: &&String| ["INSERT", "UPDATE"].iter().any(|verb| sent.starts_with(verb));
    assert!(second.sent.iter().filter(writes).count() > 10, "{second:?}");
    for sent in second.sent.iter().filter(writes) {
        assert!(kept.contains(sent), "is prepared anew: {sent}");
    }
    assert_eq!(second.kept, Vec::<String>::new());
}

/// How a write runs the part of it that fails.
#[derive(Debug, Clone, Copy)]
enum Part {
    InSavepoint,
    Attempted,
    /// Whatever became of it, the write goes on.
    Ignored,
    /// It panics, and the write goes on.
    Panicking,
}

/// Creates one customer, fails when it has created another, and creates a third.
fn with_a_part_that_fails(tx: &mut Transaction<'_>, part: Part) -> Result<(), Error> {
    let second = |tx: &mut Transaction<'_>| {
        make::<Customer>(tx, named("Second"));
        records::get::<Customer>(tx, RecordId::new()).map(drop)
    };
    make::<Customer>(tx, named("First"));
    let failed = match part {
        Part::InSavepoint => tx.savepoint(second),
        Part::Attempted | Part::Ignored => tx.attempt(second),
        Part::Panicking => tx.savepoint(|tx| {
            drop(second(tx));
            panic!("as the test wants")
        }),
    };
    match (part, failed) {
        (Part::Ignored, _) | (_, Err(Error::NotFound)) | (Part::Panicking, Err(Error::Internal(_))) => {}
        (_, Err(other)) => return Err(other),
        (_, Ok(())) => return Err(Error::Internal("nothing failed".to_owned())),
    }
    make::<Customer>(tx, named("Third"));
    Ok(())
}

/// Creates one customer, and panics when it has created another.
fn with_a_part_that_panics(tx: &mut Transaction<'_>, in_savepoint: bool) -> Result<(), Error> {
    let second = |tx: &mut Transaction<'_>| {
        make::<Customer>(tx, named("Second"));
        panic!("as the test wants")
    };
    make::<Customer>(tx, named("First"));
    if in_savepoint {
        tx.savepoint(second)
    } else {
        tx.attempt(second)
    }
}

fn named(name: &str) -> Json {
    json!({"kind": "organisation", "name": name})
}

/// A store with a tenant in a database of its own.
async fn store(place: &Place) -> (Store, Scope) {
    let store = Store::open(&Options::new(&place.url)).unwrap();
    let zone = serde_json::from_value(json!("UTC")).unwrap();
    let owner = Owner::new("Parts", "EUR".parse().unwrap(), zone, Timestamp::now());
    let scope = Scope::system(Arc::new(owner));
    let tenant = scope.tenant.clone();
    let written = store.write(&scope, move |tx| tenants::create(tx, &tenant));
    written.await.unwrap();
    (store, scope)
}

/// Creates a customer.
async fn beside(store: &Store, scope: &Scope) -> Result<(), Error> {
    let create = |tx: &mut Transaction<'_>| {
        make::<Customer>(tx, named("Beside"));
        Ok(())
    };
    store.write(scope, create).await
}

/// How many customers there are of each name, and how many events.
async fn written(store: &Store, scope: &Scope) -> ([usize; 4], i64) {
    let count = |tx: &mut Transaction<'_>| {
        let page = Page {
            limit: 100,
            ..Page::default()
        };
        let customers = records::page::<Customer>(tx, &page)?;
        let told = events::table.filter(events::tenant_id.eq(tx.tenant())).count();
        let told = told.get_result(tx.connection())?;
        let named = |name: &str| customers.iter().filter(|one| one.fields.name == name).count();
        Ok((["First", "Second", "Third", "Beside"].map(named), told))
    };
    store.read(scope, count).await.unwrap()
}

#[tokio::test]
async fn a_part_that_fails_is_undone_and_no_more_whoever_writes_beside_it() {
    let place = Place::new();
    let (store, scope) = store(&place).await;
    let parts = [Part::InSavepoint, Part::Attempted, Part::Panicking].repeat(4);
    let failing = parts
        .into_iter()
        .map(|part| store.write(&scope, move |tx| with_a_part_that_fails(tx, part)));
    let others = (0..20).map(|_| beside(&store, &scope));
    let (failing, others) = tokio::join!(join_all(failing), join_all(others));
    assert!(failing.iter().chain(&others).all(Result::is_ok), "{failing:?}");
    assert_eq!(written(&store, &scope).await, ([12, 0, 12, 20], 44));
}

#[tokio::test]
async fn nothing_of_a_part_that_failed_is_kept_though_its_failure_is_ignored() {
    let place = Place::new();
    let (store, scope) = store(&place).await;
    let work = |tx: &mut Transaction<'_>| with_a_part_that_fails(tx, Part::Ignored);
    store.write(&scope, work).await.unwrap();
    assert_eq!(written(&store, &scope).await, ([1, 0, 1, 0], 2));
}

#[tokio::test]
async fn a_part_that_panics_fails_its_write_and_no_other() {
    let place = Place::new();
    let (store, scope) = store(&place).await;
    let failing = [true, false]
        .repeat(3)
        .into_iter()
        .map(|in_savepoint| store.write(&scope, move |tx| with_a_part_that_panics(tx, in_savepoint)));
    let others = (0..20).map(|_| beside(&store, &scope));
    let (failing, others) = tokio::join!(join_all(failing), join_all(others));
    assert!(others.iter().all(Result::is_ok), "{others:?}");
    for failed in failing {
        assert!(matches!(failed, Err(Error::Internal(_))), "{failed:?}");
    }
    beside(&store, &scope).await.unwrap();
    // What was answered is committed: a store that is opened anew finds it.
    drop(store);
    let reopened = Store::open(&Options::new(&place.url)).unwrap();
    assert_eq!(written(&reopened, &scope).await, ([0, 0, 0, 21], 21));
}

/// Creates a customer, and fails as SQLite does when the disk is full: the whole transaction is gone.
fn on_a_full_disk(tx: &mut Transaction<'_>) -> Result<(), Error> {
    make::<Customer>(tx, named("First"));
    tx.savepoint(|tx| {
        tx.connection().batch_execute("ROLLBACK")?;
        Err(Error::Unavailable("database or disk is full".to_owned()))
    })
}

#[tokio::test]
async fn a_database_that_ends_a_transaction_by_itself_is_unavailable_and_then_writes_again() {
    let place = Place::new();
    let (store, scope) = store(&place).await;
    let failing = store.write(&scope, on_a_full_disk);
    let others = (0..5).map(|_| beside(&store, &scope));
    let (failed, others) = tokio::join!(failing, join_all(others));
    assert!(matches!(failed, Err(Error::Unavailable(_))), "{failed:?}");
    let mut kept = 0;
    for other in others {
        match other {
            Ok(()) => kept += 1,
            Err(error) => assert!(matches!(error, Error::Unavailable(_)), "{error:?}"),
        }
    }
    beside(&store, &scope).await.unwrap();
    assert_eq!(
        written(&store, &scope).await,
        ([0, 0, 0, kept + 1], i64::try_from(kept + 1).unwrap())
    );
}

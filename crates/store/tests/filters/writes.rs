//! What the statements of a write are: which columns they set, and that they stay prepared.

use crate::database::{Place, Tenant, database};
use crate::overview::{make, scope};
use crate::statements::statements;
use diesel::prelude::*;
use domain::customer::customers::Customer;
use domain::operation::tenants::Tenant as Owner;
use futures_util::future::join_all;
use rapport_store::filter::Page;
use rapport_store::operation::tenants;
use rapport_store::records::{self, Creation, Draft, Expected, New};
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

/// Creates one customer, fails to create another together with a third, and creates a fourth.
fn with_a_part_that_fails(tx: &mut Transaction<'_>) -> Result<(), Error> {
    make::<Customer>(tx, named("First"));
    let failed = tx.savepoint(|tx| {
        make::<Customer>(tx, named("Second"));
        records::get::<Customer>(tx, RecordId::new()).map(drop)
    });
    match failed {
        Err(Error::NotFound) => {}
        Err(other) => return Err(other),
        Ok(()) => return Err(Error::Internal("nothing failed".to_owned())),
    }
    make::<Customer>(tx, named("Fourth"));
    Ok(())
}

fn named(name: &str) -> Json {
    json!({"kind": "organisation", "name": name})
}

#[tokio::test]
async fn a_part_that_fails_is_undone_and_no_more_whoever_writes_beside_it() {
    let place = Place::new();
    let store = Store::open(&Options::new(&place.url)).unwrap();
    let zone = serde_json::from_value(json!("UTC")).unwrap();
    let owner = Owner::new("Parts", "EUR".parse().unwrap(), zone, Timestamp::now());
    let scope = Scope::system(Arc::new(owner));
    let tenant = scope.tenant.clone();
    store
        .write(&scope, move |tx| tenants::create(tx, &tenant))
        .await
        .unwrap();

    let with_parts = (0..10).map(|_| store.write(&scope, with_a_part_that_fails));
    let beside = (0..20).map(|number| {
        store.write(&scope, move |tx| {
            make::<Customer>(tx, named(&format!("Beside {number}")));
            Ok(())
        })
    });
    let (with_parts, beside) = tokio::join!(join_all(with_parts), join_all(beside));
    assert!(with_parts.iter().chain(&beside).all(Result::is_ok), "{with_parts:?}");

    let written = |tx: &mut Transaction<'_>| {
        let page = Page {
            limit: 100,
            ..Page::default()
        };
        let customers = records::page::<Customer>(tx, &page)?;
        let told = events::table.filter(events::tenant_id.eq(tx.tenant())).count();
        let told: i64 = told.get_result(tx.connection())?;
        let named = |name: &str| customers.iter().filter(|one| one.fields.name.starts_with(name)).count();
        Ok((["First", "Second", "Fourth", "Beside"].map(named), told))
    };
    assert_eq!(store.read(&scope, written).await.unwrap(), ([10, 0, 10, 20], 40));
}

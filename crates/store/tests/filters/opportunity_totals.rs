//! The rows in which the totals of opportunities pile up, and their adding up.

use crate::database::{Tenant, database};
use crate::overview::{make, scope};
use diesel::prelude::*;
use domain::sales::opportunities::Opportunity;
use domain::sales::pipelines::Pipeline;
use domain::sales::stages::Stage;
use rapport_store::records::{self, Expected};
use rapport_store::references::LocalReferences;
use rapport_store::sales::opportunity_totals::{add_up, find_piled};
use rapport_store::sales::pipelines::summary;
use rapport_store::{Scope, Transaction};
use serde_json::json;
use sql::DatabaseConnection;
use sql::schema::opportunity_totals;

fn rows(database: &mut DatabaseConnection) -> i64 {
    opportunity_totals::table.count().get_result(database).unwrap()
}

/// Adds up what has piled up, as the duty does.
fn add_all_up(database: &mut DatabaseConnection, scope: &Scope) -> usize {
    let mut stages = 0;
    let mut tx = Transaction::new(database, scope);
    while let Some(stage) = find_piled(&mut tx).unwrap() {
        assert!(add_up(&mut tx, &stage).unwrap());
        stages += 1;
        assert!(stages < 10, "what was added up is found again");
    }
    stages
}

#[test]
fn adding_up_leaves_a_row_a_group_and_changes_no_summary() {
    let mut database = database();
    let scope = scope(Tenant::new(&mut database));
    let mut tx = Transaction::new(&mut database, &scope);
    let pipeline = make::<Pipeline>(&mut tx, json!({"name": "Direct"}));
    let stage = |name: &str, position: i32| json!({"pipeline_id": pipeline, "name": name, "position": position});
    let (open, later) = (
        make::<Stage>(&mut tx, stage("Open", 0)),
        make::<Stage>(&mut tx, stage("Later", 1)),
    );
    let most = "9999999999999.99";
    let made: Vec<_> = (0..40)
        .map(|number| {
            let amount = json!({"amount": most, "currency": (if number % 2 == 0 { "EUR" } else { "USD" })});
            let estimate = (number % 3 == 0).then_some(99);
            let fields = json!({"name": "Deal", "pipeline_id": pipeline, "stage_id": open, "amount": amount, "probability": estimate});
            make::<Opportunity>(&mut tx, fields)
        })
        .collect();
    for id in &made[..20] {
        let moved = json!({"stage_id": later, "amount": null});
        records::patch::<Opportunity>(&mut tx, *id, &Expected::Unstated, moved, &LocalReferences::default()).unwrap();
    }
    let before = summary(&mut tx, pipeline).unwrap();
    assert_eq!((before.stages[0].count, before.stages[1].count), (20, 20));
    assert_eq!(rows(&mut database), 40 + 2 * 20);

    assert_eq!(add_all_up(&mut database, &scope), 2);
    assert_eq!(
        rows(&mut database),
        3,
        "euros and dollars in one stage, no amounts in the other"
    );
    let mut tx = Transaction::new(&mut database, &scope);
    assert_eq!(summary(&mut tx, pipeline).unwrap(), before);

    for id in made {
        records::purge::<Opportunity>(&mut tx, id, &Expected::Unstated).unwrap();
    }
    add_all_up(&mut database, &scope);
    assert_eq!(rows(&mut database), 0, "nothing is left of what is gone");
}

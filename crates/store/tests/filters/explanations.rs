//! What an explanation says of a rule is what the rule selects.

use crate::agreement::world;
use crate::database::*;
use crate::nodes::{Node, nodes};
use domain::Kind;
use domain::customer::customers::Customer;
use domain::rule::Rule;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rapport_store::marketing::explanations::{Explained, explain_rule};
use rapport_store::operation::tenants;
use rapport_store::{Scope, Transaction, records};
use serde_json::json;
use std::cell::{Cell, RefCell};
use std::sync::Arc;

#[test]
fn an_explanation_comes_to_what_the_rule_selects() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    world(&mut database, tenant);
    let customers = tenant.matching(&mut database, Kind::Customer, &json!({"all": []}));
    let nobody = Scope::nobody();
    let found = tenants::find(&mut Transaction::new(&mut database, &nobody), tenant.id);
    let scope = Scope::system(Arc::new(found.unwrap().unwrap()));
    let database = RefCell::new(database);
    let (checked, held) = (Cell::new(0), Cell::new(0));
    let check = |(node, which): (Node, usize)| {
        let json = node.json(Kind::Customer);
        let mut database = database.borrow_mut();
        let mut tx = Transaction::new(&mut database, &scope);
        let Ok(rule) = Rule::parse(&json, Kind::Customer, &tx.rule_context()?) else {
            return Ok(());
        };
        let id = customers[which % customers.len()];
        let customer = records::get::<Customer>(&mut tx, id).unwrap();
        let one = Explained::new(&mut tx, &customer, None).unwrap();
        let explained = explain_rule(&mut tx, &json, &one).unwrap();
        let condition = tenant.condition(Kind::Customer).with_rule(Some(&rule));
        let selected = select(&mut database, Kind::Customer, condition).contains(&id);
        prop_assert_eq!(&explained["holds"], selected, "{}", explained);
        checked.set(checked.get() + 1);
        held.set(held.get() + usize::from(selected));
        Ok(())
    };
    let mut runner = TestRunner::new(Config::with_cases(2000));
    runner.run(&(nodes(), any::<usize>()), check).unwrap();
    assert!(checked.get() > 1000, "only {} rules were read", checked.get());
    assert!((100..checked.get() - 100).contains(&held.get()), "{} hold", held.get());
}

use crate::database::*;
use domain::Kind;
use domain::operation::visibility::Visibility;
use rapport_store::filter::Condition;
use serde_json::json;

#[test]
fn callers_see_what_their_record_rule_allows() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    let team = tenant.team(&mut database);
    let me = tenant.user(&mut database, "Me", Some(team));
    let mate = tenant.user(&mut database, "Mate", Some(team));
    let other = tenant.user(&mut database, "Other", None);
    let customer = |owner, team| Customer {
        owner,
        team,
        ..Customer::default()
    };
    let records = [
        customer(Some(me), None),
        customer(Some(mate), None),
        customer(Some(other), Some(team)),
        customer(Some(other), None),
        customer(None, None),
    ]
    .map(|customer| tenant.customer(&mut database, &customer));
    let mut seen = |visibility| {
        let condition = Condition::new(Kind::Customer.registry(), tenant.id, visibility);
        let found = select(&mut database, Kind::Customer, condition);
        records.iter().map(|id| found.contains(id)).collect::<Vec<_>>()
    };
    assert_eq!(seen(Visibility::All), [true; 5]);
    assert_eq!(seen(Visibility::Own { user: me }), [true, false, false, false, false]);
    let in_team = Visibility::Team {
        user: me,
        team: Some(team),
    };
    assert_eq!(seen(in_team), [true, true, true, false, false]);
    assert_eq!(
        seen(Visibility::Team { user: me, team: None }),
        [true, false, false, false, false]
    );
}

#[test]
fn rules_do_not_look_at_what_the_caller_may_not_see() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    let me = tenant.user(&mut database, "Me", None);
    let other = tenant.user(&mut database, "Other", None);
    let owned_by = |owner, name: &str| Customer {
        owner: Some(owner),
        name: name.to_owned(),
        ..Customer::default()
    };
    let mine = tenant.customer(&mut database, &owned_by(me, "mine"));
    let theirs = tenant.customer(&mut database, &owned_by(other, "theirs"));
    let deal = |customer, owner| Opportunity {
        customer: Some(customer),
        owner: Some(owner),
        ..Opportunity::default()
    };
    tenant.opportunity(&mut database, &deal(mine, other));
    tenant.opportunity(&mut database, &deal(theirs, me));
    let own = Visibility::Own { user: me };
    let mut ask = |kind: Kind, json: serde_json::Value| {
        let rule = rule(kind, &json);
        let condition = Condition::new(kind.registry(), tenant.id, own).with_rule(Some(&rule));
        select(&mut database, kind, condition).len()
    };
    // The deal on my customer is not mine, and the customer of my deal is not mine.
    assert_eq!(ask(Kind::Customer, json!({"related": "opportunities"})), 0);
    assert_eq!(
        ask(
            Kind::Customer,
            json!({"related": "opportunities", "aggregate": {"fn": "count"}, "value": 0})
        ),
        1
    );
    assert_eq!(
        ask(Kind::Opportunity, json!({"field": "customer.name", "op": "exists"})),
        0
    );
    assert_eq!(
        ask(Kind::Opportunity, json!({"field": "customer.name", "op": "missing"})),
        1
    );
    assert_eq!(
        ask(
            Kind::Opportunity,
            json!({"field": "customer", "op": "search", "value": "theirs"})
        ),
        0
    );
    // Users are not owned.
    assert_eq!(ask(Kind::Opportunity, json!({"field": "owner.name", "value": "Me"})), 1);
}

#[test]
fn nothing_of_another_tenant_is_found() {
    let mut database = database();
    let [ours, theirs] = [(); 2].map(|()| Tenant::new(&mut database));
    for tenant in [ours, theirs] {
        let customer = Customer {
            name: "Acme".to_owned(),
            countries: vec!["DE".to_owned()],
            ..Customer::default()
        };
        let customer = tenant.customer(&mut database, &customer);
        tenant.opportunity(
            &mut database,
            &Opportunity {
                customer: Some(customer),
                ..Opportunity::default()
            },
        );
    }
    let rules = [
        json!({"all": []}),
        json!({"field": "country", "value": "DE"}),
        json!({"op": "search", "value": "acme"}),
        json!({"related": "opportunities"}),
        json!({"related": "opportunities", "aggregate": {"fn": "count"}, "value": 1}),
    ];
    for json in rules {
        assert_eq!(ours.matching(&mut database, Kind::Customer, &json).len(), 1, "{json}");
    }
    let deals = ours.matching(
        &mut database,
        Kind::Opportunity,
        &json!({"field": "customer.country", "value": "DE"}),
    );
    assert_eq!(deals.len(), 1);
}

#[test]
fn deleted_records_are_not_found_unless_asked_for() {
    let mut database = database();
    let tenant = Tenant::new(&mut database);
    let id = tenant.product(&mut database, &Product::default());
    delete(&mut database, Kind::Product, id);
    assert!(select(&mut database, Kind::Product, tenant.condition(Kind::Product)).is_empty());
    let all = Condition::even_deleted(Kind::Product.registry(), tenant.id, Visibility::All);
    assert_eq!(select(&mut database, Kind::Product, all), [id]);
}

//! How many queries an overview takes, whatever there is about the customer, and that each walks along an index.

use crate::database::{Tenant, database};
use crate::statements::statements;
use diesel::prelude::*;
use diesel::sql_types::Text;
use domain::customer::customers::Customer;
use domain::customer::documents::Document;
use domain::customer::notes::Note;
use domain::customer::overview::OverviewSection;
use domain::customer::relationships::Relationship;
use domain::customer::timeline::TimelineKind;
use domain::interaction::appointments::Appointment;
use domain::interaction::interactions::Interaction;
use domain::interaction::tasks::Task;
use domain::operation::tenants::Tenant as Owner;
use domain::sales::opportunities::Opportunity;
use domain::sales::pipelines::Pipeline;
use domain::sales::stages::Stage;
use domain::service::tickets::Ticket;
use rapport_store::customer::overview::{MOST_QUERIES, Wanted, overview};
use rapport_store::customer::timeline::{Slice, timeline};
use rapport_store::records::{self, Draft};
use rapport_store::{Scope, Stored, Transaction};
use serde_json::{Value as Json, json};
use sql::ids::RecordId;
use std::sync::Arc;

pub(crate) fn make<R: Stored>(tx: &mut Transaction<'_>, body: Json) -> RecordId {
    let draft = Draft::Raw(body, Arc::default());
    records::create::<R>(tx, draft).unwrap().meta().id
}

fn company(tx: &mut Transaction<'_>, name: &str) -> RecordId {
    make::<Customer>(tx, json!({"kind": "organisation", "name": name}))
}

/// Gives a customer some of everything.
fn busy(tx: &mut Transaction<'_>, customer: RecordId, times: usize) {
    let pipeline = make::<Pipeline>(tx, json!({"name": "Direct"}));
    make::<Stage>(
        tx,
        json!({"pipeline_id": pipeline, "name": "Open", "position": 0, "probability": 10}),
    );
    for number in 0..times {
        let other = company(tx, &format!("Other {number}"));
        make::<Relationship>(tx, json!({"from_id": other, "to_id": customer, "role": "partner"}));
        make::<Relationship>(tx, json!({"from_id": customer, "to_id": other, "role": "referred_by"}));
        make::<Opportunity>(
            tx,
            json!({"name": "Deal", "pipeline_id": pipeline, "customer_id": customer}),
        );
        make::<Ticket>(tx, json!({"subject": "Leak", "customer_id": customer}));
        make::<Task>(tx, json!({"subject": "Call", "customer_id": customer}));
        make::<Task>(
            tx,
            json!({"subject": "Called", "customer_id": customer, "status": "done"}),
        );
        make::<Interaction>(
            tx,
            json!({"channel": "call", "started_at": "2026-01-01T10:00:00Z", "customer_id": customer}),
        );
        let (starts, ends) = ("2190-01-01T10:00:00Z", "2190-01-01T11:00:00Z");
        make::<Appointment>(
            tx,
            json!({"subject": "Meet", "starts_at": starts, "ends_at": ends, "customer_id": customer}),
        );
        make::<Document>(
            tx,
            json!({"subject": {"type": "customer", "id": customer}, "name": format!("{number}.pdf")}),
        );
        make::<Note>(
            tx,
            json!({"subject": {"type": "customer", "id": customer}, "body": "Tea"}),
        );
    }
}

pub(crate) fn scope(tenant: Tenant) -> Scope {
    Scope::system(Arc::new(Owner {
        id: tenant.id,
        ..Owner::none()
    }))
}

#[test]
fn an_overview_takes_no_more_queries_the_more_there_is() {
    let mut database = database();
    let scope = scope(Tenant::new(&mut database));
    let wanted = Wanted {
        sections: OverviewSection::ALL.iter().copied().collect(),
        limit: 5,
    };
    let ids: Vec<RecordId> = [0, 1, 40]
        .into_iter()
        .map(|times| {
            let mut tx = Transaction::new(&mut database, &scope);
            let customer = company(&mut tx, "Acme");
            busy(&mut tx, customer, times);
            customer
        })
        .collect();
    let counts: Vec<usize> = ids
        .iter()
        .map(|id| {
            statements(&mut database, &scope, |tx| overview(tx, *id, &wanted).unwrap())
                .1
                .sent
                .len()
        })
        .collect();
    assert!(counts.iter().all(|count| *count <= MOST_QUERIES), "{counts:?}");
    assert!(counts[2] <= counts[1], "{counts:?}");
    let (seen, _) = statements(&mut database, &scope, |tx| overview(tx, ids[2], &wanted).unwrap());
    assert_eq!(seen.tickets.unwrap().open_count, 40);
    assert!(seen.relationships.unwrap().has_more);
    let documents = seen.documents.unwrap();
    assert_eq!(
        (documents.count, documents.data.len(), documents.has_more),
        (40, 5, true)
    );
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// SQLite keeps no statistics, so that its plans are the same however many records there are. PostgreSQL keeps some, and
/// rightly reads small tables as a whole.
#[test]
fn each_query_of_an_overview_goes_by_more_than_the_tenant_on_sqlite() {
    let mut database = database();
    if !database.is_sqlite() {
        return;
    }
    let scope = scope(Tenant::new(&mut database));
    let customer = {
        let mut tx = Transaction::new(&mut database, &scope);
        let customer = company(&mut tx, "Acme");
        busy(&mut tx, customer, 1);
        customer
    };
    let wanted = Wanted {
        sections: OverviewSection::ALL.iter().copied().collect(),
        limit: 5,
    };
    let (_, statements) = statements(&mut database, &scope, |tx| overview(tx, customer, &wanted).unwrap());
    assert!(statements.sent.len() > 10, "{statements:?}");
    for sql in statements.sent {
        let plan = diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}"));
        let steps: Vec<Step> = plan.load(&mut *database).unwrap();
        for Step { detail } in steps {
            // A tenant has few segments: they are read in the order of their names.
            let of_few = detail.starts_with("SEARCH segments ");
            let reads_all = detail.starts_with("SCAN") || detail.ends_with("(tenant_id=?)");
            assert!(of_few || !reads_all, "{detail}: {sql}");
        }
    }
}

#[test]
fn a_late_page_of_a_timeline_takes_as_many_queries_as_the_first() {
    let mut database = database();
    let scope = scope(Tenant::new(&mut database));
    let customer = {
        let mut tx = Transaction::new(&mut database, &scope);
        let customer = company(&mut tx, "Acme");
        busy(&mut tx, customer, 40);
        customer
    };
    let mut slice = Slice {
        kinds: TimelineKind::ALL.iter().copied().collect(),
        from: None,
        to: None,
        after: None,
        limit: 10,
    };
    let mut counts = Vec::new();
    loop {
        let ((page, more), run) = statements(&mut database, &scope, |tx| timeline(tx, customer, &slice).unwrap());
        counts.push(run.sent.len());
        if !more {
            break;
        }
        slice.after = page.last().map(domain::customer::timeline::TimelineEntry::place);
    }
    assert!(counts.len() > 20, "{counts:?}");
    // A source that has nothing more may be asked whether it has any without an instant.
    assert!(counts.iter().all(|count| *count <= counts[0] + 1), "{counts:?}");
}

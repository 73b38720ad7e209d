//! At 100,000 customers and 50,000 opportunities every list, filter on an indexed field, search and feed page uses an
//! index.

use crate::database::*;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Integer, Text};
use domain::custom_values::Catalogue;
use domain::customer::custom_fields::CustomField;
use domain::operation::visibility::Visibility;
use domain::rule::query::{filters, sort};
use domain::rule::{Position, SortKey, Value};
use domain::search::Search;
use domain::{Kind, Meta, RuleContext};
use rapport_store::events::{Cursor, query};
use rapport_store::filter::{Condition, Part};
use serde_json::{Value as Json, json};
use sql::ids::{EventId, RecordId, TeamId, UserId};
use sql::schema::custom_values;
use sql::{DatabaseConnection, MultiBackend};
use std::marker::PhantomData;
use std::sync::Arc;

/// A query's plan instead of its rows. PostgreSQL tells it in one column, SQLite in four.
struct Explain<T, S>(T, PhantomData<S>);

impl<T, S> QueryId for Explain<T, S> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T, S> Query for Explain<T, S> {
    type SqlType = S;
}

impl<T, S> RunQueryDsl<DatabaseConnection> for Explain<T, S> {}

impl<T: QueryFragment<MultiBackend>, S> QueryFragment<MultiBackend> for Explain<T, S> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql(match out.backend() {
            MultiBackend::Postgres(_) => "EXPLAIN ",
            MultiBackend::Sqlite(_) => "EXPLAIN QUERY PLAN ",
        });
        self.0.walk_ast(out.reborrow())
    }
}

/// The plan, one step a line.
pub(crate) fn explain<T: QueryFragment<MultiBackend>>(database: &mut Database, query: T) -> String {
    let lines = if database.is_sqlite() {
        let steps = Explain::<_, (Integer, Integer, Integer, Text)>(query, PhantomData);
        let steps: Vec<(i32, i32, i32, String)> = steps.load(&mut **database).unwrap();
        steps.into_iter().map(|(.., step)| step).collect::<Vec<_>>()
    } else {
        Explain::<_, Text>(query, PhantomData)
            .load::<String>(&mut **database)
            .unwrap()
    };
    lines.join("\n")
}

/// The plan of a part of a page.
fn plan_of(database: &mut Database, kind: Kind, part: Part) -> String {
    macro_rules! plan {
        ($table:ident) => {{
            use sql::schema::$table::dsl::*;
            explain(
                database,
                $table
                    .filter(part.condition)
                    .order(part.order)
                    .limit(51)
                    .select((id, name)),
            )
        }};
    }
    if part.along_custom_values {
        let along = custom_values::table.filter(part.condition).order(part.order);
        return explain(database, along.limit(51).select(custom_values::record_id));
    }
    match kind {
        Kind::Customer => plan!(customers),
        Kind::Opportunity => plan!(opportunities),
        other => panic!("no plan of a {other}"),
    }
}

/// Whether a plan reads a whole table. PostgreSQL rightly does so with tables of a few rows.
fn fault_of(plan: &str) -> Option<&'static str> {
    const LARGE: [&str; 5] = [
        "customers",
        "opportunities",
        "record_values",
        "search_texts",
        "custom_values",
    ];
    let scans = |line: &str| {
        let read = line.split_once("Seq Scan on ").map(|(_, table)| table);
        read.is_some_and(|table| LARGE.iter().any(|large| table.starts_with(large)))
            || (line.starts_with("SCAN ") && !line.contains("VIRTUAL TABLE") && !line.starts_with("SCAN (subquery"))
    };
    plan.lines().any(scans).then_some("reads a whole table")
}

fn sorts(plan: &str) -> bool {
    plan.contains("Sort Key") || plan.contains("USE TEMP B-TREE FOR ORDER BY")
}

/// A company with many records, and a user with few of them.
fn company(database: &mut Database) -> (Tenant, UserId, TeamId) {
    let tenant = Tenant::new(database);
    let team = tenant.team(database);
    let user = tenant.user(database, "Agent", Some(team));
    // Foreign keys are not what is looked at, and checking them takes longest.
    let owner = (user.0.simple().to_string(), tenant.id.0.simple().to_string());
    let script = if database.is_sqlite() {
        SEED_SQLITE
            .replace("$owner", &format!("x'{}'", owner.0))
            .replace("$tenant", &format!("x'{}'", owner.1))
    } else {
        SEED_POSTGRES
            .replace("$owner", &format!("'{}'::uuid", owner.0))
            .replace("$tenant", &format!("'{}'::uuid", owner.1))
    };
    database.batch_execute(&script).unwrap();
    (tenant, user, team)
}

const SEED_SQLITE: &str = r"
PRAGMA foreign_keys = OFF;
CREATE TEMP TABLE numbers AS
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i FROM n;
INSERT INTO customers (tenant_id, id, version, created_at, updated_at, owner_id, tags, external_ids, kind, name,
    lifecycle, emails, phones, addresses, handles, birth_date, demographics, interests, preferences, organisation,
    lifecycle_since)
  SELECT $tenant, CAST(substr(printf('customer%016d', i), -16) AS BLOB), 1, i, i,
    CASE WHEN i % 1000 = 0 THEN $owner END, '[]', '[]',
    CASE WHEN i % 10 = 0 THEN 'person' ELSE 'organisation' END, 'Name ' || (i * 7919 % 100000),
    CASE WHEN i % 100 = 0 THEN 'loyal' ELSE 'lead' END, '[]', '[]', '[]', '[]',
    CASE WHEN i % 2 = 0 THEN date('1950-01-01', (i % 20000) || ' days') END, '{}', '[]', '{}',
    json_object('employees', i % 1000), i
  FROM numbers;
INSERT INTO record_values (tenant_id, kind, field, value, record_id)
  SELECT $tenant, 'customer', 'country', CASE WHEN i % 200 = 0 THEN 'ID' ELSE 'DE' END,
    CAST(substr(printf('customer%016d', i), -16) AS BLOB) FROM numbers;
INSERT INTO search_texts (tenant_id, kind, record_id, text)
  SELECT $tenant, 'customer', CAST(substr(printf('customer%016d', i), -16) AS BLOB),
    'name ' || (i * 7919 % 100000) || CASE WHEN i % 5000 = 0 THEN ' acme' ELSE '' END FROM numbers;
INSERT INTO opportunities (tenant_id, id, version, created_at, updated_at, owner_id, tags, external_ids, name,
    customer_id, pipeline_id, stage_id, amount_minor, amount_currency, expected_close_on, closed_on, lines, contacts,
    competitors, status, stage_entered_at)
  SELECT $tenant, CAST(substr(printf('deal%016d', i), -16) AS BLOB), 1, i, i,
    CASE WHEN i % 1000 = 0 THEN $owner END, '[]', '[]', 'Deal ' || (i * 7919 % 50000),
    CAST(substr(printf('customer%016d', i * 7 % 100000 + 1), -16) AS BLOB), $tenant, $tenant, i * 100, 'EUR',
    date('2026-01-01', (i % 365) || ' days'), CASE WHEN i % 3 > 0 THEN date('2025-01-01', (i % 365) || ' days') END,
    '[]', '[]', '[]', CASE WHEN i % 50 = 0 THEN 'won' ELSE 'open' END, i
  FROM numbers WHERE i <= 50000;
ANALYZE;
";

const SEED_POSTGRES: &str = r"
SET session_replication_role = replica;
INSERT INTO customers (tenant_id, id, version, created_at, updated_at, owner_id, tags, external_ids, kind, name,
    lifecycle, emails, phones, addresses, handles, birth_date, demographics, interests, preferences, organisation,
    lifecycle_since)
  SELECT $tenant, lpad(to_hex(i), 32, '0')::uuid, 1, to_timestamp(i), to_timestamp(i),
    CASE WHEN i % 1000 = 0 THEN $owner END, '[]', '[]',
    CASE WHEN i % 10 = 0 THEN 'person' ELSE 'organisation' END, 'Name ' || (i::bigint * 7919 % 100000),
    CASE WHEN i % 100 = 0 THEN 'loyal' ELSE 'lead' END, '[]', '[]', '[]', '[]',
    CASE WHEN i % 2 = 0 THEN DATE '1950-01-01' + i % 20000 END, '{}', '[]', '{}',
    jsonb_build_object('employees', i % 1000), to_timestamp(i)
  FROM generate_series(1, 100000) AS i;
INSERT INTO record_values (tenant_id, kind, field, value, record_id)
  SELECT $tenant, 'customer', 'country', CASE WHEN i % 200 = 0 THEN 'ID' ELSE 'DE' END, lpad(to_hex(i), 32, '0')::uuid
  FROM generate_series(1, 100000) AS i;
INSERT INTO search_texts (tenant_id, kind, record_id, text)
  SELECT $tenant, 'customer', lpad(to_hex(i), 32, '0')::uuid,
    'name ' || (i::bigint * 7919 % 100000) || CASE WHEN i % 5000 = 0 THEN ' acme' ELSE '' END
  FROM generate_series(1, 100000) AS i;
INSERT INTO opportunities (tenant_id, id, version, created_at, updated_at, owner_id, tags, external_ids, name,
    customer_id, pipeline_id, stage_id, amount_minor, amount_currency, expected_close_on, closed_on, lines, contacts,
    competitors, status, stage_entered_at)
  SELECT $tenant, lpad(to_hex(i), 32, '0')::uuid, 1, to_timestamp(i), to_timestamp(i),
    CASE WHEN i % 1000 = 0 THEN $owner END, '[]', '[]', 'Deal ' || (i::bigint * 7919 % 50000),
    lpad(to_hex(i * 7 % 100000 + 1), 32, '0')::uuid, $tenant, $tenant, i * 100, 'EUR', DATE '2026-01-01' + i % 365,
    CASE WHEN i % 3 > 0 THEN DATE '2025-01-01' + i % 365 END,
    '[]', '[]', '[]', CASE WHEN i % 50 = 0 THEN 'won' ELSE 'open' END, to_timestamp(i)
  FROM generate_series(1, 50000) AS i;
ANALYZE;
";

/// A place in the middle of an order.
fn middle(keys: &[SortKey]) -> Position {
    use domain::registry::FieldType;
    let values = keys.iter().flat_map(|key| match key.field.field_type {
        FieldType::Text | FieldType::Choice(_) => vec![Some(Value::Text("N".to_owned()))],
        FieldType::Date => vec![Some(Value::Date("2025-06-01".parse().unwrap()))],
        FieldType::Instant => vec![Some(Value::Instant(instant("1970-01-01T06:00:00Z")))],
        FieldType::Id => vec![Some(Value::Id(RecordId::new()))],
        FieldType::Integer | FieldType::Decimal => vec![Some(Value::Integer(1))],
        FieldType::Money => vec![Some(Value::Text("EUR".to_owned())), Some(Value::Integer(1_000_000))],
        other => panic!("nothing sorts by {other:?}"),
    });
    Position(values.collect())
}

#[test]
fn lists_filters_and_searches_use_indexes() {
    let mut database = database();
    let (tenant, user, team) = company(&mut database);
    let mut complaints = Vec::new();
    let mut check =
        |database: &mut Database, what: &str, kind: Kind, condition: &Condition, order: &str, sorted: bool| {
            let keys = sort(order, kind, &context()).unwrap();
            for after in [None, Some(middle(&keys))] {
                for part in condition.parts(&keys, after.as_ref(), 51) {
                    let plan = plan_of(database, kind, part);
                    let fault = fault_of(&plan).or_else(|| (sorted && sorts(&plan)).then_some("sorts"));
                    if let Some(fault) = fault {
                        complaints.push(format!("{kind} {what} by {order:?} {fault}:\n{plan}"));
                    }
                }
            }
        };
    for kind in [Kind::Customer, Kind::Opportunity] {
        let all = tenant.condition(kind);
        let fields = kind.registry().all_fields().filter(|field| field.sortable);
        for order in fields.flat_map(|field| [field.name.to_owned(), format!("-{}", field.name)]) {
            check(&mut database, "list", kind, &all, &order, true);
        }
        for visibility in [Visibility::Own { user }, Visibility::Team { user, team: Some(team) }] {
            let narrowed = Condition::new(kind.registry(), tenant.id, visibility);
            check(&mut database, "list of an agent", kind, &narrowed, "", false);
            check(&mut database, "list of an agent", kind, &narrowed, "-created_at", false);
        }
    }
    let id = RecordId::new().to_string();
    let filtered: &[(Kind, &str, &str)] = &[
        (Kind::Customer, "filter[lifecycle]", "loyal"),
        (Kind::Customer, "filter[kind]", "person"),
        (Kind::Customer, "filter[name]", "Name 5"),
        (Kind::Customer, "filter[name][in]", "Name 5,Name 6"),
        (Kind::Customer, "filter[birth_date]", "1970-01-01"),
        (Kind::Customer, "filter[created_at][gte]", "1970-01-02"),
        (Kind::Customer, "filter[country]", "ID"),
        (Kind::Customer, "filter[tags]", "vip"),
        (Kind::Customer, "filter[owner_id]", &id),
        (Kind::Customer, "filter[id]", &id),
        (Kind::Opportunity, "filter[status]", "won"),
        (Kind::Opportunity, "filter[customer_id]", &id),
        (Kind::Opportunity, "filter[stage_id]", &id),
        (Kind::Opportunity, "filter[amount][gte]", "49000.00"),
        (Kind::Opportunity, "filter[closed_on][gte]", "2025-12-30"),
        (Kind::Opportunity, "filter[expected_close_on]", "2026-06-01"),
        (Kind::Opportunity, "filter[customer.country]", "ID"),
        (Kind::Opportunity, "filter[customer.name]", "Name 5"),
        (Kind::Opportunity, "filter[customer][search]", "acme"),
    ];
    for (kind, name, value) in filtered {
        let rule = filters([(*name, *value)], *kind, &context()).unwrap();
        let condition = tenant.condition(*kind).with_rule(rule.as_ref());
        check(&mut database, name, *kind, &condition, "", false);
        check(&mut database, name, *kind, &condition, "-created_at", false);
    }
    let ruled: &[(Kind, Json)] = &[
        (
            Kind::Customer,
            json!({"related": "opportunities", "where": {"field": "status", "value": "won"}}),
        ),
        (
            Kind::Customer,
            json!({"related": "opportunities", "aggregate": {"fn": "sum", "field": "amount"}, "op": "gte", "value": "49000.00"}),
        ),
        (Kind::Customer, json!({"not": {"field": "country", "value": "DE"}})),
    ];
    for (kind, json) in ruled {
        let condition = tenant.condition(*kind).with_rule(Some(&rule(*kind, json)));
        check(&mut database, &json.to_string(), *kind, &condition, "", false);
    }
    for text in ["acme", "ame 12", "name 4242"] {
        let search = Search::parse(text, "?q").unwrap();
        let condition = tenant.condition(Kind::Customer).with_search(Some(&search));
        // The text index of SQLite gives the hits in order, so that the first ones are enough.
        let sorted = database.is_sqlite();
        check(&mut database, text, Kind::Customer, &condition, "", sorted);
        check(&mut database, text, Kind::Customer, &condition, "-created_at", false);
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

/// PostgreSQL decides that anew with each figure it keeps about a table; SQLite keeps none.
#[test]
fn figures_of_customers_are_read_from_indexes_alone_on_sqlite() {
    let mut database = database();
    if !database.is_sqlite() {
        return;
    }
    let (tenant, ..) = company(&mut database);
    let figures = json!({"all": [
        {"field": "lifecycle", "op": "eq", "value": "customer"},
        {"related": "interactions", "where": {"field": "channel", "value": "call"},
         "window": {"field": "started_at", "last": "P1Y"}, "aggregate": {"fn": "count"}, "op": "gte", "value": 2},
        {"related": "opportunities", "where": {"field": "status", "value": "won"},
         "aggregate": {"fn": "sum", "field": "amount"}, "op": "gte", "value": "1000.00 EUR"},
    ]});
    let condition = tenant.condition(Kind::Customer);
    let condition = condition.with_rule(Some(&rule(Kind::Customer, &figures)));
    let keys = sort("", Kind::Customer, &context()).unwrap();
    let [part] = <[Part; 1]>::try_from(condition.parts(&keys, None, 51)).unwrap();
    let plan = plan_of(&mut database, Kind::Customer, part);
    for index in ["interactions_by_customer_id", "opportunities_by_customer_id"] {
        assert!(plan.contains(&format!("USING COVERING INDEX {index}")), "{plan}");
    }
}

/// What rules know of a tenant with a custom field of each type that has an order.
fn context_with_custom_fields(tenant: Tenant) -> RuleContext {
    let field = |value_type: &str| CustomField {
        meta: Meta::new(tenant.id, context().now, None),
        fields: serde_json::from_value(
            json!({"resource": "customer", "key": value_type, "name": "F", "type": value_type}),
        )
        .unwrap(),
    };
    let fields = ["text", "number", "money", "date", "bool"].map(field);
    RuleContext {
        custom: Arc::new(Catalogue(fields.into())),
        ..context()
    }
}

#[test]
fn lists_by_custom_fields_walk_along_their_indexes() {
    let mut database = database();
    let (tenant, ..) = company(&mut database);
    let (id, script) = if database.is_sqlite() {
        (format!("x'{}'", tenant.id.0.simple()), SEED_CUSTOM_SQLITE)
    } else {
        (format!("'{}'::uuid", tenant.id.0), SEED_CUSTOM_POSTGRES)
    };
    database.batch_execute(&script.replace("$tenant", &id)).unwrap();
    let context = context_with_custom_fields(tenant);
    let all = tenant.condition(Kind::Customer);
    let mut complaints = Vec::new();
    for order in [
        "custom.text",
        "-custom.text",
        "custom.number",
        "-custom.money",
        "custom.date",
    ] {
        let keys = sort(order, Kind::Customer, &context).unwrap();
        for after in [None, Some(middle(&keys))] {
            let plan = plan_of(
                &mut database,
                Kind::Customer,
                all.parts(&keys, after.as_ref(), 51).remove(0),
            );
            if fault_of(&plan).is_some() || sorts(&plan) {
                complaints.push(format!("{order}:\n{plan}"));
            }
        }
    }
    let filtered = [
        ("filter[custom.text]", "Text 5"),
        ("filter[custom.text][starts_with]", "Text 55"),
        ("filter[custom.number][gte]", "999"),
        ("filter[custom.money][gte]", "999.00"),
        ("filter[custom.date][between]", "2026-01-01,2026-01-02"),
    ];
    for filter in filtered {
        let rule = filters([filter], Kind::Customer, &context).unwrap();
        let condition = all.clone().with_rule(rule.as_ref());
        let by_id = Kind::Customer.registry().default_order();
        let plan = plan_of(
            &mut database,
            Kind::Customer,
            condition.parts(&by_id, None, 51).remove(0),
        );
        if fault_of(&plan).is_some() {
            complaints.push(format!("{filter:?}:\n{plan}"));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

const SEED_CUSTOM_SQLITE: &str = r"
INSERT INTO custom_values (tenant_id, kind, field, record_id, text)
  SELECT $tenant, 'customer', 'custom.text', id, 'Text ' || (rowid * 7919 % 100000) FROM customers WHERE tenant_id = $tenant;
INSERT INTO custom_values (tenant_id, kind, field, record_id, number)
  SELECT $tenant, 'customer', 'custom.number', id, rowid * 7919 % 10000000 FROM customers WHERE tenant_id = $tenant;
INSERT INTO custom_values (tenant_id, kind, field, record_id, minor, currency)
  SELECT $tenant, 'customer', 'custom.money', id, rowid * 7919 % 100000, 'EUR' FROM customers WHERE tenant_id = $tenant;
INSERT INTO custom_values (tenant_id, kind, field, record_id, day)
  SELECT $tenant, 'customer', 'custom.date', id, date('2026-01-01', (rowid % 3650) || ' days') FROM customers
  WHERE tenant_id = $tenant;
ANALYZE;
";

const SEED_CUSTOM_POSTGRES: &str = r"
INSERT INTO custom_values (tenant_id, kind, field, record_id, text)
  SELECT $tenant, 'customer', 'custom.text', id, 'Text ' || row_number() OVER () * 7919 % 100000 FROM customers
  WHERE tenant_id = $tenant;
INSERT INTO custom_values (tenant_id, kind, field, record_id, number)
  SELECT $tenant, 'customer', 'custom.number', id, row_number() OVER () * 7919 % 10000000 FROM customers
  WHERE tenant_id = $tenant;
INSERT INTO custom_values (tenant_id, kind, field, record_id, minor, currency)
  SELECT $tenant, 'customer', 'custom.money', id, row_number() OVER () * 7919 % 100000, 'EUR' FROM customers
  WHERE tenant_id = $tenant;
INSERT INTO custom_values (tenant_id, kind, field, record_id, day)
  SELECT $tenant, 'customer', 'custom.date', id, DATE '2026-01-01' + (row_number() OVER () % 3650)::integer FROM customers
  WHERE tenant_id = $tenant;
ANALYZE;
";

#[test]
fn a_page_of_the_feed_walks_along_its_index() {
    let mut database = database();
    let (tenant, ..) = company(&mut database);
    let script = if database.is_sqlite() {
        SEED_EVENTS_SQLITE.replace("$tenant", &format!("x'{}'", tenant.id.0.simple()))
    } else {
        SEED_EVENTS_POSTGRES.replace("$tenant", &format!("'{}'::uuid", tenant.id.0))
    };
    database.batch_execute(&script).unwrap();
    let middle = Cursor {
        position: 75_000,
        id: EventId::new(),
    };
    for after in [Cursor::START, middle] {
        let plan = explain(&mut database, query(tenant.id, after, i64::MAX, 501));
        let scans = plan
            .lines()
            .any(|line| line.contains("Seq Scan") || line.starts_with("SCAN "));
        assert!(!scans && !sorts(&plan), "{plan}");
    }
}

const SEED_EVENTS_SQLITE: &str = r"
INSERT INTO events (tenant_id, position, id, kind, occurred_at, actor_kind, subject_type, subject_id, version, changes)
  SELECT $tenant, i, CAST(substr(printf('event%016d', i), -16) AS BLOB), 'customer.created', i, 'system', 'customer',
    CAST(substr(printf('customer%016d', i), -16) AS BLOB), 1, '{}' FROM numbers;
ANALYZE;
";

const SEED_EVENTS_POSTGRES: &str = r"
INSERT INTO events (tenant_id, position, id, kind, occurred_at, actor_kind, subject_type, subject_id, version, changes)
  SELECT $tenant, i, lpad(to_hex(i), 32, '0')::uuid, 'customer.created', to_timestamp(i), 'system', 'customer',
    lpad(to_hex(i), 32, '0')::uuid, 1, '{}' FROM generate_series(1, 100000) AS i;
ANALYZE;
";

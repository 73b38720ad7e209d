//! Rules that hold for every table: the tenant leads each key, and each reference has a foreign key and an index.

use crate::database::*;
use diesel::prelude::*;
use diesel::sql_types::Text;
use domain::Kind;
use sql::DatabaseConnection;
use std::collections::{BTreeMap, BTreeSet};

/// Tables that hold no tenant's data. This list may only shrink.
const SHARED: &[&str] = &[
    "event_clock",
    "login_failures",
    "schema_lock",
    "schema_migrations",
    "tenants",
];

/// References without a foreign key. This list may only shrink. What the log tells stays when a record is purged, the
/// lookup tables lead to records of any kind, and a principal is a user or a service account.
const LOOSE: &[(&str, &str)] = &[
    ("custom_values", "record_id"),
    // What a merge moved may be removed for good, and is then no longer noted.
    ("customer_merge_moves", "record_id"),
    ("documents", "subject_id"),
    ("events", "actor_id"),
    ("events", "customer_id"),
    ("events", "request_id"),
    ("events", "subject_id"),
    ("external_ids", "external_id"),
    ("external_ids", "record_id"),
    ("idempotency_keys", "principal_id"),
    // It outlives the interaction, so that the event does not make it anew.
    ("inbound_events", "event_id"),
    ("inbound_events", "interaction_id"),
    ("notes", "subject_id"),
    // Sums of what a stage had; zero once nothing is in it.
    ("opportunity_totals", "owner_id"),
    ("opportunity_totals", "stage_id"),
    ("opportunity_totals", "team_id"),
    ("record_values", "record_id"),
    ("search_texts", "record_id"),
    ("sessions", "principal_id"),
];

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    table: String,
    #[diesel(sql_type = Text)]
    columns: String,
}

/// What is asked of the catalogue: a table and a list of columns in each row.
fn rows(database: &mut Database, sqlite: &str, postgres: &str) -> Vec<(String, Vec<String>)> {
    let rows: Vec<Row> = match &mut **database {
        DatabaseConnection::Postgres(connection) => diesel::sql_query(postgres).load(connection).unwrap(),
        DatabaseConnection::Sqlite(connection) => diesel::sql_query(sqlite).load(connection).unwrap(),
    };
    let split = |row: Row| (row.table, row.columns.split(',').map(str::to_owned).collect());
    rows.into_iter().map(split).collect()
}

/// Our tables in SQLite: not its own, nor those behind the text index.
const TABLES: &str = "(SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
                      AND name NOT LIKE 'search_index%') AS t";

fn columns(database: &mut Database) -> BTreeMap<String, Vec<String>> {
    let sqlite = format!(
        "SELECT t.name AS \"table\", (SELECT group_concat(c.name) FROM pragma_table_info(t.name) AS c) AS columns FROM {TABLES}"
    );
    let postgres = "SELECT table_name::text AS table, string_agg(column_name, ',' ORDER BY ordinal_position) AS columns \
                    FROM information_schema.columns WHERE table_schema = current_schema() GROUP BY table_name";
    rows(database, &sqlite, postgres).into_iter().collect()
}

fn primary_keys(database: &mut Database) -> BTreeMap<String, Vec<String>> {
    let sqlite = format!(
        "SELECT t.name AS \"table\", coalesce((SELECT group_concat(name) FROM \
         (SELECT name FROM pragma_table_info(t.name) WHERE pk > 0 ORDER BY pk)), '') AS columns FROM {TABLES}"
    );
    rows(database, &sqlite, &postgres_keys("p")).into_iter().collect()
}

/// The columns of the constraints of a type.
fn postgres_keys(constraint: &str) -> String {
    format!(
        "SELECT conrelid::regclass::text AS table, (SELECT string_agg(attname, ',' ORDER BY place) \
         FROM unnest(conkey) WITH ORDINALITY AS k (number, place) \
         JOIN pg_attribute ON attrelid = conrelid AND attnum = number) AS columns \
         FROM pg_constraint WHERE contype = '{constraint}' AND connamespace = current_schema()::regnamespace"
    )
}

fn foreign_keys(database: &mut Database) -> Vec<(String, Vec<String>)> {
    let sqlite = format!(
        "SELECT \"table\", group_concat(name) AS columns FROM (SELECT t.name AS \"table\", f.id, f.\"from\" AS name \
         FROM {TABLES}, pragma_foreign_key_list(t.name) AS f ORDER BY f.id, f.seq) GROUP BY \"table\", id"
    );
    rows(database, &sqlite, &postgres_keys("f"))
}

fn indexes(database: &mut Database) -> Vec<(String, Vec<String>)> {
    let sqlite = format!(
        "SELECT \"table\", group_concat(name) AS columns FROM (SELECT t.name AS \"table\", i.name AS index_name, c.name \
         FROM {TABLES}, pragma_index_list(t.name) AS i, pragma_index_info(i.name) AS c ORDER BY i.name, c.seqno) \
         GROUP BY \"table\", index_name"
    );
    let postgres = "SELECT indrelid::regclass::text AS table, (SELECT string_agg(attname, ',' ORDER BY place) \
                    FROM unnest(indkey::int[]) WITH ORDINALITY AS k (number, place) \
                    JOIN pg_attribute ON attrelid = indrelid AND attnum = number) AS columns FROM pg_index \
                    JOIN pg_class ON pg_class.oid = indrelid WHERE relnamespace = current_schema()::regnamespace";
    rows(database, &sqlite, postgres)
}

#[test]
fn the_tenant_leads_the_primary_key_of_every_table() {
    let mut database = database();
    let columns = columns(&mut database);
    let keys = primary_keys(&mut database);
    let shared: BTreeSet<&str> = SHARED.iter().copied().collect();
    for (table, columns) in &columns {
        if shared.contains(table.as_str()) {
            assert!(!columns.contains(&"tenant_id".to_owned()), "{table} is a tenant's");
            continue;
        }
        let key = keys.get(table).map(Vec::as_slice).unwrap_or_default();
        // The text index of SQLite needs a number for a key; the tenant leads the unique key beside it.
        let is_numbered = table == "search_texts" && key == ["row"];
        assert!(
            is_numbered || key.first().is_some_and(|first| first == "tenant_id"),
            "{table} ({key:?})"
        );
    }
    for kind in Kind::ALL {
        assert_eq!(keys[kind.registry().table], ["tenant_id", "id"], "{kind}");
    }
}

#[test]
fn every_reference_carries_the_tenant_and_has_a_foreign_key_and_an_index() {
    let mut database = database();
    let (columns, foreign, indexes) = (
        columns(&mut database),
        foreign_keys(&mut database),
        indexes(&mut database),
    );
    let mut loose = Vec::new();
    for (table, columns) in columns.iter().filter(|(table, _)| !SHARED.contains(&table.as_str())) {
        let is_reference = |column: &&String| column.ends_with("_id") || column.ends_with("_by");
        for column in columns
            .iter()
            .filter(is_reference)
            .filter(|column| *column != "tenant_id")
        {
            let principal = ["created_by", "updated_by", "changed_by", "undone_by"].contains(&column.as_str());
            let key = foreign.iter().find(|(of, key)| of == table && key.contains(column));
            match key {
                Some((_, key)) => assert_eq!(key, &["tenant_id", column], "{table}.{column} leads out of the tenant"),
                None if principal => continue,
                None => loose.push((table.as_str(), column.as_str())),
            }
            let is_led = |index: &[String]| index.starts_with(&["tenant_id".to_owned(), column.clone()]);
            let found = key.is_none() || indexes.iter().any(|(of, index)| of == table && is_led(index));
            assert!(found, "{table}.{column} has no index");
        }
    }
    loose.sort_unstable();
    assert_eq!(loose, LOOSE, "every other reference has a foreign key");
}

/// Tables whose rows are written together with a record, whose own row names the tenant: to look it up again with each of
/// them was a fifth of what PostgreSQL did for a new customer.
const OF_A_RECORD: &[&str] = &[
    "custom_values",
    "customer_activity",
    "document_versions",
    "events",
    "external_ids",
    "lifecycle_changes",
    "record_values",
    "search_texts",
    "segment_members",
    "stage_changes",
];

#[test]
fn the_tenant_is_looked_up_once_for_a_record() {
    let mut database = database();
    let (columns, foreign) = (columns(&mut database), foreign_keys(&mut database));
    let asks = |table: &str| foreign.iter().any(|(of, key)| of == table && key == &["tenant_id"]);
    let of_tenants = columns
        .iter()
        .filter(|(_, columns)| columns.contains(&"tenant_id".to_owned()));
    let trusting: Vec<_> = of_tenants
        .map(|(table, _)| table.as_str())
        .filter(|table| !asks(table))
        .collect();
    let kinds: Vec<_> = Kind::ALL.iter().map(|kind| kind.registry().table).collect();
    assert!(kinds.iter().all(|table| asks(table)), "{trusting:?}");
    assert_eq!(trusting, OF_A_RECORD);
}

/// Tables whose rows about a customer are not moved when it is merged into another one, and why.
const STAYING: &[(&str, &str)] = &[
    // Counted anew from the interactions.
    ("customer_activity", "customer_id"),
    // The merges themselves.
    ("customer_merges", "merged_id"),
    ("customer_merges", "survivor_id"),
    // The survivor enters beside it; members that are deleted do not count.
    ("segment_members", "customer_id"),
];

/// The foreign keys that lead to customers.
fn references_to_customers(database: &mut Database) -> BTreeSet<(String, String)> {
    let sqlite = format!(
        "SELECT t.name AS \"table\", f.\"from\" AS columns FROM {TABLES}, pragma_foreign_key_list(t.name) AS f \
         WHERE f.\"table\" = 'customers' AND f.\"from\" <> 'tenant_id'"
    );
    let postgres = "SELECT conrelid::regclass::text AS table, attname::text AS columns FROM pg_constraint \
                    JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey) AND attname <> 'tenant_id' \
                    WHERE contype = 'f' AND confrelid = 'customers'::regclass AND attname NOT IN ('owner_id', 'team_id')";
    let found = rows(database, &sqlite, postgres).into_iter();
    found
        .flat_map(|(table, columns)| columns.into_iter().map(move |column| (table.clone(), column)))
        .collect()
}

#[test]
fn whatever_refers_to_a_customer_moves_when_it_is_merged() {
    use rapport_store::customer::merges;
    let mut database = database();
    let mut moved = BTreeSet::new();
    for kind in Kind::ALL {
        let table = kind.registry().table;
        moved.extend(
            merges::columns(*kind)
                .into_iter()
                .map(|column| (table.to_owned(), column.to_owned())),
        );
    }
    moved.extend(
        merges::ROWS
            .iter()
            .map(|table| ((*table).to_owned(), "customer_id".to_owned())),
    );
    let staying: BTreeSet<_> = STAYING
        .iter()
        .map(|(table, column)| ((*table).to_owned(), (*column).to_owned()))
        .collect();
    for reference in references_to_customers(&mut database) {
        assert!(
            moved.contains(&reference) != staying.contains(&reference),
            "{reference:?} is forgotten"
        );
    }
    // What belongs to records of any kind has no foreign key.
    for subject in ["notes", "documents"] {
        assert!(
            moved.contains(&(subject.to_owned(), "subject_id".to_owned())),
            "{subject}"
        );
    }
    let loose = LOOSE
        .iter()
        .filter(|(_, column)| *column == "customer_id" || *column == "subject_id");
    let loose: Vec<_> = loose
        .filter(|(table, column)| !moved.contains(&((*table).to_owned(), (*column).to_owned())))
        .collect();
    // The first is moved as well, though it is no record; the second is history.
    assert_eq!(loose, [&("events", "customer_id"), &("events", "subject_id")]);
}

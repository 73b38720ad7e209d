//! Databases with rows in them, through the migrations that came after.

use crate::database::{Database, bare_database};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use sql::schema::opportunity_totals;
use std::collections::BTreeMap;

/// The last migration before tables with rows were first made anew.
const EARLY: &str = "0010_merges";

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
}

/// The columns of every table but those of the text index, which belong to FTS5.
fn columns(database: &mut Database) -> BTreeMap<String, Vec<Column>> {
    let query = if database.is_sqlite() {
        "SELECT t.name AS \"table\", c.name AS name, c.type AS kind FROM sqlite_master AS t, pragma_table_info(t.name) AS c \
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name NOT LIKE 'search_index%' ORDER BY t.name, c.cid"
    } else {
        "SELECT table_name::text AS table, column_name::text AS name, data_type::text AS kind \
         FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
    };
    let found: Vec<Column> = diesel::sql_query(query).load(&mut **database).unwrap();
    let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for column in found {
        tables.entry(column.table.clone()).or_default().push(column);
    }
    tables
}

/// Some value of a type; `number` makes two of them differ.
fn value(kind: &str, number: usize, sqlite: bool) -> String {
    match kind.to_lowercase().as_str() {
        "uuid" if sqlite => format!("X'{number:032x}'"),
        "uuid" => format!("'{number:032x}'"),
        "jsonb" => format!("'{{\"number\": {number}}}'"),
        "date" => format!("'2026-01-{number:02}'"),
        "boolean" if sqlite => (number % 2).to_string(),
        "boolean" => (number == 2).to_string(),
        "integer" | "bigint" => number.to_string(),
        kind if kind.starts_with("timestamp") => format!("'2026-01-{number:02} 10:00:00+00'"),
        "text" => format!("'text {number}'"),
        other => panic!("no value for {other}"),
    }
}

/// Two rows in every table, not deleted, without a thought of what refers to what.
fn fill(database: &mut Database) {
    let sqlite = database.is_sqlite();
    let unchecked = if sqlite {
        "PRAGMA foreign_keys = OFF"
    } else {
        "SET session_replication_role = replica"
    };
    database.batch_execute(unchecked).unwrap();
    let given = if sqlite { "" } else { " OVERRIDING SYSTEM VALUE" };
    for (table, mut columns) in columns(database) {
        columns.retain(|column| column.name != "deleted_at");
        for number in [1, 2] {
            let names: Vec<_> = columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
            let values: Vec<_> = columns
                .iter()
                .map(|column| value(&column.kind, number, sqlite))
                .collect();
            let insert = format!(
                "INSERT INTO {table} ({}){given} VALUES ({})",
                names.join(", "),
                values.join(", ")
            );
            database
                .batch_execute(&insert)
                .unwrap_or_else(|error| panic!("{insert}: {error}"));
        }
    }
}

#[derive(QueryableByName)]
struct Content {
    #[diesel(sql_type = Text)]
    row: String,
}

/// The rows of a table, as far as these columns go.
fn rows(database: &mut Database, table: &str, columns: &[Column]) -> Vec<String> {
    let text = |column: &Column| {
        if database.is_sqlite() {
            format!("quote(\"{}\")", column.name)
        } else {
            format!("COALESCE(\"{}\"::text, '')", column.name)
        }
    };
    let texts: Vec<_> = columns.iter().map(text).collect();
    let query = format!(
        "SELECT {} AS \"row\" FROM {table} ORDER BY 1",
        texts.join(" || ' | ' || ")
    );
    let found: Vec<Content> = diesel::sql_query(query).load(&mut **database).unwrap();
    found.into_iter().map(|content| content.row).collect()
}

#[test]
fn texts_that_came_out_of_order_are_known_after_an_upgrade() {
    let mut database = bare_database();
    if !database.is_sqlite() {
        database.migrate(|_| true);
        let has_any = columns(&mut database).contains_key("search_latecomers");
        assert!(!has_any, "PostgreSQL has no order of rows to rely upon");
        return;
    }
    database.migrate(|name| name < "0015");
    database.batch_execute("PRAGMA foreign_keys = OFF").unwrap();
    for (row, tenant, id) in [(1, 1, 20), (2, 2, 30), (3, 1, 10), (4, 1, 25), (5, 2, 40), (6, 1, 22)] {
        let insert = format!(
            "INSERT INTO search_texts (row, tenant_id, kind, record_id, text) VALUES ({row}, {}, 'customer', {}, 'text')",
            value("uuid", tenant, true),
            value("uuid", id, true)
        );
        database.batch_execute(&insert).unwrap();
    }
    database.migrate(|name| name > "0015");
    let columns = columns(&mut database).remove("search_latecomers").unwrap();
    let row: Vec<_> = columns.into_iter().filter(|column| column.name == "row").collect();
    assert_eq!(rows(&mut database, "search_latecomers", &row), ["3", "6"]);
}

#[test]
fn later_migrations_keep_every_row() {
    let mut database = bare_database();
    database.migrate(|name| name <= EARLY);
    fill(&mut database);
    let tables = columns(&mut database);
    let before: Vec<_> = tables
        .iter()
        .map(|(table, columns)| rows(&mut database, table, columns))
        .collect();
    assert!(before.len() > 30 && before.iter().all(|rows| rows.len() >= 2));

    database.migrate(|name| name > EARLY);
    for ((table, columns), before) in tables.iter().zip(before) {
        assert_eq!(rows(&mut database, table, columns), before, "{table}");
    }
    let totals: Vec<(i64, i64, i64)> = opportunity_totals::table
        .order(opportunity_totals::amount_rest)
        .select((
            opportunity_totals::count,
            opportunity_totals::amount_rest,
            opportunity_totals::estimated_rest,
        ))
        .load(&mut *database)
        .unwrap();
    assert_eq!(
        totals,
        [(1, 1, 1), (1, 2, 4)],
        "amounts of 1 and 2 with estimates of as many percent"
    );
}

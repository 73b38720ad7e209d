use crate::database::*;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use domain::Kind;
use domain::registry::Source;
use sql::DatabaseConnection;
use std::collections::HashMap;

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    required: bool,
}

fn columns(database: &mut Database, table: &str) -> HashMap<String, bool> {
    let columns: Vec<Column> = match &mut **database {
        DatabaseConnection::Postgres(connection) => diesel::sql_query(format!(
            "SELECT column_name::text AS name, is_nullable = 'NO' AS required FROM information_schema.columns
             WHERE table_schema = current_schema() AND table_name = '{table}'"
        ))
        .load(connection)
        .unwrap(),
        DatabaseConnection::Sqlite(connection) => diesel::sql_query(format!(
            "SELECT name, \"notnull\" AS required FROM pragma_table_info('{table}')"
        ))
        .load(connection)
        .unwrap(),
    };
    columns
        .into_iter()
        .map(|column| (column.name, column.required))
        .collect()
}

#[test]
fn the_registry_says_which_columns_there_are_and_which_are_never_null() {
    let mut database = database();
    for kind in Kind::ALL {
        let registry = kind.registry();
        let columns = columns(&mut database, registry.table);
        for field in registry.all_fields() {
            let place = format!("{}.{}", registry.table, field.name);
            match field.source {
                Source::Column(column) => assert_eq!(columns.get(column), Some(&!field.optional), "{place}"),
                Source::Money { minor, currency } => {
                    assert!(columns.contains_key(minor) && columns.contains_key(currency), "{place}");
                    assert!(field.optional, "{place}");
                }
                Source::Json { column, .. } => {
                    assert_eq!(columns.get(column), Some(&true), "{place}");
                    assert!(field.optional, "{place}");
                }
                Source::Values => assert!(!field.optional, "{place}"),
                Source::Custom { .. } => panic!("{place} is of one tenant"),
                Source::Change { .. } => panic!("{place} is of events"),
                Source::Beside { table, column, .. } => {
                    let beside = self::columns(&mut database, table);
                    assert_eq!(beside.get(column), Some(&!field.optional), "{place}");
                }
            }
        }
    }
}

#[derive(QueryableByName)]
struct Index {
    #[diesel(sql_type = Text)]
    definition: String,
}

/// The columns of each index of a table, as `a, b, c`.
fn indexes(database: &mut Database, table: &str) -> Vec<String> {
    let indexes: Vec<Index> = match &mut **database {
        DatabaseConnection::Postgres(connection) => diesel::sql_query(format!(
            "SELECT indexdef::text AS definition FROM pg_indexes WHERE tablename = '{table}'"
        ))
        .load(connection)
        .unwrap(),
        DatabaseConnection::Sqlite(connection) => diesel::sql_query(format!(
            "SELECT '(' || group_concat(c.name, ', ') || ')' AS definition
             FROM pragma_index_list('{table}') AS i, pragma_index_info(i.name) AS c GROUP BY i.name"
        ))
        .load(connection)
        .unwrap(),
    };
    let columns = |index: &Index| {
        let (_, columns) = index.definition.split_once('(').unwrap();
        // PostgreSQL quotes names that are words of SQL.
        columns.split_once(')').unwrap().0.replace('"', "")
    };
    indexes.iter().map(columns).collect()
}

#[test]
fn fields_that_are_said_to_be_indexed_lead_an_index() {
    let mut database = database();
    let mut missing = Vec::new();
    for kind in Kind::ALL {
        let registry = kind.registry();
        let indexes = indexes(&mut database, registry.table);
        for field in registry.all_fields().filter(|field| field.indexed || field.sortable) {
            let columns = match field.source {
                Source::Column(column) => format!("tenant_id, {column}"),
                Source::Money { minor, currency } => format!("tenant_id, {currency}, {minor}"),
                Source::Json { .. } => format!("an index for {}", field.name),
                // The key of record_values serves every list.
                Source::Values => continue,
                Source::Beside { .. } | Source::Custom { .. } | Source::Change { .. } => {
                    panic!("{} is not in the table of its records", field.name)
                }
            };
            let ordered = if field.name == "id" {
                columns.clone()
            } else {
                format!("{columns}, id")
            };
            let wanted = if field.sortable { &ordered } else { &columns };
            if !indexes
                .iter()
                .any(|index| index == wanted || index.starts_with(&format!("{wanted}, ")))
            {
                missing.push(format!("{} ({wanted})", registry.table));
            }
        }
    }
    assert!(missing.is_empty(), "no index for {missing:#?}");
}

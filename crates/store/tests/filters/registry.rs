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
            }
        }
    }
}

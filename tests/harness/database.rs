//! The database under test: each server that asks gets one of its own, empty.

use super::eventually::eventually;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    number: i64,
}

fn number(connection: &mut PgConnection, expression: &str) -> i64 {
    let query = diesel::sql_query(format!("SELECT {expression}::text::bigint AS number"));
    query.get_result::<Number>(connection).expect("a number").number
}

/// Which database the stories run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    /// The one that `RAPPORT_TEST_DATABASE` names. A run that does not say which would prove nothing.
    pub(crate) fn under_test() -> Self {
        match std::env::var("RAPPORT_TEST_DATABASE").as_deref() {
            Ok("sqlite") => Self::Sqlite,
            Ok("postgres") => Self::Postgres,
            other => panic!("RAPPORT_TEST_DATABASE must be sqlite or postgres and is {other:?}: see `make test`"),
        }
    }

    /// The URL of a new, empty database; that of SQLite is a file in the folder.
    pub(crate) fn create(folder: &Path) -> String {
        match Self::under_test() {
            Self::Sqlite => format!("sqlite://{}", folder.join("rapport.db").display()),
            Self::Postgres => create_in_postgres(),
        }
    }
}

fn create_in_postgres() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let mut url: url::Url = std::env::var("RAPPORT_TEST_POSTGRES_URL")
        .expect("RAPPORT_TEST_POSTGRES_URL must name a PostgreSQL server: see scripts/postgres")
        .parse()
        .expect("RAPPORT_TEST_POSTGRES_URL is a URL");
    let name = format!(
        "rapport_{}_{}",
        std::process::id(),
        NUMBER.fetch_add(1, Ordering::Relaxed)
    );
    let mut server = PgConnection::establish(url.as_str()).expect("PostgreSQL answers");
    diesel::sql_query(format!("CREATE DATABASE {name}"))
        .execute(&mut server)
        .expect("a database can be created");
    url.set_path(&name);
    url.into()
}

impl Database {
    /// Waits until no transaction is running that could have begun before now. On PostgreSQL the feed does not go past
    /// one, and stories run beside each other in one cluster.
    pub(crate) async fn settle(url: &str) {
        if url.starts_with("sqlite:") {
            return;
        }
        let mut connection = PgConnection::establish(url).expect("PostgreSQL answers");
        let end = number(&mut connection, "pg_snapshot_xmax(pg_current_snapshot())");
        eventually("the end of other transactions", async || {
            (number(&mut connection, "pg_snapshot_xmin(pg_current_snapshot())") >= end).then_some(())
        })
        .await;
    }

    /// A transaction of another process that has written and not ended. SQLite has one writer, so there is none.
    pub(crate) fn transaction_at_work(url: &str) -> Option<PgConnection> {
        if url.starts_with("sqlite:") {
            return None;
        }
        let mut connection = PgConnection::establish(url).expect("PostgreSQL answers");
        let begun = connection.batch_execute("BEGIN; SELECT pg_current_xact_id()");
        begun.expect("a transaction can begin");
        Some(connection)
    }

    /// Runs a statement behind the service's back, as SQLite or PostgreSQL has it.
    pub(crate) fn execute(url: &str, sqlite: &str, postgres: &str) {
        let done = match url.strip_prefix("sqlite://") {
            Some(path) => diesel::sql_query(sqlite).execute(&mut open_file(path)),
            None => diesel::sql_query(postgres).execute(&mut PgConnection::establish(url).expect("PostgreSQL answers")),
        };
        done.expect("the statement runs");
    }

    /// Makes events two days older: all, or those that a condition means.
    pub(crate) fn age_events(url: &str, condition: &str) {
        let aged = |shift: &str| format!("UPDATE events SET occurred_at = occurred_at - {shift} WHERE {condition}");
        Self::execute(url, &aged("172800000000"), &aged("INTERVAL '2 days'"));
    }
}

/// The file of a running server, whose writes a statement must wait for.
fn open_file(path: &str) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(path).expect("the file");
    let wait = diesel::sql_query("PRAGMA busy_timeout = 10000").execute(&mut connection);
    wait.expect("a time-out can be set");
    connection
}

//! Which statements some work sends to the database.

use diesel::connection::{Connection, InstrumentationEvent};
use rapport_store::{Scope, Transaction};
use sql::DatabaseConnection;
use std::sync::{Arc, Mutex};

#[derive(Debug, Default)]
pub(crate) struct Statements {
    pub(crate) sent: Vec<String>,
    /// Those that were kept prepared when they were sent for the first time.
    pub(crate) kept: Vec<String>,
}

/// What some work comes to, and the statements that it sends, as SQL without the bound values.
pub(crate) fn statements<T>(
    database: &mut DatabaseConnection,
    scope: &Scope,
    work: impl Fn(&mut Transaction<'_>) -> T,
) -> (T, Statements) {
    let noted = Arc::new(Mutex::new(Statements::default()));
    let noting = Arc::clone(&noted);
    database.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        let mut noted = noting.lock().unwrap();
        match event {
            InstrumentationEvent::StartQuery { query, .. } => {
                let text = query.to_string();
                noted.sent.push(text.split(" -- binds").next().unwrap().to_owned());
            }
            InstrumentationEvent::CacheQuery { sql, .. } => noted.kept.push(sql.to_owned()),
            _ => {}
        }
    });
    let result = work(&mut Transaction::new(database, scope));
    database.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    let statements = std::mem::take(&mut *noted.lock().unwrap());
    (result, statements)
}

//! Failed log-ins, by account and address. Of no tenant, since none is known before the log-in.

use crate::{Error, Transaction};
use diesel::prelude::*;
use sql::schema::login_failures;
use sql::{Timestamp, on_either};
use std::time::Duration;

/// The failures of an account at an address, in a row and without a longer pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable)]
pub struct Failures {
    /// How many.
    pub failures: i32,
    /// When the last one was.
    pub last_at: Timestamp,
}

/// What is known of an account at an address.
pub fn find(tx: &mut Transaction<'_>, account: &str, address: &str) -> Result<Option<Failures>, Error> {
    let row = login_failures::table
        .find((account, address))
        .select((login_failures::failures, login_failures::last_at));
    Ok(row.first(tx.connection()).optional()?)
}

/// Counts one more. After a pause longer than `remembered` it is the first again.
pub fn add(tx: &mut Transaction<'_>, account: &str, address: &str, remembered: Duration) -> Result<(), Error> {
    let now = tx.now();
    let forgotten: Timestamp = (now.utc() - remembered).into();
    let known = find(tx, account, address)?.filter(|known| known.last_at >= forgotten);
    let failures = known.map_or(1, |known| known.failures.saturating_add(1));
    let row = (
        login_failures::account.eq(account),
        login_failures::address.eq(address),
        login_failures::failures.eq(failures),
        login_failures::first_at.eq(now),
        login_failures::last_at.eq(now),
    );
    let change = (login_failures::failures.eq(failures), login_failures::last_at.eq(now));
    on_either!(tx.connection(), |c| diesel::insert_into(login_failures::table)
        .values(row)
        .on_conflict((login_failures::account, login_failures::address))
        .do_update()
        .set(change)
        .execute(c))?;
    Ok(())
}

/// Forgets them: the right one logged in from there.
pub fn clear(tx: &mut Transaction<'_>, account: &str, address: &str) -> Result<(), Error> {
    diesel::delete(login_failures::table.find((account, address))).execute(tx.connection())?;
    Ok(())
}

/// Forgets all whose last one was before an instant.
pub fn forget(tx: &mut Transaction<'_>, before: Timestamp) -> Result<usize, Error> {
    let old = login_failures::table.filter(login_failures::last_at.lt(before));
    Ok(diesel::delete(old).execute(tx.connection())?)
}

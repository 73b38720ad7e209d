//! How appointments are kept and reminded of.

use crate::records::{self, Expected};
use crate::stored::Stored;
use crate::{Error, Transaction, stored};
use diesel::prelude::*;
use domain::Meta;
use domain::interaction::appointments::{Appointment, AppointmentFields, AppointmentState};
use sql::ids::RecordId;
use sql::schema::appointments;

stored!(Appointment in appointments { fields: AppointmentFields, state: AppointmentState });

impl Stored for Appointment {
    fn decide(
        tx: &mut Transaction<'_>,
        before: Option<&Self>,
        meta: Meta,
        fields: AppointmentFields,
    ) -> Result<Self, Error> {
        let zone = tx.scope().tenant.time_zone.0;
        Ok(Self::decide(before, meta, fields, tx.now(), zone))
    }

    fn update_event(before: &Self, after: &Self) -> &'static str {
        after.change_since(before)
    }
}

/// Appointments that are reminded of in one portion.
const PORTION: i64 = 100;

/// The appointments whose reminder has come; none when there are none.
pub fn find_reminders(tx: &mut Transaction<'_>) -> Result<Option<Vec<RecordId>>, Error> {
    let due = appointments::table
        .filter(appointments::tenant_id.eq(tx.tenant()))
        .filter(appointments::next_reminder_at.le(tx.now()))
        .filter(appointments::deleted_at.is_null())
        .order((appointments::next_reminder_at, appointments::id))
        .limit(PORTION)
        .select(appointments::id);
    let due: Vec<RecordId> = due.load(tx.connection())?;
    Ok(Some(due).filter(|due| !due.is_empty()))
}

/// Reminds of appointments, as far as that is still to be done. There may be more.
pub fn remind(tx: &mut Transaction<'_>, due: &Vec<RecordId>) -> Result<bool, Error> {
    let (now, zone) = (tx.now(), tx.scope().tenant.time_zone.0);
    for id in due {
        let reminded = records::change(tx, *id, &Expected::Any, |_, before: &Appointment| {
            let is_due = before.state.next_reminder_at.is_some_and(|at| at <= now);
            Ok(if is_due {
                before.reminded(now, zone)
            } else {
                before.clone()
            })
        });
        match reminded {
            Ok(_) | Err(Error::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

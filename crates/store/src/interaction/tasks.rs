//! How tasks are kept, come due, and open the next one of their series.

use crate::records::{self, Expected};
use crate::stored::Stored;
use crate::{Error, Transaction, stored};
use diesel::dsl::{exists, select};
use diesel::prelude::*;
use domain::Meta;
use domain::interaction::tasks::{Task, TaskFields, TaskState, TaskStatus};
use sql::ids::{RecordId, TaskId};
use sql::schema::tasks;

stored!(Task in tasks { fields: TaskFields, state: TaskState });

impl Stored for Task {
    fn decide(tx: &mut Transaction<'_>, before: Option<&Self>, meta: Meta, fields: TaskFields) -> Result<Self, Error> {
        let zone = tx.scope().tenant.time_zone.0;
        Ok(Self::decide(before, meta, fields, tx.now(), zone))
    }

    fn after_write(tx: &mut Transaction<'_>, before: Option<&Self>, after: &Self) -> Result<(), Error> {
        let is_completed = before.is_some_and(|before| before.fields.status != TaskStatus::Done);
        if is_completed && after.fields.status == TaskStatus::Done {
            open_next(tx, after)?;
        }
        Ok(())
    }

    fn before_purge(&self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        let next = following(tx, self.meta.id);
        diesel::update(next)
            .set(tasks::previous_task_id.eq(None::<TaskId>))
            .execute(tx.connection())?;
        Ok(())
    }

    fn update_event(before: &Self, after: &Self) -> &'static str {
        after.change_since(before)
    }
}

/// The tasks that follow one in its series, deleted or not.
#[diesel::dsl::auto_type(no_type_alias)]
fn following(tx: &Transaction<'_>, task: RecordId) -> _ {
    let tenant: sql::ids::TenantId = tx.tenant();
    let task: TaskId = TaskId(task.0);
    tasks::table
        .filter(tasks::tenant_id.eq(tenant))
        .filter(tasks::previous_task_id.eq(task))
}

/// Opens the next task of a series, unless that was done when the task was completed before.
fn open_next(tx: &mut Transaction<'_>, task: &Task) -> Result<(), Error> {
    let Some(next) = task.next(tx.scope().tenant.time_zone.0) else {
        return Ok(());
    };
    let opened = select(exists(following(tx, task.meta.id)));
    if !opened.get_result(tx.connection())? {
        records::create_from(tx, task, next)?;
    }
    Ok(())
}

/// Tasks that are woken in one portion.
const PORTION: i64 = 100;

/// The tasks of which somebody is to be reminded, or that have become overdue; none when there are none.
pub fn find_waking(tx: &mut Transaction<'_>) -> Result<Option<Vec<RecordId>>, Error> {
    let due = tasks::table
        .filter(tasks::tenant_id.eq(tx.tenant()))
        .filter(tasks::wakes_at.le(tx.now()))
        .filter(tasks::deleted_at.is_null())
        .order((tasks::wakes_at, tasks::id))
        .limit(PORTION)
        .select(tasks::id);
    let due: Vec<RecordId> = due.load(tx.connection())?;
    Ok(Some(due).filter(|due| !due.is_empty()))
}

/// Reminds of tasks and marks them as overdue, as far as that is still to be done. There may be more.
pub fn wake(tx: &mut Transaction<'_>, due: &Vec<RecordId>) -> Result<bool, Error> {
    let now = tx.now();
    for id in due {
        match records::change(tx, *id, &Expected::Any, |_, before: &Task| Ok(before.wake(now))) {
            Ok(_) | Err(Error::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

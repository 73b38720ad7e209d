//! What becomes of tasks: how they are decided upon, reminded of, become overdue, and open the next one of a series.

use crate::interaction::recurrence::Recurrence;
use crate::interaction::series::{Length, Series};
use crate::interaction::tasks::{Task, TaskFields, TaskState, TaskStatus};
use crate::locale::at_local;
use crate::record::Meta;
use chrono::{NaiveDate, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use sql::Timestamp;
use sql::ids::TaskId;

impl Task {
    /// The task with these fields: new, or after what it was before. `zone` is that of the tenant.
    pub fn decide(before: Option<&Self>, meta: Meta, fields: TaskFields, now: Timestamp, zone: Tz) -> Self {
        let deadline_at = deadline_at(&fields, zone_of(&fields, zone));
        let is_open = !fields.status.is_closed();
        // What has been raised once is raised again only for another time.
        let is_reminded = before
            .filter(|before| before.fields.remind_at == fields.remind_at)
            .is_some_and(|before| {
                let is_past = before.fields.remind_at.is_some_and(|remind_at| remind_at <= now);
                before.state.next_reminder_at.is_none() && (is_past || !before.fields.status.is_closed())
            });
        let is_overdue = before.is_some_and(|before| before.state.overdue && before.state.deadline_at == deadline_at);
        let done_before = before.filter(|before| before.fields.status == TaskStatus::Done);
        let state = TaskState {
            done_at: (fields.status == TaskStatus::Done)
                .then(|| done_before.and_then(|before| before.state.done_at).unwrap_or(now)),
            deadline_at,
            overdue: is_open && is_overdue,
            next_reminder_at: fields.remind_at.filter(|_| is_open && !is_reminded),
            wakes_at: None,
        };
        Self { meta, fields, state }.with_waking()
    }

    /// The task after what happens to it by itself up to now: one thing at a time, the reminder first.
    #[must_use]
    pub fn wake(&self, now: Timestamp) -> Self {
        let mut task = self.clone();
        if self.state.next_reminder_at.is_some_and(|at| at <= now) {
            task.state.next_reminder_at = None;
        } else if self.is_to_be_done_by(now) {
            task.state.overdue = true;
        }
        task.with_waking()
    }

    /// What its change amounts to.
    pub fn change_since(&self, before: &Self) -> &'static str {
        let (old, new) = (before.fields.status, self.fields.status);
        match new {
            TaskStatus::Done if old != new => "completed",
            TaskStatus::Cancelled if old != new => "cancelled",
            _ if old.is_closed() && !new.is_closed() => "reopened",
            _ if self.fields != before.fields => "updated",
            _ if before.state.next_reminder_at.is_some() && self.state.next_reminder_at.is_none() => "reminded",
            _ if self.state.overdue && !before.state.overdue => "overdue",
            _ => "updated",
        }
    }

    /// The next task of the series; none when this one does not recur or was the last. `zone` is that of the tenant.
    pub fn next(&self, zone: Tz) -> Option<TaskFields> {
        let recurrence = self.fields.recurrence.as_ref()?;
        let zone = zone_of(&self.fields, zone);
        let deadline_at = self.state.deadline_at?;
        let (due_on, due_at) = next_due(&self.fields, recurrence, zone)?;
        let mut next = TaskFields {
            external_ids: Vec::new().into(),
            status: TaskStatus::Open,
            due_on,
            due_at,
            recurrence: Some(recurrence.continued()?),
            previous_task_id: Some(TaskId(self.meta.id.0)),
            ..self.fields.clone()
        };
        let shift = self::deadline_at(&next, zone)?.utc() - deadline_at.utc();
        next.remind_at = self.fields.remind_at.map(|remind_at| (remind_at.utc() + shift).into());
        Some(next)
    }

    fn is_to_be_done_by(&self, now: Timestamp) -> bool {
        let is_due = self.state.deadline_at.is_some_and(|deadline_at| deadline_at <= now);
        is_due && !self.state.overdue && !self.fields.status.is_closed()
    }

    fn with_waking(mut self) -> Self {
        let is_waiting = !self.state.overdue && !self.fields.status.is_closed();
        let deadline_at = self.state.deadline_at.filter(|_| is_waiting);
        self.state.wakes_at = self.state.next_reminder_at.into_iter().chain(deadline_at).min();
        self
    }
}

fn zone_of(fields: &TaskFields, zone: Tz) -> Tz {
    fields.time_zone.map_or(zone, |zone| zone.0)
}

fn deadline_at(fields: &TaskFields, zone: Tz) -> Option<Timestamp> {
    let end_of = |day: NaiveDate| Some(at_local(day.succ_opt()?.and_time(NaiveTime::MIN), zone).into());
    fields.due_at.or_else(|| end_of(fields.due_on?))
}

/// When the task of the series after this one is due: on a day or at an instant, as this one.
fn next_due(fields: &TaskFields, recurrence: &Recurrence, zone: Tz) -> Option<(Option<NaiveDate>, Option<Timestamp>)> {
    let rule = recurrence.rule();
    let start = match (fields.due_at, fields.due_on) {
        (Some(due_at), _) => due_at.utc(),
        (None, due_on) => at_local(due_on?.and_time(NaiveTime::MIN), zone),
    };
    let series = Series {
        start,
        zone,
        length: Length::Time(TimeDelta::zero()),
        rule: Some(rule),
        except: &[],
    };
    let first = series.first().date();
    let (day, span) = series.dated(first).find(|(day, _)| *day > first)?;
    Some(match fields.due_at {
        Some(_) => (None, Some(span.starts_at)),
        None => (Some(day), None),
    })
}

#[cfg(test)]
mod tests;

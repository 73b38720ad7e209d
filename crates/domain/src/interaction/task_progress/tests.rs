use super::*;
use crate::interaction::tasks::{TaskKind, TaskPriority};
use crate::record::Fields;
use sql::ids::TenantId;

const ZONE: Tz = Tz::Europe__Berlin;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn fields() -> TaskFields {
    TaskFields {
        external_ids: Vec::new().into(),
        tags: Vec::new().into(),
        custom: sql::Json::default(),
        owner_id: None,
        team_id: None,
        subject: "Call".to_owned(),
        description: None,
        kind: TaskKind::Call,
        priority: TaskPriority::Normal,
        status: TaskStatus::Open,
        due_on: None,
        due_at: None,
        time_zone: None,
        remind_at: None,
        recurrence: None,
        customer_id: None,
        previous_task_id: None,
        links: Vec::new().into(),
    }
}

fn task(fields: TaskFields) -> Task {
    let now = at("2026-03-01T00:00:00Z");
    Task::decide(None, Meta::new(TenantId::new(), now, None), fields, now, ZONE)
}

fn changed(task: &Task, now: &str, change: impl FnOnce(&mut TaskFields)) -> Task {
    let mut fields = task.fields.clone();
    change(&mut fields);
    Task::decide(Some(task), task.meta.clone(), fields, at(now), ZONE)
}

#[test]
fn a_day_is_over_at_midnight_of_its_zone() {
    let day = |zone: Option<Tz>| {
        task(TaskFields {
            due_on: Some("2026-03-29".parse().unwrap()),
            time_zone: zone.map(crate::locale::TimeZone),
            ..fields()
        })
    };
    assert_eq!(day(None).state.deadline_at, Some(at("2026-03-29T22:00:00Z")));
    assert_eq!(
        day(Some(Tz::America__New_York)).state.deadline_at,
        Some(at("2026-03-30T04:00:00Z"))
    );
}

#[test]
fn a_task_is_reminded_of_once_and_overdue_once() {
    let (remind_at, due_at) = (at("2026-03-02T08:00:00Z"), at("2026-03-02T09:00:00Z"));
    let new = task(TaskFields {
        remind_at: Some(remind_at),
        due_at: Some(due_at),
        ..fields()
    });
    assert_eq!(
        (new.state.next_reminder_at, new.state.wakes_at),
        (Some(remind_at), Some(remind_at))
    );
    assert_eq!(
        new.wake(at("2026-03-02T07:59:59Z")),
        new,
        "nothing happens before its time"
    );

    let late = at("2026-03-02T10:00:00Z");
    let reminded = new.wake(late);
    assert_eq!(reminded.change_since(&new), "reminded");
    assert_eq!((reminded.state.next_reminder_at, reminded.state.overdue), (None, false));
    assert_eq!(reminded.state.wakes_at, Some(due_at));
    let overdue = reminded.wake(late);
    assert_eq!(overdue.change_since(&reminded), "overdue");
    assert!(overdue.state.overdue);
    assert_eq!(overdue.state.wakes_at, None);
    assert_eq!(overdue.wake(late), overdue, "and never again");

    let renamed = changed(&overdue, "2026-03-02T11:00:00Z", |fields| {
        fields.subject = "Other".to_owned();
    });
    assert_eq!(renamed.state, overdue.state, "another subject brings nothing back");
    let put_off = changed(&overdue, "2026-03-02T11:00:00Z", |fields| {
        fields.due_at = Some(at("2026-03-03T09:00:00Z"));
    });
    assert!(!put_off.state.overdue);
    assert_eq!(put_off.state.wakes_at, Some(at("2026-03-03T09:00:00Z")));
}

#[test]
fn a_closed_task_does_not_wake_and_keeps_when_it_was_done() {
    let new = task(TaskFields {
        remind_at: Some(at("2026-03-02T08:00:00Z")),
        due_at: Some(at("2026-03-02T09:00:00Z")),
        ..fields()
    });
    let done = changed(&new, "2026-03-01T12:00:00Z", |fields| fields.status = TaskStatus::Done);
    assert_eq!(done.change_since(&new), "completed");
    assert_eq!(
        (done.state.done_at, done.state.wakes_at),
        (Some(at("2026-03-01T12:00:00Z")), None)
    );
    let tagged = changed(&done, "2026-03-05T12:00:00Z", |fields| {
        fields.tags = vec!["a".to_owned()].into();
    });
    assert_eq!(tagged.state, done.state);

    let reopened = changed(&done, "2026-03-01T13:00:00Z", |fields| {
        fields.status = TaskStatus::InProgress;
    });
    assert_eq!(reopened.change_since(&done), "reopened");
    assert_eq!(
        (reopened.state.done_at, reopened.state.next_reminder_at),
        (None, Some(at("2026-03-02T08:00:00Z")))
    );
    let later = changed(&done, "2026-03-02T12:00:00Z", |fields| fields.status = TaskStatus::Open);
    assert_eq!(
        later.state.next_reminder_at, None,
        "a reminder that is long past does not come again"
    );
    let cancelled = changed(&new, "2026-03-01T12:00:00Z", |fields| {
        fields.status = TaskStatus::Cancelled;
    });
    assert_eq!(
        (
            cancelled.change_since(&new),
            cancelled.state.done_at,
            cancelled.state.wakes_at
        ),
        ("cancelled", None, None)
    );
}

#[test]
fn the_next_task_of_a_series_is_due_at_the_same_time_of_day() {
    let weekly = task(TaskFields {
        due_at: Some(at("2026-03-23T08:00:00Z")),
        remind_at: Some(at("2026-03-23T07:45:00Z")),
        recurrence: Some("FREQ=WEEKLY;COUNT=2".parse().unwrap()),
        ..fields()
    });
    let next = weekly.next(ZONE).unwrap();
    assert_eq!(
        next.due_at,
        Some(at("2026-03-30T07:00:00Z")),
        "by clocks that have been put forward"
    );
    assert_eq!(
        next.remind_at,
        Some(at("2026-03-30T06:45:00Z")),
        "as long before as the first time"
    );
    assert_eq!(next.previous_task_id, Some(TaskId(weekly.meta.id.0)));
    assert_eq!(task(next).next(ZONE), None, "it was the last of two");

    let monthly = task(TaskFields {
        due_on: Some("2026-01-31".parse().unwrap()),
        recurrence: Some("FREQ=MONTHLY;BYMONTHDAY=-1".parse().unwrap()),
        status: TaskStatus::Done,
        ..fields()
    });
    let next = monthly.next(ZONE).unwrap();
    assert_eq!(
        (next.due_on, next.due_at, next.status),
        (Some("2026-02-28".parse().unwrap()), None, TaskStatus::Open)
    );
}

#[test]
fn faults_are_told_all_at_once() {
    let wrong = TaskFields {
        due_on: Some("1815-12-10".parse().unwrap()),
        due_at: Some(at("2026-03-23T08:00:00Z")),
        ..fields()
    };
    let crate::Refusal::Invalid(faults) = wrong.checked().unwrap_err() else {
        panic!("faults")
    };
    let told: Vec<_> = faults
        .iter()
        .map(|fault| (fault.pointer.as_str(), fault.code.as_str()))
        .collect();
    assert_eq!(told, [("/due_on", "out_of_range"), ("/due_on", "conflict")]);
    let endless = TaskFields {
        recurrence: Some("FREQ=DAILY".parse().unwrap()),
        ..fields()
    };
    assert!(endless.checked().is_err());
}

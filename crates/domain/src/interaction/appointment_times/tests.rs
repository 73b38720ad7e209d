use super::*;
use crate::interaction::appointments::ShowAs;
use crate::interaction::attendees::{Attendee, AttendeeResponse, AttendeeRole};
use crate::record::Fields;
use sql::ids::{CustomerId, TenantId, UserId};

const ZONE: Tz = Tz::Europe__Berlin;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub(in crate::interaction) fn fields() -> AppointmentFields {
    AppointmentFields {
        external_ids: Vec::new().into(),
        tags: Vec::new().into(),
        custom: sql::Json::default(),
        owner_id: None,
        team_id: None,
        subject: "Demonstration".to_owned(),
        description: None,
        location: None,
        starts_at: Some(at("2026-03-23T08:00:00Z")),
        ends_at: Some(at("2026-03-23T09:00:00Z")),
        starts_on: None,
        ends_on: None,
        time_zone: None,
        status: AppointmentStatus::Confirmed,
        show_as: ShowAs::Busy,
        participants: Vec::new().into(),
        reminders: Vec::new().into(),
        recurrence: None,
        except_on: Vec::new().into(),
        customer_id: None,
        links: Vec::new().into(),
    }
}

pub(in crate::interaction) fn appointment(fields: AppointmentFields) -> Appointment {
    let now = at("2026-03-01T00:00:00Z");
    Appointment::decide(None, Meta::new(TenantId::new(), now, None), fields, now, ZONE)
}

#[test]
fn reminders_come_before_each_occurrence_and_none_is_made_up_for() {
    let weekly = appointment(AppointmentFields {
        recurrence: Some("FREQ=WEEKLY;COUNT=3".parse().unwrap()),
        reminders: vec![15, 60].into(),
        except_on: vec!["2026-03-30".parse().unwrap()].into(),
        ..fields()
    });
    assert_eq!(weekly.state.first_starts_at, at("2026-03-23T08:00:00Z"));
    assert_eq!(weekly.state.last_ends_at, Some(at("2026-04-06T08:00:00Z")));
    let mut reminders = Vec::new();
    let mut next = weekly.clone();
    while let Some(reminder) = next.state.next_reminder_at {
        reminders.push(reminder.to_rfc3339());
        let reminded = next.reminded(reminder, ZONE);
        assert_eq!(reminded.change_since(&next), "reminded");
        next = reminded;
    }
    let expected = [
        "2026-03-23T07:00",
        "2026-03-23T07:45",
        "2026-04-06T06:00",
        "2026-04-06T06:45",
    ];
    assert_eq!(reminders, expected.map(|time| format!("{time}:00.000000Z")));

    let late = weekly.reminded(at("2026-04-05T00:00:00Z"), ZONE);
    assert_eq!(late.state.next_reminder_at, Some(at("2026-04-06T06:00:00Z")));
}

#[test]
fn what_was_raised_comes_again_only_for_another_time() {
    let new = appointment(AppointmentFields {
        reminders: vec![15].into(),
        ..fields()
    });
    let reminded = new.reminded(at("2026-03-23T07:45:00Z"), ZONE);
    assert_eq!(reminded.state.next_reminder_at, None);
    let change = |change: &dyn Fn(&mut AppointmentFields)| {
        let mut fields = reminded.fields.clone();
        change(&mut fields);
        let now = at("2026-03-23T07:50:00Z");
        Appointment::decide(Some(&reminded), reminded.meta.clone(), fields, now, ZONE)
    };
    let renamed = change(&|fields| fields.subject = "Other".to_owned());
    assert_eq!(
        (renamed.state.next_reminder_at, renamed.change_since(&reminded)),
        (None, "updated")
    );
    let later = change(&|fields| {
        fields.starts_at = Some(at("2026-03-23T09:00:00Z"));
        fields.ends_at = Some(at("2026-03-23T10:00:00Z"));
    });
    assert_eq!(later.state.next_reminder_at, Some(at("2026-03-23T08:45:00Z")));
    assert_eq!(later.change_since(&reminded), "rescheduled");
    let cancelled = change(&|fields| fields.status = AppointmentStatus::Cancelled);
    assert_eq!(
        (cancelled.state.next_reminder_at, cancelled.change_since(&reminded)),
        (None, "cancelled")
    );
}

#[test]
fn times_are_given_in_one_of_two_ways() {
    let faults = |change: &dyn Fn(&mut AppointmentFields)| {
        let mut fields = fields();
        change(&mut fields);
        match fields.checked() {
            Ok(_) => Vec::new(),
            Err(crate::Refusal::Invalid(faults)) => faults
                .into_iter()
                .map(|fault| format!("{} {}", fault.pointer, fault.code))
                .collect(),
            Err(other) => panic!("{other}"),
        }
    };
    let day = |text: &str| Some(text.parse().unwrap());
    assert_eq!(faults(&|_| {}), [""; 0]);
    assert_eq!(
        faults(&|fields| fields.ends_at = fields.starts_at),
        ["/ends_at out_of_range"]
    );
    assert_eq!(faults(&|fields| fields.ends_at = None), ["/ends_at required"]);
    assert_eq!(faults(&|fields| fields.starts_at = None), ["/starts_at required"]);
    assert_eq!(
        faults(&|fields| (fields.starts_at, fields.ends_at) = (None, None)),
        ["/starts_at required"]
    );
    assert_eq!(
        faults(&|fields| {
            (fields.starts_at, fields.ends_at) = (None, None);
            (fields.starts_on, fields.ends_on) = (day("2026-01-02"), day("2026-01-01"));
        }),
        ["/ends_on out_of_range"]
    );
    assert_eq!(
        faults(&|fields| (fields.starts_on, fields.ends_on) = (day("2026-01-01"), day("2026-01-01"))),
        ["/starts_on conflict"]
    );
    assert_eq!(
        faults(&|fields| {
            fields.reminders = vec![-1, 5, 5].into();
            fields.except_on = vec!["2026-01-01".parse().unwrap()].into();
        }),
        [
            "/reminders/2 duplicate",
            "/reminders/0 out_of_range",
            "/except_on conflict"
        ]
    );
}

#[test]
fn whole_days_begin_and_end_with_the_days_of_their_zone() {
    let holiday = appointment(AppointmentFields {
        starts_at: None,
        ends_at: None,
        starts_on: Some("2026-03-28".parse().unwrap()),
        ends_on: Some("2026-03-29".parse().unwrap()),
        ..fields()
    });
    assert_eq!(holiday.state.first_starts_at, at("2026-03-27T23:00:00Z"));
    assert_eq!(holiday.state.last_ends_at, Some(at("2026-03-29T22:00:00Z")));
}

#[test]
fn the_owner_takes_part_unless_it_declined() {
    let [owner, other, third] = [(); 3].map(|()| UserId::new());
    let user = |id: UserId, response| Attendee {
        customer_id: None,
        user_id: Some(id),
        role: AttendeeRole::Required,
        response,
    };
    let of = |participants: Vec<Attendee>| {
        let fields = AppointmentFields {
            owner_id: Some(owner),
            participants: participants.into(),
            ..fields()
        };
        appointment(fields).users()
    };
    let guest = Attendee {
        customer_id: Some(CustomerId::new()),
        user_id: None,
        ..user(third, AttendeeResponse::Accepted)
    };
    assert_eq!(of(vec![]), [owner]);
    let (silent, declined) = (
        user(other, AttendeeResponse::NeedsAction),
        user(third, AttendeeResponse::Declined),
    );
    assert_eq!(of(vec![silent, declined, guest]), [owner, other]);
    assert!(of(vec![user(owner, AttendeeResponse::Declined)]).is_empty());
}

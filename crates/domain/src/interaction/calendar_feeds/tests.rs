use super::*;
use crate::interaction::appointment_times::tests::{appointment, fields};
use crate::interaction::appointments::AppointmentFields;
use sql::Timestamp;

fn at(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text)
}

fn calendar(appointments: &[Appointment]) -> String {
    let feed = Feed {
        name: "Ada, her calendar",
        appointments,
        tasks: &[],
        zone: Tz::Europe__Berlin,
        year: 2026,
    };
    feed.icalendar()
}

fn recurring(rule: &str, change: impl FnOnce(&mut AppointmentFields)) -> Appointment {
    let mut fields = fields();
    fields.recurrence = Some(rule.parse().unwrap());
    change(&mut fields);
    appointment(fields)
}

#[track_caller]
fn assert_lines(calendar: &str, lines: &[&str]) {
    for line in lines {
        assert!(
            calendar.split("\r\n").any(|other| other == *line),
            "no line {line} in\n{calendar}"
        );
    }
}

#[test]
fn what_takes_place_once_is_told_in_utc_without_zones() {
    let once = calendar(&[appointment(AppointmentFields {
        location: Some("Room 4; left".to_owned()),
        ..fields()
    })]);
    assert_lines(
        &once,
        &[
            "BEGIN:VCALENDAR",
            "NAME:Ada\\, her calendar",
            "DTSTART:20260323T080000Z",
            "DTEND:20260323T090000Z",
            "LOCATION:Room 4\\; left",
            "STATUS:CONFIRMED",
            "TRANSP:OPAQUE",
            "SEQUENCE:0",
        ],
    );
    assert!(!once.contains("VTIMEZONE") && !once.contains("RRULE"));
    assert!(once.starts_with("BEGIN:VCALENDAR\r\n") && once.ends_with("END:VCALENDAR\r\n"));
}

#[test]
fn what_recurs_does_so_by_the_clocks_of_its_zone() {
    let weekly = recurring("FREQ=WEEKLY;UNTIL=20260501", |fields| {
        fields.except_on = vec!["2026-03-30".parse().unwrap()].into();
        fields.reminders = vec![15].into();
    });
    assert_lines(
        &calendar(&[weekly]),
        &[
            "TZID:Europe/Berlin",
            "DTSTART;TZID=Europe/Berlin:20260323T090000",
            "DTEND;TZID=Europe/Berlin:20260323T100000",
            "RRULE:FREQ=WEEKLY;UNTIL=20260501T215959Z",
            "EXDATE;TZID=Europe/Berlin:20260330T090000",
            "TRIGGER:-PT15M",
        ],
    );
}

#[test]
fn a_zone_says_when_its_clocks_are_changed() {
    let text = calendar(&[recurring("FREQ=WEEKLY", |_| {})]);
    let (_, zone) = text.split_once("BEGIN:VTIMEZONE\r\n").unwrap();
    let (zone, _) = zone.split_once("END:VTIMEZONE").unwrap();
    // The time before and after, as clocks showed it until then.
    for observance in [
        "BEGIN:STANDARD\r\nDTSTART:20251231T010000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nTZNAME:CET\r\n",
        "BEGIN:DAYLIGHT\r\nDTSTART:20260329T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nTZNAME:CEST\r\n",
        "BEGIN:STANDARD\r\nDTSTART:20261025T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nTZNAME:CET\r\n",
    ] {
        assert!(zone.contains(observance), "no {observance} in {zone}");
    }
    assert_eq!(
        zone.matches("BEGIN:DAYLIGHT").count(),
        6,
        "one in each year from 2026 to 2031"
    );
}

#[test]
fn whole_days_end_with_the_day_after() {
    let days = |fields: &mut AppointmentFields| {
        (fields.starts_at, fields.ends_at) = (None, None);
        fields.starts_on = Some("2026-03-28".parse().unwrap());
        fields.ends_on = Some("2026-03-29".parse().unwrap());
        fields.except_on = vec!["2027-03-28".parse().unwrap()].into();
    };
    let text = calendar(&[recurring("FREQ=YEARLY;UNTIL=20301231T235959Z", days)]);
    let lines = [
        "DTSTART;VALUE=DATE:20260328",
        "DTEND;VALUE=DATE:20260330",
        "EXDATE;VALUE=DATE:20270328",
    ];
    assert_lines(&text, &lines);
    assert_lines(&text, &["RRULE:FREQ=YEARLY;UNTIL=20310101"]);
    assert!(!text.contains("VTIMEZONE"));
}

#[test]
fn the_same_calendar_is_the_same_text() {
    let appointments = [
        recurring("FREQ=DAILY", |fields| {
            fields.time_zone = Some(crate::locale::TimeZone(Tz::America__New_York));
        }),
        recurring("FREQ=DAILY", |fields| fields.starts_at = at("2020-03-23T08:59:00Z")),
    ];
    assert_eq!(calendar(&appointments), calendar(&appointments));
}

//! Worked cases, and laws that hold for every calendar.

use super::*;
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn zone(name: &str) -> Tz {
    name.parse().unwrap()
}

const WORKDAYS: [Weekday; 5] = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri];
const WEEK: [Weekday; 7] = [
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
    Weekday::Sat,
    Weekday::Sun,
];

/// From nine to five on work days, with a holiday.
fn office(name: &str) -> Calendar {
    let hours = WORKDAYS.map(|day| (day, 9 * 60, 17 * 60));
    let holidays = [NaiveDate::from_ymd_opt(2026, 12, 25).unwrap()];
    Calendar::Hours(WorkingHours::new(zone(name), hours, holidays).unwrap())
}

/// From one to five in the morning, every day: the hours in which clocks change.
fn night(name: &str) -> Calendar {
    let hours = WEEK.map(|day| (day, 60, 5 * 60));
    Calendar::Hours(WorkingHours::new(zone(name), hours, []).unwrap())
}

/// Every minute of every day by the clock on the wall.
fn all_day(name: &str) -> Calendar {
    let hours = WEEK.map(|day| (day, 0, MINUTES_OF_DAY));
    Calendar::Hours(WorkingHours::new(zone(name), hours, []).unwrap())
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn worked_cases() {
    let (berlin, york) = ("Europe/Berlin", "America/New_York");
    // What, the calendar, from when, how many business minutes, until when.
    let cases = [
        (
            "inside a day",
            office(berlin),
            "2026-11-23T09:00:00Z",
            120,
            "2026-11-23T11:00:00Z",
        ),
        (
            "over night",
            office(berlin),
            "2026-11-23T15:30:00Z",
            60,
            "2026-11-24T08:30:00Z",
        ),
        (
            "over a weekend",
            office(berlin),
            "2026-11-27T15:30:00Z",
            60,
            "2026-11-30T08:30:00Z",
        ),
        (
            "from before opening",
            office(berlin),
            "2026-11-23T03:00:00Z",
            30,
            "2026-11-23T08:30:00Z",
        ),
        (
            "from a Sunday",
            office(berlin),
            "2026-11-22T12:00:00Z",
            30,
            "2026-11-23T08:30:00Z",
        ),
        (
            "to the very end of a day",
            office(berlin),
            "2026-11-23T08:00:00Z",
            480,
            "2026-11-23T16:00:00Z",
        ),
        (
            "past a holiday",
            office(berlin),
            "2026-12-24T15:00:00Z",
            120,
            "2026-12-28T09:00:00Z",
        ),
        (
            "from a holiday",
            office(berlin),
            "2026-12-25T10:00:00Z",
            1,
            "2026-12-28T08:01:00Z",
        ),
        (
            "the work week over which summer begins",
            office(berlin),
            "2026-03-27T15:00:00Z",
            120,
            "2026-03-30T08:00:00Z",
        ),
        (
            "the work week over which summer ends",
            office(berlin),
            "2026-10-23T14:00:00Z",
            120,
            "2026-10-26T09:00:00Z",
        ),
        (
            "the same in New York, spring",
            office(york),
            "2026-03-06T21:00:00Z",
            120,
            "2026-03-09T14:00:00Z",
        ),
        (
            "the same in New York, autumn",
            office(york),
            "2026-10-30T20:00:00Z",
            120,
            "2026-11-02T15:00:00Z",
        ),
        (
            "a night in which 02:00 to 03:00 is skipped",
            night(berlin),
            "2026-03-29T00:00:00Z",
            180,
            "2026-03-29T03:00:00Z",
        ),
        (
            "a night in which 02:00 to 03:00 comes twice",
            night(berlin),
            "2026-10-24T23:00:00Z",
            300,
            "2026-10-25T04:00:00Z",
        ),
        (
            "a short night in New York",
            night(york),
            "2026-03-08T06:00:00Z",
            180,
            "2026-03-08T09:00:00Z",
        ),
        (
            "a long night in New York",
            night(york),
            "2026-11-01T05:00:00Z",
            300,
            "2026-11-01T10:00:00Z",
        ),
        (
            "a day of 23 hours",
            all_day(berlin),
            "2026-03-28T23:00:00Z",
            23 * 60,
            "2026-03-29T22:00:00Z",
        ),
        (
            "a day that an island left out",
            all_day("Pacific/Apia"),
            "2011-12-29T10:00:00Z",
            1440,
            "2011-12-30T10:00:00Z",
        ),
        (
            "midnight that is skipped",
            all_day("America/Sao_Paulo"),
            "2018-11-03T12:00:00Z",
            1440,
            "2018-11-04T12:00:00Z",
        ),
        (
            "midnight that comes twice",
            all_day("America/Sao_Paulo"),
            "2018-02-17T12:00:00Z",
            1440,
            "2018-02-18T12:00:00Z",
        ),
        (
            "day and night",
            Calendar::Always,
            "2026-03-29T00:30:00Z",
            60,
            "2026-03-29T01:30:00Z",
        ),
    ];
    for (what, calendar, from, minutes, until) in cases {
        let due = calendar.after(at(from), TimeDelta::minutes(minutes)).unwrap();
        assert_eq!(due, at(until), "{what}: {} and not {until}", due.to_rfc3339());
        assert_eq!(
            calendar.between(at(from), at(until)),
            TimeDelta::minutes(minutes),
            "{what}, backwards"
        );
    }
}

#[test]
fn a_break_does_not_count() {
    let hours = [(Weekday::Mon, 9 * 60, 12 * 60), (Weekday::Mon, 13 * 60, 17 * 60)];
    let calendar = Calendar::Hours(WorkingHours::new(Tz::UTC, hours, []).unwrap());
    let monday = at("2026-11-23T11:30:00Z");
    assert_eq!(
        calendar.after(monday, TimeDelta::minutes(60)),
        Some(at("2026-11-23T13:30:00Z"))
    );
    assert_eq!(
        calendar.between(monday, at("2026-11-23T12:45:00Z")),
        TimeDelta::minutes(30)
    );
}

#[test]
fn a_week_that_is_never_open_is_no_calendar() {
    assert_eq!(WorkingHours::new(Tz::UTC, [], []), None);
    assert_eq!(
        WorkingHours::new(Tz::UTC, [(Weekday::Mon, 600, 600), (Weekday::Tue, 900, 600)], []),
        None
    );
}

#[test]
fn the_largest_target_in_the_shortest_week_ends_and_what_never_ends_is_given_up() {
    let hour_a_week = WorkingHours::new(zone("Europe/Berlin"), [(Weekday::Mon, 0, 60)], []).unwrap();
    let calendar = Calendar::Hours(hour_a_week);
    let start = at("2026-01-01T00:00:00Z");
    assert!(calendar.after(start, TimeDelta::minutes(525_600)).is_some());
    assert_eq!(calendar.after(start, TimeDelta::minutes(5_256_000)), None);
}

const ZONES: [&str; 6] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "Africa/Casablanca",
];

prop_compose! {
    /// Any calendar: one or two intervals on some days of the week, and holidays among the days looked at.
    fn calendars()(
        zone_index in 0..ZONES.len(),
        days in prop::collection::vec((0..7_usize, 0..1380_u16, 1..700_u16, 0..300_u16, 1..300_u16), 1..8),
        holidays in prop::collection::vec(0..400_u64, 0..20),
    ) -> Calendar {
        let openings = days.into_iter().flat_map(|(day, from, length, gap, more)| {
            let to = (from + length).min(MINUTES_OF_DAY);
            let (again, end) = ((to + gap + 1).min(MINUTES_OF_DAY), (to + gap + 1 + more).min(MINUTES_OF_DAY));
            [(WEEK[day], from, to), (WEEK[day], again, end)]
        });
        // Two drawings of one day may overlap: the first is kept.
        let mut kept: Vec<(Weekday, u16, u16)> = Vec::new();
        for (day, from, to) in openings.filter(|(_, from, to)| from < to) {
            if kept.iter().all(|other| other.0 != day || to <= other.1 || other.2 <= from) {
                kept.push((day, from, to));
            }
        }
        let first = NaiveDate::from_ymd_opt(2018, 1, 1).unwrap();
        let holidays = holidays.into_iter().map(|days| first + Days::new(days));
        Calendar::Hours(WorkingHours::new(zone(ZONES[zone_index]), kept, holidays).unwrap())
    }
}

/// An instant of 2018 and the year after it, to the microsecond: zones of the list changed their clocks then.
fn instants() -> impl Strategy<Value = Timestamp> {
    let start = at("2018-01-01T00:00:00Z").micros();
    (0..2 * 365 * 86_400_000_000_i64).prop_map(move |micros| Timestamp::from_micros(start + micros).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn business_time_adds_up_over_any_split(calendar in calendars(), a in instants(), b in instants(), c in instants()) {
        let mut order = [a, b, c];
        order.sort_unstable();
        let [first, middle, last] = order;
        let whole = calendar.between(first, last);
        prop_assert_eq!(calendar.between(first, middle) + calendar.between(middle, last), whole);
        prop_assert!(whole <= last.utc() - first.utc());
        prop_assert!(calendar.between(last, first) == TimeDelta::zero());
    }

    #[test]
    fn what_is_due_after_some_business_time_has_it_behind(calendar in calendars(), from in instants(), minutes in 0..20_000_i64) {
        let time = TimeDelta::minutes(minutes);
        let due = calendar.after(from, time).unwrap();
        prop_assert!(due >= from);
        prop_assert_eq!(calendar.between(from, due), time);
        if minutes > 0 {
            let before = Timestamp::from_micros(due.micros() - 1).unwrap();
            prop_assert!(calendar.between(from, before) < time, "it is the first such instant");
        }
    }

    #[test]
    fn who_starts_later_or_has_more_to_do_ends_no_earlier(
        calendar in calendars(), a in instants(), b in instants(), minutes in 0..5_000_i64, more in 0..5_000_i64,
    ) {
        let (early, late) = (a.min(b), a.max(b));
        let end = |from, minutes| calendar.after(from, TimeDelta::minutes(minutes)).unwrap();
        prop_assert!(end(early, minutes) <= end(late, minutes));
        prop_assert!(end(early, minutes) <= end(early, minutes + more));
    }
}

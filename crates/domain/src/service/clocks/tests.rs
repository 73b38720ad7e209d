//! One life of a clock, and laws that hold for every life.

use super::*;
use crate::service::calendar::WorkingHours;
use chrono::Weekday;
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// From nine to five on work days in Berlin.
fn office() -> Calendar {
    let days = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri];
    let hours = days.map(|day| (day, 9 * 60, 17 * 60));
    Calendar::Hours(WorkingHours::new("Europe/Berlin".parse().unwrap(), hours, []).unwrap())
}

const FOUR_HOURS: Promise = Promise {
    minutes: 240,
    warning_minutes: Some(60),
};

#[test]
fn a_pause_moves_what_is_due_by_the_business_time_it_takes() {
    let calendar = office();
    let clock = Clock::start(FOUR_HOURS, &calendar, at("2026-11-23T09:00:00Z"));
    assert_eq!(clock.due_at, Some(at("2026-11-23T13:00:00Z")));
    assert_eq!(
        clock.next_alarm(&calendar),
        Some((at("2026-11-23T12:00:00Z"), Alarm::Warning))
    );

    let paused = clock.paused(&calendar, at("2026-11-23T10:30:00Z"));
    assert_eq!((paused.phase, paused.due_at), (ClockPhase::Paused, None));
    assert_eq!(paused.spent_micros, 90 * 60 * 1_000_000);
    assert_eq!(paused.next_alarm(&calendar), None);
    assert_eq!(
        paused.noted(&calendar, at("2027-01-01T00:00:00Z")),
        paused,
        "nothing is missed in a pause"
    );

    let resumed = paused.resumed(&calendar, at("2026-11-24T15:00:00Z"));
    assert_eq!(
        resumed.due_at,
        Some(at("2026-11-25T09:30:00Z")),
        "one hour of Tuesday, 90 minutes of Wednesday"
    );
    let stopped = resumed.stopped(&calendar, at("2026-11-24T15:30:00Z"));
    assert_eq!((stopped.phase, stopped.breached_at), (ClockPhase::Stopped, None));
    assert_eq!(
        stopped.paused(&calendar, at("2026-11-24T15:40:00Z")),
        stopped,
        "what has ended is not paused"
    );
}

#[test]
fn a_warning_is_given_and_then_a_breach_noted_each_once() {
    let calendar = office();
    let clock = Clock::start(FOUR_HOURS, &calendar, at("2026-11-23T09:00:00Z"));
    let early = clock.noted(&calendar, at("2026-11-23T11:59:59Z"));
    assert_eq!(early, clock);
    let warned = clock.noted(&calendar, at("2026-11-23T12:00:00Z"));
    assert_eq!(
        (warned.warned_at, warned.breached_at),
        (Some(at("2026-11-23T12:00:00Z")), None)
    );
    assert_eq!(warned.noted(&calendar, at("2026-11-23T12:30:00Z")), warned);
    let breached = warned.noted(&calendar, at("2026-11-23T19:00:00Z"));
    assert_eq!(
        breached.breached_at,
        Some(at("2026-11-23T13:00:00Z")),
        "when it was due, not when it was noticed"
    );
    assert_eq!(breached.noted(&calendar, at("2026-12-23T13:00:00Z")), breached);
    assert_eq!(breached.next_alarm(&calendar), None);
}

#[test]
fn what_ends_too_late_is_a_breach_though_nobody_looked() {
    let calendar = office();
    let clock = Clock::start(FOUR_HOURS, &calendar, at("2026-11-23T09:00:00Z"));
    let stopped = clock.stopped(&calendar, at("2026-11-23T13:00:01Z"));
    assert_eq!(stopped.breached_at, Some(at("2026-11-23T13:00:00Z")));
    let paused = clock.paused(&calendar, at("2026-11-23T12:59:59Z"));
    assert_eq!(paused.breached_at, None);
}

#[test]
fn another_promise_counts_from_the_beginning() {
    let calendar = office();
    let clock = Clock::start(FOUR_HOURS, &calendar, at("2026-11-23T09:00:00Z"));
    let hour = Promise {
        minutes: 60,
        warning_minutes: None,
    };
    let urgent = clock.promised(hour, &calendar, &calendar, at("2026-11-23T09:45:00Z"));
    assert_eq!(urgent.due_at, Some(at("2026-11-23T10:00:00Z")));
    let late = clock.promised(hour, &calendar, &calendar, at("2026-11-23T11:00:00Z"));
    assert_eq!(
        late.due_at,
        Some(at("2026-11-23T11:00:00Z")),
        "at once, and not in the past"
    );
    let always = clock.promised(FOUR_HOURS, &calendar, &Calendar::Always, at("2026-11-23T12:00:00Z"));
    assert_eq!(always.due_at, Some(at("2026-11-23T13:00:00Z")));
}

#[test]
fn a_clock_on_the_wall_that_is_set_back_takes_nothing_back() {
    let calendar = Calendar::Always;
    let clock = Clock::start(FOUR_HOURS, &calendar, at("2026-11-23T09:00:00Z"));
    let counted = clock.counted(&calendar, at("2026-11-23T10:00:00Z"));
    let back = counted.paused(&calendar, at("2026-11-23T09:30:00Z"));
    assert_eq!(
        (back.spent_micros, back.counted_to),
        (counted.spent_micros, counted.counted_to)
    );
    let resumed = back.resumed(&calendar, at("2026-11-23T09:40:00Z"));
    assert_eq!(resumed.due_at, clock.due_at);
}

/// What may be done to a clock.
#[derive(Debug, Clone, Copy)]
enum Step {
    Pause,
    Resume,
    Count,
    Note,
}

fn steps() -> impl Strategy<Value = Vec<(Step, i64)>> {
    let step = prop::sample::select(vec![Step::Pause, Step::Resume, Step::Count, Step::Note]);
    // Up to a week between steps, or some time back, to the microsecond.
    prop::collection::vec((step, -3_600_000_000..600_000_000_000_i64), 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_clock_never_runs_backwards_and_pausing_never_brings_forward_what_is_due(
        steps in steps(), minutes in 1..20_000_i32, is_office in any::<bool>(),
    ) {
        let calendar = if is_office { office() } else { Calendar::Always };
        let start = at("2026-03-20T10:11:12.345678Z");
        let promise = Promise { minutes, warning_minutes: Some(minutes / 2) };
        let mut clock = Clock::start(promise, &calendar, start);
        let (mut now, mut latest, mut due) = (start, start, clock.due_at);
        for (step, micros) in steps {
            now = Timestamp::from_micros(now.micros() + micros).unwrap();
            latest = latest.max(now);
            let before = clock;
            clock = match step {
                Step::Pause => clock.paused(&calendar, now),
                Step::Resume => clock.resumed(&calendar, now),
                Step::Count => clock.counted(&calendar, now),
                Step::Note => clock.noted(&calendar, now),
            };
            prop_assert!(clock.spent_micros >= before.spent_micros);
            prop_assert!(clock.counted_to >= before.counted_to);
            prop_assert!(before.breached_at.is_none() || clock.breached_at == before.breached_at);
            prop_assert!(before.warned_at.is_none() || clock.warned_at == before.warned_at);
            let all = calendar.between(start, latest).num_microseconds().unwrap();
            prop_assert!(clock.spent_micros <= all, "it counts no time that has not passed");
            if let Some(at) = clock.due_at {
                prop_assert!(due.is_none_or(|due| at >= due) || clock.breached_at.is_some());
                due = Some(at);
            }
        }
    }

    #[test]
    fn counting_in_between_changes_nothing(moments in prop::collection::vec(0..2_000_000_000_000_i64, 1..12)) {
        let calendar = office();
        let start = at("2026-10-20T10:11:12.345678Z");
        let clock = Clock::start(FOUR_HOURS, &calendar, start);
        let mut moments = moments;
        moments.sort_unstable();
        let instant = |micros: &i64| Timestamp::from_micros(start.micros() + micros).unwrap();
        let last = moments.last().map(instant).unwrap();
        let often = moments.iter().fold(clock, |clock, micros| clock.counted(&calendar, instant(micros)));
        let once = clock.counted(&calendar, last);
        prop_assert_eq!((often.spent_micros, often.breached_at), (once.spent_micros, once.breached_at));
    }

    #[test]
    fn alarms_come_on_time_and_each_at_most_once(minutes in 2..5_000_i32, warning in 1..5_000_i32, look in 1..3_600_i64) {
        let calendar = office();
        let promise = Promise { minutes, warning_minutes: Some(warning.min(minutes - 1)) };
        let mut clock = Clock::start(promise, &calendar, at("2026-10-20T10:11:12Z"));
        let mut told = Vec::new();
        while let Some((at, alarm)) = clock.next_alarm(&calendar) {
            prop_assert_eq!(clock.noted(&calendar, Timestamp::from_micros(at.micros() - 1).unwrap()), clock);
            let after = clock.noted(&calendar, Timestamp::from_micros(at.micros() + look).unwrap());
            prop_assert_eq!(if alarm == Alarm::Warning { after.warned_at } else { after.breached_at }, Some(at));
            told.push(alarm);
            clock = after;
        }
        prop_assert_eq!(told, vec![Alarm::Warning, Alarm::Breach]);
    }
}

use super::*;
use crate::interaction::recurrence::Recurrence;
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn recurrence(text: &str) -> Recurrence {
    text.parse().unwrap()
}

fn hour_in_berlin<'a>(start: &str, rule: &'a Recurrence, except: &'a [NaiveDate]) -> Series<'a> {
    Series {
        start: at(start).utc(),
        zone: Tz::Europe__Berlin,
        length: Length::Time(TimeDelta::hours(1)),
        rule: Some(rule.rule()),
        except,
    }
}

fn starts(series: Series<'_>) -> Vec<String> {
    series
        .all()
        .map(|span| span.starts_at.utc().format("%m-%dT%H:%M").to_string())
        .collect()
}

#[test]
fn the_time_of_day_stays_when_clocks_are_changed() {
    let weekly = recurrence("FREQ=WEEKLY;COUNT=3");
    // In Berlin clocks go forward on 29 March 2026 and back on 25 October.
    assert_eq!(
        starts(hour_in_berlin("2026-03-22T08:00:00Z", &weekly, &[])),
        ["03-22T08:00", "03-29T07:00", "04-05T07:00"]
    );
    assert_eq!(
        starts(hour_in_berlin("2026-10-18T07:00:00Z", &weekly, &[])),
        ["10-18T07:00", "10-25T08:00", "11-01T08:00"]
    );
}

#[test]
fn a_time_that_clocks_skip_or_show_twice_happens_once() {
    let daily = recurrence("FREQ=DAILY;COUNT=3");
    assert_eq!(
        starts(hour_in_berlin("2026-03-28T01:30:00Z", &daily, &[])),
        ["03-28T01:30", "03-29T01:30", "03-30T00:30"]
    );
    assert_eq!(
        starts(hour_in_berlin("2026-10-24T00:30:00Z", &daily, &[])),
        ["10-24T00:30", "10-25T00:30", "10-26T01:30"]
    );
    // What was said for the second time that clocks show half past two stays there.
    assert_eq!(
        starts(hour_in_berlin("2026-10-25T01:30:00Z", &daily, &[]))[0],
        "10-25T01:30"
    );
}

#[test]
fn days_may_be_left_out_and_count_nevertheless() {
    let daily = recurrence("FREQ=DAILY;COUNT=3");
    let except = ["2026-01-02".parse().unwrap()];
    let series = hour_in_berlin("2026-01-01T08:00:00Z", &daily, &except);
    assert_eq!(starts(series), ["01-01T08:00", "01-03T08:00"]);
    assert_eq!(series.end(), Some(at("2026-01-03T09:00:00Z")));
    assert_eq!(
        hour_in_berlin("2026-01-01T08:00:00Z", &recurrence("FREQ=DAILY"), &[]).end(),
        None
    );
}

#[test]
fn an_end_at_an_instant_may_be_that_of_an_occurrence() {
    for (until, count) in [("20260103T080000Z", 3), ("20260103T075959Z", 2), ("20260103", 3)] {
        let daily = recurrence(&format!("FREQ=DAILY;UNTIL={until}"));
        assert_eq!(
            hour_in_berlin("2026-01-01T08:00:00Z", &daily, &[]).all().count(),
            count,
            "{until}"
        );
    }
}

#[test]
fn whole_days_are_as_long_as_they_are() {
    let series = Series {
        start: at("2026-03-28T23:00:00Z").utc(),
        zone: Tz::Europe__Berlin,
        length: Length::Days(1),
        rule: None,
        except: &[],
    };
    let only: Vec<_> = series.all().collect();
    assert_eq!(
        only,
        [TimeSpan {
            starts_at: at("2026-03-28T23:00:00Z"),
            ends_at: at("2026-03-29T22:00:00Z")
        }]
    );
}

proptest! {
    #[test]
    fn what_touches_a_window_is_found_wherever_it_lies(
        text in prop::sample::select(vec!["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,SA", "FREQ=MONTHLY;BYDAY=-1SU", "FREQ=DAILY;COUNT=40"]),
        zone in prop::sample::select(vec![Tz::UTC, Tz::Europe__Berlin, Tz::America__New_York, Tz::Pacific__Kiritimati, Tz::Pacific__Pago_Pago]),
        start in 0_i64..400_000, length in 1_i64..5000, from in 0_i64..700_000, days in 1_i64..62, whole in any::<bool>(),
    ) {
        let minutes = |count: i64| at("2025-01-01T00:00:00Z").utc() + TimeDelta::minutes(count);
        let rule = recurrence(text);
        let length = if whole { Length::Days(u32::try_from(length / 1440).unwrap() + 1) } else { Length::Time(TimeDelta::minutes(length)) };
        let series = Series { start: minutes(start), zone, length, rule: Some(rule.rule()), except: &[] };
        let window = TimeSpan { starts_at: minutes(from).into(), ends_at: (minutes(from) + TimeDelta::days(days)).into() };
        let touches = |span: &TimeSpan| span.ends_at > window.starts_at && span.starts_at < window.ends_at;
        let expected: Vec<_> = series.all().take_while(|span| span.starts_at < window.ends_at).filter(touches).collect();
        let found: Vec<_> = series.within(window).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn by_local_clocks_every_occurrence_starts_at_the_same_time(
        zone in prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()), start in 0_i64..500_000,
    ) {
        let daily = recurrence("FREQ=DAILY;COUNT=400");
        let start = at("2025-01-01T00:00:00Z").utc() + TimeDelta::minutes(start);
        let series = Series { start, zone, length: Length::Time(TimeDelta::hours(1)), rule: Some(daily.rule()), except: &[] };
        let spans: Vec<_> = series.all().collect();
        prop_assert_eq!(spans.len(), 400);
        prop_assert!(spans.windows(2).all(|pair| pair[0].starts_at < pair[1].starts_at));
        let shown = |span: &TimeSpan| span.starts_at.utc().with_timezone(&zone).time();
        // But for the days on which clocks skip that time.
        let strange = spans.iter().filter(|span| shown(span) != series.first().time());
        prop_assert!(strange.count() <= 4);
    }
}

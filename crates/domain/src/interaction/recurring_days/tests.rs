use super::*;
use crate::interaction::recurrence::Recurrence;
use proptest::prelude::*;
use rrule::RRuleSet;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn rule(text: &str) -> Rule {
    text.parse::<Recurrence>().unwrap().rule().clone()
}

fn days(text: &str, start: &str, count: usize) -> Vec<String> {
    let rule = rule(text);
    let days = rule.days(date(start), date(start)).take(count);
    days.map(|day| day.to_string()).collect()
}

#[test]
fn worked_cases() {
    for (rule, start, expected) in [
        ("FREQ=DAILY;COUNT=2", "2026-01-30", "2026-01-30 2026-01-31"),
        ("FREQ=DAILY;UNTIL=20260201", "2026-01-31", "2026-01-31 2026-02-01"),
        (
            "FREQ=WEEKLY;BYDAY=MO,TH",
            "2026-01-01",
            "2026-01-01 2026-01-05 2026-01-08",
        ),
        // The example of WKST in RFC 5545: a fortnight depends on the day that a week starts on.
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU",
            "1997-08-05",
            "1997-08-05 1997-08-10 1997-08-19 1997-08-24",
        ),
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
            "1997-08-05",
            "1997-08-05 1997-08-17 1997-08-19 1997-08-31",
        ),
        ("FREQ=MONTHLY", "2026-01-31", "2026-01-31 2026-03-31 2026-05-31"),
        (
            "FREQ=MONTHLY;BYMONTHDAY=-1",
            "2026-01-31",
            "2026-01-31 2026-02-28 2026-03-31",
        ),
        (
            "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
            "1998-02-13",
            "1998-02-13 1998-03-13 1998-11-13",
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "2026-01-30",
            "2026-01-30 2026-02-27 2026-03-31",
        ),
        (
            "FREQ=MONTHLY;BYDAY=-1FR",
            "2026-01-30",
            "2026-01-30 2026-02-27 2026-03-27",
        ),
        ("FREQ=YEARLY", "2024-02-29", "2024-02-29 2028-02-29 2032-02-29"),
        (
            "FREQ=YEARLY;BYDAY=20MO",
            "1997-05-19",
            "1997-05-19 1998-05-18 1999-05-17",
        ),
        (
            "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
            "2026-03-29",
            "2026-03-29 2027-03-28 2028-03-26",
        ),
        // The start is the first, whatever the rule says.
        ("FREQ=WEEKLY;BYDAY=MO;COUNT=2", "2026-01-01", "2026-01-01 2026-01-05"),
    ] {
        let expected: Vec<_> = expected.split(' ').collect();
        assert_eq!(days(rule, start, expected.len()), expected, "{rule}");
    }
}

#[test]
fn a_rule_that_never_falls_ends_after_a_century_and_soon() {
    let begun = std::time::Instant::now();
    for text in [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYDAY=MO;BYSETPOS=2",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU;COUNT=1000",
    ] {
        assert_eq!(days(text, "2026-01-05", 10), ["2026-01-05"], "{text}");
    }
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}

fn subset<T: std::fmt::Display + Clone + std::fmt::Debug + 'static>(
    name: &'static str,
    values: Vec<T>,
) -> impl Strategy<Value = String> {
    prop::option::of(prop::sample::subsequence(values, 1..4)).prop_map(move |chosen| {
        let texts: Vec<_> = chosen.into_iter().flatten().map(|value| value.to_string()).collect();
        if texts.is_empty() {
            String::new()
        } else {
            format!(";{name}={}", texts.join(","))
        }
    })
}

/// Rules of every shape that calendar programs write, but for counted days beside others: the other implementation
/// takes those that are both, the standard those that are either.
fn rules() -> impl Strategy<Value = String> {
    let month_days: Vec<i32> = (1..=31).chain(-5..=-1).collect();
    let plain = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"].map(str::to_owned).to_vec();
    let counted = ["1MO", "2TU", "-1FR", "3SU", "-2WE", "4TH"].map(str::to_owned).to_vec();
    let months = || subset("BYMONTH", (1..=12).collect());
    let positions = || subset("BYSETPOS", vec![1, 2, -1, -2]);
    let daily = (subset("BYDAY", plain.clone()), months()).prop_map(|(days, months)| format!("DAILY{days}{months}"));
    let weekly = (subset("BYDAY", plain.clone()), months()).prop_map(|(days, months)| format!("WEEKLY{days}{months}"));
    let parts = (
        subset("BYDAY", counted),
        subset("BYMONTHDAY", month_days),
        months(),
        positions(),
    );
    let longer = (prop::sample::select(vec!["MONTHLY", "YEARLY"]), parts).prop_map(
        |(name, (days, month_days, months, positions))| {
            let is_limited = !(days.is_empty() && month_days.is_empty() && months.is_empty());
            let positions = if is_limited { positions } else { String::new() };
            format!("{name}{days}{month_days}{months}{positions}")
        },
    );
    let shape = prop_oneof![daily, weekly, longer];
    (shape, 1..4, prop::sample::select(vec!["MO", "SU", "WE"]))
        .prop_map(|(shape, interval, week_start)| format!("FREQ={shape};INTERVAL={interval};WKST={week_start}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Another implementation, well known, says the same. It is not asked where it would look for 100,000 periods.
    #[test]
    fn days_are_those_of_another_implementation(text in rules(), start in 0_i64..9000, length in 300_i64..1500) {
        let start = date("2000-01-01") + chrono::TimeDelta::days(start);
        let end = start + chrono::TimeDelta::days(length);
        let rule = rule(&text);
        let later: Vec<_> = rule.days(start, start).skip(1).take_while(|day| *day < end + chrono::TimeDelta::days(9000)).collect();
        prop_assume!(later.iter().any(|day| *day > end));
        let ours: Vec<_> = later.into_iter().filter(|day| *day <= end).collect();

        let series = format!("DTSTART:{}T120000Z\nRRULE:{text}", start.format("%Y%m%d"));
        let series: RRuleSet = series.parse().unwrap();
        let last = end.and_hms_opt(12, 0, 0).unwrap().and_utc().with_timezone(&rrule::Tz::UTC);
        let theirs = series.before(last).all(5000);
        prop_assert!(!theirs.limited);
        let theirs: Vec<_> = theirs.dates.iter().map(chrono::DateTime::date_naive).filter(|day| *day > start).collect();
        prop_assert_eq!(ours, theirs, "{} from {}", text, start);
    }

    #[test]
    fn where_one_begins_to_look_changes_nothing(text in rules(), start in 0_i64..9000, from in 0_i64..4000) {
        let start = date("2000-01-01") + chrono::TimeDelta::days(start);
        let from = start + chrono::TimeDelta::days(from);
        let rule = rule(&text);
        let end = from + chrono::TimeDelta::days(800);
        let all: Vec<_> = rule.days(start, start).take_while(|day| *day < end).filter(|day| *day >= from).collect();
        let late: Vec<_> = rule.days(start, from).take_while(|day| *day < end).collect();
        prop_assert_eq!(all, late);
    }
}

use super::*;
use crate::rule::Span;
use serde_json::json;

fn window(context: &RuleContext, field: &str, window: &Json) -> Check {
    let json = json!({"field": field, "window": window});
    match Rule::parse(&json, Kind::Opportunity, context) {
        Ok(Rule::Test(test)) => test.check,
        other => panic!("{json}: {other:?}"),
    }
}

fn days(now: &str, of: &Json) -> (String, String) {
    match window(&context(now), "closed_on", of) {
        Check::Between(Value::Date(first), Value::Date(last)) => (first.to_string(), last.to_string()),
        other => panic!("{other:?}"),
    }
}

fn instants(context: &RuleContext, of: &Json) -> (String, String) {
    match window(context, "created_at", of) {
        Check::Between(Value::Instant(first), Value::Instant(last)) => (first.to_rfc3339(), last.to_rfc3339()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn calendar_windows_are_of_the_tenants_days() {
    // A Thursday; and an instant that is still the old year in UTC but the new one in Berlin.
    let thursday = "2026-05-14T10:00:00Z";
    let new_year = "2026-12-31T23:30:00Z";
    let cases = [
        (thursday, json!({"this": "day"}), ("2026-05-14", "2026-05-14")),
        (thursday, json!({"previous": "day"}), ("2026-05-13", "2026-05-13")),
        (thursday, json!({"this": "week"}), ("2026-05-11", "2026-05-17")),
        (thursday, json!({"next": "week"}), ("2026-05-18", "2026-05-24")),
        (thursday, json!({"this": "month"}), ("2026-05-01", "2026-05-31")),
        (thursday, json!({"previous": "month"}), ("2026-04-01", "2026-04-30")),
        (thursday, json!({"this": "quarter"}), ("2026-04-01", "2026-06-30")),
        (thursday, json!({"previous": "quarter"}), ("2026-01-01", "2026-03-31")),
        (thursday, json!({"next": "quarter"}), ("2026-07-01", "2026-09-30")),
        (thursday, json!({"previous": "year"}), ("2025-01-01", "2025-12-31")),
        (new_year, json!({"this": "year"}), ("2027-01-01", "2027-12-31")),
        (new_year, json!({"previous": "quarter"}), ("2026-10-01", "2026-12-31")),
        (
            "2028-03-15T00:00:00Z",
            json!({"previous": "month"}),
            ("2028-02-01", "2028-02-29"),
        ),
        (thursday, json!({"last": "P30D"}), ("2026-04-14", "2026-05-14")),
        (thursday, json!({"next": "P1W"}), ("2026-05-14", "2026-05-21")),
        (
            "2026-03-31T10:00:00Z",
            json!({"last": "P1M"}),
            ("2026-02-28", "2026-03-31"),
        ),
        (
            thursday,
            json!({"between": ["2026-01-01", "2026-01-31"]}),
            ("2026-01-01", "2026-01-31"),
        ),
    ];
    for (now, of, (first, last)) in cases {
        assert_eq!(days(now, &of), (first.to_owned(), last.to_owned()), "{of} at {now}");
    }
}

#[test]
fn days_with_a_change_of_clocks_are_shorter_or_longer() {
    let spring = context("2026-03-29T12:00:00Z");
    assert_eq!(
        instants(&spring, &json!({"this": "day"})),
        (
            "2026-03-28T23:00:00.000000Z".to_owned(),
            "2026-03-29T21:59:59.999999Z".to_owned()
        )
    );
    let autumn = context("2026-10-25T12:00:00Z");
    assert_eq!(
        instants(&autumn, &json!({"this": "day"})),
        (
            "2026-10-24T22:00:00.000000Z".to_owned(),
            "2026-10-25T22:59:59.999999Z".to_owned()
        )
    );
    // A day back by the calendar, 24 hours back by the clock.
    assert_eq!(
        instants(&spring, &json!({"last": "P1D"})).0,
        "2026-03-28T13:00:00.000000Z"
    );
    assert_eq!(
        instants(&spring, &json!({"last": "PT24H"})).0,
        "2026-03-28T12:00:00.000000Z"
    );
}

#[test]
fn a_day_without_midnight_begins_when_it_begins() {
    // Clocks in Santiago went from 23:59:59 to 01:00 on 8 September 2024; Samoa had no 30 December 2011 at all.
    let santiago = context_in("2024-09-08T15:00:00Z", chrono_tz::America::Santiago);
    assert_eq!(
        instants(&santiago, &json!({"this": "day"})).0,
        "2024-09-08T04:00:00.000000Z"
    );
    let apia = context_in("2011-12-31T02:00:00Z", chrono_tz::Pacific::Apia);
    assert_eq!(apia.today().to_string(), "2011-12-31");
    assert_eq!(
        instants(&apia, &json!({"previous": "day"})).0,
        "2011-12-30T10:00:00.000000Z"
    );
}

#[test]
fn wrong_windows_are_told() {
    let cases = [
        (json!({"field": "created_at", "window": {}}), "/window invalid_value"),
        (
            json!({"field": "created_at", "window": {"last": "P30D", "this": "day"}}),
            "/window invalid_value",
        ),
        (
            json!({"field": "created_at", "window": {"last": "-P30D"}}),
            "/window/last invalid_value",
        ),
        (
            json!({"field": "created_at", "window": {"last": "month"}}),
            "/window/last invalid_value",
        ),
        (
            json!({"field": "created_at", "window": {"this": "P1D"}}),
            "/window/this invalid_value",
        ),
        (
            json!({"field": "created_at", "window": {"last": "P300000Y"}}),
            "/window/last invalid_value",
        ),
        (
            json!({"field": "closed_on", "window": {"last": "PT1H"}}),
            "/window/last invalid_value",
        ),
        (
            json!({"field": "name", "window": {"last": "P1D"}}),
            "/window operator_not_allowed",
        ),
        (json!({"field": "created_at", "window": "P1D"}), "/window invalid_type"),
        (
            json!({"field": "created_at", "window": {"last": "P1D"}, "op": "eq"}),
            "/op unknown_field",
        ),
        (
            json!({"field": "created_at", "op": "anniversary_within", "value": "P1D"}),
            "/op operator_not_allowed",
        ),
    ];
    for (json, expected) in cases {
        assert_eq!(faults(Kind::Opportunity, &json), [expected], "{json}");
    }
}

#[test]
fn durations_are_read() {
    let span = |text: &str| text.parse::<Span>().ok();
    assert_eq!(span("P1W").and_then(Span::exact_days), Some(7));
    assert_eq!(span("-P30D").and_then(Span::exact_days), Some(-30));
    assert_eq!(span("P1DT1H1M1S").and_then(Span::exact_micros), Some(90_061_000_000));
    assert_eq!(span("P1Y2M").and_then(Span::exact_days), None);
    for wrong in [
        "", "P", "PT", "P1", "1D", "P1D1W", "P1H", "PT1D", "P1.5D", "P-1D", "P1DT", "p1d", "P1D ", "P1D1D", "PTT1H",
    ] {
        assert_eq!(span(wrong), None, "{wrong}");
    }
    assert_eq!(span("P999999999999D"), None);
}

#[test]
fn anniversaries_cross_the_year_and_leap_days() {
    let ranges = |now: &str, value: &str| {
        let json = json!({"field": "birth_date", "op": "anniversary_within", "value": value});
        match Rule::parse(&json, Kind::Customer, &context(now)) {
            Ok(Rule::Test(test)) => match test.check {
                Check::Anniversary(ranges) => ranges
                    .into_iter()
                    .map(|(first, last)| format!("{first}..{last}"))
                    .collect::<Vec<_>>(),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(ranges("2026-05-14T10:00:00Z", "P7D"), ["05-14..05-21"]);
    assert_eq!(ranges("2026-05-14T10:00:00Z", "P0D"), ["05-14..05-14"]);
    assert_eq!(ranges("2026-05-14T10:00:00Z", "-P7D"), ["05-07..05-14"]);
    assert_eq!(ranges("2026-12-28T10:00:00Z", "P7D"), ["12-28..12-31", "01-01..01-04"]);
    assert_eq!(ranges("2026-02-25T10:00:00Z", "P3D"), ["02-25..02-29"]);
    assert_eq!(ranges("2028-02-25T10:00:00Z", "P3D"), ["02-25..02-28"]);
    assert_eq!(ranges("2026-05-14T10:00:00Z", "P1Y"), ["01-01..12-31"]);
}

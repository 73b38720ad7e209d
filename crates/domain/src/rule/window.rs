//! Relative time: ISO 8601 durations and calendar windows in the tenant's time zone.

use super::{RuleContext, Value};
use crate::locale::at_local;
use chrono::{Datelike, Days, Duration, Months, NaiveDate, NaiveTime};
use chrono_tz::Tz;
use sql::Timestamp;
use std::str::FromStr;

sql::text_enum! {
    /// A unit of the calendar. Weeks begin on Monday (ISO 8601).
    pub enum CalendarUnit {
        /// A day.
        Day = "day",
        /// A week, from Monday.
        Week = "week",
        /// A month.
        Month = "month",
        /// A quarter of a year.
        Quarter = "quarter",
        /// A year.
        Year = "year",
    }
}

impl CalendarUnit {
    /// The first day of the unit that holds a day.
    pub fn start(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => Some(day),
            Self::Week => day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into())),
            Self::Month => day.with_day(1),
            Self::Quarter => NaiveDate::from_ymd_opt(day.year(), day.month0() / 3 * 3 + 1, 1),
            Self::Year => NaiveDate::from_ymd_opt(day.year(), 1, 1),
        }
    }

    /// The first and the last day of the unit so many units after the one that holds a day.
    pub fn days(self, day: NaiveDate, shift: i32) -> Option<(NaiveDate, NaiveDate)> {
        let start = self.start(day)?;
        let first = self.shifted(start, shift)?;
        let last = self.shifted(first, 1)?.pred_opt()?;
        Some((first, last))
    }

    fn shifted(self, start: NaiveDate, units: i32) -> Option<NaiveDate> {
        match self {
            Self::Day => start.checked_add_signed(Duration::days(units.into())),
            Self::Week => start.checked_add_signed(Duration::weeks(units.into())),
            Self::Month => add_months(start, units),
            Self::Quarter => add_months(start, units.checked_mul(3)?),
            Self::Year => add_months(start, units.checked_mul(12)?),
        }
    }
}

/// An ISO 8601 duration: months and days of the calendar, and exact time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    months: i32,
    days: i32,
    micros: i64,
}

/// The most days, months, hours … of one part of a duration: more than a thousand years of days.
const MOST_UNITS: i32 = 400_000;

impl Span {
    /// Whether it has no part shorter than a day.
    pub const fn is_of_days(self) -> bool {
        self.micros == 0
    }

    /// Its exact length, days as 24 hours; none when it has months or years.
    pub fn exact_micros(self) -> Option<i64> {
        let days = Duration::days(self.days.into()).num_microseconds()?;
        (self.months == 0).then(|| days.checked_add(self.micros)).flatten()
    }

    /// Its days, when it is made of whole days only.
    pub const fn exact_days(self) -> Option<i32> {
        if self.months == 0 && self.micros == 0 {
            Some(self.days)
        } else {
            None
        }
    }

    /// The other way in time.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self {
            months: -self.months,
            days: -self.days,
            micros: -self.micros,
        }
    }

    /// Whether it goes back in time.
    pub const fn is_negative(self) -> bool {
        self.months < 0 || self.days < 0 || self.micros < 0
    }

    /// The day this far from a day. A day that the month does not have becomes the last one of it.
    pub fn after_day(self, day: NaiveDate) -> Option<NaiveDate> {
        in_calendar(add_months(day, self.months)?.checked_add_signed(Duration::days(self.days.into()))?)
    }

    /// The instant this far from an instant: months and days by the local calendar, time by the clock.
    pub fn after_instant(self, instant: Timestamp, zone: Tz) -> Option<Timestamp> {
        let mut moment = instant.utc();
        if self.months != 0 || self.days != 0 {
            let local = moment.with_timezone(&zone).naive_local();
            let day = self.after_day(local.date())?;
            moment = at_local(day.and_time(local.time()), zone);
        }
        let moment = moment.checked_add_signed(Duration::microseconds(self.micros))?;
        in_calendar(moment.date_naive()).map(|_| moment.into())
    }
}

impl FromStr for Span {
    type Err = String;

    /// `P1Y2M3W4DT5H6M7S`, each part optional, whole numbers, with a sign before the `P` if it goes back in time.
    fn from_str(text: &str) -> Result<Self, String> {
        read_span(text).ok_or_else(|| "must be an ISO 8601 duration such as P30D or PT12H".to_owned())
    }
}

fn read_span(text: &str) -> Option<Span> {
    let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let mut rest = unsigned.strip_prefix('P')?;
    let mut span = Span {
        months: 0,
        days: 0,
        micros: 0,
    };
    // Designators must come in this order, each once.
    let mut order = ['Y', 'M', 'W', 'D', 'T', 'H', 'M', 'S'].iter().enumerate();
    let mut parts = 0;
    let mut in_time = false;
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T').filter(|time| !in_time && !time.is_empty()) {
            rest = time;
            in_time = true;
            order.find(|(_, letter)| **letter == 'T')?;
            continue;
        }
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let count = rest[..digits]
            .parse::<i32>()
            .ok()
            .filter(|count| *count <= MOST_UNITS)?;
        let designator = rest[digits..].chars().next()?;
        let (position, _) = order.find(|(_, letter)| **letter == designator)?;
        match (position, in_time) {
            (0, false) => span.months += count * 12,
            (1, false) => span.months += count,
            (2, false) => span.days += count * 7,
            (3, false) => span.days += count,
            (5, true) => span.micros += i64::from(count) * 3_600_000_000,
            (6, true) => span.micros += i64::from(count) * 60_000_000,
            (7, true) => span.micros += i64::from(count) * 1_000_000,
            _ => return None,
        }
        parts += 1;
        rest = &rest[digits + designator.len_utf8()..];
    }
    (parts > 0).then(|| if negative { span.reversed() } else { span })
}

fn add_months(day: NaiveDate, months: i32) -> Option<NaiveDate> {
    let count = Months::new(months.unsigned_abs());
    if months < 0 {
        day.checked_sub_months(count)
    } else {
        day.checked_add_months(count)
    }
}

/// The years that both databases and every client can hold.
fn in_calendar(day: NaiveDate) -> Option<NaiveDate> {
    (1..=9999).contains(&day.year()).then_some(day)
}

impl RuleContext {
    /// The day it is for the tenant.
    pub fn today(&self) -> NaiveDate {
        self.now.utc().with_timezone(&self.zone).date_naive()
    }

    /// The first instant of a day in the tenant's zone.
    pub fn start_of_day(&self, day: NaiveDate) -> Timestamp {
        at_local(day.and_time(NaiveTime::MIN), self.zone).into()
    }

    /// The last instant of a day in the tenant's zone.
    pub fn end_of_day(&self, day: NaiveDate) -> Timestamp {
        let next = day.succ_opt().unwrap_or(day);
        (at_local(next.and_time(NaiveTime::MIN), self.zone) - Duration::microseconds(1)).into()
    }

    /// The first and last value of a span of days, for a field of days or of instants.
    pub(super) fn day_bounds(&self, instants: bool, (first, last): (NaiveDate, NaiveDate)) -> (Value, Value) {
        if instants {
            (
                Value::Instant(self.start_of_day(first)),
                Value::Instant(self.end_of_day(last)),
            )
        } else {
            (Value::Date(first), Value::Date(last))
        }
    }

    /// The first and last value of the span from now (or today).
    pub(super) fn span_bounds(&self, instants: bool, span: Span) -> Option<(Value, Value)> {
        let (now, then) = if instants {
            let then = span.after_instant(self.now, self.zone)?;
            (Value::Instant(self.now), Value::Instant(then))
        } else {
            let today = self.today();
            (Value::Date(today), Value::Date(span.after_day(today)?))
        };
        Some(if span.is_negative() { (then, now) } else { (now, then) })
    }

    /// The month-days (`MM-DD`) from today for so long, as ranges that do not cross the end of the year. A 29th of
    /// February comes round on the 28th in years without it.
    pub(super) fn anniversaries(&self, span: Span) -> Option<Vec<(String, String)>> {
        let today = self.today();
        let other = span.after_day(today)?;
        let (first, last) = (today.min(other), today.max(other));
        let month_day = |day: NaiveDate| format!("{:02}-{:02}", day.month(), day.day());
        let year_end = || "12-31".to_owned();
        if last >= add_months(first, 12)? {
            return Some(vec![("01-01".to_owned(), year_end())]);
        }
        let (from, until) = (month_day(first), month_day(last));
        let until = if until == "02-28" && !last.leap_year() {
            "02-29".to_owned()
        } else {
            until
        };
        Some(if first.year() == last.year() {
            vec![(from, until)]
        } else {
            vec![(from, year_end()), ("01-01".to_owned(), until)]
        })
    }
}

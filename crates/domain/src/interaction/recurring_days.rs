//! On which days a recurrence rule falls. No rule can make it look for long: it looks at the days of one period after
//! the other, goes straight to the first day that is asked for, and ends a century after the start.

use crate::interaction::recurrence::{End, Frequency, NthWeekday, Rule};
use chrono::{Datelike, Days, Months, NaiveDate};
use std::collections::VecDeque;

/// Days after its start for which a series is followed.
const HORIZON: Days = Days::new(36_525);

/// The days of a series, in order.
#[derive(Debug)]
pub(crate) struct RecurringDays<'a> {
    rule: &'a Rule,
    start: NaiveDate,
    from: NaiveDate,
    last: NaiveDate,
    /// Occurrences that are left, where the rule counts them.
    left: Option<u16>,
    next_period: u32,
    found: VecDeque<NaiveDate>,
}

impl Rule {
    /// The days of a series from one of them on. Its start is the first, whatever the rule says.
    pub(crate) fn days(&self, start: NaiveDate, from: NaiveDate) -> RecurringDays<'_> {
        let horizon = start.checked_add_days(HORIZON).unwrap_or(start);
        let (last, left) = match self.end {
            End::Never => (horizon, None),
            End::After(count) => (horizon, Some(count)),
            End::Day(day) => (horizon.min(day), None),
            // The day where the series takes place may be one ahead of that in UTC; who knows the hour looks again.
            End::At(instant) => {
                let day = instant.date_naive();
                (horizon.min(day.succ_opt().unwrap_or(day)), None)
            }
        };
        // What is counted is counted from the start.
        let skipped = if left.is_none() {
            self.periods_before(start, from)
        } else {
            0
        };
        RecurringDays {
            rule: self,
            start,
            from,
            last,
            left,
            next_period: skipped,
            found: VecDeque::from([start]),
        }
    }

    /// Periods from the start that end before a day.
    fn periods_before(&self, start: NaiveDate, from: NaiveDate) -> u32 {
        let months = |day: NaiveDate| i64::from(day.year()) * 12 + i64::from(day.month0());
        let passed = match self.frequency {
            Frequency::Daily => (from - start).num_days(),
            Frequency::Weekly => (from - start).num_days() / 7,
            Frequency::Monthly => months(from) - months(start),
            Frequency::Yearly => i64::from(from.year()) - i64::from(start.year()),
        };
        let periods = passed / i64::from(self.interval) - 1;
        u32::try_from(periods.max(0)).unwrap_or(u32::MAX)
    }

    /// The first day of a period; none beyond the calendar.
    fn period(&self, start: NaiveDate, number: u32) -> Option<NaiveDate> {
        let passed = u64::from(number) * u64::from(self.interval);
        let months = |months: u64| u32::try_from(months).ok().map(Months::new);
        match self.frequency {
            Frequency::Daily => start.checked_add_days(Days::new(passed)),
            Frequency::Weekly => start
                .week(self.week_start)
                .checked_first_day()?
                .checked_add_days(Days::new(passed * 7)),
            Frequency::Monthly => start.with_day(1)?.checked_add_months(months(passed)?),
            Frequency::Yearly => start.with_ordinal(1)?.checked_add_months(months(passed * 12)?),
        }
    }

    /// The days of the period that begins with a day on which the rule falls.
    fn days_of_period(&self, first: NaiveDate, start: NaiveDate) -> Vec<NaiveDate> {
        let end = match self.frequency {
            Frequency::Daily => first.succ_opt(),
            Frequency::Weekly => first.checked_add_days(Days::new(7)),
            Frequency::Monthly => first.checked_add_months(Months::new(1)),
            Frequency::Yearly => first.checked_add_months(Months::new(12)),
        };
        let inside = first.iter_days().take_while(|day| Some(*day) < end);
        let days: Vec<_> = inside.filter(|day| self.falls_on(*day, start)).collect();
        if self.positions.is_empty() {
            return days;
        }
        let place = |index: usize| i64::try_from(index).unwrap_or(i64::MAX);
        let count = place(days.len());
        let is_chosen = |index: i64| {
            let from_either_end = [index + 1, index - count];
            self.positions
                .iter()
                .any(|position| from_either_end.contains(&i64::from(*position)))
        };
        let chosen = days
            .into_iter()
            .enumerate()
            .filter(|(index, _)| is_chosen(place(*index)));
        chosen.map(|(_, day)| day).collect()
    }

    /// Whether the rule, but for places in a period, falls on a day. What it leaves open is as at the start.
    fn falls_on(&self, day: NaiveDate, start: NaiveDate) -> bool {
        let free = self.month_days.is_empty() && self.week_days.is_empty();
        let month = match self.frequency {
            _ if !self.months.is_empty() => self.months.iter().any(|month| u32::from(*month) == day.month()),
            Frequency::Yearly if free => day.month() == start.month(),
            _ => true,
        };
        let month_day = match self.frequency {
            _ if !self.month_days.is_empty() => self.is_month_day(day),
            Frequency::Monthly | Frequency::Yearly if free => day.day() == start.day(),
            _ => true,
        };
        let week_day = match self.frequency {
            _ if !self.week_days.is_empty() => self.week_days.iter().any(|weekday| self.is_weekday(*weekday, day)),
            Frequency::Weekly => day.weekday() == start.weekday(),
            _ => true,
        };
        month && month_day && week_day
    }

    fn is_month_day(&self, day: NaiveDate) -> bool {
        let (from_start, from_end) = places(day.day(), u32::from(day.num_days_in_month()), 1);
        let mut days = self.month_days.iter().map(|wanted| i64::from(*wanted));
        days.any(|wanted| wanted == from_start || wanted == from_end)
    }

    /// Whether a day is the weekday that is meant: of its month, or of its year where the rule names no months.
    fn is_weekday(&self, weekday: NthWeekday, day: NaiveDate) -> bool {
        let of_year = self.frequency == Frequency::Yearly && self.months.is_empty();
        let (number, length) = if of_year {
            (day.ordinal(), if day.leap_year() { 366 } else { 365 })
        } else {
            (day.day(), u32::from(day.num_days_in_month()))
        };
        let (from_start, from_end) = places(number, length, 7);
        let is_nth = |nth: i8| i64::from(nth) == from_start || i64::from(nth) == from_end;
        weekday.day == day.weekday() && weekday.nth.is_none_or(is_nth)
    }
}

/// The how manieth a day is of those that follow one another at a distance, from the start and from the end.
fn places(number: u32, length: u32, distance: u32) -> (i64, i64) {
    let from_start = (number - 1) / distance + 1;
    let from_end = (length - number) / distance + 1;
    (i64::from(from_start), -i64::from(from_end))
}

impl Iterator for RecurringDays<'_> {
    type Item = NaiveDate;

    fn next(&mut self) -> Option<NaiveDate> {
        loop {
            let Some(day) = self.found.pop_front() else {
                let first = self.rule.period(self.start, self.next_period)?;
                if first > self.last {
                    return None;
                }
                self.next_period += 1;
                let days = self.rule.days_of_period(first, self.start);
                self.found.extend(days.into_iter().filter(|day| *day > self.start));
                continue;
            };
            if day > self.last || self.left == Some(0) {
                return None;
            }
            self.left = self.left.map(|left| left - 1);
            if day >= self.from {
                return Some(day);
            }
        }
    }
}

#[cfg(test)]
mod tests;

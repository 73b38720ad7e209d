//! When something takes place that may recur: each time as a span of instants, by the clocks of its time zone.

use crate::interaction::recurrence::{End, Rule};
use crate::locale::at_local;
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use sql::Timestamp;
use utoipa::ToSchema;

/// From one instant to a later one, which no longer belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct TimeSpan {
    /// When it starts.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
}

/// How long each occurrence lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// By the clock, also when clocks are changed meanwhile.
    Time(TimeDelta),
    /// Whole days, however long each is.
    Days(u32),
}

/// Something that takes place once, or again and again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Series<'a> {
    /// When it starts the first time.
    pub start: DateTime<Utc>,
    /// The zone by whose clocks it starts at the same time each time.
    pub zone: Tz,
    /// How long it lasts each time.
    pub length: Length,
    /// How it recurs, if it does.
    pub rule: Option<&'a Rule>,
    /// The days on which it does not take place though the rule says so.
    pub except: &'a [NaiveDate],
}

impl<'a> Series<'a> {
    /// What the clocks show when it starts the first time.
    pub(crate) fn first(&self) -> NaiveDateTime {
        self.start.with_timezone(&self.zone).naive_local()
    }

    /// Every occurrence that ends after an instant, in order of their starts.
    pub fn after(self, instant: Timestamp) -> impl Iterator<Item = TimeSpan> + 'a {
        let days = match self.length {
            Length::Time(time) => u64::try_from(time.num_days()).unwrap_or(0) + 1,
            Length::Days(days) => u64::from(days),
        };
        let day = instant.utc().with_timezone(&self.zone).date_naive();
        let from = day.checked_sub_days(Days::new(days + 1)).unwrap_or(day);
        let spans = self.dated(from).map(|(_, span)| span);
        spans.filter(move |span| span.ends_at > instant)
    }

    /// Every occurrence from a day on, with the day on which it starts by its own clocks.
    pub(crate) fn dated(self, from: NaiveDate) -> Box<dyn Iterator<Item = (NaiveDate, TimeSpan)> + 'a> {
        let first = self.first().date();
        let Some(rule) = self.rule else {
            return Box::new(std::iter::once((first, self.on(first))));
        };
        let held = rule.days(first, from).filter(move |day| !self.except.contains(day));
        let spans = held.map(move |day| (day, self.on(day)));
        Box::new(spans.take_while(move |(_, span)| match rule.end {
            End::At(end) => span.starts_at.utc() <= end,
            _ => true,
        }))
    }

    /// Every occurrence.
    pub fn all(self) -> impl Iterator<Item = TimeSpan> + 'a {
        self.after((self.start - TimeDelta::microseconds(1)).into())
    }

    /// Every occurrence that touches a span.
    pub fn within(self, span: TimeSpan) -> impl Iterator<Item = TimeSpan> + 'a {
        let later = self.after(span.starts_at);
        later.take_while(move |own| own.starts_at < span.ends_at)
    }

    /// When the last occurrence has ended; none when there is always another one.
    pub fn end(self) -> Option<Timestamp> {
        if self.rule.is_some_and(|rule| rule.end == End::Never) {
            return None;
        }
        let first = self.on(self.first().date());
        Some(self.all().last().unwrap_or(first).ends_at)
    }

    /// The occurrence of a day.
    fn on(&self, day: NaiveDate) -> TimeSpan {
        let first = self.first();
        let start = match self.length {
            // Clocks may show its time twice on that day.
            _ if day == first.date() => self.start,
            Length::Time(_) => at_local(day.and_time(first.time()), self.zone),
            Length::Days(_) => at_local(day.and_time(NaiveTime::MIN), self.zone),
        };
        let end = match self.length {
            Length::Time(time) => start + time,
            Length::Days(days) => {
                let end = day.checked_add_days(Days::new(days.into())).unwrap_or(day);
                at_local(end.and_time(NaiveTime::MIN), self.zone)
            }
        };
        TimeSpan {
            starts_at: start.into(),
            ends_at: end.into(),
        }
    }
}

#[cfg(test)]
mod tests;

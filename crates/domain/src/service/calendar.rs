//! Business time: when a team is at work, and how much of its time lies between two instants.
//!
//! Opening hours are read off a clock on the wall of a time zone; what is counted is the real time that passes while it
//! is open. On the day on which clocks are set forward a night shift is an hour shorter, and an hour longer in autumn.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use sql::Timestamp;
use std::collections::BTreeSet;

/// How many days ahead business time is looked for. The largest target in the shortest week ends before that.
const MOST_DAYS: usize = 80_000;
/// How many minutes clocks have ever skipped at once, and more: some islands left out a whole day.
const MOST_SKIPPED_MINUTES: i64 = 2 * 24 * 60;
/// The minutes of a day on the clock.
pub const MINUTES_OF_DAY: u16 = 24 * 60;

/// When time counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Calendar {
    /// Day and night.
    Always,
    /// During working hours.
    Hours(WorkingHours),
}

/// The opening hours of each day of the week in a time zone, and the days on which it stays closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingHours {
    zone: Tz,
    /// From Monday: minutes after midnight, from and to, in order.
    week: [Vec<(u16, u16)>; 7],
    holidays: BTreeSet<NaiveDate>,
}

impl WorkingHours {
    /// From intervals of minutes after midnight that do not overlap. None when it would never be open.
    pub fn new(
        zone: Tz,
        openings: impl IntoIterator<Item = (Weekday, u16, u16)>,
        holidays: impl IntoIterator<Item = NaiveDate>,
    ) -> Option<Self> {
        let mut week: [Vec<(u16, u16)>; 7] = Default::default();
        for (day, from, to) in openings.into_iter().filter(|(_, from, to)| from < to) {
            let day = usize::try_from(day.num_days_from_monday()).ok()?;
            week.get_mut(day)?.push((from, to.min(MINUTES_OF_DAY)));
        }
        for day in &mut week {
            day.sort_unstable();
        }
        let holidays = holidays.into_iter().collect();
        week.iter()
            .any(|day| !day.is_empty())
            .then_some(Self { zone, week, holidays })
    }

    /// What is open from an instant on, piece by piece.
    fn pieces(&self, from: DateTime<Utc>) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> + '_ {
        let today = from.with_timezone(&self.zone).date_naive();
        // Where clocks are set back at midnight, yesterday comes again.
        let first = today.checked_sub_days(Days::new(1)).unwrap_or(today);
        let days = first.iter_days().take(MOST_DAYS);
        days.flat_map(move |day| self.pieces_of(day))
            .filter(move |(start, end)| *end > from && start < end)
            .map(move |(start, end)| (start.max(from), end))
    }

    fn pieces_of(&self, day: NaiveDate) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> + '_ {
        let is_open = !self.holidays.contains(&day);
        let index = usize::try_from(day.weekday().num_days_from_monday()).unwrap_or(0);
        let openings = self.week.get(index).filter(|_| is_open).into_iter().flatten();
        openings.map(move |(from, to)| (self.instant(day, *from), self.instant(day, *to)))
    }

    /// The instant at which clocks show so many minutes after the midnight that begins a day. A time that they show
    /// twice is the first of both, one that they skip the instant of the jump; so later times are never earlier.
    fn instant(&self, day: NaiveDate, minutes: u16) -> DateTime<Utc> {
        let local = day.and_time(NaiveTime::MIN) + TimeDelta::minutes(minutes.into());
        let shown = |local: NaiveDateTime| self.zone.from_local_datetime(&local).earliest();
        let found = (0..=MOST_SKIPPED_MINUTES).find_map(|skipped| shown(local + TimeDelta::minutes(skipped)));
        found.map_or_else(|| Utc.from_utc_datetime(&local), |instant| instant.with_timezone(&Utc))
    }
}

impl Calendar {
    /// How much business time lies between two instants; none when the second is not the later one.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> TimeDelta {
        let (from, to) = (from.utc(), to.utc());
        match self {
            _ if to <= from => TimeDelta::zero(),
            Self::Always => to - from,
            Self::Hours(hours) => {
                let pieces = hours.pieces(from).take_while(|(start, _)| *start < to);
                pieces.fold(TimeDelta::zero(), |sum, (start, end)| sum + (end.min(to) - start))
            }
        }
    }

    /// The first instant by which so much business time has passed; none when that lies beyond all calendars.
    pub fn after(&self, from: Timestamp, business_time: TimeDelta) -> Option<Timestamp> {
        if business_time <= TimeDelta::zero() {
            return Some(from);
        }
        match self {
            Self::Always => from.utc().checked_add_signed(business_time).map(Timestamp::from),
            Self::Hours(hours) => {
                let mut left = business_time;
                for (start, end) in hours.pieces(from.utc()) {
                    if left <= end - start {
                        return Some((start + left).into());
                    }
                    left -= end - start;
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;

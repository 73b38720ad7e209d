//! The clocks of a service level: each counts business time towards a target, and can be paused.

use crate::service::calendar::Calendar;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use sql::Timestamp;
use utoipa::ToSchema;

sql::text_enum! {
    /// Whether a clock counts.
    pub enum ClockPhase {
        /// It counts business time.
        Running = "running",
        /// It stands still while one waits for the customer or for others.
        Paused = "paused",
        /// What it waited for has happened.
        Stopped = "stopped",
    }
}

sql::text_enum! {
    /// What a clock is about to tell, or has told.
    pub enum Alarm {
        /// Its target is near.
        Warning = "warning",
        /// Its target is missed.
        Breach = "breach",
    }
}

/// What is promised: so much business time, and how long before its end a warning is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// The business minutes.
    pub minutes: i32,
    /// The business minutes before the end of them at which a warning is given; none for no warning.
    pub warning_minutes: Option<i32>,
}

/// A clock that counts business time towards a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Clock {
    /// The business minutes that are promised.
    #[schema(minimum = 1)]
    pub target_minutes: i32,
    /// How many business minutes before the target a warning is given.
    pub warning_minutes: Option<i32>,
    /// Whether it counts.
    pub phase: ClockPhase,
    /// When it began.
    pub started_at: Timestamp,
    /// Up to when business time has been counted.
    pub counted_to: Timestamp,
    /// The business time counted up to then, in microseconds.
    #[schema(minimum = 0)]
    pub spent_micros: i64,
    /// When the target is missed if the clock goes on; null while it stands still.
    pub due_at: Option<Timestamp>,
    /// When the warning was given.
    pub warned_at: Option<Timestamp>,
    /// When the target was missed; stays when more time is granted later.
    pub breached_at: Option<Timestamp>,
}

impl Clock {
    /// A clock that begins to count.
    pub fn start(promise: Promise, calendar: &Calendar, now: Timestamp) -> Self {
        let clock = Self {
            target_minutes: promise.minutes,
            warning_minutes: promise.warning_minutes,
            phase: ClockPhase::Running,
            started_at: now,
            counted_to: now,
            spent_micros: 0,
            due_at: None,
            warned_at: None,
            breached_at: None,
        };
        clock.foreseen(calendar)
    }

    /// What it was started for.
    pub const fn promise(&self) -> Promise {
        Promise {
            minutes: self.target_minutes,
            warning_minutes: self.warning_minutes,
        }
    }

    /// The clock, with the business time up to now counted and what it missed meanwhile noted.
    #[must_use]
    pub fn counted(self, calendar: &Calendar, now: Timestamp) -> Self {
        if self.phase != ClockPhase::Running {
            return self;
        }
        let noted = self.noted(calendar, now);
        // A clock that was set back must not take back what has been counted.
        let now = now.max(self.counted_to);
        let more = calendar.between(self.counted_to, now).num_microseconds().unwrap_or(0);
        Self {
            counted_to: now,
            spent_micros: self.spent_micros.saturating_add(more),
            ..noted
        }
    }

    /// The clock standing still.
    #[must_use]
    pub fn paused(self, calendar: &Calendar, now: Timestamp) -> Self {
        self.halted(ClockPhase::Paused, calendar, now)
    }

    /// The clock at its end.
    #[must_use]
    pub fn stopped(self, calendar: &Calendar, now: Timestamp) -> Self {
        self.halted(ClockPhase::Stopped, calendar, now)
    }

    fn halted(self, phase: ClockPhase, calendar: &Calendar, now: Timestamp) -> Self {
        if self.phase == ClockPhase::Stopped {
            return self;
        }
        Self {
            phase,
            due_at: None,
            ..self.counted(calendar, now)
        }
    }

    /// The clock counting again, on from what it had counted.
    #[must_use]
    pub fn resumed(self, calendar: &Calendar, now: Timestamp) -> Self {
        if self.phase == ClockPhase::Running {
            return self;
        }
        let resumed = Self {
            phase: ClockPhase::Running,
            counted_to: now.max(self.counted_to),
            ..self
        };
        resumed.foreseen(calendar)
    }

    /// The clock with another promise or calendar, from now on. What it has counted stays.
    #[must_use]
    pub fn promised(self, promise: Promise, before: &Calendar, after: &Calendar, now: Timestamp) -> Self {
        let promised = Self {
            target_minutes: promise.minutes,
            warning_minutes: promise.warning_minutes,
            ..self.counted(before, now)
        };
        promised.foreseen(after)
    }

    /// The clock with the warning and the breach noted whose instants have come. A warning that would come with the
    /// breach or after it is not given.
    #[must_use]
    pub fn noted(self, calendar: &Calendar, now: Timestamp) -> Self {
        let mut noted = self.foreseen(calendar);
        while let Some((at, alarm)) = noted.next_alarm(calendar).filter(|(at, _)| *at <= now) {
            match alarm {
                Alarm::Warning => noted.warned_at = Some(at),
                Alarm::Breach => noted.breached_at = Some(at),
            }
        }
        noted
    }

    /// What it tells next, and when; nothing while it stands still.
    pub fn next_alarm(&self, calendar: &Calendar) -> Option<(Timestamp, Alarm)> {
        if self.phase != ClockPhase::Running || self.breached_at.is_some() {
            return None;
        }
        let warning = self.warning_minutes.filter(|_| self.warned_at.is_none());
        let warns_at = warning.and_then(|minutes| self.at_minutes(self.target_minutes - minutes, calendar));
        match (warns_at, self.due_at) {
            (Some(warns_at), Some(due_at)) if warns_at >= due_at => Some((due_at, Alarm::Breach)),
            (Some(warns_at), _) => Some((warns_at, Alarm::Warning)),
            (None, due_at) => due_at.map(|due_at| (due_at, Alarm::Breach)),
        }
    }

    /// The clock with its due time as the calendar has it now.
    fn foreseen(self, calendar: &Calendar) -> Self {
        let due_at = match self.phase {
            ClockPhase::Running => self.at_minutes(self.target_minutes, calendar),
            ClockPhase::Paused | ClockPhase::Stopped => None,
        };
        Self { due_at, ..self }
    }

    /// When so many business minutes are counted; at once when more have been.
    fn at_minutes(&self, minutes: i32, calendar: &Calendar) -> Option<Timestamp> {
        let left = TimeDelta::minutes(minutes.into()) - TimeDelta::microseconds(self.spent_micros);
        calendar.after(self.counted_to, left)
    }
}

#[cfg(test)]
mod tests;

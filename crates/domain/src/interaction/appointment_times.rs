//! When an appointment takes place, each time, and when it is reminded of.

use crate::interaction::appointments::{Appointment, AppointmentFields, AppointmentState, AppointmentStatus};
use crate::interaction::recurrence::Recurrence;
use crate::interaction::series::{Length, Series};
use crate::locale::at_local;
use crate::record::Meta;
use chrono::{NaiveTime, TimeDelta};
use chrono_tz::Tz;
use sql::Timestamp;

impl AppointmentFields {
    /// When it takes place. `zone` is that of the tenant.
    pub fn series(&self, zone: Tz) -> Series<'_> {
        let zone = self.time_zone.map_or(zone, |zone| zone.0);
        let (start, length) = match (self.starts_at, self.ends_at, self.starts_on, self.ends_on) {
            (_, _, Some(first), Some(last)) => {
                let days = u32::try_from((last - first).num_days()).unwrap_or(0);
                (at_local(first.and_time(NaiveTime::MIN), zone), Length::Days(days + 1))
            }
            // An appointment that has no days has both times: its fields were checked.
            (start, end, ..) => {
                let start = start.map(Timestamp::utc).unwrap_or_default();
                let length = end.map_or(TimeDelta::zero(), |end| end.utc() - start);
                (start, Length::Time(length))
            }
        };
        Series {
            start,
            zone,
            length,
            rule: self.recurrence.as_ref().map(Recurrence::rule),
            except: &self.except_on,
        }
    }

    /// When the next reminder after an instant comes: so many minutes before a start.
    fn reminder_after(&self, instant: Timestamp, zone: Tz) -> Option<Timestamp> {
        if self.status == AppointmentStatus::Cancelled {
            return None;
        }
        let series = self.series(zone);
        let reminders = self.reminders.iter().filter_map(|minutes| {
            let ahead = TimeDelta::minutes(i64::from(*minutes));
            let start_after = instant.utc() + ahead;
            let span = series
                .after(start_after.into())
                .find(|span| span.starts_at.utc() > start_after)?;
            Some(Timestamp::from(span.starts_at.utc() - ahead))
        });
        reminders.min()
    }
}

impl Appointment {
    /// The appointment with these fields: new, or after what it was before. `zone` is that of the tenant.
    pub fn decide(before: Option<&Self>, meta: Meta, fields: AppointmentFields, now: Timestamp, zone: Tz) -> Self {
        let series = fields.series(zone);
        let same_times = before.filter(|before| {
            let before = &before.fields;
            before.series(zone) == series && before.reminders == fields.reminders && before.status == fields.status
        });
        let state = AppointmentState {
            first_starts_at: series.start.into(),
            last_ends_at: series.end(),
            // What has been raised already does not come again because something else is changed.
            next_reminder_at: match same_times {
                Some(before) => before.state.next_reminder_at,
                None => fields.reminder_after(now, zone),
            },
        };
        Self { meta, fields, state }
    }

    /// The appointment after the reminder that is due. Those that were missed meanwhile are not made up for.
    #[must_use]
    pub fn reminded(&self, now: Timestamp, zone: Tz) -> Self {
        let mut appointment = self.clone();
        appointment.state.next_reminder_at = self.fields.reminder_after(now, zone);
        appointment
    }

    /// What its change amounts to.
    pub fn change_since(&self, before: &Self) -> &'static str {
        let (old, new) = (before.fields.status, self.fields.status);
        if self.fields == before.fields {
            "reminded"
        } else if old != new && new == AppointmentStatus::Cancelled {
            "cancelled"
        } else if self.state.first_starts_at != before.state.first_starts_at
            || self.state.last_ends_at != before.state.last_ends_at
        {
            "rescheduled"
        } else {
            "updated"
        }
    }
}

#[cfg(test)]
pub(super) mod tests;

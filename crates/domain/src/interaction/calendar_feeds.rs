//! A user's calendar as calendar programs read it: appointments and tasks as iCalendar (RFC 5545).

use crate::interaction::appointments::{Appointment, AppointmentStatus, ShowAs};
use crate::interaction::icalendar::{Calendar, day, instant, local, offset};
use crate::interaction::recurrence::{End, Rule};
use crate::interaction::series::{Length, Series};
use crate::interaction::tasks::{Task, TaskPriority, TaskStatus};
use crate::locale::at_local;
use crate::record::Meta;
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::{OffsetComponents, OffsetName, Tz};
use std::collections::BTreeMap;

/// Years after the present one for which the calendar says when clocks are changed.
const YEARS_AHEAD: i32 = 5;

/// What goes into a calendar.
#[derive(Debug, Clone, Copy)]
pub struct Feed<'a> {
    /// What the calendar is called.
    pub name: &'a str,
    /// When people meet.
    pub appointments: &'a [Appointment],
    /// What is to be done; those that are not due by a time are left out.
    pub tasks: &'a [Task],
    /// The tenant's time zone.
    pub zone: Tz,
    /// The present year.
    pub year: i32,
}

impl Feed<'_> {
    /// The calendar as text. It depends on nothing but what goes in.
    pub fn icalendar(&self) -> String {
        let mut calendar = Calendar::default();
        calendar.component("VCALENDAR", |calendar| {
            calendar.value("VERSION", "2.0");
            calendar.value("PRODID", "-//Rapport//Rapport//EN");
            calendar.value("CALSCALE", "GREGORIAN");
            calendar.text("NAME", self.name);
            calendar.text("X-WR-CALNAME", self.name);
            calendar.value("REFRESH-INTERVAL;VALUE=DURATION", "PT15M");
            calendar.value("X-PUBLISHED-TTL", "PT15M");
            for (zone, first_year) in self.zones() {
                write_zone(calendar, zone, first_year, self.year + YEARS_AHEAD);
            }
            for appointment in self.appointments {
                calendar.component("VEVENT", |calendar| write_event(calendar, appointment, self.zone));
            }
            for task in self.tasks.iter().filter(|task| task.state.deadline_at.is_some()) {
                calendar.component("VTODO", |calendar| write_to_do(calendar, task));
            }
        });
        calendar.finish()
    }

    /// The zones by whose clocks something recurs, each with the year in which the first of that starts.
    fn zones(&self) -> BTreeMap<&'static str, i32> {
        let mut zones = BTreeMap::new();
        for appointment in self.appointments {
            let series = appointment.fields.series(self.zone);
            if is_by_local_clock(&series) {
                let year = series.start.year();
                let first = zones.entry(series.zone.name()).or_insert(year);
                *first = year.min(*first);
            }
        }
        zones
    }
}

/// Whether its times must be told by the clocks of its zone: it recurs there, and not by UTC.
fn is_by_local_clock(series: &Series<'_>) -> bool {
    series.rule.is_some() && matches!(series.length, Length::Time(_)) && series.zone != Tz::UTC
}

/// What events and tasks have in common.
fn write_common(calendar: &mut Calendar, meta: &Meta, subject: &str, description: Option<&str>) {
    calendar.value("UID", format!("{}@rapport", meta.id));
    calendar.value("DTSTAMP", instant(meta.updated_at));
    calendar.value("CREATED", instant(meta.created_at));
    calendar.value("LAST-MODIFIED", instant(meta.updated_at));
    calendar.value("SEQUENCE", meta.version - 1);
    calendar.text("SUMMARY", subject);
    calendar.optional_text("DESCRIPTION", description);
}

fn write_event(calendar: &mut Calendar, appointment: &Appointment, zone: Tz) {
    let fields = &appointment.fields;
    let series = fields.series(zone);
    write_common(
        calendar,
        &appointment.meta,
        &fields.subject,
        fields.description.as_deref(),
    );
    calendar.optional_text("LOCATION", fields.location.as_deref());
    write_times(calendar, &series);
    let status = match fields.status {
        AppointmentStatus::Tentative => "TENTATIVE",
        AppointmentStatus::Confirmed => "CONFIRMED",
        AppointmentStatus::Cancelled => "CANCELLED",
    };
    calendar.value("STATUS", status);
    let takes_time = fields.show_as == ShowAs::Busy && fields.status != AppointmentStatus::Cancelled;
    calendar.value("TRANSP", if takes_time { "OPAQUE" } else { "TRANSPARENT" });
    for minutes in fields
        .reminders
        .iter()
        .filter(|_| fields.status != AppointmentStatus::Cancelled)
    {
        calendar.component("VALARM", |calendar| {
            calendar.value("ACTION", "DISPLAY");
            calendar.text("DESCRIPTION", &fields.subject);
            calendar.value("TRIGGER", format!("-PT{minutes}M"));
        });
    }
}

/// When it starts and ends, and how it recurs. What recurs does so by local clocks, anything else is told in UTC.
fn write_times(calendar: &mut Calendar, series: &Series<'_>) {
    let first = series.first();
    match series.length {
        Length::Days(days) => {
            let end = first.date() + TimeDelta::days(days.into());
            calendar.value("DTSTART;VALUE=DATE", day(first.date()));
            calendar.value("DTEND;VALUE=DATE", day(end));
        }
        Length::Time(length) if is_by_local_clock(series) => {
            let end = (series.start + length).with_timezone(&series.zone).naive_local();
            let name = series.zone.name();
            calendar.value(&format!("DTSTART;TZID={name}"), local(first));
            calendar.value(&format!("DTEND;TZID={name}"), local(end));
        }
        Length::Time(length) => {
            calendar.value("DTSTART", instant(series.start.into()));
            calendar.value("DTEND", instant((series.start + length).into()));
        }
    }
    let Some(rule) = series.rule else { return };
    calendar.value("RRULE", with_end_like_start(rule, series));
    for excepted in series.except {
        match series.length {
            Length::Days(_) => calendar.value("EXDATE;VALUE=DATE", day(*excepted)),
            Length::Time(_) if is_by_local_clock(series) => {
                let time = local(excepted.and_time(first.time()));
                calendar.value(&format!("EXDATE;TZID={}", series.zone.name()), time);
            }
            Length::Time(_) => calendar.value("EXDATE", format!("{}Z", local(excepted.and_time(first.time())))),
        }
    }
}

/// The rule with its end told in the way the standard wants it: as a day for whole days, otherwise in UTC.
fn with_end_like_start(rule: &Rule, series: &Series<'_>) -> Rule {
    let end = match (rule.end, series.length) {
        (End::Day(day), Length::Time(_)) => {
            let next = day.succ_opt().unwrap_or(day).and_time(NaiveTime::MIN);
            End::At(at_local(next, series.zone) - TimeDelta::seconds(1))
        }
        (End::At(instant), Length::Days(_)) => End::Day(instant.with_timezone(&series.zone).date_naive()),
        (end, _) => end,
    };
    Rule { end, ..rule.clone() }
}

fn write_to_do(calendar: &mut Calendar, task: &Task) {
    let fields = &task.fields;
    write_common(calendar, &task.meta, &fields.subject, fields.description.as_deref());
    match (fields.due_at, fields.due_on) {
        (Some(due_at), _) => calendar.value("DUE", instant(due_at)),
        (None, Some(due_on)) => calendar.value("DUE;VALUE=DATE", day(due_on)),
        (None, None) => {}
    }
    let priority = match fields.priority {
        TaskPriority::Urgent => 1,
        TaskPriority::High => 3,
        TaskPriority::Normal => 5,
        TaskPriority::Low => 9,
    };
    calendar.value("PRIORITY", priority);
    let status = match fields.status {
        TaskStatus::Open => "NEEDS-ACTION",
        TaskStatus::InProgress => "IN-PROCESS",
        TaskStatus::Done => "COMPLETED",
        TaskStatus::Cancelled => "CANCELLED",
    };
    calendar.value("STATUS", status);
}

/// Says how far a zone is ahead of UTC from the beginning of one year to the end of another.
fn write_zone(calendar: &mut Calendar, name: &str, first_year: i32, last_year: i32) {
    let Ok(zone) = name.parse::<Tz>() else { return };
    let begin = |year| NaiveDate::from_ymd_opt(year, 1, 1).map(|day| day.and_time(NaiveTime::MIN).and_utc());
    let (Some(begin), Some(end)) = (begin(first_year), begin(last_year + 1)) else {
        return;
    };
    calendar.component("VTIMEZONE", |calendar| {
        calendar.value("TZID", name);
        // A day earlier: no occurrence may lie before the first of these.
        let begin = begin - TimeDelta::days(1);
        write_observance(calendar, zone, begin, begin);
        let mut from = begin;
        while from < end {
            let to = from + TimeDelta::days(1);
            if offset_at(zone, from) != offset_at(zone, to) {
                write_observance(calendar, zone, from, change_between(zone, from, to));
            }
            from = to;
        }
    });
}

/// Seconds that a zone is ahead of UTC.
fn offset_at(zone: Tz, instant: DateTime<Utc>) -> i32 {
    zone.offset_from_utc_datetime(&instant.naive_utc())
        .fix()
        .local_minus_utc()
}

/// The second at which clocks are changed, between an instant before it and one after.
fn change_between(zone: Tz, before: DateTime<Utc>, after: DateTime<Utc>) -> DateTime<Utc> {
    let (mut before, mut after) = (before, after);
    let old = offset_at(zone, before);
    while after - before > TimeDelta::seconds(1) {
        let middle = before + TimeDelta::seconds((after - before).num_seconds() / 2);
        if offset_at(zone, middle) == old {
            before = middle;
        } else {
            after = middle;
        }
    }
    after
}

/// From an instant on clocks show what they do then; before it they showed what they did at another one.
fn write_observance(calendar: &mut Calendar, zone: Tz, before: DateTime<Utc>, from: DateTime<Utc>) {
    let shown = zone.offset_from_utc_datetime(&from.naive_utc());
    let (old, new) = (offset_at(zone, before), offset_at(zone, from));
    let kind = if shown.dst_offset().is_zero() {
        "STANDARD"
    } else {
        "DAYLIGHT"
    };
    calendar.component(kind, |calendar| {
        calendar.value("DTSTART", local(from.naive_utc() + TimeDelta::seconds(old.into())));
        calendar.value("TZOFFSETFROM", offset(old));
        calendar.value("TZOFFSETTO", offset(new));
        calendar.optional_text("TZNAME", shown.abbreviation());
    });
}

#[cfg(test)]
mod tests;

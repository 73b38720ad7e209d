//! How the clocks of a ticket follow what happens to it.
//!
//! Each clock is needed for as long as what it counts towards has not happened. While it is needed it runs, or pauses
//! while one waits for others; otherwise it is stopped.

use crate::service::calendar::Calendar;
use crate::service::clocks::{Alarm, Clock};
use crate::service::sla_policies::SlaTargets;
use crate::service::tickets::{Ticket, TicketProgress};
use sql::Timestamp;
use sql::ids::RecordId;

/// What was promised about a ticket: the policy chosen, and the business hours that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The policy.
    pub policy_id: RecordId,
    /// What it promises.
    pub targets: SlaTargets,
    /// Its business hours.
    pub calendar: Calendar,
}

sql::text_enum! {
    /// What a clock of a ticket counts towards.
    pub enum SlaMetric {
        /// The first public answer.
        FirstResponse = "first_response",
        /// The next public answer.
        NextResponse = "next_response",
        /// The solution.
        Resolution = "resolution",
    }
}

impl TicketProgress {
    /// The clock of a metric, where there is one.
    pub const fn clock(&self, metric: SlaMetric) -> Option<&Clock> {
        match metric {
            SlaMetric::FirstResponse => self.first_response.as_ref(),
            SlaMetric::NextResponse => self.next_response.as_ref(),
            SlaMetric::Resolution => self.resolution.as_ref(),
        }
    }

    const fn clock_mut(&mut self, metric: SlaMetric) -> &mut Option<Clock> {
        match metric {
            SlaMetric::FirstResponse => &mut self.first_response,
            SlaMetric::NextResponse => &mut self.next_response,
            SlaMetric::Resolution => &mut self.resolution,
        }
    }
}

impl Ticket {
    /// The ticket with its clocks as its state wants them, under what is promised from now on. Up to now they counted by
    /// the calendar given first. Doing it again changes nothing.
    #[must_use]
    pub fn with_clocks(mut self, counted_by: &Calendar, terms: Option<&Terms>, now: Timestamp) -> Self {
        for metric in SlaMetric::ALL {
            let clock = self.state.progress.clock(*metric).copied();
            let clock = self.settled(*metric, clock, counted_by, terms, now);
            self.state.breached |= clock.is_some_and(|clock| clock.breached_at.is_some());
            *self.state.progress.clock_mut(*metric) = clock;
        }
        self.state.progress.sla_policy_id = terms.map(|terms| terms.policy_id);
        let due = |metric| self.state.progress.clock(metric).and_then(|clock| clock.due_at);
        let responses = [due(SlaMetric::FirstResponse), due(SlaMetric::NextResponse)];
        let resolution = due(SlaMetric::Resolution);
        self.state.response_due_at = responses.into_iter().flatten().min();
        self.state.resolution_due_at = resolution;
        self.state.due_at = responses.into_iter().chain([resolution]).flatten().min();
        self
    }

    fn settled(
        &self,
        metric: SlaMetric,
        clock: Option<Clock>,
        counted_by: &Calendar,
        terms: Option<&Terms>,
        now: Timestamp,
    ) -> Option<Clock> {
        let target = |terms: &Terms| match metric {
            SlaMetric::FirstResponse => terms.targets.first_response,
            SlaMetric::NextResponse => terms.targets.next_response,
            SlaMetric::Resolution => terms.targets.resolution,
        };
        let promised = terms.and_then(|terms| Some((target(terms)?.promise(), &terms.calendar)));
        let needed = self.needs(metric);
        let Some((promise, calendar)) = promised else {
            return clock.map(|clock| clock.stopped(counted_by, now));
        };
        let clock = match clock {
            None if needed => Clock::start(promise, calendar, now),
            None => return None,
            Some(clock) if !needed => return Some(clock.stopped(counted_by, now)),
            Some(clock) if clock.promise() == promise && counted_by == calendar => clock,
            Some(clock) => clock.promised(promise, counted_by, calendar, now),
        };
        let clock = if self.fields.status.waits() {
            clock.paused(calendar, now)
        } else {
            clock.resumed(calendar, now)
        };
        Some(clock.noted(calendar, now))
    }

    /// Whether what a clock counts towards is still to happen.
    fn needs(&self, metric: SlaMetric) -> bool {
        let progress = &*self.state.progress;
        let is_answered = progress.first_responded_at.is_some();
        !self.fields.status.is_done()
            && match metric {
                SlaMetric::FirstResponse => !is_answered,
                SlaMetric::NextResponse => is_answered && progress.unanswered_since.is_some(),
                SlaMetric::Resolution => true,
            }
    }

    /// When the next alarm of one of its clocks is to be told.
    pub fn next_alarm(&self, calendar: &Calendar) -> Option<Timestamp> {
        let clocks = SlaMetric::ALL
            .iter()
            .filter_map(|metric| self.state.progress.clock(*metric));
        clocks
            .filter_map(|clock| clock.next_alarm(calendar))
            .map(|(at, _)| at)
            .min()
    }

    /// The alarms that its clocks have told since it was otherwise.
    pub fn alarms_since(&self, before: &Self) -> Vec<(SlaMetric, Alarm)> {
        let of = |metric: &SlaMetric| {
            let (old, new) = (before.state.progress.clock(*metric), self.state.progress.clock(*metric));
            let is_new = |instant: fn(&Clock) -> Option<Timestamp>| {
                let at = new.and_then(instant);
                at.is_some() && at != old.and_then(instant)
            };
            let warning = is_new(|clock| clock.warned_at).then_some((*metric, Alarm::Warning));
            let breach = is_new(|clock| clock.breached_at).then_some((*metric, Alarm::Breach));
            [warning, breach].into_iter().flatten()
        };
        SlaMetric::ALL.iter().flat_map(of).collect()
    }
}

//! What happens to tickets: the decisions to open, change, answer, reopen, escalate, merge and split one.
//!
//! Clocks are no part of these decisions: `ticket_clocks` derives them from what the decisions have come to.

use crate::fault::Refusal;
use crate::record::Meta;
use crate::service::clocks::Alarm;
use crate::service::ticket_clocks::SlaMetric;
use crate::service::ticket_comments::TicketComment;
use crate::service::ticket_parts::{TicketLink, TicketLinkKind, TicketPriority, TicketType};
use crate::service::ticket_status::TicketStatus;
use crate::service::tickets::{Ticket, TicketFields, TicketProgress, TicketState};
use serde::Deserialize;
use sql::ids::{EventId, TicketId, UserId};
use sql::{Json, Timestamp};
use utoipa::ToSchema;
use validator::Validate;

/// How a ticket is opened again.
#[derive(Debug, Clone, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct TicketReopening {
    /// Why; kept as an internal comment.
    #[validate(length(min = 1, max = 20000))]
    #[schema(min_length = 1, max_length = 20000, examples("The second parcel is lost too."))]
    pub reason: Option<String>,
}

/// To whom a ticket is passed on. What is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct TicketEscalation {
    /// Who works on it from now on.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub assignee_id: Option<UserId>,
    /// The queue in which it waits from now on.
    #[validate(length(min = 1, max = 100))]
    #[schema(min_length = 1, max_length = 100, examples("second level"))]
    pub queue: Option<String>,
    /// How much it presses from now on.
    pub priority: Option<TicketPriority>,
    /// Why; kept as an internal comment.
    #[validate(length(min = 1, max = 20000))]
    #[schema(min_length = 1, max_length = 20000)]
    pub reason: Option<String>,
}

/// Where a ticket is merged into.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct TicketMerger {
    /// The ticket that goes on.
    #[serde(rename = "into_ticket_id")]
    #[schema(value_type = uuid::Uuid)]
    pub into: TicketId,
}

/// What is split off a ticket.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct TicketSplit {
    /// The comment that begins the new ticket, and leaves this one.
    #[schema(value_type = uuid::Uuid)]
    pub comment_id: EventId,
    /// What the new ticket is about.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, examples("Address has changed"))]
    pub subject: String,
}

impl Ticket {
    /// A new ticket. It may be solved or closed already, so that history can be brought in.
    pub fn open(meta: Meta, fields: TicketFields, number: i64) -> Self {
        let now = meta.created_at;
        let done = fields.status.is_done().then_some(now);
        let closed = (fields.status == TicketStatus::Closed).then_some(now);
        let progress = TicketProgress {
            solved_at: done,
            closed_at: closed,
            ..TicketProgress::default()
        };
        let state = TicketState {
            number,
            due_at: None,
            response_due_at: None,
            resolution_due_at: None,
            breached: false,
            progress: Json::new(progress),
        };
        Self { meta, fields, state }
    }

    /// The ticket with other fields.
    pub fn change(&self, fields: TicketFields, now: Timestamp) -> Result<Self, Refusal> {
        self.fields.status.moved_to(fields.status)?;
        let mut after = self.clone();
        let status = fields.status;
        after.fields = fields;
        after.fields.status = self.fields.status;
        Ok(after.at(status, now))
    }

    /// The ticket opened again.
    pub fn reopen(&self, now: Timestamp) -> Result<Self, Refusal> {
        if !self.fields.status.is_done() {
            return Err(Refusal::conflict("ticket_open", "The ticket is open."));
        }
        self.check_not_merged()?;
        Ok(self.clone().at(TicketStatus::Open, now))
    }

    /// The ticket after something was said in it.
    pub fn comment(&self, comment: &TicketComment, now: Timestamp) -> Result<Self, Refusal> {
        let status = self.fields.status;
        if comment.public && status == TicketStatus::Closed {
            let detail = "The ticket is closed: only internal comments can be added. Reopen it, or open another one.";
            return Err(Refusal::conflict("ticket_closed", detail));
        }
        let mut after = self.clone();
        let progress = &mut *after.state.progress;
        progress.comment_count += 1;
        if comment.customer_id.is_some() {
            if progress.unanswered_since.is_none() {
                progress.unanswered_since = Some(now);
                // Another question, another clock.
                progress.next_response = None;
            }
            let comes_back = matches!(status, TicketStatus::Pending | TicketStatus::Solved);
            return Ok(if comes_back {
                after.at(TicketStatus::Open, now)
            } else {
                after
            });
        }
        if comment.public {
            progress.first_responded_at.get_or_insert(now);
            progress.unanswered_since = None;
            if status == TicketStatus::New {
                return Ok(after.at(TicketStatus::Open, now));
            }
        }
        Ok(after)
    }

    /// The ticket passed on to somebody higher up.
    pub fn escalate(&self, to: &TicketEscalation, now: Timestamp) -> Result<Self, Refusal> {
        if self.fields.status.is_done() {
            let detail = format!("The ticket is {}. Reopen it first.", self.fields.status);
            return Err(Refusal::conflict("ticket_done", detail));
        }
        let mut after = self.clone();
        let fields = &mut after.fields;
        fields.assignee_id = to.assignee_id.or(fields.assignee_id);
        fields.queue = to.queue.clone().or_else(|| fields.queue.take());
        fields.priority = to.priority.unwrap_or(fields.priority);
        let progress = &mut *after.state.progress;
        progress.escalation_level += 1;
        progress.escalated_at = Some(now);
        Ok(after)
    }

    /// The ticket and the one that it is merged into: the first is closed, the second takes its comments, its watchers,
    /// and what awaits an answer.
    pub fn merge(&self, into: &Self, now: Timestamp) -> Result<(Self, Self), Refusal> {
        self.check_not_merged()?;
        if self.meta.id == into.meta.id {
            return Err(Refusal::fault(
                "/into_ticket_id",
                "invalid_value",
                "must be another ticket",
            ));
        }
        if into.fields.status == TicketStatus::Closed {
            return Err(Refusal::conflict(
                "ticket_closed",
                "The ticket to merge into is closed.",
            ));
        }
        if let (Some(one), Some(other)) = (self.fields.customer_id, into.fields.customer_id)
            && one != other
        {
            let detail = "The tickets belong to different customers, who must not read each other's comments.";
            return Err(Refusal::conflict("customers_differ", detail));
        }
        let (mut source, mut target) = (self.clone(), into.clone());
        let fields = &mut target.fields;
        fields.customer_id = fields.customer_id.or(self.fields.customer_id);
        let missing: Vec<UserId> = self.fields.watcher_ids.iter().copied().collect();
        for watcher in missing
            .into_iter()
            .filter(|watcher| !into.fields.watcher_ids.contains(watcher))
        {
            fields.watcher_ids.push(watcher);
        }
        fields.watcher_ids.truncate(50);
        let (old, new) = (&*self.state.progress, &mut *target.state.progress);
        new.comment_count += old.comment_count;
        new.merged_count += 1;
        if !into.fields.status.is_done() {
            new.unanswered_since = [old.unanswered_since, new.unanswered_since].into_iter().flatten().min();
        }
        let progress = &mut *source.state.progress;
        progress.comment_count = 0;
        progress.merged_into_id = Some(into.meta.id);
        Ok((source.at(TicketStatus::Closed, now), target))
    }

    /// The ticket without a comment, and what a new ticket is made of that begins with it.
    pub fn split(&self, comment: &TicketComment, subject: String) -> (Self, TicketFields) {
        let mut rest = self.clone();
        rest.state.progress.comment_count -= 1;
        let follows = TicketLink::to_ticket(TicketLinkKind::Follows, self.meta.id);
        let fields = TicketFields {
            subject,
            description: Some(comment.body.clone()),
            status: TicketStatus::New,
            external_ids: Json::new(Vec::new()),
            links: Json::new(vec![follows]),
            // What the old matter is a complaint about says nothing of the new one.
            complaint: Json::default(),
            ..self.fields.clone()
        };
        (rest, fields)
    }

    /// The ticket at another status, with the times that go with it.
    fn at(mut self, status: TicketStatus, now: Timestamp) -> Self {
        let before = self.fields.status;
        let progress = &mut *self.state.progress;
        if status.is_done() {
            progress.solved_at.get_or_insert(now);
            progress.unanswered_since = None;
        } else if before.is_done() {
            progress.solved_at = None;
            progress.closed_at = None;
            progress.reopened_count += 1;
        }
        if status == TicketStatus::Closed {
            progress.closed_at.get_or_insert(now);
        }
        self.fields.status = status;
        self
    }

    fn check_not_merged(&self) -> Result<(), Refusal> {
        match self.state.progress.merged_into_id {
            Some(id) => {
                let detail = format!("The ticket was merged into {id}, which goes on.");
                Err(Refusal::conflict("ticket_merged", detail))
            }
            None => Ok(()),
        }
    }
}

/// Something that happened to a ticket, as an event names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Happening {
    /// `solved`, `reopened`, ….
    pub what: &'static str,
    /// The clock that it is about, if it is about one.
    pub clock: Option<SlaMetric>,
}

/// All that happened to a ticket between two states of it, what matters most first; a mere change of fields is nothing.
pub fn happenings(before: &Ticket, after: &Ticket) -> Vec<Happening> {
    let (old, new) = (&*before.state.progress, &*after.state.progress);
    let (was, is) = (before.fields.status, after.fields.status);
    let merged = old.merged_into_id != new.merged_into_id;
    let assigned = after.fields.assignee_id.is_some() && before.fields.assignee_id != after.fields.assignee_id;
    let absorbed = new.merged_count > old.merged_count;
    let named = [
        ("merged", merged),
        ("absorbed", absorbed),
        ("reopened", was.is_done() && !is.is_done()),
        ("closed", is == TicketStatus::Closed && was != is && !merged),
        ("solved", is == TicketStatus::Solved && was != is),
        ("escalated", new.escalation_level > old.escalation_level),
        ("commented", new.comment_count > old.comment_count && !absorbed),
        ("split", new.comment_count < old.comment_count && !merged),
        ("assigned", assigned),
        ("rated", old.satisfaction_score != new.satisfaction_score),
    ];
    let named = named.into_iter().filter(|(_, happened)| *happened);
    let named = named.map(|(what, _)| Happening { what, clock: None });
    let alarms = after.alarms_since(before).into_iter().map(|(metric, alarm)| Happening {
        what: match alarm {
            Alarm::Warning => "sla_warning",
            Alarm::Breach => "sla_breached",
        },
        clock: Some(metric),
    });
    named.chain(alarms).collect()
}

/// Whether a ticket is a complaint whose recurrence is to be counted anew.
pub fn complains_otherwise(before: Option<&Ticket>, after: &Ticket) -> bool {
    let inputs = |ticket: &Ticket| {
        let fields = &ticket.fields;
        (
            fields.kind,
            fields.customer_id,
            fields.complaint.category.clone(),
            fields.complaint.root_cause.clone(),
        )
    };
    after.fields.kind == TicketType::Complaint && before.is_none_or(|before| inputs(before) != inputs(after))
}

#[cfg(test)]
mod tests;

//! The life of a ticket, decision by decision, with its clocks.

use super::*;
use crate::service::calendar::Calendar;
use crate::service::clocks::ClockPhase;
use crate::service::sla_policies::{SlaTarget, SlaTargets};
use crate::service::ticket_clocks::Terms;
use proptest::prelude::*;
use serde_json::{Value, json};
use sql::ids::{CustomerId, RecordId, TenantId};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn opened(fields: &Value) -> Ticket {
    let mut body = json!({"subject": "Parcel has not arrived"});
    crate::input::merge(&mut body, fields);
    let fields = crate::input::parse(&body).unwrap();
    let meta = Meta::new(TenantId::new(), at("2026-11-23T09:00:00Z"), None);
    Ticket::open(meta, fields, 1)
}

fn terms() -> Terms {
    let target = |minutes| {
        Some(SlaTarget {
            minutes,
            warning_minutes: None,
        })
    };
    Terms {
        policy_id: RecordId::new(),
        targets: SlaTargets {
            first_response: target(60),
            next_response: target(120),
            resolution: target(480),
        },
        calendar: Calendar::Always,
    }
}

fn changed(ticket: &Ticket, patch: &Value, now: Timestamp) -> Result<Ticket, Refusal> {
    let fields = crate::input::merged(&ticket.fields, patch, None).map_err(Refusal::Invalid)?;
    ticket.change(fields, now)
}

fn said(ticket: &Ticket, by_customer: bool, public: bool, now: Timestamp) -> Result<Ticket, Refusal> {
    let new = crate::service::ticket_comments::NewTicketComment {
        body: "Where is it?".to_owned(),
        public,
        customer_id: by_customer.then(CustomerId::new),
    };
    ticket.comment(&TicketComment::on(ticket, new, now, None), now)
}

fn what(before: &Ticket, after: &Ticket) -> Vec<&'static str> {
    happenings(before, after).iter().map(|one| one.what).collect()
}

#[test]
fn clocks_follow_what_happens() {
    let terms = terms();
    let settle = |ticket: Ticket, now| ticket.with_clocks(&terms.calendar, Some(&terms), now);
    let new = settle(opened(&json!({})), at("2026-11-23T09:00:00Z"));
    assert_eq!(new.state.response_due_at, Some(at("2026-11-23T10:00:00Z")));
    assert_eq!(new.state.resolution_due_at, Some(at("2026-11-23T17:00:00Z")));
    assert_eq!(new.state.due_at, new.state.response_due_at);

    let now = at("2026-11-23T09:30:00Z");
    let answered = settle(said(&new, false, true, now).unwrap(), now);
    assert_eq!(answered.fields.status, TicketStatus::Open);
    assert_eq!(answered.state.progress.first_responded_at, Some(now));
    assert_eq!(
        (answered.state.response_due_at, answered.state.due_at),
        (None, answered.state.resolution_due_at)
    );
    assert_eq!(what(&new, &answered), ["commented"]);

    let now = at("2026-11-23T10:00:00Z");
    let pending = settle(changed(&answered, &json!({"status": "pending"}), now).unwrap(), now);
    assert_eq!(pending.state.due_at, None);
    let now = at("2026-11-23T20:00:00Z");
    let asked = settle(said(&pending, true, true, now).unwrap(), now);
    assert_eq!(asked.fields.status, TicketStatus::Open);
    assert_eq!(asked.state.response_due_at, Some(at("2026-11-23T22:00:00Z")));
    assert_eq!(
        asked.state.resolution_due_at,
        Some(at("2026-11-24T03:00:00Z")),
        "seven hours were left"
    );

    let now = at("2026-11-23T23:00:00Z");
    let late = settle(said(&asked, false, true, now).unwrap(), now);
    assert!(late.state.breached);
    assert_eq!(what(&asked, &late), ["commented", "sla_breached"]);
    let again = settle(said(&late, true, true, now).unwrap(), now);
    assert_eq!(
        again.state.response_due_at,
        Some(at("2026-11-24T01:00:00Z")),
        "another question, another clock"
    );
    assert!(again.state.breached, "what was missed stays missed");

    let now = at("2026-11-24T00:00:00Z");
    let solved = settle(changed(&again, &json!({"status": "solved"}), now).unwrap(), now);
    assert_eq!(
        (solved.state.due_at, solved.state.progress.solved_at),
        (None, Some(now))
    );
    assert_eq!(what(&again, &solved), ["solved"]);
    let phase = |ticket: &Ticket| ticket.state.progress.resolution.map(|clock| clock.phase);
    assert_eq!(phase(&solved), Some(ClockPhase::Stopped));
    let now = at("2026-11-25T00:00:00Z");
    let reopened = settle(solved.reopen(now).unwrap(), now);
    assert_eq!(reopened.state.resolution_due_at, Some(at("2026-11-25T03:00:00Z")));
    assert_eq!(
        (
            reopened.state.progress.reopened_count,
            reopened.state.progress.solved_at
        ),
        (1, None)
    );
    assert_eq!(what(&solved, &reopened), ["reopened"]);
}

#[test]
fn no_policy_and_another_policy() {
    let (one, mut other) = (terms(), terms());
    other.targets.resolution = Some(SlaTarget {
        minutes: 60,
        warning_minutes: None,
    });
    let start = at("2026-11-23T09:00:00Z");
    let ticket = opened(&json!({})).with_clocks(&Calendar::Always, Some(&one), start);
    let now = at("2026-11-23T09:30:00Z");
    let urgent = ticket.clone().with_clocks(&one.calendar, Some(&other), now);
    assert_eq!(
        urgent.state.resolution_due_at,
        Some(at("2026-11-23T10:00:00Z")),
        "from the beginning"
    );
    let none = ticket.clone().with_clocks(&one.calendar, None, now);
    assert_eq!((none.state.due_at, none.state.progress.sla_policy_id), (None, None));
    let back = none.with_clocks(&Calendar::Always, Some(&one), at("2026-11-23T10:30:00Z"));
    assert_eq!(
        back.state.resolution_due_at,
        Some(at("2026-11-23T18:00:00Z")),
        "what passed without does not count"
    );
    assert_eq!(ticket.clone().with_clocks(&one.calendar, Some(&one), now), ticket);
}

#[test]
fn a_ticket_is_reopened_on_purpose_only() {
    let now = at("2026-11-23T10:00:00Z");
    let solved = changed(&opened(&json!({})), &json!({"status": "solved"}), now).unwrap();
    assert!(changed(&solved, &json!({"status": "open"}), now).is_err());
    assert!(opened(&json!({})).reopen(now).is_err());
    let back = said(&solved, true, false, now).unwrap();
    assert_eq!(
        (back.fields.status, what(&solved, &back)),
        (TicketStatus::Open, vec!["reopened", "commented"])
    );

    let closed = changed(&solved, &json!({"status": "closed"}), now).unwrap();
    assert_eq!(closed.state.progress.closed_at, Some(now));
    assert!(said(&closed, true, true, now).is_err() && said(&closed, false, true, now).is_err());
    assert!(
        said(&closed, false, false, now).is_ok(),
        "colleagues may still note something"
    );
    assert!(closed.escalate(&TicketEscalation::default(), now).is_err());
    assert!(closed.reopen(now).is_ok());
}

#[test]
fn merging_joins_what_belongs_together_only() {
    let now = at("2026-11-23T10:00:00Z");
    let (ada, bob) = (CustomerId::new(), CustomerId::new());
    let (one, two) = (opened(&json!({"customer_id": ada})), opened(&json!({})));
    assert!(one.merge(&one, now).is_err());
    assert!(one.merge(&opened(&json!({"customer_id": bob})), now).is_err());
    let asked = said(&one, true, true, now).unwrap();
    let (source, target) = asked.merge(&two, now).unwrap();
    assert_eq!(
        (source.fields.status, what(&asked, &source)),
        (TicketStatus::Closed, vec!["merged"])
    );
    assert_eq!(
        (target.fields.customer_id, what(&two, &target)),
        (Some(ada), vec!["absorbed"])
    );
    assert_eq!(
        (
            target.state.progress.comment_count,
            target.state.progress.unanswered_since
        ),
        (1, Some(now))
    );
    assert!(source.merge(&target, now).is_err() && source.reopen(now).is_err());
}

#[test]
fn a_complaint_is_about_complaints() {
    let faults = |fields: &Value| {
        let mut body = json!({"subject": "x"});
        crate::input::merge(&mut body, fields);
        let read = crate::input::parse::<TicketFields>(&body).unwrap();
        match crate::Fields::checked(read) {
            Err(Refusal::Invalid(faults)) => faults.into_iter().map(|fault| fault.pointer).collect(),
            _ => Vec::new(),
        }
    };
    let complaint = json!({"category": "billing/invoice", "redress": {"kind": "credit", "amount": {"amount": "5", "currency": "EUR"}}});
    assert_eq!(faults(&json!({"type": "complaint", "complaint": complaint})), [""; 0]);
    assert_eq!(faults(&json!({"complaint": complaint})), ["/complaint"]);
    let wrong = json!({"category": "billing//late", "redress": {"kind": "credit", "amount": {"amount": "-5", "currency": "EUR"}}});
    let told = ["/complaint/category", "/complaint/redress/amount"];
    assert_eq!(faults(&json!({"type": "complaint", "complaint": wrong})), told);
}

proptest! {
    /// Whatever happens in whatever order, what the service derives fits together.
    #[test]
    fn every_life_of_a_ticket_adds_up(steps in prop::collection::vec((0..9_usize, 0..100_i64), 0..40)) {
        let terms = terms();
        let mut now = at("2026-11-23T09:00:00Z");
        let mut ticket = opened(&json!({})).with_clocks(&terms.calendar, Some(&terms), now);
        for (step, minutes) in steps {
            now = Timestamp::from_micros(now.micros() + minutes * 60_000_000).unwrap();
            let status = |status: &str| changed(&ticket, &json!({"status": status}), now);
            let done = match step {
                0 => status("pending"),
                1 => status("on_hold"),
                2 => status("open"),
                3 => status("solved"),
                4 => status("closed"),
                5 => ticket.reopen(now),
                6 => said(&ticket, true, true, now),
                7 => said(&ticket, false, true, now),
                _ => said(&ticket, false, false, now),
            };
            let Ok(done) = done else { continue };
            let after = done.with_clocks(&terms.calendar, Some(&terms), now);
            let twice = after.clone().with_clocks(&terms.calendar, Some(&terms), now);
            prop_assert_eq!(&twice, &after, "settling twice changes nothing");
            let (is, progress) = (after.fields.status, &*after.state.progress);
            prop_assert_eq!(progress.solved_at.is_some(), is.is_done());
            prop_assert_eq!(progress.closed_at.is_some(), is == TicketStatus::Closed);
            prop_assert!(!ticket.state.breached || after.state.breached);
            prop_assert!(after.state.due_at.is_none() || !(is.is_done() || is.waits()));
            prop_assert!(is.is_done() || is.waits() || after.state.resolution_due_at.is_some());
            prop_assert!(progress.reopened_count >= ticket.state.progress.reopened_count);
            ticket = after;
        }
    }
}

//! The state machine of opportunities: each rule by example, and what always holds by random walks.

use super::*;
use crate::record::Fields;
use crate::sales::stage_changes::StageChange;
use crate::sales::stages::StageFields;
use OpportunityStatus::{Lost, Open, Won};
use proptest::prelude::*;
use serde_json::{Value, json};
use sql::ids::{PipelineId, TenantId};

const START: i64 = 1_700_000_000_000_000;

fn moment(day: u32) -> Moment {
    let today = NaiveDate::from_ymd_opt(2026, 1, day).unwrap();
    let now = Timestamp::from_micros(START + i64::from(day) * 86_400_000_000).unwrap();
    Moment { now, today }
}

fn meta(at: Timestamp) -> Meta {
    Meta::new(TenantId::new(), at, None)
}

fn stage(pipeline: PipelineId, position: i32, kind: OpportunityStatus) -> Stage {
    let json = json!({"pipeline_id": pipeline, "name": format!("{position}"), "position": position, "kind": kind,
                      "probability": 10 * position});
    let fields: StageFields = serde_json::from_value(json).unwrap();
    Stage {
        meta: meta(moment(1).now),
        fields: fields.checked().unwrap(),
    }
}

/// Two open stages, two won ones and a lost one, not in the order of their positions.
fn pipeline() -> Vec<Stage> {
    let pipeline = PipelineId::new();
    let kinds = [(3, Won), (2, Won), (4, Lost), (1, Open), (0, Open)];
    kinds.map(|(position, kind)| stage(pipeline, position, kind)).to_vec()
}

fn fields(stages: &[Stage], more: &Value) -> OpportunityFields {
    let mut json = json!({"name": "Roof", "pipeline_id": stages[0].fields.pipeline_id});
    json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value::<OpportunityFields>(json)
        .unwrap()
        .checked()
        .unwrap()
}

fn opened(stages: &[Stage]) -> Opportunity {
    let entry = Stage::entry(stages).unwrap();
    Opportunity::open(meta(moment(1).now), fields(stages, &json!({})), entry, moment(1)).unwrap()
}

fn code(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Invalid(faults) => format!("{} {}", faults[0].pointer, faults[0].code),
        Refusal::Conflict { code, .. } => (*code).to_owned(),
        Refusal::Forbidden(_) => "forbidden".to_owned(),
    }
}

#[test]
fn enters_by_the_first_open_stage() {
    let opportunity = opened(&pipeline());
    assert_eq!(opportunity.state.status, Open);
    assert_eq!(opportunity.fields.closed_on, None);
    assert_eq!(opportunity.state.stage_entered_at, moment(1).now);
}

#[test]
fn history_may_start_closed() {
    let stages = pipeline();
    let with_day = fields(&stages, &json!({"closed_on": "2017-03-01", "opened_on": "2016-10-20"}));
    let won = Opportunity::open(meta(moment(1).now), with_day, &stages[0], moment(5)).unwrap();
    assert_eq!(won.state.status, Won);
    assert_eq!(won.fields.closed_on.unwrap().to_string(), "2017-03-01");

    let without = Opportunity::open(meta(moment(1).now), fields(&stages, &json!({})), &stages[2], moment(5)).unwrap();
    assert_eq!(
        (without.state.status, without.fields.closed_on),
        (Lost, Some(moment(5).today))
    );
}

#[test]
fn an_open_opportunity_has_no_closing() {
    let stages = pipeline();
    let closing = fields(&stages, &json!({"closed_on": "2026-01-01", "close_reason": "Price"}));
    let refusal = Opportunity::open(meta(moment(1).now), closing, &stages[4], moment(1)).unwrap_err();
    let Refusal::Invalid(faults) = refusal else {
        panic!("{refusal}")
    };
    let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, ["/closed_on", "/close_reason"]);
}

#[test]
fn closing_is_not_before_opening() {
    let stages = pipeline();
    let fields = fields(&stages, &json!({"opened_on": "2026-01-20"}));
    let open = Opportunity::open(meta(moment(1).now), fields, &stages[4], moment(1)).unwrap();
    let early = Closing {
        closed_on: Some(moment(19).today),
        ..Closing::default()
    };
    assert_eq!(
        code(&open.win(&stages, early, moment(5)).unwrap_err()),
        "/closed_on out_of_range"
    );
    let won = open.win(&stages, Closing::default(), moment(5)).unwrap();
    assert_eq!(won.fields.closed_on, Some(moment(20).today));
}

#[test]
fn a_stage_of_another_pipeline_is_refused() {
    let stages = pipeline();
    let other = pipeline();
    let opportunity = opened(&stages);
    let refusal = opportunity
        .change(opportunity.fields.clone(), &other[4], moment(2))
        .unwrap_err();
    assert_eq!(code(&refusal), "/stage_id wrong_pipeline");

    let moved = opportunity
        .change(fields(&other, &json!({})), &other[4], moment(2))
        .unwrap();
    assert_eq!(moved.fields.pipeline_id, other[4].fields.pipeline_id);
    assert_eq!(moved.state.stage_entered_at, moment(2).now);
}

#[test]
fn winning_and_losing_take_the_first_stage_of_their_kind() {
    let stages = pipeline();
    let won = opened(&stages).win(&stages, Closing::default(), moment(3)).unwrap();
    assert_eq!(won.fields.stage_id, stages[1].id().into());
    assert_eq!(won.fields.closed_on, Some(moment(3).today));

    let closing = Closing {
        closed_on: None,
        close_reason: Some("Price".to_owned()),
    };
    let lost = opened(&stages).lose(&stages, closing, moment(3)).unwrap();
    assert_eq!(
        (lost.state.status, lost.fields.close_reason.as_deref()),
        (Lost, Some("Price"))
    );

    let open_only = &stages[3..];
    let refusal = opened(open_only)
        .win(open_only, Closing::default(), moment(3))
        .unwrap_err();
    assert_eq!(code(&refusal), "stage_missing");
}

#[test]
fn closed_is_opened_again_only_on_purpose() {
    let stages = pipeline();
    let won = opened(&stages).win(&stages, Closing::default(), moment(3)).unwrap();
    for refused in [
        won.lose(&stages, Closing::default(), moment(4)),
        won.win(&stages, Closing::default(), moment(4)),
        won.move_to(&stages[4], Closing::default(), moment(4)),
        won.move_to(&stages[2], Closing::default(), moment(4)),
    ] {
        assert_eq!(code(&refused.unwrap_err()), "opportunity_closed");
    }
    let other_won_stage = won.move_to(&stages[0], Closing::default(), moment(4)).unwrap();
    assert_eq!(other_won_stage.fields.closed_on, Some(moment(3).today));

    assert_eq!(
        code(&won.reopen(&stages[2], moment(4)).unwrap_err()),
        "/stage_id stage_closed"
    );
    let again = won.reopen(&stages[3], moment(4)).unwrap();
    assert_eq!(
        (again.state.status, again.fields.closed_on, &again.fields.close_reason),
        (Open, None, &None)
    );
    assert_eq!(
        code(&again.reopen(&stages[3], moment(5)).unwrap_err()),
        "opportunity_open"
    );
}

#[test]
fn a_closed_opportunity_keeps_its_day() {
    let stages = pipeline();
    let won = opened(&stages).win(&stages, Closing::default(), moment(3)).unwrap();
    let mut cleared = won.fields.clone();
    cleared.closed_on = None;
    assert_eq!(
        code(&won.change(cleared, &stages[1], moment(4)).unwrap_err()),
        "/closed_on required"
    );
}

#[test]
fn what_does_not_move_stays_since_when_it_was() {
    let stages = pipeline();
    let opportunity = opened(&stages);
    let mut renamed = opportunity.fields.clone();
    renamed.name = "Wall".to_owned();
    let changed = opportunity
        .change(renamed, Stage::entry(&stages).unwrap(), moment(9))
        .unwrap();
    assert_eq!(changed.state, opportunity.state);
}

#[test]
fn the_expected_value_follows_stage_and_own_estimate() {
    let stages = pipeline();
    let worth = json!({"amount": {"amount": "200.00", "currency": "EUR"}});
    let open = Opportunity::open(meta(moment(1).now), fields(&stages, &worth), &stages[3], moment(1)).unwrap();
    let expected = |opportunity: &Opportunity, stage| opportunity.weighted_amount(stage).unwrap().amount().to_string();
    assert_eq!(expected(&open, &stages[3]), "20.00");

    let mut sure = open.fields.clone();
    sure.probability = Some(75);
    let sure = open.change(sure, &stages[3], moment(2)).unwrap();
    assert_eq!(expected(&sure, &stages[3]), "150.00");
    let lost = sure.lose(&stages, Closing::default(), moment(2)).unwrap();
    assert_eq!(expected(&lost, &stages[2]), "0.00");
    let won = sure.win(&stages, Closing::default(), moment(2)).unwrap();
    assert_eq!(expected(&won, &stages[1]), "200.00");
}

#[test]
fn a_stage_in_use_keeps_its_pipeline_and_kind() {
    let stage = stage(PipelineId::new(), 0, Open);
    let mut fields = stage.fields.clone();
    fields.probability = 70;
    assert!(stage.check_in_use(&fields).is_ok());
    fields.kind = Won;
    assert_eq!(code(&stage.check_in_use(&fields).unwrap_err()), "stage_in_use");
}

#[test]
fn a_stage_left_out_is_chosen_but_null_is_a_fault() {
    let pipeline = PipelineId::new();
    let left_out: OpportunityFields = serde_json::from_value(json!({"name": "x", "pipeline_id": pipeline})).unwrap();
    assert_eq!(left_out.stage_id.0, None);
    let null = json!({"name": "x", "pipeline_id": pipeline, "stage_id": null});
    assert!(serde_json::from_value::<OpportunityFields>(null).is_err());
}

/// One thing that a client may try.
#[derive(Debug, Clone)]
enum Attempt {
    Move(usize),
    Win,
    Lose,
    Reopen(usize),
}

fn attempts() -> impl Strategy<Value = Vec<(Attempt, u32)>> {
    let attempt = prop_oneof![
        (0..5_usize).prop_map(Attempt::Move),
        Just(Attempt::Win),
        Just(Attempt::Lose),
        (0..5_usize).prop_map(Attempt::Reopen),
    ];
    // The days are in no order: a clock may be set back between two attempts.
    prop::collection::vec((attempt, 1..28_u32), 0..30)
}

fn attempted(
    opportunity: &Opportunity,
    stages: &[Stage],
    attempt: &Attempt,
    at: Moment,
) -> Result<Opportunity, Refusal> {
    match attempt {
        Attempt::Move(to) => opportunity.move_to(&stages[*to], Closing::default(), at),
        Attempt::Win => opportunity.win(stages, Closing::default(), at),
        Attempt::Lose => opportunity.lose(stages, Closing::default(), at),
        Attempt::Reopen(to) => opportunity.reopen(&stages[*to], at),
    }
}

fn check_true(opportunity: &Opportunity, stages: &[Stage], history: &[StageChange]) {
    let stage = stages
        .iter()
        .find(|stage| opportunity.fields.stage_id == stage.id().into());
    let status = opportunity.state.status;
    assert_eq!(stage.unwrap().fields.kind, status);
    assert_eq!(opportunity.fields.closed_on.is_some(), status.is_closed());

    let (last, earlier) = history.split_last().unwrap();
    assert_eq!(opportunity.fields.stage_id, last.stage_id.into());
    assert_eq!(
        (last.entered_at, last.left_at),
        (opportunity.state.stage_entered_at, None)
    );
    assert!(
        earlier
            .iter()
            .all(|stay| stay.left_at.is_some_and(|left| left >= stay.entered_at))
    );
    assert!(
        history
            .windows(2)
            .all(|pair| pair[0].left_at == Some(pair[1].entered_at))
    );
}

proptest! {
    #[test]
    fn any_walk_keeps_the_rules(attempts in attempts()) {
        let stages = pipeline();
        let mut opportunity = opened(&stages);
        let mut history = vec![StageChange::begun(&opportunity).unwrap()];
        for (attempt, day) in attempts {
            let before = opportunity.clone();
            if let Ok(after) = attempted(&opportunity, &stages, &attempt, moment(day)) {
                if after.fields.stage_id != before.fields.stage_id {
                    history.last_mut().unwrap().left_at = Some(after.state.stage_entered_at);
                    history.push(StageChange::begun(&after).unwrap());
                }
                let reopened = before.state.status.is_closed() && after.state.status == Open;
                prop_assert_eq!(reopened, matches!(attempt, Attempt::Reopen(_)));
                opportunity = after;
            }
            check_true(&opportunity, &stages, &history);
        }
    }
}

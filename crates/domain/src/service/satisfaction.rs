//! How content a customer is with what became of its ticket: asked by a link, answered once.

use crate::fault::Refusal;
use crate::service::tickets::Ticket;
use serde::{Deserialize, Serialize};
use sql::Timestamp;
use utoipa::ToSchema;
use validator::Validate;

/// For how long a link may be answered.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct SatisfactionQuestion {
    /// The days from now; 30 when left out.
    #[validate(range(min = 1, max = 365))]
    #[schema(minimum = 1, maximum = 365, examples(14))]
    pub valid_days: Option<i32>,
}

impl SatisfactionQuestion {
    /// Until when the link may be answered.
    pub fn expires_at(self, now: Timestamp) -> Timestamp {
        let days = self.valid_days.unwrap_or(30);
        (now.utc() + chrono::TimeDelta::days(days.into())).into()
    }
}

/// How content a customer is.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct SatisfactionAnswer {
    /// From 1, not at all, to 5.
    #[validate(range(min = 1, max = 5))]
    #[schema(minimum = 1, maximum = 5, examples(4))]
    pub score: i64,
    /// What the customer has to say about it.
    #[validate(length(min = 1, max = 2000))]
    #[schema(min_length = 1, max_length = 2000, examples("Friendly, but slow."))]
    pub comment: Option<String>,
}

/// What whoever has the link may know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SatisfactionState {
    /// The number of the ticket.
    #[schema(minimum = 1)]
    pub number: i64,
    /// What it is about.
    pub subject: String,
    /// The answer that was given; null while there is none.
    #[schema(minimum = 1, maximum = 5)]
    pub score: Option<i64>,
}

impl Ticket {
    /// The ticket with the answer of its customer, which is given once.
    pub fn answered(&self, answer: SatisfactionAnswer, now: Timestamp) -> Result<Self, Refusal> {
        if self.state.progress.satisfaction_score.is_some() {
            return Err(Refusal::conflict(
                "already_answered",
                "The question was answered before.",
            ));
        }
        let mut after = self.clone();
        let progress = &mut *after.state.progress;
        progress.satisfaction_score = Some(answer.score);
        progress.satisfaction_comment = answer.comment;
        progress.satisfaction_at = Some(now);
        Ok(after)
    }

    /// What whoever has the link may know.
    pub fn satisfaction(&self) -> SatisfactionState {
        SatisfactionState {
            number: self.state.number,
            subject: self.fields.subject.clone(),
            score: self.state.progress.satisfaction_score,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_ends_after_the_days_that_were_given() {
        let now = Timestamp::parse("2026-11-22T10:00:00Z").unwrap();
        let until = |valid_days| SatisfactionQuestion { valid_days }.expires_at(now).to_rfc3339();
        assert_eq!(until(Some(1)), "2026-11-23T10:00:00.000000Z");
        assert_eq!(until(None), "2026-12-22T10:00:00.000000Z");
    }
}

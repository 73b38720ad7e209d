//! The history of an opportunity: the stages that it was in, each from when to when.

use crate::sales::opportunities::Opportunity;
use diesel::prelude::{Insertable, Queryable, Selectable};
use serde::Serialize;
use sql::Timestamp;
use sql::ids::{EventId, OpportunityId, PrincipalId, StageId, TenantId};
use utoipa::ToSchema;

/// One stay of an opportunity in a stage. The last one of each opportunity has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = sql::schema::stage_changes, treat_none_as_default_value = false)]
pub struct StageChange {
    /// The tenant it belongs to.
    pub tenant_id: TenantId,
    /// What moved.
    pub opportunity_id: OpportunityId,
    /// Orders the stays of an opportunity.
    pub id: EventId,
    /// Where it was.
    pub stage_id: StageId,
    /// When it came.
    pub entered_at: Timestamp,
    /// When it left, if it did.
    pub left_at: Option<Timestamp>,
    /// Who put it there.
    pub changed_by: Option<PrincipalId>,
}

impl StageChange {
    /// The stay that begins with the present stage of an opportunity; none while no stage is chosen.
    pub fn begun(opportunity: &Opportunity) -> Option<Self> {
        Some(Self {
            tenant_id: opportunity.meta.tenant_id,
            opportunity_id: OpportunityId(opportunity.meta.id.0),
            id: EventId::new(),
            stage_id: opportunity.fields.stage_id.0?,
            entered_at: opportunity.state.stage_entered_at,
            left_at: None,
            changed_by: opportunity.meta.updated_by,
        })
    }

    /// How many whole seconds it lasted, up to now if it has not ended.
    pub fn seconds(&self, now: Timestamp) -> i64 {
        let end = self.left_at.unwrap_or(now);
        (end.utc() - self.entered_at.utc()).num_seconds().max(0)
    }

    /// The stay as a client is told of it.
    pub fn told(self, stage_name: String, now: Timestamp) -> StageStay {
        let seconds = self.seconds(now);
        let Self {
            id,
            stage_id,
            entered_at,
            left_at,
            changed_by,
            ..
        } = self;
        StageStay {
            id,
            stage_id,
            stage_name,
            entered_at,
            left_at,
            seconds,
            duration: iso_duration(seconds),
            changed_by,
        }
    }
}

/// One stay of an opportunity in a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StageStay {
    /// Names the stay, and orders those of an opportunity.
    #[schema(value_type = uuid::Uuid)]
    pub id: EventId,
    /// Where it was.
    #[schema(value_type = uuid::Uuid)]
    pub stage_id: StageId,
    /// What the stage is called now.
    pub stage_name: String,
    /// When it came.
    pub entered_at: Timestamp,
    /// When it left; null while it is there.
    pub left_at: Option<Timestamp>,
    /// How many whole seconds it lasted, up to now if it has not ended.
    #[schema(minimum = 0)]
    pub seconds: i64,
    /// The same as an ISO 8601 duration.
    #[schema(examples("P1DT2H30M"))]
    pub duration: String,
    /// Who put it there.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub changed_by: Option<PrincipalId>,
}

/// A time span as an ISO 8601 duration of days, hours, minutes and seconds: `P1DT2H30M`.
pub fn iso_duration(seconds: i64) -> String {
    let part = |count: i64, unit: &str| {
        if count > 0 {
            format!("{count}{unit}")
        } else {
            String::new()
        }
    };
    let time = part(seconds / 3600 % 24, "H") + &part(seconds / 60 % 60, "M") + &part(seconds % 60, "S");
    match (seconds / 86_400, time.as_str()) {
        (0, "") => "PT0S".to_owned(),
        (0, time) => format!("PT{time}"),
        (days, "") => format!("P{days}D"),
        (days, time) => format!("P{days}DT{time}"),
    }
}

#[cfg(test)]
mod tests {
    use super::iso_duration;

    #[test]
    fn durations_are_written_without_empty_parts() {
        for (seconds, text) in [
            (0, "PT0S"),
            (59, "PT59S"),
            (3600, "PT1H"),
            (86_400, "P1D"),
            (95_400, "P1DT2H30M"),
            (86_401, "P1DT1S"),
        ] {
            assert_eq!(iso_duration(seconds), text);
        }
    }
}

//! Policies of service levels: for which tickets, by when they are answered and solved, in whose business hours.

use crate::custom_values;
use crate::fault::Fault;
use crate::kind::Kind;
use crate::record::{Fields, Meta, Record, Reference};
use crate::registry::{Field, FieldType, Registry, Relation};
use crate::rule::{Rule, RuleContext, RuleNode};
use crate::service::clocks::Promise;
use crate::validation::check_count;
use crate::{common_fields, record_parts, settable};
use diesel::prelude::Queryable;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sql::ids::{BusinessHoursId, RecordId};
use sql::{Json, Timestamp};
use std::sync::Arc;
use utoipa::ToSchema;

/// The longest target: a year.
const MOST_MINUTES: i32 = 525_600;

/// By when something must have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SlaTarget {
    /// How many business minutes it may take.
    #[schema(minimum = 1, maximum = 525_600, examples(240))]
    pub minutes: i32,
    /// How many business minutes before that a warning is given; none when left out.
    #[schema(minimum = 1, maximum = 525_599, examples(30))]
    pub warning_minutes: Option<i32>,
}

impl SlaTarget {
    fn check(self, pointer: &str, faults: &mut Vec<Fault>) {
        if !(1..=MOST_MINUTES).contains(&self.minutes) {
            let message = format!("must be from 1 to {MOST_MINUTES}");
            faults.push(Fault::new(format!("{pointer}/minutes"), "out_of_range", message));
        }
        if self
            .warning_minutes
            .is_some_and(|warning| !(1..self.minutes).contains(&warning))
        {
            let message = "must be at least 1 and less than the minutes of the target";
            faults.push(Fault::new(
                format!("{pointer}/warning_minutes"),
                "out_of_range",
                message,
            ));
        }
    }

    /// As a clock takes it.
    pub const fn promise(self) -> Promise {
        Promise {
            minutes: self.minutes,
            warning_minutes: self.warning_minutes,
        }
    }
}

/// What a policy promises.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"first_response": {"minutes": 60, "warning_minutes": 15}, "resolution": {"minutes": 480}}))]
pub struct SlaTargets {
    /// From the creation of a ticket to the first public answer.
    pub first_response: Option<SlaTarget>,
    /// From what the customer says later to the next public answer.
    pub next_response: Option<SlaTarget>,
    /// From the creation of a ticket to its solution.
    pub resolution: Option<SlaTarget>,
}

settable! {
    /// What a client may set on a policy of service levels.
    pub struct SlaPolicyFields in sla_policies {
        /// What it is called.
        #[validate(length(min = 1, max = 200))]
        #[schema(min_length = 1, max_length = 200, examples("Urgent matters of loyal customers"))]
        pub name: String,
        /// What it is for.
        #[validate(length(max = 10000))]
        #[schema(max_length = 10000)]
        pub description: Option<String>,
        /// Its place: of the active policies whose conditions a ticket meets, the first is chosen.
        #[validate(range(min = 0, max = 1000))]
        #[schema(minimum = 0, maximum = 1000)]
        pub position: i32,
        /// Whether it may be chosen.
        #[serde(default = "active")]
        #[schema(default = true)]
        pub active: bool,
        /// Rules about tickets, all of which must hold; without any, every ticket meets them.
        #[serde(default)]
        #[schema(value_type = Vec<RuleNode>, max_items = 50)]
        pub conditions: Json<Vec<Value>>,
        /// The business hours that are counted; day and night when left out.
        #[schema(value_type = Option<uuid::Uuid>)]
        pub business_hours_id: Option<BusinessHoursId>,
        /// What is promised, one target at least.
        #[schema(value_type = SlaTargets)]
        pub targets: Json<SlaTargets>,
    }
}

const fn active() -> bool {
    true
}

impl SlaPolicyFields {
    /// The conditions as one rule. Every fault is told at its JSON Pointer.
    pub fn rule(&self, context: &RuleContext) -> Result<Rule, Vec<Fault>> {
        let all = json!({ "all": *self.conditions });
        Rule::parse(&all, Kind::Ticket, context).map_err(|faults| {
            let moved = |mut fault: Fault| {
                if let Some(rest) = fault.pointer.strip_prefix("/all") {
                    fault.pointer = format!("/conditions{rest}");
                }
                fault
            };
            faults.into_iter().map(moved).collect()
        })
    }
}

impl Fields for SlaPolicyFields {
    common_fields!();

    fn add_faults(&self, faults: &mut Vec<Fault>) {
        check_count("/conditions", self.conditions.len(), 50, faults);
        // Whether a rule is right hardly depends on when and whose it is, but for custom fields; the store asks again
        // knowing both.
        let anywhere = RuleContext {
            now: Timestamp::from(chrono::DateTime::UNIX_EPOCH),
            zone: chrono_tz::Tz::UTC,
            currency: crate::money::Currency::default(),
            custom: Arc::default(),
        };
        if !self.conditions.iter().any(custom_values::are_named) {
            faults.extend(self.rule(&anywhere).err().into_iter().flatten());
        }
        let SlaTargets {
            first_response,
            next_response,
            resolution,
        } = *self.targets;
        let targets = [
            ("/targets/first_response", first_response),
            ("/targets/next_response", next_response),
            ("/targets/resolution", resolution),
        ];
        for (pointer, target) in targets {
            if let Some(target) = target {
                target.check(pointer, faults);
            }
        }
        if targets.iter().all(|(_, target)| target.is_none()) {
            faults.push(Fault::new("/targets", "required", "must have one target at least"));
        }
    }
}

/// Which tickets are to be answered and solved by when.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, Queryable)]
pub struct SlaPolicy {
    /// What the service keeps.
    #[serde(flatten)]
    pub meta: Meta,
    /// What a client set.
    #[serde(flatten)]
    pub fields: SlaPolicyFields,
}

/// The fields of a policy of service levels.
pub const REGISTRY: Registry = Registry {
    kind: Kind::SlaPolicy,
    plural: "sla_policies",
    table: "sla_policies",
    fields: &[
        Field::text("name").required().sortable().indexed(),
        Field::text("description"),
        Field::new("position", FieldType::Integer)
            .required()
            .sortable()
            .indexed(),
        Field::new("active", FieldType::Bool).required(),
        Field::reference("business_hours_id", Kind::BusinessHours),
    ],
    relations: &[Relation::one(
        "business_hours",
        Kind::BusinessHours,
        "business_hours_id",
    )],
    owned: false,
};

impl Record for SlaPolicy {
    record_parts!(SlaPolicyFields);
    const KIND: Kind = Kind::SlaPolicy;

    fn title(&self) -> &str {
        &self.fields.name
    }

    fn references(&self) -> Vec<Reference> {
        let hours = self.fields.business_hours_id.map(|id| Reference {
            pointer: "/business_hours_id".to_owned(),
            kind: Kind::BusinessHours,
            id: RecordId(id.0),
        });
        hours.into_iter().collect()
    }
}

//! Opportunities: possible sales, from the first talk to won or lost. How they move is in `opportunity_moves`.

use crate::fault::Fault;
use crate::kind::Kind;
use crate::money::{Money, MoneyText};
use crate::record::{Fields, Meta, Record, Reference};
use crate::registry::{Field, FieldType, Registry, Relation};
use crate::sales::chosen_stage::ChosenStage;
use crate::sales::opportunity_lines::{OpportunityContact, OpportunityLine, SalesChannel, check_lines};
use crate::sales::stages::{OpportunityStatus, Stage};
use crate::validation::{Word, check_count, check_date, check_unique, check_words};
use crate::{common_fields, money_columns, record_parts, settable, written_whole};
use chrono::NaiveDate;
use diesel::prelude::{AsChangeset, Insertable, Queryable, Selectable};
use rust_decimal::Decimal;
use serde::Serialize;
use sql::ids::{CustomerId, PipelineId, RecordId};
use sql::{Json, Timestamp};
use std::collections::BTreeSet;
use utoipa::ToSchema;
use uuid::Uuid;

money_columns! {
    /// What the whole is worth, if that is known.
    pub struct Amount in opportunities (amount_minor, amount_currency)
}

settable! {
    /// What a client may set on an opportunity.
    pub struct OpportunityFields in opportunities {
        /// What it is called.
        #[validate(length(min = 1, max = 200))]
        #[schema(min_length = 1, max_length = 200, examples("40 licences for the Hamburg office"))]
        pub name: String,
        /// Who would buy.
        #[schema(value_type = Option<uuid::Uuid>)]
        pub customer_id: Option<CustomerId>,
        /// The way it is sold.
        #[schema(value_type = uuid::Uuid)]
        pub pipeline_id: PipelineId,
        /// The step it has reached, one of its pipeline's; when left out, the first open stage.
        #[serde(default)]
        #[schema(value_type = uuid::Uuid)]
        pub stage_id: ChosenStage,
        /// What the whole is worth, if that is known; the lines do not change it.
        #[serde(default)]
        #[schema(value_type = Option<MoneyText>)]
        pub amount: Amount => embed,
        /// How likely it is won, in percent, where that differs from what its stage says.
        #[validate(range(min = 0, max = 100))]
        #[schema(minimum = 0, maximum = 100)]
        pub probability: Option<i32>,
        /// The day by which it should be decided.
        #[validate(custom(function = "check_date"))]
        pub expected_close_on: Option<NaiveDate>,
        /// The day on which it began.
        #[validate(custom(function = "check_date"))]
        pub opened_on: Option<NaiveDate>,
        /// The day on which it was won or lost; set when that happens, unless it is given.
        #[validate(custom(function = "check_date"))]
        pub closed_on: Option<NaiveDate>,
        /// The channel by which it is sold.
        pub channel: Option<SalesChannel>,
        /// Why it was won or lost.
        #[validate(length(min = 1, max = 1000))]
        #[schema(min_length = 1, max_length = 1000, examples("Price"))]
        pub close_reason: Option<String>,
        /// What would be sold, in one currency.
        #[serde(default)]
        #[schema(value_type = Vec<OpportunityLine>, max_items = 200)]
        pub lines: Json<Vec<OpportunityLine>>,
        /// Who takes part on the customer's side.
        #[serde(default)]
        #[schema(value_type = HashSet<OpportunityContact>, max_items = 50)]
        pub contacts: Json<Vec<OpportunityContact>>,
        /// Who else tries to sell to the customer.
        #[serde(default)]
        #[schema(value_type = HashSet<Word>, max_items = 50)]
        pub competitors: Json<Vec<String>>,
    }
}

impl Fields for OpportunityFields {
    common_fields!();

    fn add_faults(&self, faults: &mut Vec<Fault>) {
        check_count("/lines", self.lines.len(), 200, faults);
        check_lines(&self.lines, self.amount.0, faults);
        check_count("/contacts", self.contacts.len(), 50, faults);
        check_unique("/contacts", self.contacts.iter(), faults);
        check_words("/competitors", &self.competitors, 50, faults);
    }
}

/// What the service derives about an opportunity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sql::schema::opportunities, treat_none_as_default_value = false)]
pub struct OpportunityState {
    /// How it stands, as its stage says.
    pub status: OpportunityStatus,
    /// Since when it is in its stage.
    pub stage_entered_at: Timestamp,
}

written_whole!(OpportunityState);

/// A possible sale.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, Queryable)]
pub struct Opportunity {
    /// What the service keeps.
    #[serde(flatten)]
    pub meta: Meta,
    /// What a client set.
    #[serde(flatten)]
    pub fields: OpportunityFields,
    /// What the service derives.
    #[serde(flatten)]
    pub state: OpportunityState,
}

impl Opportunity {
    /// The amount times the probability, given its stage; none when no amount is known.
    pub fn weighted_amount(&self, stage: &Stage) -> Option<Money> {
        let probability = stage.effective_probability(self.fields.probability);
        let share = Decimal::new(i64::from(probability), 2);
        self.fields.amount.0?.checked_mul(share)
    }
}

/// The fields of an opportunity.
pub const REGISTRY: Registry = Registry {
    kind: Kind::Opportunity,
    plural: "opportunities",
    table: "opportunities",
    fields: &[
        Field::text("name").required().sortable().indexed(),
        Field::reference("customer_id", Kind::Customer),
        Field::reference("pipeline_id", Kind::Pipeline).required(),
        Field::reference("stage_id", Kind::Stage).required(),
        Field::money("amount", "amount_minor", "amount_currency")
            .sortable()
            .indexed(),
        Field::new("probability", FieldType::Integer),
        Field::new("expected_close_on", FieldType::Date).sortable().indexed(),
        Field::new("opened_on", FieldType::Date),
        Field::new("closed_on", FieldType::Date).sortable().indexed(),
        Field::choice("channel", SalesChannel::TEXTS),
        Field::text("close_reason"),
        Field::list("product_ids"),
        Field::list("contact_ids"),
        Field::list("competitors"),
        Field::choice("status", OpportunityStatus::TEXTS).required().indexed(),
        Field::new("stage_entered_at", FieldType::Instant).required(),
    ],
    relations: &[
        Relation::one("customer", Kind::Customer, "customer_id"),
        Relation::one("pipeline", Kind::Pipeline, "pipeline_id"),
        Relation::one("stage", Kind::Stage, "stage_id"),
    ],
    owned: true,
};

impl Record for Opportunity {
    record_parts!(OpportunityFields);
    const KIND: Kind = Kind::Opportunity;

    fn title(&self) -> &str {
        &self.fields.name
    }

    fn values(&self) -> Vec<(&'static str, Vec<String>)> {
        let OpportunityFields {
            lines,
            contacts,
            competitors,
            ..
        } = &self.fields;
        vec![
            ("product_ids", distinct(lines.iter().map(|line| line.product_id))),
            (
                "contact_ids",
                distinct(contacts.iter().map(|contact| contact.customer_id)),
            ),
            ("competitors", competitors.to_vec()),
        ]
    }

    fn references(&self) -> Vec<Reference> {
        let fields = &self.fields;
        let reference = |pointer: String, kind, id: Uuid| Reference {
            pointer,
            kind,
            id: RecordId(id),
        };
        let customer = fields
            .customer_id
            .map(|id| reference("/customer_id".to_owned(), Kind::Customer, id.0));
        let pipeline = reference("/pipeline_id".to_owned(), Kind::Pipeline, fields.pipeline_id.0);
        let stage = fields
            .stage_id
            .0
            .map(|id| reference("/stage_id".to_owned(), Kind::Stage, id.0));
        let products = fields
            .lines
            .iter()
            .enumerate()
            .map(|(index, line)| reference(format!("/lines/{index}/product_id"), Kind::Product, line.product_id.0));
        let contacts = fields.contacts.iter().enumerate().map(|(index, contact)| {
            reference(
                format!("/contacts/{index}/customer_id"),
                Kind::Customer,
                contact.customer_id.0,
            )
        });
        customer
            .into_iter()
            .chain([pipeline])
            .chain(stage)
            .chain(products)
            .chain(contacts)
            .collect()
    }
}

/// Each id once, as text.
fn distinct(ids: impl Iterator<Item = impl Into<Uuid>>) -> Vec<String> {
    let ids: BTreeSet<Uuid> = ids.map(Into::into).collect();
    ids.iter().map(Uuid::to_string).collect()
}

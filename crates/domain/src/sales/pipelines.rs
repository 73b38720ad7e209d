//! Pipelines: ordered ways of selling, each with stages of its own.

use crate::kind::Kind;
use crate::record::{Fields, Meta, Record};
use crate::registry::{Field, FieldType, Registry, Relation};
use crate::{common_fields, record_parts, settable};
use diesel::prelude::Queryable;
use serde::Serialize;
use utoipa::ToSchema;

settable! {
    /// What a client may set on a pipeline.
    pub struct PipelineFields in pipelines {
        /// What it is called.
        #[validate(length(min = 1, max = 200))]
        #[schema(min_length = 1, max_length = 200, examples("Direct sales"))]
        pub name: String,
        /// What it is for.
        #[validate(length(max = 10000))]
        #[schema(max_length = 10000)]
        pub description: Option<String>,
        /// Whether it is in use.
        #[serde(default = "active")]
        #[schema(default = true)]
        pub active: bool,
    }
}

const fn active() -> bool {
    true
}

impl Fields for PipelineFields {
    common_fields!();
}

/// An ordered way of selling.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, Queryable)]
pub struct Pipeline {
    /// What the service keeps.
    #[serde(flatten)]
    pub meta: Meta,
    /// What a client set.
    #[serde(flatten)]
    pub fields: PipelineFields,
}

/// The fields of a pipeline.
pub const REGISTRY: Registry = Registry {
    kind: Kind::Pipeline,
    plural: "pipelines",
    table: "pipelines",
    fields: &[
        Field::text("name").required().sortable().indexed(),
        Field::text("description"),
        Field::new("active", FieldType::Bool).required(),
    ],
    relations: &[
        Relation::many("stages", Kind::Stage, "pipeline_id"),
        Relation::many("opportunities", Kind::Opportunity, "pipeline_id"),
    ],
    owned: false,
};

impl Record for Pipeline {
    record_parts!(PipelineFields);
    const KIND: Kind = Kind::Pipeline;

    fn title(&self) -> &str {
        &self.fields.name
    }
}

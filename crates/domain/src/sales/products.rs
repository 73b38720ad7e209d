//! Products: what is sold.

use crate::kind::Kind;
use crate::money::MoneyText;
use crate::record::{Fields, Meta, Record};
use crate::registry::{Field, FieldType, Registry};
use crate::{common_fields, money_columns, record_parts, settable};
use diesel::prelude::Queryable;
use serde::Serialize;
use utoipa::ToSchema;

money_columns! {
    /// What one unit costs, if it has a list price.
    pub struct UnitPrice in products (unit_price_minor, unit_price_currency)
}

settable! {
    /// What a client may set on a product.
    pub struct ProductFields in products {
        /// What it is called.
        #[validate(length(min = 1, max = 200))]
        #[schema(min_length = 1, max_length = 200, examples("GTX Pro"))]
        pub name: String,
        /// The seller's article number.
        #[validate(length(min = 1, max = 100))]
        #[schema(min_length = 1, max_length = 100, examples("GTX-PRO-01"))]
        pub sku: Option<String>,
        /// What it is.
        #[validate(length(max = 10000))]
        #[schema(max_length = 10000)]
        pub description: Option<String>,
        /// The family it belongs to.
        #[validate(length(min = 1, max = 100))]
        #[schema(min_length = 1, max_length = 100, examples("GTX"))]
        pub category: Option<String>,
        /// What one unit costs, if it has a list price.
        #[serde(default)]
        #[schema(value_type = Option<MoneyText>)]
        pub unit_price: UnitPrice => embed,
        /// Whether it can be sold now.
        #[serde(default = "active")]
        #[schema(default = true)]
        pub active: bool,
    }
}

const fn active() -> bool {
    true
}

impl Fields for ProductFields {
    common_fields!();
}

/// Something that is sold.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, Queryable)]
pub struct Product {
    /// What the service keeps.
    #[serde(flatten)]
    pub meta: Meta,
    /// What a client set.
    #[serde(flatten)]
    pub fields: ProductFields,
}

/// The fields of a product.
pub const REGISTRY: Registry = Registry {
    kind: Kind::Product,
    plural: "products",
    table: "products",
    fields: &[
        Field::text("name").required().sortable().indexed(),
        Field::text("sku").sortable().indexed(),
        Field::text("description"),
        Field::text("category").sortable().indexed(),
        Field::money("unit_price", "unit_price_minor", "unit_price_currency"),
        Field::new("active", FieldType::Bool).required(),
    ],
    relations: &[],
    owned: false,
};

impl Record for Product {
    record_parts!(ProductFields);
    const KIND: Kind = Kind::Product;

    fn title(&self) -> &str {
        &self.fields.name
    }

    fn search_texts(&self) -> Vec<&str> {
        let fields = &self.fields;
        [
            Some(fields.name.as_str()),
            fields.sku.as_deref(),
            fields.category.as_deref(),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

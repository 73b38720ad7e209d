//! How products are kept.

use crate::stored::Stored;
use crate::{Error, Transaction, stored};
use domain::Meta;
use domain::sales::products::{Product, ProductFields};

stored!(Product in products { fields: ProductFields });

impl Stored for Product {
    const CREATED_TOGETHER: bool = true;

    fn decide(_: &mut Transaction<'_>, _: Option<&Self>, meta: Meta, fields: ProductFields) -> Result<Self, Error> {
        Ok(Self { meta, fields })
    }
}

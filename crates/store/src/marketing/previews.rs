//! What a rule about customers comes to, now or at an instant of the past.

use crate::filter::{Condition, Order, Page};
use crate::past::read_rule_at;
use crate::stored::Table;
use crate::{Error, Transaction, records};
use diesel::prelude::*;
use domain::Kind;
use domain::customer::customers::Customer;
use serde_json::Value;
use sql::Timestamp;
use sql::schema::customers;

/// Who passes a rule.
#[derive(Debug)]
pub struct Preview {
    /// How many customers pass; of the past: passed, also those that were deleted since.
    pub count: i64,
    /// Some of those that are there, the oldest first.
    pub sample: Vec<Customer>,
}

/// Counts the customers that pass a rule now, or passed it at an instant of the past, and shows some of them.
pub fn preview(
    tx: &mut Transaction<'_>,
    rule: &Value,
    as_of: Option<Timestamp>,
    sample: i64,
) -> Result<Preview, Error> {
    let rule = Some(read_rule_at(tx, rule, as_of)?);
    let Some(instant) = as_of else {
        let page = Page {
            rule,
            limit: sample,
            ..Page::default()
        };
        return Ok(Preview {
            count: records::count::<Customer>(tx, &page)?,
            sample: records::page(tx, &page)?,
        });
    };
    let (tenant, registry) = (tx.tenant(), Kind::Customer.registry());
    let then = Condition::as_of(registry, tenant, tx.scope().visibility, instant).with_rule(rule.as_ref());
    let count = customers::table
        .filter(then.clone())
        .select(diesel::dsl::count_star())
        .first(tx.connection())?;
    let sample = Customer::page(tx.connection(), tenant, then, Order::by_id(registry), sample)?;
    Ok(Preview { count, sample })
}

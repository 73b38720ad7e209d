//! The parent companies above a customer, and the companies below it, by one recursive query.

use crate::stored::Table;
use crate::{Error, Transaction, records};
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Integer};
use domain::Record;
use domain::customer::customers::Customer;
use serde::Serialize;
use sql::ids::{CustomerId, RecordId, RelationshipId};
use sql::types::Identifier;
use std::collections::HashMap;
use utoipa::ToSchema;

sql::text_enum! {
    /// Which way to walk through a hierarchy.
    pub enum Direction {
        /// To the companies below.
        Down = "down",
        /// To the parent companies.
        Up = "up",
    }
}

/// What part of a hierarchy is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Walk {
    /// Which way.
    pub direction: Direction,
    /// The day whose ties count.
    pub on: NaiveDate,
    /// How many levels at most.
    pub depth: i32,
    /// How many customers at most.
    pub limit: i64,
}

/// A customer in a hierarchy, and the tie by which it was reached.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HierarchyEntry {
    /// How many ties away it is.
    #[schema(minimum = 1)]
    pub depth: i32,
    /// The relationship by which it was reached.
    #[schema(value_type = uuid::Uuid)]
    pub relationship_id: RelationshipId,
    /// The lower end of that relationship.
    #[schema(value_type = uuid::Uuid)]
    pub child_id: CustomerId,
    /// The upper end of that relationship.
    #[schema(value_type = uuid::Uuid)]
    pub parent_id: CustomerId,
    /// The customer.
    pub customer: Customer,
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Identifier)]
    relationship_id: RelationshipId,
    #[diesel(sql_type = Identifier)]
    child_id: CustomerId,
    #[diesel(sql_type = Identifier)]
    parent_id: CustomerId,
    #[diesel(sql_type = Integer)]
    depth: i32,
}

/// The ties to parent companies that hold on a day. Written out, because Diesel has no recursive queries.
const TIES: &str = "FROM relationships r WHERE r.tenant_id = $1 AND r.role = 'parent_company' \
    AND r.deleted_at IS NULL AND (r.started_on IS NULL OR r.started_on <= $2) \
    AND (r.ended_on IS NULL OR r.ended_on >= $2)";

fn query(direction: Direction) -> String {
    // `near` is the end of a tie where the walk comes from, `far` the one it goes to.
    let (near, far) = match direction {
        Direction::Down => ("to_id", "from_id"),
        Direction::Up => ("from_id", "to_id"),
    };
    format!(
        "WITH RECURSIVE tree (relationship_id, child_id, parent_id, far_id, depth) AS (\
           SELECT r.id, r.from_id, r.to_id, r.{far}, 1 {TIES} AND r.{near} = $3 \
           UNION ALL \
           SELECT r.id, r.from_id, r.to_id, r.{far}, t.depth + 1 \
           FROM tree t JOIN (SELECT r.id, r.from_id, r.to_id {TIES}) r ON r.{near} = t.far_id WHERE t.depth < $4) \
         SELECT relationship_id, child_id, parent_id, depth FROM tree ORDER BY depth, relationship_id LIMIT $5"
    )
}

/// The customers above or below one, the nearest first, as far as the caller may see them. The flag tells whether
/// the limit left some out.
pub fn hierarchy(tx: &mut Transaction<'_>, of: RecordId, walk: Walk) -> Result<(Vec<HierarchyEntry>, bool), Error> {
    records::get::<Customer>(tx, of)?;
    let tenant = tx.tenant();
    let mut steps: Vec<Step> = diesel::sql_query(query(walk.direction))
        .bind::<Identifier, _>(tenant)
        .bind::<Date, _>(walk.on)
        .bind::<Identifier, _>(of)
        .bind::<Integer, _>(walk.depth)
        .bind::<BigInt, _>(walk.limit + 1)
        .load(tx.connection())?;
    let more = i64::try_from(steps.len()).is_ok_and(|count| count > walk.limit);
    steps.truncate(usize::try_from(walk.limit).unwrap_or(usize::MAX));
    let mut seen = customers_of(tx, &steps, walk.direction)?;
    let entries = steps.into_iter().filter_map(|step| {
        let customer = seen.remove(&step.far(walk.direction))?;
        let Step {
            relationship_id,
            child_id,
            parent_id,
            depth,
        } = step;
        Some(HierarchyEntry {
            depth,
            relationship_id,
            child_id,
            parent_id,
            customer,
        })
    });
    Ok((entries.collect(), more))
}

impl Step {
    /// The end of the tie that the walk goes to.
    fn far(&self, direction: Direction) -> RecordId {
        match direction {
            Direction::Down => RecordId(self.child_id.0),
            Direction::Up => RecordId(self.parent_id.0),
        }
    }
}

fn customers_of(
    tx: &mut Transaction<'_>,
    steps: &[Step],
    direction: Direction,
) -> Result<HashMap<RecordId, Customer>, Error> {
    let ids: Vec<_> = steps.iter().map(|step| step.far(direction)).collect();
    let (tenant, visible) = (tx.tenant(), records::visible_condition::<Customer>(tx));
    let found = Customer::find_many(tx.connection(), tenant, &ids, visible)?;
    Ok(found
        .into_iter()
        .map(|customer| (customer.meta().id, customer))
        .collect())
}

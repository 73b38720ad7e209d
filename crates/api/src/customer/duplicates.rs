//! Possible duplicates: those of one customer, and all pairs there are.

use crate::access::Reading;
use crate::limits::{MAX_PAGE, PAGE};
use crate::list::PageInfo;
use crate::problem::Problem;
use crate::query::Query;
use crate::resource::Id;
use actix_web::HttpResponse;
use domain::customer::customers::Customer;
use domain::customer::duplicates::{DuplicateCandidate, DuplicatePair};
use serde::Serialize;
use store::customer::duplicates::{self, Place};
use utoipa::ToSchema;

/// Customers that may be the same as one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Duplicates {
    /// The customers, the most alike first.
    data: Vec<DuplicateCandidate>,
}

/// Pairs of customers that may be the same.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DuplicatePairs {
    /// The pairs, in no order of importance.
    data: Vec<DuplicatePair>,
    /// Where to go on.
    page: PageInfo,
}

/// List the possible duplicates of a customer.
///
/// The customers that share an e-mail address, a phone number, a tax number, or a similar name together with a city, a
/// postal code or the day of birth, with a score and the reasons. Up to 100 are compared for each of these.
#[utoipa::path(get, path = "/v1/customers/{id}/duplicates", tag = "Customers", operation_id = "list_duplicates_of_customer",
    params(
        ("id" = uuid::Uuid, Path, description = "The customer"),
        ("min_score" = Option<f64>, Query, description = "The least score; 0.5 when left out", minimum = 0, maximum = 1),
    ),
    responses((status = 200, description = "Who may be the same", body = Duplicates)))]
pub(crate) async fn list_duplicates_of(id: Id, mut reading: Reading<Customer>) -> Result<HttpResponse, Problem> {
    let min_score = min_score(&mut reading.query);
    std::mem::take(&mut reading.query).finish()?;
    let data = reading.run(move |tx| duplicates::of(tx, id.0, min_score)).await?;
    Ok(HttpResponse::Ok().json(Duplicates { data }))
}

/// List all pairs of possible duplicates.
///
/// Each pair of customers that may be the same, once, with a score and the reasons. A page looks at some 2,000 shared
/// values, so it may hold few pairs, or none, though there are more: read on while `has_more` says so. Where more than
/// 50 customers share a value, the first 50 are compared.
#[utoipa::path(get, path = "/v1/customers/duplicates", tag = "Customers", operation_id = "list_duplicates",
    params(
        ("min_score" = Option<f64>, Query, description = "The least score; 0.5 when left out", minimum = 0, maximum = 1),
        ("limit" = Option<i64>, Query, description = "Pairs on the page", minimum = 1, maximum = 500),
        ("cursor" = Option<String>, Query, description = "Where the page before ended"),
    ),
    responses((status = 200, description = "Who may be the same", body = DuplicatePairs)))]
pub(crate) async fn list_duplicates(mut reading: Reading<Customer>) -> Result<HttpResponse, Problem> {
    let query = &mut reading.query;
    let min_score = min_score(query);
    let limit = query.take_number("limit", 1..=MAX_PAGE).unwrap_or(PAGE);
    let limit = usize::try_from(limit).unwrap_or(1);
    let cursor = query.take("cursor");
    std::mem::take(query).finish()?;
    let bound_to = format!("{}\nduplicates\n{min_score}", reading.caller.scope.tenant.id);
    let key = reading.state.cursor_key.clone();
    let after: Option<Place> = cursor.map(|text| key.open(&bound_to, "cursor", &text)).transpose()?;
    let scan = reading
        .run(move |tx| duplicates::scan(tx, after.as_ref(), min_score, limit))
        .await?;
    let next = scan.next.map(|place| key.seal(&bound_to, &place)).transpose()?;
    Ok(HttpResponse::Ok().json(DuplicatePairs {
        data: scan.pairs,
        page: PageInfo::new(next),
    }))
}

fn min_score(query: &mut Query) -> f64 {
    let score = query.take_as::<f64>("min_score", "a number from 0 to 1").unwrap_or(0.5);
    if !(0.0..=1.0).contains(&score) {
        query.fault("min_score", "out_of_range", "must be a number from 0 to 1");
    }
    score
}

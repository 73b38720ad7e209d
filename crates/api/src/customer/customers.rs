//! What customers have beyond every resource: the moves along the lifecycle, the hierarchy, the relationships.

use crate::access::{Reading, Writing};
use crate::endpoint::{Endpoint, endpoint};
use crate::history;
use crate::limits::MAX_PAGE;
use crate::list::{self, PageInfo};
use crate::openapi::{generic_endpoints as resource, list_within};
use crate::problem::Problem;
use crate::reply;
use crate::resource::Id;
use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use domain::customer::customers::Customer;
use domain::customer::lifecycle_changes::{LifecycleChange, LifecycleMove};
use domain::customer::relationships::{DEEPEST_HIERARCHY, Relationship};
use domain::operation::scopes::Scope as Permission;
use domain::rule::Rule;
use domain::validation::{check_date, faults_of};
use domain::{Kind, Refusal, input};
use serde::Serialize;
use store::customer::hierarchy::{self, Direction, HierarchyEntry, Walk};
use store::{Transaction, customer, records};
use utoipa::ToSchema;
use validator::Validate;

/// The endpoints of customers.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = resource::<Customer>();
    endpoints.extend([
        endpoint!(crate::customer::customers::list_lifecycle_changes),
        endpoint!(crate::customer::customers::move_customer),
        endpoint!(crate::customer::customers::get_hierarchy),
        endpoint!(crate::customer::duplicates::list_duplicates),
        endpoint!(crate::customer::duplicates::list_duplicates_of),
        endpoint!(crate::customer::merges::merge_customer),
        endpoint!(crate::customer::merges::list_customer_merges),
        endpoint!(crate::customer::merges::undo_customer_merge),
        endpoint!(crate::customer::overview::get_customer_360),
        endpoint!(crate::customer::timeline::get_customer_timeline),
        Endpoint::generic(
            Kind::Customer,
            Method::GET,
            "/v1/customers/{id}/relationships".to_owned(),
            || web::to(list_relationships),
            |components| list_within::<Relationship>(components, Kind::Customer),
        ),
    ]);
    endpoints
}

/// Move a customer along its lifecycle.
///
/// Moves a customer along its lifecycle, and notes why. A stage that may not follow is refused with the ones that may.
#[utoipa::path(post, path = "/v1/customers/{id}/lifecycle", tag = "Customers", operation_id = "move_customer",
    params(("id" = uuid::Uuid, Path, description = "The customer")),
    request_body = LifecycleMove,
    responses((status = 200, description = "The customer", body = Customer)))]
pub(crate) async fn move_customer(id: Id, mut writing: Writing<Customer>) -> Result<HttpResponse, Problem> {
    let to: LifecycleMove = input::parse_body(&writing.take_body()?).map_err(Problem::invalid)?;
    if let Err(errors) = to.validate() {
        return Err(Refusal::Invalid(faults_of(&errors, "")).into());
    }
    let expected = writing.expected.clone();
    writing
        .run(move |tx| {
            let (customer, outcome) = customer::customers::move_lifecycle(tx, id.0, &expected, to.clone())?;
            Ok(reply::of_record(customer, outcome))
        })
        .await
}

/// A page of a customer's history.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LifecycleChanges {
    /// The moves, the oldest first.
    data: Vec<LifecycleChange>,
    /// Where to go on.
    page: PageInfo,
}

/// List the lifecycle changes of a customer.
///
/// The moves of a customer along its lifecycle, the oldest first: when, by whom and why.
#[utoipa::path(get, path = "/v1/customers/{id}/lifecycle", tag = "Customers", operation_id = "list_lifecycle_changes",
    params(
        ("id" = uuid::Uuid, Path, description = "The customer"),
        ("limit" = Option<i64>, Query, description = "Moves on the page", minimum = 1, maximum = 500),
        ("cursor" = Option<String>, Query, description = "Where the page before ended"),
    ),
    responses((status = 200, description = "A page of its history", body = LifecycleChanges)))]
pub(crate) async fn list_lifecycle_changes(id: Id, mut reading: Reading<Customer>) -> Result<HttpResponse, Problem> {
    let load = move |tx: &mut Transaction<'_>, after, limit| customer::customers::lifecycle(tx, id.0, after, limit);
    let (data, page) = history::page(&mut reading, &format!("lifecycle\n{}", id.0), load, |change| change.id).await?;
    Ok(HttpResponse::Ok().json(LifecycleChanges { data, page }))
}

/// Customers above or below one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Hierarchy {
    /// The customers, the nearest first.
    data: Vec<HierarchyEntry>,
    /// Whether `limit` left some out.
    truncated: bool,
}

const A_DAY: &str = "a day of the years 1 to 9999 such as 2026-01-31";

/// Get the companies above or below a customer.
///
/// The companies below a customer, or its parent companies, level by level, as the relationships of role
/// `parent_company` have it on a day. Customers that the caller may not see are left out.
#[utoipa::path(get, path = "/v1/customers/{id}/hierarchy", tag = "Customers", operation_id = "get_customer_hierarchy",
    params(
        ("id" = uuid::Uuid, Path, description = "The customer"),
        ("direction" = inline(Option<Direction>), Query, description = "To the companies below, which is the default, or to the parent companies"),
        ("on" = Option<chrono::NaiveDate>, Query, description = "The day; by default today, in the tenant's time zone"),
        ("depth" = Option<i32>, Query, description = "Levels at most", minimum = 1, maximum = 50),
        ("limit" = Option<i64>, Query, description = "Customers at most", minimum = 1, maximum = 500),
    ),
    responses((status = 200, description = "The customers, the nearest first", body = Hierarchy)),
    security(("bearer" = []), ("oauth2" = ["customers:read", "relationships:read"])))]
pub(crate) async fn get_hierarchy(id: Id, mut reading: Reading<Customer>) -> Result<HttpResponse, Problem> {
    reading.caller.require(Permission::Read(Kind::Relationship))?;
    let today = reading.caller.scope.today(sql::Timestamp::now());
    let query = &mut reading.query;
    let on = query.take_as("on", A_DAY);
    if on.is_some_and(|on| check_date(&on).is_err()) {
        query.fault("on", "out_of_range", format!("must be {A_DAY}"));
    }
    let deepest = i64::try_from(DEEPEST_HIERARCHY).unwrap_or(1);
    let depth = query.take_number("depth", 1..=deepest).unwrap_or(deepest);
    let walk = Walk {
        direction: query.take_as("direction", "up or down").unwrap_or(Direction::Down),
        on: on.unwrap_or(today),
        depth: i32::try_from(depth).unwrap_or(1),
        limit: query.take_number("limit", 1..=MAX_PAGE).unwrap_or(MAX_PAGE),
    };
    std::mem::take(query).finish()?;
    let (data, truncated) = reading.run(move |tx| hierarchy::hierarchy(tx, id.0, walk)).await?;
    Ok(HttpResponse::Ok().json(Hierarchy { data, truncated }))
}

/// The relationships of a customer in both directions; otherwise as the list of all relationships.
pub(crate) async fn list_relationships(
    id: Id,
    request: HttpRequest,
    reading: Reading<Relationship>,
) -> Result<HttpResponse, Problem> {
    reading.caller.require(Permission::Read(Kind::Customer))?;
    reading
        .run(move |tx| records::get::<Customer>(tx, id.0).map(drop))
        .await?;
    let ends = ["from_id", "to_id"]
        .into_iter()
        .filter_map(|end| Kind::Relationship.registry().field(end));
    let of_customer = Rule::Any(ends.map(|end| Rule::names(end, [id.0])).collect());
    list::get_among(request, reading, of_customer).await
}

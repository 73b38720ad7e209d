//! The overview of a customer: everything that one screen shows of it, in one answer.

use crate::access::Reading;
use crate::problem::Problem;
use crate::resource::Id;
use actix_web::HttpResponse;
use domain::customer::customers::Customer;
use domain::customer::overview::{CustomerOverview, OverviewSection};
use domain::operation::scopes::Scope as Permission;
use std::collections::BTreeSet;
use store::customer::overview::{self, Wanted};

/// The most records that a section shows.
const MOST: i64 = 50;
/// How many it shows when nothing is said.
const USUAL: i64 = 5;

/// Get everything that one screen shows of a customer.
///
/// The customer with its owner, relationships, opportunities, tickets, interactions, tasks, appointments, notes,
/// documents and segments, in one answer of bounded size: each section shows up to `limit` records, tells in `has_more` whether there
/// are more, and has the figures of all. It takes at most 20 queries of the database, however much there is about the
/// customer.
///
/// Each section needs the scope to read its records (`owner` needs `users:read`): without it the section is missing, or
/// the request refused if it names the section. Record rules hold in each: what the caller may not see is neither shown
/// nor counted.
#[utoipa::path(get, path = "/v1/customers/{id}/360", tag = "Customers", operation_id = "get_customer_overview",
    params(
        ("id" = uuid::Uuid, Path, description = "The customer"),
        ("sections" = Option<String>, Query, description = "The sections wanted, parted by commas; by default all that the caller may read", pattern = r"^\s*(owner|relationships|opportunities|tickets|interactions|tasks|appointments|notes|documents|segments)\s*(,\s*(owner|relationships|opportunities|tickets|interactions|tasks|appointments|notes|documents|segments)\s*)*$"),
        ("limit" = Option<i64>, Query, description = "Records in each section", minimum = 1, maximum = 50),
    ),
    responses((status = 200, description = "What there is about it", body = CustomerOverview)),
    security(("bearer" = []), ("oauth2" = ["customers:read"])))]
pub(crate) async fn get_customer_360(id: Id, mut reading: Reading<Customer>) -> Result<HttpResponse, Problem> {
    let limit = reading.query.take_number("limit", 1..=MOST).unwrap_or(USUAL);
    let sections = named::<OverviewSection>(&mut reading, "sections", OverviewSection::ALL, |section| {
        Permission::Read(section.about())
    })?;
    std::mem::take(&mut reading.query).finish()?;
    let wanted = Wanted {
        sections,
        limit: usize::try_from(limit).unwrap_or(1),
    };
    let found = reading.run(move |tx| overview::overview(tx, id.0, &wanted)).await?;
    Ok(HttpResponse::Ok().json(found))
}

/// The choices that a parameter names, parted by commas, all of which the caller must be allowed to read; without the
/// parameter, all that it may.
pub(super) fn named<T>(
    reading: &mut Reading<Customer>,
    parameter: &str,
    all: &[T],
    permission: impl Fn(T) -> Permission,
) -> Result<BTreeSet<T>, Problem>
where
    T: Copy + Ord + std::str::FromStr<Err = String>,
{
    let Some(names) = reading.query.take_list(parameter) else {
        let readable = |choice: &T| reading.caller.permissions().allow(permission(*choice));
        return Ok(all.iter().copied().filter(readable).collect());
    };
    let mut chosen = BTreeSet::new();
    for name in names {
        match name.parse::<T>() {
            Ok(choice) => {
                reading.caller.require(permission(choice))?;
                chosen.insert(choice);
            }
            Err(message) => {
                reading.query.fault(parameter, "invalid_choice", message);
                break;
            }
        }
    }
    Ok(chosen)
}

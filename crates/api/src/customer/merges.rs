//! Merging customers: what was merged into one, to merge another one into it, and to undo that.

use crate::access::{Reading, Writing};
use crate::history;
use crate::list::PageInfo;
use crate::preconditions::etag;
use crate::problem::Problem;
use crate::reply;
use crate::resource::Id;
use actix_web::{HttpResponse, web};
use domain::customer::customers::Customer;
use domain::customer::merges::{CustomerMerge, CustomerMerger};
use domain::{Kind, Record};
use serde::Serialize;
use sql::ids::EventId;
use std::collections::BTreeMap;
use store::customer::merges;
use store::idempotency::{Header, Reply};
use store::{Transaction, references};
use utoipa::ToSchema;

/// What a merge came to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MergedCustomers {
    /// The merge; its `id` is needed to undo it.
    merge: CustomerMerge,
    /// The customer that goes on, as it is now.
    customer: Customer,
}

/// What undoing a merge came to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UnmergedCustomers {
    /// The merge.
    merge: CustomerMerge,
    /// The customer that had taken the other one in, as it is now.
    customer: Customer,
    /// The customer that is back.
    restored: Customer,
    /// The members of the first one that stay as they are, because somebody changed them since the merge: JSON Pointers.
    #[schema(examples(json!(["/emails"])))]
    kept: Vec<String>,
    /// How many records of each resource went back, and rows of the history within records.
    returned: BTreeMap<String, i64>,
}

/// A page of merges.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CustomerMerges {
    /// The merges, the oldest first.
    data: Vec<CustomerMerge>,
    /// Where to go on.
    page: PageInfo,
}

/// List the merges into a customer.
///
/// The customers that were merged into one, the oldest first, with those merges that were undone.
#[utoipa::path(get, path = "/v1/customers/{id}/merges", tag = "Customers", operation_id = "list_customer_merges",
    params(
        ("id" = uuid::Uuid, Path, description = "The customer"),
        ("limit" = Option<i64>, Query, description = "Merges on the page", minimum = 1, maximum = 500),
        ("cursor" = Option<String>, Query, description = "Where the page before ended"),
    ),
    responses((status = 200, description = "A page of merges", body = CustomerMerges)))]
pub(crate) async fn list_customer_merges(id: Id, mut reading: Reading<Customer>) -> Result<HttpResponse, Problem> {
    let load = move |tx: &mut Transaction<'_>, after, limit| merges::page(tx, id.0, after, limit);
    let (data, page) = history::page(&mut reading, &format!("merges\n{}", id.0), load, |merge| merge.id).await?;
    Ok(HttpResponse::Ok().json(CustomerMerges { data, page }))
}

/// Merge a customer into another one.
///
/// Takes the customer `from` into the one in the path, the survivor. The survivor keeps its own values and gets those it
/// lacks, lists are united, and `fields` chooses otherwise. Whatever refers to the other customer refers to the survivor
/// from then on, at a new version, whether the caller may see it or not; the event `customer.merged` tells how much that
/// was. The old id leads to the survivor: it answers reads with 301, writes with 409 (`merged`).
///
/// Refused with 422 at `/from` are another `kind`, the survivor itself, a customer that is merged already, and a hierarchy
/// that would have circles or two parents at a time.
#[utoipa::path(post, path = "/v1/customers/{id}/merge", tag = "Customers", operation_id = "merge_customer",
    params(("id" = uuid::Uuid, Path, description = "The customer that goes on")),
    request_body = CustomerMerger,
    responses((status = 200, description = "The merge, and the customer that goes on", body = MergedCustomers)))]
pub(crate) async fn merge_customer(id: Id, mut writing: Writing<Customer>) -> Result<HttpResponse, Problem> {
    let (body, expected) = (writing.take_body()?, writing.expected.clone());
    writing
        .seeing_latest()
        .run(move |tx| {
            let merger: CustomerMerger = references::read_body_naming(tx, &body, "from", Kind::Customer)?;
            let (merge, customer) = merges::merge(tx, id.0, &expected, &merger)?;
            let version = customer.meta().version;
            Ok(with_etag(version, MergedCustomers { merge, customer }))
        })
        .await
}

/// Undo a merge of customers.
///
/// Brings the merged customer back as it was, with its id and its external ids, and gives it back what was moved, still is
/// there and still refers to the survivor; what was made since stays with the survivor. The members of the survivor that
/// the merge changed go back as well, but for those that somebody changed since, which `kept` names.
///
/// Refused with 409 are a merge that is undone (`already_undone`), one that a later merge into the same customer followed
/// (`later_merge`: undo that one first), and one whose survivor was merged away itself (`merged`).
#[utoipa::path(post, path = "/v1/customers/{id}/merges/{merge_id}/undo", tag = "Customers", operation_id = "undo_customer_merge",
    params(
        ("id" = uuid::Uuid, Path, description = "The customer that had taken the other one in"),
        ("merge_id" = uuid::Uuid, Path, description = "The merge"),
    ),
    responses((status = 200, description = "Both customers", body = UnmergedCustomers)))]
pub(crate) async fn undo_customer_merge(
    id: Id,
    path: web::Path<(String, String)>,
    writing: Writing<Customer>,
) -> Result<HttpResponse, Problem> {
    let merge: EventId = path.1.parse().map_err(|_| Problem::not_found())?;
    let expected = writing.expected.clone();
    writing
        .seeing_latest()
        .run(move |tx| {
            let undone = merges::undo(tx, id.0, merge, &expected)?;
            let version = undone.survivor.meta().version;
            let answer = UnmergedCustomers {
                merge: undone.merge,
                customer: undone.survivor,
                restored: undone.restored,
                kept: undone.kept,
                returned: undone.returned,
            };
            Ok(with_etag(version, answer))
        })
        .await
}

/// The `ETag` is that of the customer which goes on.
fn with_etag(version: i64, body: impl Serialize + Send + 'static) -> Reply {
    let mut reply = reply::of_json(200, body);
    reply.headers.push(Header("ETag".to_owned(), etag(version)));
    reply
}

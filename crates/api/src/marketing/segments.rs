//! What segments have beyond every resource: their members, a preview of a rule, and why a customer is in or out.

use crate::access::{Reading, Writing};
use crate::endpoint::{Endpoint, endpoint};
use crate::list;
use crate::openapi::{generic_endpoints as resource, list_within};
use crate::problem::Problem;
use crate::reply;
use crate::resource::Id;
use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use domain::customer::customers::Customer;
use domain::marketing::segments::{MembershipChange, Segment};
use domain::operation::scopes::Scope as Permission;
use domain::rule::{Rule, RuleNode};
use domain::{Kind, input};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sql::Timestamp;
use sql::ids::{CustomerId, SegmentId};
use std::time::Instant;
use store::marketing::explanations::{self, Explanation};
use store::marketing::{previews, segment_members, segment_refreshes};
use store::{records, references};
use utoipa::ToSchema;
use validator::Validate;

/// The endpoints of segments.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = resource::<Segment>();
    endpoints.extend([
        endpoint!(crate::marketing::segments::preview_segment),
        endpoint!(crate::marketing::segments::change_members),
        endpoint!(crate::marketing::segments::refresh_segment),
        endpoint!(crate::marketing::segments::explain_segment),
        Endpoint::generic(
            Kind::Segment,
            Method::GET,
            "/v1/segments/{id}/members".to_owned(),
            || web::to(list_members),
            |components| list_within::<Customer>(components, Kind::Segment),
        ),
    ]);
    endpoints
}

/// The members of a segment; otherwise as the list of all customers.
pub(crate) async fn list_members(
    id: Id,
    request: HttpRequest,
    reading: Reading<Customer>,
) -> Result<HttpResponse, Problem> {
    reading.caller.require(Permission::Read(Kind::Segment))?;
    reading
        .run(move |tx| records::get::<Segment>(tx, id.0).map(drop))
        .await?;
    list::get_among(request, reading, Rule::Member(SegmentId(id.0.0))).await
}

/// A rule to be tried.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct SegmentPreviewRequest {
    /// The rule about customers.
    #[schema(value_type = RuleNode)]
    rule: Value,
    /// Customers to show of those that pass.
    #[serde(default = "ten")]
    #[validate(range(min = 0, max = 100))]
    #[schema(minimum = 0, maximum = 100, default = 10)]
    sample: i64,
    /// An instant of the past: the rule is answered as it would have been then. Windows and relative times count from it.
    /// A field has the value that it had, as the change feed tells; a rule about anything else of the past is refused.
    as_of: Option<Timestamp>,
}

const fn ten() -> i64 {
    10
}

/// What a rule comes to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SegmentPreview {
    /// How many customers pass; with `as_of`: passed, also those that were deleted since.
    #[schema(minimum = 0)]
    count: i64,
    /// Some of them, those that were there first. They are shown as they are, whatever they were at `as_of`; those that
    /// were deleted since are not shown.
    sample: Vec<Customer>,
    /// How long it took to find them, in milliseconds.
    #[schema(minimum = 0)]
    duration_ms: u64,
}

/// Preview a segment.
///
/// Counts the customers that pass a rule now, or passed it at an instant of the past (`as_of`), and shows some of them.
/// Nothing is kept.
#[utoipa::path(post, path = "/v1/segments/preview", tag = "Segments", operation_id = "preview_segment",
    request_body = SegmentPreviewRequest,
    responses((status = 200, description = "How many pass, and who for example", body = SegmentPreview)),
    security(("bearer" = []), ("oauth2" = ["segments:read", "customers:read"])))]
pub(crate) async fn preview_segment(mut reading: Reading<Segment>) -> Result<HttpResponse, Problem> {
    reading.caller.require(Permission::Read(Kind::Customer))?;
    std::mem::take(&mut reading.query).finish()?;
    let wanted: SegmentPreviewRequest = input::parse_valid(&std::mem::take(&mut reading.body))?;
    let started = Instant::now();
    let preview = reading
        .run(move |tx| previews::preview(tx, &wanted.rule, wanted.as_of, wanted.sample))
        .await?;
    Ok(HttpResponse::Ok().json(SegmentPreview {
        count: preview.count,
        sample: preview.sample,
        duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    }))
}

/// How many customers came in and went.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MembershipChanged {
    /// Those that were no members before.
    entered: usize,
    /// Those that were.
    left: usize,
}

/// Add and remove members of a static segment.
///
/// Up to 1,000 customers come in and up to 1,000 go, together or not at all. Who is in already stays, and who is not
/// need not go; only real changes are told in the change feed, as `segment.entered` and `segment.left`.
#[utoipa::path(post, path = "/v1/segments/{id}/members", tag = "Segments", operation_id = "change_segment_members",
    params(("id" = uuid::Uuid, Path, description = "The segment")),
    request_body = MembershipChange,
    responses((status = 200, description = "How many came in and went", body = MembershipChanged)),
    security(("bearer" = []), ("oauth2" = ["segments:write", "customers:read"])))]
pub(crate) async fn change_members(id: Id, mut writing: Writing<Segment>) -> Result<HttpResponse, Problem> {
    writing.caller.require(Permission::Read(Kind::Customer))?;
    let (body, expected) = (writing.take_body()?, writing.expected.clone());
    writing
        .run(move |tx| {
            let change: MembershipChange = references::read_body(tx, Kind::Segment, &body)?;
            let moved = segment_members::change(tx, id.0, &expected, &change)?;
            let changed = MembershipChanged {
                entered: moved.entered,
                left: moved.left,
            };
            Ok(reply::of_json(200, changed))
        })
        .await
}

/// Refresh a segment.
///
/// Has the rule applied to all customers as soon as possible: a snapshot is taken anew, and a dynamic segment, which is
/// kept in step anyway, is checked. The answer does not wait for it; the filter field `refreshed_at` tells when it was
/// done.
#[utoipa::path(post, path = "/v1/segments/{id}/refresh", tag = "Segments", operation_id = "refresh_segment",
    params(("id" = uuid::Uuid, Path, description = "The segment")),
    responses((status = 204, description = "It will be done")))]
pub(crate) async fn refresh_segment(id: Id, writing: Writing<Segment>) -> Result<HttpResponse, Problem> {
    writing
        .run(move |tx| {
            segment_refreshes::refresh(tx, id.0)?;
            Ok(reply::no_content())
        })
        .await
}

/// Whose membership is to be explained.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExplainRequest {
    /// The customer.
    #[schema(value_type = uuid::Uuid)]
    customer_id: CustomerId,
    /// An instant of the past: tells what the rule, as it is now, would have come to then. Whether the customer is a
    /// member is told of today nevertheless.
    as_of: Option<Timestamp>,
}

/// Explain a segment for a customer.
///
/// Whether the customer is a member, and the rule with the verdict of each of its nodes and the value that it saw, now or
/// at an instant of the past (`as_of`).
#[utoipa::path(post, path = "/v1/segments/{id}/explain", tag = "Segments", operation_id = "explain_segment",
    params(("id" = uuid::Uuid, Path, description = "The segment")),
    request_body = ExplainRequest,
    responses((status = 200, description = "Why the customer is in or out", body = Explanation)),
    security(("bearer" = []), ("oauth2" = ["segments:read", "customers:read"])))]
pub(crate) async fn explain_segment(id: Id, mut reading: Reading<Segment>) -> Result<HttpResponse, Problem> {
    reading.caller.require(Permission::Read(Kind::Customer))?;
    std::mem::take(&mut reading.query).finish()?;
    let body = std::mem::take(&mut reading.body);
    let explanation = reading
        .run(move |tx| {
            let wanted: ExplainRequest = references::read_body(tx, Kind::Segment, &body)?;
            explanations::explain(tx, id.0, wanted.customer_id, wanted.as_of)
        })
        .await?;
    Ok(HttpResponse::Ok().json(explanation))
}

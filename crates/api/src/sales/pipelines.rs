//! What pipelines have beyond every resource: a summary of what stands in them.

use crate::access::Reading;
use crate::endpoint::{Endpoint, endpoint};
use crate::openapi::generic_endpoints as resource;
use crate::problem::Problem;
use crate::resource::Id;
use actix_web::HttpResponse;
use domain::Kind;
use domain::operation::scopes::Scope as Permission;
use domain::sales::pipeline_summary::PipelineSummary;
use domain::sales::pipelines::Pipeline;
use store::sales::pipelines;

/// The endpoints of pipelines.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut endpoints = resource::<Pipeline>();
    endpoints.push(endpoint!(crate::sales::pipelines::get_summary));
    endpoints
}

/// Sum up a pipeline.
///
/// For each stage of a pipeline how many opportunities are in it, what they are worth by currency, and what may be
/// expected of them: each amount times its probability. Only what the caller may see is counted.
#[utoipa::path(get, path = "/v1/pipelines/{id}/summary", tag = "Pipelines", operation_id = "get_pipeline_summary",
    params(("id" = uuid::Uuid, Path, description = "The pipeline")),
    responses((status = 200, description = "What stands in the pipeline", body = PipelineSummary)),
    security(("bearer" = []), ("oauth2" = ["pipelines:read", "stages:read", "opportunities:read"])))]
pub(crate) async fn get_summary(id: Id, mut reading: Reading<Pipeline>) -> Result<HttpResponse, Problem> {
    reading.caller.require(Permission::Read(Kind::Stage))?;
    reading.caller.require(Permission::Read(Kind::Opportunity))?;
    std::mem::take(&mut reading.query).finish()?;
    let summary = reading.run(move |tx| pipelines::summary(tx, id.0)).await?;
    Ok(HttpResponse::Ok().json(summary))
}

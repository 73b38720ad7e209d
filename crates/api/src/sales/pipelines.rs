//! What pipelines have beyond every resource: a summary of what stands in them.

use crate::access::Reading;
use crate::problem::Problem;
use crate::resource::{Id, on, resource};
use actix_web::{HttpResponse, web};
use domain::Kind;
use domain::operation::scopes::Scope as Permission;
use domain::sales::pipeline_summary::PipelineSummary;
use domain::sales::pipelines::Pipeline;
use store::sales::pipelines;

/// The routes of pipelines.
pub(crate) fn routes() -> actix_web::Scope {
    resource::<Pipeline>().service(on("/{id}/summary").route(web::get().to(get_summary)))
}

/// For each stage of a pipeline how many opportunities are in it, what they are worth by currency, and what may be
/// expected of them: each amount times its probability. Only what the caller may see is counted.
#[utoipa::path(get, path = "/v1/pipelines/{id}/summary", tag = "Pipelines", operation_id = "get_pipeline_summary",
    params(("id" = uuid::Uuid, Path, description = "The pipeline")),
    responses((status = 200, description = "What stands in the pipeline", body = PipelineSummary)))]
pub(crate) async fn get_summary(id: Id, mut reading: Reading<Pipeline>) -> Result<HttpResponse, Problem> {
    reading.caller.require(Permission::Read(Kind::Stage))?;
    reading.caller.require(Permission::Read(Kind::Opportunity))?;
    std::mem::take(&mut reading.query).finish()?;
    let summary = reading.run(move |tx| pipelines::summary(tx, id.0)).await?;
    Ok(HttpResponse::Ok().json(summary))
}

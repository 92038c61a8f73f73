//! `/runs/{id}/tasks`: the tasks of a run.

use super::extract::{Json, OptionalJson};
use crate::access::Caller;
use crate::app::App;
use crate::problem::Problem;
use axum::extract::{Path, State};
use loom_protocol::api::{ResolveTask, RunView};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(retry)).routes(routes!(resolve))
}

/// Try a failed task again
#[utoipa::path(post, path = "/api/v1/runs/{id}/tasks/{task}/retry", tag = "tasks",
    params(("id" = String, Path), ("task" = String, Path)),
    security(("token" = ["tasks:retry"])),
    responses((status = 200, body = RunView)))]
async fn retry(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, task)): Path<(String, String)>,
) -> Result<Json<RunView>, Problem> {
    app.runs.retry_task(&caller, &id, &task).await.map(Json)
}

/// Settle a failed or waiting task by hand
#[utoipa::path(post, path = "/api/v1/runs/{id}/tasks/{task}/resolve", tag = "tasks",
    params(("id" = String, Path), ("task" = String, Path)), request_body = Option<ResolveTask>,
    security(("token" = ["tasks:resolve"])),
    responses((status = 200, body = RunView)))]
async fn resolve(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, task)): Path<(String, String)>,
    OptionalJson(how): OptionalJson<ResolveTask>,
) -> Result<Json<RunView>, Problem> {
    app.runs.resolve_task(&caller, &id, &task, how).await.map(Json)
}

//! `/runs/{id}/tasks`: the tasks of a run.

use super::extract::{Json, OptionalJson, Params, Path};
use super::logs::attempt_number;
use crate::access::Caller;
use crate::app::App;
use crate::problem::Problem;
use crate::runs::TaskPaging;
use axum::extract::State;
use loom_protocol::api::{
    AmendTask, AttemptDetail, ResolveTask, RunView, TaskDetail, TaskList, TaskOperation,
    TaskWhyView,
};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get, amend))
        .routes(routes!(attempt))
        .routes(routes!(why))
        .routes(routes!(retry))
        .routes(routes!(resolve))
        .routes(routes!(skip))
        .routes(routes!(cancel))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// In any of these phases; may be given several times.
    #[serde(default)]
    phase: Vec<String>,
    /// With this text, in any case, in the name.
    text: Option<String>,
    /// The order of the workflow if absent; or `name`, `duration`, `started_at`, with a minus before
    /// it for the last first. Tasks that have not started come last by duration or start.
    sort: Option<String>,
    /// Where the page before ended.
    cursor: Option<String>,
    /// The most items: 1 to 10,000, 1,000 if absent.
    limit: Option<usize>,
}

/// List the tasks of a run
///
/// All pages of a list show the run as it was for the first of them; `last_seq` says when that was, and
/// the run's events behind it say what happened since. A page with very many attempts ends early.
#[utoipa::path(get, path = "/api/v1/runs/{id}/tasks", tag = "tasks",
    params(("id" = String, Path), ListParams),
    security(("token" = ["runs:get"])),
    responses((status = 200, body = TaskList)))]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Params(params): Params<ListParams>,
) -> Result<Json<TaskList>, Problem> {
    let ListParams { phase: phases, text, sort, cursor, limit } = params;
    let paging = TaskPaging { phases, text, sort, cursor, limit };
    app.runs.tasks(&caller, &id, paging).await.map(Json)
}

/// Read a task with its attempts and what it set
#[utoipa::path(get, path = "/api/v1/runs/{id}/tasks/{task}", tag = "tasks",
    params(("id" = String, Path), ("task" = String, Path)),
    security(("token" = ["runs:get"])),
    responses((status = 200, body = TaskDetail)))]
async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, task)): Path<(String, String)>,
) -> Result<Json<TaskDetail>, Problem> {
    app.runs.task(&caller, &id, &task).await.map(Json)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ItemParams {
    /// The item's index, from 0, for a `for_each` task.
    item: Option<u32>,
}

/// Read an attempt with what it saw
#[utoipa::path(get, path = "/api/v1/runs/{id}/tasks/{task}/attempts/{attempt}", tag = "tasks",
    params(("id" = String, Path), ("task" = String, Path), ("attempt" = u32, Path), ItemParams),
    security(("token" = ["runs:get"])),
    responses((status = 200, body = AttemptDetail)))]
async fn attempt(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, task, attempt)): Path<(String, String, String)>,
    Params(params): Params<ItemParams>,
) -> Result<Json<AttemptDetail>, Problem> {
    let attempt = attempt_number(&attempt)?;
    app.runs.attempt(&caller, &id, &task, attempt, params.item).await.map(Json)
}

/// Explain where a task, or one item of it, stands
#[utoipa::path(get, path = "/api/v1/runs/{id}/tasks/{task}/why", tag = "tasks",
    params(("id" = String, Path), ("task" = String, Path), ItemParams),
    security(("token" = ["runs:get"])),
    responses((status = 200, body = TaskWhyView)))]
async fn why(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, task)): Path<(String, String)>,
    Params(params): Params<ItemParams>,
) -> Result<Json<TaskWhyView>, Problem> {
    app.runs.task_why(&caller, &id, &task, params.item).await.map(Json)
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

/// Skip a task that has not started
#[utoipa::path(post, path = "/api/v1/runs/{id}/tasks/{task}/skip", tag = "tasks",
    params(("id" = String, Path), ("task" = String, Path)), request_body = Option<TaskOperation>,
    security(("token" = ["tasks:skip"])),
    responses((status = 200, body = RunView)))]
async fn skip(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, task)): Path<(String, String)>,
    OptionalJson(operation): OptionalJson<TaskOperation>,
) -> Result<Json<RunView>, Problem> {
    app.runs.skip_task(&caller, &id, &task, operation.reason).await.map(Json)
}

/// Cancel one task alone; its run goes on
#[utoipa::path(post, path = "/api/v1/runs/{id}/tasks/{task}/cancel", tag = "tasks",
    params(("id" = String, Path), ("task" = String, Path)), request_body = Option<TaskOperation>,
    security(("token" = ["tasks:cancel"])),
    responses((status = 200, body = RunView)))]
async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, task)): Path<(String, String)>,
    OptionalJson(operation): OptionalJson<TaskOperation>,
) -> Result<Json<RunView>, Problem> {
    app.runs.cancel_task(&caller, &id, &task, operation.reason).await.map(Json)
}

/// Change a task's attempt limit, or what its later attempts see
#[utoipa::path(patch, path = "/api/v1/runs/{id}/tasks/{task}", tag = "tasks",
    params(("id" = String, Path), ("task" = String, Path)), request_body = AmendTask,
    security(("token" = ["tasks:update"])),
    responses((status = 200, body = RunView)))]
async fn amend(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, task)): Path<(String, String)>,
    Json(what): Json<AmendTask>,
) -> Result<Json<RunView>, Problem> {
    app.runs.amend_task(&caller, &id, &task, what).await.map(Json)
}

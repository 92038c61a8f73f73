//! `/dotflow`: where other systems report runs that they execute, in dotflow's protocol.
//!
//! Clients of its first versions leave `/cli` out; both ways lead to the same.

use super::extract::{Json, Path, body};
use super::gate::noted;
use crate::access::{Caller, Made};
use crate::app::App;
use crate::problem::Problem;
use crate::reports::Taken;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use loom_protocol::api::Reported;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Where reports come in.
pub(super) const REPORTS: &str = "/dotflow";
/// The header that the first versions of the client show their token in.
pub(super) const USER_TOKEN: &str = "x-user-token";

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().nest(REPORTS, calls()).nest(&format!("{REPORTS}/cli"), calls())
}

fn calls() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(create_workflow))
        .routes(routes!(update_workflow))
        .routes(routes!(create_task))
        .routes(routes!(update_task))
        .routes(routes!(update_task_alone))
}

/// What a reporter is answered. The audit log has who reports where that changes.
fn answer(status: StatusCode, taken: Taken) -> Response {
    let Taken { reported, taken_over } = taken;
    let run = Made::one("run", &reported.run);
    let answer = (status, Json(reported));
    if taken_over { noted(vec![run], answer) } else { answer.into_response() }
}

/// Report a workflow
///
/// Its run is of external origin: it is seen as all others are, and executed elsewhere. A workflow
/// whose run has ended starts anew, as another run.
#[utoipa::path(post, path = "/workflows", tag = "reports",
    security(("token" = ["reports:write"])),
    request_body(content = String, content_type = "application/json"),
    responses((status = 201, body = Reported)))]
async fn create_workflow(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let body = body(request, &app).await?;
    let taken = app.reports.create_workflow(&caller, &body).await?;
    Ok(answer(StatusCode::CREATED, taken))
}

/// Report that a workflow begins or ends
#[utoipa::path(patch, path = "/workflows/{workflow}", tag = "reports",
    params(("workflow" = String, Path)),
    security(("token" = ["reports:write"])),
    request_body(content = String, content_type = "application/json"),
    responses((status = 200, body = Reported)))]
async fn update_workflow(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(workflow): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let body = body(request, &app).await?;
    let taken = app.reports.update_workflow(&caller, &workflow, &body).await?;
    Ok(answer(StatusCode::OK, taken))
}

/// Report a task of a workflow
#[utoipa::path(post, path = "/workflows/{workflow}/tasks", tag = "reports",
    params(("workflow" = String, Path)),
    security(("token" = ["reports:write"])),
    request_body(content = String, content_type = "application/json"),
    responses((status = 201, body = Reported)))]
async fn create_task(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(workflow): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let body = body(request, &app).await?;
    let taken = app.reports.create_task(&caller, &workflow, &body).await?;
    Ok(answer(StatusCode::CREATED, taken))
}

/// Report how far a task has come
#[utoipa::path(patch, path = "/workflows/{workflow}/tasks/{task}", tag = "reports",
    params(("workflow" = String, Path), ("task" = String, Path)),
    security(("token" = ["reports:write"])),
    request_body(content = String, content_type = "application/json"),
    responses((status = 200, body = Reported)))]
async fn update_task(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((workflow, task)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let body = body(request, &app).await?;
    let taken = app.reports.update_task(&caller, Some(&workflow), &task, &body).await?;
    Ok(answer(StatusCode::OK, taken))
}

/// Report how far a task has come, of the workflow that the body names
#[utoipa::path(patch, path = "/tasks/{task}", tag = "reports",
    params(("task" = String, Path)),
    security(("token" = ["reports:write"])),
    request_body(content = String, content_type = "application/json"),
    responses((status = 200, body = Reported)))]
async fn update_task_alone(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(task): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let body = body(request, &app).await?;
    let taken = app.reports.update_task(&caller, None, &task, &body).await?;
    Ok(answer(StatusCode::OK, taken))
}

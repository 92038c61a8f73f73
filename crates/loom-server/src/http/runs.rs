//! `/runs`: starting, finding and steering them.

use super::extract::{Json, OptionalJson, text};
use crate::access::Caller;
use crate::app::App;
use crate::problem::Problem;
use crate::runs::StartContext;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use loom_protocol::api::{Operation, RunDetail, RunView, StartRun, Started};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(start))
        .routes(routes!(get))
        .routes(routes!(cancel))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(retry))
}

/// Start a run
///
/// Answers once the run is durable: 201, or 200 with the first run if this is a repeat.
#[utoipa::path(post, path = "/api/v1/runs", tag = "runs", request_body = StartRun,
    params(("Idempotency-Key" = Option<String>, Header), ("traceparent" = Option<String>, Header),
        ("X-Correlation-ID" = Option<String>, Header)),
    security(("token" = ["runs:start"])),
    responses((status = 201, body = Started), (status = 200, body = Started)))]
async fn start(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Json(request): Json<StartRun>,
) -> Result<Response, Problem> {
    let owned = |name| text(&headers, name).map(|text| text.map(str::to_owned));
    let context = StartContext {
        idempotency_key: owned("idempotency-key")?,
        correlation_id: owned("x-correlation-id")?.unwrap_or_default(),
        traceparent: owned("traceparent")?,
        rerun_of: None,
    };
    let started = app.runs.start(&caller, request, context).await?;
    let status = if started.repeated { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(started)).into_response())
}

/// Read a run
#[utoipa::path(get, path = "/api/v1/runs/{id}", tag = "runs", params(("id" = String, Path)),
    security(("token" = ["runs:get"])),
    responses((status = 200, body = RunDetail)))]
async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<RunDetail>, Problem> {
    app.runs.get(&caller, &id).await.map(Json)
}

/// Cancel a run
#[utoipa::path(post, path = "/api/v1/runs/{id}/cancel", tag = "runs",
    params(("id" = String, Path)), request_body = Option<Operation>,
    security(("token" = ["runs:cancel"])),
    responses((status = 200, body = RunView)))]
async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    OptionalJson(operation): OptionalJson<Operation>,
) -> Result<Json<RunView>, Problem> {
    app.runs.cancel(&caller, &id, operation.reason).await.map(Json)
}

/// Let nothing new start in a run
#[utoipa::path(post, path = "/api/v1/runs/{id}/pause", tag = "runs", params(("id" = String, Path)),
    security(("token" = ["runs:pause"])),
    responses((status = 200, body = RunView)))]
async fn pause(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<RunView>, Problem> {
    app.runs.pause(&caller, &id).await.map(Json)
}

/// Go on after a pause
#[utoipa::path(post, path = "/api/v1/runs/{id}/resume", tag = "runs",
    params(("id" = String, Path)),
    security(("token" = ["runs:pause"])),
    responses((status = 200, body = RunView)))]
async fn resume(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<RunView>, Problem> {
    app.runs.resume(&caller, &id).await.map(Json)
}

/// Try the failed tasks of a run again
#[utoipa::path(post, path = "/api/v1/runs/{id}/retry", tag = "runs", params(("id" = String, Path)),
    security(("token" = ["runs:retry"])),
    responses((status = 200, body = RunView)))]
async fn retry(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<RunView>, Problem> {
    app.runs.retry(&caller, &id).await.map(Json)
}

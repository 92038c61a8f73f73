//! `/runs`: starting, finding and steering them.

use super::extract::{Json, ListParams, OptionalJson, Pairs, Params, Path, params, tagged, text};
use super::gate::noted;
use super::graph::GraphParams;
use crate::access::{Caller, Made};
use crate::app::App;
use crate::asked::Precondition;
use crate::problem::Problem;
use crate::runs::{Paging, StartContext};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use loom_protocol::api::{
    AnnotationKeyList, ChangeRun, Operation, RerunRun, RunCounts, RunDetail, RunGraphView, RunList,
    RunSelector, RunSubmission, RunView, RunWhyView, StartRun, Started,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, start))
        .routes(routes!(counts))
        .routes(routes!(annotation_keys))
        .routes(routes!(get, change, delete))
        .routes(routes!(submission))
        .routes(routes!(graph))
        .routes(routes!(why))
        .routes(routes!(rerun))
        .routes(routes!(cancel))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(retry))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PageParams {
    /// `-created_at`, the youngest first, if absent; or `created_at`, `-finished_at`,
    /// `finished_at`.
    sort: Option<String>,
    /// Where the page before ended.
    cursor: Option<String>,
    /// The most items: 1 to 200, 50 if absent.
    limit: Option<usize>,
}

/// List and search runs
///
/// Parameters that may be given several times: `status` (any of them), `tag` and `annotation` (all
/// of them).
#[utoipa::path(get, path = "/api/v1/runs", tag = "runs", params(RunSelector, PageParams),
    security(("token" = ["runs:list"])),
    responses((status = 200, body = RunList)))]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Pairs(pairs): Pairs,
) -> Result<Json<RunList>, Problem> {
    let is_page = |(name, _): &(String, String)| ["sort", "cursor", "limit"].contains(&&**name);
    let (page, selector) = pairs.into_iter().partition(is_page);
    let (page, selector): (PageParams, RunSelector) = (params(page)?, params(selector)?);
    let limit = super::page(&app, page.limit)?;
    let paging = Paging { sort: page.sort, cursor: page.cursor, limit };
    app.runs.list(&caller, &selector, paging).await.map(Json)
}

/// Count runs by state
#[utoipa::path(get, path = "/api/v1/runs/counts", tag = "runs", params(RunSelector),
    security(("token" = ["runs:list"])),
    responses((status = 200, body = RunCounts)))]
async fn counts(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(selector): Params<RunSelector>,
) -> Result<Json<RunCounts>, Problem> {
    app.runs.counts(&caller, &selector).await.map(Json)
}

/// List the keys of annotations that runs have
///
/// With how many runs have each. A page may hold fewer items than its limit and yet have a next one.
#[utoipa::path(get, path = "/api/v1/runs/annotation-keys", tag = "runs", params(ListParams),
    security(("token" = ["runs:list"])),
    responses((status = 200, body = AnnotationKeyList)))]
async fn annotation_keys(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(params): Params<ListParams>,
) -> Result<Json<AnnotationKeyList>, Problem> {
    let limit = super::page(&app, params.limit)?;
    let namespace = params.namespace.as_deref();
    app.runs.annotation_keys(&caller, namespace, params.cursor, limit).await.map(Json)
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
    let started = app.runs.start(&caller, request, context(&headers)?).await?;
    Ok(accepted("id", started))
}

/// What a request to start carries beside its body.
pub(super) fn context(headers: &HeaderMap) -> Result<StartContext, Problem> {
    let idempotency_key = text(headers, "idempotency-key")?.map(str::to_owned);
    Ok(StartContext { idempotency_key, ..origin(headers)? })
}

/// What a request is part of.
pub(super) fn origin(headers: &HeaderMap) -> Result<StartContext, Problem> {
    let owned = |name| text(headers, name).map(|text| text.map(str::to_owned));
    Ok(StartContext {
        correlation_id: owned("x-correlation-id")?.unwrap_or_default(),
        traceparent: owned("traceparent")?,
        ..StartContext::default()
    })
}

/// A run that was started, or the one that is there already; the audit log calls it so.
pub(super) fn accepted(what: &str, started: Started) -> Response {
    let status = if started.repeated { StatusCode::OK } else { StatusCode::CREATED };
    noted(vec![Made::one(what, &started.id)], (status, Json(started)))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DetailParams {
    /// The most tasks: 0 to 10,000, 1,000 if absent. `next_cursor` leads to those behind them.
    tasks: Option<usize>,
}

/// Read a run
///
/// Its `ETag` names what `PATCH` may change. Of a run with very many tasks it holds the first; the
/// others are at `/runs/{id}/tasks`.
#[utoipa::path(get, path = "/api/v1/runs/{id}", tag = "runs",
    params(("id" = String, Path), DetailParams),
    security(("token" = ["runs:get"])),
    responses((status = 200, body = RunDetail)))]
async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Params(params): Params<DetailParams>,
) -> Result<Response, Problem> {
    app.runs.get(&caller, &id, params.tasks).await.map(tagged)
}

/// Read the graph of a run
///
/// Nodes with where each task stands, edges and levels as data, and the picture as Mermaid and DOT, in
/// which colours and shapes tell where tasks stand.
#[utoipa::path(get, path = "/api/v1/runs/{id}/graph", tag = "runs",
    params(("id" = String, Path), GraphParams),
    security(("token" = ["runs:get"])),
    responses((status = 200, content((RunGraphView = "application/json"),
        (String = "text/vnd.mermaid"), (String = "text/vnd.graphviz")))))]
async fn graph(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Params(params): Params<GraphParams>,
) -> Result<Response, Problem> {
    let view = app.runs.graph(&caller, &id).await?;
    Ok(params.answer(view, |view| (view.mermaid, view.dot)))
}

/// Change a run's labels, reason or, before it begins, its priority
///
/// With `If-Match`, only if these are still what the caller saw.
#[utoipa::path(patch, path = "/api/v1/runs/{id}", tag = "runs",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = ChangeRun,
    security(("token" = ["runs:update"])),
    responses((status = 200, body = RunView)))]
async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    when: Precondition,
    Json(change): Json<Map<String, Value>>,
) -> Result<Response, Problem> {
    app.runs.change_as_written(&caller, &id, change, when).await.map(tagged)
}

/// Read what a run began with
///
/// With the run's events, from its first, it is all that there is to know: everything else follows
/// from them. `loom --server` shows a run so.
#[utoipa::path(get, path = "/api/v1/runs/{id}/submission", tag = "runs",
    params(("id" = String, Path)),
    security(("token" = ["runs:get"])),
    responses((status = 200, body = RunSubmission)))]
async fn submission(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<RunSubmission>, Problem> {
    app.runs.began_with(&caller, &id).await.map(Json)
}

/// Delete an ended run with its journal and logs
#[utoipa::path(delete, path = "/api/v1/runs/{id}", tag = "runs", params(("id" = String, Path)),
    security(("token" = ["runs:delete"])),
    responses((status = 204)))]
async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.runs.delete(&caller, &id).await.map(|()| StatusCode::NO_CONTENT)
}

/// Explain where a run stands
#[utoipa::path(get, path = "/api/v1/runs/{id}/why", tag = "runs", params(("id" = String, Path)),
    security(("token" = ["runs:get"])),
    responses((status = 200, body = RunWhyView)))]
async fn why(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<RunWhyView>, Problem> {
    app.runs.why(&caller, &id).await.map(Json)
}

/// Run a workflow again as this run did, perhaps with other variables
///
/// Secret values are not read back: the workflow sets its own again, and those that the run was
/// given, the request has to give again. With other variables or another version it takes `runs:start`
/// beside `runs:retry`.
#[utoipa::path(post, path = "/api/v1/runs/{id}/rerun", tag = "runs",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header),
        ("traceparent" = Option<String>, Header), ("X-Correlation-ID" = Option<String>, Header)),
    request_body = Option<RerunRun>,
    security(("token" = ["runs:retry"])),
    responses((status = 201, body = Started), (status = 200, body = Started)))]
async fn rerun(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    OptionalJson(how): OptionalJson<RerunRun>,
) -> Result<Response, Problem> {
    let started = app.runs.rerun(&caller, &id, how, context(&headers)?).await?;
    Ok(accepted("run", started))
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

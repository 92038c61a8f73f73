//! `/schedules`: runs that start by themselves.

use super::cursor;
use super::extract::{Json, ListParams, Params, Path, tagged, written};
use super::runs::{accepted, context};
use crate::access::Caller;
use crate::app::App;
use crate::asked::Precondition;
use crate::problem::Problem;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use loom_protocol::api::{NextTicks, ScheduleList, ScheduleSpec, ScheduleView, Started};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get, put, delete))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(trigger))
        .routes(routes!(next))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NextParams {
    /// How many: 1 to 100, 10 if absent.
    count: Option<usize>,
}

/// List schedules
#[utoipa::path(get, path = "/api/v1/schedules", tag = "schedules", params(ListParams),
    security(("token" = ["schedules:list"])),
    responses((status = 200, body = ScheduleList)))]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(params): Params<ListParams>,
) -> Result<Json<ScheduleList>, Problem> {
    let limit = super::page(&app, params.limit)?;
    let namespace = params.namespace.as_deref();
    let place = cursor::open("schedules", params.cursor)?;
    let mut page = app.schedules.list(&caller, namespace, place, limit).await?;
    page.next_cursor = cursor::seal("schedules", page.next_cursor);
    Ok(Json(page))
}

/// Read a schedule
#[utoipa::path(get, path = "/api/v1/schedules/{name}", tag = "schedules",
    params(("name" = String, Path)),
    security(("token" = ["schedules:list"])),
    responses((status = 200, body = ScheduleView)))]
async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    app.schedules.get(&caller, &name).await.map(tagged)
}

/// Make or replace a schedule
///
/// 201 if it is new. `If-None-Match: *` only makes, `If-Match` only replaces what the caller saw.
/// Its runs are started in the caller's name, who must be allowed to start them.
#[utoipa::path(put, path = "/api/v1/schedules/{name}", tag = "schedules",
    params(("name" = String, Path), ("If-Match" = Option<String>, Header),
        ("If-None-Match" = Option<String>, Header)),
    request_body = ScheduleSpec,
    security(("token" = ["schedules:write", "runs:start"])),
    responses((status = 200, body = ScheduleView), (status = 201, body = ScheduleView)))]
async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    when: Precondition,
    Json(spec): Json<ScheduleSpec>,
) -> Result<Response, Problem> {
    app.schedules.put(&caller, &name, spec, when).await.map(written)
}

/// Delete a schedule
///
/// Runs that it started go on.
#[utoipa::path(delete, path = "/api/v1/schedules/{name}", tag = "schedules",
    params(("name" = String, Path), ("If-Match" = Option<String>, Header)),
    security(("token" = ["schedules:write"])),
    responses((status = 204)))]
async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    when: Precondition,
) -> Result<StatusCode, Problem> {
    app.schedules.delete(&caller, &name, when.version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let a schedule start nothing
#[utoipa::path(post, path = "/api/v1/schedules/{name}/pause", tag = "schedules",
    params(("name" = String, Path)),
    security(("token" = ["schedules:write"])),
    responses((status = 200, body = ScheduleView)))]
async fn pause(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    app.schedules.pause(&caller, &name, true).await.map(tagged)
}

/// Let a schedule go on after a pause
#[utoipa::path(post, path = "/api/v1/schedules/{name}/resume", tag = "schedules",
    params(("name" = String, Path)),
    security(("token" = ["schedules:write"])),
    responses((status = 200, body = ScheduleView)))]
async fn resume(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    app.schedules.pause(&caller, &name, false).await.map(tagged)
}

/// Start a run of a schedule at once
///
/// 201, or 200 with the first run if this is a repeat.
#[utoipa::path(post, path = "/api/v1/schedules/{name}/trigger", tag = "schedules",
    params(("name" = String, Path), ("Idempotency-Key" = Option<String>, Header),
        ("traceparent" = Option<String>, Header), ("X-Correlation-ID" = Option<String>, Header)),
    security(("token" = ["runs:start"])),
    responses((status = 201, body = Started), (status = 200, body = Started)))]
async fn trigger(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    app.schedules.trigger(&caller, &name, context(&headers)?).await.map(accepted)
}

/// Foretell the next ticks of a schedule
#[utoipa::path(get, path = "/api/v1/schedules/{name}/next", tag = "schedules",
    params(("name" = String, Path), NextParams),
    security(("token" = ["schedules:list"])),
    responses((status = 200, body = NextTicks)))]
async fn next(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Params(params): Params<NextParams>,
) -> Result<Json<NextTicks>, Problem> {
    app.schedules.next(&caller, &name, params.count.unwrap_or(10)).await.map(Json)
}

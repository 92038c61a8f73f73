//! `/limits`: how many runs and tasks there may be at once.

use super::cursor;
use super::extract::{Json, ListParams, Params, Path, tagged, written};
use crate::access::Caller;
use crate::app::App;
use crate::asked::Precondition;
use crate::problem::Problem;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use loom_protocol::api::{LimitList, LimitSpec, LimitView};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, put, delete))
}

/// List limits
#[utoipa::path(get, path = "/api/v1/limits", tag = "limits", params(ListParams),
    security(("token" = ["limits:list"])),
    responses((status = 200, body = LimitList)))]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(params): Params<ListParams>,
) -> Result<Json<LimitList>, Problem> {
    let limit = super::page(&app, params.limit)?;
    let place = cursor::open("limits", params.cursor)?;
    let mut page = app.limits.list(&caller, params.namespace.as_deref(), place, limit).await?;
    page.next_cursor = cursor::seal("limits", page.next_cursor);
    Ok(Json(page))
}

/// Read a limit
#[utoipa::path(get, path = "/api/v1/limits/{name}", tag = "limits",
    params(("name" = String, Path)),
    security(("token" = ["limits:list"])),
    responses((status = 200, body = LimitView)))]
async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    app.limits.get(&caller, &name).await.map(tagged)
}

/// Make or replace a limit
///
/// 201 if it is new. `If-None-Match: *` only makes, `If-Match` only replaces what the caller saw.
/// Runs that are under way count, and go on.
#[utoipa::path(put, path = "/api/v1/limits/{name}", tag = "limits",
    params(("name" = String, Path), ("If-Match" = Option<String>, Header),
        ("If-None-Match" = Option<String>, Header)),
    request_body = LimitSpec,
    security(("token" = ["limits:write"])),
    responses((status = 200, body = LimitView), (status = 201, body = LimitView)))]
async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    when: Precondition,
    Json(spec): Json<LimitSpec>,
) -> Result<Response, Problem> {
    app.limits.put(&caller, &name, spec, when).await.map(written)
}

/// Delete a limit
///
/// Runs that waited for it alone begin.
#[utoipa::path(delete, path = "/api/v1/limits/{name}", tag = "limits",
    params(("name" = String, Path), ("If-Match" = Option<String>, Header)),
    security(("token" = ["limits:write"])),
    responses((status = 204)))]
async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    when: Precondition,
) -> Result<StatusCode, Problem> {
    app.limits.delete(&caller, &name, when).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! `/retention`: rules by which ended runs are deleted.

use super::extract::{Json, Path, etag, if_match};
use crate::access::Caller;
use crate::app::App;
use crate::problem::Problem;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use loom_protocol::api::{RetentionList, RetentionRule, RetentionView};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, put, delete))
}

/// List retention rules
#[utoipa::path(get, path = "/api/v1/retention", tag = "retention",
    security(("token" = ["runs:list"])),
    responses((status = 200, body = RetentionList)))]
async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<RetentionList>, Problem> {
    app.retention.list(&caller).await.map(Json)
}

/// Read a retention rule
#[utoipa::path(get, path = "/api/v1/retention/{name}", tag = "retention",
    params(("name" = String, Path)),
    security(("token" = ["runs:list"])),
    responses((status = 200, body = RetentionView)))]
async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let found = app.retention.get(&caller, &name).await?;
    Ok((etag(found.version), Json(found.value)).into_response())
}

/// Write a retention rule
///
/// It takes effect at once, and again every minute.
#[utoipa::path(put, path = "/api/v1/retention/{name}", tag = "retention",
    params(("name" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = RetentionRule,
    security(("token" = ["runs:delete"])),
    responses((status = 200, body = RetentionView), (status = 201, body = RetentionView)))]
async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(rule): Json<RetentionRule>,
) -> Result<Response, Problem> {
    let expected = if_match(&headers)?;
    let (found, new) = app.retention.put(&caller, &name, rule, expected).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, etag(found.version), Json(found.value)).into_response())
}

/// Delete a retention rule; runs stay from now on
#[utoipa::path(delete, path = "/api/v1/retention/{name}", tag = "retention",
    params(("name" = String, Path), ("If-Match" = Option<String>, Header)),
    security(("token" = ["runs:delete"])),
    responses((status = 204)))]
async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let expected = if_match(&headers)?;
    app.retention.delete(&caller, &name, expected).await.map(|()| StatusCode::NO_CONTENT)
}

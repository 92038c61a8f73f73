//! `/retention`: rules by which ended runs are deleted.

use super::extract::{Json, PageParams, Params, Path, tagged, written};
use crate::access::Caller;
use crate::app::App;
use crate::asked::Precondition;
use crate::problem::Problem;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use loom_protocol::api::{RetentionList, RetentionRule, RetentionView};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, put, delete))
}

/// List retention rules
#[utoipa::path(get, path = "/api/v1/retention", tag = "retention", params(PageParams),
    security(("token" = ["runs:list"])),
    responses((status = 200, body = RetentionList)))]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(params): Params<PageParams>,
) -> Result<Json<RetentionList>, Problem> {
    let all = app.retention.list(&caller).await?;
    let (items, next_cursor) =
        super::cut(&app, "retention", all, params, |it| it.name.as_str(), str::to_owned)?;
    Ok(Json(RetentionList { items, next_cursor }))
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
    app.retention.get(&caller, &name).await.map(tagged)
}

/// Write a retention rule
///
/// 201 if it is new. It takes effect at once, and again every 5 seconds.
#[utoipa::path(put, path = "/api/v1/retention/{name}", tag = "retention",
    params(("name" = String, Path), ("If-Match" = Option<String>, Header),
        ("If-None-Match" = Option<String>, Header)),
    request_body = RetentionRule,
    security(("token" = ["runs:delete"])),
    responses((status = 200, body = RetentionView), (status = 201, body = RetentionView)))]
async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    when: Precondition,
    Json(rule): Json<RetentionRule>,
) -> Result<Response, Problem> {
    app.retention.put(&caller, &name, rule, when).await.map(written)
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
    when: Precondition,
) -> Result<StatusCode, Problem> {
    app.retention.delete(&caller, &name, when).await?;
    Ok(StatusCode::NO_CONTENT)
}

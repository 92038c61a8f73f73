//! `/triggers`: requests from elsewhere, and files, that start runs; and `/hooks`, where these
//! requests come in.

use super::cursor;
use super::extract::{Json, ListParams, Params, Path, body, tagged, written};
use super::guard::failed;
use super::runs::{accepted, origin};
use crate::access::Caller;
use crate::app::App;
use crate::asked::Precondition;
use crate::problem::Problem;
use crate::serve::Peer;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use loom_protocol::api::{Started, TriggerList, TriggerSpec, TriggerView};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Where requests come in that show no token but what their trigger asks for.
pub(super) const HOOKS: &str = "/hooks/";

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get, put, delete))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(receive))
}

/// List triggers
#[utoipa::path(get, path = "/api/v1/triggers", tag = "triggers", params(ListParams),
    security(("token" = ["triggers:list"])),
    responses((status = 200, body = TriggerList)))]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(params): Params<ListParams>,
) -> Result<Json<TriggerList>, Problem> {
    let limit = super::page(&app, params.limit)?;
    let namespace = params.namespace.as_deref();
    let place = cursor::open("triggers", params.cursor)?;
    let mut page = app.triggers.list(&caller, namespace, place, limit).await?;
    page.next_cursor = cursor::seal("triggers", page.next_cursor);
    Ok(Json(page))
}

/// Read a trigger
#[utoipa::path(get, path = "/api/v1/triggers/{name}", tag = "triggers",
    params(("name" = String, Path)),
    security(("token" = ["triggers:list"])),
    responses((status = 200, body = TriggerView)))]
async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    app.triggers.get(&caller, &name).await.map(tagged)
}

/// Make or replace a trigger
///
/// 201 if it is new. `If-None-Match: *` only makes, `If-Match` only replaces what the caller saw.
/// Its runs are started in the caller's name, who must be allowed to start them. Files have to be in
/// a folder that the server's settings allow.
#[utoipa::path(put, path = "/api/v1/triggers/{name}", tag = "triggers",
    params(("name" = String, Path), ("If-Match" = Option<String>, Header),
        ("If-None-Match" = Option<String>, Header)),
    request_body = TriggerSpec,
    security(("token" = ["triggers:write", "runs:start"])),
    responses((status = 200, body = TriggerView), (status = 201, body = TriggerView)))]
async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    when: Precondition,
    Json(spec): Json<TriggerSpec>,
) -> Result<Response, Problem> {
    app.triggers.put(&caller, &name, spec, when).await.map(written)
}

/// Delete a trigger
#[utoipa::path(delete, path = "/api/v1/triggers/{name}", tag = "triggers",
    params(("name" = String, Path), ("If-Match" = Option<String>, Header)),
    security(("token" = ["triggers:write"])),
    responses((status = 204)))]
async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    when: Precondition,
) -> Result<StatusCode, Problem> {
    app.triggers.delete(&caller, &name, when.version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let a trigger start nothing
///
/// Requests to it are refused, and files are not looked at.
#[utoipa::path(post, path = "/api/v1/triggers/{name}/pause", tag = "triggers",
    params(("name" = String, Path)),
    security(("token" = ["triggers:write"])),
    responses((status = 200, body = TriggerView)))]
async fn pause(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    app.triggers.pause(&caller, &name, true).await.map(tagged)
}

/// Let a trigger go on after a pause
#[utoipa::path(post, path = "/api/v1/triggers/{name}/resume", tag = "triggers",
    params(("name" = String, Path)),
    security(("token" = ["triggers:write"])),
    responses((status = 200, body = TriggerView)))]
async fn resume(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    app.triggers.pause(&caller, &name, false).await.map(tagged)
}

/// Start a run by a request from elsewhere
///
/// No token: the request shows what the trigger asks for. 201, or 200 with the first run if this
/// delivery came before. An address that often shows what is wrong has to wait.
#[utoipa::path(post, path = "/hooks/{name}", tag = "triggers",
    params(("name" = String, Path), ("traceparent" = Option<String>, Header),
        ("X-Correlation-ID" = Option<String>, Header)),
    security(()),
    request_body(content = String, content_type = "application/json"),
    responses((status = 201, body = Started), (status = 200, body = Started)))]
async fn receive(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let address = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let context = origin(&headers)?;
    let body = body(request, &app).await?;
    let started = app.triggers.receive(&name, &headers, &body, context).await;
    started.map(accepted).map_err(|problem| failed(&app, problem, address))
}

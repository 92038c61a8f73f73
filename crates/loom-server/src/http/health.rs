//! `/health` and `/metrics`.

use super::extract::Json;
use crate::access::Caller;
use crate::app::App;
use crate::insight::METRICS_TYPE;
use crate::problem::Problem;
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use loom_protocol::api::{Alive, Readiness, Status};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What nobody needs a token for.
pub(super) fn open_routes(open_metrics: bool) -> OpenApiRouter<Arc<App>> {
    let routes = OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready));
    if open_metrics { routes.routes(routes!(metrics)) } else { routes }
}

pub(super) fn routes(open_metrics: bool) -> OpenApiRouter<Arc<App>> {
    let routes = OpenApiRouter::new().routes(routes!(status));
    if open_metrics { routes } else { routes.routes(routes!(metrics)) }
}

/// Whether the process answers
#[utoipa::path(get, path = "/health/live", tag = "health", security(()),
    responses((status = 200, body = Alive)))]
async fn live() -> Json<Alive> {
    Json(Alive { alive: true })
}

/// Whether the server can do its work
///
/// 503 if not. The store is read and written, the disk looked at, the engine asked, and whether events
/// come; an answer holds for a second.
#[utoipa::path(get, path = "/health/ready", tag = "health", security(()),
    responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
async fn ready(State(app): State<Arc<App>>) -> Response {
    let readiness = app.insight.ready().await;
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

/// How the server stands
#[utoipa::path(get, path = "/health/status", tag = "health",
    security(("token" = ["status:get"])),
    responses((status = 200, body = Status)))]
async fn status(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Status>, Problem> {
    app.insight.status(&app.runs, &caller).await.map(Json)
}

/// All metrics, in the text format of Prometheus
#[utoipa::path(get, path = "/metrics", tag = "health",
    security(("token" = ["metrics:get"])),
    responses((status = 200, content_type = "text/plain", body = String)))]
async fn metrics(
    State(app): State<Arc<App>>,
    caller: Option<Extension<Caller>>,
) -> Result<Response, Problem> {
    // Where metrics are open, nobody has been asked for a token.
    let caller = caller.map(|Extension(caller)| caller);
    let page = app.insight.metrics(caller.as_ref(), &app.limits).await?;
    Ok(([(header::CONTENT_TYPE, METRICS_TYPE)], page).into_response())
}

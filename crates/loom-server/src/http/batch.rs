//! `/runs/batch`: many runs in one call.

use super::extract::Json;
use super::gate::noted;
use super::runs::context;
use crate::access::{Caller, Made};
use crate::app::App;
use crate::problem::Problem;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use loom_protocol::api::{BatchAct, BatchDone, BatchStart, BatchStarted};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(start)).routes(routes!(cancel)).routes(routes!(retry))
}

/// Start many runs
///
/// Each is started, or refused, by itself; the answer says which. With an `Idempotency-Key` the
/// call may be repeated: it stands for one key for each place in the list.
#[utoipa::path(post, path = "/api/v1/runs/batch", tag = "batch", request_body = BatchStart,
    params(("Idempotency-Key" = Option<String>, Header), ("traceparent" = Option<String>, Header),
        ("X-Correlation-ID" = Option<String>, Header)),
    security(("token" = ["runs:start"])),
    responses((status = 200, body = BatchStarted)))]
async fn start(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Json(batch): Json<BatchStart>,
) -> Result<Response, Problem> {
    let started = app.runs.start_batch(&caller, batch, context(&headers)?).await?;
    let made = started.items.iter().filter_map(|item| Some(Made::one("id", item.id.as_ref()?)));
    Ok(noted(made.collect(), Json(started)))
}

/// Cancel all runs that match
#[utoipa::path(post, path = "/api/v1/runs/batch/cancel", tag = "batch", request_body = BatchAct,
    security(("token" = ["runs:cancel"])),
    responses((status = 200, body = BatchDone)))]
async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(act): Json<BatchAct>,
) -> Result<Response, Problem> {
    app.runs.cancel_batch(&caller, act).await.map(done)
}

/// Retry all failed runs that match
#[utoipa::path(post, path = "/api/v1/runs/batch/retry", tag = "batch", request_body = BatchAct,
    security(("token" = ["runs:retry"])),
    responses((status = 200, body = BatchDone)))]
async fn retry(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(act): Json<BatchAct>,
) -> Result<Response, Problem> {
    app.runs.retry_batch(&caller, act).await.map(done)
}

/// What was done to runs; a dry run does nothing to them, and the audit log says so.
fn done(done: BatchDone) -> Response {
    if done.dry_run {
        return noted(vec![Made::nothing()], Json(done));
    }
    let to = done.items.iter().filter(|item| item.problem.is_none());
    let to = to.map(|item| Made::one("id", &item.id)).collect();
    noted(to, Json(done))
}

//! `/analytics`: what recorded attempts add up to.

use super::extract::{Json, Params, Path};
use crate::access::Caller;
use crate::app::App;
use crate::insight::Scope;
use crate::problem::Problem;
use axum::extract::State;
use loom_protocol::api::{Bottlenecks, Performance, RunAnalysis};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(performance))
        .routes(routes!(bottlenecks))
        .routes(routes!(run))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ScopeParams {
    /// Only of this namespace.
    namespace: Option<String>,
    /// Only of workflows of this name.
    workflow: Option<String>,
    /// Only of this version of them.
    version: Option<String>,
    /// The last so many hours; 24 if left out.
    hours: Option<u32>,
}

impl ScopeParams {
    fn scope(self) -> Scope {
        let Self { namespace, workflow, version, hours } = self;
        Scope { namespace, workflow, version, hours }
    }
}

/// Throughput, rates and percentiles
#[utoipa::path(get, path = "/api/v1/analytics/performance", tag = "analytics", params(ScopeParams),
    security(("token" = ["analytics:get"])),
    responses((status = 200, body = Performance)))]
async fn performance(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(params): Params<ScopeParams>,
) -> Result<Json<Performance>, Problem> {
    app.insight.performance(&caller, params.scope()).await.map(Json)
}

/// Where the time goes and what fails
#[utoipa::path(get, path = "/api/v1/analytics/bottlenecks", tag = "analytics", params(ScopeParams),
    security(("token" = ["analytics:get"])),
    responses((status = 200, body = Bottlenecks)))]
async fn bottlenecks(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(params): Params<ScopeParams>,
) -> Result<Json<Bottlenecks>, Problem> {
    app.insight.bottlenecks(&caller, params.scope()).await.map(Json)
}

/// Take a run apart: critical path, slack, parallelism, what blocked what
#[utoipa::path(get, path = "/api/v1/runs/{id}/analysis", tag = "analytics",
    params(("id" = String, Path)),
    security(("token" = ["analytics:get"])),
    responses((status = 200, body = RunAnalysis)))]
async fn run(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<RunAnalysis>, Problem> {
    app.insight.run(&app.runs, &caller, &id).await.map(Json)
}

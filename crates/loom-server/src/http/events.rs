//! `/events`: server-sent events, resumable by `Last-Event-ID`, and the catalogue of their types.

use super::extract::{Json, Params, Path, text};
use super::stream::respond;
use super::warrant::Warrant;
use crate::access::{Caller, Permission};
use crate::app::{App, Wanted};
use crate::feed::{Types, bad_number};
use crate::problem::Problem;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use loom_protocol::{EventCatalog, RunEvent, event_catalog};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(all)).routes(routes!(of_run)).routes(routes!(catalog))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EventParams {
    /// Only these types, separated by commas: `run.finished`, or `task.*`.
    types: Option<String>,
    /// Only of this namespace.
    namespace: Option<String>,
    /// Only of this workflow.
    workflow: Option<String>,
    /// Begin behind this event, as `Last-Event-ID` does; `0-0` for everything that is kept.
    after: Option<String>,
}

/// Follow the events of all runs
///
/// Each event's `id` names it for good: a reader that comes back with `Last-Event-ID` goes on
/// where it stopped, without a gap and without a repeat, across restarts of either side.
#[utoipa::path(get, path = "/api/v1/events", tag = "events",
    params(EventParams, ("Last-Event-ID" = Option<String>, Header)),
    security(("token" = ["events:read"])),
    responses((status = 200, content_type = "text/event-stream", body = RunEvent)))]
async fn all(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Params(params): Params<EventParams>,
) -> Result<Response, Problem> {
    let permit = app.stream_permit()?;
    let EventParams { types, namespace, workflow, after } = params;
    let after = text(&headers, "last-event-id")?.map(str::to_owned).or(after);
    let types = Types::parse(types.as_deref())?;
    let events = app.all_events(&caller, Wanted { types, namespace, workflow, after }).await?;
    let warrant = Warrant::new(&app, &caller, &headers, Permission::EventsRead)?;
    Ok(respond(events, permit, warrant, app.config.limits.write))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RunEventParams {
    /// Only these types, separated by commas: `run.finished`, or `task.*`.
    types: Option<String>,
    /// Begin behind the event of this number, as `Last-Event-ID` does; 0 for all.
    after: Option<u64>,
}

/// Follow the events of one run, from its first
///
/// Each event's `id` is its number within the run.
#[utoipa::path(get, path = "/api/v1/runs/{id}/events", tag = "events",
    params(("id" = String, Path), RunEventParams, ("Last-Event-ID" = Option<u64>, Header)),
    security(("token" = ["events:read"])),
    responses((status = 200, content_type = "text/event-stream", body = RunEvent)))]
async fn of_run(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Params(params): Params<RunEventParams>,
) -> Result<Response, Problem> {
    let permit = app.stream_permit()?;
    let last = text(&headers, "last-event-id")?.map(str::parse).transpose();
    let after = last.map_err(|_| bad_number())?.or(params.after).unwrap_or(0);
    let types = Types::parse(params.types.as_deref())?;
    let events = app.run_events(&caller, &id, types, after).await?;
    let warrant = Warrant::new(&app, &caller, &headers, Permission::EventsRead)?;
    Ok(respond(events, permit, warrant, app.config.limits.write))
}

/// List every type of event, with its schema and an example
#[utoipa::path(get, path = "/api/v1/events/catalog", tag = "events",
    security(("token" = ["events:read"])),
    responses((status = 200, body = EventCatalog)))]
async fn catalog(caller: Caller) -> Result<Json<EventCatalog>, Problem> {
    caller.namespaces(Permission::EventsRead)?;
    Ok(Json(event_catalog()))
}

//! `/events`: server-sent events, resumable by `Last-Event-ID`.

use super::extract::{Params, text};
use crate::access::{Caller, Permission};
use crate::app::App;
use crate::feed::Batch;
use crate::problem::Problem;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use loom_protocol::{ErrorCode, RunEvent};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How often a silent stream says that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(all)).routes(routes!(of_run))
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
    let permit = permit(&app)?;
    let namespaces = caller.namespaces(Permission::EventsRead)?;
    let last = text(&headers, "last-event-id")?.map(str::to_owned).or(params.after);
    let after = last.as_deref().map(str::parse).transpose().map_err(|_| bad_cursor())?;
    let types = Types::parse(params.types.as_deref());
    let mut filter = Filter { namespaces, workflow: params.workflow };
    if let Some(namespace) = params.namespace {
        filter.narrow(namespace)?;
    }
    let state = (app.follow(after), filter, types, permit, Vec::new().into_iter());
    let events = stream::unfold(state, |state| async move {
        let (mut follower, filter, types, permit, mut ready) = state;
        loop {
            if let Some(frame) = ready.next() {
                return Some((
                    Ok::<_, Infallible>(frame),
                    (follower, filter, types, permit, ready),
                ));
            }
            // The end of the stream makes the reader come back with the last identity it saw.
            let batches = follower.next().await.ok()?;
            let wanted = batches.iter().filter(|batch| filter.wants(batch));
            let frames = wanted.flat_map(|batch| frames(batch, &types));
            ready = frames.collect::<Vec<_>>().into_iter();
        }
    });
    Ok(respond(events))
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
    let permit = permit(&app)?;
    let summary = app.runs.permitted(&caller, &id, Permission::EventsRead).await?;
    let last = text(&headers, "last-event-id")?.map(str::parse).transpose();
    let after = last.map_err(|_| bad_cursor())?.or(params.after).unwrap_or(0);
    let types = Types::parse(params.types.as_deref());
    let follower = app.follow_run(&summary, after).await?;
    let state = (follower, types, permit, Vec::new().into_iter());
    let events = stream::unfold(state, |(mut follower, types, permit, mut ready)| async move {
        loop {
            if let Some(frame) = ready.next() {
                return Some((Ok::<_, Infallible>(frame), (follower, types, permit, ready)));
            }
            let events: Vec<RunEvent> = follower.next().await.ok()?;
            let frames = events.iter().filter_map(|event| types.frame(event.seq, event));
            ready = frames.collect::<Vec<_>>().into_iter();
        }
    });
    Ok(respond(events))
}

/// The runs that a reader wants to hear of.
struct Filter {
    namespaces: Option<Vec<String>>,
    workflow: Option<String>,
}

impl Filter {
    /// Only one of the namespaces that the reader may see.
    fn narrow(&mut self, namespace: String) -> Result<(), Problem> {
        if self.namespaces.as_ref().is_some_and(|names| !names.contains(&namespace)) {
            let message = format!("events of namespace `{namespace}` are not for this caller");
            return Err(Problem::new(ErrorCode::Forbidden, message));
        }
        self.namespaces = Some(vec![namespace]);
        Ok(())
    }

    fn wants(&self, batch: &Batch) -> bool {
        let among = |names: &Vec<String>| names.iter().any(|name| name == batch.namespace());
        self.workflow.as_deref().is_none_or(|name| name == batch.workflow())
            && self.namespaces.as_ref().is_none_or(among)
    }
}

/// The types of events that a reader wants to hear of; `None` for all.
struct Types(Option<BTreeSet<String>>);

impl Types {
    fn parse(list: Option<&str>) -> Self {
        Self(list.map(|list| list.split(',').map(|kind| kind.trim().to_owned()).collect()))
    }

    fn want(&self, kind: &str) -> bool {
        let family = |kind: &str| kind.split_once('.').map(|(family, _)| format!("{family}.*"));
        self.0.as_ref().is_none_or(|types| {
            types.contains(kind) || family(kind).is_some_and(|family| types.contains(&family))
        })
    }

    /// The event as it goes out, if it is wanted.
    fn frame(&self, id: impl ToString, event: &RunEvent) -> Option<Event> {
        let json = serde_json::to_value(event).expect("its keys are text");
        let kind = json.get("type").and_then(|kind| kind.as_str()).unwrap_or_default();
        let frame = || Event::default().id(id.to_string()).event(kind).data(json.to_string());
        self.want(kind).then(frame)
    }
}

fn frames<'a>(batch: &'a Batch, types: &'a Types) -> impl Iterator<Item = Event> + 'a {
    let wires = batch.events().map(|(cursor, event)| (cursor, batch.wire(cursor, event)));
    wires.filter_map(|(cursor, wire)| types.frame(cursor, &wire))
}

fn permit(app: &App) -> Result<OwnedSemaphorePermit, Problem> {
    Arc::clone(&app.streams)
        .try_acquire_owned()
        .map_err(|_| Problem::busy("as many event streams as the server allows are open"))
}

fn bad_cursor() -> Problem {
    Problem::new(ErrorCode::BadCursor, "`Last-Event-ID` is not one of ours")
        .help("leave it out to begin with what happens now")
}

fn respond<S>(events: S) -> Response
where
    S: Stream<Item = Result<Event, Infallible>> + Send + 'static,
{
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_one_by_one_or_by_family() {
        let all = Types::parse(None);
        assert!(all.want("run.finished"));
        let some = Types::parse(Some("run.finished, task.*"));
        assert!(some.want("run.finished") && some.want("task.started"));
        assert!(!some.want("run.started"));
    }
}

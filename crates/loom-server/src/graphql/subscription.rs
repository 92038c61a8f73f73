//! What can be followed. Each event names the place to go on from.

use super::desk::Desk;
use crate::app::Wanted;
use crate::feed::{AllEvents, Heard, RunEvents, Types, bad_cursor};
use crate::problem::Problem;
use async_graphql::{Context, ID, Result, SimpleObject, Subscription as Subscribe};
use futures_util::stream::{Stream, unfold};
use serde_json::{Value, json};
use std::collections::VecDeque;
use tokio::sync::OwnedSemaphorePermit;

pub(super) struct Subscription;

/// Something that happened to a run
#[derive(SimpleObject)]
struct Event {
    /// Names it for good: `after` goes on behind it, across restarts of either side.
    cursor: String,
    /// The run's identity.
    run: ID,
    /// Counts from 1 within the run, without a gap.
    seq: u64,
    /// When it happened.
    at: String,
    /// What kind of event: `run.finished`, `task.started`, …
    #[graphql(name = "type")]
    kind: &'static str,
    /// The whole event, as REST and webhooks send it.
    payload: Value,
}

impl From<Heard> for Event {
    fn from(heard: Heard) -> Self {
        let Heard { place: cursor, event } = heard;
        Self {
            cursor,
            kind: event.what.type_name(),
            payload: json!(event),
            run: event.run.into(),
            seq: event.seq,
            at: event.at,
        }
    }
}

#[Subscribe]
impl Subscription {
    /// The events of all runs. Takes `events:read`.
    async fn events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only these types: `run.finished`, or `task.*`.")] types: Option<
            Vec<String>,
        >,
        #[graphql(desc = "Only of this namespace.")] namespace: Option<String>,
        #[graphql(desc = "Only of this workflow.")] workflow: Option<String>,
        #[graphql(desc = "Begin behind this event's cursor; `0-0` for everything that is kept, \
                          what happens from now on if absent.")]
        after: Option<String>,
    ) -> Result<impl Stream<Item = Result<Event>>> {
        let Desk { app, caller, .. } = Desk::of(context);
        let permit = app.stream_permit()?;
        let wanted = Wanted { types: named(types.as_deref())?, namespace, workflow, after };
        Ok(stream(Source::All(app.all_events(caller, wanted).await?), permit))
    }

    /// The events of one run, from its first. Takes `events:read`.
    async fn run_events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The run's identity.")] run: ID,
        #[graphql(desc = "Only these types: `run.finished`, or `task.*`.")] types: Option<
            Vec<String>,
        >,
        #[graphql(desc = "Begin behind this event's cursor.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Result<Event>>> {
        let Desk { app, caller, .. } = Desk::of(context);
        let permit = app.stream_permit()?;
        let after = after.map_or(Ok(0), |after| after.parse()).map_err(|_| bad_cursor())?;
        let types = named(types.as_deref())?;
        Ok(stream(Source::Run(app.run_events(caller, &run, types, after).await?), permit))
    }
}

fn named(types: Option<&[String]>) -> Result<Types, Problem> {
    types.map_or(Ok(Types::All), |types| Types::named(types.iter().map(String::as_str)))
}

/// Where a subscription's events come from.
enum Source {
    All(AllEvents),
    Run(RunEvents),
}

impl Source {
    async fn next(&mut self) -> Result<Vec<Heard>, Problem> {
        match self {
            Self::All(events) => events.next().await,
            Self::Run(events) => events.next().await,
        }
    }
}

/// The events one by one, up to the first failure. The permit is given back at the end.
fn stream(source: Source, permit: OwnedSemaphorePermit) -> impl Stream<Item = Result<Event>> {
    let begin = Some((source, VecDeque::new(), permit));
    unfold(begin, |state| async move {
        let (mut source, mut waiting, permit) = state?;
        loop {
            if let Some(heard) = waiting.pop_front() {
                return Some((Ok(Event::from(heard)), Some((source, waiting, permit))));
            }
            match source.next().await {
                Ok(heard) => waiting.extend(heard),
                Err(problem) => return Some((Err(problem.into()), None)),
            }
        }
    })
}

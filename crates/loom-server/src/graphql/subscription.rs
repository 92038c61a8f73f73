//! What can be followed. Each event names the place to go on from.

use super::desk::Desk;
use crate::access::Permission;
use crate::app::Wanted;
use crate::feed::{AllEvents, Heard, RunEvents, Types};
use crate::http::warrant::Warrant;
use crate::problem::Problem;
use async_graphql::{Context, ID, Result, SimpleObject, Subscription as Subscribe};
use futures_util::stream::{Stream, unfold};
use loom_protocol::ErrorCode;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::pin::pin;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout_at;

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
        let desk = Desk::of(context);
        let (guard, Desk { app, caller, .. }) = (Guard::of(desk)?, desk);
        let wanted = Wanted { types: named(types.as_deref())?, namespace, workflow, after };
        Ok(stream(Source::All(app.all_events(caller, wanted).await?), guard))
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
        let desk = Desk::of(context);
        let (guard, Desk { app, caller, .. }) = (Guard::of(desk)?, desk);
        let after = after.map_or(Ok(0), |after| after.parse()).map_err(|_| bad_place())?;
        let types = named(types.as_deref())?;
        Ok(stream(Source::Run(app.run_events(caller, &run, types, after).await?), guard))
    }
}

fn named(types: Option<&[String]>) -> Result<Types, Problem> {
    match types {
        None => Ok(Types::ALL),
        Some([]) => Err(Problem::argument("`types` names no type").help("leave it out for all")),
        Some(types) => Types::named(types.iter().map(String::as_str)),
    }
}

fn bad_place() -> Problem {
    Problem::new(ErrorCode::BadCursor, "`after` is the cursor of no event of a run")
        .help("leave it out to begin with the run's first event")
}

/// What a subscription goes on by.
struct Guard {
    warrant: Warrant,
    /// Its place among the streams that there may be.
    _permit: OwnedSemaphorePermit,
}

impl Guard {
    fn of(desk: &Desk) -> Result<Self, Problem> {
        let Desk { app, caller, shown, .. } = desk;
        let warrant = Warrant::by(app, caller, shown.as_deref(), Permission::EventsRead)?;
        Ok(Self { warrant, _permit: app.stream_permit()? })
    }

    /// What comes next, unless the subscriber may not hear of it any more.
    async fn next(&mut self, source: &mut Source) -> Result<Vec<Heard>, Problem> {
        let mut next = pin!(source.next());
        loop {
            if self.warrant.is_over().await {
                let what = "what let this subscription in is not what it was";
                return Err(Problem::new(ErrorCode::Forbidden, what));
            }
            // Asked on, not anew: cut off, it would have lost nothing, but begun again.
            if let Ok(heard) = timeout_at(self.warrant.next_at(), next.as_mut()).await {
                return heard;
            }
        }
    }
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

/// The events one by one, up to the first failure.
fn stream(source: Source, guard: Guard) -> impl Stream<Item = Result<Event>> {
    let begin = Some((source, VecDeque::new(), guard));
    unfold(begin, |state| async move {
        let (mut source, mut waiting, mut guard) = state?;
        loop {
            if let Some(heard) = waiting.pop_front() {
                return Some((Ok(Event::from(heard)), Some((source, waiting, guard))));
            }
            match guard.next(&mut source).await {
                Ok(heard) => waiting.extend(heard),
                Err(problem) => return Some((Err(problem.into()), None)),
            }
        }
    })
}

//! One look at one schedule: decide, write, and then do.

use super::decide::decide;
use super::document::{Definition, SCHEDULES, STATES, put_state, read_state};
use super::service::Schedules;
use super::state::{Firing, Origin, State};
use crate::access::{Caller, Permission};
use crate::kept::Kept;
use crate::problem::Problem;
use crate::runs::StartContext;
use loom_core::{RunId, Timestamp};
use loom_protocol::rfc3339;
use loom_store::Expect;
use std::time::Duration;

/// How long a schedule rests after a failure that may pass.
const REST: Duration = Duration::from_secs(1);
/// The annotations that lead from a run to its tick.
const BY: &str = "schedule";
const TICK: &str = "schedule.tick";

/// What comes next of a schedule.
#[derive(Debug)]
pub(super) struct Next {
    /// The version of its state, as it was seen last.
    pub(super) version: u64,
    /// When to look again.
    pub(super) wake: Option<Timestamp>,
    /// Runs whose end is of interest.
    pub(super) active: Vec<RunId>,
}

/// What became of runs that were to be there.
#[derive(Default)]
struct Done {
    begun: Vec<RunId>,
    refused: Vec<(RunId, Problem)>,
    /// Something is to be tried again.
    again: bool,
}

/// Where a run stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Nowhere,
    UnderWay,
    Ended,
}

impl Schedules {
    /// Looks at a schedule; `None` if it is gone.
    pub(super) async fn step(&self, name: &str) -> Result<Option<Next>, Problem> {
        loop {
            let Some((definition, mut state, mut version)) = self.load(name).await? else {
                return Ok(None);
            };
            let before = state.clone();
            let (rule, policy) = (definition.rule()?, definition.policy());
            self.settle(&mut state).await?;
            let now = self.clock.now();
            let wake = decide(&rule, &policy, &mut state, now);
            if state != before {
                match self.write_state(name, &state, version).await? {
                    Some(written) => version = written,
                    // Somebody else was quicker, and may have decided otherwise.
                    None => continue,
                }
            }
            let done = self.perform(name, &definition, &state).await;
            if done.begun.is_empty() && done.refused.is_empty() {
                let active = state.active.iter().map(|firing| firing.run).collect();
                let rest = done.again.then(|| now + REST);
                let wake = rest.into_iter().chain(wake).min();
                return Ok(Some(Next { version, wake, active }));
            }
            done.begun.into_iter().for_each(|run| state.begun(run));
            for (run, problem) in done.refused {
                state.refused(run, text(&problem));
            }
            // Where somebody else was quicker, all is found out again.
            self.write_state(name, &state, version).await?;
        }
    }

    pub(super) async fn load(
        &self,
        name: &str,
    ) -> Result<Option<(Definition, State, u64)>, Problem> {
        // The state first: whoever replaces both writes them at once, and a state that is older
        // than the definition is refused when it is written.
        let Some(state) = self.shelf.document(STATES, name).await? else { return Ok(None) };
        let Some(definition) = self.shelf.document(SCHEDULES, name).await? else {
            return Ok(None);
        };
        Ok(Some((Definition::read(definition)?, read_state(&state)?, state.version)))
    }

    /// Writes a state in place of that version of it; `None` if it is another by now.
    pub(super) async fn write_state(
        &self,
        name: &str,
        state: &State,
        version: u64,
    ) -> Result<Option<u64>, Problem> {
        let change = put_state(name, state, Expect::Version(version));
        Ok(self.shelf.write(vec![change]).await?.ok().map(|versions| versions[0]))
    }

    /// Settles a run that never can be started, unless the clockwork was quicker.
    pub(super) async fn refuse(
        &self,
        name: &str,
        run: RunId,
        problem: &Problem,
    ) -> Result<(), Problem> {
        loop {
            let Some((_, mut state, version)) = self.load(name).await? else { return Ok(()) };
            let before = state.clone();
            state.refused(run, text(problem));
            if state == before || self.write_state(name, &state, version).await?.is_some() {
                return Ok(());
            }
        }
    }

    /// Forgets runs that have ended, and marks those that are there.
    async fn settle(&self, state: &mut State) -> Result<(), Problem> {
        for firing in state.active.clone() {
            match self.found(&firing).await? {
                Found::Ended => state.ended(firing.run),
                Found::UnderWay => state.begun(firing.run),
                Found::Nowhere => {}
            }
        }
        Ok(())
    }

    async fn found(&self, firing: &Firing) -> Result<Found, Problem> {
        let (run, begun) = (firing.run, firing.begun);
        let look = move |store: &mut (dyn loom_store::QueryStore + 'static)| match store.run(run) {
            Ok(summary) if summary.state.is_final() => Ok(Found::Ended),
            Ok(_) => Ok(Found::UnderWay),
            Err(loom_store::StoreError::NoRun(_)) if begun => Ok(Found::Ended),
            Err(loom_store::StoreError::NoRun(_)) => Ok(Found::Nowhere),
            Err(error) => Err(error),
        };
        self.readers.ask(look).await
    }

    /// Starts what is to be there and is not, and cancels what is to end.
    async fn perform(&self, name: &str, definition: &Definition, state: &State) -> Done {
        let mut done = Done::default();
        for firing in &state.active {
            match self.perform_one(name, definition, firing).await {
                Ok(true) => done.begun.push(firing.run),
                Ok(false) => {}
                Err(problem) if problem.status().is_server_error() => done.again = true,
                Err(problem) => done.refused.push((firing.run, problem)),
            }
        }
        done
    }

    /// Answers whether the run was started.
    pub(super) async fn perform_one(
        &self,
        name: &str,
        definition: &Definition,
        firing: &Firing,
    ) -> Result<bool, Problem> {
        match self.found(firing).await? {
            Found::Ended => Ok(false),
            Found::UnderWay if !firing.cancel => Ok(false),
            Found::UnderWay => {
                let caller = acting(name, definition, Permission::RunsCancel);
                let reason = "a later tick of its schedule fired".to_owned();
                match self.runs.cancel(&caller, &firing.run.to_string(), reason).await {
                    Err(problem) if problem.status().is_server_error() => Err(problem),
                    // It ended meanwhile, or is being cancelled already.
                    _ => Ok(false),
                }
            }
            Found::Nowhere => {
                let caller = acting(name, definition, Permission::RunsStart);
                let mut request = definition.spec.run.clone();
                request.initiator = Some(caller.name().to_owned());
                request.annotations.insert(BY.into(), name.to_owned());
                request.annotations.insert(TICK.into(), rfc3339(firing.tick.0));
                let Origin { correlation_id, traceparent } = firing.origin.clone();
                let context =
                    StartContext { correlation_id, traceparent, ..StartContext::default() };
                self.runs.start_reserved(&caller, request, context, firing.run).await?;
                Ok(true)
            }
        }
    }
}

/// What is shown of a run that was refused.
fn text(problem: &Problem) -> String {
    format!("{}: {}", problem.code, problem.message)
}

/// Acts for whoever made the schedule, who had this permission then.
fn acting(name: &str, definition: &Definition, permission: Permission) -> Caller {
    Caller::acting(format!("schedule:{name}"), definition.namespace(), permission)
}

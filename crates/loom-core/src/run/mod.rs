//! One execution of a workflow, as a state that commands change and events rebuild.
//!
//! - [`Run::apply`] decides: it turns a [`Command`] into events and effects (one command, one
//!   file). Each event it emits takes effect at once through `evolve`, and what follows from it
//!   (tasks that can no longer fire, the end of the run) through `cascade`.
//! - [`Run::replay`] only evolves: what followed is in the journal too.
//! - [`Run::fill`] starts what is ready, as far as limits allow.

mod admit;
mod amend;
mod announce;
mod attempt;
mod backoffs;
mod begin;
mod cancel;
mod cancel_task;
mod cascade;
mod evolve;
mod fan;
mod fill;
mod hopeless;
mod named;
mod observe;
mod pause;
mod ready;
mod rebuild;
mod recover;
mod report;
mod resolve;
mod retry;
mod settle;
mod skip;
mod slot;
mod steering;
#[cfg(test)]
pub(crate) mod tests;
mod trace;
mod view;

pub use amend::AMENDED_BYTES_MAX;
pub use fill::{Gate, OpenGate};
pub use observe::OBSERVED_TASKS_MAX;
pub(crate) use trace::{Assignment, Trace};
pub use view::Missing;

use crate::plan::{Plan, TRUE};
use crate::{
    Effect, Event, Observation, Refusal, Report, Request, RunId, RunState, SkipReason, TaskIx,
    Timestamp, Value, Variable,
};
use amend::Amendment;
use announce::Announcement;
use backoffs::Backoffs;
use fan::Fan;
use ready::ReadyQueue;
use slot::{Slot, VarSlot};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// What a run is created from.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The run's identity.
    pub id: RunId,
    /// What it executes.
    pub plan: Arc<Plan>,
    /// The variables set at its start.
    pub variables: Arc<Vec<Variable>>,
    /// The most tasks at once; at least 1.
    pub workers: u32,
}

/// What may happen to a run.
#[derive(Clone, Debug)]
pub enum Command {
    /// Begin.
    Begin,
    /// Somebody asks for something.
    Request(Request),
    /// An executor says something of an attempt.
    Report(Report),
    /// The system that executes the run says something of it.
    Observe(Observation),
    /// Time has passed; due at [`Run::next_wake`].
    Wake,
    /// The run was loaded from the store: no attempt of it is under way any more.
    Recover,
}

/// What follows from a command: what to record, and what to do once it is durable.
#[derive(Debug, Default)]
#[must_use = "events must be recorded before effects are performed"]
pub struct Changes {
    /// What happened, in order.
    pub events: Vec<Event>,
    /// What to do once that is durable, in order.
    pub effects: Vec<Effect>,
}

/// One execution of a workflow.
#[derive(Debug)]
pub struct Run {
    id: RunId,
    plan: Arc<Plan>,
    shared: Arc<Vec<Variable>>,
    secrets: Arc<Vec<String>>,
    workers: u32,
    state: RunState,
    /// Somebody asked for the run's end.
    cancelling: bool,
    /// A task failed and the workflow says `on_failure: stop`.
    stopped_by: Option<TaskIx>,
    /// What is not under way has yet to be cancelled for one of the two.
    wind_down: bool,
    slots: Vec<Slot>,
    vars: Vec<VarSlot>,
    fans: HashMap<TaskIx, Fan>,
    /// Tasks that are skipped, for this, once what was handed over of them is back.
    to_skip: HashMap<TaskIx, SkipReason>,
    /// What people changed of tasks.
    amendments: HashMap<TaskIx, Amendment>,
    /// What tasks that settled have yet to announce.
    announced: VecDeque<Announcement>,
    /// Ready tasks that take a worker, or must be alone.
    ready: ReadyQueue,
    /// Ready tasks that take no worker.
    instant_ready: ReadyQueue,
    /// Tasks with `when` or `for_each` that have what they wait for, or whose items have settled.
    due: VecDeque<TaskIx>,
    /// Waiting tasks that may have lost what they wait for.
    doubtful: Vec<TaskIx>,
    /// Waiting out a backoff.
    backoffs: Backoffs,
    /// Attempts that work or are held back, apart from instant ones.
    working: u32,
    held: u32,
    /// Instant attempts under way.
    instant: u32,
    /// The exclusive task under way.
    alone: Option<TaskIx>,
    /// Tasks that have not settled.
    unsettled: u32,
    /// Of those, tasks that are not barriers.
    unsettled_tasks: u32,
    /// For each inner barrier, the tasks it waits for that have not settled.
    inner_open: Vec<u32>,
    /// Unsettled tasks that may set any variable.
    wildcards_left: u32,
    /// Tasks that failed, or were cancelled alone, without `allow_failure`.
    failed: u32,
    /// A task settled since the last search for hopeless ones.
    settled_some: bool,
    events_so_far: u64,
    out: Changes,
    /// Filled while a history is kept.
    trace: Option<Trace>,
}

impl Run {
    /// A run that is queued.
    pub fn new(submission: Submission) -> Self {
        let Submission { id, plan, variables, workers } = submission;
        let count = plan.task_count();
        let mut run = Self {
            id,
            workers: workers.max(1),
            state: RunState::Queued,
            cancelling: false,
            stopped_by: None,
            wind_down: false,
            slots: Vec::with_capacity(count),
            vars: vec![VarSlot::default(); plan.var_count()],
            fans: HashMap::new(),
            to_skip: HashMap::new(),
            amendments: HashMap::new(),
            announced: VecDeque::new(),
            ready: ReadyQueue::default(),
            instant_ready: ReadyQueue::default(),
            due: VecDeque::new(),
            doubtful: Vec::new(),
            backoffs: Backoffs::default(),
            working: 0,
            held: 0,
            instant: 0,
            alone: None,
            unsettled: 0,
            unsettled_tasks: 0,
            inner_open: Vec::new(),
            wildcards_left: 0,
            failed: 0,
            settled_some: false,
            events_so_far: 0,
            out: Changes::default(),
            trace: None,
            secrets: Arc::new(crate::secret::of_variables(plan.definition(), &variables)),
            shared: variables,
            plan,
        };
        run.slots.resize_with(count, Slot::default);
        run.set_initial_variables();
        run.recount();
        run
    }

    /// Applies a command. A refusal leaves the run as it was.
    pub fn apply(&mut self, command: Command, now: Timestamp) -> Result<Changes, Refusal> {
        let command = admit::admit(command)?;
        if self.is_external() {
            self.apply_external(command, now)?;
            return Ok(std::mem::take(&mut self.out));
        }
        match command {
            Command::Begin => self.begin(now)?,
            Command::Report(report) => self.report(report, now)?,
            Command::Observe(_) => return Err(Refusal::StaleReport),
            Command::Wake => self.wake(now),
            Command::Recover => self.recover(now),
            Command::Request(request) => match request {
                Request::Pause { by } => self.pause(by, now)?,
                Request::Resume { by } => self.resume(by, now)?,
                Request::Cancel { by, reason } => self.cancel(by, reason, now)?,
                Request::CancelTask { by, reason, task } => {
                    self.cancel_task(by, reason, &task, now)?;
                }
                Request::Skip { by, reason, task } => self.skip(by, reason, &task, now)?,
                Request::Amend { by, task, max_attempts, inputs } => {
                    self.amend(by, &task, max_attempts, inputs, now)?;
                }
                Request::Retry { by, task } => self.retry(by, task.as_deref(), now)?,
                Request::Resolve { by, task, reason, outputs, without_outputs } => {
                    let outputs = resolve::Given { outputs, may_be_missing: without_outputs };
                    self.resolve(by, &task, reason, outputs, now)?;
                }
            },
        }
        self.cascade(now);
        Ok(std::mem::take(&mut self.out))
    }

    /// Rebuilds what a recorded event did. Events must be those of this run, all of them, in order.
    pub fn replay(&mut self, event: &Event) {
        self.evolve(event);
        self.out = Changes::default();
    }

    /// Records an event and lets it take effect.
    fn emit(&mut self, event: Event) {
        self.evolve(&event);
        self.out.events.push(event);
    }

    fn set_initial_variables(&mut self) {
        let plan = Arc::clone(&self.plan);
        let shared = Arc::clone(&self.shared);
        for variable in shared.iter() {
            if let Some(var) = plan.find_var(&variable.name) {
                self.vars[var as usize].value = Some(variable.clone());
            }
        }
        let implied = plan.find_var(TRUE);
        let implied =
            implied.filter(|&var| plan.external().is_none() && plan.producers.of(var).is_empty());
        if let Some(var) = implied {
            self.vars[var as usize].value.get_or_insert_with(|| Variable {
                name: TRUE.into(),
                value: Value::from("1"),
                secret: false,
            });
        }
    }
}

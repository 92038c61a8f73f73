//! The engine's round: apply, fill, commit, perform.

mod asked;
mod batch;
mod claims;
mod memory;

use crate::active::ActiveRun;
use crate::executor::{Executor, Started};
use crate::input::{EngineError, Input, NewSubmission, Observer};
use crate::limits::Limits;
use crate::options::Options;
use crate::park::{Parked, Timers};
use batch::Batch;
use claims::Claims;
use loom_core::{
    Command, Effect, Event, Plan, Refusal, Report, Request, Run, RunId, Stop, Submission, Timestamp,
};
use loom_store::{DefinitionHash, NewRun, RunStore, StoreError};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// With more runs than these, nobody looks at each of them to choose how to wait.
const RUNS_MAX: usize = 16;

/// Decides about runs and makes it so. See the crate's documentation.
pub struct Engine {
    store: Box<dyn RunStore>,
    executor: Box<dyn Executor>,
    observers: Vec<Box<dyn Observer>>,
    pub(crate) options: Options,
    runs: HashMap<RunId, ActiveRun>,
    parked: Parked,
    timers: Timers,
    limits: Limits,
    plans: HashMap<DefinitionHash, Weak<Plan>>,
    /// Runs that were claimed for this round.
    claims: Claims,
    /// Runs with something to commit.
    dirty: Vec<RunId>,
    /// Runs that may have something to start, in turn.
    to_fill: VecDeque<RunId>,
    /// Inputs that came up while effects were performed.
    inbox: Vec<Input>,
    /// Decided, not yet durable.
    batch: Batch,
    stopping: Option<Stopping>,
}

/// How the engine comes to its end.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Stopping {
    Drain,
    Kill,
}

impl Engine {
    /// An engine without runs.
    pub fn new(store: Box<dyn RunStore>, executor: Box<dyn Executor>, options: Options) -> Self {
        Self {
            store,
            executor,
            observers: Vec::new(),
            limits: Limits::new(options.queues.clone()),
            options,
            runs: HashMap::new(),
            parked: Parked::default(),
            timers: Timers::default(),
            plans: HashMap::new(),
            claims: Claims::default(),
            dirty: Vec::new(),
            to_fill: VecDeque::new(),
            inbox: Vec::new(),
            batch: Batch::default(),
            stopping: None,
        }
    }

    /// Adds somebody who is told what has been committed.
    pub fn observe(&mut self, observer: Box<dyn Observer>) {
        self.observers.push(observer);
    }

    /// One round. After an error that may pass, what was decided stays in place, and the next call
    /// commits it before it takes its inputs; after any other the engine must only be halted.
    pub fn turn(&mut self, inputs: &mut Vec<Input>, now: Timestamp) -> Result<(), StoreError> {
        if !self.batch.commits.is_empty() {
            self.commit()?;
            self.perform(now);
        }
        let mut all = std::mem::take(&mut self.inbox);
        all.append(inputs);
        self.claim_all(&all);
        for input in all {
            self.apply(input, now);
        }
        self.release_unused();
        self.wake_due(now);
        self.fill(now);
        self.share_slots(now)?;
        self.gather();
        self.commit()?;
        self.perform(now);
        Ok(())
    }

    /// Whether there is something to do right now, without waiting for an input.
    pub fn is_busy(&self) -> bool {
        !self.inbox.is_empty() || !self.to_fill.is_empty()
    }

    /// How long nobody waits for the next round: half the time for which every run has attempts in
    /// hand to go on with. Not asked of many runs, whose reports gather by themselves.
    pub fn may_linger(&self) -> Duration {
        if self.is_busy() || self.runs.len() > RUNS_MAX {
            return Duration::ZERO;
        }
        let lasts = self.runs.values().map(|active| active.pace.lasts(active.run.held_back()));
        lasts.min().unwrap_or_default() / 2
    }

    /// Whether attempts are under way that will soon end, to go by those before them.
    pub fn expects_news(&self) -> bool {
        !self.is_busy()
            && (1..=RUNS_MAX).contains(&self.runs.len())
            && self.runs.values().any(|active| active.pace.is_quick() && !active.run.is_idle())
    }

    /// When there will be something to do without an input.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.timers.next()
    }

    /// How many runs are in memory, and how many wait outside.
    pub fn load(&self) -> (usize, usize) {
        (self.runs.len(), self.parked.len())
    }

    /// Whether the engine was asked to stop and nothing is under way any more.
    pub fn has_stopped(&self) -> bool {
        self.stopping.is_some() && self.runs.values().all(|active| active.run.is_idle())
    }

    /// Whether tasks wait for others, in this process or another, to give slots back.
    pub fn waits_for_slots(&self) -> bool {
        self.limits.are_waited_for()
    }

    /// Lets what waits for slots try again in the next round.
    pub fn look_for_slots(&mut self) {
        self.to_fill.extend(self.limits.ask_again());
    }

    /// Ends everything that is under way, at once, because the store has failed for good, and tells
    /// those who wait.
    pub fn halt(&mut self, error: StoreError) {
        let error = EngineError::from(error);
        for (_, reply, _) in std::mem::take(&mut self.batch.replies) {
            reply(Err(error.clone()));
        }
        self.stop_attempts(Stop::Now);
    }

    fn apply(&mut self, input: Input, now: Timestamp) {
        match input {
            Input::Submit(submission, reply) => {
                let id = submission.id;
                let answer = self.submit(*submission, now);
                self.batch.replies.push((id, reply, answer));
            }
            Input::Begin(run, reply) => {
                let answer = self.begin(run, now);
                self.batch.replies.push((run, reply, answer));
            }
            Input::Adopt(run, request, reply) => {
                let answer = self.adopt(run, request, now);
                self.batch.replies.push((run, reply, answer));
            }
            Input::Request(run, request, reply) => {
                let answer = self.request(run, request, now);
                self.batch.replies.push((run, reply, answer));
            }
            Input::Observe(run, seen, reply) => {
                let answer = self.observed(run, seen, now);
                self.batch.replies.push((run, reply, answer));
            }
            Input::Ping(reply) => reply(Ok(())),
            Input::Queues(queues) => self.set_queues(&queues),
            Input::Posted(posted) => self.posted(posted, now),
            Input::Reports(reports) => {
                for (run, report) in reports {
                    self.report(run, report, now);
                }
            }
            Input::Drain { by } => self.stop(Stopping::Drain, &by, now),
            Input::Leave => self.stopping = self.stopping.take().max(Some(Stopping::Drain)),
            Input::Kill { by } => self.stop(Stopping::Kill, &by, now),
        }
    }

    fn submit(&mut self, submission: NewSubmission, now: Timestamp) -> Result<(), EngineError> {
        if self.stopping.is_some() {
            return Err(EngineError::Stopped);
        }
        let NewSubmission { id, plan, hash, variables, workers, base, meta, hold } = submission;
        if self.has(id) {
            return Err(EngineError::Exists(id));
        }
        let new = NewRun {
            definition: Arc::clone(plan.definition()),
            hash,
            variables: Arc::clone(&variables),
            workers,
            base,
            created_at: now,
            meta,
        };
        let submission = Submission { id, plan, variables, workers };
        submission.check()?;
        let run = Run::new(submission);
        self.runs.insert(id, ActiveRun::created(run, new));
        self.touch(id);
        if hold { Ok(()) } else { self.command(id, Command::Begin, now) }
    }

    /// What is under way in a queue counts, also where it began before the queue had a limit.
    fn set_queues(&mut self, queues: &HashMap<String, u32>) {
        self.limits.set_queues(queues);
        for (id, active) in &self.runs {
            for attempt in active.run.attempts_under_way() {
                self.limits.count(*id, active.run.plan(), attempt.task);
            }
        }
        self.to_fill.extend(self.limits.ask_again());
    }

    /// Whether a run is this engine's, in memory or parked.
    fn has(&self, id: RunId) -> bool {
        self.runs.contains_key(&id) || self.parked.contains(id)
    }

    fn report(&mut self, id: RunId, report: Report, now: Timestamp) {
        // Of a run outside nothing is under way: what is told of it is known.
        if !self.runs.contains_key(&id) {
            return;
        }
        match self.command(id, Command::Report(report), now) {
            // Reports may come twice, or after the run's end: what they tell is known.
            Ok(()) | Err(EngineError::Refused(Refusal::StaleReport)) => {}
            Err(error) => debug_assert!(false, "a report is never refused otherwise: {error}"),
        }
    }

    fn command(&mut self, id: RunId, command: Command, now: Timestamp) -> Result<(), EngineError> {
        self.bring_in(id)?;
        // Also after a refusal: a run that was parked goes back.
        self.touch(id);
        let active = self.runs.get_mut(&id).expect("it is in memory now");
        let changes = active.run.apply(command, now)?;
        let mut ended = 0;
        for event in &changes.events {
            ended += u32::from(matches!(event, Event::Succeeded { .. } | Event::Failed { .. }));
            for run in self.limits.release(id, event) {
                self.to_fill.push_back(run);
            }
        }
        active.pace.ended(ended, now);
        active.take(changes, &mut self.batch.effects);
        if active.run.has_ready() && !std::mem::replace(&mut active.to_fill, true) {
            self.to_fill.push_back(id);
        }
        Ok(())
    }

    /// Sees to it that a run in memory is looked at when the round is committed.
    fn touch(&mut self, id: RunId) {
        let active = self.runs.get_mut(&id).expect("it is in memory");
        if !std::mem::replace(&mut active.dirty, true) {
            self.dirty.push(id);
        }
    }

    /// Starts what is ready, each run in its turn.
    fn fill(&mut self, now: Timestamp) {
        if self.stopping.is_some() {
            self.to_fill.clear();
            return;
        }
        let mut most = self.options.starts_per_turn;
        for _ in 0..self.to_fill.len() {
            if most == 0 {
                break;
            }
            let Some(id) = self.to_fill.pop_front() else { break };
            let Some(active) = self.runs.get_mut(&id) else { continue };
            active.to_fill = false;
            let ahead = active.pace.ahead(self.options.ahead_max);
            let changes = active.run.fill(now, most, ahead, &mut self.limits.gate(id));
            let started = changes.effects.len();
            most -= started.min(most);
            active.take(changes, &mut self.batch.effects);
            if started > 0 && !std::mem::replace(&mut active.dirty, true) {
                self.dirty.push(id);
            }
            if most == 0 && active.run.has_ready() {
                active.to_fill = true;
                self.to_fill.push_back(id);
            }
        }
    }

    /// Starts what needs a slot that is counted over all processes, as far as the store gives some.
    fn share_slots(&mut self, now: Timestamp) -> Result<(), StoreError> {
        while self.ask_for_slots(now)? {
            self.fill(now);
        }
        self.limits.give_back_rest();
        self.ask_for_slots(now)?;
        Ok(())
    }

    /// Whether something was given that runs may start with.
    fn ask_for_slots(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let asks = self.limits.asks(self.to_fill.is_empty());
        if asks.is_empty() {
            return Ok(false);
        }
        match self.store.share(&asks, now) {
            Ok(answers) => {
                let may_start = self.limits.take(asks, &answers);
                self.to_fill.extend(&may_start);
                Ok(!may_start.is_empty())
            }
            Err(error) if error.may_retry() => {
                self.limits.postpone();
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn gather(&mut self) {
        self.batch.runs = std::mem::take(&mut self.dirty);
        for id in &self.batch.runs {
            let Some(active) = self.runs.get_mut(id) else { continue };
            active.dirty = false;
            if active.has_uncommitted() {
                self.batch.commits.push(active.commit());
            }
        }
    }

    /// Commits the batch. New runs whose identity is taken are taken out of it: nothing has been told
    /// or done about them yet.
    fn commit(&mut self) -> Result<(), StoreError> {
        while !self.batch.commits.is_empty() {
            let taken = match self.store.commit(&self.batch.commits) {
                Err(StoreError::Conflict(run)) if self.batch.creates(run) => run,
                done => return done,
            };
            self.runs.remove(&taken);
            self.batch.withdraw(taken);
            self.to_fill.extend(self.limits.forget(taken));
        }
        Ok(())
    }

    /// Everything in the batch is durable: tell, answer, and do.
    fn perform(&mut self, now: Timestamp) {
        let batch = std::mem::take(&mut self.batch);
        if !batch.commits.is_empty() {
            for observer in &mut self.observers {
                observer.committed(&batch.commits);
            }
        }
        for (run, why) in &batch.dropped {
            self.observers.iter_mut().for_each(|observer| observer.dropped(*run, why));
        }
        for (_, reply, answer) in batch.replies {
            reply(answer);
        }
        let mut finished = Vec::new();
        for effect in batch.effects {
            match effect {
                Effect::Dispatch(attempt) => {
                    let key = attempt.key;
                    let carried = &self.runs[&key.run].carried;
                    if let Started::Finished(news) = self.executor.start(*attempt, carried) {
                        let report = Report { task: key.task, attempt: key.attempt, news };
                        finished.push((key.run, report));
                    }
                }
                Effect::Stop(key, how) => self.executor.stop(key, how),
                Effect::Recall(key) => self.executor.recall(key),
            }
        }
        if !finished.is_empty() {
            self.inbox.push(Input::Reports(finished));
        }
        for run in batch.runs {
            self.rest(run, now);
        }
    }

    fn stop(&mut self, how: Stopping, by: &str, now: Timestamp) {
        if self.stopping.is_none() {
            let ids: Vec<RunId> = self.runs.keys().copied().chain(self.parked.ids()).collect();
            for id in ids {
                // A run that is ending, or paused already, needs no pause; one that cannot be read now
                // is found as after a crash, and can be resumed.
                let pause = Request::Pause { by: by.to_owned() };
                let _ = self.command(id, Command::Request(pause), now);
            }
        }
        if how == Stopping::Kill {
            self.stop_attempts(Stop::Now);
        }
        self.stopping = self.stopping.take().max(Some(how));
    }

    fn stop_attempts(&mut self, how: Stop) {
        for active in self.runs.values() {
            for key in active.run.attempts_under_way() {
                self.executor.stop(key, how);
            }
        }
    }
}

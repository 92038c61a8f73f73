//! A run in memory, with what has been decided about it and is not yet durable.

use crate::executor::Carried;
use crate::pace::Pace;
use loom_core::{Changes, Effect, Event, Run, RunState, Timestamp};
use loom_store::{NewRun, RequestId, RunCommit, Verdict};

pub(crate) struct ActiveRun {
    pub(crate) run: Run,
    /// Present until the commit that creates it.
    new: Option<NewRun>,
    events: Vec<Event>,
    /// Posted requests that have been decided, and how.
    settles: Vec<(RequestId, Verdict)>,
    /// The number of the last event that is durable, or in the batch that is being committed.
    committed: u64,
    committed_state: RunState,
    /// Stands in the list of runs with something to commit.
    pub(crate) dirty: bool,
    /// Stands in the list of runs that may have something to start.
    pub(crate) to_fill: bool,
    /// The time that the run's timer was last set to.
    pub(crate) timer: Option<Timestamp>,
    pub(crate) pace: Pace,
    pub(crate) carried: Carried,
}

impl ActiveRun {
    pub(crate) fn created(run: Run, new: NewRun) -> Self {
        let committed_state = run.state();
        Self {
            run,
            carried: Carried::of(&new),
            new: Some(new),
            events: Vec::new(),
            settles: Vec::new(),
            committed: 0,
            committed_state,
            dirty: false,
            to_fill: false,
            timer: None,
            pace: Pace::default(),
        }
    }

    pub(crate) fn loaded(run: Run, carried: Carried) -> Self {
        Self {
            carried,
            committed: run.events_so_far(),
            committed_state: run.state(),
            run,
            new: None,
            events: Vec::new(),
            settles: Vec::new(),
            dirty: false,
            to_fill: false,
            timer: None,
            pace: Pace::default(),
        }
    }

    /// Keeps the events for the next commit; effects go to `effects`.
    pub(crate) fn take(&mut self, changes: Changes, effects: &mut Vec<Effect>) {
        if self.events.is_empty() {
            self.events = changes.events;
        } else {
            self.events.extend(changes.events);
        }
        effects.extend(changes.effects);
    }

    /// A posted request has been granted or refused; the answer goes with the next commit.
    pub(crate) fn settle(&mut self, request: RequestId, verdict: Verdict) {
        self.settles.push((request, verdict));
    }

    /// Whether there is something to record. Of a run that had ended when it was taken up that is
    /// its end: with the commit it belongs to nobody again.
    pub(crate) fn has_uncommitted(&self) -> bool {
        self.new.is_some()
            || !self.events.is_empty()
            || !self.settles.is_empty()
            || self.run.state().is_final()
    }

    /// What to commit; from now on it counts as committed.
    pub(crate) fn commit(&mut self) -> RunCommit {
        let state = self.run.state();
        // A run that was opened and ended again has another end.
        let reopened = |event: &Event| matches!(event, Event::RunReopened { .. });
        let ends_anew = state.is_final() && self.events.iter().any(reopened);
        let commit = RunCommit {
            run: self.run.id(),
            new: self.new.take(),
            first_seq: self.committed + 1,
            events: std::mem::take(&mut self.events),
            settles: std::mem::take(&mut self.settles),
            state,
            state_changed: state != self.committed_state || ends_anew,
        };
        self.committed += commit.events.len() as u64;
        self.committed_state = state;
        commit
    }
}

//! Which runs are in memory: brought in when something is to be done about them, let go of when they
//! have ended or only wait.

use super::Engine;
use crate::active::ActiveRun;
use crate::executor::Carried;
use crate::input::EngineError;
use loom_core::{Command, Plan, Run, RunId, Submission, Timestamp};
use loom_store::{NewRun, StoreError};
use std::sync::{Arc, Weak};

/// With more plans than these, those that no run has any longer are let go of.
const PLANS_MAX: usize = 1024;

impl Engine {
    /// Brings a run of this engine into memory, if it is parked.
    pub(super) fn bring_in(&mut self, id: RunId) -> Result<(), EngineError> {
        if !self.runs.contains_key(&id) {
            if !self.parked.contains(id) {
                return Err(EngineError::NotHere(id));
            }
            self.ensure_in_memory(id)?;
            self.parked.remove(id);
        }
        Ok(())
    }

    pub(super) fn ensure_in_memory(&mut self, id: RunId) -> Result<(), StoreError> {
        if self.runs.contains_key(&id) {
            return Ok(());
        }
        let stored = self.store.load(id)?;
        let carried = Carried::of(&stored.new);
        let plan = self.plan(&stored.new);
        let mut run = Run::new(Submission {
            id,
            plan,
            variables: stored.new.variables,
            workers: stored.new.workers,
        });
        stored.events.iter().for_each(|event| run.replay(event));
        self.runs.insert(id, ActiveRun::loaded(run, carried));
        Ok(())
    }

    fn plan(&mut self, new: &NewRun) -> Arc<Plan> {
        if let Some(plan) = self.plans.get(&new.hash).and_then(Weak::upgrade) {
            return plan;
        }
        if self.plans.len() >= PLANS_MAX {
            self.plans.retain(|_, plan| plan.strong_count() > 0);
        }
        let plan = Arc::new(Plan::new(Arc::clone(&new.definition)));
        self.plans.insert(new.hash, Arc::downgrade(&plan));
        plan
    }

    /// Wakes the runs whose time has come.
    pub(super) fn wake_due(&mut self, now: Timestamp) {
        while let Some(run) = self.timers.pop_due(now) {
            if let Some(active) = self.runs.get_mut(&run) {
                active.timer = None;
            } else if !self.parked.remove(run) {
                // A run that has ended has nothing to wake for.
                continue;
            }
            match self.wake(run, now) {
                Err(EngineError::Store(error)) if error.may_retry() => {
                    self.parked.add(run);
                    self.timers.set(now + self.options.park_after, run);
                }
                Err(EngineError::Store(error)) => self.give_up(run, &error),
                Ok(()) | Err(_) => {}
            }
        }
    }

    /// Lets go of a parked run that cannot be read, which is not to hold up the others. If the whole
    /// store has failed, the next commit will tell.
    fn give_up(&mut self, run: RunId, error: &StoreError) {
        // If this fails too, the run is this engine's until it ends.
        let _ = self.store.release(run);
        self.executor.forget(run);
        self.observers.iter_mut().for_each(|observer| observer.lost(run, error));
    }

    fn wake(&mut self, run: RunId, now: Timestamp) -> Result<(), EngineError> {
        self.ensure_in_memory(run)?;
        self.command(run, Command::Wake, now)
    }

    /// Lets go of a run that has ended or only waits, and sets the timer of one that backs off. A run
    /// of another system stays: what is said of it next comes soon, and may be much to read again.
    pub(super) fn rest(&mut self, id: RunId, now: Timestamp) {
        let Some(active) = self.runs.get_mut(&id) else { return };
        let wake = active.run.next_wake();
        if let Some(at) = wake.filter(|_| active.timer != wake) {
            active.timer = wake;
            self.timers.set(at, id);
        }
        if active.dirty || !active.run.is_idle() {
            return;
        }
        let waits_long = wake.is_none_or(|at| at >= now + self.options.park_after);
        let is_over = active.run.state().is_final();
        if !is_over {
            if !waits_long || active.run.has_ready() || active.run.is_external() {
                return;
            }
            self.parked.add(id);
        }
        self.runs.remove(&id);
        self.executor.forget(id);
    }
}

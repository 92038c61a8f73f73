//! Taking up runs that no living process has.
//!
//! What earlier processes left of a run is ended before anything else is done about it, which is
//! waited for. A server that starts again may take up thousands of runs: all that are to be taken up
//! in a round are claimed first, and what was left of them is looked for and ended once for all.

use super::Engine;
use crate::input::{EngineError, Input};
use loom_core::{Command, RunId, Timestamp};
use loom_store::Claim;
use std::collections::HashMap;

/// What came of claiming runs: with `Ok`, the run is this engine's and nothing is left of it.
pub(super) type Claims = HashMap<RunId, Result<(), EngineError>>;

impl Engine {
    /// Claims the runs that these inputs are to take up.
    pub(super) fn claim_all(&mut self, inputs: &[Input]) {
        if self.stopping.is_none() {
            let wanted: Vec<RunId> =
                inputs.iter().filter_map(Input::takes_up).filter(|id| !self.has(*id)).collect();
            self.claim(&wanted);
        }
    }

    /// A store that is locked is asked for one of them only: to find that out takes seconds.
    fn claim(&mut self, runs: &[RunId]) {
        let mut claimed = Vec::new();
        let mut locked = None;
        for id in runs {
            if self.claims.contains_key(id) {
                continue;
            }
            let answer = match locked.clone().map_or_else(|| self.store.claim(*id), Err) {
                Ok(Claim::Claimed) => {
                    claimed.push(*id);
                    Ok(())
                }
                Ok(Claim::OwnedBy(owner)) => Err(EngineError::Alive(owner)),
                Err(error) => {
                    locked = Some(&error).filter(|error| error.may_retry()).cloned();
                    Err(error.into())
                }
            };
            self.claims.insert(*id, answer);
        }
        if claimed.is_empty() {
            return;
        }
        for (id, why) in self.executor.end_leftovers(&claimed) {
            self.claims.insert(id, Err(EngineError::Leftovers(why)));
            self.release(id);
        }
    }

    /// Makes a run of the store this engine's.
    pub(super) fn take_up(&mut self, id: RunId, now: Timestamp) -> Result<(), EngineError> {
        self.claim(&[id]);
        self.claims.remove(&id).expect("it has just been claimed, if it was not before")?;
        self.load_claimed(id, now).inspect_err(|_| self.release(id))
    }

    fn load_claimed(&mut self, id: RunId, now: Timestamp) -> Result<(), EngineError> {
        self.ensure_in_memory(id)?;
        self.command(id, Command::Recover, now)
    }

    /// Gives back what was claimed for an input that was refused.
    pub(super) fn release_unused(&mut self) {
        for (id, answer) in std::mem::take(&mut self.claims) {
            if answer.is_ok() {
                self.release(id);
            }
        }
    }

    /// Gives a run back. If this fails, it stays this engine's, which may take it up again.
    fn release(&mut self, id: RunId) {
        let _ = self.store.release(id);
    }
}

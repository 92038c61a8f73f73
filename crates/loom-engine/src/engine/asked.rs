//! What is asked of runs: by who holds a handle, and by other processes over the store.

use super::Engine;
use crate::input::{EngineError, Input};
use loom_core::{Command, Observation, Request, RunId, RunState, Timestamp};
use loom_store::{Posted, StoreError, Verdict};

impl Engine {
    /// Reads what other processes ask of runs of this engine, for the next round.
    pub fn read_requests(&mut self) -> Result<(), StoreError> {
        if !self.batch.commits.is_empty() {
            // Those read before are decided, but not settled yet.
            return Ok(());
        }
        let posted = self.store.requests()?;
        self.inbox.retain(|input| !matches!(input, Input::Posted(_)));
        self.inbox.extend(posted.into_iter().map(Input::Posted));
        Ok(())
    }

    pub(super) fn adopt(
        &mut self,
        id: RunId,
        request: Option<Request>,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        if self.stopping.is_some() {
            return Err(EngineError::Stopped);
        }
        if self.has(id) {
            return request.map_or(Ok(()), |request| self.request(id, request, now));
        }
        self.take_up(id, now)?;
        request.map_or(Ok(()), |request| self.go_on(id, request, now))
    }

    pub(super) fn begin(&mut self, id: RunId, now: Timestamp) -> Result<(), EngineError> {
        if self.stopping.is_some() {
            return Err(EngineError::Stopped);
        }
        if !self.has(id) {
            self.take_up(id, now)?;
        }
        self.command(id, Command::Begin, now)
    }

    pub(super) fn observed(
        &mut self,
        id: RunId,
        seen: Vec<Observation>,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        if self.stopping.is_some() {
            return Err(EngineError::Stopped);
        }
        if !self.has(id) {
            self.take_up(id, now)?;
        }
        seen.into_iter().try_for_each(|seen| self.command(id, Command::Observe(seen), now))
    }

    /// Does what is asked of a run that has just been taken up. Who asks for anything but its end or
    /// a pause wants it to go on, however it stood meanwhile.
    fn go_on(&mut self, id: RunId, request: Request, now: Timestamp) -> Result<(), EngineError> {
        let by = request.by().to_owned();
        let wants_rest = matches!(request, Request::Cancel { .. } | Request::Pause { .. });
        let wants_more = !matches!(request, Request::Resume { .. });
        if wants_more || self.runs[&id].run.state().is_final() {
            self.command(id, Command::Request(request), now)?;
        }
        match self.runs[&id].run.state() {
            RunState::Queued if !wants_rest => self.command(id, Command::Begin, now),
            RunState::Paused if !wants_rest => {
                self.command(id, Command::Request(Request::Resume { by }), now)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn request(
        &mut self,
        id: RunId,
        request: Request,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let starts = matches!(request, Request::Resume { .. } | Request::Retry { .. });
        if starts && self.stopping.is_some() {
            return Err(EngineError::Stopped);
        }
        self.command(id, Command::Request(request), now)
    }

    /// Grants or refuses what another process asks: the answer is recorded with what it leads to. What
    /// can be neither now stays posted: for the next look, or for the run's next owner. What cannot be
    /// read will not be readable then either.
    pub(super) fn posted(&mut self, posted: Posted, now: Timestamp) {
        let Posted { id, run, request } = posted;
        let verdict = match request {
            Ok(request) => match self.request(run, request, now) {
                Ok(()) => Verdict::Granted,
                Err(EngineError::Refused(refusal)) => Verdict::Refused(refusal.to_string()),
                Err(_) => return,
            },
            Err(why) if self.bring_in(run).is_ok() => {
                let refusal =
                    format!("the process that has the run cannot read the request: {why}");
                self.batch.dropped.push((run, why));
                Verdict::Refused(refusal)
            }
            Err(_) => return,
        };
        if let Some(active) = self.runs.get_mut(&run) {
            active.settle(id, verdict);
            self.touch(run);
        }
    }
}

//! Asking something of a run of a store on this machine.

use super::{PATIENCE, Sequel, refused, say_granted, sequel, unanswered, unknown};
use crate::aim::HERE;
use crate::args::Execution;
use crate::commands::carry::carry_on;
use crate::commands::run::heading;
use crate::fault::{Ended, Fault, Outcome, alive};
use crate::look::Look;
use crate::place::Local;
use crate::plugins::Plugins;
use crate::refusal;
use crate::session::{Session, Setup, actor, now};
use crate::store;
use crate::ui::{Ui, Voice};
use crate::workflow;
use loom_core::{Refusal, Request, RunId, RunState};
use loom_protocol::ErrorCode;
use loom_store::{Answer, QueryStore, StoreError, answer};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often the answer, and what it leads to, is looked for.
const LOOK: Duration = Duration::from_millis(50);
/// How long the lock of a process that was killed while it started a command may outlive it: until
/// the child, which has it too, has become the command.
const FAREWELL: Duration = Duration::from_millis(200);
/// How often the lock is looked at meanwhile.
const FAREWELL_LOOK: Duration = Duration::from_millis(5);

/// A run that something is asked of.
pub(super) struct Asking {
    local: Local,
    id: RunId,
    look: Look,
}

impl Asking {
    pub(super) fn open(run: &str, mut local: Local) -> Result<Self, Ended> {
        local.stay()?;
        let id = local.find(run)?;
        let mut look = local.look(id)?;
        if let Some(system) = look.history.run().plan().external() {
            let refusal = Refusal::External { wanted: "steer", system: system.to_owned() };
            return Err(refusal::fault(&refusal, &id.short()).into());
        }
        let since = Instant::now();
        while look.is_taken() && since.elapsed() < FAREWELL {
            std::thread::park_timeout(FAREWELL_LOOK);
            if !local.found().run(id)?.alive {
                look = local.look(id)?;
            }
        }
        Ok(Self { local, id, look })
    }

    pub(super) const fn look(&self) -> &Look {
        &self.look
    }

    pub(super) fn resume(mut self, execution: Execution, ui: &mut Ui) -> Outcome {
        let short = self.id.short();
        let state = self.look.history.run().state();
        if state.is_final() {
            let message = format!("cannot resume run {short}, which {}", state.said());
            return Err(Fault::new(ErrorCode::Refused, message)
                .help(refusal::instead(state, &short))
                .into());
        }
        let request = Request::Resume { by: actor() };
        if !self.look.is_taken() {
            return self.take_up(request, execution, ui);
        }
        if state == RunState::Paused {
            return self.post(request, execution, ui);
        }
        let owner = self.local.found().owner(self.id)?;
        Err(alive(&short, owner.as_deref()).into())
    }

    pub(super) fn ask(self, request: Request, execution: Execution, ui: &mut Ui) -> Outcome {
        if let Some(refusal) = self.look.refuses(&request, now()) {
            return Err(refused(&self.look, &refusal).into());
        }
        if self.look.is_taken() {
            return self.post(request, execution, ui);
        }
        if let Request::CancelTask { .. } = request {
            return Err(self.nothing_runs().into());
        }
        self.take_up(request, execution, ui)
    }

    /// Nobody is at work on the run, so that there is no task to be ended.
    fn nothing_runs(&self) -> Fault {
        let short = self.id.short();
        let message = format!("nobody is at work on run {short}, so none of its tasks runs");
        Fault::new(ErrorCode::Refused, message).help(format!(
            "`loom skip{HERE} {short} TASK` goes on without a task; `loom resume{HERE} {short}` goes on with it; \
             `loom cancel{HERE} {short}` ends the run"
        ))
    }

    /// Makes the run this process's own and carries it on.
    fn take_up(mut self, request: Request, execution: Execution, ui: &mut Ui) -> Outcome {
        let short = self.id.short();
        let base = PathBuf::from(&self.look.base);
        workflow::check_queues(self.look.history.run().plan().definition(), &execution.queues)?;
        let setup = Setup {
            store: store::open(&self.local.path)?,
            plugins: Arc::new(Plugins::beside(base)),
            queues: execution.queues.into_iter().collect(),
            permissions_url: execution.permissions_url,
            report: execution.report,
        };
        let session = Session::start(setup, self.id)?;
        let _signals = session.listen(&actor())?;
        let told = |error| Fault::of_engine(&error, &short);
        session.handle.adopt(self.id, Some(request)).map_err(told)?;
        if ui.voice == Voice::Human {
            // It is under way now, and does not depend on being watched.
            let _ = ui.print(&heading(self.id, self.look.history.run().plan().definition()));
        }
        carry_on(session, self.look.history, self.local.found(), ui)
    }

    /// Leaves the request to the process that has the run, and waits for the answer.
    fn post(mut self, request: Request, execution: Execution, ui: &mut Ui) -> Outcome {
        let since = Instant::now();
        let answer = self.hand_over(&request, since)?;
        self.look.catch_up(self.local.found())?;
        match answer {
            Some(Answer::Granted) => {}
            Some(Answer::Refused(why)) => return Err(self.refusal(&request, &why).into()),
            // Whoever had the run is gone, or the run has ended: it is this process's turn.
            Some(Answer::Nobody) => {
                self.look = self.local.look(self.id)?;
                return self.ask(request, execution, ui);
            }
            Some(Answer::Unknown) => return Err(unknown(&self.look).into()),
            None => return Err(unanswered(&self.look).into()),
        }
        while sequel(&self.look, &request) == Sequel::Awaited && since.elapsed() < PATIENCE {
            std::thread::park_timeout(LOOK);
            self.look.catch_up(self.local.found())?;
        }
        say_granted(&self.look, &request, "in the process that has it", ui)
    }

    fn hand_over(&mut self, request: &Request, since: Instant) -> Result<Option<Answer>, Ended> {
        let store = self.local.found();
        let id = match store.post(self.id, request) {
            // The run has ended since it was looked at.
            Err(StoreError::Conflict(_)) => return Ok(Some(Answer::Nobody)),
            posted => posted?,
        };
        loop {
            let answer = answer(store, self.id, id)?;
            if answer.is_some() || since.elapsed() >= PATIENCE {
                return Ok(answer);
            }
            std::thread::park_timeout(LOOK);
        }
    }

    /// Whoever has the run refused. What it said is told only where the run as it stands now does not
    /// say it better.
    fn refusal(&self, request: &Request, why: &str) -> Fault {
        if let Some(refusal) = self.look.refuses(request, now()) {
            return refused(&self.look, &refusal);
        }
        let short = self.id.short();
        Fault::new(ErrorCode::Refused, format!("run {short}: {why}"))
            .help(format!("`loom show{HERE} {short}` says where it stands"))
    }
}

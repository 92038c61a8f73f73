//! `loom resume`, `retry`, `resolve`, `skip`, `cancel`: asking something of a recorded run.
//!
//! Where a living process has the run, the request is left in the store for it, and this process
//! waits until the run's journal shows that it took effect. Where none has, or has no more, this
//! process takes the run up and carries it on.

use crate::args::{CancelArgs, Execution, Global, ResolveArgs, ResumeArgs, RetryArgs, SkipArgs};
use crate::commands::carry::carry_on;
use crate::commands::run::heading;
use crate::fault::{Ended, Fault, Outcome, alive};
use crate::look::Look;
use crate::plugins::Plugins;
use crate::refusal;
use crate::session::{Session, Setup, actor, now};
use crate::store;
use crate::ui::{Ui, Voice};
use crate::workflow;
use loom_core::{Event, Refusal, Request, RunId, RunState, SkipReason, Variable};
use loom_protocol::{ErrorCode, ExitCode};
use loom_sqlite::SqliteStore;
use loom_store::{QueryStore, StoreError};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a living process has to take a request up.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often the journal is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(50);
/// How long the lock of a process that was killed while it started a command may outlive it: until
/// the child, which has it too, has become the command.
const FAREWELL: Duration = Duration::from_millis(200);
/// How often the lock is looked at meanwhile.
const FAREWELL_LOOK: Duration = Duration::from_millis(5);

pub(crate) fn resume(args: ResumeArgs, global: &Global, ui: &mut Ui) -> Outcome {
    Asking::open(&args.run, global)?.resume(args.execution, ui)
}

pub(crate) fn retry(args: RetryArgs, global: &Global, ui: &mut Ui) -> Outcome {
    let request = Request::Retry { by: actor(), task: args.task };
    Asking::open(&args.run, global)?.ask(request, args.execution, ui)
}

pub(crate) fn skip(args: SkipArgs, global: &Global, ui: &mut Ui) -> Outcome {
    let request = Request::Skip { by: actor(), reason: args.reason, task: args.task };
    Asking::open(&args.run, global)?.ask(request, args.execution, ui)
}

pub(crate) fn cancel(args: CancelArgs, global: &Global, ui: &mut Ui) -> Outcome {
    let (by, reason) = (actor(), args.reason);
    let request = match args.task {
        Some(task) => Request::CancelTask { by, reason, task },
        None => Request::Cancel { by, reason },
    };
    let execution = Execution { queues: Vec::new(), permissions_url: None, report: None };
    let outcome = Asking::open(&args.run, global)?.ask(request, execution, ui)?;
    // That the run was cancelled is what was asked for.
    Ok(if outcome == ExitCode::Cancelled { ExitCode::Success } else { outcome })
}

pub(crate) fn resolve(args: ResolveArgs, global: &Global, ui: &mut Ui) -> Outcome {
    let asking = Asking::open(&args.run, global)?;
    let outputs = args
        .outputs
        .into_iter()
        .map(|(name, value)| Variable { secret: asking.is_secret(&name), name, value })
        .collect();
    let request = Request::Resolve {
        by: actor(),
        task: args.task,
        reason: args.reason,
        outputs,
        without_outputs: args.without_outputs,
    };
    asking.ask(request, args.execution, ui)
}

/// A run that something is asked of.
struct Asking {
    path: PathBuf,
    store: SqliteStore,
    id: RunId,
    look: Look,
}

impl Asking {
    fn open(run: &str, global: &Global) -> Result<Self, Ended> {
        let path = store::locate(global.store.as_deref())?;
        let (mut store, id) = store::open_run(&path, run)?;
        let mut look = Look::at(&mut store, id)?;
        if let Some(system) = look.history.run().plan().external() {
            let refusal = Refusal::External { wanted: "steer", system: system.to_owned() };
            return Err(refusal::fault(&refusal, &id.short()).into());
        }
        let since = Instant::now();
        while look.is_taken() && since.elapsed() < FAREWELL {
            std::thread::park_timeout(FAREWELL_LOOK);
            if !store.run(id)?.alive {
                look = Look::at(&mut store, id)?;
            }
        }
        Ok(Self { path, store, id, look })
    }

    /// Whether a variable of this name is secret in this run.
    fn is_secret(&self, name: &str) -> bool {
        let definition = self.look.history.run().plan().definition();
        definition.secrets.iter().any(|secret| secret == name)
            || self.look.history.variable(name).is_some_and(|variable| variable.secret)
    }

    fn resume(mut self, execution: Execution, ui: &mut Ui) -> Outcome {
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
        let owner = self.store.owner(self.id)?;
        Err(alive(&short, owner.as_deref()).into())
    }

    fn ask(self, request: Request, execution: Execution, ui: &mut Ui) -> Outcome {
        if let Some(refusal) = self.look.refuses(&request, now()) {
            return Err(self.refused(&refusal).into());
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
            "`loom skip {short} TASK` goes on without a task; `loom resume {short}` goes on with it; \
             `loom cancel {short}` ends the run"
        ))
    }

    /// A refusal, with the task that was probably meant.
    fn refused(&self, refusal: &Refusal) -> Fault {
        let fault = refusal::fault(refusal, &self.id.short());
        let Refusal::UnknownTask(wrong) = refusal else { return fault };
        match crate::names::nearest_task(self.look.history.run().plan(), wrong) {
            Some(name) => fault.help(format!("did you mean `{name}`?")),
            None => fault,
        }
    }

    /// Makes the run this process's own and carries it on.
    fn take_up(mut self, request: Request, execution: Execution, ui: &mut Ui) -> Outcome {
        let short = self.id.short();
        let base = PathBuf::from(&self.look.summary.base);
        workflow::check_queues(self.look.history.run().plan().definition(), &execution.queues)?;
        let setup = Setup {
            store: store::open(&self.path)?,
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
        carry_on(session, self.look.history, &mut self.store, ui)
    }

    /// Leaves the request to the process that has the run, and waits for it to take effect.
    fn post(mut self, request: Request, execution: Execution, ui: &mut Ui) -> Outcome {
        let since = Instant::now();
        match self.await_answer(&request, since)? {
            Answer::Granted => {}
            // Whoever had the run is gone: it is this process's turn. Should the request be read
            // from the store as well, it is refused there, because it is granted by then.
            Answer::Nobody => {
                self.look = Look::at(&mut self.store, self.id)?;
                return self.ask(request, execution, ui);
            }
            Answer::None => {
                let short = self.id.short();
                let message = format!("the process that has run {short} has not answered yet");
                return Err(Fault::new(ErrorCode::RunIsAlive, message)
                    .help(format!(
                        "the request is recorded; `loom show {short}` says when it is granted"
                    ))
                    .into());
            }
        }
        if matches!(request, Request::Cancel { .. }) {
            self.await_end(since)?;
        }
        self.say_granted(&request, ui)
    }

    fn await_answer(&mut self, request: &Request, since: Instant) -> Result<Answer, Ended> {
        let from = self.look.history.last_seq();
        match self.store.post(self.id, request) {
            // The run has ended since it was looked at.
            Err(StoreError::Conflict(_)) => return Ok(Answer::Nobody),
            posted => posted?,
        }
        loop {
            let has_owner = self.store.run(self.id)?.alive;
            self.look.catch_up(&mut self.store)?;
            let mut news = self.look.events.iter().filter(|recorded| recorded.seq > from);
            if news.any(|recorded| grants(&recorded.event, request)) {
                return Ok(Answer::Granted);
            }
            if !has_owner {
                return Ok(Answer::Nobody);
            }
            if since.elapsed() >= PATIENCE {
                return Ok(Answer::None);
            }
            std::thread::park_timeout(LOOK);
        }
    }

    fn await_end(&mut self, since: Instant) -> Result<(), Ended> {
        while !self.look.history.run().state().is_final() && since.elapsed() < PATIENCE {
            std::thread::park_timeout(LOOK);
            self.look.catch_up(&mut self.store)?;
        }
        Ok(())
    }

    fn say_granted(&self, request: &Request, ui: &mut Ui) -> Outcome {
        let (short, state) = (self.id.short(), self.look.history.run().state());
        let what = match request {
            Request::Cancel { .. } if state.is_final() => state.said().to_owned(),
            Request::Cancel { .. } => "is being cancelled; what is under way is stopped".to_owned(),
            Request::Retry { .. } => "tries its failed tasks again".to_owned(),
            Request::Resolve { task, .. } => format!("counts task `{task}` as succeeded"),
            Request::CancelTask { task, .. } => format!("ends task `{task}`"),
            Request::Skip { task, .. } => format!("goes on without task `{task}`"),
            Request::Amend { task, .. } => format!("has task `{task}` amended"),
            Request::Resume { .. } => "goes on".to_owned(),
            Request::Pause { .. } => "is paused".to_owned(),
        };
        match ui.voice {
            Voice::Human => ui.print(&format!(
                "run {short} {what}, in the process that has it: loom logs {short} --follow\n"
            ))?,
            Voice::Json => ui.json(&json!({
                "type": "request.granted", "run": self.id.to_string(), "state": state.name(),
            }))?,
            Voice::Quiet => {}
        }
        Ok(ExitCode::Success)
    }
}

/// What becomes of a request that was left for the process that has the run.
enum Answer {
    /// It took effect.
    Granted,
    /// Nobody has the run any more.
    Nobody,
    /// The process has not answered in time.
    None,
}

/// Whether this event is what the request asked for.
fn grants(event: &Event, request: &Request) -> bool {
    match request {
        Request::Pause { .. } => matches!(event, Event::RunPaused { .. }),
        Request::Resume { .. } => matches!(event, Event::RunResumed { .. }),
        // A run that ended by itself meanwhile needs no cancelling.
        Request::Cancel { .. } => {
            matches!(event, Event::CancelRequested { .. } | Event::RunFinished { .. })
        }
        Request::Retry { .. } => matches!(event, Event::RunReopened { .. }),
        Request::Resolve { .. } => matches!(event, Event::Resolved { .. }),
        Request::CancelTask { .. } => matches!(event, Event::TaskCancelRequested { .. }),
        Request::Skip { .. } => {
            matches!(event, Event::Skipped { reason: SkipReason::ByHand { .. }, .. })
        }
        Request::Amend { .. } => matches!(event, Event::Amended { .. }),
    }
}

/// The folder of a run's logs.
pub(crate) fn logs_of(database: &Path, id: RunId) -> PathBuf {
    loom_sqlite::Files::new(database).logs().join(id.to_string())
}

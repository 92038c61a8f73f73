//! `loom resume`, `retry`, `resolve`, `skip`, `cancel`: asking something of a recorded run.
//!
//! Where a living process has the run, the request is left in the store for it, and this process
//! waits until the run's journal shows that it took effect. Where none has, or has no more, this
//! process takes the run up and carries it on. A run behind a server is the server's: it is asked, and
//! the journal shows the effect in the same way.

mod here;
mod there;

use crate::aim::HERE;
use crate::args::{CancelArgs, Execution, ResolveArgs, ResumeArgs, RetryArgs, SkipArgs};
use crate::fault::{Fault, Outcome};
use crate::look::Look;
use crate::place::Place;
use crate::refusal;
use crate::session::actor;
use crate::ui::{Ui, Voice};
use here::Asking;
use loom_core::{Event, Refusal, Request, SkipReason, Variable};
use loom_protocol::{ErrorCode, ExitCode};
use serde_json::json;
use std::time::Duration;

/// How long whoever has the run has to take a request up.
const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) fn resume(args: ResumeArgs, place: Place, ui: &mut Ui) -> Outcome {
    match place {
        Place::Local(local) => Asking::open(&args.run, local)?.resume(args.execution, ui),
        Place::Remote(remote) => {
            let request = Request::Resume { by: actor() };
            there::ask(&remote, &args.run, ui, |_| request)
        }
    }
}

pub(crate) fn retry(args: RetryArgs, place: Place, ui: &mut Ui) -> Outcome {
    let request = Request::Retry { by: actor(), task: args.task };
    ask(place, &args.run, args.execution, ui, |_| request)
}

pub(crate) fn skip(args: SkipArgs, place: Place, ui: &mut Ui) -> Outcome {
    let request = Request::Skip { by: actor(), reason: args.reason, task: args.task };
    ask(place, &args.run, args.execution, ui, |_| request)
}

pub(crate) fn cancel(args: CancelArgs, place: Place, ui: &mut Ui) -> Outcome {
    let (by, reason) = (actor(), args.reason);
    let request = match args.task {
        Some(task) => Request::CancelTask { by, reason, task },
        None => Request::Cancel { by, reason },
    };
    let execution = Execution { queues: Vec::new(), permissions_url: None, report: None };
    let outcome = ask(place, &args.run, execution, ui, |_| request)?;
    // That the run was cancelled is what was asked for.
    Ok(if outcome == ExitCode::Cancelled { ExitCode::Success } else { outcome })
}

pub(crate) fn resolve(args: ResolveArgs, place: Place, ui: &mut Ui) -> Outcome {
    ask(place, &args.run, args.execution, ui, |look| {
        let mark =
            |(name, value): (String, _)| Variable { secret: is_secret(look, &name), name, value };
        Request::Resolve {
            by: actor(),
            task: args.task,
            reason: args.reason,
            outputs: args.outputs.into_iter().map(mark).collect(),
            without_outputs: args.without_outputs,
        }
    })
}

fn ask(
    place: Place,
    run: &str,
    execution: Execution,
    ui: &mut Ui,
    request: impl FnOnce(&Look) -> Request,
) -> Outcome {
    match place {
        Place::Local(local) => {
            let asking = Asking::open(run, local)?;
            let request = request(asking.look());
            asking.ask(request, execution, ui)
        }
        Place::Remote(remote) => there::ask(&remote, run, ui, request),
    }
}

/// Whether a variable of this name is secret in this run.
fn is_secret(look: &Look, name: &str) -> bool {
    look.history.run().plan().definition().secrets.iter().any(|secret| secret == name)
        || look.history.variable(name).is_some_and(|variable| variable.secret)
}

/// A refusal, with the task that was probably meant.
fn refused(look: &Look, refusal: &Refusal) -> Fault {
    let fault = refusal::fault(refusal, &look.id().short());
    let Refusal::UnknownTask(wrong) = refusal else { return fault };
    match crate::names::nearest_task(look.history.run().plan(), wrong) {
        Some(name) => fault.help(format!("did you mean `{name}`?")),
        None => fault,
    }
}

/// Whoever has the run does not answer.
fn unanswered(look: &Look) -> Fault {
    let short = look.id().short();
    let message = format!("the process that has run {short} has not answered yet");
    Fault::new(ErrorCode::RunIsAlive, message)
        .help(format!("the request is recorded; `loom show{HERE} {short}` says when it is granted"))
}

/// Says that a request took effect, `where_` the run is.
fn say_granted(look: &Look, request: &Request, where_: &str, ui: &mut Ui) -> Outcome {
    let (short, state) = (look.id().short(), look.history.run().state());
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
        Voice::Human => {
            ui.print(&format!("run {short} {what}, {where_}: loom logs{HERE} {short} --follow\n"))?;
        }
        Voice::Json => ui.json(&json!({
            "type": "request.granted", "run": look.id().to_string(), "state": state.name(),
        }))?,
        Voice::Quiet => {}
    }
    Ok(ExitCode::Success)
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

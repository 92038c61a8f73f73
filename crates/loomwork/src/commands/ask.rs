//! `loom resume`, `retry`, `resolve`, `skip`, `cancel`: asking something of a recorded run.
//!
//! Where a living process has the run, the request is left in the store for it, and this process waits
//! for the answer, which the commit records that settles the request. Where none has, or has no more,
//! this process takes the run up and carries it on. A run behind a server is the server's, which
//! answers when what was asked for is recorded.

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
use loom_core::{Refusal, Request, TaskPhase, Variable};
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

/// Nobody knows what became of the request.
fn unknown(look: &Look) -> Fault {
    let short = look.id().short();
    let message = format!("the process that has run {short} has left no answer");
    Fault::new(ErrorCode::RunIsAlive, message).help(format!(
        "it is of an older version, or the run is deleted; `loom show{HERE} {short}` says whether the request \
         took effect"
    ))
}

/// What a request that was granted leads to in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sequel {
    /// It is to come: the end of a run, a task that is taken back from who it was handed to.
    Awaited,
    /// Nothing more is.
    Seen,
    /// The task that was to be skipped began before it was taken back.
    Missed(TaskPhase),
}

/// What is to be seen of a granted request, as far as this look goes.
fn sequel(look: &Look, request: &Request) -> Sequel {
    let run = look.history.run();
    match request {
        Request::Cancel { .. } if !run.state().is_final() => Sequel::Awaited,
        Request::Skip { task, .. } => {
            let task = run.plan().find_task(task).expect("a granted request names a task");
            match run.phase(task) {
                TaskPhase::Waiting | TaskPhase::Ready => Sequel::Awaited,
                TaskPhase::Skipped => Sequel::Seen,
                phase => Sequel::Missed(phase),
            }
        }
        _ => Sequel::Seen,
    }
}

/// Says that a request took effect, `where_` the run is; or that a task had begun before it could be
/// skipped.
fn say_granted(look: &Look, request: &Request, where_: &str, ui: &mut Ui) -> Outcome {
    let (short, state) = (look.id().short(), look.history.run().state());
    let sequel = sequel(look, request);
    let what = match request {
        Request::Cancel { .. } if state.is_final() => state.said().to_owned(),
        Request::Cancel { .. } => "is being cancelled; what is under way is stopped".to_owned(),
        Request::Retry { .. } => "tries its failed tasks again".to_owned(),
        Request::Resolve { task, .. } => format!("counts task `{task}` as succeeded"),
        Request::CancelTask { task, .. } => format!("ends task `{task}`"),
        Request::Skip { task, .. } => match sequel {
            Sequel::Missed(phase) => return Err(begun(look, task, phase).into()),
            Sequel::Awaited => format!("takes task `{task}` back, to go on without it"),
            Sequel::Seen => format!("goes on without task `{task}`"),
        },
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

/// A task was not skipped, because it had begun.
fn begun(look: &Look, task: &str, phase: TaskPhase) -> Fault {
    let short = look.id().short();
    let said = phase.said();
    let message = format!("run {short}: task `{task}` was not skipped: it {said} by now");
    Fault::new(ErrorCode::Refused, message).help(refusal::instead_of_task(phase, &short))
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_core::{
        Definition, Event, Plan, RunId, RunOutcome, SkipReason, Submission, TaskDef, TaskIx,
        TaskRef, Timestamp,
    };
    use loom_store::Recorded;
    use std::sync::Arc;

    /// A run of one task after these events.
    fn look(events: Vec<Event>) -> Look {
        let definition = Definition::new("test", vec![TaskDef::new("only", "noop")]);
        let submission = Submission {
            id: RunId::new(1, 1),
            plan: Arc::new(Plan::new(definition)),
            variables: Arc::default(),
            workers: 1,
        };
        let mut look = Look::new(submission, Timestamp(0), String::new(), true);
        let started = std::iter::once(Event::RunStarted { at: Timestamp(0) });
        for (seq, event) in (1..).zip(started.chain(events)) {
            look.record(Recorded { seq, event });
        }
        look
    }

    #[test]
    fn a_granted_request_is_over_when_all_that_it_leads_to_is_recorded() {
        let (at, task, attempt) = (Timestamp(1), TaskRef::whole(TaskIx(0)), 1);
        let (by, reason) = (String::new, String::new);
        let only = || "only".to_owned();
        let skip = Request::Skip { by: by(), reason: reason(), task: only() };
        let cancel = Request::Cancel { by: by(), reason: reason() };
        let retry = Request::Retry { by: by(), task: Some(only()) };
        let held = || Event::Assigned { at, task, attempt };
        let asked = || Event::SkipRequested { at, task, by: by(), reason: reason() };
        let skipped = || Event::Skipped {
            at,
            task,
            reason: SkipReason::ByHand { by: by(), reason: reason() },
        };
        let begun = || Event::Started { at, task, attempt };
        let ended = || Event::RunFinished { at, outcome: RunOutcome::Cancelled };
        let cancelling = || Event::CancelRequested { at, by: by(), reason: reason() };
        let cases = [
            (&skip, vec![skipped()], Sequel::Seen),
            (&skip, vec![held(), asked()], Sequel::Awaited),
            (&skip, vec![held(), asked(), skipped()], Sequel::Seen),
            (&skip, vec![held(), asked(), begun()], Sequel::Missed(TaskPhase::Running)),
            (&cancel, vec![cancelling()], Sequel::Awaited),
            (&cancel, vec![cancelling(), ended()], Sequel::Seen),
            (&retry, vec![], Sequel::Seen),
        ];
        for (request, events, expected) in cases {
            assert_eq!(sequel(&look(events.clone()), request), expected, "{request:?}: {events:?}");
        }
    }

    #[test]
    fn a_task_that_began_before_it_was_taken_back_is_told_of_with_what_to_do_instead() {
        let fault = begun(&look(vec![]), "only", TaskPhase::Running);
        assert_eq!(fault.code, ErrorCode::Refused);
        assert!(fault.message.ends_with("task `only` was not skipped: it is running by now"));
        assert!(fault.help[0].contains("loom cancel"), "{:?}", fault.help);
    }
}

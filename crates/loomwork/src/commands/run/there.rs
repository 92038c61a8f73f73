//! `loom run --server`: a server checks the workflow, executes the run, and tells of it.
//!
//! The run is the server's: whoever watches it may go, and comes back with `loom logs --follow`.

use super::{given, heading, random};
use crate::aim::HERE;
use crate::args::RunArgs;
use crate::client::{Call, News, WAITING_MAX, follow, path, persist};
use crate::commands::carry::conclude;
use crate::fault::{Ended, Fault, Outcome};
use crate::look::Look;
use crate::place::{Remote, not_with_server};
use crate::progress::{View, view};
use crate::session::{Finish, now};
use crate::signals::Listener;
use crate::ui::{Ui, Voice, tell};
use crate::workflow;
use loom_core::RunId;
use loom_protocol::api::{DiagnosticInfo, ProblemDocument, StartRun, WorkflowView};
use loom_protocol::{ErrorCode, ExitCode};
use loom_spec::{Diagnostic, Limits, Position, Problems, Severity, Source, Span};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};

/// What comes while a run is watched.
enum Heard {
    News(News),
    /// A signal asks this process to end.
    Signal,
}

pub(super) fn run(args: RunArgs, remote: &Remote, ui: &mut Ui) -> Outcome {
    if !args.limits.limits.is_empty() {
        let instead = "the server has limits of its own for workflow files";
        return Err(not_with_server("the option --limit", instead).into());
    }
    let variables = given(args.variables)?;
    let source = workflow::read(&args.file, &Limits::default(), ui)?;
    let workflow = register(remote, &source, ui)?;
    let request = StartRun {
        workflow: workflow.name,
        namespace: Some(workflow.namespace),
        version: Some(workflow.version),
        variables,
        workers: args.workers,
        ..StartRun::default()
    };
    let key = format!("loom-run-{:032x}", random()?);
    // The server was there a moment ago: should it be restarted now, it is waited for.
    let waits = |what: &str| ui.remark(what);
    let started = persist(waits, || remote.start(&request, &key))?;
    let run: RunId = started.id.parse().map_err(|error| {
        Fault::new(
            ErrorCode::BadAnswer,
            format!("the server began a run `{}`: {error}", started.id),
        )
    })?;
    let (mut look, _) = persist(waits, || remote.begin(run))?;
    let (sender, heard) = sync_channel(WAITING_MAX);
    let _signals = listen(sender.clone())?;
    if ui.voice == Voice::Human {
        // It is under way now, and does not depend on being watched.
        let _ = ui.print(&heading(run, look.history.run().plan().definition()));
    }
    let _ = ui.flush();
    let tell = move |news| sender.send(Heard::News(news)).is_ok();
    follow(remote.client.clone(), run, 0, tell)?;
    let mut view = view(ui, &look.correlation_id);
    let watched = watch(remote, &heard, &mut look, &mut *view);
    let unwritten = view.close().err();
    // Whoever has more to tell is not kept waiting.
    drop(heard);
    if watched? == Watched::Left {
        let short = run.short();
        tell_left(&short);
        return Ok(ExitCode::Cancelled);
    }
    conclude(&look.history, Finish::elsewhere(unwritten), ui)
}

fn tell_left(run: &str) {
    tell(&format!(
        "run {run} goes on at the server; watch it with: loom logs{HERE} {run} --follow, or end it with: \
         loom cancel{HERE} {run}\n"
    ));
}

/// Every signal is one to go: the run is not this process's to end.
fn listen(sender: SyncSender<Heard>) -> Result<Listener, Fault> {
    Listener::start(move |_| {
        // Without a watcher nobody has to be told.
        let _ = sender.send(Heard::Signal);
    })
}

/// Has the server check and keep the workflow. What is wrong has been told when this returns an error.
fn register(remote: &Remote, source: &Source, ui: &mut Ui) -> Result<WorkflowView, Ended> {
    let call = Call::post_yaml(path(&["workflows"]), source.text());
    let problem = match remote.client.attempt(call)? {
        Ok(view) => return Ok(view),
        Err(problem) => problem,
    };
    let ProblemDocument { diagnostics, .. } = &problem;
    if diagnostics.is_empty() {
        return Err(remote.client.told(problem).into());
    }
    let mut problems = Problems::default();
    diagnostics.iter().for_each(|info| problems.push(diagnostic(info, source)));
    ui.problems(source, &problems);
    Err(Ended::Told(ExitCode::Usage))
}

/// What a server says about a place of a document.
fn diagnostic(info: &DiagnosticInfo, source: &Source) -> Diagnostic {
    let number = info.code.strip_prefix('L').and_then(|number| number.parse().ok());
    // An error of a newer server is one about a document all the same.
    let code = number.and_then(ErrorCode::from_number).unwrap_or(ErrorCode::BadValue);
    let mut diagnostic = Diagnostic::error(code, &info.message);
    if info.severity == Severity::Warning.name() {
        diagnostic.severity = Severity::Warning;
    }
    let place = |line: Option<u32>, column: Option<u32>| {
        source.offset(Position { line: line?, column: column? })
    };
    let start = place(info.line, info.column);
    let end = place(info.end_line, info.end_column);
    if let Some(start) = start {
        let span = end.map_or(Span::empty(start), |end| Span::new(start, end.max(start)));
        diagnostic = diagnostic.at(span, info.label.as_deref().unwrap_or_default());
    }
    match &info.help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// How watching a run came to its end.
#[derive(Debug, PartialEq, Eq)]
enum Watched {
    /// With that of the run.
    Ended,
    /// A signal came.
    Left,
}

/// Shows what happens until the run has ended.
fn watch(
    remote: &Remote,
    heard: &Receiver<Heard>,
    look: &mut Look,
    view: &mut dyn View,
) -> Result<Watched, Ended> {
    while !look.history.run().state().is_final() {
        let next = match view.patience() {
            Some(patience) => heard.recv_timeout(patience),
            None => heard.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match next {
            Ok(Heard::News(News::Event(event))) => {
                remote.take(look, &event)?;
                let last = look.events.last().expect("it was taken in just now");
                view.event(&look.history, last.seq, &last.event);
            }
            Ok(Heard::News(News::Lost(fault))) => {
                let note = format!("{}; it is asked again", fault.message);
                view.note(&look.history, &note);
            }
            Ok(Heard::News(News::Found)) => view.note(&look.history, ""),
            Ok(Heard::News(News::Over(fault))) => return Err(fault.into()),
            Ok(Heard::Signal) => return Ok(Watched::Left),
            Err(RecvTimeoutError::Timeout) => view.tick(&look.history, now()),
            Err(RecvTimeoutError::Disconnected) => {
                unreachable!("the listener for signals holds a sender")
            }
        }
    }
    Ok(Watched::Ended)
}

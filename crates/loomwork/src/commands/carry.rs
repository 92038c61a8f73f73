//! Carrying a run to its end on this process, and saying how it ended.

use crate::fault::{Fault, Outcome};
use crate::progress::{View, failures_only, summary, view};
use crate::session::{Finish, Session};
use crate::ui::{Ui, Voice, tell};
use loom_core::{History, RunState};
use loom_protocol::ExitCode;
use loom_store::QueryStore;

/// Shows a run that was just submitted until it ends.
pub(crate) fn carry(session: Session, mut history: History, ui: &mut Ui) -> Outcome {
    // The run does not depend on being watched.
    let _ = ui.flush();
    let mut view = view(ui, "");
    let finish = session.follow(&mut history, &mut *view)?;
    conclude(&history, finish, ui)
}

/// Shows a run that was just taken up until it ends, from what was recorded since `history`.
pub(crate) fn carry_on(
    session: Session,
    mut history: History,
    store: &mut dyn QueryStore,
    ui: &mut Ui,
) -> Outcome {
    // The run does not depend on being watched.
    let _ = ui.flush();
    let mut view = view(ui, "");
    catch_up(&mut history, store, &mut *view)?;
    let finish = session.follow(&mut history, &mut *view)?;
    conclude(&history, finish, ui)
}

fn catch_up(
    history: &mut History,
    store: &mut dyn QueryStore,
    view: &mut dyn View,
) -> Result<(), Fault> {
    let id = history.run().id();
    loop {
        let page = store
            .journal(id, history.last_seq(), 10_000)
            .map_err(|error| Fault::of_store(&error, Some(&id.short())))?;
        for recorded in &page.events {
            history.record(recorded.seq, &recorded.event);
            view.event(history, recorded.seq, &recorded.event);
        }
        if !page.more {
            return Ok(());
        }
    }
}

/// Says how a run ended, and answers with the exit status for it.
pub(crate) fn conclude(history: &History, mut finish: Finish, ui: &mut Ui) -> Outcome {
    let state = history.run().state();
    match ui.voice {
        Voice::Human if finish.failure.is_none() => {
            // The run's outcome does not depend on a reader.
            let _ = ui.print(&summary(history, ui.terminal.paint)).and_then(|()| ui.flush());
        }
        Voice::Quiet if state == RunState::Failed => {
            tell(&failures_only(history, ui.terminal.paint_err));
        }
        Voice::Human | Voice::Json | Voice::Quiet => {}
    }
    if let Some(failure) = &finish.failure {
        return Err(Fault::of_store(failure, Some(&history.run().id().short())).into());
    }
    let (interrupted, unwritten) = (finish.interrupted, finish.unwritten.take());
    finish.report();
    if let Some(error) = unwritten {
        return Err(error.into());
    }
    Ok(match state {
        _ if interrupted => ExitCode::Cancelled,
        RunState::Succeeded => ExitCode::Success,
        RunState::Failed => ExitCode::RunFailed,
        _ => ExitCode::Cancelled,
    })
}

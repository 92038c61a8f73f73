//! `loom list`: the runs of the store.

use crate::args::{Global, ListArgs, StateFilter};
use crate::fault::{Ended, Outcome};
use crate::look::Look;
use crate::render::duration::short;
use crate::render::table::Table;
use crate::session::now;
use crate::store;
use crate::terminal::{Paint, printable};
use crate::ui::{Ui, Voice};
use loom_core::{RunState, TaskPhase};
use loom_protocol::{ExitCode, rfc3339};
use loom_sqlite::SqliteStore;
use loom_store::{QueryStore, RunFilter, RunSummary};
use serde_json::json;
use std::fmt::Write;

/// Runs of workflows with more tasks than this show no count of those that are done: it is counted
/// from the journal.
const COUNTED_MOST: usize = 2000;

/// The word for a run that has not ended and that nobody is at work on.
const INTERRUPTED: &str = "interrupted";

pub(crate) fn list(args: &ListArgs, global: &Global, ui: &mut Ui) -> Outcome {
    let path = store::locate(global.store.as_deref())?;
    let Some(mut store) = store::look(&path)? else {
        ui.remark(&format!("there is no store in {} yet", path.display()));
        return Ok(ExitCode::Success);
    };
    let (runs, more) = matching(&mut store, args)?;
    if ui.voice == Voice::Json {
        for run in &runs {
            ui.json(&document(run))?;
        }
        return Ok(ExitCode::Success);
    }
    let paint = ui.terminal.paint;
    let mut table = Table::new(&["RUN", "WORKFLOW", "STATE", "AGE", "TOOK", "TASKS"])
        .sparing(&["TASKS", "AGE"]);
    for run in &runs {
        let took = match (run.started_at, run.finished_at) {
            (Some(from), Some(to)) => short(to.since(from)),
            (Some(from), None) if run.alive => short(now().since(from)),
            _ => "–".to_owned(),
        };
        table.row([
            paint.bold(run.id.short()),
            printable(&run.workflow),
            coloured(paint, state_name(run)),
            short(now().since(run.created_at)),
            took,
            tasks(&mut store, run)?,
        ]);
    }
    if runs.is_empty() {
        ui.remark("no runs");
    } else {
        ui.print(&table.render(paint))?;
    }
    if more {
        ui.remark("there are more: --limit N shows more of them");
    }
    Ok(ExitCode::Success)
}

fn matching(store: &mut SqliteStore, args: &ListArgs) -> Result<(Vec<RunSummary>, bool), Ended> {
    let most = args.most;
    let interrupted = args.state == Some(StateFilter::Interrupted);
    let states = match args.state {
        None => Vec::new(),
        Some(StateFilter::Interrupted) => {
            vec![RunState::Running, RunState::Paused, RunState::Queued]
        }
        Some(StateFilter::Of(state)) => vec![state],
    };
    let filter = RunFilter {
        states,
        workflow: args.workflow.clone(),
        limit: if interrupted { 0 } else { most },
        ..RunFilter::default()
    };
    let page = store.list(&filter)?;
    let mut found = page.runs;
    found.retain(|run| !interrupted || is_interrupted(run));
    let more = page.more || found.len() > most;
    found.truncate(most);
    Ok((found, more))
}

/// Whether a run has not ended and nobody is at work on it, as far as is known here.
pub(crate) fn is_interrupted(run: &RunSummary) -> bool {
    !run.state.is_final() && !run.alive && run.meta.external.is_none()
}

/// Where a run stands, as people see it. That it is paused says more than that nobody is at work.
pub(crate) fn state_name(run: &RunSummary) -> &'static str {
    match run.state {
        RunState::Queued | RunState::Running if is_interrupted(run) => INTERRUPTED,
        state => state.name(),
    }
}

/// A state in its colour.
pub(crate) fn coloured(paint: Paint, state: &str) -> String {
    match state {
        "succeeded" => paint.green(state),
        "failed" => paint.red(state),
        "running" | "queued" => paint.cyan(state),
        _ => paint.yellow(state),
    }
}

/// How many of a run's tasks are done, of how many.
fn tasks(store: &mut SqliteStore, run: &RunSummary) -> Result<String, Ended> {
    let total = store.definition(&run.definition)?.tasks.len();
    if total > COUNTED_MOST {
        return Ok(total.to_string());
    }
    let counts = Look::at(store, run.id)?.history.counts();
    let mut text = format!("{}/{}", counts.settled(), counts.total());
    for phase in [TaskPhase::Failed, TaskPhase::Skipped] {
        let count = counts.of(phase);
        if count > 0 {
            let _ = write!(text, ", {count} {phase}");
        }
    }
    Ok(text)
}

fn document(run: &RunSummary) -> serde_json::Value {
    let time = |at: loom_core::Timestamp| rfc3339(at.0);
    json!({
        "run": run.id.to_string(),
        "namespace": run.namespace,
        "workflow": run.workflow,
        "version": run.version,
        "state": run.state.name(),
        "interrupted": is_interrupted(run),
        "alive": run.alive,
        "created_at": time(run.created_at),
        "started_at": run.started_at.map(time),
        "finished_at": run.finished_at.map(time),
        "workers": run.workers,
        "base": run.base,
    })
}

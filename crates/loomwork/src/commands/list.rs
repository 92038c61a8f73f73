//! `loom list`: runs, youngest first.

use crate::args::ListArgs;
use crate::fault::{Ended, Outcome};
use crate::place::{Place, Wanted};
use crate::render::duration::short;
use crate::render::table::Table;
use crate::session::now;
use crate::terminal::{Paint, printable};
use crate::ui::{Ui, Voice};
use loom_core::{RunId, Timestamp};
use loom_protocol::api::RunView;
use loom_protocol::{ExitCode, read_rfc3339};

/// The word for a run that has not ended and that nobody is at work on.
const INTERRUPTED: &str = "interrupted";

pub(crate) fn list(args: ListArgs, place: &mut Place, ui: &mut Ui) -> Outcome {
    let wanted = Wanted { state: args.state, workflow: args.workflow, most: args.most };
    let listed = place.list(&wanted)?;
    if ui.voice == Voice::Json {
        listed.runs.iter().try_for_each(|run| ui.json(run))?;
        return Ok(ExitCode::Success);
    }
    if listed.runs.is_empty() {
        ui.remark(listed.remark.as_deref().unwrap_or("no runs"));
        return Ok(ExitCode::Success);
    }
    ui.print(&table(&listed.runs, place, ui.terminal.paint)?)?;
    if listed.more {
        ui.remark("there are more: --limit N shows more of them");
    }
    Ok(ExitCode::Success)
}

fn table(runs: &[RunView], place: &mut Place, paint: Paint) -> Result<String, Ended> {
    let row = |run: &RunView| {
        [
            paint.bold(short_id(&run.id)),
            printable(&run.workflow),
            coloured(paint, standing(run.state.name(), run.alive || run.external.is_some())),
            read(Some(run.created_at.as_str())).map_or_else(dash, |at| short(now().since(at))),
            took(run),
        ]
    };
    let head = ["RUN", "WORKFLOW", "STATE", "AGE", "TOOK", "TASKS"];
    match place {
        Place::Local(local) => {
            let mut table = Table::new(&head).sparing(&["TASKS", "AGE"]);
            for run in runs {
                let [id, workflow, state, age, took] = row(run);
                table.row([id, workflow, state, age, took, local.progress(run)?]);
            }
            Ok(table.render(paint))
        }
        // To count them, the server would have to read each run's journal.
        Place::Remote(_) => {
            let mut table = Table::new(&head[..5]).sparing(&["AGE"]);
            runs.iter().for_each(|run| table.row(row(run)));
            Ok(table.render(paint))
        }
    }
}

fn took(run: &RunView) -> String {
    match (read(run.started_at.as_deref()), read(run.finished_at.as_deref())) {
        (Some(from), Some(to)) => short(to.since(from)),
        (Some(from), None) if run.alive || run.external.is_some() => short(now().since(from)),
        _ => dash(),
    }
}

fn dash() -> String {
    "–".to_owned()
}

fn read(time: Option<&str>) -> Option<Timestamp> {
    time.and_then(read_rfc3339).map(Timestamp)
}

fn short_id(id: &str) -> String {
    id.parse().map_or_else(|_| printable(id), RunId::short)
}

/// Where a run stands, as people see it; `alive` says whether somebody is at work on it, here or
/// elsewhere. That it is paused says more than that nobody is.
pub(crate) fn standing(state: &'static str, alive: bool) -> &'static str {
    if !alive && ["queued", "running"].contains(&state) { INTERRUPTED } else { state }
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

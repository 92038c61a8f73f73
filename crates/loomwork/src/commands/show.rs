//! `loom show`: one run.

use crate::aim::HERE;
use crate::args::ShowArgs;
use crate::commands::list::{coloured, standing};
use crate::fault::Outcome;
use crate::look::Look;
use crate::place::Place;
use crate::render::duration::short;
use crate::render::table::Table;
use crate::render::timeline::timeline;
use crate::render::words::value_text;
use crate::session::now;
use crate::terminal::{Paint, fit, printable, size};
use crate::ui::{Ui, Voice};
use loom_core::{Act, Amended, Definition, History, Intervention, SetBy, TaskIx, Timestamp};
use loom_protocol::{ExitCode, MASK, rfc3339};
use std::fmt::Write;

/// The most variables that are shown, unless all are asked for.
const VARIABLES_MOST: usize = 20;

pub(crate) fn show(args: &ShowArgs, place: &mut Place, ui: &mut Ui) -> Outcome {
    let run = place.find(&args.run)?;
    if ui.voice == Voice::Json {
        ui.json(&place.detail(run)?)?;
        return Ok(ExitCode::Success);
    }
    let look = place.look(run)?;
    let paint = ui.terminal.paint;
    let mut text = head(&look, paint);
    text += &interventions(&look.history, paint);
    text += &variables(&look.history, args.all, paint);
    let (width, _) = size();
    let axis_end = if look.alive { now() } else { look.last_moment() };
    text += "\n";
    text += &timeline(&look.history, axis_end, width, args.all, paint);
    ui.print(&text)?;
    Ok(ExitCode::Success)
}

fn head(look: &Look, paint: Paint) -> String {
    let history = &look.history;
    let (run, counts) = (history.run(), history.counts());
    let Definition { namespace, name, version, .. } = &**run.plan().definition();
    let name = format!("{namespace}/{name} {version}");
    let mut text = format!("run {}  {}\n", paint.bold(run.id()), printable(&name));
    let mut state = coloured(paint, standing(run.state().name(), !look.is_interrupted()));
    if let Some(pause) = history.paused() {
        let _ = write!(state, " since {} by {}", clock(pause.at), printable(&pause.by));
    }
    let mut field = |name: &str, value: &str| _ = writeln!(text, "  {name:<9} {value}");
    field("state", &format!("{state}, {} of {} tasks done", counts.settled(), counts.total()));
    let created_at = history.created_at();
    field("accepted", &format!("{} ({} ago)", clock(created_at), short(now().since(created_at))));
    if let (Some(from), Some(to)) = (history.started_at(), history.finished_at()) {
        field("took", &format!("{}, ended {}", short(to.since(from)), clock(to)));
    }
    field("workers", &look.workers.to_string());
    field("folder", &printable(&look.base));
    if look.is_interrupted() {
        field("go on", &format!("loom resume{HERE} {}", run.id().short()));
    }
    text
}

/// A time as people read it: seconds are enough.
fn clock(at: Timestamp) -> String {
    let text = rfc3339(at.0);
    format!("{} {}Z", &text[..10], &text[11..19])
}

fn interventions(history: &History, paint: Paint) -> String {
    let plan = history.run().plan();
    let mut text = String::new();
    for Intervention { at, by, act, .. } in history.interventions() {
        let name = |task: &TaskIx| printable(&plan.task(*task).name);
        let because = |reason: &str| {
            if reason.is_empty() { String::new() } else { format!(": {}", printable(reason)) }
        };
        let (what, why) = match act {
            Act::Pause => ("paused".to_owned(), String::new()),
            Act::Resume => ("resumed".to_owned(), String::new()),
            Act::Cancel(reason) => ("cancelled".to_owned(), because(reason)),
            Act::Retry(tasks) => {
                let names: Vec<&str> =
                    tasks.iter().take(5).map(|&task| plan.task(task).name.as_str()).collect();
                (format!("tried again: {}", printable(&names.join(", "))), String::new())
            }
            Act::Resolve(task, reason) => (format!("resolved {}", name(task)), because(reason)),
            Act::CancelTask(task, reason) => (format!("cancelled {}", name(task)), because(reason)),
            Act::Skip(task, reason) => (format!("skipped {}", name(task)), because(reason)),
            Act::Amend(task, amended) => (format!("amended {}", name(task)), changed(amended)),
        };
        let _ = writeln!(text, "  {} {what} by {}{why}", paint.dim(clock(*at)), printable(by));
    }
    text
}

/// What was changed of a task.
fn changed(amended: &Amended) -> String {
    let attempts = amended.max_attempts.map(|most| format!("max_attempts={most}"));
    let inputs = amended.inputs.iter().map(|input| {
        let value = if input.secret { MASK.to_owned() } else { value_text(&input.value) };
        format!("{}={}", input.name, fit(&value, 40))
    });
    let all: Vec<String> = attempts.into_iter().chain(inputs).collect();
    format!(": {}", all.join("  "))
}

fn variables(history: &History, all: bool, paint: Paint) -> String {
    let plan = history.run().plan();
    let mut table = Table::new(&["", "", "", ""]);
    let most = if all { usize::MAX } else { VARIABLES_MOST };
    let mut more = 0;
    for (at, variable) in history.variables().enumerate() {
        if at >= most {
            more += 1;
            continue;
        }
        let value = if variable.secret { MASK.to_owned() } else { value_text(variable.value) };
        let by = match variable.set_by {
            SetBy::Start => "at the start".to_owned(),
            SetBy::Amendment => "by hand".to_owned(),
            SetBy::Task(task) => format!("by {}", printable(&plan.task(task).name)),
        };
        table.row([String::new(), variable.name.to_owned(), value, paint.dim(by)]);
    }
    let mut text = table.render(paint);
    if !text.is_empty() {
        text.insert_str(0, &format!("\n{}\n", paint.dim("variables")));
    }
    if more > 0 {
        text += &paint.dim(format!("  … and {more} more; --all shows every one\n"));
    }
    text
}

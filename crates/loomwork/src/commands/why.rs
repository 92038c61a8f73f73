//! `loom why`: why a run, or a task, stands where it does.

use crate::aim::HERE;
use crate::args::WhyArgs;
use crate::commands::logs::find;
use crate::fault::{Fault, Outcome};
use crate::place::Place;
use crate::render::why::{run_why, task_why};
use crate::session::now;
use crate::ui::{Ui, Voice};
use loom_core::{History, TaskRef};
use loom_protocol::{ErrorCode, ExitCode};

pub(crate) fn why(args: &WhyArgs, place: &mut Place, ui: &mut Ui) -> Outcome {
    let id = place.find(&args.run)?;
    let look = place.look(id)?;
    let task = match &args.task {
        Some(task) => Some(find(look.history.run().plan(), task, &id.short())?),
        None => None,
    };
    task.map_or(Ok(()), |task| check_item(&look.history, task))?;
    let now = now();
    if ui.voice == Voice::Json {
        match task {
            Some(task) => ui.json(&place.task_why(&look, task, now)?)?,
            None => ui.json(&place.run_why(&look, now)?)?,
        }
        return Ok(ExitCode::Success);
    }
    let beyond = place.beyond(&look, task, now)?;
    let paint = ui.terminal.paint;
    let text = match task {
        Some(task) => task_why(&look.history, task, beyond, now, paint),
        None => run_why(&look.history, beyond, now, paint),
    };
    ui.print(&text)?;
    Ok(ExitCode::Success)
}

fn check_item(history: &History, of: TaskRef) -> Result<(), Fault> {
    let run = history.run();
    if run.phase_of(of).is_some() {
        return Ok(());
    }
    let name = &run.plan().task(of.task).name;
    let (item, id) = (of.item.unwrap_or_default(), run.id().short());
    let message = match run.items(of.task) {
        Some((count, _)) => {
            format!("task `{name}` has no item {item}: it has {count}, counted from 0")
        }
        None if run.plan().task(of.task).for_each.is_none() => {
            format!("task `{name}` has no items: it has no `for_each`")
        }
        None => format!("the items of task `{name}` are not known: it has not fired"),
    };
    Err(Fault::new(ErrorCode::NoSuchTask, message)
        .help(format!("`loom why{HERE} {id} {name}` says where the task stands")))
}

//! `loom why`: why a run, or a task, stands where it does.

use crate::aim::HERE;
use crate::args::WhyArgs;
use crate::commands::logs::find;
use crate::fault::{Fault, Outcome};
use crate::place::Place;
use crate::render::why::{Moment, run_why, task_why};
use crate::session::now;
use crate::ui::Ui;
use loom_core::{History, TaskRef};
use loom_protocol::{ErrorCode, ExitCode};

pub(crate) fn why(args: &WhyArgs, place: &mut Place, ui: &mut Ui) -> Outcome {
    let id = place.find(&args.run)?;
    let look = place.look(id)?;
    let paint = ui.terminal.paint;
    let left_at = look.is_interrupted().then(|| look.last_moment());
    let moment = Moment { now: now(), left_at };
    let outside = place.outside(&look, moment.now)?;
    let text = match &args.task {
        Some(task) => {
            let task = find(look.history.run().plan(), task, &id.short())?;
            check_item(&look.history, task)?;
            task_why(&look.history, task, moment, outside, paint)
        }
        None => run_why(&look.history, moment, outside, paint),
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

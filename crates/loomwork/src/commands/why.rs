//! `loom why`: why a run, or a task, stands where it does.

use crate::args::{Global, WhyArgs};
use crate::commands::logs::find;
use crate::fault::Outcome;
use crate::look::Look;
use crate::render::why::{run_why, task_why};
use crate::session::now;
use crate::store;
use crate::ui::Ui;
use loom_protocol::ExitCode;

pub(crate) fn why(args: &WhyArgs, global: &Global, ui: &mut Ui) -> Outcome {
    let path = store::locate(global.store.as_deref())?;
    let (mut store, id) = store::open_run(&path, &args.run)?;
    let look = Look::at(&mut store, id)?;
    let paint = ui.terminal.paint;
    let mut text = match &args.task {
        Some(task) => {
            let task = find(look.history.run().plan(), task, &id.short())?;
            task_why(&look.history, task.task, now(), paint)
        }
        None => run_why(&look.history, now(), paint),
    };
    if !look.summary.alive && !look.history.run().state().is_final() {
        let short = id.short();
        text += &format!("nobody is at work on the run; go on: loom resume {short}\n");
    }
    ui.print(&text)?;
    Ok(ExitCode::Success)
}

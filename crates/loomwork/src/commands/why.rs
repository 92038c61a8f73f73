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
use std::fmt::Write;

pub(crate) fn why(args: &WhyArgs, global: &Global, ui: &mut Ui) -> Outcome {
    let path = store::locate(global.store.as_deref())?;
    let (mut store, id) = store::look_at_run(&path, &args.run)?;
    let look = Look::at(&mut store, id)?;
    let paint = ui.terminal.paint;
    let ended = look.history.run().state().is_final();
    // Where nobody is at work, time stood still when something last happened.
    let at = if look.summary.alive || ended { now() } else { look.last_moment() };
    let mut text = match &args.task {
        Some(task) => {
            let task = find(look.history.run().plan(), task, &id.short())?;
            task_why(&look.history, task.task, at, paint)
        }
        None => run_why(&look.history, at, paint),
    };
    if !look.summary.alive && !ended {
        let short = id.short();
        let _ = writeln!(text, "nobody is at work on the run; go on: loom resume {short}");
    }
    ui.print(&text)?;
    Ok(ExitCode::Success)
}

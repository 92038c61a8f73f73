//! `loom why`: why a run, or a task, stands where it does.

use crate::args::{Global, WhyArgs};
use crate::commands::list::is_interrupted;
use crate::commands::logs::find;
use crate::fault::{Fault, Outcome};
use crate::look::Look;
use crate::render::why::{Moment, Outside, run_why, task_why};
use crate::session::now;
use crate::store;
use crate::ui::Ui;
use loom_core::{History, RunState, TaskIx, TaskPhase, TaskRef, Timestamp};
use loom_protocol::{ErrorCode, ExitCode};
use loom_server::{limits, runs};
use loom_sqlite::SqliteStore;
use loom_store::StoreError;
use std::collections::HashMap;

/// The most tasks that are ready of which it is looked up what others have taken.
const SHARED_MAX: usize = 16;

pub(crate) fn why(args: &WhyArgs, global: &Global, ui: &mut Ui) -> Outcome {
    let path = store::locate(global.store.as_deref())?;
    let (mut store, id) = store::look_at_run(&path, &args.run)?;
    let look = Look::at(&mut store, id)?;
    let paint = ui.terminal.paint;
    let left_at = is_interrupted(&look.summary).then(|| look.last_moment());
    let moment = Moment { now: now(), left_at };
    let outside = outside(&mut store, &look, moment.now)?;
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

/// What others have that the run, or its tasks that are ready, wait for.
fn outside(store: &mut SqliteStore, look: &Look, now: Timestamp) -> Result<Outside, StoreError> {
    let history = &look.history;
    let waits = limits::waits(store, &look.summary, now)?;
    let mut takers = HashMap::new();
    if history.run().state() == RunState::Running {
        let phase = |task: &TaskIx| history.run().phase(*task);
        let may_start =
            |task: &TaskIx| matches!(phase(task), TaskPhase::Ready | TaskPhase::BackingOff);
        let tasks = history.tasks().map(|(task, _)| task).filter(may_start);
        for task in tasks.take(SHARED_MAX) {
            takers.insert(task, runs::takers(store, history, task)?);
        }
    }
    Ok(Outside { waits, takers })
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
        .help(format!("`loom why {id} {name}` says where the task stands")))
}

//! Runs that were under way when their process ended.

use crate::fault::{Ended, Fault};
use crate::store;
use crate::ui::tell;
use loom_core::{RunId, RunState};
use loom_engine::{EngineError, Handle, Input};
use loom_store::{QueryStore, RunFilter, RunSummary, StoreError};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How many runs are found with one look at the store, and are taken up before the next are: an engine
/// lets only so many wait for it, of whom others are some.
const AT_ONCE: usize = 500;

/// How long until what could not be taken up is tried again.
const AGAIN: Duration = Duration::from_millis(500);

/// Goes on with every run that was under way when its process ended, on a thread of its own. Answers with
/// how many there are.
pub(super) fn take_up(path: &Path, engine: Handle) -> Result<usize, Ended> {
    let left = left_behind(path)?;
    let count = left.len();
    if count > 0 {
        thread::Builder::new()
            .name("take-up".to_owned())
            .spawn(move || adopt_all(left, &engine))
            .map_err(|error| Fault::machine("the system gives no threads", error))?;
    }
    Ok(count)
}

fn left_behind(path: &Path) -> Result<VecDeque<RunId>, Ended> {
    let mut left = VecDeque::new();
    let Some(mut store) = store::look(path)? else { return Ok(left) };
    let mut filter = RunFilter {
        states: vec![RunState::Queued, RunState::Running],
        limit: AT_ONCE,
        ..RunFilter::default()
    };
    loop {
        let page = store.list(&filter)?;
        let ours = |run: &&RunSummary| !run.alive && run.meta.external.is_none();
        left.extend(page.runs.iter().filter(ours).map(|run| run.id));
        match page.runs.last() {
            Some(last) if page.more => filter.after = Some(last.cursor()),
            _ => return Ok(left),
        }
    }
}

/// Ends when all are taken up or cannot be, or the engine has stopped.
fn adopt_all(mut left: VecDeque<RunId>, engine: &Handle) {
    let mut is_told = false;
    while !left.is_empty() {
        let wave: Vec<RunId> = left.drain(..left.len().min(AT_ONCE)).collect();
        let (sender, answers) = mpsc::channel();
        for id in wave {
            let sender = sender.clone();
            let reply = Box::new(move |answer| drop(sender.send((id, answer))));
            engine.send(Input::Adopt(id, None, reply));
        }
        drop(sender);
        let mut waits = false;
        // An engine that has stopped drops the replies.
        for (id, answer) in answers {
            match answer {
                // Another process goes on with it since it was found.
                Ok(()) | Err(EngineError::Alive(_)) => {}
                Err(EngineError::Store(error)) if matches!(*error, StoreError::NoRun(_)) => {}
                Err(EngineError::Stopped) => return,
                Err(error) if may_retry(&error) => {
                    if !is_told {
                        tell(&format!("warning: run {id} is taken up later: {error}\n"));
                    }
                    (waits, is_told) = (true, true);
                    left.push_back(id);
                }
                Err(error) => tell(&format!("warning: run {id} was not taken up: {error}\n")),
            }
        }
        if waits {
            thread::park_timeout(AGAIN);
        }
    }
}

/// Whether something is in the way that goes by.
fn may_retry(error: &EngineError) -> bool {
    match error {
        EngineError::Busy => true,
        EngineError::Store(error) => error.may_retry(),
        _ => false,
    }
}

//! Runs of a store on this machine.

use super::{Attempt, Listed, Wanted};
use crate::args::StateFilter;
use crate::bridge::log_name;
use crate::fault::{Ended, Fault};
use crate::look::Look;
use crate::render::why::Outside;
use crate::session::now;
use crate::store;
use loom_core::{RunId, RunState, TaskIx, TaskPhase, Timestamp};
use loom_protocol::api::{RunDetail, RunView};
use loom_server::{Plans, limits, runs};
use loom_sqlite::SqliteStore;
use loom_store::{QueryStore, RunFilter, RunSummary, StoreError};
use std::collections::HashMap;
use std::fmt::Write;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Runs of workflows with more tasks than this show no count of those that are done: it is counted
/// from the journal.
const COUNTED_MOST: usize = 2000;

/// The most tasks that are ready of which it is looked up what others have taken.
const SHARED_MAX: usize = 16;

/// A store's file. It is opened when there is something to ask, to be looked at.
pub(crate) struct Local {
    pub(crate) path: PathBuf,
    store: Option<SqliteStore>,
}

impl Local {
    /// The store of this name, or the user's.
    pub(crate) fn new(named: Option<&str>) -> Result<Self, Fault> {
        Ok(Self { path: store::locate(named)?, store: None })
    }

    /// Opens the store to work on it, if there is one: whoever stays must not keep others out.
    pub(crate) fn stay(&mut self) -> Result<(), Fault> {
        self.store = store::open_existing(&self.path)?;
        Ok(())
    }

    /// The store, opened.
    pub(crate) fn store(&mut self) -> Result<Option<&mut SqliteStore>, Fault> {
        if self.store.is_none() {
            self.store = store::look(&self.path)?;
        }
        Ok(self.store.as_mut())
    }

    /// The store that a run was found in.
    pub(crate) fn found(&mut self) -> &mut SqliteStore {
        self.store.as_mut().expect("a run was found in the store")
    }

    pub(crate) fn find(&mut self, text: &str) -> Result<RunId, Fault> {
        let path = self.path.clone();
        store::find(self.store()?, &path, text)
    }

    pub(crate) fn look(&mut self, run: RunId) -> Result<Look, Ended> {
        Ok(Look::at(self.found(), run)?)
    }

    /// What others have that the run, or its tasks that are ready, wait for.
    pub(super) fn outside(&mut self, look: &Look, now: Timestamp) -> Result<Outside, Ended> {
        let history = &look.history;
        let store = self.found();
        let summary = store.run(look.id())?;
        let waits = limits::waits(store, &summary, now)?;
        let (mut takers, plans) = (HashMap::new(), Plans::default());
        if history.run().state() == RunState::Running {
            let phase = |task: &TaskIx| history.run().phase(*task);
            let may_start =
                |task: &TaskIx| matches!(phase(task), TaskPhase::Ready | TaskPhase::BackingOff);
            let tasks = history.tasks().map(|(task, _)| task).filter(may_start);
            for task in tasks.take(SHARED_MAX) {
                takers.insert(task, runs::takers(store, &plans, history, task)?);
            }
        }
        Ok(Outside { waits, takers })
    }

    pub(super) fn detail(&mut self, run: RunId) -> Result<RunDetail, Ended> {
        let summary = self.found().run(run)?;
        let look = Look::at(self.found(), run)?;
        let tasks = runs::tasks(&look.history);
        Ok(runs::detail(&summary, &look.history, now(), tasks))
    }

    pub(super) fn list(&mut self, wanted: &Wanted) -> Result<Listed, Ended> {
        let remark = format!("there is no store in {} yet", self.path.display());
        let Some(store) = self.store()? else {
            return Ok(Listed { remark: Some(remark), ..Listed::default() });
        };
        let interrupted = wanted.state == Some(StateFilter::Interrupted);
        let filter = RunFilter {
            states: states(wanted.state),
            workflow: wanted.workflow.clone(),
            limit: if interrupted { 0 } else { wanted.most },
            ..RunFilter::default()
        };
        let page = store.list(&filter)?;
        let mut found = page.runs;
        found.retain(|run| !interrupted || is_interrupted(run));
        let more = page.more || found.len() > wanted.most;
        found.truncate(wanted.most);
        Ok(Listed { runs: found.iter().map(runs::run).collect(), more, remark: None })
    }

    /// How many of a run's tasks are done, of how many. A run that cannot be read hides no other.
    pub(crate) fn progress(&mut self, run: &RunView) -> Result<String, Ended> {
        match self.counted(run.id.parse().expect("the store gave it")) {
            Err(StoreError::Corrupt(_)) => Ok("damaged".to_owned()),
            counted => Ok(counted?),
        }
    }

    fn counted(&mut self, id: RunId) -> Result<String, StoreError> {
        let store = self.found();
        let total = store.run(id).and_then(|run| store.definition(&run.definition))?.tasks.len();
        if total > COUNTED_MOST {
            return Ok(format!("of {total}"));
        }
        let counts = Look::at(store, id)?.history.counts();
        let mut text = format!("{}/{}", counts.settled(), counts.total());
        for phase in [TaskPhase::Failed, TaskPhase::Skipped] {
            let count = counts.of(phase);
            if count > 0 {
                let _ = write!(text, ", {count} {phase}");
            }
        }
        Ok(text)
    }

    /// The folder of a run's logs.
    pub(crate) fn logs(&self, run: RunId) -> PathBuf {
        logs_of(&self.path, run)
    }

    pub(super) fn log(&self, run: RunId, attempt: Attempt) -> Result<Option<Box<dyn Read>>, Ended> {
        let file = open_log(&self.logs(run), attempt)?;
        Ok(file.map(|file| Box::new(file) as Box<dyn Read>))
    }
}

/// Whether a run has not ended and nobody is at work on it, as far as is known here.
pub(crate) fn is_interrupted(run: &RunSummary) -> bool {
    !run.state.is_final() && !run.alive && run.meta.external.is_none()
}

/// The states that a filter stands for.
pub(super) fn states(filter: Option<StateFilter>) -> Vec<RunState> {
    match filter {
        None => Vec::new(),
        Some(StateFilter::Interrupted) => {
            vec![RunState::Running, RunState::Paused, RunState::Queued]
        }
        Some(StateFilter::Of(state)) => vec![state],
    }
}

/// The log of an attempt. It is made when the first byte comes.
pub(crate) fn open_log(folder: &Path, (task, number): Attempt) -> Result<Option<File>, Ended> {
    let path = folder.join(log_name(task, number));
    match File::open(&path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(&error)),
    }
}

/// A log cannot be read.
pub(crate) fn unreadable(error: &io::Error) -> Ended {
    Fault::machine("a log cannot be read", error).into()
}

/// The folder of a run's logs.
pub(crate) fn logs_of(database: &Path, id: RunId) -> PathBuf {
    logs_of_all(database).join(id.to_string())
}

/// The folder of all logs of the runs in a database.
pub(crate) fn logs_of_all(database: &Path) -> PathBuf {
    loom_sqlite::Files::new(database).logs()
}

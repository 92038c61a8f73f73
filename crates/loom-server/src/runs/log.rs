//! What an attempt printed.

use super::look::Look;
use super::service::Runs;
use super::tasks::no_task;
use crate::access::{Caller, Permission};
use crate::feed::grown;
use crate::parts::LogFile;
use crate::problem::Problem;
use loom_core::TaskRef;
use loom_protocol::ErrorCode;
use loom_store::{QueryStore, RunSummary};
use std::fs::File;
use std::io;
use std::sync::Arc;

/// The log of an attempt that there is, or may yet be.
pub struct Log {
    /// The run.
    pub run: RunSummary,
    /// The task's name.
    pub task: String,
    /// Which log it is.
    pub name: LogFile,
}

impl Runs {
    /// Finds an attempt's log. Only the run and the task need exist.
    pub async fn log(
        &self,
        caller: &Caller,
        id: &str,
        task: &str,
        attempt: u32,
        item: Option<u32>,
    ) -> Result<Log, Problem> {
        let run = self.permitted(caller, id, Permission::LogsGet).await?;
        let (hash, id, plans) = (run.definition, run.id, self.plans.clone());
        let plan = move |store: &mut (dyn QueryStore + 'static)| {
            let plan = plans.of(store, hash)?;
            grown(store, id, plan)
        };
        let plan = self.readers.ask(plan).await?;
        let found = plan.find_task(task).ok_or_else(|| no_task(task))?;
        let is_list = plan.task(found).for_each.is_some();
        if is_list != item.is_some() {
            let what = if is_list {
                format!("task `{task}` is a `for_each`: name an `item`, from 0")
            } else {
                format!("task `{task}` has no items")
            };
            return Err(Problem::argument(what));
        }
        let name = LogFile { run: run.id, task: TaskRef { task: found, item }, attempt };
        Ok(Log { run, task: task.to_owned(), name })
    }

    /// Opens a log. `None` if the attempt has printed nothing.
    pub async fn open_log(&self, log: &Log) -> Result<Option<File>, Problem> {
        if let Some(file) = self.try_log(log).await? {
            return Ok(Some(file));
        }
        let (run, LogFile { task, attempt, .. }) = (log.run.id, log.name);
        let plans = self.plans.clone();
        let look = self.readers.ask(move |store| Look::at(store, &plans, run)).await?;
        look.attempt(task.task, attempt, task.item)?;
        // It may have begun to print meanwhile.
        self.try_log(log).await
    }

    /// Opens a log, if it is there.
    pub async fn try_log(&self, log: &Log) -> Result<Option<File>, Problem> {
        let (logs, name) = (Arc::clone(&self.logs), log.name);
        let opened = tokio::task::spawn_blocking(move || logs.open(name)).await;
        match opened.map_err(|_| Problem::stopping())? {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Problem::new(
                ErrorCode::MachineFailed,
                format!("the log of run {} cannot be read: {error}", log.run.id),
            )),
        }
    }
}

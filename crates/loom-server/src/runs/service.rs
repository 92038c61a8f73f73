//! The runs of the store, for those who may see them.

use super::later::Later;
use super::look::Look;
use super::view;
use crate::access::{Caller, Permission};
use crate::config::Config;
use crate::parts::Logs;
use crate::problem::Problem;
use crate::readers::{Keeper, Readers};
use crate::shelf::Shelf;
use crate::workflows::Workflows;
use loom_core::{RunId, Variable};
use loom_engine::{Clock, Handle};
use loom_protocol::api::{GivenVariable, RunDetail, RunSubmission, RunView};
use loom_protocol::{ErrorCode, MASK};
use loom_store::RunSummary;
use loom_store::record::masked_definition;
use std::sync::Arc;

/// The runs.
pub struct Runs {
    pub(super) engine: Handle,
    pub(super) readers: Readers,
    pub(super) keeper: Keeper,
    pub(super) shelf: Shelf,
    pub(super) workflows: Arc<Workflows>,
    pub(super) logs: Arc<dyn Logs>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) config: Arc<Config>,
    pub(super) later: Later,
}

impl Runs {
    #[expect(clippy::too_many_arguments, reason = "called once, where the services are made")]
    pub(crate) fn new(
        engine: Handle,
        readers: Readers,
        keeper: Keeper,
        shelf: Shelf,
        workflows: Arc<Workflows>,
        logs: Arc<dyn Logs>,
        clock: Arc<dyn Clock>,
        config: Arc<Config>,
    ) -> Self {
        let later = Later::default();
        Self { engine, readers, keeper, shelf, workflows, logs, clock, config, later }
    }

    /// A run in one line.
    pub async fn summary(&self, caller: &Caller, id: &str) -> Result<RunView, Problem> {
        let summary = self.permitted(caller, id, Permission::RunsGet).await?;
        Ok(view::run(&summary))
    }

    /// Everything that is known of a run.
    pub async fn get(&self, caller: &Caller, id: &str) -> Result<RunDetail, Problem> {
        let summary = self.permitted(caller, id, Permission::RunsGet).await?;
        let now = self.clock.now();
        let look = self.readers.ask(move |store| Look::at(store, summary.id)).await?;
        Ok(view::detail(&look.summary, &look.history, now))
    }

    /// What a run began with.
    pub async fn began_with(&self, caller: &Caller, id: &str) -> Result<RunSubmission, Problem> {
        let id = self.permitted(caller, id, Permission::RunsGet).await?.id;
        let (look, variables) =
            self.readers.ask(move |store| Ok((Look::at(store, id)?, store.variables(id)?))).await?;
        let definition = masked_definition(look.history.run().plan().definition());
        let given = |Variable { name, value, secret }| GivenVariable {
            name,
            value: if secret { MASK.into() } else { value },
            secret,
        };
        Ok(RunSubmission {
            run: view::run(&look.summary),
            last_seq: look.history.last_seq(),
            definition: serde_json::to_value(definition).expect("its keys are text"),
            variables: variables.into_iter().map(given).collect(),
        })
    }

    /// The run's summary, if the caller may do this to it. Of a run in a namespace that the caller
    /// has no part in, nothing is told, not even that there is one.
    pub(crate) async fn permitted(
        &self,
        caller: &Caller,
        id: &str,
        permission: Permission,
    ) -> Result<RunSummary, Problem> {
        let visible = caller.namespaces(permission)?;
        let run: RunId = id.parse().map_err(|error| {
            Problem::new(ErrorCode::NoSuchRun, format!("there is no run `{id}`: {error}"))
        })?;
        let summary = self.readers.ask(move |store| store.run(run)).await?;
        if visible.is_some_and(|names| !names.contains(&summary.namespace)) {
            return Err(Problem::new(ErrorCode::NoSuchRun, format!("there is no run {run}")));
        }
        Ok(summary)
    }
}

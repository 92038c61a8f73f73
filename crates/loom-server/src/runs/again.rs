//! Running a run again, and deleting one.

use super::act::executed_here;
use super::service::Runs;
use super::start::StartContext;
use crate::access::{Caller, Permission};
use crate::problem::Problem;
use loom_protocol::ErrorCode;
use loom_protocol::api::{RerunRun, StartRun, Started};
use std::sync::Arc;

impl Runs {
    /// Starts a run of the same workflow with the variables of this one, those that `how` gives
    /// excepted. Secret values are not read back: the workflow's `env` sets its own again, and those
    /// that whoever started the run gave, `how` has to give again. What is not as it was takes the right
    /// to start runs too.
    pub async fn rerun(
        &self,
        caller: &Caller,
        id: &str,
        how: RerunRun,
        context: StartContext,
    ) -> Result<Started, Problem> {
        let first = self.permitted(caller, id, Permission::RunsRetry).await?;
        let run = first.id;
        let is_version = |version: &String| *version == first.version;
        if !how.variables.is_empty() || !how.version.as_ref().is_none_or(is_version) {
            caller.may(Permission::RunsStart, &first.namespace)?;
        }
        executed_here(&first, "repeat")?;
        let lacks = |name: &&String| !how.variables.contains_key(*name);
        let missing: Vec<&str> =
            first.meta.given_secrets.iter().filter(lacks).map(String::as_str).collect();
        if !missing.is_empty() {
            let names = missing.join(", ");
            let what = format!("the run was given secrets that are not read back: {names}");
            return Err(Problem::new(ErrorCode::MissingVariable, what)
                .help("give them again, in `variables`"));
        }
        let given = self.readers.ask(move |store| store.variables(run)).await?;
        let open = given.into_iter().filter(|variable| !variable.secret);
        let mut variables: std::collections::BTreeMap<_, _> =
            open.map(|variable| (variable.name, variable.value)).collect();
        variables.extend(how.variables);
        let meta = Arc::unwrap_or_clone(first.meta);
        let request = StartRun {
            workflow: first.workflow,
            namespace: Some(first.namespace),
            version: Some(how.version.unwrap_or(first.version)),
            variables,
            tags: meta.tags,
            annotations: meta.annotations,
            reason: Some(how.reason),
            workers: Some(first.workers),
            priority: meta.priority,
            concurrency_key: meta.concurrency_key,
            ..StartRun::default()
        };
        let context = StartContext { rerun_of: Some(run), ..context };
        self.begin(caller, request, context).await
    }

    /// Deletes an ended run with its journal and its logs.
    pub async fn delete(&self, caller: &Caller, id: &str) -> Result<(), Problem> {
        let run = self.permitted(caller, id, Permission::RunsDelete).await?.id;
        self.eraser.delete(run).await
    }
}

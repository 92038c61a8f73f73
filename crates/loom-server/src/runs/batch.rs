//! Many runs in one call. Each is started, or fails, by itself.

use super::search::filter;
use super::service::Runs;
use super::start::StartContext;
use crate::access::{Caller, Permission};
use crate::problem::Problem;
use futures_util::stream::{self, StreamExt};
use loom_core::RunState;
use loom_protocol::ErrorCode;
use loom_protocol::api::{
    BatchAct, BatchDone, BatchDoneItem, BatchStart, BatchStarted, BatchStartedItem, RunSelector,
    Started,
};
use loom_store::{RunFilter, RunSort};

/// How many runs of one call are worked on at once.
const AT_ONCE: usize = 64;

impl Runs {
    /// Starts all of them. A key of the call becomes one of each run, so that the call may be
    /// repeated.
    pub async fn start_batch(
        &self,
        caller: &Caller,
        batch: BatchStart,
        context: StartContext,
    ) -> Result<BatchStarted, Problem> {
        caller.namespaces(Permission::RunsStart)?;
        self.within_batch(batch.runs.len())?;
        let starts = batch.runs.into_iter().enumerate().map(|(at, request)| {
            let key = context.idempotency_key.as_ref();
            let idempotency_key = key.map(|key| format!("{key}#{at}"));
            self.start(caller, request, StartContext { idempotency_key, ..context.clone() })
        });
        // Made before they are awaited: the closure is not kept across it.
        let starts: Vec<_> = starts.collect();
        let results: Vec<_> = stream::iter(starts).buffered(AT_ONCE).collect().await;
        let refused = results.iter().filter(|result| result.is_err()).count() as u32;
        let accepted = results.len() as u32 - refused;
        Ok(BatchStarted { items: results.into_iter().map(started).collect(), accepted, refused })
    }

    /// Cancels all runs that match and have not ended.
    pub async fn cancel_batch(&self, caller: &Caller, act: BatchAct) -> Result<BatchDone, Problem> {
        let open = [RunState::Queued, RunState::Running, RunState::Paused];
        let filter = self.chosen(caller, Permission::RunsCancel, &act.filter, &open)?;
        let reason = act.reason;
        let cancel = |id: String| {
            let reason = reason.clone();
            async move { (self.cancel(caller, &id, reason).await.map(drop), id) }
        };
        self.act_on(filter, act.dry_run, cancel).await
    }

    /// Tries the failed tasks of all runs that match and have failed again.
    pub async fn retry_batch(&self, caller: &Caller, act: BatchAct) -> Result<BatchDone, Problem> {
        if !act.reason.is_empty() {
            return Err(Problem::argument("a retry keeps no `reason`"));
        }
        let filter =
            self.chosen(caller, Permission::RunsRetry, &act.filter, &[RunState::Failed])?;
        let retry = |id: String| async move { (self.retry(caller, &id).await.map(drop), id) };
        self.act_on(filter, act.dry_run, retry).await
    }

    fn within_batch(&self, count: usize) -> Result<(), Problem> {
        let most = self.config.limits.batch;
        match count {
            0 => Err(Problem::argument("`runs` is empty")),
            count if count <= most => Ok(()),
            _ => Err(Problem::argument(format!("a call starts at most {most} runs"))
                .help("spread them over several calls")),
        }
    }

    /// The runs in one of these states that are meant.
    fn chosen(
        &self,
        caller: &Caller,
        permission: Permission,
        selector: &RunSelector,
        states: &[RunState],
    ) -> Result<RunFilter, Problem> {
        if *selector == RunSelector::default() {
            return Err(Problem::argument(
                "the filter asks for nothing, so it would take all runs",
            )
            .help("name a namespace, a workflow, a status or anything else"));
        }
        let mut filter = filter(caller, permission, selector)?;
        let asked = std::mem::take(&mut filter.states);
        if let Some(wrong) = asked.iter().find(|state| !states.contains(state)) {
            return Err(Problem::new(
                ErrorCode::Refused,
                format!("this cannot be done to runs that are {wrong}"),
            ));
        }
        filter.states = if asked.is_empty() { states.to_vec() } else { asked };
        filter.sort = RunSort::CreatedAsc;
        filter.limit = self.config.limits.batch;
        Ok(filter)
    }

    async fn act_on<F, Fut>(
        &self,
        filter: RunFilter,
        dry_run: bool,
        act: F,
    ) -> Result<BatchDone, Problem>
    where
        F: Fn(String) -> Fut,
        Fut: Future<Output = (Result<(), Problem>, String)>,
    {
        let page = self.readers.ask(move |store| store.list(&filter)).await?;
        let more = page.more;
        let ids = page.runs.into_iter().map(|run| run.id.to_string());
        let done = |id, problem| BatchDoneItem { id, problem };
        let items = if dry_run {
            ids.map(|id| done(id, None)).collect()
        } else {
            let acts: Vec<_> = ids.map(act).collect();
            let results: Vec<_> = stream::iter(acts).buffered(AT_ONCE).collect().await;
            let item = |(result, id): (Result<(), Problem>, String)| {
                done(id, result.err().map(|problem| problem.document()))
            };
            results.into_iter().map(item).collect()
        };
        Ok(BatchDone { items, more, dry_run })
    }
}

fn started(result: Result<Started, Problem>) -> BatchStartedItem {
    match result {
        Ok(Started { id, repeated }) => BatchStartedItem { id: Some(id), repeated, problem: None },
        Err(problem) => {
            BatchStartedItem { id: None, repeated: false, problem: Some(problem.document()) }
        }
    }
}

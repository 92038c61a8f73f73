//! Why a run or a task stands where it does, as the API tells it.

use super::look::Look;
use super::service::Runs;
use super::takers::{Taker, takers};
use super::view::{self, time};
use crate::access::{Caller, Permission};
use crate::limits::{self, Limits};
use crate::plans::Plans;
use crate::problem::Problem;
use crate::wire::failure_event;
use loom_core::{
    ActiveChain, CancelledBy, Cause, CauseEnd, Few, History, Hold, ItemsWhy, RunId, RunState,
    RunWhy, SkipReason, Standing, TaskIx, TaskRef, TaskWhy, Timestamp, Toll, VariableRecord, Via,
    WaitsFor, Why, explain_run, explain_task,
};
use loom_protocol::api::{
    BackingOffView, CauseView, ChainLinkView, ChainView, EndView, EndedByView, FewBackingOff,
    FewEnds, FewFirstCauses, FewItemFailures, FewNext, FewReady, FewStandings, FewTakers,
    FewVariables, FirstCauseView, HoldView, ItemFailureView, ItemsWhyView, LimitWait, NextView,
    ReadyView, RunWaits, RunWhyView, SkipView, StandingView, TakerView, TaskWhyView, TollView,
    WaitsForView, WhyView,
};
use loom_store::{QueryStore, StoreError};
use std::collections::HashMap;
use std::sync::Arc;

/// The most tasks of other runs that are named.
const TAKERS_SHOWN: usize = 5;

impl Runs {
    /// Why a run stands where it does.
    pub async fn why(&self, caller: &Caller, id: &str) -> Result<RunWhyView, Problem> {
        let (now, visible) = (self.clock.now(), caller.namespaces(Permission::RunsGet)?);
        let (limits, plans) = (Arc::clone(&self.limits), self.plans.clone());
        let view = move |store: &mut dyn QueryStore, look: &Look| {
            let waits = waits(store, look, limits.wait(look.summary.id), now)?;
            let why = explain_run(&look.history, now);
            let held = why.ready.first.iter().filter(|(_, hold)| is_shared(hold));
            let mut takers = HashMap::new();
            for (task, _) in held {
                takers.insert(*task, few(store, &plans, look, *task, visible.as_deref())?);
            }
            let words = Words { history: &look.history, takers, limits: &limits };
            Ok(RunWhyView { waits, ..words.run(&why) })
        };
        self.look(caller, id, Permission::RunsGet, view).await
    }

    /// Why a task stands where it does.
    pub async fn task_why(
        &self,
        caller: &Caller,
        id: &str,
        name: &str,
    ) -> Result<TaskWhyView, Problem> {
        let (now, visible) = (self.clock.now(), caller.namespaces(Permission::RunsGet)?);
        let (name, plans) = (name.to_owned(), self.plans.clone());
        let limits = Arc::clone(&self.limits);
        let view = move |store: &mut dyn QueryStore, look: &Look| {
            let task = look.find(&name)?;
            let why = explain_task(&look.history, TaskRef::whole(task), now);
            let mut takers = HashMap::new();
            if let Why::Ready(hold) = &why.why
                && is_shared(hold)
            {
                takers.insert(task, few(store, &plans, look, task, visible.as_deref())?);
            }
            Ok(Words { history: &look.history, takers, limits: &limits }.task(task, &why))
        };
        self.look(caller, id, Permission::RunsGet, view).await
    }
}

/// What a run that is queued waits for; `wait` is what its limits say.
fn waits(
    store: &mut dyn QueryStore,
    look: &Look,
    wait: Option<(LimitWait, Vec<RunId>)>,
    now: Timestamp,
) -> Result<Option<RunWaits>, StoreError> {
    if look.summary.state != RunState::Queued {
        return Ok(None);
    }
    if let Some(at) = limits::time_to_come(&look.summary, now) {
        return Ok(Some(RunWaits::Start { at: time(at) }));
    }
    let Some((wait, runs)) = wait else { return Ok(None) };
    Ok(Some(RunWaits::Limit { wait, holders: limits::holders(store, &runs)? }))
}

/// Whether tasks of other runs may hold a task back.
const fn is_shared(hold: &Hold<'_>) -> bool {
    matches!(hold, Hold::Instances { .. } | Hold::Queue { .. } | Hold::AboutToStart { .. })
}

/// Tasks of other runs that count against the limits of this one. Those that the caller may not see
/// are only counted.
fn few(
    store: &mut dyn QueryStore,
    plans: &Plans,
    look: &Look,
    task: TaskIx,
    visible: Option<&[String]>,
) -> Result<FewTakers, StoreError> {
    let all = takers(store, plans, &look.history, task)?;
    let count = all.len();
    let sees = |taker: &Taker| visible.is_none_or(|names| names.contains(&taker.namespace));
    let seen = all.into_iter().filter(sees);
    let view = |taker: Taker| TakerView {
        run: taker.run.to_string(),
        workflow: taker.workflow,
        task: taker.task,
        item: taker.item,
        since: time(taker.since),
    };
    let first: Vec<TakerView> = seen.take(TAKERS_SHOWN).map(view).collect();
    Ok(FewTakers { more: (count - first.len()) as u32, first })
}

/// Gives names to what explanations refer to by number.
struct Words<'a> {
    history: &'a History,
    /// What of other runs may hold a task back.
    takers: HashMap<TaskIx, FewTakers>,
    limits: &'a Limits,
}

impl Words<'_> {
    fn run(&self, why: &RunWhy<'_>) -> RunWhyView {
        let first_cause = |(end, toll): &(CauseEnd<'_>, Toll)| FirstCauseView {
            end: self.end(end),
            toll: self.toll(toll),
        };
        let backing_off = |(task, at): &(TaskRef, _)| BackingOffView {
            task: self.name(task.task),
            item: task.item,
            retry_at: time(*at),
        };
        let ready = |(task, hold): &(TaskIx, Hold<'_>)| ReadyView {
            task: self.name(*task),
            hold: self.hold(*task, hold),
        };
        let next = |(task, waits_for): &(TaskIx, Vec<WaitsFor>)| NextView {
            task: self.name(*task),
            waits_for: self.waits_for(waits_for),
        };
        RunWhyView {
            state: view::state(why.state),
            waits: None,
            ended_by: why.ended_by.as_ref().map(|by| self.ended_by(by)),
            first_causes: FewFirstCauses {
                first: why.first_causes.first.iter().map(first_cause).collect(),
                more: why.first_causes.more,
            },
            running: self.standings(&why.running),
            backing_off: FewBackingOff {
                first: why.backing_off.first.iter().map(backing_off).collect(),
                more: why.backing_off.more,
            },
            ready: FewReady {
                first: why.ready.first.iter().map(ready).collect(),
                more: why.ready.more,
            },
            next: FewNext { first: why.next.first.iter().map(next).collect(), more: why.next.more },
        }
    }

    fn task(&self, task: TaskIx, why: &TaskWhy<'_>) -> TaskWhyView {
        TaskWhyView {
            standing: self.standing(&why.standing),
            items: why.items.as_ref().map(|items| self.items(items)),
            why: self.why(task, &why.why),
        }
    }

    fn why(&self, task: TaskIx, why: &Why<'_>) -> WhyView {
        match why {
            Why::Waiting(why) => WhyView::Waiting {
                waits_for: self.waits_for(&why.waits_for),
                chains: why.chains.iter().map(|chain| self.chain(chain)).collect(),
                more_open: why.more_active,
            },
            Why::Ready(hold) => WhyView::Ready { hold: self.hold(task, hold) },
            Why::Running(why) => WhyView::Running {
                try_number: why.try_number,
                of: why.of,
                times_out_at: why.times_out_at.map(time),
                inputs: why.inputs.iter().map(|seen| view::input(self.history, *seen)).collect(),
            },
            Why::BackingOff(why) => WhyView::BackingOff {
                failure: failure_event(why.failure),
                failures: why.failures,
                of: why.of,
                retry_at: time(why.retry_at),
                backoff_s: why.backoff.as_secs_f64(),
                asked_s: why.asked.map(|asked| asked.wait.as_secs_f64()),
            },
            Why::Succeeded(why) => WhyView::Succeeded {
                attempts: why.attempts,
                took_s: why.took.as_secs_f64(),
                set: self.variables(&why.set),
            },
            Why::Failed(why) => WhyView::Failed {
                failure: failure_event(why.failure),
                tries: why.tries,
                of: why.of,
                allowed: why.allowed,
                toll: self.toll(&why.toll),
            },
            Why::Skipped(why) => WhyView::Skipped {
                reason: reason(why.reason),
                causes: why.causes.iter().map(|cause| self.cause(cause)).collect(),
                more: why.more,
                first: FewEnds {
                    first: why.first.first.iter().map(|end| self.end(end)).collect(),
                    more: why.first.more,
                },
            },
            Why::Cancelled(by) => WhyView::Cancelled { by: self.ended_by(by) },
            Why::Resolved { resolution, set } => WhyView::Resolved {
                resolution: SkipView {
                    by: resolution.by.clone(),
                    reason: resolution.reason.clone(),
                },
                set: self.variables(set),
            },
        }
    }

    fn hold(&self, task: TaskIx, hold: &Hold<'_>) -> HoldView {
        let others = || self.takers.get(&task).cloned().unwrap_or_default();
        match hold {
            Hold::NotBegun => HoldView::NotBegun,
            Hold::Paused(by) => {
                HoldView::Paused { by: by.map(|by| view::intervention(self.history, by)) }
            }
            Hold::Ending(by) => HoldView::Ending { by: self.ended_by(by) },
            Hold::HandedOver { at, busy } => {
                HoldView::HandedOver { at: time(*at), busy: self.standings(busy) }
            }
            Hold::Beside(task) => HoldView::Beside { task: self.standing(task) },
            Hold::UntilAlone(busy) => HoldView::UntilAlone { busy: self.standings(busy) },
            Hold::Behind(task) => HoldView::Behind { task: self.standing(task) },
            Hold::Workers { workers, busy } => {
                HoldView::Workers { workers: *workers, busy: self.standings(busy) }
            }
            Hold::Instances { most, taken } => {
                HoldView::Instances { most: *most, taken: self.standings(taken), others: others() }
            }
            Hold::Queue { name, taken } => HoldView::Queue {
                queue: (*name).to_owned(),
                most: self.limits.queue(name),
                taken: self.standings(taken),
                others: others(),
            },
            Hold::AboutToStart { queue: Some(name), .. } if self.is_full(name, &others()) => {
                HoldView::Queue {
                    queue: (*name).to_owned(),
                    most: self.limits.queue(name),
                    taken: FewStandings { first: Vec::new(), more: 0 },
                    others: others(),
                }
            }
            Hold::AboutToStart { queue, instances } => HoldView::AboutToStart {
                queue: queue.map(str::to_owned),
                instances: *instances,
                others: others(),
            },
        }
    }

    /// Whether other runs have all of a queue.
    fn is_full(&self, queue: &str, others: &FewTakers) -> bool {
        let count = others.first.len() as u64 + u64::from(others.more);
        self.limits.queue(queue).is_some_and(|most| count >= u64::from(most))
    }

    fn waits_for(&self, all: &[WaitsFor]) -> Vec<WaitsForView> {
        let view = |one: &WaitsFor| match one {
            WaitsFor::Start => WaitsForView::Start,
            WaitsFor::Variable { name, producers } => {
                WaitsForView::Variable { name: name.clone(), producers: self.standings(producers) }
            }
            WaitsFor::Task(standing) => WaitsForView::Task { on: self.standing(standing) },
            WaitsFor::Barrier(few) => WaitsForView::Barrier { on: self.standings(few) },
        };
        all.iter().map(view).collect()
    }

    fn chain(&self, chain: &ActiveChain) -> ChainView {
        let links = chain.links.iter().map(|link| {
            let (via, variable) = match &link.via {
                Via::Variable(name) => ("variable", Some(name.clone())),
                Via::Dependency => ("dependency", None),
                Via::Barrier => ("barrier", None),
                Via::Circle => ("circle", None),
            };
            let standing = self.standing(&link.standing);
            ChainLinkView { via: via.to_owned(), variable, standing }
        });
        ChainView { links: links.collect(), left_out: chain.left_out }
    }

    fn ended_by(&self, by: &CancelledBy<'_>) -> EndedByView {
        match by {
            CancelledBy::Request(one) | CancelledBy::Alone(one) => {
                EndedByView::Request { request: view::intervention(self.history, one) }
            }
            CancelledBy::Failure(task) => EndedByView::Failure { task: self.name(*task) },
        }
    }

    fn cause(&self, cause: &Cause<'_>) -> CauseView {
        CauseView {
            end: self.end(&cause.end),
            behind: cause.behind.iter().map(|behind| self.cause(behind)).collect(),
            more: cause.more,
        }
    }

    fn end(&self, end: &CauseEnd<'_>) -> EndView {
        let task = self.name(end.task());
        match end {
            CauseEnd::Failed(_, failure) => {
                EndView::Failed { task, failure: failure_event(failure) }
            }
            CauseEnd::DidNotEmit(_) => EndView::DidNotEmit { task },
            CauseEnd::Skipped(_, why) => EndView::Skipped { task, reason: reason(why) },
            CauseEnd::Cancelled(_) => EndView::Cancelled { task },
            CauseEnd::Nobody(_, variable) => {
                EndView::Nobody { task, variable: (*variable).to_owned() }
            }
        }
    }

    fn items(&self, items: &ItemsWhy<'_>) -> ItemsWhyView {
        let failed = items.failed.first.iter().map(|(item, failure)| ItemFailureView {
            item: *item,
            failure: failure_event(failure),
        });
        ItemsWhyView {
            count: items.count,
            settled: items.settled,
            open: self.standings(&items.open),
            failed: FewItemFailures { first: failed.collect(), more: items.failed.more },
        }
    }

    fn standings(&self, few: &Few<Standing>) -> FewStandings {
        let first = few.first.iter().map(|standing| self.standing(standing)).collect();
        FewStandings { first, more: few.more }
    }

    fn standing(&self, standing: &Standing) -> StandingView {
        StandingView {
            task: self.name(standing.task.task),
            item: standing.task.item,
            phase: standing.phase.name().to_owned(),
            since: time(standing.since),
        }
    }

    fn variables(&self, few: &Few<VariableRecord<'_>>) -> FewVariables {
        let first = few.first.iter().map(|one| view::variable(self.history, *one)).collect();
        FewVariables { first, more: few.more }
    }

    fn toll(&self, toll: &Toll) -> TollView {
        let first = toll.first.iter().map(|task| self.name(*task)).collect();
        TollView { count: toll.count, first }
    }

    fn name(&self, task: TaskIx) -> String {
        self.history.run().plan().task(task).name.clone()
    }
}

fn reason(reason: &SkipReason) -> serde_json::Value {
    serde_json::to_value(reason).expect("its keys are text")
}

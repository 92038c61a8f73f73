//! Explanations in the words of the API.

use super::super::takers::{Taken, Taker};
use super::super::view::{self, time};
use super::Beyond;
use crate::wire::failure_event;
use loom_core::{
    ActiveChain, CancelledBy, Cause, CauseEnd, CriticalPath, Few, History, Hold, ItemsWhy,
    NamedValue, PathStart, Resolution, RunWhy, SkipReason, SkippedWhy, Standing, TaskIx, TaskRef,
    TaskWhy, Timestamp, Toll, VariableRecord, Via, WaitsFor, Why,
};
use loom_protocol::api::{
    BackingOffView, CauseView, ChainLinkView, ChainView, CriticalPathView, EndView, EndedByView,
    FewBackingOff, FewEnds, FewFirstCauses, FewItemFailures, FewNamedValues, FewNext, FewReady,
    FewStandings, FewTakers, FewVariables, FirstCauseView, HoldView, ItemFailureView, ItemsWhyView,
    NamedValueView, NextView, ReadyView, RunWhyView, SkipView, StandingView, TakerView,
    TaskWhyView, TollView, WaitsForView, WhyView,
};

/// The most tasks of a critical path.
const PATH_SHOWN: usize = 12;

/// Gives names to what explanations refer to by number.
pub(super) struct Words<'a> {
    pub(super) history: &'a History,
    pub(super) beyond: &'a Beyond,
    pub(super) now: Timestamp,
}

impl Words<'_> {
    pub(super) fn run(&self, why: &RunWhy<'_>) -> RunWhyView {
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
        let (run, counts) = (self.history.run(), self.history.counts());
        // What nobody works on takes no time.
        let path = match self.beyond.left_at {
            None => why.path.clone(),
            Some(at) => self.history.critical_path(at),
        };
        RunWhyView {
            run: run.id().to_string(),
            workflow: run.plan().definition().name.clone(),
            state: view::state(why.state),
            left_at: self.beyond.left_at.map(time),
            tasks: counts.total(),
            tasks_settled: counts.settled(),
            waits: self.beyond.waits.clone(),
            ended_by: why.ended_by.as_ref().map(|by| self.ended_by(by)),
            first_causes: self.beginnings(&why.first_causes),
            left_out: self.beginnings(&why.left_out),
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
            critical_path: path.map(|path| self.path(&path)),
        }
    }

    fn beginnings(&self, few: &Few<(CauseEnd<'_>, Toll)>) -> FewFirstCauses {
        let view = |(end, toll): &(CauseEnd<'_>, Toll)| FirstCauseView {
            end: self.end(end),
            toll: self.toll(toll),
        };
        FewFirstCauses { first: few.first.iter().map(view).collect(), more: few.more }
    }

    fn path(&self, path: &CriticalPath) -> CriticalPathView {
        let start = match path.start {
            PathStart::Start => "start",
            PathStart::Reopened => "reopened",
            PathStart::Resolved => "resolved",
        };
        let before = path.links.len().saturating_sub(PATH_SHOWN);
        CriticalPathView {
            start: start.to_owned(),
            total_s: path.total.as_secs_f64(),
            before: before as u32,
            last: path.links[before..].iter().map(|link| view::link(self.history, link)).collect(),
        }
    }

    pub(super) fn task(&self, task: TaskIx, why: &TaskWhy<'_>) -> TaskWhyView {
        TaskWhyView {
            run: self.history.run().id().to_string(),
            left_at: self.beyond.left_at.map(time),
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
            Why::Skipped(why) => self.skipped(why),
            Why::Cancelled(by) => WhyView::Cancelled { by: self.ended_by(by) },
            Why::Resolved { resolution, set } => WhyView::Resolved {
                resolution: resolved(resolution),
                failure: resolution.failure.as_ref().map(failure_event),
                set: self.variables(set),
            },
        }
    }

    fn skipped(&self, why: &SkippedWhy<'_>) -> WhyView {
        let named = |named: &NamedValue<'_>| NamedValueView {
            name: named.name.clone(),
            seen: named.seen.map(|seen| view::input(self.history, seen)),
        };
        WhyView::Skipped {
            reason: reason(why.reason),
            decided_by: FewNamedValues {
                first: why.decided_by.first.iter().map(named).collect(),
                more: why.decided_by.more,
            },
            causes: why.causes.iter().map(|cause| self.cause(cause)).collect(),
            more: why.more,
            first: FewEnds {
                first: why.first.first.iter().map(|end| self.end(end)).collect(),
                more: why.first.more,
            },
        }
    }

    fn hold(&self, task: TaskIx, hold: &Hold<'_>) -> HoldView {
        let beyond = self.beyond.taken.get(&task);
        let others = || beyond.map(others).unwrap_or_default();
        let given =
            |taken: &Taken| hold.clone().given(self.history, task, taken.elsewhere, self.now);
        match &beyond.map_or_else(|| hold.clone(), given) {
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
                most: beyond.and_then(|taken| taken.elsewhere.queue_most),
                taken: self.standings(taken),
                others: others(),
            },
            Hold::AboutToStart { queue, instances } => HoldView::AboutToStart {
                queue: queue.map(str::to_owned),
                instances: *instances,
                others: others(),
            },
        }
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
                let allowed = self.history.run().plan().task(end.task()).allow_failure;
                EndView::Failed { task, failure: failure_event(failure), allowed }
            }
            CauseEnd::Resolved(_, resolution) => EndView::Resolved {
                task,
                resolution: resolved(resolution),
                failure: resolution.failure.as_ref().map(failure_event),
            },
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

fn resolved(resolution: &Resolution) -> SkipView {
    SkipView { by: resolution.by.clone(), reason: resolution.reason.clone() }
}

fn others(taken: &Taken) -> FewTakers {
    let view = |taker: &Taker| TakerView {
        run: taker.run.to_string(),
        workflow: taker.workflow.clone(),
        task: taker.task.clone(),
        item: taker.item,
        since: time(taker.since),
    };
    FewTakers { first: taken.first.iter().map(view).collect(), more: taken.more }
}

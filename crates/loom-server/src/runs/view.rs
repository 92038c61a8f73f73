//! Runs as the API shows them, and `loom --json` too.

use crate::wire::{failure_event, masked};
use loom_core::{
    Act, AttemptRecord, AttemptResult, Ending, Held, HeldBy, History, Intervention, PathLink,
    RunState, SeenInput, SetBy, TaskIx, TaskPhase, TaskRecord, Timestamp, VariableRecord,
};
use loom_protocol::api::{
    AttemptView, HeldView, InputView, InterventionView, PathLinkView, RunDetail,
    RunState as WireState, RunView, SkipView, TaskView, VariableView,
};
use loom_protocol::{MASK, rfc3339};
use loom_store::RunSummary;
use std::collections::BTreeMap;

/// A run, as lists show it.
pub fn run(run: &RunSummary) -> RunView {
    let meta = &run.meta;
    RunView {
        id: run.id.to_string(),
        namespace: run.namespace.clone(),
        workflow: run.workflow.clone(),
        version: run.version.clone(),
        state: state(run.state),
        alive: run.alive,
        created_at: time(run.created_at),
        started_at: run.started_at.map(time),
        finished_at: run.finished_at.map(time),
        workers: run.workers,
        base: run.base.clone(),
        tags: meta.tags.clone(),
        annotations: meta.annotations.clone(),
        initiator: meta.initiator.clone(),
        source: meta.source.clone(),
        reason: meta.reason.clone(),
        correlation_id: meta.correlation_id.clone(),
        start_at: meta.start_at.map(time),
        priority: meta.priority,
        concurrency_key: meta.concurrency_key.clone(),
        waits: None,
        rerun_of: meta.rerun_of.map(|run| run.to_string()),
        external: meta.external.clone(),
    }
}

/// Everything that is known of a run, with these of its tasks.
pub fn detail(
    summary: &RunSummary,
    history: &History,
    now: Timestamp,
    tasks: Vec<TaskView>,
) -> RunDetail {
    let path = history.critical_path(now);
    RunDetail {
        run: run(summary),
        last_seq: history.last_seq(),
        counts: counts(history),
        variables: history.variables().map(|one| variable(history, one)).collect(),
        tasks,
        next_cursor: None,
        interventions: history
            .interventions()
            .iter()
            .map(|one| intervention(history, one))
            .collect(),
        critical_path: path
            .map(|path| path.links.iter().map(|link| self::link(history, link)).collect())
            .unwrap_or_default(),
    }
}

/// How many tasks stand where.
pub(crate) fn counts(history: &History) -> BTreeMap<String, u64> {
    let counts = history.counts();
    let count = |phase: TaskPhase| (phase.name().to_owned(), u64::from(counts.of(phase)));
    TaskPhase::ALL.map(count).into()
}

/// All tasks of a run, in the order of the workflow.
pub fn tasks(history: &History) -> Vec<TaskView> {
    history.tasks().map(|(ix, record)| task(history, ix, record)).collect()
}

/// Where a run stands, as the API says it.
pub const fn state(state: RunState) -> WireState {
    match state {
        RunState::Queued => WireState::Queued,
        RunState::Running => WireState::Running,
        RunState::Paused => WireState::Paused,
        RunState::Succeeded => WireState::Succeeded,
        RunState::Failed => WireState::Failed,
        RunState::Cancelled => WireState::Cancelled,
    }
}

pub(super) fn time(at: Timestamp) -> String {
    rfc3339(at.0)
}

pub(crate) fn variable(history: &History, variable: VariableRecord<'_>) -> VariableView {
    VariableView {
        name: variable.name.to_owned(),
        value: if variable.secret { MASK.into() } else { variable.value.clone() },
        secret: variable.secret,
        set_by: match variable.set_by {
            SetBy::Start | SetBy::Amendment => None,
            SetBy::Task(task) => Some(history.run().plan().task(task).name.clone()),
        },
        at: time(variable.at),
    }
}

/// What an attempt saw of one input.
pub(super) fn input(history: &History, seen: SeenInput<'_>) -> InputView {
    InputView { variable: variable(history, seen.variable), outdated: seen.outdated }
}

pub(super) fn task(history: &History, ix: TaskIx, record: &TaskRecord) -> TaskView {
    let def = history.run().plan().task(ix);
    let items = history.run().items(ix);
    let mut view = TaskView {
        name: def.name.clone(),
        plugin: def.plugin.clone(),
        phase: history.run().phase(ix).name().to_owned(),
        waiting_since: time(record.waiting_since),
        ready_at: record.enabled.map(|enabled| time(enabled.at)),
        settled_at: record.settled_at().map(time),
        max_attempts: history.run().max_attempts(ix),
        inputs: def.inputs.clone(),
        amended: masked(history.run().amended_inputs(ix)),
        items: items.map(|(count, _)| count),
        items_settled: items.map(|(_, settled)| settled),
        attempts: record.attempts.iter().map(attempt).collect(),
        skipped: None,
        resolved: None,
        failure: None,
    };
    match record.settled.as_ref().map(|settled| &settled.how) {
        Some(Ending::Skipped(reason)) => {
            view.skipped = Some(serde_json::to_value(reason).expect("its keys are text"));
        }
        Some(Ending::Resolved(it)) => {
            view.resolved = Some(SkipView { by: it.by.clone(), reason: it.reason.clone() });
        }
        Some(Ending::FailedUnattempted(failure)) => view.failure = Some(failure_event(failure)),
        _ => {}
    }
    view
}

pub(super) fn attempt(attempt: &AttemptRecord) -> AttemptView {
    let result = match attempt.result {
        AttemptResult::UnderWay if attempt.started_at.is_some() => "running",
        AttemptResult::UnderWay => "held",
        AttemptResult::Succeeded { .. } => "succeeded",
        AttemptResult::Failed { .. } => "failed",
        AttemptResult::Interrupted { .. } => "interrupted",
        AttemptResult::Cancelled { .. } => "cancelled",
    };
    AttemptView {
        attempt: attempt.number,
        item: attempt.item,
        ready_at: time(attempt.ready_at),
        assigned_at: attempt.assigned_at.map(time),
        started_at: attempt.started_at.map(time),
        ended_at: attempt.ended_at().map(time),
        result: result.to_owned(),
        failure: attempt.failure().map(failure_event),
        retry_at: attempt.retry_at().map(time),
    }
}

pub(crate) fn intervention(history: &History, one: &Intervention) -> InterventionView {
    let name = |task: &TaskIx| history.run().plan().task(*task).name.clone();
    let (act, tasks, reason) = match &one.act {
        Act::Pause => ("pause", Vec::new(), ""),
        Act::Resume => ("resume", Vec::new(), ""),
        Act::Cancel(reason) => ("cancel", Vec::new(), reason.as_str()),
        Act::Retry(tasks) => ("retry", tasks.iter().map(name).collect(), ""),
        Act::Resolve(task, reason) => ("resolve", vec![name(task)], reason.as_str()),
        Act::CancelTask(task, reason) => ("cancel_task", vec![name(task)], reason.as_str()),
        Act::Skip(task, reason) => ("skip", vec![name(task)], reason.as_str()),
        Act::Amend(task, _) => ("amend", vec![name(task)], ""),
    };
    let amended = match &one.act {
        Act::Amend(_, amended) => Some(amended),
        _ => None,
    };
    InterventionView {
        at: time(one.at),
        by: one.by.clone(),
        act: act.to_owned(),
        tasks,
        reason: reason.to_owned(),
        max_attempts: amended.and_then(|amended| amended.max_attempts),
        inputs: amended.map(|amended| masked(&amended.inputs)).unwrap_or_default(),
    }
}

pub(crate) fn link(history: &History, link: &PathLink) -> PathLinkView {
    PathLinkView {
        task: history.run().plan().task(link.task).name.clone(),
        item: link.item,
        ready_at: time(link.ready_at),
        ended_at: time(link.ended_at),
        counts_from: (link.from != link.ready_at).then(|| time(link.from)),
        queued_s: link.queued.as_secs_f64(),
        held: link.held.iter().map(|one| held(history, link.task, *one)).collect(),
        ran_s: link.ran.as_secs_f64(),
        backed_off_s: link.backed_off.as_secs_f64(),
        lost_s: link.lost.as_secs_f64(),
        by_hand_s: link.by_hand.as_secs_f64(),
        attempts: link.attempts,
    }
}

fn held(history: &History, task: TaskIx, held: Held) -> HeldView {
    let plan = history.run().plan();
    let (by, on) = match held.by {
        HeldBy::Pause => ("pause", None),
        HeldBy::Alone(on) => ("alone", Some(on)),
        HeldBy::Others => ("others", None),
        HeldBy::Ahead(on) => ("ahead", Some(on)),
        HeldBy::Workers => ("workers", None),
        HeldBy::Instances => ("instances", None),
        HeldBy::Queue => ("queue", None),
        HeldBy::Start => ("start", None),
    };
    let queue = plan.task(task).execution.queue.clone();
    HeldView {
        by: by.to_owned(),
        task: on.map(|on| plan.task(on).name.clone()),
        queue: queue.filter(|_| held.by == HeldBy::Queue),
        s: held.span.as_secs_f64(),
    }
}

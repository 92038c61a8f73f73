//! One run, taken apart.
//!
//! The impact score is that of graph analysis: `(5 × downstream + 15 × blocked downstream) × m`, plus
//! 3 an attempt, plus 10 if the failure is permanent, plus 20 if attempts are used up; `m` is 1 for a
//! task between attempts, 2 for one that failed, 2.5 if its attempts are used up.

use crate::runs::{Look, link};
use loom_core::{Enabler, History, Plan, TaskIx, TaskPhase, TaskRecord, Timestamp};
use loom_protocol::api::{Parallelism, PathLinkView, RunAnalysis, TaskAnalysis};
use std::collections::BTreeSet;
use std::time::Duration;

/// From which score on how severe it is.
const SEVERITY: [(u64, &str); 4] = [(100, "critical"), (50, "high"), (20, "medium"), (0, "low")];

pub(super) fn analyse(look: &Look, now: Timestamp) -> RunAnalysis {
    let history = &look.history;
    let took = history.took(now).unwrap_or_default();
    let path = history.critical_path(now);
    let links = path.as_ref().map_or(&[][..], |path| &path.links);
    let span: Duration = links.iter().map(|link| link.ran).sum();
    let slack = history.slack();
    let tasks: Vec<TaskAnalysis> = (history.tasks().zip(&slack))
        .map(|((ix, record), slack)| task(history, ix, record, *slack, now))
        .collect();
    let work = tasks.iter().map(|task| task.ran_s).sum();
    RunAnalysis {
        run: look.summary.id.to_string(),
        state: look.summary.state.name().to_owned(),
        took_s: took.as_secs_f64(),
        critical_path: links.iter().map(|one| link(history, one)).collect::<Vec<PathLinkView>>(),
        parallelism: Parallelism {
            workers: history.run().workers(),
            peak: peak(history, now),
            work_s: work,
            span_s: span.as_secs_f64(),
            used: over(work, took),
            possible: over(work, span),
        },
        tasks,
    }
}

fn over(work: f64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { work / time.as_secs_f64() }
}

fn task(
    history: &History,
    ix: TaskIx,
    record: &TaskRecord,
    slack: Option<Duration>,
    now: Timestamp,
) -> TaskAnalysis {
    let plan = history.run().plan();
    let phase = history.run().phase(ix);
    let (mut queued, mut ran) = (Duration::ZERO, Duration::ZERO);
    let mut made = 0;
    for attempt in &record.attempts {
        let ended = attempt.ended_at().unwrap_or(now);
        queued += attempt.started_at.unwrap_or(ended).since(attempt.ready_at);
        if let Some(started) = attempt.started_at {
            made += 1;
            ran += ended.since(started);
        }
    }
    let waited_until = record.enabled.map(|enabled| enabled.at).or(record.settled_at());
    let downstream = reached(plan, ix);
    let stuck = |task: &&TaskIx| {
        matches!(history.run().phase(**task), TaskPhase::Waiting | TaskPhase::Skipped)
    };
    let blocked = downstream.iter().filter(stuck).count() as u64;
    let impact = impact(phase, record, [downstream.len() as u64, blocked, made]);
    let waited_for = record.enabled.and_then(|enabled| match enabled.by {
        Enabler::Task(by) => Some(plan.task(by).name.clone()),
        Enabler::Start | Enabler::Reopened => None,
    });
    TaskAnalysis {
        task: plan.task(ix).name.clone(),
        phase: phase.name().to_owned(),
        waited_for,
        blocked_s: waited_until.unwrap_or(now).since(record.waiting_since).as_secs_f64(),
        queued_s: queued.as_secs_f64(),
        ran_s: ran.as_secs_f64(),
        slack_s: slack.map(|slack| slack.as_secs_f64()),
        attempts: made,
        downstream: downstream.len() as u64,
        blocked_downstream: blocked,
        impact,
        severity: (impact > 0).then(|| severity(impact).to_owned()),
    }
}

/// The tasks that wait for this one, directly or over others.
fn reached(plan: &Plan, from: TaskIx) -> Vec<TaskIx> {
    let mut seen = BTreeSet::from([from]);
    let mut reached: Vec<TaskIx> = Vec::new();
    let mut next = Some(from);
    let mut at = 0;
    while let Some(task) = next {
        reached.extend(plan.downstream_of(task).filter(|task| seen.insert(*task)));
        next = reached.get(at).copied();
        at += 1;
    }
    reached
}

fn impact(phase: TaskPhase, record: &TaskRecord, [downstream, blocked, attempts]: [u64; 3]) -> u64 {
    let failed = phase == TaskPhase::Failed;
    if !failed && phase != TaskPhase::BackingOff {
        return 0;
    }
    let used_up = failed && record.failure().is_some_and(|failure| failure.retryable);
    // Halves, so that everything stays whole until the end.
    let multiplier = match (failed, used_up) {
        (true, true) => 5,
        (true, false) => 4,
        (false, _) => 2,
    };
    let permanent = if failed && !used_up { 10 } else { 0 };
    let exhausted = if used_up { 20 } else { 0 };
    ((5 * downstream + 15 * blocked) * multiplier).div_ceil(2)
        + 3 * attempts
        + permanent
        + exhausted
}

fn severity(impact: u64) -> &'static str {
    let found = SEVERITY.iter().find(|(from, _)| impact >= *from);
    found.map_or("low", |(_, name)| name)
}

/// The most attempts that ran at once.
fn peak(history: &History, now: Timestamp) -> u32 {
    let mut edges: Vec<(Timestamp, i32)> = Vec::new();
    for attempt in history.tasks().flat_map(|(_, record)| &record.attempts) {
        if let Some(started) = attempt.started_at {
            edges.extend([(started, 1), (attempt.ended_at().unwrap_or(now), -1)]);
        }
    }
    // An end goes before a start of the same moment.
    edges.sort_unstable();
    let mut running = 0;
    let peak = edges.iter().map(|(_, step)| {
        running += step;
        running
    });
    peak.max().unwrap_or(0).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_begins_at_its_threshold() {
        let names = [0, 19, 20, 49, 50, 99, 100].map(severity);
        assert_eq!(names, ["low", "low", "medium", "medium", "high", "high", "critical"]);
    }
}

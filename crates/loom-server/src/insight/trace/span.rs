//! Spans of what has ended.

use super::otlp::{Span, Value};
use crate::insight::fact::{AttemptFact, Fact, Result};
use crate::insight::open::OpenRun;
use crate::wire::outcome_name;
use loom_core::{RunOutcome, TaskIx, Timestamp};
use loom_protocol::RunTrace;

/// The spans that end with a fact. None if the caller does not record the trace.
pub(super) fn spans(run: &OpenRun, fact: &Fact<'_>) -> Vec<Span> {
    let trace = RunTrace::new(run.summary.id.to_bytes(), run.summary.meta.traceparent.as_deref());
    if trace.caller().is_some_and(|caller| caller.flags & 1 == 0) {
        return Vec::new();
    }
    let attempt = fact.attempt.as_ref().map(|attempt| of_attempt(run, &trace, attempt));
    let task = fact.task.and_then(|(task, how)| of_task(run, &trace, task, how));
    let run = fact.run.map(|outcome| of_run(run, &trace, outcome));
    [attempt, task, run].into_iter().flatten().collect()
}

fn of_attempt(run: &OpenRun, trace: &RunTrace, attempt: &AttemptFact<'_>) -> Span {
    let (task, record) = (attempt.task, attempt.record);
    let def = run.history.run().plan().task(task.task);
    let mut attributes = vec![
        ("loom.run.id", Value::Text(run.summary.id.to_string())),
        ("loom.task", Value::Text(def.name.clone())),
        ("loom.plugin", Value::Text(def.plugin.clone())),
        ("loom.attempt", Value::Number(record.number)),
        ("loom.waited_s", Value::Seconds(attempt.started_at.since(record.ready_at))),
    ];
    attributes.extend(task.item.map(|item| ("loom.item", Value::Number(item))));
    let error = match attempt.result() {
        Result::Succeeded => None,
        result => {
            let message = record.failure().map(|failure| failure.message.clone());
            Some(message.unwrap_or_else(|| result.name().to_owned()))
        }
    };
    Span {
        id: trace.attempt_span(task.task.0, task.item, record.number),
        parent_span_id: Some(trace.task_span(task.task.0)),
        name: format!("{} #{}", def.name, record.number),
        attributes,
        error,
        ..bare(trace, attempt.started_at, attempt.ended_at)
    }
}

/// The span of a task that was ever ready.
fn of_task(run: &OpenRun, trace: &RunTrace, task: TaskIx, how: &str) -> Option<Span> {
    let record = run.history.task(task);
    let (enabled, settled) = (record.enabled?, record.settled_at()?);
    let name = run.history.run().plan().task(task).name.clone();
    let message = || record.failure().map_or(how, |failure| failure.message.as_str()).to_owned();
    Some(Span {
        id: trace.task_span(task.0),
        parent_span_id: Some(trace.run_span()),
        attributes: vec![
            ("loom.run.id", Value::Text(run.summary.id.to_string())),
            ("loom.task", Value::Text(name.clone())),
            ("loom.outcome", Value::Text(how.to_owned())),
        ],
        name,
        error: matches!(how, "failed" | "cancelled").then(message),
        ..bare(trace, enabled.at, settled)
    })
}

fn of_run(run: &OpenRun, trace: &RunTrace, outcome: RunOutcome) -> Span {
    let (summary, history) = (&run.summary, &run.history);
    let ended = history.finished_at().unwrap_or(history.created_at());
    let mut attributes = vec![
        ("loom.run.id", Value::Text(summary.id.to_string())),
        ("loom.namespace", Value::Text(summary.namespace.clone())),
        ("loom.workflow", Value::Text(summary.workflow.clone())),
        ("loom.version", Value::Text(summary.version.clone())),
        ("loom.outcome", Value::Text(outcome_name(outcome).to_owned())),
    ];
    if !summary.meta.correlation_id.is_empty() {
        let id = summary.meta.correlation_id.clone();
        attributes.push(("loom.correlation_id", Value::Text(id)));
    }
    Span {
        id: trace.run_span(),
        parent_span_id: trace.caller().map(|caller| caller.span),
        name: summary.workflow.clone(),
        attributes,
        error: (outcome != RunOutcome::Succeeded).then(|| outcome_name(outcome).to_owned()),
        ..bare(trace, history.created_at(), ended)
    }
}

fn bare(trace: &RunTrace, from: Timestamp, to: Timestamp) -> Span {
    Span {
        trace_id: trace.trace(),
        start_time_unix_nano: from.0.saturating_mul(1000),
        end_time_unix_nano: to.0.saturating_mul(1000),
        ..Span::default()
    }
}

//! Counters and histograms of runs, tasks and attempts.

use super::expose::{Histogram, Page};
use super::fact::{AttemptFact, Fact, Result, SETTLED};
use super::open::OpenRun;
use crate::wire::outcome_name;
use loom_core::{AttemptRecord, RunOutcome};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// Upper bounds of durations, in seconds.
const SECONDS: &[f64] = &[
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
    1800.0, 7200.0,
];
/// Upper bounds of how late events are taken up, in seconds.
const LATE: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 10.0];
const OUTCOMES: [RunOutcome; 3] =
    [RunOutcome::Succeeded, RunOutcome::Failed, RunOutcome::Cancelled];
/// What stands for the workflows that are too many.
const OTHER: &str = "other";

/// Everything that is counted of the feed.
pub(crate) struct Metrics {
    workflows: BTreeMap<(String, String), Workflow>,
    other: Workflow,
    workflows_max: usize,
    failures: HashMap<&'static str, u64>,
    late: Histogram,
    lag: Duration,
}

struct Workflow {
    started: u64,
    runs: [u64; 3],
    tasks: [u64; 5],
    attempts: [u64; 4],
    retries: u64,
    run_time: Histogram,
    attempt_time: Histogram,
    wait_time: Histogram,
}

impl Workflow {
    fn new() -> Self {
        let seconds = || Histogram::new(SECONDS);
        Self {
            started: 0,
            runs: [0; 3],
            tasks: [0; 5],
            attempts: [0; 4],
            retries: 0,
            run_time: seconds(),
            attempt_time: seconds(),
            wait_time: seconds(),
        }
    }

    fn take(&mut self, run: &OpenRun, fact: &Fact<'_>) {
        self.started += u64::from(fact.began);
        if let Some(outcome) = fact.run {
            self.runs[outcome as usize] += 1;
            let history = &run.history;
            let ended = history.finished_at();
            // One that never started took no time.
            if let Some(took) = ended.and_then(|ended| history.took_since_opened(ended)) {
                self.run_time.add(took.as_secs_f64());
            }
        }
        if let Some((_, how)) = fact.task {
            let place = SETTLED.iter().position(|name| *name == how).expect("it is one of these");
            self.tasks[place] += 1;
        }
        if let Some(attempt) = &fact.attempt {
            self.attempts[attempt.result() as usize] += 1;
            self.retries += u64::from(attempt.record.number > 1);
            let took = attempt.ended_at.since(attempt.started_at);
            self.attempt_time.add(took.as_secs_f64());
            let waited = attempt.started_at.since(attempt.record.ready_at);
            self.wait_time.add(waited.as_secs_f64());
        }
    }
}

impl Metrics {
    pub(crate) fn new(workflows_max: usize) -> Self {
        Self {
            workflows: BTreeMap::new(),
            other: Workflow::new(),
            workflows_max,
            failures: HashMap::new(),
            late: Histogram::new(LATE),
            lag: Duration::ZERO,
        }
    }

    /// An event was taken up so long after it happened.
    pub(crate) fn late(&mut self, by: Duration) {
        self.late.add(by.as_secs_f64());
        self.lag = by;
    }

    /// How late the last event was taken up.
    pub(crate) const fn lag(&self) -> Duration {
        self.lag
    }

    pub(crate) fn take(&mut self, run: &OpenRun, fact: &Fact<'_>) {
        let failure =
            |attempt: &AttemptFact<'_>| AttemptRecord::failure(attempt.record).map(|it| it.kind);
        if let Some(kind) = fact.attempt.as_ref().and_then(failure) {
            *self.failures.entry(kind.name()).or_default() += 1;
        }
        if fact.began || fact.attempt.is_some() || fact.task.is_some() || fact.run.is_some() {
            self.workflow(run).take(run, fact);
        }
    }

    fn workflow(&mut self, run: &OpenRun) -> &mut Workflow {
        let key = (run.summary.namespace.clone(), run.summary.workflow.clone());
        if self.workflows.len() >= self.workflows_max && !self.workflows.contains_key(&key) {
            return &mut self.other;
        }
        self.workflows.entry(key).or_insert_with(Workflow::new)
    }

    pub(crate) fn write(&self, page: &mut Page) {
        self.counters(page);
        let time = |name, help, page: &mut Page, of: fn(&Workflow) -> &Histogram| {
            page.metric(name, "histogram", help);
            for (labels, workflow) in self.all() {
                page.histogram(name, &labels, of(workflow));
            }
        };
        let help = "From a run's first start to its end.";
        time("loom_run_duration_seconds", help, page, |it| &it.run_time);
        let help = "From an attempt's start to its end.";
        time("loom_attempt_duration_seconds", help, page, |it| &it.attempt_time);
        let help = "From when an attempt could have started to its start.";
        time("loom_attempt_wait_seconds", help, page, |it| &it.wait_time);
        let name = "loom_feed_lag_seconds";
        page.metric(name, "histogram", "How long after they happened events were taken up.");
        page.histogram(name, &[], &self.late);
    }

    fn counters(&self, page: &mut Page) {
        let name = "loom_runs_started_total";
        page.metric(name, "counter", "Runs that began.");
        self.each(|labels, it| page.sample(name, &labels, it.started));
        let name = "loom_runs_finished_total";
        page.metric(name, "counter", "Runs that ended, by outcome.");
        self.each(|labels, it| {
            for (outcome, count) in OUTCOMES.iter().zip(it.runs) {
                page.sample(name, &with(labels, "outcome", outcome_name(*outcome)), count);
            }
        });
        let name = "loom_tasks_settled_total";
        page.metric(name, "counter", "Tasks that settled, by outcome.");
        self.each(|labels, it| {
            for (outcome, count) in SETTLED.iter().zip(it.tasks) {
                page.sample(name, &with(labels, "outcome", outcome), count);
            }
        });
        let name = "loom_attempts_total";
        page.metric(name, "counter", "Attempts that ended, by result.");
        self.each(|labels, it| {
            for (result, count) in Result::ALL.iter().zip(it.attempts) {
                page.sample(name, &with(labels, "result", result.name()), count);
            }
        });
        let name = "loom_retries_total";
        page.metric(name, "counter", "Attempts that ended and were not the first.");
        self.each(|labels, it| page.sample(name, &labels, it.retries));
        let name = "loom_failures_total";
        page.metric(name, "counter", "Attempts that failed, by kind of failure.");
        let kinds: BTreeMap<_, _> = self.failures.iter().collect();
        for (kind, count) in kinds {
            page.sample(name, &[("kind", kind)], count);
        }
    }

    fn each<'a>(&'a self, mut tell: impl FnMut([(&'a str, &'a str); 2], &'a Workflow)) {
        self.all().for_each(|(labels, workflow)| tell(labels, workflow));
    }

    fn all(&self) -> impl Iterator<Item = ([(&str, &str); 2], &Workflow)> {
        let labels = |namespace, workflow| [("namespace", namespace), ("workflow", workflow)];
        let named = (self.workflows.iter())
            .map(move |((namespace, name), it)| (labels(namespace.as_str(), name.as_str()), it));
        // No namespace is empty, so no workflow has the same labels.
        named.chain([(labels("", OTHER), &self.other)])
    }
}

fn with<'a>(
    labels: [(&'a str, &'a str); 2],
    name: &'a str,
    value: &'a str,
) -> [(&'a str, &'a str); 3] {
    [labels[0], labels[1], (name, value)]
}

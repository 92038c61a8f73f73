//! What recorded attempts and runs add up to.

use serde::{Deserialize, Serialize};

/// How much was done, how well and how fast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Performance {
    /// What the figures are of.
    pub basis: Basis,
    /// The last hour, 4 hours and 24 hours.
    pub windows: Vec<Window>,
    /// How long runs were open, from the start to the end, over the period. Those that never started are
    /// not among them, and the time that one lay ended before it was reopened does not count.
    pub run_time: Option<Percentiles>,
    /// From an attempt's start to its end, over the period.
    pub task_time: Option<Percentiles>,
    /// From when an attempt could have started to its start, over the period.
    pub wait_time: Option<Percentiles>,
}

/// What an answer is computed from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Basis {
    /// When it was computed.
    pub at: String,
    /// The period, in seconds, up to then.
    pub period_s: f64,
    /// The attempts of the period that it covers.
    pub attempts: u64,
    /// The runs of the period that it covers.
    pub runs: u64,
    /// The end of the oldest attempt that is kept, of whatever workflow.
    pub oldest: Option<String>,
    /// Whether older attempts are still being read.
    pub rebuilding: bool,
}

/// What ended within a time up to now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Window {
    /// Its length.
    pub hours: u32,
    /// Runs that succeeded.
    pub runs_succeeded: u64,
    /// Runs that failed.
    pub runs_failed: u64,
    /// Runs that were cancelled.
    pub runs_cancelled: u64,
    /// Ended runs an hour.
    pub runs_per_hour: f64,
    /// Succeeded of succeeded and failed runs, 0 to 1.
    pub run_success_rate: Option<f64>,
    /// Mean time of a run that had started, in seconds.
    pub mean_run_s: Option<f64>,
    /// Attempts that succeeded.
    pub attempts_succeeded: u64,
    /// Attempts that failed.
    pub attempts_failed: u64,
    /// Ended attempts an hour.
    pub attempts_per_hour: f64,
    /// Failed of succeeded and failed attempts, 0 to 1.
    pub attempt_error_rate: Option<f64>,
    /// Mean time of an attempt, in seconds.
    pub mean_attempt_s: Option<f64>,
}

/// Exact percentiles by the nearest rank, in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Percentiles {
    /// Of how many values.
    pub count: u64,
    /// The mean.
    pub mean_s: f64,
    /// Half are at most this.
    pub p50_s: f64,
    /// 90 % are at most this.
    pub p90_s: f64,
    /// 95 % are at most this.
    pub p95_s: f64,
    /// 99 % are at most this.
    pub p99_s: f64,
    /// The greatest.
    pub max_s: f64,
}

/// Where the time goes and what fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Bottlenecks {
    /// What the figures are of.
    pub basis: Basis,
    /// The tasks with the longest mean time.
    pub slowest_tasks: Vec<TaskFigures>,
    /// The runs that took longest.
    pub slowest_runs: Vec<SlowRun>,
    /// Failures by what they say, the most frequent first.
    pub error_patterns: Vec<ErrorPattern>,
    /// How often which attempt succeeds.
    pub retries: Vec<RetryFigures>,
    /// What others waited for longest, in all.
    pub blockers: Vec<Blocker>,
}

/// A task of a workflow over all its runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskFigures {
    /// The workflow's namespace.
    pub namespace: String,
    /// The workflow.
    pub workflow: String,
    /// The task.
    pub task: String,
    /// Attempts that failed.
    pub failed: u64,
    /// How long attempts took.
    pub time: Percentiles,
    /// How long attempts waited for a worker or a limit, on average.
    pub mean_wait_s: f64,
}

/// A run that took long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SlowRun {
    /// The run.
    pub run: String,
    /// The workflow's namespace.
    pub namespace: String,
    /// The workflow.
    pub workflow: String,
    /// How it ended.
    pub outcome: String,
    /// How long it was open, from its start to its end, without the time that it lay ended before it was
    /// reopened.
    pub took_s: f64,
    /// When it ended.
    pub finished_at: String,
}

/// Failures that say the same but for numbers, identities and paths.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorPattern {
    /// The message with `<n>`, `<id>` and `<path>` in their place.
    pub pattern: String,
    /// The kind of the failure.
    pub kind: String,
    /// How often.
    pub count: u64,
    /// Of how many tasks of workflows.
    pub tasks: u64,
    /// The last time.
    pub last_at: String,
    /// The run in which it happened last.
    pub last_run: String,
}

/// How attempts of one number end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetryFigures {
    /// The attempt's number; the last entry is of that number and above.
    pub attempt: u32,
    /// How many succeeded.
    pub succeeded: u64,
    /// How many failed.
    pub failed: u64,
    /// Succeeded of both, 0 to 1.
    pub success_rate: f64,
}

/// A task that others waited for last before they could start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Blocker {
    /// The workflow's namespace.
    pub namespace: String,
    /// The workflow.
    pub workflow: String,
    /// The task that was waited for.
    pub task: String,
    /// The task that waited.
    pub blocked: String,
    /// How often.
    pub count: u64,
    /// How long it waited in all, from the run's start.
    pub total_s: f64,
    /// How long it waited on average.
    pub mean_s: f64,
}

/// One run, taken apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunAnalysis {
    /// The run.
    pub run: String,
    /// The state that it is in.
    pub state: String,
    /// How long it was open, from its start to its end, or now; without the time that it lay ended before
    /// it was reopened. 0 if it never started.
    pub took_s: f64,
    /// The chain of tasks that decided when it ended.
    pub critical_path: Vec<super::PathLinkView>,
    /// The parallelism that was used and could have been.
    pub parallelism: Parallelism,
    /// Every task: what it waited for, its slack, what rests on it.
    pub tasks: Vec<TaskAnalysis>,
}

/// How much ran side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Parallelism {
    /// The most attempts that the run may have at once.
    pub workers: u32,
    /// The most that ran at once.
    pub peak: u32,
    /// Working time of all attempts, in seconds.
    pub work_s: f64,
    /// Working time along the critical path, in seconds: no number of workers makes it less.
    pub span_s: f64,
    /// Attempts at once on average: the work over the run's time.
    pub used: f64,
    /// What unlimited workers could reach: the work over the span.
    pub possible: f64,
}

/// One task of a run, seen as a part of the whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskAnalysis {
    /// The task.
    pub task: String,
    /// The phase that it is in.
    pub phase: String,
    /// The task that it waited for last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited_for: Option<String>,
    /// How long it waited for other tasks.
    pub blocked_s: f64,
    /// How long its attempts waited for a worker or a limit.
    pub queued_s: f64,
    /// How long its attempts ran.
    pub ran_s: f64,
    /// How much later it could have settled without the run ending later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack_s: Option<f64>,
    /// How many attempts were made.
    pub attempts: u64,
    /// How many tasks wait for it, directly or over others.
    pub downstream: u64,
    /// How many of them have not been able to run.
    pub blocked_downstream: u64,
    /// How much a task that failed or does not get on holds up; 0 for the others.
    pub impact: u64,
    /// `low`, `medium` from 20, `high` from 50, `critical` from 100; of tasks with an impact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
}

//! How much was done, how well and how fast: by going over the rows of the [`Table`].

use super::fact::Result;
use super::question::{Question, percentiles, ratio};
use super::table::{Ran, Table};
use loom_core::RunOutcome;
use loom_protocol::api::{Performance, Window};

const WINDOWS: [u32; 3] = [1, 4, 24];

/// How much was done, how well and how fast.
pub(crate) fn performance(table: &Table, question: &Question) -> Performance {
    let wanted = question.wanted(table);
    let since = question.since(question.hours);
    let mut windows = WINDOWS.map(|hours| (question.since(hours), empty(hours)));
    let mut sums = [Sums::default(); 3];
    let (mut run_times, mut run_times_all) = (Vec::new(), 0);
    for run in table.runs.rows().iter().filter(|run| wanted[run.workflow as usize]) {
        if run.ended_at >= since {
            run_times.extend(run.took());
            run_times_all += 1;
        }
        for ((from, window), sum) in windows.iter_mut().zip(&mut sums) {
            if run.ended_at >= *from {
                add_run(window, run);
                if let Some(took) = run.took() {
                    sum.started += 1;
                    sum.runs_took += took;
                }
            }
        }
    }
    let (mut task_times, mut wait_times) = (Vec::new(), Vec::new());
    for attempt in table.attempts.rows().iter().filter(|row| wanted[row.task as usize]) {
        if attempt.ended_at >= since {
            task_times.push(attempt.ran);
            wait_times.push(attempt.waited);
        }
        for ((from, window), sum) in windows.iter_mut().zip(&mut sums) {
            if attempt.ended_at >= *from && add_attempt(window, attempt.result) {
                sum.attempts_took += attempt.ran;
            }
        }
    }
    Performance {
        basis: question.basis(table, task_times.len(), run_times_all),
        windows: windows.into_iter().zip(sums).map(|((_, it), sums)| rates(it, sums)).collect(),
        run_time: percentiles(&mut run_times),
        task_time: percentiles(&mut task_times),
        wait_time: percentiles(&mut wait_times),
    }
}

/// What the times of a window add up to.
#[derive(Clone, Copy, Default)]
struct Sums {
    /// Runs that had started.
    started: u64,
    runs_took: u64,
    attempts_took: u64,
}

const fn empty(hours: u32) -> Window {
    Window {
        hours,
        runs_succeeded: 0,
        runs_failed: 0,
        runs_cancelled: 0,
        runs_per_hour: 0.0,
        run_success_rate: None,
        mean_run_s: None,
        attempts_succeeded: 0,
        attempts_failed: 0,
        attempts_per_hour: 0.0,
        attempt_error_rate: None,
        mean_attempt_s: None,
    }
}

const fn add_run(window: &mut Window, run: &Ran) {
    match run.outcome {
        RunOutcome::Succeeded => window.runs_succeeded += 1,
        RunOutcome::Failed => window.runs_failed += 1,
        RunOutcome::Cancelled => window.runs_cancelled += 1,
    }
}

/// Whether the attempt tells of success or failure at all.
const fn add_attempt(window: &mut Window, result: Result) -> bool {
    match result {
        Result::Succeeded => window.attempts_succeeded += 1,
        Result::Failed => window.attempts_failed += 1,
        Result::Interrupted | Result::Cancelled => return false,
    }
    true
}

fn rates(mut window: Window, sums: Sums) -> Window {
    let hours = f64::from(window.hours);
    let decided = window.runs_succeeded + window.runs_failed;
    let runs = decided + window.runs_cancelled;
    let attempts = window.attempts_succeeded + window.attempts_failed;
    window.runs_per_hour = runs as f64 / hours;
    window.attempts_per_hour = attempts as f64 / hours;
    window.run_success_rate = ratio(window.runs_succeeded, decided);
    window.attempt_error_rate = ratio(window.attempts_failed, attempts);
    window.mean_run_s = ratio(sums.runs_took, sums.started).map(|micros| micros / 1e6);
    window.mean_attempt_s = ratio(sums.attempts_took, attempts).map(|micros| micros / 1e6);
    window
}

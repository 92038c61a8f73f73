//! Questions to the [`Table`], answered by going over its rows.

use super::fact::Result;
use super::table::{Attempt, NONE, Name, Ran, Table};
use loom_core::{RunOutcome, Timestamp};
use loom_protocol::api::{
    Basis, Blocker, Bottlenecks, ErrorPattern, Percentiles, Performance, RetryFigures, SlowRun,
    TaskFigures, Window,
};
use loom_protocol::rfc3339;
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

/// How many of each kind are listed.
const LISTED: usize = 10;
/// Attempts of this number and above are counted together.
const NUMBER_MAX: u16 = 10;
const WINDOWS: [u32; 3] = [1, 4, 24];
const HOUR: u64 = 3600 * 1_000_000;

/// What is asked about.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// The namespaces that the asker may know of; `None` for all.
    pub(crate) namespaces: Option<Vec<String>>,
    /// One workflow alone.
    pub(crate) workflow: Option<String>,
    /// The last so many hours.
    pub(crate) hours: u32,
    pub(crate) now: Timestamp,
    pub(crate) rebuilding: bool,
}

impl Question {
    fn since(&self, hours: u32) -> u64 {
        self.now.0.saturating_sub(u64::from(hours) * HOUR)
    }

    /// Which names are asked about, by their numbers.
    fn wanted(&self, names: &[Name]) -> Vec<bool> {
        let wanted = |name: &Name| {
            self.namespaces.as_ref().is_none_or(|them| them.contains(&name.namespace))
                && self.workflow.as_ref().is_none_or(|it| *it == name.workflow)
        };
        names.iter().map(wanted).collect()
    }

    fn basis(&self, table: &Table, attempts: usize, runs: usize) -> Basis {
        Basis {
            at: rfc3339(self.now.0),
            period_s: f64::from(self.hours) * 3600.0,
            attempts: attempts as u64,
            runs: runs as u64,
            oldest: table.attempts.oldest().map(|row| rfc3339(row.ended_at)),
            rebuilding: self.rebuilding,
        }
    }
}

/// How much was done, how well and how fast.
pub(crate) fn performance(table: &Table, question: &Question) -> Performance {
    let wanted = question.wanted(table.names.values());
    let since = question.since(question.hours);
    let mut windows = WINDOWS.map(|hours| (question.since(hours), empty(hours)));
    let mut sums = [[0_u64; 2]; 3];
    let (mut run_times, mut run_times_all) = (Vec::new(), 0);
    for run in table.runs.rows().iter().filter(|run| wanted[run.workflow as usize]) {
        if run.ended_at >= since {
            run_times.push(run.took);
            run_times_all += 1;
        }
        for ((from, window), sum) in windows.iter_mut().zip(&mut sums) {
            if run.ended_at >= *from {
                add_run(window, run);
                sum[0] += run.took;
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
                sum[1] += attempt.ran;
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

fn rates(mut window: Window, [runs_took, attempts_took]: [u64; 2]) -> Window {
    let hours = f64::from(window.hours);
    let decided = window.runs_succeeded + window.runs_failed;
    let runs = decided + window.runs_cancelled;
    let attempts = window.attempts_succeeded + window.attempts_failed;
    window.runs_per_hour = runs as f64 / hours;
    window.attempts_per_hour = attempts as f64 / hours;
    window.run_success_rate = ratio(window.runs_succeeded, decided);
    window.attempt_error_rate = ratio(window.attempts_failed, attempts);
    window.mean_run_s = ratio(runs_took, runs).map(|micros| micros / 1e6);
    window.mean_attempt_s = ratio(attempts_took, attempts).map(|micros| micros / 1e6);
    window
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Exact percentiles by the nearest rank. The values end up in another order.
pub(crate) fn percentiles(values: &mut [u64]) -> Option<Percentiles> {
    let count = values.len();
    let sum: u64 = values.iter().sum();
    let mean_s = ratio(sum, count as u64)? / 1e6;
    let max_s = seconds(*values.iter().max()?);
    // Each lies behind the one before, so only what is behind that is looked at.
    let mut from = 0;
    let mut rank = |percent: usize| {
        let place = (count * percent).div_ceil(100).max(1) - 1;
        let (_, value, _) = values[from..].select_nth_unstable(place - from);
        let value = seconds(*value);
        from = place;
        value
    };
    let (p50_s, p90_s, p95_s, p99_s) = (rank(50), rank(90), rank(95), rank(99));
    Some(Percentiles { count: count as u64, mean_s, p50_s, p90_s, p95_s, p99_s, max_s })
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

/// Where the time goes and what fails.
pub(crate) fn bottlenecks(table: &Table, question: &Question) -> Bottlenecks {
    let names = table.names.values();
    let wanted = question.wanted(names);
    let since = question.since(question.hours);
    let mut tasks = vec![OfTask::default(); names.len()];
    let mut errors: HashMap<u32, OfPattern> = HashMap::new();
    let mut retries = [[0_u64; 2]; NUMBER_MAX as usize];
    let mut blockers: HashMap<(u32, u32), [u64; 2]> = HashMap::new();
    let recent = |row: &&Attempt| row.ended_at >= since && wanted[row.task as usize];
    let mut count = 0;
    for row in table.attempts.rows().iter().filter(recent) {
        count += 1;
        tasks[row.task as usize].add(row);
        if row.pattern != NONE {
            errors.entry(row.pattern).or_default().add(row);
        }
        let place = usize::from(row.number.clamp(1, NUMBER_MAX)) - 1;
        match row.result {
            Result::Succeeded => retries[place][0] += 1,
            Result::Failed => retries[place][1] += 1,
            Result::Interrupted | Result::Cancelled => {}
        }
        if row.blocker != NONE {
            let sums = blockers.entry((row.blocker, row.task)).or_default();
            sums[0] += 1;
            sums[1] += row.blocked;
        }
    }
    let recent = |run: &&Ran| run.ended_at >= since && wanted[run.workflow as usize];
    let runs: Vec<&Ran> = table.runs.rows().iter().filter(recent).collect();
    Bottlenecks {
        basis: question.basis(table, count, runs.len()),
        slowest_tasks: slowest_tasks(table, &tasks, since),
        slowest_runs: slowest_runs(names, runs),
        error_patterns: error_patterns(table, errors),
        retries: retry_figures(retries),
        blockers: worst_blockers(names, blockers),
    }
}

/// What the attempts at one task add up to.
#[derive(Clone, Default)]
struct OfTask {
    count: u64,
    ran: u64,
    waited: u64,
    failed: u64,
}

impl OfTask {
    fn add(&mut self, row: &Attempt) {
        self.count += 1;
        self.ran += row.ran;
        self.waited += row.waited;
        self.failed += u64::from(row.result == Result::Failed);
    }
}

/// What the failures of one pattern add up to.
#[derive(Default)]
struct OfPattern {
    count: u64,
    tasks: BTreeSet<u32>,
    last: Option<Attempt>,
}

impl OfPattern {
    fn add(&mut self, row: &Attempt) {
        self.count += 1;
        self.tasks.insert(row.task);
        if self.last.is_none_or(|last| last.ended_at <= row.ended_at) {
            self.last = Some(*row);
        }
    }
}

fn slowest_tasks(table: &Table, tasks: &[OfTask], since: u64) -> Vec<TaskFigures> {
    let mut order: Vec<u32> =
        (0..tasks.len() as u32).filter(|task| tasks[*task as usize].count > 0).collect();
    order.sort_by_key(|task| {
        let of = &tasks[*task as usize];
        Reverse(of.ran / of.count)
    });
    order.truncate(LISTED);
    let mut place = vec![NONE; tasks.len()];
    for (at, task) in order.iter().enumerate() {
        place[*task as usize] = at as u32;
    }
    let mut times = vec![Vec::new(); order.len()];
    for row in table.attempts.rows().iter().filter(|row| row.ended_at >= since) {
        if let Some(times) = times.get_mut(place[row.task as usize] as usize) {
            times.push(row.ran);
        }
    }
    let figures = |(task, times): (u32, &mut Vec<u64>)| {
        let (of, name) = (&tasks[task as usize], &table.names.values()[task as usize]);
        Some(TaskFigures {
            namespace: name.namespace.clone(),
            workflow: name.workflow.clone(),
            task: name.task.clone(),
            failed: of.failed,
            time: percentiles(times)?,
            mean_wait_s: ratio(of.waited, of.count)? / 1e6,
        })
    };
    order.into_iter().zip(&mut times).filter_map(figures).collect()
}

fn slowest_runs(names: &[Name], mut runs: Vec<&Ran>) -> Vec<SlowRun> {
    if runs.len() > LISTED {
        runs.select_nth_unstable_by_key(LISTED, |run| Reverse(run.took));
        runs.truncate(LISTED);
    }
    runs.sort_by_key(|run| Reverse(run.took));
    let view = |run: &Ran| SlowRun {
        run: run.run.to_string(),
        namespace: names[run.workflow as usize].namespace.clone(),
        workflow: names[run.workflow as usize].workflow.clone(),
        outcome: crate::wire::outcome_name(run.outcome).to_owned(),
        took_s: seconds(run.took),
        finished_at: rfc3339(run.ended_at),
    };
    runs.into_iter().map(view).collect()
}

fn error_patterns(table: &Table, errors: HashMap<u32, OfPattern>) -> Vec<ErrorPattern> {
    let mut errors: Vec<(u32, OfPattern)> = errors.into_iter().collect();
    errors.sort_by_key(|(pattern, of)| (Reverse(of.count), *pattern));
    let view = |(pattern, of): (u32, OfPattern)| {
        let (pattern, last) = (&table.patterns.values()[pattern as usize], of.last?);
        Some(ErrorPattern {
            pattern: pattern.text.clone(),
            kind: pattern.kind.name().to_owned(),
            count: of.count,
            tasks: of.tasks.len() as u64,
            last_at: rfc3339(last.ended_at),
            last_run: last.run.to_string(),
        })
    };
    errors.into_iter().take(LISTED).filter_map(view).collect()
}

fn retry_figures(retries: [[u64; 2]; NUMBER_MAX as usize]) -> Vec<RetryFigures> {
    let view = |(number, [succeeded, failed]): (u32, [u64; 2])| {
        let success_rate = ratio(succeeded, succeeded + failed)?;
        Some(RetryFigures { attempt: number, succeeded, failed, success_rate })
    };
    (1..).zip(retries).filter_map(view).collect()
}

fn worst_blockers(names: &[Name], blockers: HashMap<(u32, u32), [u64; 2]>) -> Vec<Blocker> {
    let mut blockers: Vec<_> = blockers.into_iter().collect();
    blockers.sort_by_key(|(pair, [_, total])| (Reverse(*total), *pair));
    let view = |((blocker, blocked), [count, total]): ((u32, u32), [u64; 2])| {
        let name = &names[blocker as usize];
        Blocker {
            namespace: name.namespace.clone(),
            workflow: name.workflow.clone(),
            task: name.task.clone(),
            blocked: names[blocked as usize].task.clone(),
            count,
            total_s: seconds(total),
            mean_s: seconds(total) / count as f64,
        }
    };
    blockers.into_iter().take(LISTED).map(view).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_core::{FailureKind, RunId};

    #[test]
    fn percentiles_are_those_of_the_sorted_values() {
        let sorted: Vec<u64> = (1..=1000).map(|value| value * value * 1_000_000).collect();
        let mut shuffled: Vec<u64> = (0..1000).map(|at| sorted[at * 617 % 1000]).collect();
        let found = percentiles(&mut shuffled).unwrap();
        let of = |percent: usize| seconds(sorted[percent * 10 - 1]);
        assert_eq!((found.p50_s, found.p90_s), (of(50), of(90)));
        assert_eq!((found.p95_s, found.p99_s, found.max_s), (of(95), of(99), of(100)));
        assert_eq!(percentiles(&mut []), None);
        let one = percentiles(&mut [2_500_000]).unwrap();
        assert_eq!((one.p50_s, one.p99_s, one.mean_s, one.count), (2.5, 2.5, 2.5, 1));
    }

    /// A table of so many attempts in 50 tasks, all of the last hour, a tenth of them failed.
    fn full(attempts: u64, now: Timestamp) -> Table {
        let mut table = Table::new(attempts as usize);
        let names: Vec<u32> = (0..50).map(|task| table.name("w", &format!("t{task}"))).collect();
        let pattern = table.pattern(FailureKind::Exit, "exit status <n>");
        for n in 0..attempts {
            let random = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
            let failed = random.is_multiple_of(10);
            table.attempts.push(Attempt {
                run: RunId::new(n, 0),
                ended_at: now.0 - random % HOUR,
                ran: random % 10_000_000,
                waited: random % 1_000_000,
                blocked: random % 1000,
                task: names[(random % 50) as usize],
                blocker: names[(random % 49) as usize],
                pattern: if failed { pattern } else { NONE },
                number: 1 + (random % 3) as u16,
                result: if failed { Result::Failed } else { Result::Succeeded },
            });
            if n.is_multiple_of(4) {
                let (took, workflow) = (random % 60_000_000, names[0]);
                let ended_at = now.0 - random % HOUR;
                let outcome = RunOutcome::Succeeded;
                let run = RunId::new(n, 0);
                table.runs.push(Ran { run, ended_at, took, workflow, outcome });
            }
        }
        table
    }

    fn question(now: Timestamp) -> Question {
        Question { namespaces: None, workflow: None, hours: 24, now, rebuilding: false }
    }

    #[test]
    fn figures_are_those_of_the_rows() {
        let now = Timestamp(1_700_000_000_000_000);
        let table = full(4000, now);
        let found = performance(&table, &question(now));
        let window = &found.windows[0];
        assert_eq!(window.attempts_succeeded + window.attempts_failed, 4000);
        assert_eq!((window.runs_succeeded, window.runs_per_hour), (1000, 1000.0));
        let mut times: Vec<u64> = table.attempts.rows().iter().map(|row| row.ran).collect();
        times.sort_unstable();
        let p99 = found.task_time.map(|times| times.p99_s);
        assert_eq!(p99, Some(seconds(times[3959])));

        let found = bottlenecks(&table, &question(now));
        let failed = table.attempts.rows().iter().filter(|row| row.pattern != NONE).count() as u64;
        assert_eq!((found.error_patterns.len(), found.error_patterns[0].count), (1, failed));
        let of_number =
            |number| table.attempts.rows().iter().filter(|row| row.number == number).count() as u64;
        for figures in &found.retries {
            let all = figures.succeeded + figures.failed;
            assert_eq!(all, of_number(figures.attempt as u16), "attempt {}", figures.attempt);
        }
        assert_eq!((found.slowest_tasks.len(), found.blockers.len()), (LISTED, LISTED));
        let means = found.slowest_tasks.iter().map(|task| task.time.mean_s);
        assert!(means.is_sorted_by(|one, next| one >= next));

        let hidden = Question { namespaces: Some(vec!["other".into()]), ..question(now) };
        assert_eq!(performance(&table, &hidden).basis.attempts, 0);
        let later = Timestamp(now.0 + 2 * HOUR);
        let found = performance(&table, &Question { hours: 1, ..question(later) });
        assert_eq!((found.basis.attempts, found.windows[0].attempts_succeeded), (0, 0));
        assert!(found.windows[1].attempts_succeeded > 0, "within four hours");
    }

    #[test]
    #[ignore = "a measurement: cargo test --release -p loom-server --lib -- --ignored --nocapture"]
    fn a_million_attempts_take_less_than_100_ms() {
        let now = Timestamp(1_700_000_000_000_000);
        let table = full(1_000_000, now);
        let median = |ask: &dyn Fn()| {
            let time = || {
                let begun = std::time::Instant::now();
                ask();
                begun.elapsed()
            };
            let mut times: Vec<_> = (0..11).map(|_| time()).collect();
            times.sort_unstable();
            times[5]
        };
        let slow = median(&|| drop(std::hint::black_box(performance(&table, &question(now)))));
        let worst = median(&|| drop(std::hint::black_box(bottlenecks(&table, &question(now)))));
        println!("1,000,000 attempts: performance {slow:.1?}, bottlenecks {worst:.1?}");
        assert!(slow.max(worst).as_millis() < 100, "{slow:?} {worst:?}");
    }
}

//! Where the time goes and what fails: by going over the rows of the [`Table`].

use super::fact::Result;
use super::question::{Question, percentiles, ratio, seconds};
use super::table::{Attempt, NONE, Name, Ran, Table};
use loom_protocol::api::{Blocker, Bottlenecks, ErrorPattern, RetryFigures, SlowRun, TaskFigures};
use loom_protocol::rfc3339;
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

/// How many of each kind are listed.
pub(super) const LISTED: usize = 10;
/// Attempts of this number and above are counted together.
const NUMBER_MAX: u16 = 10;

/// Where the time goes and what fails.
pub(crate) fn bottlenecks(table: &Table, question: &Question) -> Bottlenecks {
    let names = table.names.values();
    let wanted = question.wanted(table);
    let since = question.since(question.hours);
    let mut tasks = vec![OfTask::default(); names.len()];
    let mut errors: HashMap<u32, OfPattern> = HashMap::new();
    let mut retries = [[0_u64; 2]; NUMBER_MAX as usize];
    let mut blockers: HashMap<(u32, u32), [u64; 2]> = HashMap::new();
    let recent = |row: &&Attempt| row.ended_at >= since && wanted[row.task as usize];
    let recent_rows = || table.attempts.rows().iter().filter(recent);
    let mut count = 0;
    for row in recent_rows() {
        count += 1;
        let name = table.name_of(row.task);
        tasks[name as usize].add(row);
        if row.pattern != NONE {
            errors.entry(row.pattern).or_default().add(name, row);
        }
        let place = usize::from(row.number.clamp(1, NUMBER_MAX)) - 1;
        match row.result {
            Result::Succeeded => retries[place][0] += 1,
            Result::Failed => retries[place][1] += 1,
            Result::Interrupted | Result::Cancelled => {}
        }
        if row.blocker != NONE {
            let sums = blockers.entry((table.name_of(row.blocker), name)).or_default();
            sums[0] += 1;
            sums[1] += row.blocked;
        }
    }
    let has_ended = |run: &&Ran| run.ended_at >= since && wanted[run.workflow as usize];
    let runs: Vec<&Ran> = table.runs.rows().iter().filter(has_ended).collect();
    Bottlenecks {
        basis: question.basis(table, count, runs.len()),
        slowest_tasks: slowest_tasks(table, &tasks, recent_rows),
        slowest_runs: slowest_runs(table, &runs),
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
    fn add(&mut self, name: u32, row: &Attempt) {
        self.count += 1;
        self.tasks.insert(name);
        if self.last.is_none_or(|last| last.ended_at <= row.ended_at) {
            self.last = Some(*row);
        }
    }
}

/// `tasks` is by the numbers of names; `rows` are those that it was made of.
fn slowest_tasks<'a, R: Iterator<Item = &'a Attempt>>(
    table: &Table,
    tasks: &[OfTask],
    rows: impl FnOnce() -> R,
) -> Vec<TaskFigures> {
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
    for row in rows() {
        if let Some(times) = times.get_mut(place[table.name_of(row.task) as usize] as usize) {
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

fn slowest_runs(table: &Table, runs: &[&Ran]) -> Vec<SlowRun> {
    let started = runs.iter().filter_map(|run| Some((run.took()?, *run)));
    let mut runs: Vec<(u64, &Ran)> = started.collect();
    if runs.len() > LISTED {
        runs.select_nth_unstable_by_key(LISTED, |(took, _)| Reverse(*took));
        runs.truncate(LISTED);
    }
    runs.sort_by_key(|(took, _)| Reverse(*took));
    let name = |run: &Ran| &table.names.values()[table.name_of(run.workflow) as usize];
    let view = |(took, run): (u64, &Ran)| SlowRun {
        run: run.run.to_string(),
        namespace: name(run).namespace.clone(),
        workflow: name(run).workflow.clone(),
        outcome: crate::wire::outcome_name(run.outcome).to_owned(),
        took_s: seconds(took),
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

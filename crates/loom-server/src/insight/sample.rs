//! A table full of made-up attempts, for tests and for the bench of analytics.

use super::bottlenecks::bottlenecks;
use super::fact::Result;
use super::performance::performance;
use super::question::{HOUR, Question};
use super::table::{Attempt, NONE, Ran, Table};
use loom_core::{FailureKind, RunId, RunOutcome, Timestamp};
use loom_protocol::api::{Bottlenecks, Performance};

const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

/// What analytics are asked of in `benches/analytics.rs`.
#[doc(hidden)]
pub struct Sample(Table);

impl Sample {
    /// Of so many attempts.
    pub fn new(attempts: u64) -> Self {
        Self(full(attempts, NOW))
    }

    /// Asks how much was done.
    pub fn performance(&self) -> Performance {
        performance(&self.0, &question(NOW))
    }

    /// Asks where the time goes.
    pub fn bottlenecks(&self) -> Bottlenecks {
        bottlenecks(&self.0, &question(NOW))
    }
}

fn question(now: Timestamp) -> Question {
    Question { namespaces: None, workflow: None, version: None, hours: 24, now, rebuilding: false }
}

/// A table of so many attempts in 50 tasks of two versions, all of the last hour, a tenth of them
/// failed.
fn full(attempts: u64, now: Timestamp) -> Table {
    let mut table = Table::new(attempts as usize);
    let mut of = |version: &str| -> Vec<u32> {
        (0..50).map(|task| table.place("w", version, &format!("t{task}"))).collect()
    };
    let versions = [of("1.0.0"), of("2.0.0")];
    let pattern = table.pattern(FailureKind::Exit, "exit status <n>");
    for n in 0..attempts {
        let random = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let failed = random.is_multiple_of(10);
        let places = &versions[(n / 4 % 2) as usize];
        table.attempts.push(Attempt {
            run: RunId::new(n, 0),
            ended_at: now.0 - random % HOUR,
            ran: random % 10_000_000,
            waited: random % 1_000_000,
            blocked: random % 1000,
            task: places[(random % 50) as usize],
            blocker: places[(random % 49) as usize],
            pattern: if failed { pattern } else { NONE },
            number: 1 + (random % 3) as u16,
            result: if failed { Result::Failed } else { Result::Succeeded },
        });
        if n.is_multiple_of(4) {
            let (took, workflow) = (random % 60_000_000, places[0]);
            let ended_at = now.0 - random % HOUR;
            let outcome = RunOutcome::Succeeded;
            let run = RunId::new(n, 0);
            table.runs.push(Ran { run, ended_at, took, seq: 1, workflow, outcome });
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::bottlenecks::LISTED;
    use super::super::question::seconds;
    use super::*;

    #[test]
    fn figures_are_those_of_the_rows() {
        let now = NOW;
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
        let newer = Question { version: Some("2.0.0".into()), ..question(now) };
        let found = performance(&table, &newer);
        assert_eq!((found.basis.attempts, found.basis.runs), (2000, 500));
        let found = bottlenecks(&table, &newer);
        let slowest = &found.slowest_tasks[0];
        let at = |row: &&Attempt| {
            let name = &table.names.values()[table.name_of(row.task) as usize];
            let place = &table.places.values()[row.task as usize];
            name.task == slowest.task && place.version == "2.0.0"
        };
        assert_eq!(table.attempts.rows().iter().filter(at).count() as u64, slowest.time.count);
        let later = Timestamp(now.0 + 2 * HOUR);
        let found = performance(&table, &Question { hours: 1, ..question(later) });
        assert_eq!((found.basis.attempts, found.windows[0].attempts_succeeded), (0, 0));
        assert!(found.windows[1].attempts_succeeded > 0, "within four hours");
    }
}

//! Pretended processes, which outlive the engine that started them.

use crate::ledger::Ledger;
use crate::store::Faults;
use loom_core::{Attempt, AttemptKey, News, RunId, Stop, TaskKind};
use loom_engine::{Carried, Executor, Started};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// Attempts under way on the simulated machine.
#[derive(Default)]
pub(crate) struct Machine {
    /// Attempts whose process runs.
    pub(crate) running: Vec<Attempt>,
    /// Attempts that wait for a worker of their run.
    held: Vec<Attempt>,
    /// News that the engine has not been told yet.
    pub(crate) news: Vec<(AttemptKey, News)>,
    /// Runs whose attempts the engine has started, and that it has not let go of.
    pub(crate) kept: BTreeSet<RunId>,
}

impl Machine {
    /// The engine's process is gone: what it held back is forgotten, what ran goes on running, and
    /// nobody hears of it.
    pub(crate) fn lose_engine(&mut self) {
        self.held.clear();
        self.news.clear();
        self.kept.clear();
    }

    /// A process ends. Its worker goes on with the next attempt that is held.
    pub(crate) fn finish(&mut self, place: usize, news: News, now: u64, ledger: &mut Ledger) {
        let attempt = self.running.remove(place);
        ledger.ended(&attempt, &news);
        self.news.push((attempt.key, news));
        self.begin_held(attempt.key.run, now, ledger);
    }

    fn begin_held(&mut self, run: RunId, now: u64, ledger: &mut Ledger) {
        while let Some(place) = self.held.iter().position(|held| held.key.run == run) {
            let working = self.working(run);
            if working >= self.held[place].lane_width as usize {
                return;
            }
            let attempt = self.held.remove(place);
            self.news.push((attempt.key, News::Began(loom_core::Timestamp(now))));
            ledger.began(&attempt);
            self.running.push(attempt);
        }
    }

    fn working(&self, run: RunId) -> usize {
        let works =
            |attempt: &&Attempt| attempt.key.run == run && attempt.task().kind == TaskKind::Work;
        self.running.iter().filter(works).count()
    }
}

pub(crate) struct SimExecutor {
    pub(crate) faults: Arc<Mutex<Faults>>,
    pub(crate) machine: Arc<Mutex<Machine>>,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    pub(crate) now: Arc<Mutex<u64>>,
}

impl Executor for SimExecutor {
    fn start(&mut self, attempt: Attempt, _carried: &Carried) -> Started {
        let mut machine = self.machine.lock().expect("simulation has one thread");
        let mut ledger = self.ledger.lock().expect("simulation has one thread");
        ledger.dispatched(&attempt);
        machine.kept.insert(attempt.key.run);
        if attempt.held {
            let run = attempt.key.run;
            machine.held.push(attempt);
            let now = *self.now.lock().expect("simulation has one thread");
            machine.begin_held(run, now, &mut ledger);
            return Started::Running;
        }
        ledger.began(&attempt);
        if attempt.task().kind != TaskKind::Work {
            let outputs = Ledger::outputs(&attempt, u64::MAX);
            let news = News::Succeeded(outputs);
            ledger.ended(&attempt, &news);
            return Started::Finished(news);
        }
        machine.running.push(attempt);
        Started::Running
    }

    fn stop(&mut self, key: AttemptKey, _: Stop) {
        let mut machine = self.machine.lock().expect("simulation has one thread");
        let mut ledger = self.ledger.lock().expect("simulation has one thread");
        let now = *self.now.lock().expect("simulation has one thread");
        if let Some(place) = machine.running.iter().position(|attempt| attempt.key == key) {
            machine.finish(place, News::Stopped, now, &mut ledger);
        } else {
            recall(&mut machine, key);
        }
    }

    fn recall(&mut self, key: AttemptKey) {
        recall(&mut self.machine.lock().expect("simulation has one thread"), key);
    }

    fn forget(&mut self, run: RunId) {
        let mut machine = self.machine.lock().expect("simulation has one thread");
        let mine = |attempt: &Attempt| attempt.key.run == run;
        assert!(!machine.held.iter().any(mine), "{run} is let go of while an attempt is held");
        machine.kept.remove(&run);
    }

    fn end_leftovers(&mut self, runs: &[RunId]) -> Vec<(RunId, String)> {
        let mut machine = self.machine.lock().expect("simulation has one thread");
        let mut ledger = self.ledger.lock().expect("simulation has one thread");
        let mut faults = self.faults.lock().expect("simulation has one thread");
        let (stuck, clear): (Vec<RunId>, Vec<RunId>) = runs.iter().partition(|_| faults.hits());
        machine.running.retain(|attempt| {
            let left_over = clear.contains(&attempt.key.run);
            if left_over {
                ledger.ended(attempt, &News::Stopped);
            }
            !left_over
        });
        stuck.into_iter().map(|run| (run, "simulated".to_owned())).collect()
    }
}

fn recall(machine: &mut Machine, key: AttemptKey) {
    if let Some(place) = machine.held.iter().position(|held| held.key == key) {
        machine.held.remove(place);
        machine.news.push((key, News::Stopped));
    }
}

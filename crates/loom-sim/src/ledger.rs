//! The watcher: knows what is durable and what processes do, and panics when a promise is broken.

use loom_core::{Attempt, AttemptKey, Event, News, Output, RunId, TaskRef, Value};
use loom_engine::Observer;
use loom_store::{RunCommit, StoreError};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex};

#[derive(Default)]
pub(crate) struct Ledger {
    /// The number of the last durable event.
    durable: HashMap<RunId, u64>,
    /// Attempts whose hand-over is durable.
    handed_over: HashSet<AttemptKey>,
    /// Tasks whose success is durable.
    succeeded: HashSet<(RunId, TaskRef)>,
    /// Variables that are durable, with every value they had.
    variables: HashMap<(RunId, String), Vec<Value>>,
    /// Attempts whose process runs.
    running: HashMap<(RunId, TaskRef), u32>,
    /// What each attempt's process emitted, if it succeeded.
    emitted: HashMap<AttemptKey, Vec<Output>>,
    /// Runs that an engine let go of because they cannot be read.
    pub(crate) lost: BTreeSet<RunId>,
    /// How many processes began.
    pub(crate) began: u64,
    pub(crate) commits: u64,
}

/// Enters into the ledger what an engine says.
pub(crate) struct Clerk(pub(crate) Arc<Mutex<Ledger>>);

impl Observer for Clerk {
    fn committed(&mut self, _: &[RunCommit]) {}

    fn lost(&mut self, run: RunId, error: &StoreError) {
        assert!(matches!(error, StoreError::Corrupt(_)), "{run} is let go of for {error}");
        self.0.lock().expect("simulation has one thread").lost.insert(run);
    }
}

impl Ledger {
    pub(crate) fn committed(&mut self, commits: &[RunCommit]) {
        self.commits += 1;
        for commit in commits {
            let last = self.durable.entry(commit.run).or_default();
            assert_eq!(commit.first_seq, *last + 1, "a gap in the journal of {}", commit.run);
            *last += commit.events.len() as u64;
            if let Some(new) = &commit.new {
                for variable in new.variables.iter() {
                    self.set(commit.run, &variable.name, &variable.value);
                }
            }
            commit.events.iter().for_each(|event| self.recorded(commit.run, event));
        }
    }

    fn recorded(&mut self, run: RunId, event: &Event) {
        match event {
            Event::Assigned { task, attempt, .. } | Event::Started { task, attempt, .. } => {
                self.handed_over.insert(AttemptKey { run, task: *task, attempt: *attempt });
            }
            Event::Succeeded { task, attempt, outputs, .. } => {
                assert!(self.succeeded.insert((run, *task)), "{task:?} succeeded twice");
                let key = AttemptKey { run, task: *task, attempt: *attempt };
                let emitted = self.emitted.get(&key).expect("only a process can succeed");
                let emitted = emitted.iter().map(|output| (&output.name, &output.value));
                let recorded = outputs.iter().map(|output| (&output.name, &output.value));
                assert!(emitted.eq(recorded), "outputs of {key:?} are not as emitted");
                for output in outputs {
                    self.set(run, &output.name, &output.value);
                }
            }
            Event::Amended { inputs, .. } => {
                inputs.iter().for_each(|input| self.set(run, &input.name, &input.value));
            }
            Event::Skipped { task, .. } => {
                let runs = self.running.contains_key(&(run, *task));
                assert!(!runs, "{task:?} is skipped while it runs");
            }
            _ => {}
        }
    }

    fn set(&mut self, run: RunId, name: &str, value: &Value) {
        self.variables.entry((run, name.to_owned())).or_default().push(value.clone());
    }

    /// The engine hands an attempt over.
    pub(crate) fn dispatched(&mut self, attempt: &Attempt) {
        let key = attempt.key;
        assert!(self.handed_over.contains(&key), "{key:?} was started before that was durable");
        let whole = attempt.task().for_each.is_some();
        for input in attempt.inputs.iter().filter(|input| input.name != "TRUE" && !whole) {
            let values = self.variables.get(&(key.run, input.name.clone()));
            // A list that was gathered from items is durable with its items.
            let gathered = input.value.is_array();
            assert!(
                gathered || values.is_some_and(|values| values.contains(&input.value)),
                "{key:?} sees {}={} which is not durable",
                input.name,
                input.value
            );
        }
    }

    /// A process begins.
    pub(crate) fn began(&mut self, attempt: &Attempt) {
        let key = attempt.key;
        self.began += 1;
        assert!(!self.succeeded.contains(&(key.run, key.task)), "{key:?} had succeeded before");
        let before = self.running.insert((key.run, key.task), key.attempt);
        assert_eq!(before, None, "two attempts of {:?} overlap", key.task);
    }

    /// A process ends.
    pub(crate) fn ended(&mut self, attempt: &Attempt, news: &News) {
        let key = attempt.key;
        assert_eq!(self.running.remove(&(key.run, key.task)), Some(key.attempt));
        if let News::Succeeded(outputs) = news {
            self.emitted.insert(key, outputs.clone());
        }
    }

    /// What a successful process emits, the same whenever it is asked: its declared outputs (of
    /// optional ones those in `mask`), with values that name the attempt.
    pub(crate) fn outputs(attempt: &Attempt, mask: u64) -> Vec<Output> {
        let names = attempt.task().outputs.names.iter().enumerate();
        let emitted = names.filter(|(nth, output)| !output.optional || mask >> nth & 1 == 1);
        let key = attempt.key;
        let item = key.task.item.map_or_else(String::new, |item| format!(".{item}"));
        let value = format!("{}{item}#{}", attempt.task().name, key.attempt);
        emitted
            .map(|(_, output)| Output {
                name: output.name.clone(),
                value: Value::from(value.as_str()),
                declared: true,
                secret: false,
            })
            .collect()
    }

    /// Whether this run's creation is durable.
    pub(crate) fn knows(&self, run: RunId) -> bool {
        self.durable.contains_key(&run)
    }

    pub(crate) fn assert_nothing_runs(&self) {
        assert!(self.running.is_empty(), "processes were left behind: {:?}", self.running);
    }
}

//! `kill -9` at random moments, again and again, until the run has ended.

use super::workload::{Act, ITEMS, Record, TASKS, Task, records, seen, site, tasks};
use crate::harness::Loom;
use crate::watch::{Next, Random, Watched};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// The fewest kills that count as a proof.
const KILLS_LEAST: usize = 50;
/// After so many the run may go on to its end.
const KILLS_MOST: usize = 250;

/// What the processes said, all together.
#[derive(Default)]
struct Heard {
    /// Each event by its number.
    events: BTreeMap<u64, Value>,
    /// The attempt that succeeded, by task and item.
    succeeded: BTreeMap<String, u64>,
    /// How many events were known at each kill.
    kills: Vec<u64>,
}

impl Heard {
    fn last_seq(&self) -> u64 {
        self.events.last_key_value().map_or(0, |(seq, _)| *seq)
    }

    fn hear(&mut self, line: &str) {
        // A line that was cut off by the kill says nothing.
        let Ok(event) = serde_json::from_str::<Value>(line) else { return };
        let Some(seq) = event["seq"].as_u64() else { return };
        if event["type"] == "task.succeeded" {
            self.succeeded.insert(key_of(&event), event["attempt"].as_u64().unwrap());
        }
        let known = self.events.entry(seq).or_insert_with(|| event.clone());
        assert_eq!(*known, event, "what was told is not what is recorded");
    }
}

fn key_of(event: &Value) -> String {
    let task = event["task"].as_str().unwrap();
    match event["item"].as_u64() {
        Some(item) => format!("{task}.{item}"),
        None => task.to_owned(),
    }
}

/// When the next kill comes: after a time, and not before so many more successes are known.
struct Moment {
    successes: usize,
    wait: Duration,
}

impl Moment {
    fn next(random: &mut Random) -> Self {
        if random.below(6) == 0 {
            // While it is still opening the store or ending leftovers.
            return Self { successes: 0, wait: Duration::from_micros(random.below(40_000)) };
        }
        let successes = random.below(3) as usize;
        Self { successes, wait: Duration::from_micros(random.below(15_000)) }
    }

    /// Waits for the moment; false if the process ended first.
    fn wait(&self, process: &mut Watched, heard: &mut Heard) -> bool {
        let enough = heard.succeeded.len() + self.successes;
        let mut until = (self.successes == 0).then(|| Instant::now() + self.wait);
        loop {
            let patience = until.map_or(Duration::from_mins(1), |until| {
                until.saturating_duration_since(Instant::now())
            });
            match process.next(patience) {
                Next::Line(line) => heard.hear(&line),
                Next::Silence => return true,
                Next::End => return false,
            }
            if until.is_none() && heard.succeeded.len() >= enough {
                until = Some(Instant::now() + self.wait);
            }
        }
    }
}

/// Runs it to its end through all the kills; returns the run's identity.
fn torture(site: &Loom, random: &mut Random, heard: &mut Heard) -> String {
    let mut run = None;
    loop {
        if run.is_none() {
            run = accepted(site);
        }
        let mut process = match &run {
            None => Watched::start(site, &["run", "w.yaml", "--json"]),
            Some(run) => Watched::start(site, &["resume", run, "--json"]),
        };
        if heard.kills.len() < KILLS_MOST && Moment::next(random).wait(&mut process, heard) {
            heard.kills.push(heard.last_seq());
            for line in process.kill().out.lines() {
                heard.hear(line);
            }
            continue;
        }
        let said = process.end();
        for line in said.out.lines() {
            heard.hear(line);
        }
        if said.code != 0 {
            // The last kill came between the record of the run's end and the process's.
            said.exits(2).warns("error[L603]").warns("which has succeeded");
        }
        return run.expect("nothing ends before the first kill");
    }
}

/// The run, if the process that was killed had come to recording it.
fn accepted(site: &Loom) -> Option<String> {
    let runs = site.loom(&["list", "--json"]).exits(0).json();
    assert!(runs.len() <= 1, "{runs:?}");
    runs.first().map(|run| run["id"].as_str().unwrap().to_owned())
}

/// What the store says in the end: by task and item the attempt that succeeded.
fn successes(shown: &Value) -> BTreeMap<String, u64> {
    let mut successes = BTreeMap::new();
    for task in shown["tasks"].as_array().unwrap() {
        assert_eq!(task["phase"], "succeeded", "{task}");
        let mut numbers = BTreeSet::new();
        for attempt in task["attempts"].as_array().unwrap() {
            let mut of = attempt.clone();
            of["task"] = task["name"].clone();
            let (key, number) = (key_of(&of), attempt["attempt"].as_u64().unwrap());
            assert!(numbers.insert((key.clone(), number)), "{task}");
            match attempt["result"].as_str().unwrap() {
                "succeeded" => assert_eq!(successes.insert(key, number), None, "{task}"),
                result => assert_eq!(result, "interrupted", "{task}"),
            }
        }
    }
    successes
}

/// No success ran twice or goes back on what was told; each ran to its end, once.
fn check_attempts(records: &[Record], heard: &Heard, successes: &BTreeMap<String, u64>) {
    for (key, attempt) in &heard.succeeded {
        assert_eq!(successes.get(key), Some(attempt), "{key}: a recorded success was lost");
    }
    let mut begun: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    let mut ended: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for record in records {
        let success = successes[&record.key];
        assert!(record.attempt <= success, "ran again after it had succeeded: {record:?}");
        match record.act {
            Act::Start => {
                let last = begun.entry(&record.key).or_default();
                assert!(last.iter().all(|&last| last < record.attempt), "out of order: {record:?}");
                last.insert(record.attempt);
            }
            Act::End => ended.entry(&record.key).or_default().push(record.attempt),
        }
    }
    for (key, success) in successes {
        assert_eq!(ended[key.as_str()].iter().filter(|&end| end == success).count(), 1, "{key}");
    }
}

/// Between the first record of an attempt and its last, no other attempt of the task did anything.
fn check_overlaps(records: &[Record]) {
    let mut last: BTreeMap<&str, (u64, f64)> = BTreeMap::new();
    for record in records {
        let now = (record.attempt, record.uptime);
        let before = last.insert(&record.key, now).unwrap_or_default();
        assert!(before <= now, "an older attempt was alive: {record:?} after {before:?}");
    }
}

/// Every variable is what the attempt that succeeded emitted, and every attempt of a dependent, the
/// ones that were cut off included, saw just that.
fn check_variables(
    tasks: &[Task],
    records: &[Record],
    successes: &BTreeMap<String, u64>,
    shown: &Value,
) {
    let emitted: BTreeMap<&str, &str> = records
        .iter()
        .filter(|record| record.act == Act::End && record.attempt == successes[&record.key])
        .map(|record| (record.key.as_str(), record.text.as_str()))
        .collect();
    let variables: BTreeMap<&str, &Value> = shown["variables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|variable| (variable["name"].as_str().unwrap(), &variable["value"]))
        .collect();
    for Task { name, output, each, .. } in tasks {
        let Some(output) = output else { continue };
        let expected = if *each {
            let keys = (0..ITEMS).map(|item| format!("{name}.{item}"));
            keys.map(|key| emitted[key.as_str()]).collect()
        } else {
            Value::from(emitted[name.as_str()])
        };
        assert_eq!(*variables[output.as_str()], expected, "{output}");
    }
    for record in records.iter().filter(|record| record.act == Act::Start) {
        let task = record.key.split('.').next().unwrap();
        let task = tasks.iter().find(|one| one.name == task).unwrap();
        let seen = seen(&record.text);
        for input in task.inputs.iter().filter(|input| !input.starts_with("LIST")) {
            assert_eq!(
                Some(seen[input.as_str()]),
                variables[input.as_str()].as_str(),
                "{record:?}"
            );
        }
    }
}

/// The kills were at all stages of the run, and some tasks had attempts that were cut off.
fn check_kills(heard: &Heard, successes: &BTreeMap<String, u64>) {
    assert!(heard.kills.len() >= KILLS_LEAST, "only {} kills", heard.kills.len());
    let events = heard.last_seq();
    // The kills are at random moments: of so many some fall into each quarter of the run, while a
    // smaller part may go free by chance.
    for quarter in 0..4 {
        let stage = events * quarter / 4..events * (quarter + 1) / 4;
        assert!(heard.kills.iter().any(|at| stage.contains(at)), "{stage:?} of {:?}", heard.kills);
    }
    assert!(successes.values().any(|&attempt| attempt > 1));
}

#[test]
fn a_run_survives_being_killed_at_any_moment() {
    let mut random = Random::from_seed();
    let tasks = tasks(&mut random);
    assert_eq!(tasks.len(), TASKS);
    let site = site(&tasks);
    let mut heard = Heard::default();
    let begun = Instant::now();
    let run = torture(&site, &mut random, &mut heard);
    let shown = site.loom(&["show", &run, "--json"]).exits(0).json().remove(0);
    assert_eq!(shown["state"], "succeeded");
    let (records, successes) = (records(&site), successes(&shown));
    println!(
        "{} kills in {:?}, {} attempts began for {} successes",
        heard.kills.len(),
        begun.elapsed(),
        records.iter().filter(|record| record.act == Act::Start).count(),
        successes.len()
    );
    assert_eq!(successes.len(), TASKS - 4 + 4 * ITEMS);
    check_attempts(&records, &heard, &successes);
    check_overlaps(&records);
    check_variables(&tasks, &records, &successes, &shown);
    check_kills(&heard, &successes);
}

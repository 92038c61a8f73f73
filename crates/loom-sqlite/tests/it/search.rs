//! Searches of many runs, where it matters which index is read in which order, against the reference
//! model, which looks at every run.

use crate::open;
use crate::random::Random;
use loom_core::{Event, RunId, RunState};
use loom_store::conformance::samples::{at, creates, definition, ended, new_run};
use loom_store::{
    MemoryStore, NewRun, QueryStore, RunCommit, RunCursor, RunFilter, RunMeta, RunSort, RunStore,
    RunSummary, TimeRange,
};
use std::sync::Arc;

/// More than a search is willing to sort, in each of some parts.
const RUNS: u64 = 9_000;

fn run(n: u64, random: &mut Random) -> RunCommit {
    let workflow = *random.pick(&["common", "common", "common", "other"]);
    let mut definition = definition(if n.is_multiple_of(1000) { "rare" } else { workflow });
    definition.namespace = random.pick(&["a", "a", "b"]).to_string();
    let created_at = at(n / 10);
    let meta = if random.below(2) == 0 {
        RunMeta::default()
    } else {
        RunMeta {
            tags: ["half".into(), format!("t{}", random.below(900))].into(),
            annotations: [("key".into(), random.below(4).to_string())].into(),
            initiator: random.pick(&["one", "two"]).to_string(),
            correlation_id: format!("c{}", random.below(5000)),
            ..RunMeta::default()
        }
    };
    let id = RunId::new(created_at.as_millis(), random.next().into());
    let new = NewRun { created_at, meta: Arc::new(meta), ..new_run(definition) };
    match random.below(8) {
        0 => creates(id, new),
        1 => RunCommit {
            events: vec![Event::RunStarted { at: created_at }],
            state: RunState::Running,
            ..creates(id, new)
        },
        // Several end in the same moment.
        _ => ended(id, new, n / 10 + random.below(20)),
    }
}

fn word(random: &mut Random, words: &[&str]) -> String {
    random.pick(words).to_string()
}

fn filter(random: &mut Random) -> RunFilter {
    let some = |text: &str| Some(text.to_owned());
    let mut filter = RunFilter { limit: 1 + random.below(60) as usize, ..RunFilter::default() };
    filter.sort = *random.pick(&[
        RunSort::CreatedDesc,
        RunSort::CreatedAsc,
        RunSort::FinishedDesc,
        RunSort::FinishedAsc,
    ]);
    for _ in 0..random.below(4) {
        let from = random.below(RUNS / 10);
        let length = *random.pick(&[20, RUNS]);
        let until = from + random.below(length);
        let range = TimeRange {
            from: (random.below(3) > 0).then(|| at(from)),
            until: (random.below(3) > 0).then(|| at(until)),
        };
        match random.below(12) {
            0 => filter.states = vec![*random.pick(&RunState::ALL)],
            1 => filter.states = vec![RunState::Running, RunState::Succeeded],
            2 => filter.namespaces = Some(vec!["a".into()]),
            3 => filter.workflow = Some(word(random, &["common", "rare"])),
            4 => filter.tags.push("half".into()),
            5 => filter.tags.push(format!("t{}", random.below(900))),
            6 => filter.annotations.push(("key".into(), some(&random.below(4).to_string()))),
            7 => filter.annotations.push(("key".into(), None)),
            8 => filter.initiator = some("two"),
            9 => filter.created = range,
            10 => filter.finished = range,
            _ => filter.text = Some(word(random, &["RARE", "two", "c1", "t77"])),
        }
    }
    filter
}

#[test]
fn searches_of_many_runs_answer_as_the_model_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder.path().join("loom.db"));
    let mut model = MemoryStore::new();
    let mut random = Random(7);
    let runs: Vec<RunCommit> = (0..RUNS).map(|n| run(n, &mut random)).collect();
    model.commit(&runs).unwrap();
    store.commit(&runs).unwrap();
    let (mut pages, mut empty) = (0, 0);
    for _ in 0..80 {
        let mut filter = filter(&mut random);
        assert_eq!(store.counts(&filter).unwrap(), model.counts(&filter).unwrap(), "{filter:?}");
        for _ in 0..2 {
            let (got, expected) = (store.list(&filter).unwrap(), model.list(&filter).unwrap());
            let ids = |runs: &[RunSummary]| runs.iter().map(|run| run.id).collect::<Vec<_>>();
            assert_eq!(ids(&got.runs), ids(&expected.runs), "{filter:?}");
            assert_eq!((&got.runs, got.more), (&expected.runs, expected.more), "{filter:?}");
            pages += 1;
            empty += usize::from(got.runs.is_empty());
            match got.runs.last() {
                Some(last) if got.more => filter.after = Some(last.cursor()),
                _ => {
                    // From somewhere in the middle.
                    let some = random.pick(&runs);
                    let at = (random.below(2) == 0).then(|| at(random.below(RUNS / 10)));
                    filter.after = Some(RunCursor { at, run: some.run });
                }
            }
        }
    }
    assert!(empty * 3 < pages, "{empty} of {pages} pages were empty");
    assert_eq!(store.namespaces().unwrap(), model.namespaces().unwrap());
}

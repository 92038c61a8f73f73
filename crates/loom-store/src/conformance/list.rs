//! Lists of runs.

use super::Fixture;
use super::samples::{
    at, becomes, created, creates, definition, ended, full_meta, new_run, run_id,
};
use crate::search::KEYS_LOOKED_AT;
use crate::{
    KeyFilter, NewRun, QueryStore, RunCursor, RunFilter, RunMeta, RunSort, RunStore, RunSummary,
    TimeRange, UpkeepStore,
};
use loom_core::{Event, RunId, RunOutcome, RunState};
use std::collections::BTreeMap;
use std::sync::Arc;

fn ids(store: &mut impl QueryStore, filter: &RunFilter) -> Vec<RunId> {
    store.list(filter).unwrap().runs.into_iter().map(|run| run.id).collect()
}

/// Pages lead from the youngest to the oldest, each starting behind the one before.
pub fn is_youngest_first_in_pages(fixture: &impl Fixture) {
    let mut store = fixture.session();
    for n in [3, 1, 5, 2, 4, 0, 6] {
        store.commit(&[created(run_id(n))]).unwrap();
    }
    let expected: Vec<RunId> = (0..7).rev().map(run_id).collect();
    for limit in [1, 3, 6, 7, 8] {
        let mut filter = RunFilter { limit, ..RunFilter::default() };
        let mut read = Vec::new();
        loop {
            let page = store.list(&filter).unwrap();
            assert!(page.runs.len() <= limit);
            read.extend(page.runs.iter().map(|run| run.id));
            if !page.more {
                break;
            }
            filter.after = page.runs.last().map(RunSummary::cursor);
        }
        assert_eq!(read, expected, "in pages of {limit}");
    }
}

/// Filters hold together, also with paging.
pub fn is_filtered_by_state_workflow_and_namespace(fixture: &impl Fixture) {
    let mut store = fixture.session();
    for n in 0..12 {
        let mut definition = definition(if n % 2 == 0 { "even" } else { "odd" });
        definition.namespace = if n < 6 { "low".into() } else { "high".into() };
        store.commit(&[creates(run_id(n), new_run(definition))]).unwrap();
        if n % 3 == 0 {
            let started = Event::RunStarted { at: at(1) };
            store.commit(&[becomes(run_id(n), 1, started, RunState::Running)]).unwrap();
        }
    }
    let all = RunFilter::default();
    let workflow = Some("even".to_owned());
    let namespaces = Some(vec!["high".to_owned(), "higher".to_owned()]);
    let states = vec![RunState::Running];
    let behind = |n| Some(RunCursor { at: None, run: run_id(n) });
    let cases = [
        (RunFilter { workflow: workflow.clone(), ..all.clone() }, vec![10, 8, 6, 4, 2, 0]),
        (RunFilter { namespaces: namespaces.clone(), ..all.clone() }, vec![11, 10, 9, 8, 7, 6]),
        (RunFilter { states: states.clone(), ..all.clone() }, vec![9, 6, 3, 0]),
        (
            RunFilter { states: states.clone(), workflow: workflow.clone(), ..all.clone() },
            vec![6, 0],
        ),
        (RunFilter { states: states.clone(), workflow, namespaces, ..all.clone() }, vec![6]),
        (RunFilter { states: states.clone(), after: behind(9), ..all.clone() }, vec![6, 3, 0]),
        (RunFilter { states, after: behind(8), limit: 2, ..all.clone() }, vec![6, 3]),
        (RunFilter { states: vec![RunState::Failed], ..all.clone() }, vec![]),
        (RunFilter { workflow: Some("Even".into()), ..all }, vec![]),
    ];
    for (filter, expected) in cases {
        let expected: Vec<RunId> = expected.into_iter().map(run_id).collect();
        assert_eq!(ids(&mut store, &filter), expected, "{filter:?}");
    }
}

/// A run is listed under the state it is in, and no other.
pub fn follows_changes_of_state(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    store.commit(&[created(run)]).unwrap();
    let finished = |outcome| Event::RunFinished { at: at(2), outcome };
    let life = [
        (Event::RunStarted { at: at(1) }, RunState::Running),
        (Event::RunPaused { at: at(1), by: "somebody".into() }, RunState::Paused),
        (Event::RunResumed { at: at(1), by: "somebody".into() }, RunState::Running),
        (finished(RunOutcome::Failed), RunState::Failed),
        (Event::RunReopened { at: at(3), by: "b".into(), tasks: vec![] }, RunState::Running),
        (finished(RunOutcome::Cancelled), RunState::Cancelled),
    ];
    for (seq, (event, state)) in (1..).zip(life) {
        store.claim(run).unwrap();
        store.commit(&[becomes(run, seq, event, state)]).unwrap();
        for listed in RunState::ALL {
            let filter = RunFilter { states: vec![listed], ..RunFilter::default() };
            assert_eq!(ids(&mut store, &filter).len(), usize::from(listed == state), "{listed}");
        }
    }
}

/// Without a limit there are at most 1,000.
pub fn has_a_limit_of_its_own(fixture: &impl Fixture) {
    let mut store = fixture.session();
    store.commit(&(0..1001).map(|n| created(run_id(n))).collect::<Vec<_>>()).unwrap();
    let page = store.list(&RunFilter::default()).unwrap();
    assert_eq!((page.runs.len(), page.more), (1000, true));
    let page = store.list(&RunFilter { limit: 1001, ..RunFilter::default() }).unwrap();
    assert_eq!((page.runs.len(), page.more), (1001, false));
}

/// A run about which much is said, and one about which something else is.
fn said(fixture: &impl Fixture) -> impl QueryStore {
    let mut store = fixture.session();
    let other = RunMeta {
        tags: ["nightly".into(), "other".into()].into(),
        annotations: [("team".into(), "web".into())].into(),
        initiator: "else".into(),
        ..RunMeta::default()
    };
    for (n, meta) in [(0, RunMeta::default()), (1, full_meta()), (2, other)] {
        let mut definition = definition("sample");
        definition.version = format!("{n}.0.0");
        let new = NewRun { meta: Arc::new(meta), ..new_run(definition) };
        let created_at = at(n * 10);
        let id = RunId::new(created_at.as_millis(), u128::from(n));
        store.commit(&[ended(id, NewRun { created_at, ..new }, n * 10 + 5)]).unwrap();
    }
    store
}

/// The last digit of the found runs' identities, which is the number of the run.
fn numbers(store: &mut impl QueryStore, filter: &RunFilter) -> Vec<u8> {
    ids(store, filter).into_iter().map(|run| run.to_bytes()[15]).collect()
}

/// Each condition lets through what meets it, and nothing else.
pub fn is_filtered_by_each_condition(fixture: &impl Fixture) {
    let mut store = said(fixture);
    let all = RunFilter::default();
    let tags = |tags: &[&str]| RunFilter {
        tags: tags.iter().map(ToString::to_string).collect(),
        ..RunFilter::default()
    };
    let annotations = |pairs: &[(&str, Option<&str>)]| RunFilter {
        annotations: pairs
            .iter()
            .map(|(key, value)| ((*key).into(), value.map(Into::into)))
            .collect(),
        ..RunFilter::default()
    };
    let range = |from: Option<u64>, until: Option<u64>| TimeRange {
        from: from.map(at),
        until: until.map(at),
    };
    let created = |range| RunFilter { created: range, ..RunFilter::default() };
    let finished = |range| RunFilter { finished: range, ..RunFilter::default() };
    let cases = [
        (all.clone(), vec![2, 1, 0]),
        (RunFilter { version: Some("1.0.0".into()), ..all.clone() }, vec![1]),
        (RunFilter { namespaces: Some(vec![]), ..all.clone() }, vec![]),
        (RunFilter { namespaces: Some(vec!["other".into()]), ..all.clone() }, vec![]),
        (RunFilter { initiator: Some("somebody@example.org".into()), ..all.clone() }, vec![1]),
        (RunFilter { initiator: Some(String::new()), ..all.clone() }, vec![0]),
        (RunFilter { source: Some("schedule".into()), ..all.clone() }, vec![1]),
        (RunFilter { source: Some(String::new()), ..all.clone() }, vec![2, 0]),
        (RunFilter { correlation_id: Some("c-1".into()), ..all.clone() }, vec![1]),
        (RunFilter { correlation_id: Some("C-1".into()), ..all.clone() }, vec![]),
        (RunFilter { external: Some("airflow".into()), ..all.clone() }, vec![1]),
        (RunFilter { external: Some("schedule".into()), ..all.clone() }, vec![]),
        (RunFilter { states: vec![RunState::Failed, RunState::Succeeded], ..all }, vec![2, 1, 0]),
        (tags(&["nightly"]), vec![2, 1]),
        (tags(&["nightly", "other"]), vec![2]),
        (tags(&["night"]), vec![]),
        (annotations(&[("team", None)]), vec![2, 1]),
        (annotations(&[("team", Some("data"))]), vec![1]),
        (annotations(&[("team", Some("data")), ("order", None)]), vec![1]),
        (annotations(&[("team", Some("web")), ("order", None)]), vec![]),
        (annotations(&[("data", None)]), vec![]),
        (created(range(Some(10), None)), vec![2, 1]),
        (created(range(None, Some(10))), vec![0]),
        (created(range(Some(10), Some(20))), vec![1]),
        (created(range(Some(20), Some(10))), vec![]),
        (finished(range(Some(15), None)), vec![2, 1]),
        (finished(range(None, Some(15))), vec![0]),
        (finished(range(Some(5), Some(16))), vec![1, 0]),
    ];
    for (filter, expected) in cases {
        assert_eq!(numbers(&mut store, &filter), expected, "{filter:?}");
        let counted: u64 = store.counts(&filter).unwrap().into_values().sum();
        assert_eq!(counted, expected.len() as u64, "{filter:?}");
        for sort in [RunSort::CreatedAsc, RunSort::FinishedAsc, RunSort::FinishedDesc] {
            let mut found = numbers(&mut store, &RunFilter { sort, ..filter.clone() });
            if !sort.is_descending() {
                found.reverse();
            }
            assert_eq!(found, expected, "{sort:?} {filter:?}");
        }
    }
}

/// The text may stand in any place where people would look for it.
pub fn is_filtered_by_text_in_any_case(fixture: &impl Fixture) {
    let mut store = said(fixture);
    let id =
        ids(&mut store, &RunFilter { version: Some("2.0.0".into()), ..RunFilter::default() })[0];
    let cases = [
        ("SAMPLE", vec![2, 1, 0]),
        ("", vec![2, 1, 0]),
        (&id.to_string()[..], vec![2]),
        (&id.to_string().to_uppercase()[3..], vec![2]),
        ("überF", vec![1]),
        ("DATA", vec![1]),
        ("team", vec![]),
        ("Else", vec![2]),
        ("sched", vec![1]),
        ("is monday", vec![1]),
        ("c-1", vec![]),
        ("%", vec![]),
    ];
    for (looked_for, expected) in cases {
        let filter = RunFilter { text: Some(looked_for.to_owned()), ..RunFilter::default() };
        assert_eq!(numbers(&mut store, &filter), expected, "{looked_for}");
    }
}

/// Runs are listed by their ends in either direction, page by page, and behind those that have
/// ended come the others.
pub fn is_sorted_by_the_end_of_runs(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let new = new_run(definition("sample"));
    for (n, finished) in [(0, 30), (1, 10), (2, 20), (3, 20), (4, 40), (5, 5)] {
        store.commit(&[ended(run_id(n), new.clone(), finished)]).unwrap();
    }
    store.commit(&[created(run_id(6)), created(run_id(7))]).unwrap();
    let cases = [
        (RunSort::FinishedDesc, [4, 0, 3, 2, 1, 5, 7, 6]),
        (RunSort::FinishedAsc, [5, 1, 2, 3, 0, 4, 6, 7]),
        (RunSort::CreatedAsc, [0, 1, 2, 3, 4, 5, 6, 7]),
    ];
    for (sort, expected) in cases {
        for limit in 1..=9 {
            let mut filter = RunFilter { sort, limit, ..RunFilter::default() };
            let mut read = Vec::new();
            loop {
                let page = store.list(&filter).unwrap();
                assert!(page.runs.len() <= limit);
                read.extend(page.runs.iter().map(|run| run.id));
                if !page.more {
                    break;
                }
                filter.after = page.runs.last().map(RunSummary::cursor);
            }
            assert_eq!(read, expected.map(run_id), "{sort:?} in pages of {limit}");
        }
    }
}

/// Every state that has runs is counted, whatever the filter says of order and limit.
pub fn is_counted_by_state(fixture: &impl Fixture) {
    let mut store = fixture.session();
    assert_eq!(store.counts(&RunFilter::default()).unwrap(), BTreeMap::new());
    for n in 0..9 {
        let new = new_run(definition(if n % 3 == 0 { "third" } else { "other" }));
        let run = run_id(n);
        let commit = if n < 4 { ended(run, new, n) } else { creates(run, new) };
        store.commit(&[commit]).unwrap();
    }
    let counts = |queued, succeeded| {
        let counts = [(RunState::Queued, queued), (RunState::Succeeded, succeeded)];
        counts.into_iter().filter(|(_, count)| *count > 0).collect::<BTreeMap<_, u64>>()
    };
    let all = RunFilter::default();
    let third = RunFilter { workflow: Some("third".into()), ..all.clone() };
    let states = vec![RunState::Succeeded, RunState::Failed];
    let after = Some(RunCursor { at: None, run: run_id(1) });
    let sort = RunSort::FinishedAsc;
    let late = TimeRange { from: Some(at(2)), until: None };
    let cases = [
        (RunFilter { sort, after, limit: 1, ..all.clone() }, counts(5, 4)),
        (RunFilter { sort, after, limit: 1, finished: late, ..all.clone() }, counts(0, 2)),
        (RunFilter { states: states.clone(), ..all.clone() }, counts(0, 4)),
        (third.clone(), counts(1, 2)),
        (RunFilter { states, ..third.clone() }, counts(0, 2)),
        (RunFilter { text: Some("THIRD".into()), ..all }, counts(1, 2)),
        (RunFilter { namespaces: Some(vec![]), ..third }, counts(0, 0)),
    ];
    for (filter, expected) in cases {
        assert_eq!(store.counts(&filter).unwrap(), expected, "{filter:?}");
    }
}

/// Namespaces come with the number of their runs, and go with the last of these.
pub fn names_the_namespaces(fixture: &impl Fixture) {
    let mut store = fixture.session();
    assert_eq!(store.namespaces().unwrap(), []);
    for (n, (namespace, workflow)) in
        [("b", "x"), ("a", "x"), ("b", "y"), ("b", "x")].into_iter().enumerate()
    {
        let mut definition = definition(workflow);
        definition.namespace = namespace.into();
        store.commit(&[ended(run_id(n as u64), new_run(definition), 1)]).unwrap();
    }
    assert_eq!(store.namespaces().unwrap(), [("a".to_owned(), 1), ("b".to_owned(), 3)]);
    store.delete(run_id(1)).unwrap();
    assert_eq!(store.namespaces().unwrap(), [("b".to_owned(), 3)]);
}

/// A run with annotations of these keys, in this namespace.
fn annotated(store: &mut impl RunStore, n: u64, namespace: &str, keys: &[&str]) {
    let annotations = keys.iter().map(|key| ((*key).to_owned(), n.to_string()));
    let meta = RunMeta { annotations: annotations.collect(), ..RunMeta::default() };
    let mut definition = definition("sample");
    definition.namespace = namespace.into();
    let new = NewRun { meta: Arc::new(meta), ..new_run(definition) };
    store.commit(&[ended(run_id(n), new, 1)]).unwrap();
}

/// Keys come in their order with the number of runs that have them, in the namespaces that are asked
/// for, and go with the last of these.
pub fn names_the_keys_of_annotations(fixture: &impl Fixture) {
    let mut store = fixture.session();
    annotated(&mut store, 1, "a", &["team", "ticket"]);
    annotated(&mut store, 2, "a", &["team"]);
    annotated(&mut store, 3, "b", &["team", "Ärger"]);
    annotated(&mut store, 4, "b", &[]);
    let mut keys = |namespaces: Option<&[&str]>| {
        let namespaces = namespaces.map(|all| all.iter().map(ToString::to_string).collect());
        let page =
            store.annotation_keys(&KeyFilter { namespaces, after: None, limit: 10 }).unwrap();
        assert_eq!(page.next, None);
        page.keys.into_iter().map(|(key, runs)| format!("{key} {runs}")).collect::<Vec<_>>()
    };
    assert_eq!(keys(None), ["team 3", "ticket 1", "Ärger 1"]);
    assert_eq!(keys(Some(&["a"])), ["team 2", "ticket 1"]);
    assert_eq!(keys(Some(&["b", "c"])), ["team 1", "Ärger 1"]);
    assert_eq!(keys(Some(&[])), [""; 0]);
    store.delete(run_id(1)).unwrap();
    let filter = KeyFilter { limit: 10, ..KeyFilter::default() };
    let left = store.annotation_keys(&filter).unwrap().keys;
    assert_eq!(left, [("team".to_owned(), 2), ("Ärger".to_owned(), 1)]);
}

/// Pages of keys follow one another to the last, also where many are passed over.
pub fn pages_keys_of_annotations(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let others: Vec<String> = (0..KEYS_LOOKED_AT + 10).map(|n| format!("k{n:05}")).collect();
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    annotated(&mut store, 1, "others", &others);
    annotated(&mut store, 2, "own", &["a", "b", "c", "z"]);
    let mut pages = |namespaces: Option<Vec<String>>, limit: usize| {
        let mut filter = KeyFilter { namespaces, after: None, limit };
        let (mut read, mut pages) = (Vec::new(), 0);
        loop {
            let page = store.annotation_keys(&filter).unwrap();
            assert!(page.keys.len() <= limit);
            read.extend(page.keys.into_iter().map(|(key, _)| key));
            pages += 1;
            filter.after = page.next;
            if filter.after.is_none() {
                return (read, pages);
            }
        }
    };
    let own = || Some(vec!["own".to_owned()]);
    assert_eq!(pages(own(), 3).0, ["a", "b", "c", "z"]);
    let (read, calls) = pages(own(), 100);
    assert_eq!(read, ["a", "b", "c", "z"]);
    assert_eq!(calls, 2, "one call does not pass over all of them");
    assert_eq!(pages(None, 500).0.len(), others.len() + 4);
}

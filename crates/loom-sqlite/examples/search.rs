//! Measures searches in a store of many runs: how long pages and counts take.
//!
//! `cargo run --release -p loom-sqlite --example search [RUNS [FOLDER]]`; 100,000 runs in the current
//! folder otherwise.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "this is a program for people")]

use loom_core::{RunId, RunState};
use loom_sqlite::{Options, SqliteStore};
use loom_store::conformance::samples;
use loom_store::{NewRun, QueryStore, RunCommit, RunFilter, RunMeta, RunSort, RunStore, TimeRange};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Runs a page, as a screen shows them.
const PAGE: usize = 50;

fn main() {
    let mut args = std::env::args().skip(1);
    let runs: u64 = args.next().map_or(100_000, |runs| runs.parse().unwrap());
    let folder = tempfile::tempdir_in(args.next().unwrap_or_else(|| ".".into())).unwrap();
    let mut store = SqliteStore::open(folder.path().join("loom.db"), Options::default()).unwrap();
    fill(&mut store, runs);
    for (name, filter) in filters(runs) {
        let counts = timed(|| store.counts(&filter).unwrap().values().sum::<u64>());
        print!("{name:<44} {:>8} runs, counted in {:>9.2?}; pages", counts.1, counts.0);
        let mut filter = RunFilter { limit: PAGE, ..filter };
        for _ in 0..3 {
            let (took, page) = timed(|| store.list(&filter).unwrap());
            print!(" {took:>9.2?}");
            filter.after = page.runs.last().map(loom_store::RunSummary::cursor);
            if !page.more {
                break;
            }
        }
        println!();
    }
    let (took, namespaces) = timed(|| store.namespaces().unwrap());
    println!("{} namespaces in {took:.2?}", namespaces.len());
}

/// The quickest of three.
fn timed<T>(mut call: impl FnMut() -> T) -> (Duration, T) {
    let mut once = || {
        let started = Instant::now();
        let answer = call();
        (started.elapsed(), answer)
    };
    let (first, second, third) = (once(), once(), once());
    let quickest = first.0.min(second.0).min(third.0);
    (quickest, third.1)
}

/// A run every second: of 40 workflows in 4 namespaces, two thirds with something said about them,
/// one in 20 failed, the last ten running.
fn fill(store: &mut SqliteStore, runs: u64) {
    let definitions: Vec<NewRun> = (0..40)
        .map(|n| {
            let mut definition = samples::definition(&format!("workflow-{n}"));
            definition.namespace = format!("team-{}", n % 4);
            samples::new_run(definition)
        })
        .collect();
    let begun = Instant::now();
    for from in (0..runs).step_by(1000) {
        let commit = |n: u64| {
            // Half of the runs are of the first workflow, few of the last ones.
            let spread = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            let nth = (spread % 40).min(spread / 40 % 40).min(spread / 1600 % 40) as usize;
            let created_at = samples::at(n);
            let meta = if n.is_multiple_of(3) { RunMeta::default() } else { said(n) };
            let new = NewRun { created_at, meta: Arc::new(meta), ..definitions[nth].clone() };
            let id = RunId::new(created_at.as_millis(), spread.into());
            if n + 10 >= runs {
                return RunCommit { state: RunState::Running, ..samples::creates(id, new) };
            }
            let state = if n % 20 == 7 { RunState::Failed } else { RunState::Succeeded };
            RunCommit { state, ..samples::ended(id, new, n + spread % 500) }
        };
        store.commit(&(from..(from + 1000).min(runs)).map(commit).collect::<Vec<_>>()).unwrap();
    }
    println!("{runs} runs recorded in {:.2?}", begun.elapsed());
}

fn said(n: u64) -> RunMeta {
    let tags = ["nightly", "large", "customer"].into_iter().zip([2, 10, 5000]);
    RunMeta {
        tags: tags.filter(|(_, each)| n.is_multiple_of(*each)).map(|(tag, _)| tag.into()).collect(),
        annotations: [("order".into(), n.to_string())].into(),
        initiator: format!("user-{}", n % 300),
        source: if n.is_multiple_of(2) { "schedule".into() } else { "api".into() },
        correlation_id: format!("c-{}", n / 2),
        ..RunMeta::default()
    }
}

fn filters(runs: u64) -> Vec<(&'static str, RunFilter)> {
    let all = RunFilter::default;
    let text = |text: &str| Some(text.to_owned());
    let states = |states: &[RunState]| states.to_vec();
    let last_hour = TimeRange { from: Some(samples::at(runs - 3600)), until: None };
    let long_ago = TimeRange { from: None, until: Some(samples::at(3600)) };
    let order = vec![("order".to_owned(), Some((runs / 2 + 2).to_string()))];
    let team = Some(vec!["team-1".to_owned()]);
    vec![
        ("all", all()),
        ("oldest first", RunFilter { sort: RunSort::CreatedAsc, ..all() }),
        ("last ended first", RunFilter { sort: RunSort::FinishedDesc, ..all() }),
        ("failed", RunFilter { states: states(&[RunState::Failed]), ..all() }),
        (
            "failed, last ended first",
            RunFilter { states: states(&[RunState::Failed]), sort: RunSort::FinishedDesc, ..all() },
        ),
        ("active", RunFilter { states: states(&[RunState::Queued, RunState::Running]), ..all() }),
        ("ended", RunFilter { states: states(&[RunState::Succeeded, RunState::Failed]), ..all() }),
        ("one namespace", RunFilter { namespaces: team.clone(), ..all() }),
        (
            "one namespace, failed",
            RunFilter { namespaces: team, states: states(&[RunState::Failed]), ..all() },
        ),
        ("common workflow", RunFilter { workflow: text("workflow-0"), ..all() }),
        ("rare workflow", RunFilter { workflow: text("workflow-33"), ..all() }),
        ("common tag", RunFilter { tags: vec!["nightly".into()], ..all() }),
        ("rare tag", RunFilter { tags: vec!["customer".into()], ..all() }),
        (
            "common tag, rare workflow",
            RunFilter { tags: vec!["nightly".into()], workflow: text("workflow-33"), ..all() },
        ),
        ("annotation and value", RunFilter { annotations: order, ..all() }),
        ("annotation", RunFilter { annotations: vec![("order".into(), None)], ..all() }),
        ("initiator", RunFilter { initiator: text("user-77"), ..all() }),
        ("source", RunFilter { source: text("api"), ..all() }),
        ("correlation", RunFilter { correlation_id: text("c-77"), ..all() }),
        ("created in the last hour", RunFilter { created: last_hour, ..all() }),
        ("created long ago", RunFilter { created: long_ago, ..all() }),
        ("ended in the last hour", RunFilter { finished: last_hour, ..all() }),
        ("text in names", RunFilter { text: text("FLOW-3"), ..all() }),
        ("text of an initiator", RunFilter { text: text("user-29"), ..all() }),
        ("text that is nowhere", RunFilter { text: text("nowhere"), ..all() }),
    ]
}

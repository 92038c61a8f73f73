//! The driver and the reference model under the same random commands: every answer must be the
//! same, and every command must have succeeded at least once, or the test tests too little.

use crate::open;
use crate::random::Random;
use loom_core::{Event, Request, RunId, RunOutcome, RunState, Timestamp};
use loom_sqlite::SqliteStore;
use loom_store::conformance::samples::{
    at, becomes, creates, definition, events, every_event, every_request, new_run, records, run_id,
    secretive_run,
};
use loom_store::{
    Change, Claim, Expect, FeedPage, FeedPosition, FeedRow, KeyFilter, MemoryStore, NewRun,
    RequestId, Retention, RunCommit, RunCursor, RunFilter, RunMeta, RunSort, RunStore, Scan,
    SlotAsk, Store, StoreError, TimeRange, Verdict, Write,
};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

const RUNS: u64 = 12;
const SESSIONS: usize = 3;

#[derive(Debug)]
enum Command {
    Commit(Vec<RunCommit>),
    Load(RunId),
    Claim(RunId),
    Release(RunId),
    Post(RunId, Request),
    Requests,
    RequestState(RunId, RequestId),
    Withdraw(RunId, RequestId),
    Run(RunId),
    Find(String, usize),
    List(RunFilter),
    Variables(RunId),
    Journal(RunId, u64, usize),
    Definition([u8; 32]),
    Counts(RunFilter),
    Namespaces,
    Keys(KeyFilter),
    LastSeq(RunId),
    Prune(Retention),
    Delete(RunId),
    Document(String),
    Scan(Scan),
    Write(Vec<Vec<Change>>),
    Feed,
    Share(Vec<SlotAsk>, Timestamp),
}

impl Command {
    /// All that the test must have seen succeed.
    const NAMES: [&'static str; 25] = [
        "commit",
        "load",
        "claim",
        "release",
        "post",
        "requests",
        "run",
        "find",
        "list",
        "variables",
        "journal",
        "definition",
        "prune",
        "document",
        "scan",
        "write",
        "counts",
        "namespaces",
        "delete",
        "feed",
        "share",
        "keys",
        "last_seq",
        "request_state",
        "withdraw",
    ];

    const fn name(&self) -> &'static str {
        Self::NAMES[match self {
            Self::Commit(_) => 0,
            Self::Load(_) => 1,
            Self::Claim(_) => 2,
            Self::Release(_) => 3,
            Self::Post(..) => 4,
            Self::Requests => 5,
            Self::Run(_) => 6,
            Self::Find(..) => 7,
            Self::List(_) => 8,
            Self::Variables(_) => 9,
            Self::Journal(..) => 10,
            Self::Definition(_) => 11,
            Self::Prune(_) => 12,
            Self::Document(_) => 13,
            Self::Scan(_) => 14,
            Self::Write(_) => 15,
            Self::Counts(_) => 16,
            Self::Namespaces => 17,
            Self::Delete(_) => 18,
            Self::Feed => 19,
            Self::Share(..) => 20,
            Self::Keys(_) => 21,
            Self::LastSeq(_) => 22,
            Self::RequestState(..) => 23,
            Self::Withdraw(..) => 24,
        }]
    }

    fn run_on(&self, store: &mut impl Store) -> Answer {
        match self {
            Self::Commit(commits) => answer(store.commit(commits)),
            Self::Load(run) => answer(store.load(*run)),
            Self::Claim(run) => answer(store.claim(*run).map(|claim| claim == Claim::Claimed)),
            Self::Release(run) => answer(store.release(*run)),
            Self::Post(run, request) => answer(store.post(*run, request)),
            Self::Requests => answer(store.requests()),
            Self::RequestState(run, id) => answer(store.request_state(*run, *id)),
            Self::Withdraw(run, id) => answer(store.withdraw(*run, *id)),
            Self::Run(run) => answer(store.run(*run)),
            Self::Find(text, limit) => answer(store.find(text, *limit)),
            Self::List(filter) => answer(store.list(filter)),
            Self::Variables(run) => answer(store.variables(*run)),
            Self::Journal(run, after, limit) => answer(store.journal(*run, *after, *limit)),
            Self::Definition(hash) => answer(store.definition(hash)),
            Self::Feed => answer(store.feed(FeedPosition::START, usize::MAX).map(flattened)),
            Self::Share(asks, now) => answer(store.share(asks, *now)),
            Self::Prune(retention) => answer(store.prune(retention)),
            Self::Counts(filter) => answer(store.counts(filter)),
            Self::Namespaces => answer(store.namespaces()),
            Self::Keys(filter) => answer(store.annotation_keys(filter)),
            Self::LastSeq(run) => answer(store.last_seq(*run)),
            Self::Delete(run) => answer(store.delete(*run)),
            Self::Document(key) => answer(store.document("things", key)),
            Self::Scan(scan) => answer(store.scan("things", scan)),
            Self::Write(sets) => answer(store.write(sets, at(1))),
        }
    }
}

/// The events of a page in their order: how they share rows is each store's own affair.
fn flattened(page: FeedPage) -> Vec<(RunId, u64, Event)> {
    let events = |row: FeedRow| {
        let numbered = (row.first_seq..).zip(row.events);
        numbered.map(move |(seq, event)| (row.run, seq, event))
    };
    page.rows.into_iter().flat_map(events).collect()
}

/// What both must agree on: the whole answer, or the kind of refusal.
#[derive(Debug, PartialEq)]
enum Answer {
    Is(String),
    NoRun(RunId),
    Conflict(RunId),
    OtherError(std::mem::Discriminant<StoreError>),
}

fn answer(result: Result<impl Debug, StoreError>) -> Answer {
    match result {
        Ok(value) => Answer::Is(format!("{value:?}")),
        Err(StoreError::NoRun(run)) => Answer::NoRun(run),
        Err(StoreError::Conflict(run)) => Answer::Conflict(run),
        Err(error) => Answer::OtherError(std::mem::discriminant(&error)),
    }
}

/// The two stores, with as many sessions each, side by side.
struct Pair {
    model: Vec<MemoryStore>,
    driver: Vec<SqliteStore>,
    /// A session of the model that owns nothing.
    observer: MemoryStore,
    path: PathBuf,
    owners: usize,
}

impl Pair {
    fn new(path: PathBuf) -> Self {
        let observer = MemoryStore::new();
        let model = (0..SESSIONS).map(|n| observer.session(n.to_string())).collect();
        let driver = (0..SESSIONS).map(|_| open(&path)).collect();
        Self { model, driver, observer, path, owners: SESSIONS }
    }

    /// Ends one session's owner and starts another.
    fn replace(&mut self, session: usize) {
        self.model[session] = self.observer.session(self.owners.to_string());
        self.owners += 1;
        self.driver.remove(session);
        self.driver.insert(session, open(&self.path));
    }
}

struct Generator {
    random: Random,
    definitions: Vec<NewRun>,
    now: Timestamp,
}

impl Generator {
    fn new(seed: u64) -> Self {
        let definitions =
            vec![new_run(definition("one")), new_run(definition("two")), secretive_run()];
        Self { random: Random(seed), definitions, now: at(0) }
    }

    fn command(&mut self, model: &mut MemoryStore) -> Command {
        let run = run_id(self.random.below(RUNS));
        let limit = self.random.below(9) as usize;
        match self.random.below(55) {
            0 => Command::Load(run),
            1..=3 => Command::Claim(run),
            4 => Command::Release(run),
            5 | 6 => Command::Post(run, self.random.pick(&every_request()).clone()),
            7 | 8 => Command::Requests,
            9 => Command::Run(run),
            10 => Command::Find(self.part_of(run), limit),
            11 | 20 | 21 => Command::List(self.filter(run, limit)),
            12 => Command::Variables(run),
            13 => Command::Journal(run, self.random.below(30), limit),
            14 => {
                let known = self.random.pick(&self.definitions).hash;
                Command::Definition(if limit == 0 { [9; 32] } else { known })
            }
            15 => Command::Prune(self.retention(limit)),
            22 => Command::Counts(self.filter(run, limit)),
            23 => Command::Namespaces,
            24 => Command::Delete(run),
            25 => Command::Feed,
            26 | 27 => self.share(),
            28 => {
                let one = vec![self.random.pick(&["default", "other"]).to_string()];
                let namespaces = (self.random.below(2) == 0).then_some(one);
                let after =
                    (self.random.below(2) == 0).then(|| self.random.pick(&["a", "l"]).to_string());
                Command::Keys(KeyFilter { namespaces, after, limit })
            }
            29 => Command::LastSeq(run),
            30..=32 => Command::RequestState(run, self.request()),
            33 | 34 => Command::Withdraw(run, self.request()),
            16 => Command::Document(self.key()),
            17 => Command::Scan(Scan {
                prefix: self.random.pick(&["", "a", "b", "ab"]).to_string(),
                after: (self.random.below(2) == 0).then(|| self.key()),
                descending: self.random.below(2) == 0,
                limit,
            }),
            18 | 19 => {
                let sets = self.random.below(4);
                Command::Write((0..sets).map(|_| self.changes()).collect())
            }
            _ => self.commit(model),
        }
    }

    /// One that was probably posted: both stores count them from 1.
    fn request(&mut self) -> RequestId {
        RequestId(1 + self.random.below(30))
    }

    fn key(&mut self) -> String {
        let length = self.random.below(3);
        (0..length).map(|_| *self.random.pick(&['a', 'b', 'c'])).collect()
    }

    fn changes(&mut self) -> Vec<Change> {
        let changes = 0..self.random.below(4);
        let change = |_| Change {
            collection: "things".into(),
            key: self.key(),
            expect: match self.random.below(6) {
                0 => Expect::Absent,
                1 => Expect::Version(self.random.below(60)),
                _ => Expect::Any,
            },
            write: match self.random.below(3) {
                0 => Write::Delete,
                _ => Write::Put { body: self.random.below(99).into(), secret: None },
            },
        };
        changes.map(change).collect()
    }

    /// No two at one time: then it would depend on their names who waits longer.
    fn share(&mut self) -> Command {
        self.now.0 += 1 + self.random.below(1_000_000);
        let mut ask = |key: &str| SlotAsk {
            key: key.into(),
            most: 2 + self.random.below(3) as u32,
            used: self.random.below(2) as u32,
            wanted: self.random.below(3) as u32,
        };
        Command::Share(vec![ask("a"), ask("b")], self.now)
    }

    fn part_of(&mut self, run: RunId) -> String {
        let text = run.to_string();
        let length = self.random.below(27) as usize;
        if self.random.below(2) == 0 { text[..length].into() } else { text[length..].into() }
    }

    fn retention(&mut self, limit: usize) -> Retention {
        let mut maybe = || self.random.below(4) == 0;
        let (namespaces, workflow, states) = (maybe(), maybe(), maybe());
        Retention {
            before: at(self.random.below(40)),
            namespaces: namespaces.then(|| vec!["default".into()]),
            workflow: workflow.then(|| "one".into()),
            states: if states { self.states() } else { vec![] },
            limit,
        }
    }

    fn states(&mut self) -> Vec<RunState> {
        let count = 1 + self.random.below(4);
        (0..count).map(|_| *self.random.pick(&RunState::ALL)).collect()
    }

    /// Mostly one or two conditions, each of which some run may meet.
    fn filter(&mut self, run: RunId, limit: usize) -> RunFilter {
        let mut filter = RunFilter { limit, ..RunFilter::default() };
        for _ in 0..self.random.below(4) {
            let text = |text: &str| Some(text.to_owned());
            let (from, until) = (self.random.below(12), self.random.below(40));
            let range = TimeRange { from: Some(at(from)), until: Some(at(until)) };
            let value = self.random.pick(&["0", "1", "2"]).to_string();
            match self.random.below(14) {
                0 => filter.states = self.states(),
                1 => filter.namespaces = Some(vec!["default".into(), "other".into()]),
                2 => filter.namespaces = Some(vec![]),
                3 => filter.workflow = text("one"),
                4 => filter.version = text("0.1.0"),
                5 => filter.tags.push(value),
                6 => filter.annotations.push(("key".into(), Some(value))),
                7 => filter.annotations.push(("key".into(), None)),
                8 => filter.initiator = Some(value),
                9 => filter.source = text(""),
                10 => filter.correlation_id = Some(value),
                11 => filter.finished = range,
                12 => filter.created = range,
                _ => filter.text = text(if until < 20 { "ON" } else { "ü" }),
            }
        }
        filter.sort = *self.random.pick(&[
            RunSort::CreatedDesc,
            RunSort::CreatedAsc,
            RunSort::FinishedDesc,
            RunSort::FinishedAsc,
        ]);
        filter.after = match self.random.below(4) {
            0 => Some(RunCursor { at: None, run }),
            1 => Some(RunCursor { at: Some(at(self.random.below(40))), run }),
            _ => None,
        };
        filter
    }

    /// One to three commits, most of which fit what the model holds.
    fn commit(&mut self, model: &mut MemoryStore) -> Command {
        let mut ahead = BTreeMap::new();
        let commits = (0..=self.random.below(3)).map(|_| {
            let run = run_id(self.random.below(RUNS));
            let stands = ahead.get(&run).copied().or_else(|| {
                let next = model.load(run).ok()?.events.len() as u64 + 1;
                Some((next, loom_store::QueryStore::run(model, run).unwrap().state))
            });
            let commit = self.one_commit(run, stands);
            ahead.insert(run, (commit.first_seq + commit.events.len() as u64, commit.state));
            commit
        });
        Command::Commit(commits.collect())
    }

    fn meta(&mut self) -> Arc<RunMeta> {
        let mut value = || self.random.pick(&["0", "1", "2"]).to_string();
        Arc::new(RunMeta {
            tags: [value(), value()].into(),
            annotations: [("key".into(), value())].into(),
            initiator: value(),
            correlation_id: value(),
            reason: "Überall".into(),
            ..RunMeta::default()
        })
    }

    fn one_commit(&mut self, run: RunId, stands: Option<(u64, RunState)>) -> RunCommit {
        let odd = self.random.below(25) == 0;
        let Some((next, state)) = stands else {
            let mut new = self.random.pick(&self.definitions).clone();
            if self.random.below(2) == 0 {
                new.meta = self.meta();
            }
            let first = if odd { records(run, 1, vec![]) } else { creates(run, new) };
            let events = if self.random.below(2) == 0 { vec![] } else { every_event() };
            // Of these events the last but one of the run's own is its end.
            return RunCommit { events, state: RunState::Queued, ..first };
        };
        let next = if odd { next + self.random.below(3) } else { next };
        let now = at(self.random.below(40));
        let by = || "somebody".to_owned();
        let (event, becoming) = match (state, self.random.below(5)) {
            (_, 0) => {
                let verdicts = [Verdict::Granted, Verdict::Refused("no".into())];
                let settle = |verdict| (self.request(), verdict);
                let settles = verdicts.map(settle).into();
                return RunCommit { state, settles, ..records(run, next, events(1, 300)) };
            }
            (_, 1) => return RunCommit { state, ..records(run, next, every_event()) },
            (RunState::Queued, _) => (Event::RunStarted { at: now }, RunState::Running),
            (RunState::Running, 2) => (Event::RunPaused { at: now, by: by() }, RunState::Paused),
            (RunState::Running, _) => {
                let outcome = RunOutcome::Failed;
                (Event::RunFinished { at: now, outcome }, RunState::Failed)
            }
            (RunState::Paused, _) => (Event::RunResumed { at: now, by: by() }, RunState::Running),
            _ => (Event::RunReopened { at: now, by: by(), tasks: vec![] }, RunState::Running),
        };
        becomes(run, next, event, becoming)
    }
}

#[test]
fn the_driver_answers_as_the_model_does() {
    let mut succeeded: BTreeMap<&str, u32> = BTreeMap::new();
    let (mut conflicts, mut missing) = (0, 0);
    for seed in 1..=8 {
        let folder = tempfile::tempdir().unwrap();
        let mut pair = Pair::new(folder.path().join("loom.db"));
        let mut generator = Generator::new(seed);
        for step in 0..400 {
            let session = generator.random.below(SESSIONS as u64) as usize;
            if generator.random.below(40) == 0 {
                pair.replace(session);
            }
            let command = generator.command(&mut pair.observer);
            let expected = command.run_on(&mut pair.model[session]);
            let got = command.run_on(&mut pair.driver[session]);
            assert!(
                got == expected,
                "seed {seed}, step {step}, session {session}: {command:?}\n\
                 the model answers {expected:?}\nthe driver answers {got:?}"
            );
            match got {
                Answer::Is(_) => *succeeded.entry(command.name()).or_default() += 1,
                Answer::Conflict(_) => conflicts += 1,
                Answer::NoRun(_) => missing += 1,
                Answer::OtherError(_) => {}
            }
        }
    }
    for name in Command::NAMES {
        assert!(succeeded.contains_key(name), "{name} never succeeded: {succeeded:?}");
    }
    assert!(conflicts > 0 && missing > 0);
}

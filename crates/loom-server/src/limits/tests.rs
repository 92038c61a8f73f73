//! Random runs before the limits of two servers on one store: never over a limit, never too many in
//! a period, in order, and everybody's turn comes.

use super::book::Book;
use super::decide::{News, Rank};
use super::document::read_ledger;
use super::ledger::Ledger;
use super::rule::{Count, Facts, Rules};
use loom_core::{RunId, Timestamp, Variable};
use loom_protocol::api::LimitSpec;
use loom_store::{Document, Write};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

const SECOND: u64 = 1_000_000;

#[derive(Clone, Debug)]
enum Step {
    /// A run of this workflow, key and priority comes to one of the servers.
    Arrive {
        workflow: u8,
        key: u8,
        priority: i32,
    },
    /// A run that is under way ends.
    End(Index),
    /// A run that waits is cancelled.
    Cancel(Index),
    /// A server learns of some of what happened.
    Learn(usize, Index),
    /// A server has a pass.
    Pass(usize),
    /// A server begins anew, with what is in the store.
    Restart(usize),
    Wait(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..2u8, 0..3u8, -1..2i32)
            .prop_map(|(workflow, key, priority)| Step::Arrive { workflow, key, priority }),
        4 => any::<Index>().prop_map(Step::End),
        1 => any::<Index>().prop_map(Step::Cancel),
        4 => (0..2usize, any::<Index>()).prop_map(|(server, most)| Step::Learn(server, most)),
        8 => (0..2usize).prop_map(Step::Pass),
        1 => (0..2usize).prop_map(Step::Restart),
        2 => (1..4 * SECOND).prop_map(Step::Wait),
    ]
}

#[derive(Clone, Debug)]
struct Numbers {
    all: Option<u32>,
    own: Option<u32>,
    key: u32,
    pace: Option<(u32, u32)>,
    key_pace: Option<(u32, u32)>,
}

fn any_numbers() -> impl Strategy<Value = Numbers> {
    let pace = || prop::option::of((1..4u32, 1..6u32));
    (prop::option::of(1..5u32), prop::option::of(1..3u32), 1..3u32, pace(), pace())
        .prop_map(|(all, own, key, pace, key_pace)| Numbers { all, own, key, pace, key_pace })
}

impl Numbers {
    fn rules(&self) -> Rules {
        let rate = |pace: Option<(u32, u32)>| {
            pace.map(|(starts, per_s)| json!({ "starts": starts, "per_s": per_s }))
        };
        let key = json!({ "from": "variables", "template": "{{K}}" });
        let mut specs = vec![(
            "key",
            json!({ "counts": "runs", "key": key, "max_runs": self.key, "rate": rate(self.key_pace) }),
        )];
        if self.all.is_some() || self.pace.is_some() {
            let spec = json!({ "counts": "runs", "max_runs": self.all, "rate": rate(self.pace) });
            specs.push(("all", spec));
        }
        if self.own.is_some() {
            let spec = json!({ "counts": "runs", "workflow": "w0", "max_runs": self.own });
            specs.push(("own", spec));
        }
        let specs: Vec<(&str, LimitSpec)> = specs
            .into_iter()
            .map(|(name, spec)| (name, serde_json::from_value(spec).unwrap()))
            .collect();
        Rules::new(specs.iter().map(|(name, spec)| (*name, *name, spec)))
    }
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    Waits,
    Runs(Timestamp),
    Ended(Option<Timestamp>),
}

struct Run {
    rank: Rank,
    counts: Vec<Count>,
    state: State,
}

/// Two servers, and the store that they share.
struct World {
    rules: Numbers,
    books: [Book; 2],
    /// What happened, and how much of it each server knows.
    news: Vec<News>,
    known: [usize; 2],
    store: HashMap<String, (Ledger, u64)>,
    versions: u64,
    runs: BTreeMap<RunId, Run>,
    now: Timestamp,
}

impl World {
    fn new(rules: Numbers) -> Self {
        let mut world = Self {
            rules,
            books: [Book::default(), Book::default()],
            news: Vec::new(),
            known: [0, 0],
            store: HashMap::new(),
            versions: 0,
            runs: BTreeMap::new(),
            now: Timestamp(1000 * SECOND),
        };
        world.restart(0);
        world.restart(1);
        world
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Arrive { workflow, key, priority } => self.arrive(*workflow, *key, *priority),
            Step::End(which) => {
                self.end(|runs| *which.get(runs), |state| matches!(state, State::Runs(_)));
            }
            Step::Cancel(which) => {
                self.end(|runs| *which.get(runs), |state| *state == State::Waits);
            }
            Step::Learn(server, most) => {
                let open = self.news.len() - self.known[*server];
                if open > 0 {
                    self.learn(*server, 1 + most.index(open));
                }
            }
            Step::Pass(server) => self.pass(*server),
            Step::Restart(server) => self.restart(*server),
            Step::Wait(span) => self.now.0 += span,
        }
    }

    fn arrive(&mut self, workflow: u8, key: u8, priority: i32) {
        self.now.0 += 1;
        let run = RunId::new(self.runs.len() as u64, 0);
        let rank = Rank { priority: Reverse(priority), since: self.now, run };
        let variable = Variable { name: "K".into(), value: key.into(), secret: false };
        let workflow = format!("w{workflow}");
        let facts =
            Facts { namespace: "default", workflow: &workflow, key: None, variables: &[variable] };
        let counts = self.books[0].rules.counts(&facts);
        for book in &mut self.books {
            let rules = Arc::clone(&book.rules);
            book.enter(rank, &rules, counts.clone());
        }
        self.runs.insert(run, Run { rank, counts, state: State::Waits });
    }

    fn end(&mut self, which: impl FnOnce(&[RunId]) -> RunId, may: impl Fn(&State) -> bool) {
        let found: Vec<RunId> =
            self.runs.iter().filter(|(_, run)| may(&run.state)).map(|(id, _)| *id).collect();
        if found.is_empty() {
            return;
        }
        let id = which(&found);
        let run = self.runs.get_mut(&id).unwrap();
        run.state = match run.state {
            State::Runs(at) => State::Ended(Some(at)),
            _ => State::Ended(None),
        };
        self.news.push(News::Gone(id, Some(self.now)));
    }

    fn learn(&mut self, server: usize, count: usize) {
        let from = self.known[server];
        for news in &self.news[from..from + count] {
            self.books[server].tell(news.clone());
        }
        self.known[server] += count;
    }

    /// What is in the store, and what is so: as a server that starts finds it.
    fn restart(&mut self, server: usize) {
        let mut book = Book::default();
        book.set_rules(self.rules.rules());
        let rules = Arc::clone(&book.rules);
        for (place, (ledger, version)) in &self.store {
            book.set_ledger(place.clone(), Some((ledger.clone(), *version)));
        }
        for (id, run) in &self.runs {
            match run.state {
                State::Waits => book.enter(run.rank, &rules, run.counts.clone()),
                State::Runs(at) => {
                    book.tell(News::Begun(*id, at));
                    book.tell(News::UnderWay(*id, run.counts.clone()));
                }
                State::Ended(at) => {
                    at.into_iter().for_each(|at| book.tell(News::Begun(*id, at)));
                    book.tell(News::Gone(*id, at));
                }
            }
        }
        book.counted = true;
        self.books[server] = book;
        self.known[server] = self.news.len();
    }

    fn pass(&mut self, server: usize) {
        loop {
            let by_hand = look_at_all(&self.books[server], self.now);
            let (plan, _) = self.books[server].plan(self.now, None);
            assert_eq!(plan.decided(), by_hand);
            let fits = plan.changes.iter().all(|change| {
                change.expect.holds(self.store.get(&change.key).map(|(_, version)| *version))
            });
            if !fits {
                for change in &plan.changes {
                    let found = self.store.get(&change.key).cloned();
                    self.books[server].set_ledger(change.key.clone(), found);
                }
                continue;
            }
            let mut versions = Vec::new();
            for change in &plan.changes {
                self.versions += 1;
                match &change.write {
                    Write::Delete => drop(self.store.remove(&change.key)),
                    Write::Put { body, .. } => {
                        let document = Document {
                            key: change.key.clone(),
                            version: self.versions,
                            body: body.clone(),
                            secret: None,
                            written_at: self.now,
                        };
                        let kept = (read_ledger(&document).unwrap(), self.versions);
                        self.store.insert(change.key.clone(), kept);
                    }
                }
                versions.push(self.versions);
            }
            let (begins, _) = self.books[server].written(plan, &versions, self.now);
            begins.into_iter().for_each(|run| self.begin(server, run));
            return;
        }
    }

    /// The engine begins a run that waits, and refuses any other.
    fn begin(&mut self, server: usize, id: RunId) {
        // Some time goes by between the decision and the beginning.
        self.now.0 += 7;
        if self.runs[&id].state == State::Waits {
            self.assert_first(id);
            self.runs.get_mut(&id).unwrap().state = State::Runs(self.now);
            self.news.push(News::Begun(id, self.now));
            self.assert_limits();
        }
        self.books[server].leave(id);
    }

    /// Nobody goes before another who counts against the same and comes first. One that has a part
    /// of what it needs keeps it, whatever the priority of those who come later.
    fn assert_first(&self, id: RunId) {
        let own = &self.runs[&id];
        let ahead = self.runs.iter().filter(|(_, other)| {
            let comparable = own.counts.len() == 1 || other.rank.priority == own.rank.priority;
            let alike = other.state == State::Waits && other.counts == own.counts;
            alike && comparable && other.rank < own.rank
        });
        // One that is begun in the same pass is begun before.
        assert_eq!(ahead.map(|(id, _)| *id).collect::<Vec<_>>(), [], "before {id}");
    }

    fn assert_limits(&self) {
        let mut running: HashMap<&str, (u32, &Count)> = HashMap::new();
        let mut begun: HashMap<&str, (Vec<Timestamp>, &Count)> = HashMap::new();
        for run in self.runs.values() {
            for count in &run.counts {
                if let State::Runs(_) = run.state {
                    running.entry(&count.place).or_insert((0, count)).0 += 1;
                }
                if let State::Runs(at) | State::Ended(Some(at)) = run.state {
                    begun.entry(&count.place).or_insert((Vec::new(), count)).0.push(at);
                }
            }
        }
        for (found, count) in running.into_values() {
            let most = count.limit.max_runs.unwrap_or(u32::MAX);
            assert!(found <= most, "{found} of {count:?}");
        }
        for (mut times, count) in begun.into_values() {
            let Some(pace) = count.limit.pace else { continue };
            times.sort_unstable();
            for pair in times.windows(pace.starts as usize + 1) {
                let span = pair[pair.len() - 1].since(pair[0]);
                assert!(span >= pace.period, "{} in {span:?}: {count:?}", pair.len());
            }
        }
    }

    /// Reads what is taken, and tells what became of those who have it: what a server does now and
    /// then, for it may have heard of the end of a run before it read that the run has something.
    fn recount(&mut self, server: usize) {
        let book = &mut self.books[server];
        book.set_ledgers(self.store.iter().map(|(place, (it, version))| (&**place, it, *version)));
        for run in book.holders().into_keys() {
            match self.runs[&run].state {
                State::Waits => {}
                State::Runs(at) => book.tell(News::Begun(run, at)),
                State::Ended(at) => book.tell(News::Gone(run, at)),
            }
        }
    }

    /// Runs end, time goes by, and nobody new comes.
    fn run_out(&mut self) {
        for round in 0..40 * (1 + self.runs.len()) {
            for server in [0, 1] {
                self.learn(server, self.news.len() - self.known[server]);
                if round % 10 == 0 {
                    self.recount(server);
                }
                self.pass(server);
            }
            self.end(|runs| runs[0], |state| matches!(state, State::Runs(_)));
            self.now.0 += SECOND;
        }
        let waits = self.runs.iter().filter(|(_, run)| run.state == State::Waits);
        assert_eq!(waits.map(|(id, _)| *id).collect::<Vec<_>>(), [], "they wait for ever");
    }
}

/// What a decision comes to that looks at everybody: who begins, and what is taken then.
fn look_at_all(book: &Book, now: Timestamp) -> (Vec<RunId>, BTreeMap<String, Ledger>) {
    let mut draft = book.draft(now);
    let mut begins = Vec::new();
    for (rank, counts) in book.everybody() {
        if draft.advance(rank.run, counts).is_ok() {
            begins.push(rank.run);
        }
    }
    (begins, book.differing(draft))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn limits_hold_and_everybodys_turn_comes(
        numbers in any_numbers(),
        steps in prop::collection::vec(any_step(), 0..120),
    ) {
        let mut world = World::new(numbers);
        for step in &steps {
            world.step(step);
        }
        world.run_out();
        // What is over says nothing.
        world.now.0 += 3600 * SECOND;
        let rules = Arc::clone(&world.books[0].rules);
        for (place, (mut ledger, _)) in world.store {
            let limit = rules.by_id()[super::rule::limit_of(&place)];
            ledger.sweep(limit, world.now);
            prop_assert!(ledger.is_empty(), "{place}: {ledger:?}");
        }
    }
}

/// A book of these limits, and what a run counts against.
fn book(specs: &[(&str, serde_json::Value)]) -> (Book, Vec<Count>) {
    let specs: Vec<(&str, LimitSpec)> = specs
        .iter()
        .map(|(name, spec)| (*name, serde_json::from_value(spec.clone()).unwrap()))
        .collect();
    let mut book = Book::default();
    book.set_rules(Rules::new(specs.iter().map(|(name, spec)| (*name, *name, spec))));
    book.counted = true;
    let facts = Facts { namespace: "default", workflow: "w", key: Some("k"), variables: &[] };
    let counts = book.rules.counts(&facts);
    (book, counts)
}

fn run(number: u64) -> RunId {
    RunId::new(number, 0)
}

fn waits(book: &mut Book, number: u64, priority: i32, counts: &[Count]) {
    let rank = Rank { priority: Reverse(priority), since: Timestamp(number), run: run(number) };
    let rules = Arc::clone(&book.rules);
    book.enter(rank, &rules, counts.to_vec());
}

fn pass(book: &mut Book, now: u64) -> (Vec<RunId>, Option<Timestamp>) {
    let (plan, _) = book.plan(Timestamp(now), None);
    let versions = vec![1; plan.changes.len()];
    book.written(plan, &versions, Timestamp(now))
}

#[test]
fn a_greater_priority_goes_first_then_whoever_came_first() {
    let (mut book, counts) = book(&[("one", json!({ "counts": "runs", "max_runs": 1 }))]);
    for (number, priority) in [(1, 0), (2, 5), (3, 5), (4, -5)] {
        waits(&mut book, number, priority, &counts);
    }
    for (next, place) in [(2, 1), (3, 2), (4, 3), (1, 4)] {
        let (begins, _) = pass(&mut book, 10);
        assert_eq!(begins, [run(next)]);
        if place == 1 {
            let (wait, holders) = book.wait(run(4)).unwrap();
            assert_eq!((wait.place, wait.line, holders), (3, 3, vec![run(2)]));
            book.set_priority(run(4), 1);
        }
        book.tell(News::Gone(run(next), None));
    }
    assert_eq!(pass(&mut book, 11), (vec![], None));
    assert_eq!(book.places(), [""; 0]);
}

#[test]
fn who_waits_for_one_limit_does_not_keep_others_from_another() {
    let (mut book, both) = book(&[
        ("key", json!({ "counts": "runs", "key": { "from": "request" }, "max_runs": 1 })),
        ("all", json!({ "counts": "runs", "max_runs": 2 })),
    ]);
    let all = &both[1..];
    waits(&mut book, 1, 0, &both);
    waits(&mut book, 2, 0, &both);
    waits(&mut book, 3, 0, all);
    waits(&mut book, 4, 0, all);
    assert_eq!(pass(&mut book, 10).0, [run(1), run(3)]);
    [1, 3].into_iter().for_each(|number| book.leave(run(number)));
    book.tell(News::Gone(run(1), None));
    assert_eq!(pass(&mut book, 11).0, [run(2)], "it came before the fourth");
}

#[test]
fn a_newcomer_is_refused_without_a_trace() {
    use super::book::Newcomer;
    let refuse = |most| json!({ "counts": "runs", "max_runs": most, "when_full": "refuse" });
    let (mut book, counts) = book(&[("a", refuse(2)), ("b", refuse(1))]);
    let knock = |book: &mut Book, number| {
        let newcomer = Newcomer { run: run(number), counts: &counts };
        let (plan, shut) = book.plan(Timestamp(9), Some(&newcomer));
        let versions = vec![1; plan.changes.len()];
        book.written(plan, &versions, Timestamp(9));
        shut.map(|shut| shut.count)
    };
    assert_eq!(knock(&mut book, 1), None);
    assert_eq!(knock(&mut book, 2), Some(1));
    assert_eq!(book.holders().keys().copied().collect::<Vec<_>>(), [run(1)]);
    assert_eq!(knock(&mut book, 1), None, "it has its places");
    book.tell(News::Gone(run(1), None));
    assert_eq!(knock(&mut book, 2), None);
}

#[test]
fn a_rate_says_when_to_look_again() {
    let rate = json!({ "counts": "runs", "rate": { "starts": 1, "per_s": 5 } });
    let (mut book, counts) = book(&[("rate", rate)]);
    [1, 2].into_iter().for_each(|number| waits(&mut book, number, 0, &counts));
    assert_eq!(pass(&mut book, SECOND), (vec![run(1)], None));
    book.tell(News::Begun(run(1), Timestamp(2 * SECOND)));
    assert_eq!(pass(&mut book, 3 * SECOND), (vec![], Some(Timestamp(7 * SECOND))));
    let (wait, _) = book.wait(run(2)).unwrap();
    assert_eq!(wait.next_at.as_deref(), Some("1970-01-01T00:00:07.000000Z"));
    assert_eq!(pass(&mut book, 7 * SECOND).0, [run(2)]);
}

//! What held attempts back that could have started: found from what else went on at the time.

use super::{Act, AttemptRecord, History};
use crate::{TaskIx, TaskKind, TaskPhase, Timestamp};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// What an attempt waited for that could have started, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// What for.
    pub by: HeldBy,
    /// How long.
    pub span: Duration,
}

/// What an attempt may wait for that could start: the first of these that applied at the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldBy {
    /// That the run was resumed.
    Pause,
    /// That this task ended, which is `async: false` and ran.
    Alone(TaskIx),
    /// That everything else ended: it is `async: false` itself.
    Others,
    /// That this task had its turn, which is `async: false`, was ready and goes first.
    Ahead(TaskIx),
    /// A worker of the run.
    Workers,
    /// That instances of its own task ended, of this run or of others (`execution.workers`).
    Instances,
    /// A place in its queue, whichever run's tasks had them.
    Queue,
    /// Nothing that is recorded: that somebody came to start it.
    Start,
}

/// A time in which an attempt could have started and had not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) task: TaskIx,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// Since when it was with an executor, to begin when one of its workers is free.
    pub(super) assigned_at: Option<Timestamp>,
}

/// For each span, what it was spent waiting for, in the order in which that began to hold. The parts
/// of a span add up to it.
///
/// Sweeps once over all attempts of the run, whatever the number of spans.
pub(super) fn held(history: &History, spans: &[Span], now: Timestamp) -> Vec<Vec<Held>> {
    let mut held = vec![Vec::new(); spans.len()];
    let mut moves = moves(history, spans, now);
    moves.sort_by_key(|(at, _)| *at);
    let mut scene = Scene::new(history);
    let mut open: BTreeSet<usize> = BTreeSet::new();
    let mut since = Timestamp::default();
    for (at, step) in moves {
        for &span in open.iter().filter(|_| at > since) {
            add(&mut held[span], scene.holds(&spans[span], since), at.since(since));
        }
        since = at;
        match step {
            Move::Wait(span) => _ = open.insert(span),
            Move::Go(span) => _ = open.remove(&span),
            Move::HandOver => {}
            other => scene.take(other),
        }
    }
    held
}

fn add(held: &mut Vec<Held>, by: HeldBy, span: Duration) {
    match held.iter_mut().find(|held| held.by == by) {
        Some(held) => held.span += span,
        None => held.push(Held { by, span }),
    }
}

/// Something that changes what holds.
#[derive(Clone, Copy, Debug)]
enum Move {
    /// A span begins.
    Wait(usize),
    /// A span ends.
    Go(usize),
    /// What is waited for changes within a span.
    HandOver,
    /// An attempt of this task is with an executor.
    Take(TaskIx),
    /// It is no longer.
    Free(TaskIx),
    /// An `async: false` task can start.
    Claim(Rank),
    /// It starts.
    Enter(Rank),
    Pause,
    Resume,
}

/// In what order tasks that are ready have their turn.
type Rank = (Reverse<i32>, Timestamp, TaskIx);

fn moves(history: &History, spans: &[Span], now: Timestamp) -> Vec<(Timestamp, Move)> {
    let mut moves = Vec::new();
    for (place, span) in spans.iter().enumerate().filter(|(_, span)| span.from < span.to) {
        moves.extend([(span.from, Move::Wait(place)), (span.to, Move::Go(place))]);
        moves.extend(span.assigned_at.map(|at| (at, Move::HandOver)));
    }
    if moves.is_empty() {
        return moves;
    }
    let mut pair = |from: Timestamp, to: Timestamp, first: Move, then: Move| {
        if from < to {
            moves.extend([(from, first), (to, then)]);
        }
    };
    let plan = history.run().plan();
    for (task, record) in history.tasks() {
        let execution = &plan.task(task).execution;
        for attempt in &record.attempts {
            let end = attempt.ended_at().unwrap_or(now);
            let taken = taken_at(attempt).unwrap_or(end);
            pair(taken, end, Move::Take(task), Move::Free(task));
            if execution.exclusive {
                let rank = (Reverse(execution.priority), attempt.ready_at, task);
                pair(attempt.ready_at, taken, Move::Claim(rank), Move::Enter(rank));
            }
        }
        let is_ready = execution.exclusive && history.run().phase(task) == TaskPhase::Ready;
        if let Some(since) = record.ready_since(None).filter(|_| is_ready) {
            let rank = (Reverse(execution.priority), since, task);
            pair(since, now, Move::Claim(rank), Move::Enter(rank));
        }
    }
    for one in history.interventions() {
        match one.act {
            Act::Pause => moves.push((one.at, Move::Pause)),
            Act::Resume | Act::Retry(_) => moves.push((one.at, Move::Resume)),
            _ => {}
        }
    }
    moves
}

fn taken_at(attempt: &AttemptRecord) -> Option<Timestamp> {
    attempt.assigned_at.or(attempt.started_at)
}

/// What goes on at one time.
struct Scene<'a> {
    history: &'a History,
    paused: bool,
    /// Attempts with an executor; those that keep a worker busy; those of each task.
    taken: u32,
    busy: u32,
    instances: HashMap<TaskIx, u32>,
    /// The attempts of `async: false` tasks among them.
    alone: BTreeMap<TaskIx, u32>,
    /// The `async: false` tasks that could start.
    ahead: BTreeSet<Rank>,
}

impl<'a> Scene<'a> {
    fn new(history: &'a History) -> Self {
        Self {
            history,
            paused: false,
            taken: 0,
            busy: 0,
            instances: HashMap::new(),
            alone: BTreeMap::new(),
            ahead: BTreeSet::new(),
        }
    }

    fn take(&mut self, step: Move) {
        match step {
            Move::Take(task) => self.count(task, |count| *count += 1),
            Move::Free(task) => self.count(task, |count| *count -= 1),
            Move::Claim(rank) => _ = self.ahead.insert(rank),
            Move::Enter(rank) => _ = self.ahead.remove(&rank),
            Move::Pause => self.paused = true,
            Move::Resume => self.paused = false,
            Move::Wait(_) | Move::Go(_) | Move::HandOver => {}
        }
    }

    fn count(&mut self, task: TaskIx, change: fn(&mut u32)) {
        let def = self.history.run().plan().task(task);
        change(&mut self.taken);
        change(self.instances.entry(task).or_default());
        if def.kind == TaskKind::Work {
            change(&mut self.busy);
        }
        if def.execution.exclusive {
            change(self.alone.entry(task).or_default());
            self.alone.retain(|_, count| *count > 0);
        }
    }

    /// What holds this attempt back; the same order as that of [`crate::Hold`].
    fn holds(&self, span: &Span, at: Timestamp) -> HeldBy {
        let run = self.history.run();
        let def = run.plan().task(span.task);
        let execution = &def.execution;
        let works = def.kind == TaskKind::Work;
        let instances = self.instances.get(&span.task).copied().unwrap_or(0);
        if run.plan().external().is_some() {
            // Another system starts its tasks, by limits of its own.
            return HeldBy::Start;
        }
        if self.paused {
            return HeldBy::Pause;
        }
        if span.assigned_at.is_some_and(|assigned| assigned <= at) {
            return HeldBy::Workers;
        }
        if let Some((&alone, _)) = self.alone.iter().find(|(task, _)| **task != span.task) {
            return HeldBy::Alone(alone);
        }
        if execution.exclusive && self.taken > 0 {
            return HeldBy::Others;
        }
        let rank = (Reverse(execution.priority), span.from, span.task);
        let first = self.ahead.iter().find(|(.., task)| *task != span.task);
        if let Some(&(.., first)) = first.filter(|first| works && **first < rank) {
            return HeldBy::Ahead(first);
        }
        if works && self.busy >= run.workers() {
            return HeldBy::Workers;
        }
        match (&execution.queue, execution.workers) {
            (_, Some(most)) if instances >= most => HeldBy::Instances,
            (Some(_), _) => HeldBy::Queue,
            (None, Some(_)) => HeldBy::Instances,
            (None, None) => HeldBy::Start,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Command;
    use crate::run::tests::driver::Driver;
    use crate::test_support::task;
    use crate::{AttemptKey, Definition, Event, ForEach, News, Request, TaskDef, TaskRef};
    use serde_json::json;

    fn begun(tasks: Vec<TaskDef>, workers: u32) -> Driver {
        let mut run = Driver::new(Definition::new("test", tasks), &[], workers);
        run.apply(Command::Begin).unwrap();
        run
    }

    fn alone(name: &str) -> TaskDef {
        task(name).with(|task| task.execution.exclusive = true)
    }

    fn in_queue(name: &str) -> TaskDef {
        task(name).with(|task| task.execution.queue = Some("gpu".into()))
    }

    /// `name: what it waited for and how long` of each link of the critical path.
    fn path(run: &Driver) -> Vec<String> {
        let path = run.history().critical_path(run.now).unwrap();
        let name = |task: TaskIx| run.run.plan().task(task).name.clone();
        let links = path.links.iter().map(|link| {
            let held = link.held.iter().map(|held| {
                let by = match held.by {
                    HeldBy::Alone(task) => format!("alone {}", name(task)),
                    HeldBy::Ahead(task) => format!("ahead {}", name(task)),
                    by => format!("{by:?}").to_lowercase(),
                };
                format!(" {by} {}", held.span.as_micros())
            });
            format!("{}:{}", name(link.task), held.collect::<String>())
        });
        links.collect()
    }

    /// Moves the clock on; the next command takes one more microsecond.
    fn later(run: &mut Driver, micros: u64) {
        run.now.0 += micros - 1;
    }

    /// Starts an attempt later than the run did: as an engine whose gate was shut.
    fn postpone(run: &mut Driver, of: TaskRef) {
        let is_start = |event: &Event| matches!(event, Event::Started { task, .. } if *task == of);
        let place = run.events.iter().position(is_start).unwrap();
        run.events.remove(place);
        let at = run.now;
        run.events.push(Event::Started { at, task: of, attempt: 1 });
    }

    #[test]
    fn a_queue_is_not_a_worker() {
        let mut run = begun(vec![in_queue("a"), in_queue("b")], 8);
        later(&mut run, 10);
        run.succeed("a", &[]);
        postpone(&mut run, TaskRef::whole(TaskIx(1)));
        later(&mut run, 10);
        run.succeed("b", &[]);
        assert_eq!(path(&run), ["b: queue 10"]);
    }

    #[test]
    fn instances_of_the_task_are_not_workers() {
        let items = ForEach::Items(vec![json!(1), json!(2)]);
        let each = task("each").with(|task| {
            task.execution.workers = Some(1);
            task.for_each = Some(items);
        });
        let mut run = begun(vec![each], 8);
        let key = |item| AttemptKey {
            run: run.run.id(),
            task: TaskRef::item(TaskIx(0), item),
            attempt: 1,
        };
        let (first, second) = (key(0), key(1));
        later(&mut run, 10);
        run.news(first, News::Succeeded(Vec::new())).unwrap();
        postpone(&mut run, second.task);
        later(&mut run, 10);
        run.news(second, News::Succeeded(Vec::new())).unwrap();
        assert_eq!(path(&run), ["each: instances 10"]);
    }

    #[test]
    fn what_ran_alone_is_on_the_path_and_its_time_is_not_told_twice() {
        let mut run = begun(vec![task("a"), alone("b"), task("c")], 1);
        later(&mut run, 10);
        run.succeed("a", &[]);
        later(&mut run, 20);
        run.succeed("b", &[]);
        later(&mut run, 5);
        run.succeed("c", &[]);
        assert_eq!(path(&run), ["a:", "b:", "c:"]);
        let history = run.history();
        let path = history.critical_path(run.now).unwrap();
        assert_eq!(path.total, Duration::from_micros(35));
        assert_eq!(history.slack(), [Some(Duration::ZERO); 3]);
    }

    #[test]
    fn of_a_run_under_way_it_names_who_runs_alone_and_who_goes_first() {
        let mut run =
            begun(vec![alone("b"), task("c").with(|task| task.execution.priority = -1)], 4);
        later(&mut run, 10);
        run.request(Request::Pause { by: "ann".into() }).unwrap();
        later(&mut run, 7);
        run.succeed("b", &[]);
        run.now.0 += 3;
        assert_eq!(path(&run), ["c: alone b 10 pause 10"]);

        let mut run = begun(vec![task("a"), alone("b"), task("c")], 4);
        run.events.retain(|event| event.task() != Some(TaskRef::whole(TaskIx(2))));
        run.now.0 += 10;
        let link = |run: &Driver, task| {
            let mut spans = Vec::new();
            run.history().link(task, None, run.now, &mut spans);
            held(&run.history(), &spans, run.now).concat()
        };
        let span = Duration::from_micros(10);
        assert_eq!(link(&run, TaskIx(1)), [Held { by: HeldBy::Others, span }]);
        assert_eq!(link(&run, TaskIx(2)), [Held { by: HeldBy::Ahead(TaskIx(1)), span }]);
    }

    #[test]
    fn workers_are_workers_ahead_of_one_too() {
        let mut run = Driver::new(Definition::new("test", vec![task("a"), task("b")]), &[], 1);
        run.ahead = 1;
        run.apply(Command::Begin).unwrap();
        later(&mut run, 10);
        run.succeed("a", &[]);
        let key = run.key("b");
        later(&mut run, 2);
        run.news(key, News::Began(run.now)).unwrap();
        run.succeed("b", &[]);
        assert_eq!(path(&run), ["b: workers 11"]);

        let mut run = begun(vec![task("a"), in_queue("b")], 1);
        later(&mut run, 10);
        run.succeed("a", &[]);
        run.succeed("b", &[]);
        assert_eq!(path(&run), ["b: workers 10"], "the queue had room");
    }
}

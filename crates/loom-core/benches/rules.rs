//! The rules alone: a new run, each task that finishes, the fold of a history, an expression.
//!
//! `cargo bench -p loom-core`. The targets: a 1,000-task graph ready in 10 µs; 200 ns per finished
//! task plus its out-degree (divan tells the throughput: 5 million items a second); cost per task at
//! 100,000 tasks at most 1.3 times that at 1,000. Look at the fastest round: whatever else the
//! machine does only adds to one.

use divan::Bencher;
use divan::counter::ItemsCount;
use loom_core::{
    Changes, Command, Definition, Effect, Event, History, News, OpenGate, Output, OutputDecl, Plan,
    Report, Run, RunId, RunState, Submission, TaskDef, TaskKind, Timestamp, Value, expr,
};
use std::fmt;
use std::sync::Arc;

/// The most attempts started in one round, as an engine limits them.
const STARTS: usize = 4096;

const GRAPHS: [Graph; 6] = [
    Graph { shape: Shape::Independent, tasks: 1_000 },
    Graph { shape: Shape::Chain, tasks: 1_000 },
    Graph { shape: Shape::Layers, tasks: 1_000 },
    Graph { shape: Shape::Independent, tasks: 100_000 },
    Graph { shape: Shape::Chain, tasks: 100_000 },
    Graph { shape: Shape::Layers, tasks: 100_000 },
];

fn main() {
    divan::main();
}

#[divan::bench(args = GRAPHS)]
fn from_scratch(bencher: Bencher<'_, '_>, graph: Graph) {
    let plan = graph.plan();
    bencher.bench_local(|| Run::new(submission(&plan)));
}

#[divan::bench(args = GRAPHS)]
fn per_finished_task(bencher: Bencher<'_, '_>, graph: Graph) {
    let plan = graph.plan();
    let (rounds, _) = rehearse(&plan);
    bencher
        .counter(ItemsCount::new(graph.tasks))
        .with_inputs(|| (Run::new(submission(&plan)), rounds.clone()))
        .bench_local_refs(|(run, rounds)| {
            perform(run, rounds);
            assert_eq!(run.state(), RunState::Succeeded);
        });
}

#[divan::bench(args = GRAPHS)]
fn fold_of_a_history(bencher: Bencher<'_, '_>, graph: Graph) {
    let plan = graph.plan();
    let (_, events) = rehearse(&plan);
    bencher.counter(ItemsCount::new(events.len())).bench_local(|| {
        let mut history = History::new(submission(&plan), Timestamp(1));
        for (event, seq) in events.iter().zip(1..) {
            history.record(seq, event);
        }
        history
    });
}

#[divan::bench(args = ["READY", "COUNT|int > 3 and READY", "'b' in LIST and LIST|length == 3"])]
fn expression(expression: &str) -> bool {
    let lookup = |name: &str| match name {
        "COUNT" => Some(Value::from("5")),
        "READY" => Some(Value::from(true)),
        "LIST" => Some(Value::from(vec!["a", "b", "c"])),
        _ => None,
    };
    expr::holds(expression, &lookup).expect("it has a value")
}

/// A generated workflow of tasks that take no time.
#[derive(Clone, Copy)]
struct Graph {
    shape: Shape,
    tasks: usize,
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    Independent,
    /// Each task takes what the one before sets.
    Chain,
    /// Layers of 20; each task takes what three of the layer before set.
    Layers,
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.shape, self.tasks)
    }
}

impl Graph {
    fn plan(self) -> Arc<Plan> {
        let width = 20;
        let inputs = |at: usize| match self.shape {
            Shape::Independent => Vec::new(),
            Shape::Chain => at.checked_sub(1).into_iter().collect(),
            Shape::Layers => (at / width).checked_sub(1).map_or_else(Vec::new, |before| {
                (0..3).map(|step| before * width + (at + step) % width).collect()
            }),
        };
        let task = |at: usize| {
            let mut task = TaskDef::new(format!("t{at}"), "noop");
            task.kind = TaskKind::Instant;
            task.inputs = inputs(at).into_iter().map(|of| format!("V{of}")).collect();
            if !matches!(self.shape, Shape::Independent) {
                task.outputs.names = vec![OutputDecl { name: format!("V{at}"), optional: false }];
            }
            task
        };
        Arc::new(Plan::new(Definition::new("bench", (0..self.tasks).map(task).collect())))
    }
}

fn submission(plan: &Arc<Plan>) -> Submission {
    Submission {
        id: RunId::new(1, 1),
        plan: Arc::clone(plan),
        variables: Arc::new(Vec::new()),
        workers: 2,
    }
}

/// What executors report, by rounds, when each attempt succeeds as soon as it is dispatched; and
/// what happens.
fn rehearse(plan: &Arc<Plan>) -> (Vec<Vec<Report>>, Vec<Event>) {
    let mut run = Run::new(submission(plan));
    let (mut rounds, mut events) = (Vec::new(), Vec::new());
    let mut take = |changes: Changes| {
        events.extend(changes.events);
        changes.effects.iter().map(success_of).collect::<Vec<_>>()
    };
    take(begin(&mut run));
    let mut reports = take(fill(&mut run));
    while !reports.is_empty() {
        for report in reports.clone() {
            take(tell(&mut run, report));
        }
        rounds.push(std::mem::replace(&mut reports, take(fill(&mut run))));
    }
    (rounds, events)
}

fn perform(run: &mut Run, rounds: &mut Vec<Vec<Report>>) {
    divan::black_box_drop(begin(run));
    divan::black_box_drop(fill(run));
    for reports in rounds.drain(..) {
        for report in reports {
            divan::black_box_drop(tell(run, report));
        }
        divan::black_box_drop(fill(run));
    }
}

fn begin(run: &mut Run) -> Changes {
    run.apply(Command::Begin, Timestamp(1)).expect("a new run begins")
}

fn tell(run: &mut Run, report: Report) -> Changes {
    run.apply(Command::Report(report), Timestamp(1)).expect("it is under way")
}

fn fill(run: &mut Run) -> Changes {
    run.fill(Timestamp(1), STARTS, 2, &mut OpenGate)
}

fn success_of(effect: &Effect) -> Report {
    let Effect::Dispatch(attempt) = effect else { panic!("nothing is stopped or waits") };
    let outputs = attempt.task().outputs.names.iter().map(|decl| Output {
        name: decl.name.clone(),
        value: Value::from(1),
        declared: false,
        secret: false,
    });
    let news = News::Succeeded(outputs.collect());
    Report { task: attempt.key.task, attempt: attempt.key.attempt, news }
}

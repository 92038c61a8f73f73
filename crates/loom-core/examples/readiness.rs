//! Measures readiness: a run from scratch, and the cost of each task that finishes.
//!
//! `cargo run --release -p loom-core --example readiness` prints the fastest of many
//! rounds, since whatever else the machine does only adds to a round. The
//! targets: a 1,000-task graph ready in 10 µs; 200 ns per finished task plus its out-degree; cost
//! per task at 100,000 tasks at most 1.3 times that at 1,000.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use loom_core::{
    Changes, Command, Definition, Effect, News, OpenGate, Output, OutputDecl, Plan, Report, Run,
    RunId, RunState, Submission, TaskDef, TaskKind, Timestamp, Value,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The most attempts started in one round, as an engine limits them.
const STARTS: usize = 4096;

fn main() {
    println!("{:<34}{:>12}{:>16}", "graph", "scratch", "per task");
    for (name, tasks) in [
        ("independent 1,000", independent(1_000)),
        ("chain 1,000", chain(1_000)),
        ("layered 50 x 20, 3 inputs", layered(50, 20)),
        ("independent 100,000", independent(100_000)),
        ("chain 100,000", chain(100_000)),
        ("layered 5,000 x 20, 3 inputs", layered(5_000, 20)),
    ] {
        let rounds = (2_000_000 / tasks.len()).clamp(25, 1001);
        let plan = Arc::new(Plan::new(Definition::new("bench", tasks)));
        let (scratch, per_task) = measure(&plan, rounds);
        println!("{name:<34}{:>9.2} µs{:>13.1} ns", scratch.as_secs_f64() * 1e6, per_task);
    }
}

/// The least time, of `rounds`, that a new run takes, and the least nanoseconds a task.
fn measure(plan: &Arc<Plan>, rounds: usize) -> (Duration, f64) {
    let new_run = || {
        Run::new(Submission {
            id: RunId::new(1, 1),
            plan: Arc::clone(plan),
            variables: Arc::new(Vec::new()),
            workers: 2,
        })
    };
    let from_scratch = |_| {
        let began = Instant::now();
        let run = new_run();
        let spent = began.elapsed();
        drop(run);
        spent
    };
    let to_the_end = |_| {
        let mut run = new_run();
        let spent = execute(&mut run);
        assert_eq!(run.state(), RunState::Succeeded);
        spent
    };
    let scratch = (0..rounds).map(from_scratch).min().unwrap_or_default();
    let whole = (0..rounds).map(to_the_end).min().unwrap_or_default();
    (scratch, whole.as_secs_f64() * 1e9 / plan.task_count() as f64)
}

/// Runs to the end, each attempt succeeding as soon as it is dispatched; answers with the time that
/// the rules took, apart from making what the attempts emit.
fn execute(run: &mut Run) -> Duration {
    let now = Timestamp(1);
    let mut spent = Duration::ZERO;
    let mut dispatched = Vec::new();
    let mut reports = Vec::new();
    let began = Instant::now();
    collect(run.apply(Command::Begin, now).expect("a new run begins"), &mut dispatched);
    collect(run.fill(now, STARTS, 2, &mut OpenGate), &mut dispatched);
    spent += began.elapsed();
    while !dispatched.is_empty() {
        reports.extend(dispatched.drain(..).map(|effect| success_of(&effect)));
        let began = Instant::now();
        for report in reports.drain(..) {
            let changes = run.apply(Command::Report(report), now).expect("it is under way");
            collect(changes, &mut dispatched);
        }
        collect(run.fill(now, STARTS, 2, &mut OpenGate), &mut dispatched);
        spent += began.elapsed();
    }
    spent
}

fn collect(changes: Changes, dispatched: &mut Vec<Effect>) {
    dispatched.extend(changes.effects);
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

fn task(name: String, inputs: Vec<String>, outputs: Vec<String>) -> TaskDef {
    let mut task = TaskDef { kind: TaskKind::Instant, inputs, ..TaskDef::new(name, "noop") };
    task.outputs.names =
        outputs.into_iter().map(|name| OutputDecl { name, optional: false }).collect();
    task
}

fn independent(count: usize) -> Vec<TaskDef> {
    (0..count).map(|at| task(format!("t{at}"), Vec::new(), Vec::new())).collect()
}

fn chain(count: usize) -> Vec<TaskDef> {
    let variable = |at: usize| format!("V{at}");
    let inputs = |at: usize| at.checked_sub(1).map(variable).into_iter().collect();
    (0..count).map(|at| task(format!("t{at}"), inputs(at), vec![variable(at)])).collect()
}

/// Each task takes what three tasks of the layer before set.
fn layered(layers: usize, width: usize) -> Vec<TaskDef> {
    let variable = |layer: usize, place: usize| format!("V{layer}_{}", place % width);
    let each = (0..layers).flat_map(|layer| (0..width).map(move |place| (layer, place)));
    each.map(|(layer, place)| {
        let inputs = layer.checked_sub(1).map_or_else(Vec::new, |before| {
            (place..place + 3).map(|place| variable(before, place)).collect()
        });
        task(format!("t{layer}_{place}"), inputs, vec![variable(layer, place)])
    })
    .collect()
}

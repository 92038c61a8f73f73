//! Random workflows.

use crate::random::Random;
use loom_core::{
    Backoff, Definition, ForEach, OnFailure, OutputDecl, RetryPolicy, TaskDef, TaskKind, Value,
};
use std::time::Duration;

/// A workflow of up to 14 tasks that use everything that scheduling knows.
pub(crate) fn workflow(random: &mut Random, name: String) -> Definition {
    let count = 1 + random.below(14);
    let mut tasks: Vec<TaskDef> = (0..count).map(|place| task(random, place)).collect();
    if random.one_in(2) {
        let mut end = TaskDef::new("end", "end");
        end.kind = TaskKind::Barrier;
        tasks.push(end);
    }
    let on_failure = if random.one_in(5) { OnFailure::Stop } else { OnFailure::Continue };
    Definition { on_failure, ..Definition::new(name, tasks) }
}

fn task(random: &mut Random, place: usize) -> TaskDef {
    let mut task = TaskDef::new(format!("t{place}"), "cmd");
    if random.one_in(5) {
        task.kind = TaskKind::Instant;
    }
    for _ in 0..random.below(3).min(place) {
        let name = variable(random.below(place));
        if !task.inputs.contains(&name) {
            task.inputs.push(name);
        }
    }
    if place > 0 && random.one_in(4) {
        task.execution.depends_on.push(format!("t{}", random.below(place)));
    }
    // Usually each task sets its own variable; now and then one that another sets too.
    let own = if random.one_in(6) { random.below(place + 1) } else { place };
    task.outputs.names.push(OutputDecl { name: variable(own), optional: random.one_in(5) });
    task.retry = RetryPolicy {
        max_attempts: 1 + random.below(3) as u32,
        backoff: Backoff::Exponential,
        initial: Duration::from_millis(1 + random.below(5000) as u64),
        max: Duration::from_secs(10),
        jitter: 0.5,
    };
    task.execution.exclusive = task.kind == TaskKind::Work && random.one_in(8);
    task.execution.workers = random.one_in(8).then(|| 1 + random.below(2) as u32);
    task.execution.priority = random.below(3) as i32;
    task.allow_failure = random.one_in(4);
    if random.one_in(6) {
        task.for_each = Some(ForEach::Items((0..random.below(6)).map(Value::from).collect()));
    }
    if random.one_in(8) {
        let of = variable(random.below(place + 1));
        task.when = Some(format!("{of} is undefined or {of}|string|length < 14"));
    }
    task
}

pub(crate) fn variable(place: usize) -> String {
    format!("V{place}")
}

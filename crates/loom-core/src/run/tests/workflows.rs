//! Random workflows.

use crate::test_support::{barrier, instant, task};
use crate::{Definition, EventDecl, EventTrigger, ForEach, OnFailure, RetryPolicy, TaskDef, Value};
use proptest::prelude::*;
use serde_json::json;

pub(super) const NAMES: [&str; 7] = ["A", "B", "C", "D", "E", "TRUE", LIST];

/// What `for_each` tasks run over. Only tasks without `for_each` emit it.
pub(super) const LIST: &str = "LIST";

/// A workflow that prints as one line a task.
#[derive(Clone)]
pub(super) struct Workflow {
    pub(super) definition: Definition,
    /// What tasks emit as [`LIST`], one way or another.
    pub(super) lists: Vec<Value>,
}

/// What is drawn of a task beside its place in the graph.
#[derive(Clone, Copy, Debug)]
struct Flags {
    kind: u8,
    allow_failure: bool,
    exclusive: bool,
    emits_list: bool,
    attempts: u32,
    /// 0 to 2 items; over `LIST`; none.
    each: u8,
}

fn any_flags() -> impl Strategy<Value = Flags> {
    (0..8u8, any::<bool>(), any::<bool>(), any::<bool>(), 1..3u32, 0..10u8).prop_map(
        |(kind, allow_failure, exclusive, emits_list, attempts, each)| Flags {
            kind,
            allow_failure,
            exclusive,
            emits_list,
            attempts,
            each,
        },
    )
}

fn any_task(place: usize) -> impl Strategy<Value = TaskDef> {
    let name = prop::sample::select(&NAMES[..6]);
    (
        prop::collection::vec(name.clone(), 0..3),
        prop::collection::vec((name, any::<bool>()), 0..3),
        prop::collection::vec(0..10usize, 0..2),
        any_flags(),
    )
        .prop_map(move |(inputs, outputs, after, flags)| {
            let name = format!("t{place}");
            let mut def = match flags.kind {
                0 => barrier(&name),
                1 | 2 => instant(&name),
                _ => task(&name),
            };
            inputs.into_iter().for_each(|input| def.inputs.push(input.into()));
            for (output, optional) in outputs {
                def = def.out(&format!("{output}{}", if optional { "?" } else { "" }));
            }
            // Later tasks depend on earlier ones, and one in five the other way round.
            after.into_iter().filter(|&on| on < place || on % 5 == 4).for_each(|on| {
                def.execution.depends_on.push(format!("t{on}"));
            });
            if flags.emits_list {
                let on = EventTrigger::Always;
                def.events = vec![EventDecl { name: "a.b".into(), on, payload: None }];
            }
            def.allow_failure = flags.allow_failure;
            def.execution.exclusive = flags.exclusive && flags.kind == 3;
            def.retry = RetryPolicy { max_attempts: flags.attempts, ..RetryPolicy::default() };
            match flags.each {
                _ if flags.kind == 0 => def,
                count @ 0..3 => {
                    let items = (0..count).map(Value::from).collect();
                    def.with(|def| def.for_each = Some(ForEach::Items(items)))
                }
                3 | 4 => {
                    def.needs(LIST).with(|def| def.for_each = Some(ForEach::Variable(LIST.into())))
                }
                _ if flags.emits_list => def.out(LIST),
                _ => def,
            }
        })
}

pub(super) fn any_workflow() -> impl Strategy<Value = Workflow> {
    let tasks = (1..10usize).prop_flat_map(|count| (0..count).map(any_task).collect::<Vec<_>>());
    (tasks, any::<bool>()).prop_map(|(mut tasks, stops)| {
        let count = tasks.len();
        for def in &mut tasks {
            def.execution.depends_on.retain(|on| on[1..].parse::<usize>().unwrap() < count);
        }
        let mut lists = vec![json!([]), json!([1]), json!([1, 2]), json!(3)];
        let mut definition = Definition::new("random", tasks);
        if stops {
            definition.on_failure = OnFailure::Stop;
            leave_no_choice(&mut definition, &mut lists);
        }
        Workflow { definition, lists }
    })
}

/// Of what happens in one instant, no rule says whether it was before a failure in that instant that
/// stopped the run. Such a failure comes from a wrong list; so at most one task has one, and then no
/// other ends in the instant in which it fires, having no items.
fn leave_no_choice(definition: &mut Definition, lists: &mut Vec<Value>) {
    let runs_over_list = |def: &&mut TaskDef| matches!(def.for_each, Some(ForEach::Variable(_)));
    let mut over_list = definition.tasks.iter_mut().filter(runs_over_list);
    if over_list.next().is_none() {
        return;
    }
    over_list.for_each(|def| def.for_each = Some(ForEach::Items(vec![json!(1)])));
    for def in &mut definition.tasks {
        if let Some(ForEach::Items(items)) = &mut def.for_each
            && items.is_empty()
        {
            items.push(json!(1));
        }
    }
    lists.retain(|list| *list != json!([]));
}

impl std::fmt::Debug for Workflow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "on failure {:?}", self.definition.on_failure)?;
        for task in &self.definition.tasks {
            let outputs = task.outputs.names.iter().map(|out| (&out.name, out.optional));
            writeln!(
                f,
                "{} {:?} in {:?} out {:?} after {:?} each {:?} alone {} attempts {} allowed {}",
                task.name,
                task.kind,
                task.inputs,
                outputs.collect::<Vec<_>>(),
                task.execution.depends_on,
                task.for_each,
                task.execution.exclusive,
                task.retry.max_attempts,
                task.allow_failure,
            )?;
        }
        Ok(())
    }
}

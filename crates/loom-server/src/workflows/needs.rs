//! What a run of a workflow must be given.

use loom_core::Definition;
use loom_protocol::api::NeedView;
use std::collections::{BTreeMap, HashSet};

/// Inputs that neither `workflow.env` nor a task can set. None, if a task may emit anything.
pub(crate) fn needs(definition: &Definition) -> Vec<NeedView> {
    let tasks = &definition.tasks;
    if tasks.iter().any(|task| task.outputs.any) {
        return Vec::new();
    }
    let emitted = tasks.iter().flat_map(|task| task.outputs.names.iter().map(|it| &*it.name));
    let set: HashSet<&str> =
        definition.env.iter().map(|it| &*it.name).chain(emitted).chain(["TRUE"]).collect();
    let mut needs = BTreeMap::<&str, Vec<String>>::new();
    for task in tasks {
        for input in task.inputs.iter().filter(|input| !set.contains(input.as_str())) {
            needs.entry(input).or_default().push(task.name.clone());
        }
    }
    let view = |(name, tasks): (&str, Vec<String>)| NeedView { name: name.to_owned(), tasks };
    needs.into_iter().map(view).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_core::{OutputDecl, TaskDef};

    #[test]
    fn what_nothing_sets_must_be_given() {
        let mut first = TaskDef::new("first", "noop");
        first.inputs = vec!["TRUE".into(), "GIVEN".into()];
        first.outputs.names = vec![OutputDecl { name: "MADE".into(), optional: false }];
        let mut second = TaskDef::new("second", "noop");
        second.inputs = vec!["MADE".into(), "GIVEN".into()];
        let definition = Definition::new("w", vec![first, second]);
        let tasks = vec!["first".into(), "second".into()];
        assert_eq!(needs(&definition), [NeedView { name: "GIVEN".into(), tasks }]);
    }
}

//! Pictures of a workflow, and of a run of one: Mermaid, DOT, text for a terminal, and data for
//! programs.

mod dot;
mod edges;
mod mark;
mod mermaid;
mod text;
mod view;

pub use view::{run_view, view};

use edges::Picture;
use loom_core::{Definition, History, TaskDef};

/// A form of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A Mermaid flowchart.
    Mermaid,
    /// For Graphviz.
    Dot,
    /// For a terminal.
    Text,
}

/// A workflow as a text.
pub fn workflow(definition: &Definition, form: Form) -> String {
    draw(&Picture::new(definition), form)
}

/// A run as a text: its workflow, and where each task stands.
pub fn run(history: &History, form: Form) -> String {
    draw(&Picture::marked(history.run().plan().definition(), mark::marks(history)), form)
}

fn draw(picture: &Picture<'_>, form: Form) -> String {
    match form {
        Form::Mermaid => mermaid::draw(picture),
        Form::Dot => dot::draw(picture),
        Form::Text => text::draw(picture),
    }
}

/// What is worth saying of a task beside its name: splits, joins, and what its settings do.
fn notes(picture: &Picture<'_>, at: u32) -> Vec<String> {
    let task = picture.task(at);
    let mut notes = Vec::new();
    if picture.is_split(at) {
        notes.push("⑂ split".into());
    }
    if picture.is_join(at) {
        notes.push("⑃ join".into());
    }
    notes.extend(settings(task));
    notes.extend(picture.mark(at).into_iter().flat_map(mark::Mark::notes));
    notes
}

fn settings(task: &TaskDef) -> Vec<String> {
    let mut notes = Vec::new();
    if task.execution.exclusive {
        notes.push("alone".into());
    }
    if task.for_each.is_some() {
        notes.push("for each".into());
    }
    if task.when.is_some() {
        notes.push("if".into());
    }
    if task.allow_failure {
        notes.push("may fail".into());
    }
    if !task.permissions.is_empty() {
        notes.push(format!("needs {}", task.permissions.join(", ")));
    }
    notes
}

/// The tasks of each `parallel_group`, in the order of the file, and those of none.
fn groups<'a>(picture: &Picture<'a>) -> (Vec<(&'a str, Vec<u32>)>, Vec<u32>) {
    let mut groups: Vec<(&str, Vec<u32>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    let mut alone = Vec::new();
    for at in picture.tasks() {
        let Some(name) = picture.task(at).execution.parallel_group.as_deref() else {
            alone.push(at);
            continue;
        };
        let place = *places.entry(name).or_insert_with(|| {
            groups.push((name, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(at);
    }
    (groups, alone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_core::{OutputDecl, TaskKind};

    fn mermaid(definition: &Definition) -> String {
        workflow(definition, Form::Mermaid)
    }

    fn dot(definition: &Definition) -> String {
        workflow(definition, Form::Dot)
    }

    fn text(definition: &Definition) -> String {
        workflow(definition, Form::Text)
    }

    pub(super) fn task(name: &str, inputs: &[&str], outputs: &[&str]) -> TaskDef {
        let mut task = TaskDef::new(name, "noop");
        task.inputs = inputs.iter().map(|&name| name.to_owned()).collect();
        task.outputs.names = outputs
            .iter()
            .map(|&name| OutputDecl { name: name.to_owned(), optional: false })
            .collect();
        task
    }

    pub(super) fn pipeline() -> Definition {
        let mut tasks = vec![
            task("start", &[], &["TRUE"]),
            task("extract_data", &["TRUE"], &["RAW_DATA"]),
            task("transform_data", &["RAW_DATA"], &["CLEAN_DATA"]),
            task("backup_raw", &["RAW_DATA"], &["BACKUP_LOCATION"]),
            task("load_data", &["CLEAN_DATA", "BACKUP_LOCATION"], &[]),
            task("end", &["TRUE"], &[]),
        ];
        tasks[1].execution.exclusive = true;
        tasks[3].execution.depends_on = vec!["extract_data".into()];
        tasks[3].permissions = vec!["can_write_backup".into()];
        tasks[5].kind = TaskKind::Barrier;
        Definition::new("Parallel Data Pipeline", tasks)
    }

    #[test]
    fn the_pipeline_is_drawn_as_its_author_drew_it() {
        let expected = "\
graph TD
    start[\"start\"]
    extract_data[\"extract_data<br/>⑂ split · alone\"]
    transform_data[\"transform_data\"]
    backup_raw[\"backup_raw<br/>needs can_write_backup\"]
    load_data[\"load_data<br/>⑃ join\"]
    t5([\"end\"])
    start -->|TRUE| extract_data
    extract_data -->|RAW_DATA| transform_data
    extract_data -->|RAW_DATA| backup_raw
    transform_data -->|CLEAN_DATA| load_data
    backup_raw -->|BACKUP_LOCATION| load_data
    load_data --> t5
";
        assert_eq!(mermaid(&pipeline()), expected);
    }

    #[test]
    fn text_shows_levels_splits_and_joins() {
        let expected = "\
Parallel Data Pipeline · 6 tasks in 5 levels

 1  start
    └─ TRUE ─▶ extract_data
 2  extract_data  ⑂ split · alone
    ├─ RAW_DATA ─▶ transform_data
    └─ RAW_DATA ─▶ backup_raw
 3  transform_data
    └─ CLEAN_DATA ─▶ load_data
    backup_raw  needs can_write_backup
    └─ BACKUP_LOCATION ─▶ load_data
 4  load_data  ⑃ join
    └─ ─▶ end
 5  end
";
        assert_eq!(text(&pipeline()), expected);
    }

    #[test]
    fn names_are_escaped_and_groups_are_drawn() {
        let mut tasks = vec![task("say \"hi\" <b> #1 \\", &[], &["X"]), task("t1", &["X"], &[])];
        tasks[0].execution.parallel_group = Some("a \"group\"".into());
        let definition = Definition::new("q\"", tasks);
        let mermaid = mermaid(&definition);
        assert!(mermaid.contains("subgraph g0[\"a #quot;group#quot;\"]"), "{mermaid}");
        assert!(mermaid.contains("t0[\"say #quot;hi#quot; #lt;b#gt; #35;1 \\\"]"), "{mermaid}");
        assert!(mermaid.contains("t0 -->|X| t1\n"), "{mermaid}");
        let dot = dot(&definition);
        assert!(dot.contains("digraph \"q\\\"\""), "{dot}");
        assert!(dot.contains("label=\"say \\\"hi\\\" <b> #1 \\\\\""), "{dot}");
        assert!(dot.contains("subgraph cluster_0 {\n        label=\"a \\\"group\\\"\";"), "{dot}");
    }

    #[test]
    fn a_variable_between_many_is_one_knot() {
        let takers = (0..40).map(|at| task(&format!("taker{at}"), &["X"], &[]));
        let makers = (0..40).map(|at| task(&format!("maker{at}"), &[], &["X"]));
        let definition = Definition::new("many", makers.chain(takers).collect());
        assert_eq!(mermaid(&definition).matches("-->").count(), 80);
        assert_eq!(dot(&definition).matches("->").count(), 80);
        assert!(text(&definition).contains("X ─▶ taker0, taker1"), "{}", text(&definition));
    }

    #[test]
    fn a_circle_is_drawn_too() {
        let tasks = vec![task("a", &["Y"], &["X"]), task("b", &["X"], &["Y"]), task("c", &[], &[])];
        let text = text(&Definition::new("circle", tasks));
        assert!(text.contains(" ↻  a"), "{text}");
    }
}

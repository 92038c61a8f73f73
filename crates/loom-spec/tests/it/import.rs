//! Traces of other systems.

use crate::checked;
use loom_core::Definition;
use loom_spec::import::wfformat;
use loom_spec::{Limits, Source, Style};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn import(trace: &Value, scale: f64) -> Result<Definition, String> {
    let source = Source::new("trace.json", trace.to_string());
    let text = wfformat(&source, &Limits::default(), scale)
        .map_err(|problems| problems.render(&source, Style::Plain))?;
    let source = Source::new("imported.yaml", text);
    let checked = checked(&source, &[], &[]);
    checked.map(|checked| checked.definition).map_err(|problems| {
        format!("{}\n{}", problems.render(&source, Style::Plain), source.text())
    })
}

fn trace(tasks: &Value, runtimes: &[(&str, f64)]) -> Value {
    let runs: Vec<Value> = runtimes
        .iter()
        .map(|(id, seconds)| json!({ "id": id, "runtimeInSeconds": seconds }))
        .collect();
    json!({
        "name": "small", "schemaVersion": "1.5",
        "workflow": { "specification": { "tasks": tasks }, "execution": { "tasks": runs } },
    })
}

/// Every (parent, child) that the definition implies.
fn edges(definition: &Definition) -> BTreeSet<(String, String)> {
    let mut edges = BTreeSet::new();
    for child in &definition.tasks {
        for input in &child.inputs {
            for parent in &definition.tasks {
                if parent.outputs.names.iter().any(|output| output.name == *input) {
                    edges.insert((parent.name.clone(), child.name.clone()));
                }
            }
        }
        for parent in &child.execution.depends_on {
            edges.insert((parent.clone(), child.name.clone()));
        }
    }
    edges
}

fn pairs(pairs: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    pairs.iter().map(|&(from, to)| (from.to_owned(), to.to_owned())).collect()
}

#[test]
fn parents_are_exactly_the_edges() {
    let tasks = json!([
        { "name": "make", "id": "make_1", "parents": [], "inputFiles": ["in"], "outputFiles": ["/d/a.txt", "shared", "unread"] },
        { "name": "make", "id": "make_2", "parents": [], "inputFiles": [], "outputFiles": ["/e/a.txt", "shared"] },
        { "name": "use", "id": "use \"it\"\n", "parents": ["make_1", "make_2"], "inputFiles": ["/d/a.txt", "shared"], "outputFiles": ["{{ X }}"] },
        { "name": "free", "id": "free", "parents": [], "inputFiles": ["/d/a.txt"], "outputFiles": [] },
        { "name": "last", "id": "last", "parents": ["use \"it\"\n", "make_2"], "inputFiles": ["{{ X }}", "/e/a.txt"] },
    ]);
    let runs =
        [("make_1", 2.0), ("make_2", 0.5), ("use \"it\"\n", 1.0), ("free", 0.0), ("last", 3.0)];
    let definition = import(&trace(&tasks, &runs), 0.25).unwrap();
    let used = "use \"it\"";
    assert_eq!(
        edges(&definition),
        pairs(&[("make_1", used), ("make_2", used), (used, "last"), ("make_2", "last")])
    );
    let task = |name: &str| definition.tasks.iter().find(|task| task.name == name).unwrap();
    assert_eq!(task(used).execution.depends_on, ["make_2"], "`shared` has two writers");
    assert_eq!(
        task("make_1").params,
        *json!({ "duration": 0.5, "outputs": { "FILE_a_txt": "/d/a.txt" } }).as_object().unwrap()
    );
    assert_eq!(task("make_2").outputs.names[0].name, "FILE_a_txt_2");
    assert_eq!(task("make_1").annotations["trace_name"], "make");
}

#[test]
fn version_1_4_keeps_files_and_times_in_the_tasks() {
    let definition = import(
        &json!({
            "name": "old", "schemaVersion": "1.4",
            "workflow": { "tasks": [
                { "name": "a", "runtimeInSeconds": 1, "parents": [],
                  "files": [{ "link": "output", "name": "f", "sizeInBytes": 1 }] },
                { "name": "b", "runtimeInSeconds": 2.5, "parents": ["a"],
                  "files": [{ "link": "input", "name": "f" }] },
            ] },
        }),
        2.0,
    )
    .unwrap();
    assert_eq!(edges(&definition), pairs(&[("a", "b")]));
    assert_eq!(definition.tasks[1].params["duration"], 5.0);
}

#[test]
fn what_is_wrong_is_said_with_its_pointer() {
    let one = |task: Value| trace(&json!([task]), &[("a", 1.0)]);
    for (trace, pointer) in [
        (json!([]), "no `/schemaVersion`"),
        (json!({ "schemaVersion": "2.0" }), "/schemaVersion"),
        (json!({ "schemaVersion": "1.5" }), "no `/workflow`"),
        (one(json!({ "name": "a" })), ""),
        (one(json!({ "name": "a", "id": 5 })), "/workflow/specification/tasks/0/id"),
        (one(json!({ "name": "b", "id": "b" })), "/workflow/specification/tasks/0"),
        (
            one(json!({ "name": "a", "id": "a", "parents": ["x"] })),
            "/workflow/specification/tasks/0/parents/0",
        ),
        (
            one(json!({ "name": "a", "id": "a", "inputFiles": [7] })),
            "/workflow/specification/tasks/0/inputFiles/0",
        ),
        (
            trace(&json!([{ "name": "a", "id": "a" }]), &[("a", -1.0)]),
            "/workflow/execution/tasks/0/runtimeInSeconds",
        ),
        (
            trace(&json!([{ "name": "a", "id": "a" }, { "name": "b", "id": "a" }]), &[("a", 1.0)]),
            "/workflow/specification/tasks/1/id",
        ),
    ] {
        match import(&trace, 1.0) {
            Ok(_) => assert_eq!(pointer, "", "{trace}"),
            Err(text) => {
                assert!(
                    text.starts_with("error[L111]") && text.contains(pointer),
                    "{pointer}: {text}"
                );
                assert!(!pointer.is_empty(), "{text}");
            }
        }
    }
    assert!(import(&trace(&json!([]), &[]), f64::NAN).unwrap_err().contains("L605"));
}

proptest! {
    /// Whatever the tasks of a trace read and write, they depend on each other as it says.
    #[test]
    fn every_trace_keeps_its_parents(
        made in prop::collection::vec(
            (0usize..4, prop::collection::vec(any::<prop::sample::Index>(), 0..4), any::<u8>()),
            1..40,
        ),
    ) {
        let mut tasks: Vec<Value> = Vec::new();
        let mut expected = BTreeSet::new();
        for (at, (files, parents, reads)) in made.iter().enumerate() {
            let parents: BTreeSet<usize> =
                parents.iter().filter(|_| at > 0).map(|parent| parent.index(at)).collect();
            // Of what each parent writes, some; and something that nobody wrote.
            let mut inputs = vec![json!("given")];
            for parent in &parents {
                let written = tasks[*parent]["outputFiles"].as_array().unwrap();
                inputs.extend(written.iter().take(usize::from(reads % 3)).cloned());
                expected.insert((format!("t{parent}"), format!("t{at}")));
            }
            let outputs: Vec<String> = (0..*files).map(|nth| format!("f{at}.{nth}")).collect();
            let parents: Vec<String> = parents.iter().map(|parent| format!("t{parent}")).collect();
            tasks.push(json!({
                "name": "task", "id": format!("t{at}"), "parents": parents, "inputFiles": inputs,
                "outputFiles": outputs,
            }));
        }
        let ids: Vec<String> = (0..tasks.len()).map(|at| format!("t{at}")).collect();
        let times: Vec<(&str, f64)> = ids.iter().map(|id| (id.as_str(), 1.0)).collect();
        let definition = import(&trace(&json!(tasks), &times), 0.0).unwrap();
        prop_assert_eq!(definition.tasks.len(), tasks.len());
        prop_assert_eq!(edges(&definition), expected);
    }
}

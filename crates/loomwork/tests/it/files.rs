//! Commands that write: `init`, `schema`, `graph`, `import`, `completions`, `man`.

use crate::harness::Loom;
use std::fs;

#[test]
fn init_writes_a_workflow_that_runs_and_overwrites_nothing() {
    let loom = Loom::new();
    loom.loom(&["init", "new"]).exits(0).warns("loom run new/workflow.yaml");
    loom.loom(&["validate", "new/workflow.yaml"]).exits(0);
    loom.loom(&["run", "new/workflow.yaml", "--var", "NAME=Ada"]).exits(0).says("umbrella");
    assert!(loom.read("new/greetings.txt").starts_with("Hello, Ada! It is "));
    let before = loom.read("new/workflow.yaml");
    loom.loom(&["init", "new"]).exits(2).warns("error[L607]");
    assert_eq!(loom.read("new/workflow.yaml"), before);
}

#[test]
fn the_schema_is_one_json_document() {
    let said = Loom::new().loom(&["schema"]).exits(0);
    let schema: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert!(schema["$schema"].as_str().unwrap().contains("2020-12"));
}

#[test]
fn graphs_are_drawn_in_three_ways_without_running_anything() {
    let loom = Loom::with(
        r#"
name: g
tasks:
  - { name: a, plugin: cmd, outputs: [A], params: { command: "touch ran" } }
  - { name: b, plugin: cmd, inputs: [A, GIVEN], params: { command: "touch ran" } }
"#,
    );
    loom.loom(&["graph", "w.yaml"]).exits(0).says("graph").says("-->");
    loom.loom(&["graph", "w.yaml", "--format", "dot"]).exits(0).says("digraph");
    loom.loom(&["graph", "w.yaml", "--format", "text"]).exits(0).says("A ─▶ b");
    assert!(!loom.path("ran").exists());
    loom.file("bad.yaml", "[").loom(&["graph", "bad.yaml"]).exits(2).warns("error[L101]");
}

#[test]
fn a_trace_becomes_a_workflow_that_runs() {
    let trace = r#"{ "name": "t", "schemaVersion": "1.5", "workflow": {
        "specification": {
            "tasks": [
                { "name": "a", "id": "a", "parents": [], "children": ["b"],
                  "inputFiles": [], "outputFiles": ["f"] },
                { "name": "b", "id": "b", "parents": ["a"], "children": [],
                  "inputFiles": ["f"], "outputFiles": [] } ],
            "files": [{ "id": "f", "sizeInBytes": 1 }] },
        "execution": { "makespanInSeconds": 2, "executedAt": "20200101T000000Z",
            "tasks": [ { "id": "a", "runtimeInSeconds": 1 }, { "id": "b", "runtimeInSeconds": 1 } ],
            "machines": [{ "nodeName": "n" }] } } }"#;
    let loom = Loom::new().file("trace.json", trace);
    loom.loom(&["import", "wfformat", "trace.json", "--scale", "0", "-o", "w.yaml"]).exits(0);
    loom.loom(&["run", "w.yaml"]).exits(0).says("succeeded");
    loom.loom(&["import", "wfformat", "trace.json", "-o", "w.yaml"]).exits(2).warns("error[L607]");
    loom.loom(&["import", "wfformat", "trace.json", "--scale=-1"]).exits(2).warns("error[L605]");
    loom.file("no.json", "{}")
        .loom(&["import", "wfformat", "no.json"])
        .exits(2)
        .warns("error[L111]");
}

#[test]
fn completions_and_manual_pages_are_written() {
    let loom = Loom::new();
    for shell in ["bash", "zsh", "fish"] {
        loom.loom(&["completions", shell]).exits(0).says("resume");
    }
    loom.loom(&["man"]).exits(0).says(".TH loom");
    loom.loom(&["man", "pages"]).exits(0);
    let pages = fs::read_dir(loom.path("pages")).unwrap().count();
    assert!(pages > 15, "{pages}");
}

//! Commands that write: `init`, `schema`, `graph`, `import`, `completions`, `man`.

use crate::harness::Loom;
use serde_json::json;
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
    let import = ["import", "wfformat", "trace.json", "--scale", "0", "--json"];
    let text = loom.loom(&import).exits(0).json()[0]["text"].as_str().unwrap().to_owned();
    let written = &loom.loom(&[&import[..], &["-o", "w.yaml"]].concat()).exits(0).json()[0];
    assert_eq!(written, &json!({ "files": ["w.yaml"], "next_steps": ["loom run w.yaml"] }));
    assert_eq!(loom.read("w.yaml"), text);
    loom.loom(&["run", "w.yaml"]).exits(0).says("succeeded");
    loom.loom(&["import", "wfformat", "trace.json", "-o", "w.yaml"]).exits(2).warns("error[L607]");
    loom.loom(&["import", "wfformat", "trace.json", "--scale=-1"]).exits(2).warns("error[L605]");
    loom.file("no.json", "{}")
        .loom(&["import", "wfformat", "no.json"])
        .exits(2)
        .warns("error[L111]");
}

#[test]
fn what_writes_files_or_draws_says_so_in_json_too() {
    let loom = Loom::with("name: g\ntasks: [{ name: a, plugin: noop }]");
    let one = |args: &[&str]| {
        let told = loom.loom(&[args, &["--json"]].concat()).exits(0).json();
        assert_eq!(told.len(), 1, "{args:?}");
        told.into_iter().next().unwrap()
    };
    let written =
        json!({ "files": ["new/workflow.yaml"], "next_steps": ["loom run new/workflow.yaml"] });
    assert_eq!(one(&["init", "new"]), written);
    assert!(one(&["schema"])["$schema"].is_string());
    let graph = one(&["graph", "w.yaml"]);
    assert_eq!((&graph["nodes"][0]["name"], &graph["levels"]), (&json!("a"), &json!([["a"]])));
    loom.loom(&["run", "w.yaml", "-q"]).exits(0);
    let graph = one(&["graph", "--run", "last"]);
    assert_eq!(
        (&graph["state"], &graph["nodes"][0]["phase"]),
        (&json!("succeeded"), &json!("succeeded"))
    );
    let pages = one(&["man", "pages"]);
    let files = pages["files"].as_array().unwrap();
    assert!(files.contains(&json!("pages/loom-why.1")), "{pages}");
    assert_eq!(files.len(), fs::read_dir(loom.path("pages")).unwrap().count());
    assert!(one(&["man"])["page"].as_str().unwrap().contains(".TH loom"));
    for refused in [&["graph", "w.yaml", "--format", "dot"][..], &["completions", "bash"]] {
        let said = loom.loom(&[refused, &["--json"]].concat()).exits(2);
        assert_eq!(said.warns("does not apply").json()[0]["code"], "L605");
    }
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

#[test]
fn shells_complete_the_states_of_runs() {
    for shell in ["bash", "zsh", "fish"] {
        let loom = Loom::new();
        loom.loom(&["completions", shell]).exits(0).says("queued").says("interrupted");
    }
}

//! The graph of a run.

use super::harness::Server;
use crate::watch::eventually;
use serde_json::{Value, json};

const WORK: &str = "
name: drawn
tasks:
  - name: make
    plugin: cmd
    outputs: [MADE]
    params: { command: 'echo MADE=7' }
  - name: each
    plugin: cmd
    inputs: [MADE]
    for_each: [1, 2, 3]
    allow_failure: true
    params: { command: 'test $ITEM != 2' }
  - name: flaky
    plugin: cmd
    outputs: [OK]
    retry: { max_attempts: 3, backoff: none }
    params: { command: 'exit 75' }
  - { name: behind, plugin: noop, inputs: [OK, MADE] }
  - name: gate
    plugin: cmd
    params: { command: 'while [ ! -e go ] && [ -e $LOOM_STORE ]; do sleep 0.02; done' }
";

fn node<'a>(graph: &'a Value, name: &str) -> &'a Value {
    graph["nodes"].as_array().unwrap().iter().find(|node| node["name"] == name).unwrap()
}

#[test]
fn the_graph_of_a_run_tells_where_its_tasks_stand() {
    let server = Server::start();
    server.register(WORK);
    let run = server.begin("drawn");
    let path = format!("/api/v1/runs/{run}/graph");
    let graph = eventually("only the gate is open", || {
        let graph = server.get(&path).expect(200);
        let open = |name| {
            ["waiting", "ready", "running"].map(Value::from).contains(&node(&graph, name)["phase"])
        };
        let rest = ["make", "each", "flaky", "behind"];
        let is_there = node(&graph, "gate")["phase"] == "running" && !rest.into_iter().any(open);
        is_there.then_some(graph)
    });
    assert_eq!((&graph["run"], &graph["state"]), (&json!(run), &json!("running")));
    let detail = server.get(&format!("/api/v1/runs/{run}")).expect(200);
    assert_eq!(graph["last_seq"], detail["last_seq"]);
    // Beside where tasks stand it is the graph of the workflow.
    let plain = server.get("/api/v1/workflows/default/drawn/latest/graph").expect(200);
    assert_eq!((&graph["edges"], &graph["levels"]), (&plain["edges"], &plain["levels"]));
    for (name, phase, attempts) in [
        ("make", "succeeded", 1),
        ("each", "failed", 3),
        ("flaky", "failed", 3),
        ("behind", "skipped", 0),
        ("gate", "running", 1),
    ] {
        let node = node(&graph, name);
        assert_eq!(
            (&node["phase"], &node["attempts"]),
            (&json!(phase), &json!(attempts)),
            "{node}"
        );
        assert_eq!(node["took_s"].is_number(), attempts > 0, "{node}");
    }
    assert_eq!(node(&graph, "each")["items"], json!({ "failed": 1, "succeeded": 2 }));
    assert_eq!(node(&graph, "make").get("items"), None);

    let mermaid = server.get(&format!("{path}?format=mermaid"));
    assert_eq!(mermaid.header("content-type"), "text/vnd.mermaid; charset=utf-8");
    for part in [
        "graph TD\n",
        "make(\"make<br/>⑂ split · succeeded\"):::succeeded",
        "each{{\"each<br/>for each · may fail · failed · 3/3 items\"}}:::failed",
        "flaky{{\"flaky<br/>failed · 3 attempts\"}}:::failed",
        "behind[/\"behind<br/>⑃ join · skipped\"/]:::skipped",
        "gate[[\"gate<br/>running\"]]:::running",
        "make -->|MADE| each",
        "classDef failed fill:",
    ] {
        assert!(mermaid.text.contains(part), "{part}: {}", mermaid.text);
    }
    assert!(!mermaid.text.contains("classDef cancelled"), "{}", mermaid.text);
    let dot = server.get(&format!("{path}?format=dot"));
    assert_eq!(dot.header("content-type"), "text/vnd.graphviz; charset=utf-8");
    assert!(dot.text.contains("label=\"gate\\nrunning\", shape=box3d"), "{}", dot.text);
    let workflow = "/api/v1/workflows/default/drawn/latest/graph";
    assert_eq!(server.get(&format!("{workflow}?format=mermaid")).text, plain["mermaid"]);
    assert_eq!(server.get(&format!("{workflow}?format=dot")).text, plain["dot"]);
    server.get(&format!("{path}?format=png")).problem(400, "L605");
    server.get("/api/v1/runs/01kvy9m2c8t4q0r6w1x5z3a7b9/graph").problem(404, "L601");

    // The command line draws the same.
    let url = server.url("");
    let drawn = server.loom.loom(&["graph", "--run", &run, "--server", &url]).exits(0);
    assert_eq!(drawn.out, mermaid.text);
    let args = ["graph", "--run", "last", "--format", "text", "--server", &url];
    let text = server.loom.loom(&args).exits(0);
    assert!(text.out.contains("  gate  running\n"), "{}", text.out);
    std::fs::write(server.loom.path("go"), "").unwrap();
}

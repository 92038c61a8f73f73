//! Graphs, namespaces, plugins, and the freshness of what is started.

use super::harness::Server;
use crate::harness::Loom;
use serde_json::{Value, json};

const DIAMOND: &str = "
name: diamond
version: 1.0.0
tasks:
  - { name: top, plugin: noop, outputs: ['A?'] }
  - { name: left, plugin: noop, inputs: [A], outputs: ['L?'] }
  - { name: right, plugin: noop, inputs: [A], outputs: ['R?'] }
  - { name: bottom, plugin: noop, inputs: [L, R], execution: { depends_on: [top] } }
";

#[test]
fn the_graph_has_nodes_edges_levels_and_pictures() {
    let server = Server::start();
    server.register(DIAMOND);
    let graph = server.get("/api/v1/workflows/default/diamond/latest/graph").expect(200);
    assert_eq!(graph["levels"], json!([["top"], ["left", "right"], ["bottom"]]));
    let node = |at: usize| &graph["nodes"][at];
    assert_eq!((&node(0)["split"], &node(3)["join"]), (&json!(true), &json!(true)));
    let edge = json!({ "from": "top", "to": "left", "variables": ["A"], "order": false });
    assert!(graph["edges"].as_array().unwrap().contains(&edge), "{graph}");
    let order = json!({ "from": "top", "to": "bottom", "variables": [], "order": true });
    assert!(graph["edges"].as_array().unwrap().contains(&order), "{graph}");
    assert!(graph["mermaid"].as_str().unwrap().starts_with("graph TD"));
    assert!(graph["dot"].as_str().unwrap().starts_with("digraph"));
    server.get("/api/v1/workflows/default/nosuch/latest/graph").problem(404, "L703");
    server.get("/api/v1/workflows/default/diamond/x/graph").problem(400, "L605");
}

#[test]
fn namespaces_count_workflows_and_runs() {
    let server = Server::start();
    server.register(DIAMOND);
    server.register(&DIAMOND.replace("1.0.0", "1.1.0"));
    server.register(&DIAMOND.replace("name: diamond", "name: diamond\nnamespace: other"));
    let run = server.begin("diamond");
    server.until(&run, "succeeded");
    let found = server.get("/api/v1/namespaces").expect(200);
    let expected = json!([
        { "name": "default", "workflows": 1, "runs": 1 },
        { "name": "other", "workflows": 1, "runs": 0 },
    ]);
    assert_eq!(found["items"], expected);
}

#[test]
fn a_plugin_tells_its_parameters() {
    let server = Server::start();
    let plugin = server.get("/api/v1/plugins/http").expect(200);
    assert_eq!(plugin["name"], "http");
    assert!(plugin["params_schema"]["properties"]["url"].is_object(), "{plugin}");
    server.get("/api/v1/plugins/nosuch").problem(404, "L703");
    server.get("/api/v1/plugins/..%2fnosuch").problem(404, "L703");
}

#[test]
fn a_workflow_with_a_plugin_that_cannot_be_used_is_refused() {
    let loom = Loom::new().file("plugins/mine/plugin.yaml", "command: 7\n");
    let server = Server::with(loom, &[]);
    let yaml = [("content-type", "application/yaml")];
    let sent = "workflow:\n  name: w\n  tasks:\n    - { name: a, plugin: mine }\n";
    let refused = server.send("POST", "/api/v1/workflows", &yaml, sent).problem(422, "L301");
    assert_eq!(refused["diagnostics"][0]["line"], 4, "{refused}");
    let listed = server.get("/api/v1/plugins/mine").expect(200);
    assert_eq!((&listed["name"], &listed["problem"]["code"]), (&json!("mine"), &json!("L301")));
    let why = listed["problem"]["message"].as_str().unwrap();
    assert!(why.contains("plugin.yaml:1: "), "{listed}");
    assert!(server.get("/api/v1/plugins/http").expect(200)["problem"].is_null());
}

#[test]
fn own_changes_take_effect_at_once() {
    let server = Server::start();
    server.register(DIAMOND);
    let version = |answer: Value| {
        let id = answer["id"].as_str().unwrap().to_owned();
        server.get(&format!("/api/v1/runs/{id}")).expect(200)["version"].clone()
    };
    let start = || server.post("/api/v1/runs", &json!({ "workflow": "diamond" }));
    assert_eq!(version(start().expect(201)), "1.0.0");
    server.register(&DIAMOND.replace("1.0.0", "1.1.0"));
    assert_eq!(version(start().expect(201)), "1.1.0");
    let path = "/api/v1/workflows/default/diamond/1.1.0";
    server.send("POST", &format!("{path}/disable"), &[], "").expect(200);
    start().problem(422, "L712");
    server.send("POST", &format!("{path}/enable"), &[], "").expect(200);
    start().expect(201);
}

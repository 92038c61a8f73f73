//! Events of a workflow's own, from the file to `--json`.

use crate::harness::Loom;
use serde_json::{Value, json};
use std::path::Path;

/// `[name, task, payload]` of each event that was announced.
fn announced(events: &[Value]) -> Vec<Value> {
    let custom = events.iter().filter(|event| event["type"] == "custom");
    custom.map(|event| json!([event["name"], event["task"], event["payload"]])).collect()
}

#[test]
fn tasks_announce_how_they_settled_and_secrets_are_masked() {
    let loom = Loom::with(
        r#"
name: shop
secrets: [CARD]
tasks:
  - name: place
    plugin: cmd
    outputs: [ORDER, CARD]
    events: [order.placed]
    params: { command: "echo ORDER=7; echo CARD=4111-1111" }
  - name: ship
    plugin: cmd
    inputs: [ORDER]
    events:
      - order.shipped
      - { name: order.lost, on: failure, payload: [ORDER] }
    params: { command: exit 3 }
  - name: bill
    plugin: cmd
    execution: { depends_on: [ship] }
    events: [{ name: order.closed, on: always }]
    params: { command: "true" }
"#,
    );
    let said = loom.loom(&["run", "w.yaml", "--json"]).exits(1);
    assert!(!said.out.contains("4111"), "{}", said.out);
    let expected = [
        json!(["order.placed", "place", { "ORDER": "7", "CARD": "***" }]),
        json!(["order.lost", "ship", { "ORDER": "7" }]),
        json!(["order.closed", "bill", {}]),
    ];
    assert_eq!(announced(&said.json()), expected);
    loom.loom(&["run", "w.yaml"]).exits(1).says("◆ order.lost  announced by ship");
}

#[test]
fn reserved_names_are_refused_before_anything_runs() {
    let loom = Loom::with("name: w\ntasks: [{ name: a, plugin: noop, events: [task.done] }]");
    let refused = loom.loom(&["run", "w.yaml"]).exits(2);
    refused.warns("error[L214]").warns("reserved").warns("did you mean `a.done`?");
    loom.loom(&["explain", "L214"]).exits(0).says("an event's name is not allowed");
}

#[test]
fn the_example_announces_what_it_says() {
    let example =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/retry-and-recover.yaml");
    let loom = Loom::new();
    let said = loom.loom(&["run", example.to_str().unwrap(), "--json"]).exits(0);
    let announced = announced(&said.json());
    let names: Vec<&str> = announced.iter().filter_map(|event| event[0].as_str()).collect();
    assert!(
        names.contains(&"payload.checked") && names.contains(&"notification.failed"),
        "{names:?}"
    );
    assert_eq!(names.len(), 2);
}

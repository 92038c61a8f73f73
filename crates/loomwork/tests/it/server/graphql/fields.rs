//! Every query and every mutation, once, against what REST says of the same things.

use super::super::harness::Server;
use super::client::{data, refusal};
use super::schema::INTROSPECTION;
use crate::watch::eventually;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Waits in its first task until the file `go` is there; another fails.
const WORK: &str = "workflow:
  name: work
  description: made for GraphQL
  tags: [a, b]
  tasks:
    - name: wait
      plugin: cmd
      outputs: [X]
      params: { command: 'while [ ! -e go ] && [ -e $LOOM_STORE ]; do sleep 0.02; done; echo X=$GIVEN; echo EXTRA=8' }
      inputs: [GIVEN]
    - { name: each, plugin: cmd, inputs: [X], for_each: [1, 2, 3], params: { command: 'true' } }
    - { name: bad, plugin: cmd, params: { command: 'test -e mended' } }
    - { name: after, plugin: noop, execution: { depends_on: [bad] } }
";

/// A server, and the fields of the schema that were asked of it.
struct Tour {
    server: Server,
    seen: RefCell<BTreeSet<String>>,
}

impl Tour {
    fn begin() -> Self {
        Self { server: Server::start(), seen: RefCell::default() }
    }

    /// What a field answers; `rest` is its arguments and what is asked of it.
    #[track_caller]
    fn ask(&self, kind: &str, field: &str, rest: &str, variables: &Value) -> Value {
        self.seen.borrow_mut().insert(field.to_owned());
        let query = format!("{kind} {{ {field}{rest} }}");
        data(&self.server, &query, variables)[field].take()
    }

    #[track_caller]
    fn query(&self, field: &str, rest: &str) -> Value {
        self.ask("query", field, rest, &json!({}))
    }

    #[track_caller]
    fn change(&self, field: &str, rest: &str) -> Value {
        self.ask("mutation", field, rest, &json!({}))
    }

    fn rest(&self, path: &str) -> Value {
        self.server.get(&format!("/api/v1/{path}")).expect(200)
    }

    /// Starts a run of `work`, and waits until its bad task has failed.
    fn begin_run(&self) -> String {
        let run = r#"(run: { workflow: "work", variables: { GIVEN: "7" } }) { id }"#;
        let id = self.change("startRun", run)["id"].as_str().unwrap().to_owned();
        eventually("the failure", || {
            let task = self.rest(&format!("runs/{id}/tasks/bad"));
            (task["phase"] == "failed").then_some(())
        });
        id
    }
}

#[test]
fn every_query_and_mutation_does_what_rest_does() {
    let tour = Tour::begin();
    workflows(&tour);
    let run = starts(&tour);
    steering(&tour, &run);
    reads(&tour, &run);
    std::fs::remove_file(tour.server.loom.path("go")).unwrap();
    by_hand(&tour);
    ends(&tour, &run);
    let schema = data(&tour.server, INTROSPECTION, &json!({}));
    let types = schema["__schema"]["types"].as_array().unwrap();
    let roots = types.iter().filter(|it| it["name"] == "Query" || it["name"] == "Mutation");
    let fields = roots.flat_map(|root| root["fields"].as_array().unwrap());
    let all: BTreeSet<String> =
        fields.map(|field| field["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(*tour.seen.borrow(), all);
}

fn workflows(tour: &Tour) {
    let source = json!({ "source": WORK });
    let registered = data(
        &tour.server,
        "mutation($source: String!) { registerWorkflow(source: $source) { version tasks hash } }",
        &source,
    );
    tour.seen.borrow_mut().insert("registerWorkflow".to_owned());
    let rest = tour.rest("workflows/default/work/latest");
    let registered = &registered["registerWorkflow"];
    assert_eq!((&registered["version"], &registered["hash"]), (&json!("0.1.0"), &rest["hash"]));
    let fields = r#"(name: "work") { namespace name version description tags disabled
        registeredAt registeredBy hash tasks source needs { name tasks }
        graph { nodes { name plugin level split join } edges { from to variables order }
          knots { variable from to } levels mermaid dot }
        versions { nodes { version } } }"#;
    let found = tour.query("workflow", fields);
    assert_eq!(found["source"], WORK);
    assert_eq!(found["needs"], rest["needs"]);
    assert_eq!(found["versions"], json!({ "nodes": [{ "version": "0.1.0" }] }));
    assert_eq!(
        found["graph"]["mermaid"],
        tour.rest("workflows/default/work/latest/graph")["mermaid"]
    );
    assert_eq!(found["registeredAt"], rest["registered_at"]);
    // A list tells as much as one that is asked for.
    let listed = tour.query("workflows", "(first: 1) { nodes { source needs { name } } }");
    assert_eq!(listed["nodes"][0], json!({ "source": WORK, "needs": [{ "name": "GIVEN" }] }));
    assert_eq!(
        tour.query("namespaces", "{ nodes { name workflows runs } }"),
        json!({ "nodes": [{ "name": "default", "workflows": 1, "runs": 0 }] })
    );
    let key = r#"(namespace: "default", name: "work", version: "0.1.0") { disabled }"#;
    assert_eq!(tour.change("disableWorkflow", key), json!({ "disabled": true }));
    let start = r#"mutation { startRun(run: { workflow: "work" }) { id } }"#;
    assert_eq!(refusal(&tour.server, start, &json!({})).0, "L712");
    assert_eq!(tour.change("enableWorkflow", key), json!({ "disabled": false }));
}

fn starts(tour: &Tour) -> String {
    let query = r#"mutation($run: StartRun!) {
        startRun(run: $run, idempotencyKey: "once") { id repeated run { id reason } } }"#;
    let run = json!({ "run": {
        "workflow": "work", "variables": { "GIVEN": { "any": ["json", 1] } }, "tags": ["t"],
        "annotations": { "ticket": "7" }, "initiator": "ann", "source": "ci", "reason": "why not",
        "correlationId": "c-1", "workers": 3,
    } });
    let first = data(&tour.server, query, &run)["startRun"].take();
    let id = first["id"].as_str().unwrap();
    assert_eq!(first["run"], json!({ "id": id, "reason": "why not" }));
    let again = data(&tour.server, query, &run)["startRun"].take();
    assert_eq!((&again["id"], &again["repeated"]), (&json!(id), &json!(true)));
    let window = r#"mutation { startRun(windowS: 600, run: {
        workflow: "work", variables: { GIVEN: 1 } }) { id repeated } }"#;
    let one = data(&tour.server, window, &json!({}))["startRun"].take();
    let two = data(&tour.server, window, &json!({}))["startRun"].take();
    assert_eq!((&one["id"], &two["repeated"]), (&two["id"], &json!(true)));
    let rest = tour.rest(&format!("runs/{id}"));
    for (name, value) in [("tags", json!(["t"])), ("annotations", json!({ "ticket": "7" }))] {
        assert_eq!(rest[name], value);
    }
    assert_eq!((&rest["correlation_id"], &rest["workers"]), (&json!("c-1"), &json!(3)));
    id.to_owned()
}

/// Pauses a run and lets it go on, to its end.
fn steering(tour: &Tour, run: &str) {
    let id = format!("(id: \"{run}\") {{ id state }}");
    let etag = tour.query("run", &format!("(id: \"{run}\") {{ etag }}"))["etag"].clone();
    let rest = tour.server.get(&format!("/api/v1/runs/{run}"));
    assert_eq!(rest.header("etag").trim_matches('"'), etag);
    let update = |more: &str| {
        let change = r#"change: { tags: ["t"], annotations: { ticket: "7", gone: null } }"#;
        format!("(id: \"{run}\", {change}{more}) {{ annotations tags }}")
    };
    let add = format!(
        "(id: \"{run}\", change: {{ annotations: {{ gone: \"x\" }} }}, etag: {etag}) {{ annotations }}"
    );
    let added = tour.change("updateRun", &add);
    assert_eq!(added["annotations"], json!({ "ticket": "7", "gone": "x" }));
    for (stale, code) in [(etag.to_string(), "L705"), ("\"x\"".to_owned(), "L705")] {
        let stale = format!("mutation {{ updateRun{} }}", update(&format!(", etag: {stale}")));
        assert_eq!(refusal(&tour.server, &stale, &json!({})).0, code);
    }
    let changed = tour.change("updateRun", &update(""));
    assert_eq!(changed, json!({ "annotations": { "ticket": "7" }, "tags": ["t"] }));
    assert_eq!(tour.change("pauseRun", &id)["state"], "PAUSED");
    assert_eq!(tour.change("resumeRun", &id)["state"], "RUNNING");
    std::fs::write(tour.server.loom.path("go"), "").unwrap();
    tour.server.until(run, "failed");
    tour.change("retryRun", &id);
    let found = eventually("another failure", || {
        let found = tour.rest(&format!("runs/{run}"));
        (found["tasks"][2]["attempts"].as_array().unwrap().len() == 2).then_some(found)
    });
    assert_eq!(found["interventions"].as_array().unwrap().len(), 3);
    let keys = tour.query("annotationKeys", "(first: 5) { nodes { key runs } edges { cursor } }");
    let rest_keys = tour.rest("runs/annotation-keys");
    assert_eq!(
        (&keys["nodes"], keys["nodes"][0]["key"].as_str()),
        (&rest_keys["items"], Some("ticket"))
    );
    tour.server.until(run, "failed");
}

fn reads(tour: &Tour, run: &str) {
    let detail = tour.rest(&format!("runs/{run}"));
    let fields = format!(
        r#"(id: "{run}") {{
        id namespace workflow version state alive createdAt startedAt finishedAt workers tags
        annotations initiator source reason correlationId startAt rerunOf external lastSeq counts
        variables {{ nodes {{ name value secret setBy at }} }}
        tasks(first: 2) {{
          edges {{ cursor node {{ name plugin maxAttempts inputs amended phase waitingSince readyAt settledAt items
            itemsSettled skipped resolved {{ by reason }} failure {{ code }}
            attempts(first: 2) {{ nodes {{ attempt item readyAt assignedAt startedAt endedAt result
              retryAt failure {{ kind code message retryable retryAfter exitStatus error tail }} }}
              pageInfo {{ hasNextPage endCursor }} }} }} }}
          pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }}
        interventions {{ at by act tasks reason maxAttempts inputs }}
        criticalPath {{ task item readyAt endedAt queuedS ranS backedOffS }}
        definition {{ name version }} }}"#
    );
    let found = tour.query("run", &fields);
    for (ours, rest) in [
        ("state", json!("FAILED")),
        ("createdAt", detail["created_at"].clone()),
        ("annotations", json!({ "ticket": "7" })),
        ("tags", json!(["t"])),
        ("lastSeq", detail["last_seq"].clone()),
        ("counts", detail["counts"].clone()),
        ("definition", json!({ "name": "work", "version": "0.1.0" })),
    ] {
        assert_eq!(found[ours], rest, "{ours}");
    }
    assert_eq!(found["interventions"].as_array().unwrap().len(), 3);
    let variables = found["variables"]["nodes"].as_array().unwrap();
    assert_eq!(variables.len(), detail["variables"].as_array().unwrap().len());
    let given = variables.iter().find(|it| it["name"] == "GIVEN").unwrap();
    assert_eq!(given["value"], json!({ "any": ["json", 1] }));
    let tasks = &found["tasks"];
    assert_eq!(tasks["pageInfo"]["hasNextPage"], true);
    let attempts = &tasks["edges"][1]["node"]["attempts"];
    assert_eq!(
        (&attempts["nodes"][1]["item"], &attempts["pageInfo"]["hasNextPage"]),
        (&json!(1), &json!(true))
    );
    let rest = format!(
        r#"(id: "{run}") {{ tasks(after: {}) {{ nodes {{ name }} pageInfo {{ hasNextPage }} }} }}"#,
        tasks["pageInfo"]["endCursor"]
    );
    let rest = tour.query("run", &rest);
    let expected = json!({ "nodes": [{ "name": "bad" }, { "name": "after" }],
        "pageInfo": { "hasNextPage": false } });
    assert_eq!(rest["tasks"], expected);
    one_task(tour, run);
    lists(tour, run);
    assert!(tour.query("eventCursor", "").as_str().unwrap().contains('-'));
}

fn one_task(tour: &Tour, run: &str) {
    let fields = format!(
        r#"(run: "{run}", name: "wait") {{ phase outputs {{ name setBy }}
            attempt(number: 1) {{ result inputs {{ name value outdated }} undeclared {{ name value }} }} }}"#
    );
    let task = tour.query("task", &fields);
    assert_eq!(task["outputs"], json!([{ "name": "X", "setBy": "wait" }]));
    let around = "maxAttempts inputs amended isRoot isLeaf parentCount childCount \
        parents { nodes } children(first: 1) { nodes pageInfo { hasNextPage } }";
    let of = |name: &str| format!("(run: \"{run}\", name: \"{name}\") {{ {around} }}");
    for name in ["wait", "each"] {
        let (task, rest) =
            (tour.query("task", &of(name)), tour.rest(&format!("runs/{run}/tasks/{name}")));
        let names = |what: &str| rest[what].as_array().unwrap().clone();
        assert_eq!(task["parents"]["nodes"], json!(names("parents")));
        assert_eq!(
            task["children"]["nodes"],
            json!(names("children").iter().take(1).collect::<Vec<_>>())
        );
        assert_eq!(task["children"]["pageInfo"]["hasNextPage"], names("children").len() > 1);
        assert_eq!((&task["inputs"], &task["amended"]), (&rest["inputs"], &json!({})));
        assert_eq!(task["maxAttempts"], rest["max_attempts"]);
        let counts = [names("parents").len(), names("children").len()];
        assert_eq!(json!([task["parentCount"], task["childCount"]]), json!(counts));
        let ends = counts.map(|count| count == 0);
        assert_eq!(json!([task["isRoot"], task["isLeaf"]]), json!(ends));
    }
    assert_eq!(task["attempt"]["undeclared"], json!([{ "name": "EXTRA", "value": "8" }]));
    assert_eq!(task["attempt"]["inputs"][0]["name"], "GIVEN");
    let bad = format!(
        r#"(run: "{run}", name: "bad") {{ attempts {{ nodes {{ failure {{ code exitStatus }} }} }} }}"#
    );
    let failures = tour.query("task", &bad);
    let failure = json!({ "failure": { "code": "L401", "exitStatus": 1 } });
    assert_eq!(failures["attempts"]["nodes"], json!([failure, failure]));
}

fn lists(tour: &Tour, run: &str) {
    let fields = r#"(filter: { status: [FAILED], tag: ["t"], annotation: ["ticket=7"],
        workflow: "work", namespace: "default", initiator: "ann", text: "why" }, sort: CREATED_ASC)
        { nodes { id tasks(first: 1) { nodes { name } } } }"#;
    let found = tour.query("runs", fields);
    assert_eq!(
        found,
        json!({ "nodes": [{ "id": run, "tasks": { "nodes": [{ "name": "wait" }] } }] })
    );
    let counts = tour.query("runCounts", r#"(filter: { workflow: "work" }) { total byState }"#);
    assert_eq!(counts["total"], 2);
    assert_eq!(counts["byState"]["paused"], 0);
    // Page by page, in both directions.
    let all = |sort: &str| {
        let (mut ids, mut after) = (Vec::new(), String::new());
        loop {
            let page = format!(
                "(sort: {sort}, first: 1{after}) {{ edges {{ cursor node {{ id }} }} \
                 pageInfo {{ hasNextPage endCursor }} }}"
            );
            let page = tour.query("runs", &page);
            let edges = page["edges"].as_array().unwrap();
            ids.extend(edges.iter().map(|edge| edge["node"]["id"].clone()));
            assert_eq!(edges[0]["cursor"], page["pageInfo"]["endCursor"]);
            if page["pageInfo"]["hasNextPage"] == false {
                return ids;
            }
            after = format!(", after: {}", edges[0]["cursor"]);
        }
    };
    let (mut up, down) = (all("CREATED_ASC"), all("CREATED_DESC"));
    assert_eq!((up.len(), &up[0]), (2, &json!(run)));
    up.reverse();
    assert_eq!(up, down);
    for forged in ["runs(after: \"forged\")", "workflows(after: \"default/a\")"] {
        let query = format!("{{ {forged} {{ pageInfo {{ endCursor }} }} }}");
        assert_eq!(refusal(&tour.server, &query, &json!({})).0, "L711");
    }
    // The doors take each other's cursors.
    tour.server.register("{ name: zebra, tasks: [{ name: a, plugin: noop }] }");
    let page = tour.rest("workflows?limit=1");
    let next =
        format!("(after: {}) {{ nodes {{ name }} edges {{ cursor }} }}", page["next_cursor"]);
    let next = tour.query("workflows", &next);
    assert_eq!(
        (&page["items"][0]["name"], &next["nodes"]),
        (&json!("work"), &json!([{ "name": "zebra" }]))
    );
    let end = tour.query("workflows", "(first: 1) { pageInfo { endCursor } }");
    let end = end["pageInfo"]["endCursor"].as_str().unwrap();
    assert_eq!(tour.rest(&format!("workflows?cursor={end}"))["items"][0]["name"], "zebra");
    tour.server.register("{ name: zebra, version: 0.2.0, tasks: [{ name: a, plugin: noop }] }");
    let page = tour.rest("workflows/default/zebra?limit=1");
    let fields = format!(
        "(name: \"zebra\") {{ versions(first: 1, after: {}) {{ nodes {{ version }} \
         pageInfo {{ hasNextPage }} }} }}",
        page["next_cursor"]
    );
    assert_eq!(page["items"][0]["version"], "0.2.0");
    assert_eq!(
        tour.query("workflow", &fields)["versions"],
        json!({ "nodes": [{ "version": "0.1.0" }], "pageInfo": { "hasNextPage": false } })
    );
    // Variables go by name: one that comes later may stand before others.
    let names = |after: &str| {
        let query =
            format!("(id: {run:?}) {{ variables(after: {after:?}) {{ nodes {{ name }} }} }}");
        let nodes = tour.query("run", &query)["variables"]["nodes"].clone();
        nodes.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    let all: Vec<String> = names("");
    assert!(all.len() > 1 && all.is_sorted(), "{all:?}");
    assert_eq!(names(&all[0]), all[1..]);
    assert_eq!(names(&format!("{}!", all[0])), all[1..]);
}

/// Settles the tasks of a run by hand.
fn by_hand(tour: &Tour) {
    let run = tour.begin_run();
    let of = |task: &str, more: &str| format!(r#"(run: "{run}", task: "{task}"{more}) {{ id }}"#);
    tour.change("amendTask", &of("each", ", what: { maxAttempts: 2, inputs: { X: 1 } }"));
    tour.change("retryTask", &of("bad", ""));
    eventually("another failure", || {
        let task = tour.rest(&format!("runs/{run}/tasks/bad"));
        let attempts = task["attempts"].as_array().unwrap().len();
        (attempts == 2 && task["phase"] == "failed").then_some(())
    });
    tour.change("skipTask", &of("each", r#", reason: "not today""#));
    tour.change("resolveTask", &of("bad", r#", how: { reason: "by hand", outputs: {} }"#));
    tour.change("cancelTask", &of("wait", r#", reason: "enough""#));
    let ended = eventually("the end", || {
        let found = tour.rest(&format!("runs/{run}"));
        found["finished_at"].is_string().then_some(found)
    });
    let phases: Vec<&Value> =
        ended["tasks"].as_array().unwrap().iter().map(|task| &task["phase"]).collect();
    assert_eq!(phases, ["cancelled", "skipped", "resolved", "succeeded"]);
    let acts = ended["interventions"].as_array().unwrap().iter().map(|it| &it["act"]);
    let acts: Vec<&Value> = acts.collect();
    assert_eq!(acts, ["amend", "retry", "skip", "resolve", "cancel_task"]);
    assert_eq!(ended["interventions"][2]["reason"], "not today");
}

fn ends(tour: &Tour, run: &str) {
    let how = r#", how: { variables: { GIVEN: "8" }, reason: "again" }, idempotencyKey: "r""#;
    let rerun = format!(r#"(id: "{run}"{how}) {{ id repeated run {{ rerunOf reason }} }}"#);
    let again = tour.change("rerunRun", &rerun);
    assert_eq!(again["run"], json!({ "rerunOf": run, "reason": "again" }));
    assert_eq!(tour.change("rerunRun", &rerun)["repeated"], true);
    let new = again["id"].as_str().unwrap();
    tour.change("cancelRun", &format!(r#"(id: "{new}", reason: "enough") {{ id }}"#));
    let found = tour.server.until(new, "cancelled");
    assert_eq!(found["interventions"][0]["reason"], "enough");
    assert_eq!(tour.change("deleteRun", &format!(r#"(id: "{new}")"#)), json!(new));
    tour.server.get(&format!("/api/v1/runs/{new}")).problem(404, "L601");
}

#[test]
fn a_field_that_fails_leaves_the_others_their_answers() {
    let server = Server::start();
    server.register("{ name: one, tasks: [{ name: a, plugin: noop }] }");
    let run = server.begin("one");
    server.until(&run, "succeeded");
    let query = format!(r#"{{ good: run(id: "{run}") {{ id }} bad: run(id: "nosuch") {{ id }} }}"#);
    let (code, answer) = refusal(&server, &query, &json!({}));
    assert_eq!(code, "L601");
    assert_eq!(answer["data"], json!({ "good": { "id": run }, "bad": null }));
    let error = &answer["errors"][0];
    assert_eq!((&error["path"], &error["extensions"]["status"]), (&json!(["bad"]), &json!(404)));
    // Mutations are done one after the other; what was done before a failure stays done.
    let twice = format!(
        r#"mutation {{ new: startRun(run: {{ workflow: "one" }}) {{ id }}
            old: cancelRun(id: "{run}") {{ id }} }}"#
    );
    let (code, answer) = refusal(&server, &twice, &json!({}));
    assert_eq!((code.as_str(), &answer["data"]["old"]), ("L603", &Value::Null));
    server.until(answer["data"]["new"]["id"].as_str().unwrap(), "succeeded");
}

#[test]
fn errors_carry_what_a_problem_document_does() {
    let server = Server::start();
    let query = "mutation($source: String!) { registerWorkflow(source: $source) { name } }";
    let body = json!({ "query": query, "variables": { "source": "workflow: { nam: x }" } });
    let headers = [("content-type", "application/json"), ("x-correlation-id", "matter-7")];
    let answer = server.send("POST", "/graphql", &headers, &body.to_string());
    assert_eq!(answer.header("x-correlation-id"), "matter-7");
    let answer = answer.expect(200);
    let extensions = &answer["errors"][0]["extensions"];
    let rest = server.send("POST", "/api/v1/workflows", &[], "workflow: { nam: x }");
    let rest = rest.json();
    for name in ["code", "status", "diagnostics"] {
        assert_eq!(extensions[name], rest[name], "{name}");
    }
    assert_eq!(answer["errors"][0]["message"], rest["detail"]);
    assert_eq!(extensions["correlationId"], "matter-7");
}

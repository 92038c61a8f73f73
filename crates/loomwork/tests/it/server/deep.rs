//! JSON that is nested so deep that nobody could read it again, and rows that nobody can.

use super::harness::Server;
use super::sse::Reader;
use crate::watch::eventually;
use rusqlite::Connection;
use serde_json::{Value, json};

const JSON: (&str, &str) = ("content-type", "application/json");
const ONE: &str = "{ name: one, tasks: [{ name: a, plugin: noop }] }";

fn lists(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

/// JSON in a text under the key by which the reader of JSON would take it for what it says.
fn ladder() -> String {
    (0..3).fold(lists(60), |text, _| {
        let key = json!({ "$serde_json::private::RawValue": text });
        format!("[[[{key}]]]")
    })
}

/// What no door takes, and what it says.
fn too_deep() -> [(String, &'static str); 4] {
    let deep = "nested more than 64 deep";
    [
        (lists(64), deep),
        (lists(125), deep),
        (r#"{"a":"#.repeat(70) + "1" + &"}".repeat(70), deep),
        (ladder(), "is reserved"),
    ]
}

#[test]
fn no_door_takes_what_could_not_be_read_again() {
    let server = Server::start();
    server.register(ONE);
    let run = server.begin("one");
    let task = format!("/api/v1/runs/{run}/tasks/a");
    let doors = [
        ("POST", "/api/v1/runs".to_owned(), r#"{"workflow":"one","variables":{"V":DEEP}}"#),
        ("PATCH", task.clone(), r#"{"inputs":{"V":DEEP}}"#),
        ("POST", format!("{task}/resolve"), r#"{"outputs":{"V":DEEP}}"#),
        ("PUT", "/api/v1/schedules/s".to_owned(), r#"{"run":{"variables":{"V":DEEP}}}"#),
        ("PUT", "/api/v1/triggers/t".to_owned(), r#"{"run":{"variables":{"V":DEEP}}}"#),
        ("POST", "/graphql".to_owned(), r#"{"query":"{ a }","variables":{"V":DEEP}}"#),
        ("PATCH", "/dotflow/workflows/w/tasks/t".to_owned(), r#"{"current_context":DEEP}"#),
    ];
    for (method, path, body) in &doors {
        for (deep, why) in too_deep() {
            let body = body.replace("DEEP", &deep);
            let answer = server.send(method, path, &[JSON], &body);
            assert_eq!(answer.status, 400, "{path}: {}", answer.text);
            assert!(answer.text.contains("L605"), "{path}: {}", answer.text);
            assert!(answer.text.contains(why), "{path}: {}", answer.text);
        }
    }
    assert_eq!(server.get("/api/v1/runs").expect(200)["items"].as_array().unwrap().len(), 1);
    server.get("/health/ready").expect(200);
}

#[test]
fn an_attempt_that_emits_too_deep_values_fails_and_harms_nobody() {
    let mut server = Server::start();
    let file = |name: &str| {
        let command = format!("cat {} >> $LOOM_OUTPUT", server.loom.path(name).display());
        format!("{{ name: {name}, plugin: cmd, params: {{ command: '{command}' }} }}")
    };
    let names = ["shallow", "limit", "deep", "ladder"];
    for (name, depth) in [("shallow", 62), ("limit", 64), ("deep", 126)] {
        let text = format!("{{\"X\":{}}}\n", lists(depth));
        std::fs::write(server.loom.path(name), text).unwrap();
    }
    std::fs::write(server.loom.path("ladder"), format!("{{\"X\":{}}}\n", ladder())).unwrap();
    let tasks: Vec<String> = names.iter().map(|name| file(name)).collect();
    server.register(&format!("{{ name: deep, tasks: [{}] }}", tasks.join(", ")));
    let run = server.begin("deep");
    let found = server.until(&run, "failed");
    let told = |name: &str| server.get(&format!("/api/v1/runs/{run}/tasks/{name}")).expect(200);
    assert_eq!(told("shallow")["phase"], "succeeded", "{found}");
    for name in &names[1..] {
        let task = told(name);
        assert_eq!(task["phase"], "failed", "{task}");
        assert!(task.to_string().contains("L406"), "{task}");
    }
    server.crash_and_restart();
    let mut feed = Reader::open(&server, "/api/v1/events?after=0-0&types=run.finished");
    assert_eq!(feed.next().unwrap().data["run"], run.as_str());
}

/// What was recorded while deeper values were taken is read; what cannot be read by anybody is passed
/// over, told, and keeps nobody from the rest.
#[test]
fn a_row_that_cannot_be_read_keeps_nobody_from_the_others() {
    let mut server = Server::start();
    server.register(ONE);
    let runs: Vec<String> = (0..3)
        .map(|_| {
            let run = server.begin("one");
            server.until(&run, "succeeded");
            run
        })
        .collect();
    server.stop();
    let conn = Connection::open(server.loom.path("store/loom.db")).unwrap();
    let rows: Vec<(i64, String)> = conn
        .prepare("SELECT id, events FROM journal ORDER BY id")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let put = |depth: usize, (id, events): &(i64, String)| {
        let mut events: Value = serde_json::from_str(events).unwrap();
        let event = events.as_array_mut().unwrap().iter_mut().find(|it| it["e"] == "succeeded");
        event.unwrap()["out"] = json!([{ "n": "X", "v": "DEEP" }]);
        let events = events.to_string().replace("\"DEEP\"", &lists(depth));
        conn.execute("UPDATE journal SET events = ? WHERE id = ?", (&events, id)).unwrap();
    };
    let ends: Vec<_> = rows.iter().filter(|(_, events)| events.contains("\"succeeded\"")).collect();
    // A row around this is deeper than readers of JSON go by themselves, and what is told of it is not.
    put(124, ends[0]);
    put(3000, ends[1]);
    drop(conn);
    server.go_on();
    let mut feed = Reader::open(&server, "/api/v1/events?after=0-0&types=task.succeeded");
    let first = feed.next().unwrap().data;
    assert_eq!(first["run"], runs[0].as_str());
    assert!(first.to_string().contains(&lists(100)), "{first}");
    assert_eq!(feed.next().unwrap().data["run"], runs[2].as_str());
    let after = server.begin("one");
    assert_eq!(feed.next().unwrap().data["run"], after.as_str());
    let ready = server.get("/health/ready").expect(200);
    let said = ready["checks"]["feed"]["message"].as_str().unwrap();
    assert!(said.contains("passed over") && said.contains(&runs[1]), "{said}");
    eventually("analytics are rebuilt", || {
        let found = server.get("/health/status").expect(200);
        (found["rebuilding"] == false).then_some(())
    });
    let told = server.said().matches("nobody will hear of them").count();
    assert_eq!(told, 1, "{}", server.said());
}

//! Subscriptions: none of their events lost, none twice, whatever ends in between.

use super::super::events::{THREE, assert_whole, start};
use super::super::harness::Server;
use super::super::sse::Sent;
use super::client::{Socket, code, data, refusal};
use crate::watch::eventually;
use serde_json::{Value, json};
use std::sync::mpsc::Sender;

const EVENTS: &str = "subscription($after: String, $types: [String!]) {
    events(after: $after, types: $types) { cursor run seq at type payload } }";

/// A reader who comes back with the last cursor that it saw.
struct Reader {
    address: String,
    types: Value,
    last: String,
    socket: Option<Socket>,
}

impl Reader {
    fn new(server: &Server, types: Value) -> Self {
        let last = data(server, "{ eventCursor }", &json!({}))["eventCursor"].take();
        let last = last.as_str().unwrap().to_owned();
        Self { address: server.address().to_owned(), types, last, socket: None }
    }

    fn next(&mut self) -> Sent {
        loop {
            if self.socket.is_none() {
                let socket = eventually("a connection", || Socket::open_at(&self.address, None));
                let variables = json!({ "after": self.last, "types": self.types });
                self.socket.insert(socket).subscribe("1", EVENTS, &variables);
            }
            let said = self.socket.as_mut().and_then(|socket| socket.hear().ok());
            match said {
                Some(said) if said["type"] == "next" => return self.sent(&said["payload"]["data"]),
                _ => self.socket = None,
            }
        }
    }

    fn sent(&mut self, data: &Value) -> Sent {
        let event = &data["events"];
        event["cursor"].as_str().unwrap().clone_into(&mut self.last);
        for name in ["run", "seq", "at", "type"] {
            assert_eq!(event[name], event["payload"][name], "{event}");
        }
        let kind = event["type"].as_str().unwrap().to_owned();
        Sent { id: self.last.clone(), kind, data: event["payload"].clone() }
    }

    /// Reads until so many runs have finished; leaves now and then.
    fn read(mut self, runs: usize, some: &Sender<()>) -> Vec<Sent> {
        let (mut sent, mut finished) = (Vec::new(), 0);
        while finished < runs {
            let one = self.next();
            finished += usize::from(one.kind == "run.finished");
            sent.push(one);
            if finished == runs / 4 {
                let _ = some.send(());
            }
            if sent.len() % 301 == 0 {
                self.socket = None;
            }
        }
        sent
    }
}

#[test]
fn subscriptions_go_on_where_they_were_after_a_crash_and_after_leaving() {
    const RUNS: usize = 400;
    let mut server = Server::start();
    server.register(THREE);
    let all = Reader::new(&server, Value::Null);
    let few = Reader::new(&server, json!(["run.*"]));
    let (some, quarter) = std::sync::mpsc::channel();
    let [all, few] = std::thread::scope(|scope| {
        let readers = [all, few].map(|reader| {
            let some = some.clone();
            scope.spawn(move || reader.read(RUNS, &some))
        });
        start(&server, "three", RUNS);
        quarter.recv().unwrap();
        server.crash_and_restart();
        assert!(server.taken_up > 0, "the crash came too late");
        readers.map(|reader| reader.join().unwrap())
    });
    assert_whole(&all, RUNS);
    let wanted = |one: &&Sent| one.kind.starts_with("run.");
    assert_eq!(few, all.iter().filter(wanted).cloned().collect::<Vec<_>>());
}

#[test]
fn a_subscriber_hears_what_it_asked_for() {
    let server = Server::start();
    server.register("{ name: one, tasks: [{ name: a, plugin: noop }] }");
    server.register("{ name: two, namespace: other, tasks: [{ name: a, plugin: noop }] }");
    let mut socket = Socket::open(&server, None).unwrap();
    // Several subscriptions share a connection.
    for (id, arguments) in [
        ("finished", r#"types: ["run.finished"]"#),
        ("other", r#"namespace: "other""#),
        ("one", r#"workflow: "one", types: ["run.*"]"#),
    ] {
        let query =
            format!(r#"subscription {{ events(after: "0-0", {arguments}) {{ type run }} }}"#);
        socket.subscribe(id, &query, &json!({}));
    }
    let one = server.begin("one");
    server.until(&one, "succeeded");
    let started = json!({ "workflow": "two", "namespace": "other" });
    let two = server.post("/api/v1/runs", &started).expect(201)["id"].as_str().unwrap().to_owned();
    let mut heard: Vec<(String, String, String)> = Vec::new();
    while heard.iter().filter(|(_, kind, _)| kind == "run.finished").count() < 4 {
        let said = socket.hear().unwrap();
        let event = &said["payload"]["data"]["events"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        heard.push((text(&said["id"]), text(&event["type"]), text(&event["run"])));
    }
    let of = |id: &str| -> Vec<(&str, &str)> {
        let own = heard.iter().filter(|(of, ..)| of == id);
        own.map(|(_, kind, run)| (kind.as_str(), run.as_str())).collect()
    };
    assert_eq!(of("finished"), [("run.finished", &*one), ("run.finished", &*two)]);
    assert_eq!(of("one"), [("run.started", &*one), ("run.finished", &*one)]);
    assert!(of("other").iter().all(|(_, run)| *run == two) && of("other").len() > 1);
}

#[test]
fn the_events_of_one_run_are_followed_from_any_of_them() {
    let server = Server::start();
    server.register("{ name: one, tasks: [{ name: a, plugin: noop }] }");
    let run = server.begin("one");
    let last = server.until(&run, "succeeded")["last_seq"].as_u64().unwrap();
    let mut socket = Socket::open(&server, None).unwrap();
    let query = "subscription($run: ID!, $after: String, $types: [String!]) {
        runEvents(run: $run, after: $after, types: $types) { cursor seq type } }";
    socket.subscribe("1", query, &json!({ "run": run }));
    let mut cursors = Vec::new();
    for seq in 1..=last {
        let event = socket.expect("next", "1")["data"]["runEvents"].take();
        assert_eq!(event["seq"], seq);
        cursors.push(event["cursor"].clone());
    }
    socket.subscribe("2", query, &json!({ "run": run, "after": cursors[1] }));
    assert_eq!(socket.expect("next", "2")["data"]["runEvents"]["seq"], 3);
    let some = json!({ "run": run, "types": ["run.finished"] });
    socket.subscribe("3", query, &some);
    while {
        let said = socket.hear().unwrap();
        said["id"] != "3" || said["payload"]["data"]["runEvents"]["type"] != "run.finished"
    } {}
    for (variables, expected) in [
        (json!({ "run": "nosuch" }), "L601"),
        (json!({ "run": run, "after": "9999" }), "L711"),
        (json!({ "run": run, "after": "x" }), "L711"),
        (json!({ "run": run, "types": ["run.finish"] }), "L605"),
    ] {
        let mut socket = Socket::open(&server, None).unwrap();
        socket.subscribe("x", query, &variables);
        assert_eq!(code(&socket.expect("error", "x")), expected, "{variables}");
    }
    let mut socket = Socket::open(&server, None).unwrap();
    for wrong in ["x", "1", "99999999-0"] {
        socket.subscribe("x", EVENTS, &json!({ "after": wrong }));
        assert_eq!(code(&socket.expect("error", "x")), "L711", "{wrong}");
    }
    assert_eq!(refusal(&server, EVENTS, &json!({})).0, "L751", "not without a WebSocket");
}

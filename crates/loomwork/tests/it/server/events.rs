//! Live events: none lost, none twice, whatever ends in between.

use super::harness::Server;
use super::sse::{Reader, Sent};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

pub(super) const THREE: &str = "
name: three
tasks:
  - { name: a, plugin: noop, outputs: [X?] }
  - { name: b, plugin: sleep, execution: { depends_on: [a] }, params: { duration: 3s } }
  - { name: c, plugin: noop, execution: { depends_on: [b] } }
";

/// Starts so many runs, several at a time.
pub(super) fn start(server: &Server, workflow: &str, runs: usize) {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..runs / 4).for_each(|_| drop(server.begin(workflow))));
        }
    });
}

/// Asserts that every run's events are there from the first to the last, each once and in order.
pub(super) fn assert_whole(sent: &[Sent], runs: usize) {
    let mut next: BTreeMap<&str, u64> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for one in sent {
        assert!(ids.insert(&one.id), "{} came twice", one.id);
        let expected = next.entry(one.data["run"].as_str().unwrap()).or_insert(1);
        assert_eq!(one.data["seq"], *expected, "{one:?}");
        *expected += 1;
    }
    assert_eq!(next.len(), runs);
}

/// Reads until so many runs have finished.
fn read(mut reader: Reader, runs: usize, some: &std::sync::mpsc::Sender<()>) -> Vec<Sent> {
    let (mut sent, mut finished) = (Vec::new(), 0);
    while finished < runs {
        let one = reader.next_for_sure();
        assert_eq!(one.data["type"], one.kind.as_str());
        finished += usize::from(one.kind == "run.finished");
        sent.push(one);
        if finished == runs / 4 {
            let _ = some.send(());
        }
    }
    sent
}

#[test]
fn a_crash_amid_a_thousand_runs_costs_readers_nothing() {
    const RUNS: usize = 1000;
    let mut server = Server::start();
    server.register(THREE);
    let all = Reader::open(&server, "/api/v1/events");
    let few = Reader::open(&server, "/api/v1/events?types=run.*&workflow=three");
    let late = Reader::open(&server, "/api/v1/events?after=0-0");
    let (some, quarter) = std::sync::mpsc::channel();
    let [all, few, late] = std::thread::scope(|scope| {
        let readers = [all, few, late].map(|reader| {
            let some = some.clone();
            scope.spawn(move || read(reader, RUNS, &some))
        });
        start(&server, "three", RUNS);
        quarter.recv().unwrap();
        server.crash_and_restart();
        assert!(server.taken_up > 0, "the crash came too late");
        readers.map(|reader| reader.join().unwrap())
    });
    assert_whole(&all, RUNS);
    assert_eq!(all, late);
    let wanted = |one: &&Sent| one.kind.starts_with("run.");
    assert_eq!(few, all.iter().filter(wanted).cloned().collect::<Vec<_>>());
}

#[test]
fn a_reader_hears_what_it_asked_for() {
    let server = Server::start();
    server.register("{ name: one, tasks: [{ name: a, plugin: noop }] }");
    server.register("{ name: two, namespace: other, tasks: [{ name: a, plugin: noop }] }");
    let mut readers: Vec<Reader> = [
        "/api/v1/events?types=run.finished,task.started",
        "/api/v1/events?namespace=other",
        "/api/v1/events?workflow=one&types=run.*",
        "/api/v1/events?workflow=one&namespace=other",
    ]
    .map(|path| Reader::open(&server, path))
    .into();
    let one = server.begin("one");
    server.until(&one, "succeeded");
    let started = server.post("/api/v1/runs", &json!({ "workflow": "two", "namespace": "other" }));
    let two = started.expect(201)["id"].as_str().unwrap().to_owned();
    server.until(&two, "succeeded");
    let mut heard = |reader: usize, count: usize| -> Vec<(String, String)> {
        let next = |_| {
            let sent = readers[reader].next().unwrap();
            (sent.data["run"].as_str().unwrap().to_owned(), sent.kind)
        };
        (0..count).map(next).collect()
    };
    let of = |run: &str, kinds: &[&str]| -> Vec<(String, String)> {
        kinds.iter().map(|&kind| (run.to_owned(), kind.to_owned())).collect()
    };
    let some = ["task.started", "run.finished"];
    assert_eq!(heard(0, 4), [of(&one, &some), of(&two, &some)].concat());
    let first = heard(1, 1);
    assert_eq!(first, of(&two, &["run.started"]));
    assert_eq!(heard(2, 2), of(&one, &["run.started", "run.finished"]));
    let mut run = Reader::open(&server, &format!("/api/v1/runs/{one}/events?types=run.*&after=1"));
    let finished = run.next().unwrap();
    assert_eq!(finished.kind, "run.finished");
    assert_eq!(finished.id, finished.data["seq"].to_string());
}

#[test]
fn what_is_no_place_or_no_type_is_refused() {
    let server = Server::start();
    server.register("{ name: one, tasks: [{ name: a, plugin: noop }] }");
    let run = server.begin("one");
    server.until(&run, "succeeded");
    for wrong in ["x", "1", "-1", "1-2-3", "99999999-0", "18446744073709551615-0", "1-99999999999"]
    {
        let headers = [("last-event-id", wrong)];
        server.send("GET", "/api/v1/events", &headers, "").problem(422, "L711");
        server.get(&format!("/api/v1/events?after={wrong}")).problem(422, "L711");
    }
    for wrong in ["x", "-1", "9999", "1-0", "18446744073709551615"] {
        let path = format!("/api/v1/runs/{run}/events");
        let refused = server.send("GET", &path, &[("last-event-id", wrong)], "");
        let help = refused.problem(422, "L711")["help"][0].as_str().unwrap().to_owned();
        assert!(help.contains("`after=0`"), "{help}");
    }
    let refused = server.get("/api/v1/events?types=run.finished,task.stared").problem(400, "L605");
    assert_eq!(refused["help"][0], "did you mean `task.started`?");
    server.get("/api/v1/events?type=run.finished").problem(400, "L605");
    server.get("/api/v1/runs/nosuch/events").problem(404, "L601");
}

#[test]
fn the_catalogue_names_every_type() {
    let server = Server::start();
    let catalog = server.get("/api/v1/events/catalog").expect(200);
    let types = catalog["types"].as_array().unwrap();
    let finished = types.iter().find(|kind| kind["type"] == "run.finished").unwrap();
    assert_eq!(finished["schema"]["properties"]["outcome"]["type"], "string");
    let told = server.loom.loom(&["--json", "events"]).json();
    assert_eq!(&told, types);
}

/// How much of the process's memory is its own.
fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

#[test]
fn a_thousand_idle_readers_cost_little_and_hear_what_comes() {
    const READERS: usize = 1000;
    let server = Server::start();
    server.register("{ name: one, tasks: [{ name: a, plugin: noop }] }");
    let before = resident(&server);
    let open = |_| {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        let request = "GET /api/v1/events?types=run.finished HTTP/1.1\r\nhost: localhost\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut lines = BufReader::with_capacity(512, stream);
        until(&mut lines, "id: ");
        lines
    };
    let mut readers: Vec<_> = (0..READERS).map(open).collect();
    let cost = resident(&server) - before;
    assert!(cost <= 50 << 20, "{READERS} readers cost {cost} bytes");
    server.begin("one");
    readers.iter_mut().for_each(|lines| until(lines, "event: run.finished"));
}

/// Reads up to a line that begins so.
fn until(lines: &mut impl BufRead, beginning: &str) {
    let mut line = String::new();
    while !line.starts_with(beginning) {
        line.clear();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "the stream ended");
    }
}

#[test]
fn a_server_that_stops_lets_its_readers_go() {
    let mut server = Server::start();
    let mut reader = Reader::open(&server, "/api/v1/events");
    server.stop();
    assert_eq!(reader.next(), None);
}

#[test]
fn a_reader_goes_on_at_another_server_of_the_store() {
    let server = Server::start();
    server.register(super::access::HELLO);
    let other = server.beside();
    for _ in 0..20 {
        let mut reader = Reader::open(&server, "/api/v1/events?types=run.finished");
        let run = server.begin("hello");
        let seen = reader.next().unwrap();
        assert_eq!(seen.data["run"], run.as_str());
        // The other one may not have read as far yet.
        let path = format!("/api/v1/events?after={}", reader.last_id);
        let mut elsewhere = Reader::open(&other, &path);
        let next = server.begin("hello");
        assert_eq!(elsewhere.next_for_sure().data["run"], next.as_str());
        // The next reader is not to hear of it.
        server.until(&next, "succeeded");
    }
}

//! Files that start runs.

use super::harness::{Answer, Server};
use crate::harness::Loom;
use crate::watch::{Random, eventually};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Tells what it was given of a file, in a line.
const TELL: &str = "
name: tell
tasks:
  - name: tell
    plugin: cmd
    inputs: [FILE, NAME, SIZE, MODIFIED]
    params: { command: 'echo \"$FILE $NAME $SIZE $MODIFIED\" >> told' }
";
const NOOP: &str = "{ name: noop, tasks: [{ name: a, plugin: noop }] }";

/// A server that may watch the folder `in`.
fn server() -> Server {
    let loom = Loom::new();
    let server = watching(loom);
    server.register(NOOP);
    server
}

/// Serves a store, and may watch the folder `in` beside it.
fn watching(loom: Loom) -> Server {
    fs::create_dir_all(loom.path("in")).unwrap();
    let folder = loom.path("in").display().to_string();
    Server::with(loom, &["--watched-folders", &folder])
}

fn inside(server: &Server, name: &str) -> PathBuf {
    server.loom.path("in").join(name)
}

/// Makes a trigger for files of this form, with what else is said.
fn put(server: &Server, name: &str, form: &str, more: &Value) -> Answer {
    let file = inside(server, form).display().to_string();
    let mut spec = json!({ "kind": "file", "file": file, "quiet_ms": 200,
        "run": { "workflow": "noop" } });
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let headers = [("content-type", "application/json")];
    server.send("PUT", &format!("/api/v1/triggers/{name}"), &headers, &spec.to_string())
}

fn state(server: &Server, name: &str) -> Value {
    server.get(&format!("/api/v1/triggers/{name}")).expect(200)["state"].clone()
}

/// How many runs each file has, of this trigger.
fn runs(server: &Server, trigger: &str) -> BTreeMap<String, usize> {
    let (mut found, mut cursor) = (BTreeMap::new(), String::new());
    loop {
        let path = format!("/api/v1/runs?limit=200&annotation=trigger={trigger}{cursor}");
        let page = server.get(&path).expect(200);
        for run in page["items"].as_array().unwrap() {
            let file = run["annotations"]["trigger.file"].as_str().unwrap();
            let name = file.rsplit_once('/').unwrap().1;
            *found.entry(name.to_owned()).or_default() += 1;
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// Waits until so many files were decided on and all their runs have ended.
fn until_fired(server: &Server, name: &str, count: u64) -> Value {
    eventually(&format!("{count} files are fired"), || {
        let state = state(server, name);
        let still = state["under_way"] == 0 && state["waiting"] == 0;
        (state["counts"]["fired"] == count && still).then_some(state)
    })
}

fn each_once(names: impl IntoIterator<Item = String>) -> BTreeMap<String, usize> {
    names.into_iter().map(|name| (name, 1)).collect()
}

#[test]
fn a_file_that_comes_starts_a_run_and_its_change_another() {
    let server = server();
    server.register(TELL);
    fs::write(inside(&server, "old.csv"), "it was there").unwrap();
    let variables =
        json!({ "FILE": "path", "NAME": "name", "SIZE": "size", "MODIFIED": "modified" });
    let made = put(
        &server,
        "in",
        "*.csv",
        &json!({ "run": { "workflow": "tell" },
        "variables": variables }),
    )
    .expect(201);
    assert_eq!((&made["kind"], &made["catch_up"]), (&json!("file"), &json!("all")));
    assert!(made.get("path").is_none(), "{made}");
    let path = inside(&server, "a.csv");
    fs::write(inside(&server, "a.txt"), "of another form").unwrap();
    fs::write(&path, "12345").unwrap();
    let first = until_fired(&server, "in", 1);
    assert_eq!(first["last"]["file"], json!(path));
    let run = first["last"]["run"].as_str().unwrap();
    let found = server.until(run, "succeeded");
    assert_eq!(found["initiator"], "trigger:in");
    let told = server.loom.read("told");
    let (told, modified) = told.trim_end().rsplit_once(' ').unwrap();
    assert_eq!(told, format!("{} a.csv 5", path.display()));
    assert!(modified.starts_with("20") && modified.ends_with('Z'), "{modified}");
    // The same content again is a change too; one that was there from the beginning as well.
    fs::write(&path, "12345").unwrap();
    fs::write(inside(&server, "old.csv"), "it was there").unwrap();
    until_fired(&server, "in", 3);
    assert_eq!(server.loom.read("told").lines().count(), 3);
    // What moves away and comes back is as it was.
    fs::rename(&path, server.loom.path("away")).unwrap();
    fs::rename(server.loom.path("away"), &path).unwrap();
    fs::write(inside(&server, "last.csv"), "").unwrap();
    until_fired(&server, "in", 4);
    assert_eq!(runs(&server, "in")["a.csv"], 2);
}

#[test]
fn a_file_that_is_being_written_starts_no_run() {
    let server = server();
    server.register(TELL);
    put(
        &server,
        "in",
        "*.csv",
        &json!({ "run": { "workflow": "tell" }, "quiet_ms": 1500,
        "variables": { "FILE": "path", "NAME": "name", "SIZE": "size", "MODIFIED": "modified" } }),
    )
    .expect(201);
    let mut file = File::create(inside(&server, "slow.csv")).unwrap();
    let begun = Instant::now();
    // A slow writer: longer than the trigger waits, but never quiet for so long.
    while begun.elapsed() < Duration::from_secs(3) {
        file.write_all(b"0123456789").unwrap();
        std::thread::park_timeout(Duration::from_millis(50));
        assert_eq!(state(&server, "in")["counts"]["fired"], 0);
    }
    drop(file);
    let size = fs::metadata(inside(&server, "slow.csv")).unwrap().len();
    until_fired(&server, "in", 1);
    let told = server.loom.read("told");
    assert!(told.contains(&format!(" slow.csv {size} ")), "{size}: {told}");
}

#[test]
fn each_file_has_one_run_whenever_the_server_is_killed() {
    let mut random = Random::from_seed();
    let mut server = server();
    put(&server, "in", "*", &json!({ "quiet_ms": 20 })).expect(201);
    let mut names = Vec::new();
    for round in 0..8 {
        for number in 0..20 {
            let name = format!("{round}-{number}");
            fs::write(inside(&server, &name), "").unwrap();
            names.push(name);
        }
        // At any point between a file's arrival and its run's end.
        std::thread::park_timeout(Duration::from_millis(random.below(150)));
        server.crash_and_restart();
    }
    until_fired(&server, "in", 160);
    assert_eq!(runs(&server, "in"), each_once(names));
}

#[test]
fn what_comes_while_nobody_is_there_is_caught_up_or_missed() {
    let mut server = server();
    put(&server, "all", "*", &json!({})).expect(201);
    put(&server, "none", "*", &json!({ "catch_up": "none" })).expect(201);
    fs::write(inside(&server, "before"), "").unwrap();
    until_fired(&server, "all", 1);
    until_fired(&server, "none", 1);
    server.stop();
    let meanwhile = inside(&server, "meanwhile");
    fs::write(&meanwhile, "").unwrap();
    // A server that comes at once may have been there already, as far as clocks of files tell.
    eventually("the file is old", || {
        let age = fs::metadata(&meanwhile).unwrap().modified().unwrap().elapsed();
        age.is_ok_and(|age| age > Duration::from_millis(100)).then_some(())
    });
    let mut server = watching(server.loom.beside());
    until_fired(&server, "all", 2);
    fs::write(inside(&server, "after"), "").unwrap();
    until_fired(&server, "all", 3);
    until_fired(&server, "none", 2);
    let missed = eventually("a file is missed", || {
        let state = state(&server, "none");
        (state["counts"]["missed"] == 1).then_some(state)
    });
    assert_eq!(missed["counts"]["fired"], 2);
    assert_eq!(runs(&server, "none"), each_once(["before".into(), "after".into()]));
    // What is missed stays missed, and what is caught up is not caught up again.
    server.crash_and_restart();
    fs::write(inside(&server, "later"), "").unwrap();
    until_fired(&server, "all", 4);
    until_fired(&server, "none", 3);
    assert_eq!(state(&server, "none")["counts"]["missed"], 1);
}

#[test]
fn two_servers_on_one_store_start_one_run_for_a_file() {
    let server = server();
    put(&server, "in", "*", &json!({ "quiet_ms": 0 })).expect(201);
    let other = watching(server.loom.beside());
    let names: Vec<String> = (0..200).map(|number| format!("f{number}")).collect();
    for name in &names {
        fs::write(inside(&server, name), "").unwrap();
    }
    until_fired(&server, "in", 200);
    assert_eq!(runs(&other, "in"), each_once(names));
    drop(server);
    fs::write(inside(&other, "one more"), "").unwrap();
    until_fired(&other, "in", 201);
}

#[test]
fn a_flood_of_files_is_worked_off_a_few_at_once() {
    let server = server();
    put(&server, "in", "**/*", &json!({ "at_once": 20 })).expect(201);
    fs::create_dir(inside(&server, "sub")).unwrap();
    let memory = || {
        let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let before = memory();
    for number in 0..5000 {
        let folder = if number % 2 == 0 { "" } else { "sub/" };
        fs::write(inside(&server, &format!("{folder}f{number}")), "").unwrap();
    }
    let mut most = 0;
    eventually("all files are fired", || {
        let state = state(&server, "in");
        most = most.max(state["under_way"].as_u64().unwrap());
        assert!(most <= 20, "{state}");
        let done = state["counts"]["fired"] == 5000 && state["under_way"] == 0;
        (done && state["waiting"] == 0).then_some(())
    });
    assert!(most > 1, "{most}");
    let grown = memory().saturating_sub(before);
    assert!(grown < 150 << 10, "it took {grown} KiB more");
    let runs = runs(&server, "in");
    assert_eq!(runs, each_once((0..5000).map(|number| format!("f{number}"))));
}

#[test]
fn nothing_outside_the_allowed_folders_is_watched() {
    let server = server();
    let outside = server.loom.path("out");
    fs::create_dir(&outside).unwrap();
    let secret = outside.join("secret.csv");
    fs::write(&secret, "").unwrap();
    symlink(&outside, inside(&server, "away")).unwrap();
    for (form, status, code) in [
        ("../out/*", 400, "L605"),
        ("../*", 400, "L605"),
        ("away/*", 422, "L771"),
        ("away/nosuch/*", 422, "L771"),
        ("/etc/passwd", 422, "L771"),
        ("/nosuch/x", 422, "L771"),
        ("a//b", 400, "L605"),
        ("**", 400, "L605"),
    ] {
        put(&server, "wrong", form, &json!({})).problem(status, code);
    }
    put(&server, "wrong", "*", &json!({ "quiet_ms": 600_001 })).problem(400, "L605");
    put(&server, "wrong", "*", &json!({ "at_once": 0 })).problem(400, "L605");
    put(&server, "wrong", "*", &json!({ "proof": {} })).problem(400, "L605");
    put(&server, "wrong", "*", &json!({ "variables": { "X": "owner" } })).problem(400, "L605");
    // Links are seen for what they are.
    put(&server, "in", "**/*.csv", &json!({ "quiet_ms": 0 })).expect(201);
    symlink(&secret, inside(&server, "leads-out.csv")).unwrap();
    fs::write(inside(&server, "real.csv"), "").unwrap();
    symlink(inside(&server, "real.csv"), inside(&server, "leads-in.csv")).unwrap();
    until_fired(&server, "in", 2);
    let trouble = state(&server, "in")["trouble"].clone();
    assert!(trouble.as_str().unwrap().ends_with("leads-out.csv leads outside"), "{trouble}");
    // A folder that becomes a link is not followed either.
    fs::write(&secret, "changed").unwrap();
    fs::write(inside(&server, "last.csv"), "").unwrap();
    until_fired(&server, "in", 3);
    let names = ["real.csv", "leads-in.csv", "last.csv"].map(str::to_owned);
    assert_eq!(runs(&server, "in"), each_once(names));
    // Without the setting nothing may be watched.
    let closed = Server::start();
    closed.register(NOOP);
    put(&closed, "in", "*", &json!({})).problem(422, "L771");
    let loom = Loom::new();
    for wrong in ["relative", "/nosuch"] {
        loom.loom(&["serve", "--listen", "127.0.0.1:0", "--watched-folders", wrong])
            .exits(2)
            .warns("L717");
    }
}

#[test]
fn a_trigger_is_paused_changed_and_deleted() {
    let server = server();
    put(&server, "all", "*", &json!({})).expect(201);
    put(&server, "none", "*", &json!({ "catch_up": "none" })).expect(201);
    let send = |name: &str, what: &str| {
        let path = format!("/api/v1/triggers/{name}/{what}");
        server.send("POST", &path, &[], "").expect(200)
    };
    for name in ["all", "none"] {
        assert_eq!(send(name, "pause")["paused"], true);
    }
    fs::write(inside(&server, "meanwhile"), "").unwrap();
    for name in ["all", "none"] {
        assert_eq!(send(name, "resume")["paused"], false);
    }
    fs::write(inside(&server, "after"), "").unwrap();
    until_fired(&server, "all", 2);
    until_fired(&server, "none", 1);
    assert_eq!(runs(&server, "none"), each_once(["after".into()]));
    // Other files: those that are there are known, and nothing of the old ones is.
    fs::create_dir(inside(&server, "sub")).unwrap();
    fs::write(inside(&server, "sub/old"), "").unwrap();
    let changed = put(&server, "all", "sub/*", &json!({})).expect(200);
    assert_eq!(changed["state"]["counts"]["fired"], 0);
    fs::write(inside(&server, "sub/new"), "").unwrap();
    until_fired(&server, "all", 1);
    // A run that cannot be started is told of.
    server.register("{ name: needy, tasks: [{ name: a, plugin: noop, inputs: [GIVEN] }] }");
    put(&server, "all", "sub/*", &json!({ "run": { "workflow": "needy" } })).expect(200);
    fs::write(inside(&server, "sub/newer"), "").unwrap();
    let refused = eventually("a run is refused", || {
        let state = state(&server, "all");
        (state["counts"]["refused"] == 1).then_some(state)
    });
    let problem = refused["problem"].as_str().unwrap();
    assert!(problem.contains("newer") && problem.contains("L713"), "{problem}");
    assert_eq!((&refused["counts"]["fired"], &refused["waiting"]), (&json!(1), &json!(0)));
    // A folder that has gone is told of, and watched when it comes back.
    fs::remove_dir_all(inside(&server, "sub")).unwrap();
    eventually("the folder is missed", || {
        let trouble = state(&server, "all")["trouble"].clone();
        trouble.as_str().filter(|trouble| trouble.contains("there is no folder")).map(drop)
    });
    put(&server, "all", "sub/*", &json!({})).expect(200);
    fs::create_dir(inside(&server, "sub")).unwrap();
    fs::write(inside(&server, "sub/back"), "").unwrap();
    until_fired(&server, "all", 2);
    server.send("DELETE", "/api/v1/triggers/all", &[], "").expect(204);
    server.get("/api/v1/triggers/all").problem(404, "L703");
    let page = server.get("/api/v1/triggers").expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
}

//! Lists: their pages, and that nothing behind the question mark is passed over.

use super::access::{make, token};
use super::harness::Server;
use crate::harness::Loom;
use crate::watch::eventually;
use serde_json::{Value, json};

/// Many tasks, of which one waits for the file `go` and others wait for it.
const MANY: &str = "
name: many
tasks:
  - { name: Alpha, plugin: noop }
  - { name: beta, plugin: cmd, params: { command: 'sleep 0.05' } }
  - name: gate
    plugin: cmd
    outputs: [X]
    params: { command: 'while [ ! -e go ] && [ -e $LOOM_STORE ]; do sleep 0.02; done; echo X=1' }
  - { name: d, plugin: noop, inputs: [X] }
  - { name: alphabet, plugin: noop, inputs: [X] }
  - { name: bad, plugin: cmd, allow_failure: true, params: { command: 'exit 1' } }
";

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect()
}

/// All items of a list, so many a page; each page is within its limit.
fn all(server: &Server, path: &str, limit: usize) -> Vec<Value> {
    let (sign, mut items, mut cursor) =
        (if path.contains('?') { '&' } else { '?' }, Vec::new(), String::new());
    loop {
        let mut page = server.get(&format!("{path}{sign}limit={limit}{cursor}")).expect(200);
        let Value::Array(found) = page["items"].take() else { panic!("{page}") };
        assert!(found.len() <= limit, "{path}");
        items.extend(found);
        let Some(next) = page["next_cursor"].as_str() else { return items };
        assert_ne!(cursor, format!("&cursor={next}"), "{path}");
        cursor = format!("&cursor={next}");
    }
}

#[test]
fn no_address_passes_over_a_parameter_that_it_does_not_know() {
    let server = Server::start();
    server.register(MANY);
    let run = server.begin("many");
    let document = server.get("/api/v1/openapi.json").expect(200);
    let mut count = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        if item["get"].is_null() {
            continue;
        }
        count += 1;
        let path = path
            .replace("{id}", &run)
            .replace("{namespace}", "default")
            .replace("{name}", "many")
            .replace("{version}", "latest")
            .replace("{task}", "Alpha")
            .replace("{attempt}", "1");
        let problem = server.get(&format!("{path}?nosuch=1")).problem(400, "L605");
        assert!(problem["detail"].as_str().unwrap().contains("`nosuch`"), "{path}: {problem}");
        let answer = server.send("HEAD", &format!("{path}?nosuch=1"), &[], "");
        assert_eq!(answer.status, 400, "HEAD {path}");
    }
    assert!(count > 40, "{count}");
    let cancel = format!("/api/v1/runs/{run}/cancel?reason=none");
    server.send("POST", &cancel, &[], "").problem(400, "L605");
    server.send("DELETE", "/api/v1/retention/x?force=true", &[], "").problem(400, "L605");
    server.get("/api/v1/roles?limit=1&limit=2").problem(400, "L605");
}

#[test]
fn every_list_comes_in_pages_that_nobody_can_forge() {
    let server = Server::start();
    let document = |space: &str, name: &str, version: &str| {
        format!(
            "\nnamespace: {space}\nname: {name}\nversion: {version}\n\
             description: About {name} in {space}\ntasks: [{{ name: a, plugin: noop }}]\n"
        )
    };
    for version in ["1.9.0", "1.10.0", "0.3.0", "1.10.0-beta"] {
        server.register(&document("default", "hello", version));
    }
    for space in ["a", "b", "c"] {
        server.register(&document(space, "other", "1.0.0"));
        let rule = json!({ "namespace": space, "keep_s": 1_000_000 }).to_string();
        let to = format!("/api/v1/retention/of-{space}");
        server.send("PUT", &to, &[("content-type", "application/json")], &rule).expect(201);
        let role = json!({ "permissions": ["runs:list"] }).to_string();
        let to = format!("/api/v1/roles/{space}");
        server.send("PUT", &to, &[("content-type", "application/json")], &role).expect(200);
    }
    let versions = "/api/v1/workflows/default/hello";
    let expected: [(&str, &str, &[&str]); 6] = [
        ("/api/v1/namespaces", "name", &["a", "b", "c", "default"]),
        ("/api/v1/roles", "name", &["viewer", "operator", "author", "admin", "a", "b", "c"]),
        ("/api/v1/retention", "name", &["of-a", "of-b", "of-c"]),
        (versions, "version", &["1.10.0", "1.10.0-beta", "1.9.0", "0.3.0"]),
        ("/api/v1/workflows", "name", &["other", "other", "other", "hello"]),
        ("/api/v1/workflows?text=IN%20B", "namespace", &["b"]),
    ];
    for (path, field, expected) in expected {
        for limit in [1, 2, 200] {
            let found = all(&server, path, limit);
            let found: Vec<&str> = found.iter().map(|it| it[field].as_str().unwrap()).collect();
            assert_eq!(found, expected, "{path} by {limit}");
        }
    }
    let plugins = all(&server, "/api/v1/plugins", 200);
    assert!(plugins.len() > 2, "{plugins:?}");
    assert_eq!(all(&server, "/api/v1/plugins", 1), plugins);

    let cursor = |path: &str| {
        let page = server.get(&format!("{path}?limit=1")).expect(200);
        page["next_cursor"].as_str().unwrap().to_owned()
    };
    let lists =
        ["/api/v1/namespaces", "/api/v1/roles", "/api/v1/retention", "/api/v1/plugins", versions];
    for path in lists {
        server.get(&format!("{path}?limit=0")).problem(400, "L605");
        server.get(&format!("{path}?limit=201")).problem(400, "L605");
        let own = cursor(path);
        let changed = own.strip_suffix(|_: char| true).unwrap();
        server.get(&format!("{path}?cursor={changed}")).problem(422, "L711");
        for other in lists.iter().filter(|other| **other != path) {
            server.get(&format!("{other}?cursor={own}")).problem(422, "L711");
        }
    }
    let of_all = cursor("/api/v1/workflows");
    for other in ["namespace=a", "text=other"] {
        let path = format!("/api/v1/workflows?{other}&cursor={of_all}");
        server.get(&path).problem(422, "L711");
    }
}

#[test]
fn tasks_are_filtered_sorted_and_paged() {
    let server = Server::start();
    server.register(MANY);
    let run = server.begin("many");
    let path = format!("/api/v1/runs/{run}/tasks");
    eventually("all but the gate is done", || {
        let list = server.get(&format!("{path}?phase=succeeded&phase=failed")).expect(200);
        (names(&list) == ["Alpha", "beta", "bad"]).then_some(())
    });
    for (query, expected) in [
        ("", &["Alpha", "beta", "gate", "d", "alphabet", "bad"][..]),
        ("?text=ALPHA", &["Alpha", "alphabet"]),
        ("?text=alpha&phase=waiting", &["alphabet"]),
        ("?sort=name", &["Alpha", "alphabet", "bad", "beta", "d", "gate"]),
        ("?sort=-name&phase=waiting", &["d", "alphabet"]),
        ("?sort=name&limit=2", &["Alpha", "alphabet"]),
        ("?phase=cancelled", &[]),
    ] {
        assert_eq!(names(&server.get(&format!("{path}{query}")).expect(200)), expected, "{query}");
    }
    // Who has not started comes last, whatever the direction.
    for sort in ["duration", "-duration", "started_at", "-started_at"] {
        let list = server.get(&format!("{path}?sort={sort}")).expect(200);
        let found = names(&list);
        assert_eq!(found[4..], ["d", "alphabet"], "{sort}");
        assert_eq!(found.len(), 6, "{sort}");
    }
    let longest = server.get(&format!("{path}?sort=-duration&limit=1")).expect(200);
    assert_eq!(names(&longest), ["gate"]);
    for wrong in ["phase=nosuch", "sort=nosuch", "limit=0", "limit=10001", "state=failed"] {
        server.get(&format!("{path}?{wrong}")).problem(400, "L605");
    }
    // A cursor is of one list with its filters and order.
    let page = server.get(&format!("{path}?sort=name&limit=2")).expect(200);
    let cursor = page["next_cursor"].as_str().unwrap();
    server.get(&format!("{path}?cursor={cursor}")).problem(422, "L711");
    server.get(&format!("{path}?sort=-name&cursor={cursor}")).problem(422, "L711");
    let other = server.begin("many");
    let elsewhere = format!("/api/v1/runs/{other}/tasks?sort=name&cursor={cursor}");
    server.get(&elsewhere).problem(422, "L711");
}

#[test]
fn pages_of_tasks_are_of_one_moment_though_the_run_goes_on() {
    let server = Server::start();
    server.register(MANY);
    let run = server.begin("many");
    let path = format!("/api/v1/runs/{run}");
    eventually("only the gate is open", || {
        let list = server.get(&format!("{path}/tasks?phase=failed")).expect(200);
        (names(&list) == ["bad"]).then_some(())
    });
    let whole = eventually("the others have ended", || {
        let whole = server.get(&path).expect(200);
        (whole["counts"]["succeeded"] == 2).then_some(whole)
    });
    assert_eq!(whole.get("next_cursor"), None);
    let part = server.get(&format!("{path}?tasks=2")).expect(200);
    assert_eq!(part["tasks"], json!(whole["tasks"].as_array().unwrap()[..2]));
    let none = server.get(&format!("{path}?tasks=0")).expect(200);
    assert_eq!((&none["tasks"], &none["counts"]), (&json!([]), &whole["counts"]));
    server.get(&format!("{path}?tasks=10001")).problem(400, "L605");
    let failed = server.get(&format!("{path}/tasks?phase=waiting&limit=1")).expect(200);

    std::fs::write(server.loom.path("go"), "").unwrap();
    server.until(&run, "succeeded");
    let rest = |list: &Value, query: &str| {
        let cursor = list["next_cursor"].as_str().unwrap();
        server.get(&format!("{path}/tasks?{query}cursor={cursor}")).expect(200)
    };
    let page = rest(&part, "");
    let tasks = [part["tasks"].as_array().unwrap(), page["items"].as_array().unwrap()];
    assert_eq!(json!(tasks.into_iter().flatten().collect::<Vec<_>>()), whole["tasks"]);
    assert_eq!((&page["last_seq"], page.get("next_cursor")), (&part["last_seq"], None));
    assert_eq!(rest(&none, "")["items"], whole["tasks"]);
    // The second of those that waited then is told as waiting, though none waits any more.
    let page = rest(&failed, "phase=waiting&");
    assert_eq!((names(&page), &page["items"][0]["phase"]), (vec!["alphabet"], &json!("waiting")));
    assert_eq!(names(&server.get(&format!("{path}/tasks?phase=waiting")).expect(200)), [""; 0]);
}

#[test]
fn keys_of_annotations_are_counted_within_what_the_caller_may_see() {
    let loom = Loom::new();
    let admin = token(&loom, "admin");
    let viewer = make(&loom, "ann", &["--role", "viewer", "--namespace", "b"]);
    let mut server = Server::with(loom, &["--access"]);
    server.set_token(&admin);
    for space in ["a", "b"] {
        let text =
            format!("\nnamespace: {space}\nname: it\ntasks: [{{ name: a, plugin: noop }}]\n");
        server.register(&text);
    }
    for (space, keys) in [("a", &["team", "ticket"][..]), ("b", &["team"]), ("b", &["team", "z"])] {
        let annotations: Value = keys.iter().map(|key| ((*key).to_owned(), json!("1"))).collect();
        let run = json!({ "workflow": "it", "namespace": space, "annotations": annotations });
        server.post("/api/v1/runs", &run).expect(201);
    }
    let path = "/api/v1/runs/annotation-keys";
    let keys = |server: &Server, path: &str, limit| {
        let items = all(server, path, limit);
        let text = |it: &Value| format!("{} {}", it["key"].as_str().unwrap(), it["runs"]);
        items.iter().map(text).collect::<Vec<_>>()
    };
    for limit in [1, 2, 50] {
        assert_eq!(keys(&server, path, limit), ["team 3", "ticket 1", "z 1"]);
    }
    let of_b = format!("{path}?namespace=b");
    assert_eq!(keys(&server, &of_b, 1), ["team 2", "z 1"]);
    let cursor = server.get(&format!("{path}?limit=1")).expect(200)["next_cursor"].clone();
    let cursor = cursor.as_str().unwrap();
    server.get(&format!("{of_b}&cursor={cursor}")).problem(422, "L711");
    server.set_token(viewer["token"].as_str().unwrap());
    assert_eq!(keys(&server, path, 50), ["team 2", "z 1"]);
    server.get(&format!("{path}?namespace=a")).problem(403, "L702");
}

#[test]
fn a_field_too_many_is_refused_beside_a_choice_that_has_none() {
    let server = Server::start();
    server.register("\nname: it\ntasks: [{ name: a, plugin: noop }]\n");
    let put = |catch_up: Value| {
        let timing = json!({ "kind": "every", "seconds": 3600 });
        let body = json!({ "timing": timing, "run": { "workflow": "it" }, "catch_up": catch_up });
        let headers = [("content-type", "application/json")];
        server.send("PUT", "/api/v1/schedules/hourly", &headers, &body.to_string())
    };
    put(json!({ "kind": "none" })).expect(201);
    put(json!({ "kind": "last" })).expect(200);
    put(json!({ "kind": "none", "window_s": 60 })).problem(400, "L605");
    put(json!({ "kind": "last", "nosuch": true })).problem(400, "L605");
    let start = |identity: Value| {
        server.post("/api/v1/runs", &json!({ "workflow": "it", "identity": identity }))
    };
    start(json!({ "by": "key" })).expect(201);
    start(json!({ "by": "key", "window_s": 60 })).problem(400, "L605");
}

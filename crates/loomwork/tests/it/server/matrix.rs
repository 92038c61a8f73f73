//! Every route of the `OpenAPI` document with every kind of caller: who may come in is what the
//! route declares, and nothing else.

use super::access::{HELLO, make, token};
use super::harness::Server;
use super::raw::{Reply, ask};
use crate::harness::Loom;
use crate::watch::eventually;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a reporter calls a run of theirs.
const REPORTED: &str = "r1";

struct Route {
    method: String,
    path: String,
    needs: BTreeSet<String>,
}

/// The routes, and the permissions that each declares.
fn routes(document: &Value) -> Vec<Route> {
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let needs: BTreeSet<String> = operation["security"]
                .as_array()
                .unwrap_or_else(|| panic!("{method} {path} declares no security"))
                .iter()
                .filter_map(|way| way["token"].as_array())
                .flatten()
                .map(|name| name.as_str().unwrap().to_owned())
                .collect();
            // Open to all is only what says so: `security: [{}]`.
            let is_open = operation["security"] == json!([{}]);
            // Whoever is known may ask who they are.
            let is_own = path == "/api/v1/me" && operation["security"] == json!([{ "token": [] }]);
            let needs_none = is_open || is_own;
            assert_eq!(needs.is_empty(), needs_none, "{method} {path} declares no permission");
            if is_open {
                continue;
            }
            routes.push(Route { method: method.to_uppercase(), path: path.clone(), needs });
        }
    }
    routes
}

/// The permissions of each built-in role.
fn roles(server: &Server) -> BTreeMap<String, BTreeSet<String>> {
    let list = server.get("/api/v1/roles").expect(200);
    let names = |role: &Value| serde_json::from_value(role["permissions"].clone()).unwrap();
    let items = list["items"].as_array().unwrap().iter();
    items.map(|role| (role["name"].as_str().unwrap().to_owned(), names(role))).collect()
}

/// A request to a route, about the thing of this identity.
fn call(server: &Server, route: &Route, id: &str, token: Option<&str>) -> Reply {
    // What cannot do without.
    let is_change = route.method == "PUT" && route.path.ends_with("/webhooks/{id}");
    let body = if is_change { r#"{"url":"https://example.org/"}"# } else { "{}" };
    send(server, route, (id, body), token, &[])
}

fn send(
    server: &Server,
    route: &Route,
    (id, body): (&str, &str),
    token: Option<&str>,
    more: &[(&str, &str)],
) -> Reply {
    let path = route
        .path
        .replace("{id}", id)
        .replace("{namespace}", "default")
        .replace("{name}", "hello")
        .replace("{version}", "0.1.0")
        .replace("{workflow}", REPORTED)
        .replace("{task}", "greet");
    let path = path.replace(['{', '}'], "1");
    let token = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(token.as_deref().map(|token| ("authorization", token)));
    headers.extend(more);
    ask(server.address(), &route.method, &path, &headers, body)
}

#[test]
fn who_comes_in_is_what_each_route_declares() {
    let loom = Loom::new();
    let admin = token(&loom, "admin");
    let mut server = Server::with(loom, &["--access", "--limits-failures", "0"]);
    server.set_token(&admin);
    server.register(HELLO);
    let run = server.begin("hello");
    server.until(&run, "succeeded");
    let routes = routes(&server.get("/api/v1/openapi.json").expect(200));
    let roles = roles(&server);
    assert_eq!(roles.len(), 4);
    for (role, permissions) in &roles {
        let shown = token(&server.loom, role);
        for route in &routes {
            let reply = call(&server, route, &run, Some(&shown));
            let expected = route.needs.is_subset(permissions);
            let admitted = !matches!(reply.status, 401 | 403);
            let what = format!("{} {} as {role}: {reply:?}", route.method, route.path);
            assert_eq!(admitted, expected, "{what}");
            assert!(reply.status < 500, "{what}");
            assert!(expected || reply.body.contains("L702"), "{what}");
        }
    }
    strangers(&server, &routes, &run);
    foreigners(&server, &routes);
}

/// Nobody comes in without a good token, whatever the route.
fn strangers(server: &Server, routes: &[Route], run: &str) {
    let text = |made: &Value| made["token"].as_str().unwrap().to_owned();
    let revoked = make(&server.loom, "revoked", &["--role", "admin"]);
    server.loom.loom(&["token", "revoke", revoked["id"].as_str().unwrap()]).exits(0);
    let expired = text(&make(&server.loom, "expired", &["--role", "admin", "--expires", "1s"]));
    eventually("the end of a token", || {
        (call(server, &routes[0], run, Some(&expired)).status == 401).then_some(())
    });
    let good = text(&make(&server.loom, "forged", &["--role", "admin"]));
    let (id, secret) = good.rsplit_once('_').unwrap();
    let turned: String = secret.chars().rev().collect();
    let strangers = [
        ("no token", None),
        ("a revoked one", Some(text(&revoked))),
        ("an expired one", Some(expired)),
        ("a forged one", Some(format!("{id}_{turned}"))),
        ("one that was cut", Some(good[..good.len() - 1].to_owned())),
        ("half of one", Some(id.to_owned())),
        ("none of ours", Some("eyJhbGciOiJub25lIn0.e30.".to_owned())),
    ];
    for (what, token) in &strangers {
        for route in routes {
            let reply = call(server, route, run, token.as_deref());
            assert_eq!(reply.status, 401, "{} {} with {what}", route.method, route.path);
            assert!(reply.body.contains("\"L701\""), "{}", reply.body);
            assert!(reply.head.contains("www-authenticate: Bearer"), "{}", reply.head);
        }
    }
    assert_eq!(ask(server.address(), "POST", "/graphql", &[], "{}").status, 401);
    for path in ["/api/v1/openapi.json", "/nosuch", "/api/v1/../health/../nosuch"] {
        assert_eq!(ask(server.address(), "GET", path, &[], "").status, 401, "{path}");
    }
}

/// What is there in namespace `default`, all of it named `hello` where it has a name.
struct Theirs {
    run: String,
    reported: String,
    webhook: String,
    token: String,
}

impl Theirs {
    fn make(server: &Server) -> Self {
        let run = server.begin("hello");
        server.until(&run, "succeeded");
        let daily = json!({ "kind": "cron", "expression": "0 0 1 1 *" });
        let start = json!({ "workflow": "hello" });
        put(server, "schedules", &json!({ "timing": daily, "run": start }));
        let proof = json!({ "kind": "token", "secret": "a long enough secret" });
        put(server, "triggers", &json!({ "kind": "request", "proof": proof, "run": start }));
        put(server, "limits", &json!({ "counts": "runs", "max_runs": 1000 }));
        put(server, "retention", &json!({ "namespace": "default", "keep_s": 1_000_000 }));
        put(server, "roles", &json!({ "permissions": ["runs:list"] }));
        let webhook = json!({ "url": "https://example.org/", "types": ["task.skipped"] });
        let webhook = server.post("/api/v1/webhooks", &webhook).expect(201);
        let report = json!({ "id": REPORTED, "name": "hello" });
        let reported = server.post("/dotflow/workflows", &report).expect(201);
        let token = make(&server.loom, "theirs", &["--role", "viewer"]);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            run,
            reported: text(&reported["run"]),
            webhook: text(&webhook["id"]),
            token: text(&token["id"]),
        }
    }

    /// The identity of what a route is about.
    fn id(&self, route: &Route) -> &str {
        match route.path.split('/').nth(3) {
            Some("webhooks") => &self.webhook,
            Some("tokens") => &self.token,
            _ => &self.run,
        }
    }

    /// All of it, as its owner sees it.
    fn look(&self, server: &Server) -> Vec<Value> {
        let named = ["schedules", "triggers", "limits", "retention"];
        let mut paths: Vec<String> = named.map(|it| format!("/api/v1/{it}/hello")).into();
        paths.push(format!("/api/v1/runs/{}", self.run));
        paths.extend(["/api/v1/workflows/default/hello", "/api/v1/roles"].map(str::to_owned));
        let mut found: Vec<Value> = paths.iter().map(|path| server.get(path).expect(200)).collect();
        let reported = server.get(&format!("/api/v1/runs/{}", self.reported)).expect(200);
        found.push(reported["state"].clone());
        // Where it stands in the feed changes by itself.
        let webhook = server.get(&format!("/api/v1/webhooks/{}", self.webhook)).expect(200);
        found.extend(["url", "types", "paused"].map(|field| webhook[field].clone()));
        let tokens = server.get("/api/v1/tokens?limit=200").expect(200);
        let tokens = tokens["items"].as_array().unwrap().iter();
        let mut token = tokens.filter(|it| it["id"] == self.token.as_str());
        found.push(token.next().unwrap()["revoked_at"].clone());
        found
    }
}

fn put(server: &Server, collection: &str, body: &Value) {
    let headers = [("content-type", "application/json")];
    let path = format!("/api/v1/{collection}/hello");
    let put = server.send("PUT", &path, &headers, &body.to_string());
    assert!(matches!(put.status, 200 | 201), "{path}: {}", put.text);
}

/// What somebody of namespace `elsewhere` could send to a route, of their own.
fn body(route: &Route) -> String {
    let ours = json!({ "workflow": "ours", "namespace": "elsewhere" });
    let body = match (route.method.as_str(), route.path.as_str()) {
        ("PUT", "/api/v1/schedules/{name}") => {
            json!({ "timing": { "kind": "every", "seconds": 86_400 }, "run": ours })
        }
        ("PUT", "/api/v1/triggers/{name}") => {
            let proof = json!({ "kind": "token", "secret": "a long enough secret" });
            json!({ "kind": "request", "proof": proof, "run": ours })
        }
        ("PUT", "/api/v1/limits/{name}") => {
            json!({ "counts": "runs", "namespace": "elsewhere", "max_runs": 1 })
        }
        ("PUT", "/api/v1/retention/{name}") => json!({ "namespace": "elsewhere", "keep_s": 1 }),
        ("PUT", "/api/v1/roles/{name}") => json!({ "permissions": ["runs:get"] }),
        ("PUT", "/api/v1/webhooks/{id}") => json!({ "url": "https://example.net/" }),
        ("POST", "/api/v1/runs") => json!({ "workflow": "hello" }),
        ("POST", "/api/v1/runs/batch") => json!({ "runs": [{ "workflow": "hello" }] }),
        ("POST", "/api/v1/runs/batch/cancel" | "/api/v1/runs/batch/retry") => {
            json!({ "filter": { "namespace": "default" } })
        }
        ("PATCH", path) if path.starts_with("/dotflow/") => json!({ "status": "Failed" }),
        _ => json!({}),
    };
    body.to_string()
}

/// Who may do everything in another namespace sees and does nothing in this one.
fn foreigners(server: &Server, routes: &[Route]) {
    server.register(&format!(
        "{}namespace: elsewhere\n",
        HELLO.replace("hello", "ours").trim_start()
    ));
    let theirs = Theirs::make(server);
    let foreign = make(&server.loom, "foreign", &["--role", "admin", "--namespace", "elsewhere"]);
    let foreign = foreign["token"].as_str().unwrap();
    let before = theirs.look(server);
    for route in routes {
        let (id, body) = (theirs.id(route), body(route));
        let reply = send(server, route, (id, &body), Some(foreign), &[]);
        let what = format!("{} {}: {reply:?}", route.method, route.path);
        assert!(reply.status < 500 && reply.status != 401, "{what}");
        let markers = ["hello", &theirs.run, &theirs.reported, &theirs.webhook, &theirs.token];
        let told = reply.status < 400 && markers.iter().any(|it| reply.body.contains(it));
        assert!(!told, "{what}");
        let is_of = |what: &str| route.path.contains(what);
        // That a name is taken is all that can be learnt of it.
        let is_taken = route.method == "PUT" && is_of("{name}") && reply.status == 409;
        let is_named = is_of("{id}") || is_of("{namespace}") || is_of("{name}");
        assert!(!is_named || is_taken || matches!(reply.status, 403 | 404), "{what}");
        assert!(
            !is_of("{name}") || is_of("{namespace}") || !reply.body.contains("default"),
            "{what}"
        );
        if is_named {
            let guess = [("if-match", "\"1\"")];
            let guessed = send(server, route, (id, &body), Some(foreign), &guess);
            assert_eq!(guessed.status, reply.status, "{what}, and {guessed:?}");
        }
    }
    for query in ["query { run(id: $) { workflow } }", "mutation { cancelRun(id: $) { workflow } }"]
    {
        let query = query.replace('$', &format!("\"{}\"", theirs.run));
        let token = format!("Bearer {foreign}");
        let headers = [("content-type", "application/json"), ("authorization", token.as_str())];
        let body = json!({ "query": query }).to_string();
        let reply = ask(server.address(), "POST", "/graphql", &headers, &body);
        assert!(reply.body.contains("L601") && !reply.body.contains("hello"), "{query}: {reply:?}");
    }
    assert_eq!(theirs.look(server), before);
}

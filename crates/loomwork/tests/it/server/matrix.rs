//! Every route of the `OpenAPI` document with every kind of caller: who may come in is what the
//! route declares, and nothing else.

use super::access::{HELLO, make, token};
use super::harness::Server;
use super::raw::{Reply, ask};
use crate::harness::Loom;
use crate::watch::eventually;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

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

fn call(server: &Server, route: &Route, run: &str, token: Option<&str>) -> Reply {
    let path = route
        .path
        .replace("{id}", run)
        .replace("{namespace}", "default")
        .replace("{name}", "hello")
        .replace("{version}", "0.1.0")
        .replace("{task}", "greet");
    let path = path.replace(['{', '}'], "1");
    let token = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(token.as_deref().map(|token| ("authorization", token)));
    // What cannot do without.
    let is_change = route.method == "PUT" && route.path.ends_with("/webhooks/{id}");
    let body = if is_change { r#"{"url":"https://example.org/"}"# } else { "{}" };
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
    // Somebody who may has deleted the other.
    let run = server.begin("hello");
    server.until(&run, "succeeded");
    foreigners(&server, &routes, &run);
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
    for path in ["/api/v1/openapi.json", "/nosuch", "/api/v1/../health/../nosuch"] {
        assert_eq!(ask(server.address(), "GET", path, &[], "").status, 401, "{path}");
    }
}

/// Who may do everything in another namespace sees and does nothing in this one.
fn foreigners(server: &Server, routes: &[Route], run: &str) {
    let foreign = make(&server.loom, "foreign", &["--role", "admin", "--namespace", "elsewhere"]);
    let foreign = foreign["token"].as_str().unwrap();
    let before = server.get(&format!("/api/v1/runs/{run}")).expect(200);
    for route in routes {
        let reply = call(server, route, run, Some(foreign));
        let what = format!("{} {}: {reply:?}", route.method, route.path);
        assert!(reply.status < 500 && reply.status != 401, "{what}");
        let told = reply.status < 400 && (reply.body.contains("hello") || reply.body.contains(run));
        assert!(!told, "{what}");
        let is_named = route.path.contains("{id}") || route.path.contains("{namespace}");
        assert!(!is_named || matches!(reply.status, 403 | 404), "{what}");
    }
    assert_eq!(server.get(&format!("/api/v1/runs/{run}")).expect(200), before);
}

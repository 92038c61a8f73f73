//! Every field of the schema with every kind of caller: who may is what the field says it takes,
//! and that is what REST asks for.

use super::super::access::{HELLO, make, token};
use super::super::harness::Server;
use super::client::{Socket, code, data, post};
use super::schema::INTROSPECTION;
use crate::harness::Loom;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How each field is asked for; `RUN` stands for a run.
const FIELDS: &[(&str, &str)] = &[
    ("runs", "{ nodes { id workflow } }"),
    ("runCounts", "{ total }"),
    ("run", "(id: \"RUN\") { id workflow }"),
    ("task", "(run: \"RUN\", name: \"greet\") { name }"),
    ("workflows", "{ nodes { name } }"),
    ("workflow", "(name: \"hello\") { name }"),
    ("namespaces", "{ nodes { name } }"),
    ("annotationKeys", "{ nodes { key runs } }"),
    ("eventCursor", ""),
    ("startRun", "(run: { workflow: \"hello\" }) { id }"),
    ("rerunRun", "(id: \"RUN\") { id }"),
    ("updateRun", "(id: \"RUN\", change: { reason: \"why\" }) { id }"),
    ("cancelRun", "(id: \"RUN\") { id }"),
    ("pauseRun", "(id: \"RUN\") { id }"),
    ("resumeRun", "(id: \"RUN\") { id }"),
    ("retryRun", "(id: \"RUN\") { id }"),
    ("retryTask", "(run: \"RUN\", task: \"greet\") { id }"),
    ("resolveTask", "(run: \"RUN\", task: \"greet\") { id }"),
    ("skipTask", "(run: \"RUN\", task: \"greet\") { id }"),
    ("cancelTask", "(run: \"RUN\", task: \"greet\") { id }"),
    ("amendTask", "(run: \"RUN\", task: \"greet\", what: { maxAttempts: 2 }) { id }"),
    ("deleteRun", "(id: \"RUN\")"),
    ("registerWorkflow", "(source: \"workflow: {}\") { name }"),
    ("disableWorkflow", "(namespace: \"default\", name: \"hello\", version: \"9.9.9\") { name }"),
    ("enableWorkflow", "(namespace: \"default\", name: \"hello\", version: \"9.9.9\") { name }"),
    ("events", "(after: \"0-0\") { run }"),
    ("runEvents", "(run: \"RUN\") { run }"),
];

struct Field {
    kind: &'static str,
    name: String,
    needs: String,
}

impl Field {
    fn query(&self, run: &str) -> String {
        let (_, rest) = FIELDS
            .iter()
            .find(|(name, _)| *name == self.name)
            .unwrap_or_else(|| panic!("nobody asks for `{}`", self.name));
        format!("{} {{ {}{} }}", self.kind, self.name, rest.replace("RUN", run))
    }
}

/// The fields at the top, and the permission that each says it takes.
fn fields(server: &Server) -> Vec<Field> {
    let schema = data(server, INTROSPECTION, &json!({}));
    let types = schema["__schema"]["types"].as_array().unwrap();
    let mut fields = Vec::new();
    for (root, kind) in
        [("Query", "query"), ("Subscription", "subscription"), ("Mutation", "mutation")]
    {
        let root = types.iter().find(|it| it["name"] == root).unwrap();
        for field in root["fields"].as_array().unwrap() {
            let (name, what) = (&field["name"], field["description"].as_str().unwrap());
            let what = what.replace('\n', " ");
            let needs = what.split_once("Takes `").and_then(|(_, rest)| rest.split_once('`'));
            let needs = needs.unwrap_or_else(|| panic!("{name} takes nothing: {what}")).0;
            let name = name.as_str().unwrap().to_owned();
            fields.push(Field { kind, name, needs: needs.to_owned() });
        }
    }
    fields
}

/// The permissions of each built-in role.
fn roles(server: &Server) -> BTreeMap<String, BTreeSet<String>> {
    let list = server.get("/api/v1/roles").expect(200);
    let names = |role: &Value| serde_json::from_value(role["permissions"].clone()).unwrap();
    let items = list["items"].as_array().unwrap().iter();
    items.map(|role| (role["name"].as_str().unwrap().to_owned(), names(role))).collect()
}

/// What a field answers to the one who shows this token.
fn ask(server: &Server, field: &Field, run: &str, token: &str) -> Value {
    let query = field.query(run);
    if field.kind != "subscription" {
        let token = format!("Bearer {token}");
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        let body = json!({ "query": query }).to_string();
        return server.send_plain("POST", "/graphql", &headers, &body).expect(200);
    }
    let mut socket = Socket::open(server, Some(token)).unwrap();
    socket.subscribe("1", &query, &json!({}));
    let said = socket.hear().unwrap();
    match said["type"].as_str() {
        Some("next") => said["payload"].clone(),
        Some("error") => json!({ "errors": said["payload"] }),
        _ => panic!("{said}"),
    }
}

fn ended(server: &Server) -> String {
    let run = server.begin("hello");
    server.until(&run, "succeeded");
    run
}

#[test]
fn who_may_is_what_each_field_says_it_takes() {
    let loom = Loom::new();
    let admin = token(&loom, "admin");
    let mut server = Server::with(loom, &["--access", "--limits-failures", "0"]);
    server.set_token(&admin);
    server.register(HELLO);
    let fields = fields(&server);
    let named: BTreeSet<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(named, FIELDS.iter().map(|(name, _)| *name).collect());
    for (role, permissions) in &roles(&server) {
        let run = ended(&server);
        let shown = token(&server.loom, role);
        for field in &fields {
            let answer = ask(&server, field, &run, &shown);
            let refused = answer["errors"].is_array() && code(&answer["errors"]) == "L702";
            let what = format!("{} as {role}: {answer}", field.name);
            assert_eq!(!refused, permissions.contains(&field.needs), "{what}");
            let status = &answer["errors"][0]["extensions"]["status"];
            assert!(status.as_u64().is_none_or(|status| status < 500), "{what}");
        }
    }
    let run = ended(&server);
    foreigners(&server, &fields, &run);
}

/// Who may do everything in another namespace sees and does nothing in this one.
fn foreigners(server: &Server, fields: &[Field], run: &str) {
    let foreign = make(&server.loom, "foreign", &["--role", "admin", "--namespace", "elsewhere"]);
    let foreign = foreign["token"].as_str().unwrap();
    let before = server.get(&format!("/api/v1/runs/{run}")).expect(200);
    // All events but this one's would be another's; there are none to wait for.
    for field in fields.iter().filter(|field| field.name != "events") {
        let answer = ask(server, field, run, foreign);
        let what = format!("{}: {answer}", field.name);
        let told = answer["data"].to_string();
        assert!(!told.contains("hello") && !told.contains(run), "{what}");
        let names_something = field.query(run).contains('(');
        let refused = answer["errors"].is_array()
            && ["L601", "L702", "L703", "L104"].contains(&&*code(&answer["errors"]));
        assert!(refused || !names_something, "{what}");
    }
    assert_eq!(server.get(&format!("/api/v1/runs/{run}")).expect(200), before);
}

#[test]
fn nobody_comes_in_without_a_good_token() {
    let loom = Loom::new();
    let revoked = make(&loom, "revoked", &["--role", "admin"]);
    loom.loom(&["token", "revoke", revoked["id"].as_str().unwrap()]).exits(0);
    let revoked = revoked["token"].as_str().unwrap().to_owned();
    let server = Server::with(loom, &["--access", "--limits-failures", "0"]);
    post(&server, "{ eventCursor }", &json!({})).problem(401, "L701");
    for shown in [revoked.as_str(), "loom_nosuch", "eyJhbGciOiJub25lIn0.e30."] {
        let header = format!("Bearer {shown}");
        let headers = [("authorization", header.as_str()), ("content-type", "application/json")];
        server.send_plain("POST", "/graphql", &headers, "{}").problem(401, "L701");
        let headers = [("authorization", header.clone())];
        assert_eq!(Socket::with(&server, "graphql-transport-ws", &headers).err(), Some(401));
        let mut socket = Socket::connect(&server, None).unwrap();
        let payload = json!({ "authorization": header });
        socket.say(&json!({ "type": "connection_init", "payload": payload }));
        let (code, reason) = socket.closed().unwrap();
        assert!(code == 4403 && reason.starts_with("L701"), "{code} {reason}");
    }
}

#[test]
fn what_a_field_leads_to_takes_its_own_permission() {
    let loom = Loom::new();
    let admin = token(&loom, "admin");
    let mut server = Server::with(loom, &["--access"]);
    server.set_token(&admin);
    server.register(HELLO);
    ended(&server);
    let shown = |name: &str, permissions: &[&str]| {
        let role = json!({ "permissions": permissions }).to_string();
        let headers = [("content-type", "application/json")];
        server.send("PUT", &format!("/api/v1/roles/{name}"), &headers, &role).expect(200);
        token(&server.loom, name)
    };
    let tokens = [
        shown("lister", &["runs:list", "workflows:list"]),
        shown("reader", &["runs:list", "runs:get", "workflows:list"]),
        shown("starter", &["runs:start"]),
    ];
    let inner = |fields: &str| format!("{{ runs(first: 2) {{ nodes {{ id {fields} }} }} }}");
    let start = "mutation { startRun(run: { workflow: \"hello\" }) { id run { id } } }";
    let workflow = |fields: &str| format!("{{ workflows {{ nodes {{ name {fields} }} }} }}");
    for (token, query, may) in [
        (0, inner(""), true),
        (0, inner("lastSeq"), false),
        (0, inner("tasks { nodes { name } }"), false),
        (0, inner("variables { nodes { name } }"), false),
        (0, inner("interventions { by }"), false),
        (0, inner("criticalPath { task }"), false),
        (0, inner("definition { name }"), false),
        (
            1,
            inner(
                "tasks(first: 5) { nodes { name outputs { name } attempt(number: 1) { result } } }",
            ),
            true,
        ),
        (1, inner("definition { name }"), false),
        (1, workflow(""), true),
        (1, workflow("source"), false),
        (1, workflow("graph { mermaid }"), false),
        (1, workflow("needs { name }"), false),
        (1, workflow("versions { nodes { version } }"), false),
        (2, start.to_owned(), false),
    ] {
        let header = format!("Bearer {}", tokens[token]);
        let headers = [("authorization", header.as_str()), ("content-type", "application/json")];
        let body = json!({ "query": query }).to_string();
        let answer = server.send_plain("POST", "/graphql", &headers, &body).expect(200);
        if may {
            assert!(answer.get("errors").is_none(), "{query}: {answer}");
        } else {
            assert_eq!(code(&answer["errors"]), "L702", "{query}: {answer}");
        }
    }
}

//! Tokens, roles, JSON Web Tokens, the audit log.

use super::harness::{Answer, Server};
use super::raw::Raw;
use crate::harness::Loom;
use crate::watch::eventually;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

pub(super) const HELLO: &str = "
name: hello
tasks:
  - name: greet
    plugin: cmd
    params: { command: 'true' }
";

/// Makes a token from the command line.
pub(super) fn make(loom: &Loom, name: &str, args: &[&str]) -> Value {
    let said = loom.loom(&[&["--json", "token", "create", name], args].concat()).exits(0);
    said.json().remove(0)
}

/// The text of a token with this role.
pub(super) fn token(loom: &Loom, role: &str) -> String {
    make(loom, role, &["--role", role])["token"].as_str().unwrap().to_owned()
}

/// A server with access control, shown an administrator's token.
fn guarded(args: &[&str]) -> Server {
    let loom = Loom::new();
    let admin = token(&loom, "admin");
    let args = [&["--access", "--limits-failures", "0"], args].concat();
    let mut server = Server::with(loom, &args);
    server.set_token(&admin);
    server
}

fn with_token(server: &Server, token: &str, method: &str, path: &str, body: &str) -> Answer {
    let token = format!("Bearer {token}");
    let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
    server.send_plain(method, path, &headers, body)
}

#[test]
fn callers_of_one_name_share_no_keys_across_namespaces() {
    let mut server = guarded(&[]);
    let of = |namespace: &str| format!("namespace: {namespace}\n{}", HELLO.trim_start());
    for namespace in ["a", "b"] {
        server.register(&of(namespace));
    }
    let mut started = BTreeSet::new();
    for namespace in ["a", "b"] {
        let made = make(&server.loom, "ci", &["--role", "operator", "--namespace", namespace]);
        server.set_token(made["token"].as_str().unwrap());
        let headers = [("content-type", "application/json"), ("idempotency-key", "deploy-1")];
        let body = json!({ "workflow": "hello", "namespace": namespace }).to_string();
        let send = || server.send("POST", "/api/v1/runs", &headers, &body);
        let run = send().expect(201)["id"].clone();
        assert_eq!(send().expect(200)["id"], run);
        started.insert(run.to_string());
    }
    assert_eq!(started.len(), 2);
}

#[test]
fn the_page_to_try_the_api_is_open_and_asks_for_a_token_itself() {
    let server = Server::with(Loom::new(), &["--access"]);
    let page = server.get("/api/v1/docs");
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    server.send("POST", "/api/v1/docs", &[], "").problem(401, "L701");
    server.get("/api/v1/openapi.json").problem(401, "L701");
}

#[test]
fn a_token_is_shown_once_and_only_its_hash_is_kept() {
    let server = guarded(&[]);
    let body = json!({ "name": "ci", "roles": ["operator"], "namespaces": ["billing"] });
    let made = server.post("/api/v1/tokens", &body).expect(201);
    let (text, id) = (made["token"].as_str().unwrap(), made["id"].as_str().unwrap());
    assert!(text.starts_with("loom_") && text.len() == 5 + 26 + 1 + 64, "{text}");
    let list = server.get("/api/v1/tokens").expect(200);
    let listed = list["items"].as_array().unwrap().iter().find(|it| it["id"] == id).unwrap();
    assert_eq!(listed["namespaces"], json!(["billing"]));
    assert_eq!(listed["last_used_at"], Value::Null);
    let secret = text.rsplit('_').next().unwrap();
    assert!(!list.to_string().contains(secret));
    for file in std::fs::read_dir(server.loom.path("store")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(secret.len()).any(|it| it == secret.as_bytes());
            assert!(!found, "{} holds the secret", path.display());
        }
    }
    with_token(&server, text, "GET", "/api/v1/workflows?namespace=billing", "").expect(200);
    let list = server.get("/api/v1/tokens").expect(200);
    let listed = list["items"].as_array().unwrap().iter().find(|it| it["id"] == id).unwrap();
    assert!(listed["last_used_at"].is_string(), "{listed}");
}

#[test]
fn a_revoked_token_ends_at_once_and_one_that_another_process_revokes_within_seconds() {
    let server = guarded(&[]);
    let (one, other) = (
        make(&server.loom, "a", &["--role", "viewer"]),
        make(&server.loom, "b", &["--role", "viewer"]),
    );
    let look = |made: &Value| {
        with_token(&server, made["token"].as_str().unwrap(), "GET", "/api/v1/workflows", "")
    };
    look(&one).expect(200);
    look(&other).expect(200);
    let id = one["id"].as_str().unwrap();
    let revoked = server.post(&format!("/api/v1/tokens/{id}/revoke"), &json!({})).expect(200);
    assert!(revoked["revoked_at"].is_string());
    look(&one).problem(401, "L701");
    server.loom.loom(&["token", "revoke", other["id"].as_str().unwrap()]).exits(0);
    eventually("the end of a revoked token", || (look(&other).status == 401).then_some(()));
    server.loom.loom(&["token", "list"]).exits(0).says("revoked");
    server.loom.loom(&["token", "revoke", "nosuch"]).exits(2).warns("L703");
}

#[test]
fn nobody_hands_out_more_than_they_have() {
    let server = guarded(&[]);
    let role = json!({ "permissions": ["tokens:*", "runs:list"] });
    let put = |name: &str, body: &Value, token: &str| {
        with_token(&server, token, "PUT", &format!("/api/v1/roles/{name}"), &body.to_string())
    };
    let admin = token(&server.loom, "admin");
    put("clerk", &role, &admin).expect(201);
    put("clerk", &json!({ "permissions": ["runs:fly"] }), &admin).problem(400, "L605");
    put("viewer", &role, &admin).problem(409, "L704");
    put("No!", &role, &admin).problem(400, "L605");
    let clerk = token(&server.loom, "clerk");
    let make = |roles: Value| {
        let body = json!({ "name": "x", "roles": roles }).to_string();
        with_token(&server, &clerk, "POST", "/api/v1/tokens", &body)
    };
    make(json!(["clerk"])).expect(201);
    make(json!(["admin"])).problem(403, "L702");
    make(json!(["nosuch"])).problem(400, "L605");
    make(json!([])).problem(400, "L605");
    put("clerk", &json!({ "permissions": ["*"] }), &clerk).problem(403, "L702");
    put("lister", &json!({ "permissions": ["runs:list"] }), &clerk).expect(201);
    let names = server.get("/api/v1/roles").expect(200);
    let names: Vec<_> =
        names["items"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["viewer", "operator", "author", "admin", "clerk", "lister"]);
    with_token(&server, &admin, "DELETE", "/api/v1/roles/lister", "").expect(204);
    with_token(&server, &admin, "DELETE", "/api/v1/roles/lister", "").problem(404, "L703");
}

#[test]
fn another_run_than_the_first_takes_the_right_to_start_runs() {
    let server = guarded(&[]);
    server.register(HELLO);
    let run = server.begin("hello");
    server.until(&run, "succeeded");
    let headers = [("content-type", "application/json")];
    let role = json!({ "permissions": ["runs:get", "runs:retry"] }).to_string();
    server.send("PUT", "/api/v1/roles/mender", &headers, &role).expect(201);
    let mender = token(&server.loom, "mender");
    let path = format!("/api/v1/runs/{run}/rerun");
    let again = |body: &str| with_token(&server, &mender, "POST", &path, body);
    again("").expect(201);
    again(r#"{"reason": "once more", "version": "0.1.0"}"#).expect(201);
    for other in [r#"{"variables": {"A": 1}}"#, r#"{"version": "latest"}"#] {
        again(other).problem(403, "L702");
        server.send("POST", &path, &headers, other).expect(201);
    }
}

#[test]
fn a_role_is_changed_by_who_saw_it() {
    let server = guarded(&[]);
    let path = "/api/v1/roles/clerk";
    let send = |method: &str, header: (&str, &str), body: &Value| {
        let headers = [("content-type", "application/json"), header];
        server.send(method, path, &headers, &body.to_string())
    };
    let role = json!({ "permissions": ["runs:list"] });
    send("PUT", ("if-match", "*"), &role).problem(412, "L705");
    let made = send("PUT", ("if-none-match", "*"), &role);
    assert_eq!(made.expect(201)["name"], "clerk");
    send("PUT", ("if-none-match", "*"), &role).problem(409, "L704");
    let first = made.header("etag").to_owned();
    assert_eq!(server.get(path).header("etag"), first);
    assert_eq!(server.get("/api/v1/roles/viewer").expect(200)["built_in"], true);
    let either = format!("\"99999\", {first}");
    let second = send("PUT", ("if-match", &either), &role);
    second.expect(200);
    for wrong in [first.as_str(), "\"99999\"", "W/\"1\"", "x", ""] {
        send("PUT", ("if-match", wrong), &role).problem(412, "L705");
        send("DELETE", ("if-match", wrong), &Value::Null).problem(412, "L705");
    }
    send("DELETE", ("if-match", second.header("etag")), &Value::Null).expect(204);
    server.get(path).problem(404, "L703");
}

#[test]
fn every_change_is_recorded_with_who_what_from_where_and_its_outcome() {
    let server = guarded(&[]);
    server.register(HELLO);
    let run = server.begin("hello");
    server.until(&run, "succeeded");
    let viewer = token(&server.loom, "viewer");
    let path = format!("/api/v1/runs/{run}/cancel");
    with_token(&server, &viewer, "POST", &path, "").problem(403, "L702");
    server.post(&path, &json!({})).problem(409, "L603");
    server.get("/api/v1/workflows").expect(200);
    let find = |query: &str| {
        let found = server.get(&format!("/api/v1/audit?{query}")).expect(200);
        found["items"].as_array().unwrap().clone()
    };
    let cancelled = eventually("both entries, and that of the start", || {
        let found = find(&format!("target={run}"));
        (found.len() == 3).then_some(found)
    });
    let outcomes: Vec<_> = cancelled.iter().map(|it| &it["outcome"]).collect();
    assert_eq!(outcomes, ["refused", "forbidden", "done"]);
    assert_eq!(cancelled[1]["who"], "viewer");
    assert_eq!(cancelled[1]["from"], "127.0.0.1");
    assert_eq!(cancelled[1]["action"], "runs:cancel");
    assert_eq!(cancelled[1]["call"], "POST /api/v1/runs/{id}/cancel");
    assert_eq!(find("action=workflows:register&outcome=done").len(), 1);
    assert_eq!(find("who=admin&action=runs:start").len(), 1);
    // The tokens that were made on the machine.
    assert_eq!(find("action=tokens:write")[0]["call"], "loom token create");
    assert!(find("action=workflows:list").is_empty());
    assert!(find("until=2020-01-01T00:00:00Z").is_empty());
    assert!(find("since=2100-01-01T00:00:00Z").is_empty());
    let all = find("limit=200");
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = server.get(&format!("/api/v1/audit?limit=2{cursor}")).expect(200);
        pages.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(pages, all);
    server.get("/api/v1/audit?cursor=forged").problem(422, "L711");
    let first = server.get("/api/v1/audit?limit=1&who=admin").expect(200);
    let next = first["next_cursor"].as_str().unwrap();
    server.get(&format!("/api/v1/audit?limit=1&who=admin&cursor={next}")).expect(200);
    let other = format!("/api/v1/audit?limit=1&who=admin&action=runs:start&cursor={next}");
    server.get(&other).problem(422, "L711");
    let entry = first["items"][0]["id"].as_str().unwrap();
    server.get(&format!("/api/v1/audit?cursor={entry}")).problem(422, "L711");
    server.get("/api/v1/audit?since=yesterday").problem(400, "L605");
}

#[test]
fn what_was_made_is_on_record() {
    let server = guarded(&["--private-receivers"]);
    server.register(HELLO);
    let find = |target: &str| {
        eventually(&format!("an entry about {target}"), || {
            let found = server.get(&format!("/api/v1/audit?target={target}")).expect(200);
            found["items"].as_array().unwrap().first().cloned()
        })
    };
    let version = find("0.1.0");
    assert_eq!(
        version["target"],
        json!({ "namespace": "default", "name": "hello", "version": "0.1.0" })
    );
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let ask = json!({ "name": "bob", "roles": ["viewer", "operator"], "namespaces": ["etl"] });
    let token = server.post("/api/v1/tokens", &ask).expect(201);
    let made = find(&text(&token["id"]));
    assert_eq!(made["call"], "POST /api/v1/tokens");
    assert_eq!(
        made["detail"],
        json!({ "name": "bob", "roles": "operator,viewer", "namespaces": "etl" })
    );
    let headers = [("content-type", "application/json")];
    let role = r#"{"permissions":["runs:get","logs:get"]}"#;
    server.send("PUT", "/api/v1/roles/reader", &headers, role).expect(201);
    assert_eq!(find("reader")["detail"], json!({ "permissions": "logs:get,runs:get" }));
    let webhook = server.post("/api/v1/webhooks", &json!({ "url": "http://127.0.0.1:9/" }));
    let webhook = text(&webhook.expect(201)["webhook"]["id"]);
    assert_eq!(find(&webhook)["action"], "webhooks:write");
    let run = server.begin("hello");
    assert_eq!(find(&run)["target"], json!({ "id": run }));
    server.until(&run, "succeeded");
    let again = server.post(&format!("/api/v1/runs/{run}/rerun"), &json!({})).expect(201);
    let again = text(&again["id"]);
    assert_eq!(find(&again)["target"], json!({ "id": run, "run": again }));
    // Of many at once, each.
    let start = json!({ "workflow": "hello" });
    let many = json!({ "runs": [start, start, { "workflow": "nosuch" }] });
    let many = server.post("/api/v1/runs/batch", &many).expect(200);
    for item in &many["items"].as_array().unwrap()[..2] {
        let entry = find(&text(&item["id"]));
        assert_eq!(
            (&entry["call"], &entry["status"]),
            (&json!("POST /api/v1/runs/batch"), &json!(200))
        );
    }
    let all = server.get("/api/v1/audit?action=runs:start").expect(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 3);
    // Made on the machine.
    let local = make(&server.loom, "carl", &["--role", "viewer"]);
    let made = find(&text(&local["id"]));
    assert_eq!(made["detail"], json!({ "name": "carl", "roles": "viewer", "namespaces": "all" }));
}

fn fixtures() -> Value {
    serde_json::from_str(include_str!("jwt.json")).unwrap()
}

const JWT: [&str; 6] = [
    "--jwt-issuer=https://id.example",
    "--jwt-audience=loom",
    "--jwt-roles=ops=operator",
    "--jwt-namespaces-claim=namespaces",
    "--access",
    "--limits-failures=0",
];

fn with_keys(extra: &str) -> Server {
    Server::with(Loom::new(), &[&JWT[..], &[extra]].concat())
}

fn list(server: &Server, token: &Value) -> Answer {
    let path = "/api/v1/workflows?namespace=default";
    with_token(server, token.as_str().unwrap(), "GET", path, "")
}

#[test]
fn json_web_tokens_of_the_issuer_come_in_and_forged_ones_do_not() {
    let fixtures = fixtures();
    let loom = Loom::new();
    std::fs::write(loom.path("jwks.json"), fixtures["jwks"].to_string()).unwrap();
    let server = Server::with(loom, &[&JWT[..], &["--jwt-jwks=jwks.json"]].concat());
    for (alg, token) in fixtures["good"].as_object().unwrap() {
        assert_eq!(list(&server, token).status, 200, "{alg}");
    }
    for (what, token) in fixtures["bad"].as_object().unwrap() {
        let answer = list(&server, token);
        assert_eq!(answer.status, 401, "{what}: {}", answer.text);
        answer.problem(401, "L701");
    }
    for (_, token) in fixtures["good_by_secret"].as_object().unwrap() {
        list(&server, token).problem(401, "L701");
    }
    let others = &fixtures["others"];
    list(&server, &others["everywhere"]).expect(200);
    for what in ["no roles", "nowhere", "elsewhere"] {
        list(&server, &others[what]).problem(403, "L702");
    }
    // Tokens of our own come in beside them.
    let viewer = token(&server.loom, "viewer");
    list(&server, &json!(viewer)).expect(200);
    // What they do is told apart from what somebody of the same name does with one of ours.
    let ann = fixtures["good"]["RS256"].as_str().unwrap();
    with_token(&server, ann, "POST", "/api/v1/runs/nosuch/cancel", "").problem(404, "L601");
    let admin = token(&server.loom, "admin");
    let entry = eventually("the change is recorded", || {
        let path = "/api/v1/audit?action=runs:cancel";
        with_token(&server, &admin, "GET", path, "").expect(200)["items"].get(0).cloned()
    });
    assert_eq!(entry["who"], "ann");
    assert_eq!(entry["issuer"], "https://id.example");
    assert_eq!(entry.get("token"), None);
}

#[test]
fn json_web_tokens_by_a_shared_secret() {
    let fixtures = fixtures();
    let secret = fixtures["secret"].as_str().unwrap();
    let server = with_keys(&format!("--jwt-secret={secret}"));
    for (alg, token) in fixtures["good_by_secret"].as_object().unwrap() {
        assert_eq!(list(&server, token).status, 200, "{alg}");
    }
    list(&server, &fixtures["others"]["other secret"]).problem(401, "L701");
    for group in ["good", "bad"] {
        for (what, token) in fixtures[group].as_object().unwrap() {
            assert_eq!(list(&server, token).status, 401, "{what}");
        }
    }
}

#[test]
fn keys_of_an_issuer_are_fetched_again_when_they_change_and_not_for_every_stranger() {
    let fixtures = fixtures();
    let document = Arc::new(Mutex::new(fixtures["jwks"].to_string()));
    let fetched = Arc::new(Mutex::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let (serves, counts) = (Arc::clone(&document), Arc::clone(&fetched));
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.read(&mut [0; 4096]);
            *counts.lock().unwrap() += 1;
            let body = serves.lock().unwrap().clone();
            let head = format!(
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all((head + &body).as_bytes());
        }
    });
    let server = with_keys(&format!("--jwt-jwks={url}"));
    list(&server, &fixtures["good"]["RS256"]).expect(200);
    let next = &fixtures["others"]["next"];
    list(&server, next).problem(401, "L701");
    *document.lock().unwrap() = fixtures["next_jwks"].to_string();
    // Strangers who name other keys do not make the server ask for them again and again.
    eventually("the next key", || (list(&server, next).status == 200).then_some(()));
    assert_eq!(*fetched.lock().unwrap(), 2);
}

#[test]
fn a_server_with_keys_that_cannot_be_used_does_not_start() {
    let loom = Loom::new();
    std::fs::write(loom.path("empty.json"), "{\"keys\": []}").unwrap();
    let good = "--jwt-secret=a secret of thirty-two bytes or more";
    for (args, expected) in [
        (vec!["--jwt-jwks=empty.json"], "no RSA or EC key"),
        (vec!["--jwt-jwks=nosuch.json"], "nosuch.json"),
        (vec!["--jwt-secret=short"], "32 bytes"),
        (vec![], "`jwt.jwks`"),
        (vec!["--jwt-secret=short", "--jwt-jwks=x"], "set one of them"),
        (vec![good, "--tls-certificate=nosuch.pem"], "needs its key"),
        (vec![good, "--tls-certificate=nosuch.pem", "--tls-key=nosuch.pem"], "nosuch.pem"),
    ] {
        let args = [&["serve", "--listen", "127.0.0.1:0"], &JWT[..], &args].concat();
        let said = loom.loom(&args).exits(2).warns("L717").warns(expected);
        assert!(!said.err.contains("short"), "a secret is told: {}", said.err);
    }
}

#[test]
fn connections_are_encrypted_if_there_is_a_certificate() {
    let tls = Path::new(env!("CARGO_MANIFEST_DIR")).join("../loom-worker/tests/tls");
    let file = |name: &str| tls.join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (file("server.pem"), file("server.key"));
    let args = ["--tls-certificate", &certificate, "--tls-key", &key];
    let server = Server::with(Loom::new(), &args);
    let authority = std::fs::read(file("authority.pem")).unwrap();
    let authority = ureq::tls::Certificate::from_pem(&authority).unwrap();
    let roots = ureq::tls::RootCerts::new_with_certs(&[authority]);
    let trust = ureq::tls::TlsConfig::builder().root_certs(roots).build();
    let agent = ureq::Agent::config_builder().tls_config(trust).build().new_agent();
    let url = format!("https://{}/api/v1/workflows", server.address());
    let mut answer = agent.get(&url).call().unwrap();
    assert_eq!(answer.body_mut().read_to_string().unwrap(), "{\"items\":[]}");
    assert!(agent.get(url.replace("https", "http")).call().is_err());
}

#[test]
fn a_stream_ends_when_its_token_does() {
    let server = guarded(&[]);
    server.register(
        "
name: long
tasks:
  - name: wait
    plugin: cmd
    params: { command: 'while [ ! -e go ] && [ -e $LOOM_STORE ]; do sleep 0.02; done' }
",
    );
    let run = server.begin("long");
    let made = make(&server.loom, "reader", &["--role", "viewer"]);
    let token = format!("Bearer {}", made["token"].as_str().unwrap());
    let headers = [("host", "localhost"), ("authorization", token.as_str())];
    let log = format!("/api/v1/runs/{run}/tasks/wait/attempts/1/log?follow=true");
    let paths = ["/api/v1/events".to_owned(), format!("/api/v1/runs/{run}/events"), log];
    let streams = paths.map(|path| {
        let mut raw = Raw::connect(server.address());
        raw.request("GET", &path, &headers, "");
        assert_eq!(raw.reply().unwrap().status, 200, "{path}");
        raw
    });
    let id = made["id"].as_str().unwrap();
    server.post(&format!("/api/v1/tokens/{id}/revoke"), &json!({})).expect(200);
    // The run goes on; it is the readers who are sent away.
    for stream in streams {
        stream.rest();
    }
    assert_eq!(server.get(&format!("/api/v1/runs/{run}")).expect(200)["state"], "running");
    std::fs::write(server.loom.path("go"), "").unwrap();
}

#[test]
fn everybody_who_is_known_may_ask_who_they_are() {
    let server = guarded(&[]);
    let text = |made: &Value| made["token"].as_str().unwrap().to_owned();
    let made = make(&server.loom, "ci", &["--role", "operator", "--namespace", "billing"]);
    let me = with_token(&server, &text(&made), "GET", "/api/v1/me", "").expect(200);
    assert_eq!(me["name"], "ci");
    assert_eq!(me["access_control"], true);
    assert_eq!(me["token"], made["id"]);
    assert_eq!(me["roles"], json!(["operator"]));
    assert_eq!(me["permissions"]["runs:start"], json!({ "namespaces": ["billing"] }));
    assert_eq!(me["permissions"]["workflows:register"], Value::Null);
    let admin = server.get("/api/v1/me").expect(200);
    assert_eq!(admin["permissions"]["tokens:write"], json!({}), "in all namespaces");
    let own = json!({ "permissions": ["logs:get"] });
    let json = [("content-type", "application/json")];
    server.send("PUT", "/api/v1/roles/reader", &json, &own.to_string()).expect(201);
    let reader = make(&server.loom, "bob", &["--role", "reader"]);
    let me = with_token(&server, &text(&reader), "GET", "/api/v1/me", "").expect(200);
    assert_eq!(me["permissions"], json!({ "logs:get": {} }));
    server.send_plain("GET", "/api/v1/me", &[], "").problem(401, "L701");
}

#[test]
fn without_access_control_everybody_is_one_who_may_everything() {
    let server = Server::start();
    let me = server.get("/api/v1/me").expect(200);
    assert_eq!((&me["name"], &me["access_control"]), (&json!("local"), &json!(false)));
    assert_eq!(me["roles"], json!([]));
    assert_eq!(me["token"], Value::Null);
    let permissions = me["permissions"].as_object().unwrap();
    assert!(permissions.values().all(|it| *it == json!({})), "{me}");
    assert!(permissions.contains_key("audit:list") && permissions.contains_key("runs:start"));
}

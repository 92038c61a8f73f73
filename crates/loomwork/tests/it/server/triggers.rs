//! Requests from elsewhere that start runs.

use super::access::token;
use super::harness::{Answer, Server};
use crate::harness::Loom;
use crate::watch::eventually;
use serde_json::{Value, json};

const TELL: &str = "
name: tell
tasks:
  - name: tell
    plugin: cmd
    inputs: [REF, EVENT]
    params: { command: 'echo \"$EVENT $REF\" > told; echo $TRACEPARENT > trace' }
";
const SECRET: &str = "It's a Secret to Everybody";
const BODY: &str = r#"{"ref":"refs/heads/main"}"#;
/// Made by `openssl dgst -sha256 -hmac "$SECRET"` of the body.
const SIGNATURE: &str = "sha256=6a42699496d8c4fb346af1c930df527931a321e28ada69dbc5ee82f438517fd2";

fn put(server: &Server, name: &str, spec: &Value) -> Answer {
    let headers = [("content-type", "application/json")];
    server.send("PUT", &format!("/api/v1/triggers/{name}"), &headers, &spec.to_string())
}

fn github() -> Value {
    json!({
        "kind": "request",
        "proof": { "kind": "hmac", "secret": SECRET },
        "delivery_header": "X-GitHub-Delivery",
        "run": { "workflow": "tell", "variables": { "EVENT": "none" } },
        "variables": {
            "REF": { "from": "body", "pointer": "/ref" },
            "EVENT": { "from": "header", "name": "X-GitHub-Event", "optional": true },
        },
    })
}

fn deliver(server: &Server, delivery: &str, signature: &str) -> Answer {
    let headers = [
        ("content-type", "application/json"),
        ("x-github-event", "push"),
        ("x-github-delivery", delivery),
        ("x-hub-signature-256", signature),
        ("x-correlation-id", "order-66"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ];
    server.send("POST", "/hooks/push", &headers, BODY)
}

#[test]
fn a_signed_delivery_starts_one_run_however_often_it_comes() {
    let mut server = Server::start();
    server.register(TELL);
    let made = put(&server, "push", &github()).expect(201);
    assert_eq!((&made["path"], &made["proof"]["secret"]), (&json!("/hooks/push"), &json!("***")));
    let first = deliver(&server, "d1", SIGNATURE).expect(201);
    let run = server.until(first["id"].as_str().unwrap(), "succeeded");
    assert_eq!(run["initiator"], "trigger:push");
    assert_eq!(run["correlation_id"], "order-66");
    assert!(server.loom.read("trace").starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
    // Who sent it has no token, and is on record all the same; who proves nothing is not.
    deliver(&server, "d0", "sha256=00").problem(401, "L701");
    let entries = eventually("the delivery is on record", || {
        let found = server.get("/api/v1/audit?who=trigger:push").expect(200)["items"].clone();
        found.as_array().filter(|found| !found.is_empty()).cloned()
    });
    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    assert_eq!(entry["target"], json!({ "name": "push", "run": first["id"] }));
    assert_eq!(
        (&entry["call"], &entry["from"]),
        (&json!("POST /hooks/{name}"), &json!("127.0.0.1"))
    );
    assert_eq!((&entry["action"], &entry["outcome"]), (&json!("runs:start"), &json!("done")));
    assert_eq!(server.loom.read("told"), "push refs/heads/main\n");
    // Another version of the workflow makes a delivery no other one.
    let version = format!("{}version: 9.0.0\n", TELL.trim_start());
    server.register(&version);
    server.crash_and_restart();
    let repeat = deliver(&server, "d1", SIGNATURE).expect(200);
    assert_eq!((&repeat["id"], &repeat["repeated"]), (&first["id"], &json!(true)));
    assert_ne!(deliver(&server, "d2", SIGNATURE).expect(201)["id"], first["id"]);
}

#[test]
fn who_proves_nothing_learns_nothing() {
    let server = Server::start();
    server.register(TELL);
    put(&server, "push", &github()).expect(201);
    let wrong =
        deliver(&server, "d1", &SIGNATURE.replace("sha256=", "sha256=0")).problem(401, "L701");
    deliver(&server, "d1", "").problem(401, "L701");
    let unknown = server.send("POST", "/hooks/none", &[], BODY).problem(401, "L701");
    let said = unknown["detail"].as_str().unwrap().replace("none", "push");
    assert_eq!(wrong["detail"], said);
    server.send("GET", "/hooks/push", &[], "").problem(405, "L715");
}

#[test]
fn a_token_opens_a_trigger_that_is_not_paused() {
    let server = Server::start();
    server.register(TELL);
    let spec = json!({ "kind": "request", "proof": { "kind": "token", "secret": SECRET },
        "run": { "workflow": "tell", "variables": { "REF": 1, "EVENT": 2 } } });
    put(&server, "call", &spec).expect(201);
    let bearer = format!("Bearer {SECRET}");
    let call = || server.send("POST", "/hooks/call", &[("authorization", &bearer)], "");
    let (first, second) = (call().expect(201), call().expect(201));
    assert_ne!(first["id"], second["id"]);
    server.send("POST", "/api/v1/triggers/call/pause", &[], "").expect(200);
    call().problem(409, "L603");
    server.send("POST", "/api/v1/triggers/call/resume", &[], "").expect(200);
    call().expect(201);
}

#[test]
fn a_delivery_that_lacks_what_the_run_needs_is_told_so() {
    let server = Server::start();
    server.register(TELL);
    let mut spec = github();
    spec["variables"]["REF"]["pointer"] = json!("/nothing");
    put(&server, "push", &spec).expect(201);
    let problem = deliver(&server, "d1", SIGNATURE).problem(400, "L605");
    assert!(problem["detail"].as_str().unwrap().contains("/nothing"), "{problem}");
}

#[test]
fn triggers_are_listed_replaced_and_deleted_and_keep_their_secrets() {
    let server = Server::start();
    server.register(TELL);
    put(&server, "push", &github()).expect(201);
    let page = server.get("/api/v1/triggers").expect(200);
    assert_eq!(page["items"][0]["name"], "push");
    assert!(!page.to_string().contains(SECRET));
    let tag = server.get("/api/v1/triggers/push").header("etag").to_owned();
    put(&server, "push", &github()).expect(200);
    let old = [("if-match", tag.as_str())];
    server.send("DELETE", "/api/v1/triggers/push", &old, "").problem(412, "L705");
    server.send("DELETE", "/api/v1/triggers/push", &[], "").expect(204);
    deliver(&server, "d1", SIGNATURE).problem(401, "L701");
    for file in std::fs::read_dir(server.loom.path("store")).unwrap() {
        let file = file.unwrap().path();
        if file.is_file() {
            let bytes = std::fs::read(&file).unwrap();
            let plain = bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
            assert!(!plain, "{}", file.display());
        }
    }
}

#[test]
fn what_is_no_trigger_is_refused_with_a_reason() {
    let server = Server::start();
    server.register(TELL);
    for (path, wrong) in [
        ("/proof/secret", json!("***")),
        ("/proof/secret", json!("short")),
        ("/proof/kind", json!("magic")),
        ("/kind", json!("magic")),
        ("/delivery_header", json!("no header")),
        ("/variables/REF/pointer", json!("ref")),
        ("/run/workflow", json!(1)),
        ("/run/variables", json!({ "1 x": 1 })),
        ("/variables", json!({ "1 bad": { "from": "body", "pointer": "" } })),
    ] {
        let mut spec = github();
        *spec.pointer_mut(path).unwrap() = wrong;
        put(&server, "wrong", &spec).problem(400, "L605");
    }
    let mut spec = github();
    spec["variables"].as_object_mut().unwrap().remove("REF");
    put(&server, "wrong", &spec).problem(422, "L713");
    server.get("/api/v1/triggers/wrong").problem(404, "L703");
}

#[test]
fn a_hook_needs_no_token_of_the_server_but_its_own_proof() {
    let loom = Loom::new();
    let admin = token(&loom, "admin");
    let mut server = Server::with(loom, &["--access", "--limits-failures", "5"]);
    server.set_token(&admin);
    server.register(TELL);
    put(&server, "push", &github()).expect(201);
    let send = |name: &str, more: &[(&str, &str)]| {
        let headers = [&[("x-github-delivery", "d1"), ("x-github-event", "push")], more].concat();
        server.send_plain("POST", &format!("/hooks/{name}"), &headers, BODY)
    };
    let good = [("x-hub-signature-256", SIGNATURE)];
    let first = send("push", &good).expect(201);
    assert_eq!(
        server.until(first["id"].as_str().unwrap(), "succeeded")["initiator"],
        "trigger:push"
    );
    // A token of the server proves nothing here, however much it may do.
    let bearer = format!("Bearer {admin}");
    send("push", &[("authorization", &bearer)]).problem(401, "L701");
    // Nor does the proof let anybody into what is behind the other doors.
    server.send_plain("GET", "/api/v1/triggers", &good, "").problem(401, "L701");
    server.send_plain("GET", "/hooks/push", &good, "").problem(405, "L715");
    // Whoever guesses has to wait; whoever knows does not.
    let guess = || send("push", &[("x-hub-signature-256", "sha256=00")]);
    eventually("guesses are slowed down", || (guess().status == 429).then_some(()));
    let slowed = guess();
    slowed.problem(429, "L706");
    assert!(slowed.header("retry-after").parse::<u64>().unwrap() > 0);
    send("nosuch", &good).problem(429, "L706");
    assert_eq!(send("push", &good).expect(200)["id"], first["id"]);
}

#[test]
fn the_rate_of_requests_holds_for_hooks() {
    let loom = Loom::new();
    let admin = token(&loom, "admin");
    let mut server = Server::with(loom, &["--access", "--limits-rate", "20"]);
    server.set_token(&admin);
    server.register(TELL);
    put(&server, "push", &github()).expect(201);
    let headers = [("x-github-delivery", "d1"), ("x-hub-signature-256", SIGNATURE)];
    let send = || server.send_plain("POST", "/hooks/push", &headers, BODY);
    let refused = eventually("the rate is reached", || Some(send()).filter(|it| it.status == 429));
    assert_eq!(refused.header("connection"), "close", "its body was not read");
    // Those who show a token of their own are counted by themselves.
    server.get("/api/v1/triggers").expect(200);
    eventually("the rate holds no longer than it lasts", || (send().status == 200).then_some(()));
}

//! Outgoing webhooks, to receivers that fail, hang and come back.

use super::harness::Server;
use super::receiver::{Delivery, Does, Receiver};
use super::sse::Reader;
use crate::harness::Loom;
use crate::watch::eventually;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ONE: &str = "{ name: one, tasks: [{ name: a, plugin: noop }] }";

fn server() -> Server {
    let server = Server::with(Loom::new(), &["--private-receivers"]);
    server.register(ONE);
    server
}

/// Subscribes a receiver, with what else is said.
fn subscribe(server: &Server, receiver: &Receiver, more: &Value) -> String {
    let retry = json!({ "initial_s": 0.1, "max_s": 0.5, "max_attempts": 20 });
    let mut body = json!({ "url": receiver.url(), "secret": SECRET, "retry": retry });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let created = server.post("/api/v1/webhooks", &body).expect(201);
    assert_eq!(created["secret"], SECRET);
    created["webhook"]["id"].as_str().unwrap().to_owned()
}

fn finish(server: &Server, runs: usize) {
    for _ in 0..runs {
        let run = server.begin("one");
        server.until(&run, "succeeded");
    }
}

/// Waits until a receiver has taken so many events.
fn taken(receiver: &Receiver, count: usize) -> Vec<Delivery> {
    eventually(&format!("{count} events were taken"), || {
        let taken = receiver.taken();
        (taken.len() >= count).then_some(taken)
    })
}

/// Asserts that these are the first events that the feed has, each in its place.
fn assert_as_recorded(server: &Server, taken: &[Delivery], types: &str) {
    let mut feed = Reader::open(server, &format!("/api/v1/events?after=0-0&types={types}"));
    for delivery in taken {
        let sent = feed.next().unwrap();
        assert_eq!((&delivery.id, &delivery.body), (&sent.id, &sent.data));
    }
}

#[test]
fn events_arrive_signed_and_in_order() {
    let server = server();
    let receiver = Receiver::start(SECRET);
    let id = subscribe(&server, &receiver, &json!({ "types": ["run.*", "task.succeeded"] }));
    finish(&server, 5);
    let events = taken(&receiver, 15);
    assert_as_recorded(&server, &events, "run.*,task.succeeded");
    let view = server.get(&format!("/api/v1/webhooks/{id}")).expect(200);
    assert_eq!(view["types"], json!(["run.*", "task.succeeded"]));
    assert!(view.get("secret").is_none() && view.get("paused").is_none());
    assert_eq!(server.get("/api/v1/webhooks").expect(200)["items"], json!([view]));

    let tested = server.send("POST", &format!("/api/v1/webhooks/{id}/test"), &[], "").expect(200);
    assert_eq!(tested, json!({ "delivered": true, "status": 200 }));
    assert_eq!(receiver.deliveries().last().unwrap().body["type"], "webhook.test");

    server.send("DELETE", &format!("/api/v1/webhooks/{id}"), &[], "").expect(204);
    server.get(&format!("/api/v1/webhooks/{id}")).problem(404, "L703");
}

#[test]
fn a_receiver_that_fails_gets_everything_once_it_works_and_delays_nobody() {
    let server = server();
    let (bad, hung, good) =
        (Receiver::start(SECRET), Receiver::start(SECRET), Receiver::start(SECRET));
    let finished = json!({ "types": ["run.finished"] });
    bad.does(&[Does::Answers(500), Does::Answers(302), Does::Answers(503), Does::Answers(200)]);
    hung.does(&[Does::Hangs]);
    subscribe(&server, &bad, &finished);
    let stuck = subscribe(&server, &hung, &finished);
    subscribe(&server, &good, &finished);
    finish(&server, 4);
    assert_as_recorded(&server, &taken(&good, 4), "run.finished");
    assert_eq!(hung.deliveries().len(), 1, "one delivery at a time");
    assert_as_recorded(&server, &taken(&bad, 4), "run.finished");
    let tries = bad.deliveries();
    assert_eq!(tries.len(), 7);
    assert!(tries[..4].iter().all(|delivery| delivery.id == tries[0].id));
    // Longer than the receiver may take, shorter than the test may.
    let failing = eventually("the hung receiver is found out", || {
        let view = server.get(&format!("/api/v1/webhooks/{stuck}")).expect(200);
        view.get("failing").cloned()
    });
    assert_eq!(failing["error"], "the receiver took longer than 10 s");
    hung.does(&[Does::Answers(200)]);
    assert_as_recorded(&server, &taken(&hung, 4), "run.finished");
}

#[test]
fn a_crash_of_the_server_loses_no_delivery() {
    let mut server = server();
    let receiver = Receiver::start(SECRET);
    subscribe(&server, &receiver, &json!({}));
    finish(&server, 3);
    taken(&receiver, 3);
    receiver.does(&[Does::Hangs]);
    finish(&server, 3);
    eventually("a delivery hangs", || {
        receiver.deliveries().iter().any(|delivery| !delivery.taken).then_some(())
    });
    server.crash_and_restart();
    receiver.does(&[Does::Answers(200)]);
    finish(&server, 1);
    // Seven runs of the same events each.
    let mut feed = Reader::open(&server, "/api/v1/events?after=0-0");
    let (mut events, mut runs) = (0, 0);
    while runs < 7 {
        runs += usize::from(feed.next().unwrap().kind == "run.finished");
        events += 1;
    }
    let taken = taken(&receiver, events);
    assert_eq!(taken.len(), events);
    assert_as_recorded(&server, &taken, "run.*,task.*");
}

#[test]
fn a_server_delivers_for_another_that_died() {
    let first = server();
    let mut other = Server::with(first.loom.beside(), &["--private-receivers"]);
    let receiver = Receiver::start(SECRET);
    // The other server does not know of it yet.
    subscribe(&first, &receiver, &json!({ "types": ["run.finished"] }));
    finish(&first, 2);
    taken(&receiver, 2);
    drop(first);
    finish(&other, 2);
    each_taken(&receiver, 4);
    // Of two that both know it, one delivers in the end; it may be the one that dies.
    let third = Server::with(other.loom.beside(), &["--private-receivers"]);
    finish(&other, 2);
    each_taken(&receiver, 6);
    other.kill();
    finish(&third, 2);
    each_taken(&receiver, 8);
}

/// Waits until a receiver has taken so many different events.
fn each_taken(receiver: &Receiver, count: usize) {
    eventually(&format!("{count} different events were taken"), || {
        let ids: BTreeSet<String> = receiver.taken().into_iter().map(|it| it.id).collect();
        (ids.len() == count).then_some(())
    });
}

#[test]
fn what_fails_for_good_is_dead_until_it_is_replayed() {
    let server = server();
    let receiver = Receiver::start(SECRET);
    receiver.does(&[Does::Answers(500)]);
    let retry = json!({ "initial_s": 0.1, "max_s": 0.1, "max_attempts": 2 });
    let more = json!({ "types": ["run.finished"], "retry": retry });
    let id = subscribe(&server, &receiver, &more);
    let path = |rest: &str| format!("/api/v1/webhooks/{id}{rest}");
    finish(&server, 5);
    let paused = eventually("the subscription is paused", || {
        server.get(&path("")).expect(200).get("paused").cloned()
    });
    let reason = "3 deliveries in a row were given up; the last one: the receiver answered 500";
    assert_eq!((&paused["reason"], &paused["by"]), (&json!(reason), &json!("loom serve")));
    assert_eq!(receiver.deliveries().len(), 6);
    let dead = server.get(&path("/dead")).expect(200)["items"].clone();
    let dead = dead.as_array().unwrap();
    assert_eq!(dead.len(), 3);
    assert_eq!(
        (&dead[0]["attempts"], &dead[0]["body"]["type"]),
        (&json!(2), &json!("run.finished"))
    );
    let page = server.get(&path("/dead?limit=2")).expect(200);
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = server.get(&path(&format!("/dead?cursor={cursor}"))).expect(200);
    assert_eq!(rest["items"], json!([dead[2]]));

    let event = dead[0]["event"].as_str().unwrap();
    let replay = || server.send("POST", &path(&format!("/dead/{event}/replay")), &[], "");
    let failed = replay().expect(200);
    assert_eq!((&failed["delivered"], &failed["status"]), (&json!(false), &json!(500)));
    receiver.does(&[Does::Answers(200)]);
    assert_eq!(replay().expect(200)["delivered"], true);
    replay().problem(404, "L703");
    server.send("POST", &path("/dead/nosuch/replay"), &[], "").problem(404, "L703");
    assert_eq!(server.get(&path("/dead")).expect(200)["items"].as_array().unwrap().len(), 2);

    // What happened meanwhile comes now.
    server.send("POST", &path("/resume"), &[], "").expect(200);
    let taken = taken(&receiver, 3);
    assert_eq!(taken[0].id, event);
    assert_eq!(taken.len(), 3);
}

#[test]
fn a_receiver_that_is_gone_is_asked_once_and_one_that_is_paused_not_at_all() {
    let server = server();
    let (gone, quiet) = (Receiver::start(SECRET), Receiver::start(SECRET));
    gone.does(&[Does::Answers(410)]);
    let finished = json!({ "types": ["run.finished"] });
    let ended = subscribe(&server, &gone, &finished);
    let paused = subscribe(&server, &quiet, &finished);
    let pause = json!({ "reason": "moving house" });
    let view = server.post(&format!("/api/v1/webhooks/{paused}/pause"), &pause).expect(200);
    assert_eq!(
        (&view["paused"]["reason"], &view["paused"]["by"]),
        (&json!("moving house"), &json!("local"))
    );
    finish(&server, 2);
    eventually("the subscription is paused", || {
        server.get(&format!("/api/v1/webhooks/{ended}")).expect(200).get("paused").cloned()
    });
    assert_eq!((gone.deliveries().len(), quiet.deliveries().len()), (1, 0));
    server.send("POST", &format!("/api/v1/webhooks/{paused}/resume"), &[], "").expect(200);
    assert_as_recorded(&server, &taken(&quiet, 2), "run.finished");
}

#[test]
fn what_is_no_webhook_is_refused() {
    let server = Server::start();
    let create = |body: Value| server.post("/api/v1/webhooks", &body);
    let public = "https://example.org/";
    create(json!({})).problem(400, "L605");
    for url in ["http://127.0.0.1:1/", "http://[::1]/", "ftp://example.org/", "x", ""] {
        create(json!({ "url": url })).problem(400, "L605");
    }
    for more in [
        json!({ "types": ["run.finish"] }),
        json!({ "namespaces": [] }),
        json!({ "workflow": "" }),
        json!({ "secret": "whsec_c2hvcnQ=" }),
        json!({ "retry": { "max_attempts": 0 } }),
        json!({ "description": "x".repeat(300) }),
        json!({ "wrong": 1 }),
    ] {
        let mut body = json!({ "url": public });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        create(body).problem(400, "L605");
    }
    for path in ["", "/dead"] {
        server.get(&format!("/api/v1/webhooks/nosuch{path}")).problem(404, "L703");
    }
    // A name that leads inside is found out when it is connected to.
    let created = create(json!({ "url": "http://localhost:1/" })).expect(201);
    let id = created["webhook"]["id"].as_str().unwrap();
    let tested = server.send("POST", &format!("/api/v1/webhooks/{id}/test"), &[], "").expect(200);
    assert_eq!(tested["error"], "the receiver's name leads into the server's own network");
}

#[test]
fn a_subscription_is_changed_by_who_saw_it() {
    let server = server();
    let (before, after) = (Receiver::start(SECRET), Receiver::start(SECRET));
    let id = subscribe(&server, &before, &json!({ "types": ["run.finished"] }));
    finish(&server, 1);
    taken(&before, 1);
    let path = format!("/api/v1/webhooks/{id}");
    let tag = server.get(&path).header("etag").to_owned();
    let change = |tag: &str, body: &Value| {
        let headers = [("content-type", "application/json"), ("if-match", tag)];
        server.send("PUT", &path, &headers, &body.to_string())
    };
    let body = json!({ "url": after.url(), "types": ["run.started"], "description": "moved" });
    let changed = change(&tag, &body);
    let view = changed.expect(200);
    assert_eq!((&view["url"], &view["types"]), (&json!(after.url()), &json!(["run.started"])));
    assert_eq!((&view["retry"]["max_attempts"], &view["id"]), (&json!(12), &json!(id)));
    change(&tag, &body).problem(412, "L705");
    change(changed.header("etag"), &json!({ "url": "x" })).problem(400, "L605");
    change(changed.header("etag"), &json!({ "url": after.url(), "secret": SECRET }))
        .problem(400, "L605");
    finish(&server, 1);
    assert_eq!(taken(&after, 1)[0].body["type"], "run.started");
    assert_eq!(before.deliveries().len(), 1);
    server
        .send(
            "PUT",
            "/api/v1/webhooks/nosuch",
            &[("content-type", "application/json")],
            &body.to_string(),
        )
        .problem(404, "L703");
}

#[test]
fn two_secrets_are_good_while_one_replaces_the_other() {
    let server = server();
    let old = Receiver::start(SECRET);
    let id = subscribe(&server, &old, &json!({ "types": ["run.finished"] }));
    let rotate = |body: &Value| server.post(&format!("/api/v1/webhooks/{id}/rotate"), body);
    let made = rotate(&json!({ "overlap_s": 600 })).expect(200);
    let new = made["secret"].as_str().unwrap();
    assert_ne!(new, SECRET);
    assert!(made["webhook"]["old_secret_until"].is_string(), "{made}");
    // Whoever knows the old one alone, and whoever knows the new one alone, takes it.
    finish(&server, 1);
    assert_eq!(taken(&old, 1)[0].signatures, 2);
    let knows = Receiver::start(new);
    let body = json!({ "url": knows.url(), "types": ["run.finished"] });
    let headers = [("content-type", "application/json")];
    server.send("PUT", &format!("/api/v1/webhooks/{id}"), &headers, &body.to_string()).expect(200);
    finish(&server, 1);
    assert_eq!(taken(&knows, 1)[0].signatures, 2);
    // And at once, if that is wanted.
    let again = rotate(&json!({ "overlap_s": 0, "secret": SECRET })).expect(200);
    assert_eq!(again["secret"], SECRET);
    assert!(again["webhook"].get("old_secret_until").is_none(), "{again}");
    let body = json!({ "url": old.url(), "types": ["run.finished"] });
    server.send("PUT", &format!("/api/v1/webhooks/{id}"), &headers, &body.to_string()).expect(200);
    finish(&server, 1);
    assert_eq!(taken(&old, 2)[1].signatures, 1);
    rotate(&json!({ "secret": "whsec_c2hvcnQ=" })).problem(400, "L605");
    rotate(&json!({ "overlap_s": 604_801 })).problem(400, "L605");
}

#[test]
fn all_dead_deliveries_are_replayed_until_one_fails() {
    let server = server();
    let receiver = Receiver::start(SECRET);
    receiver.does(&[Does::Answers(500)]);
    let retry = json!({ "initial_s": 0.1, "max_s": 0.1, "max_attempts": 1 });
    let id = subscribe(&server, &receiver, &json!({ "types": ["run.finished"], "retry": retry }));
    let path = |rest: &str| format!("/api/v1/webhooks/{id}{rest}");
    finish(&server, 3);
    eventually("the subscription is paused", || {
        server.get(&path("")).expect(200).get("paused").cloned()
    });
    let dead = server.get(&path("/dead")).expect(200)["items"].clone();
    let replay = || server.send("POST", &path("/dead/replay"), &[], "").expect(200);
    receiver.does(&[Does::Answers(200), Does::Answers(503)]);
    let first = replay();
    let error = "the receiver answered 503";
    assert_eq!(first, json!({ "delivered": 1, "left": 2, "error": error }));
    receiver.does(&[Does::Answers(200)]);
    assert_eq!(replay(), json!({ "delivered": 2, "left": 0 }));
    assert_eq!(replay(), json!({ "delivered": 0, "left": 0 }));
    assert_eq!(server.get(&path("/dead")).expect(200)["items"], json!([]));
    let taken: Vec<_> = receiver.taken().into_iter().map(|delivery| json!(delivery.id)).collect();
    let events: Vec<_> = dead.as_array().unwrap().iter().map(|it| it["event"].clone()).collect();
    assert_eq!(taken, events);
}

#[test]
fn receivers_of_a_private_authority_are_trusted_if_that_is_set() {
    let tls = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../loom-worker/tests/tls");
        format!("{folder}/{name}")
    };
    let (certificate, key, authority) =
        (tls("server.pem"), tls("server.key"), tls("authority.pem"));
    // Another server is the receiver: it says that it does not know us, over TLS.
    let far = ["--tls-certificate", &certificate, "--tls-key", &key];
    let far = Server::with(Loom::new(), &far);
    let port = far.address().rsplit_once(':').unwrap().1;
    let url = format!("https://localhost:{port}/hooks/none");
    let test = |more: &[&str]| {
        let server = Server::with(Loom::new(), &[&["--private-receivers"], more].concat());
        let made = server.post("/api/v1/webhooks", &json!({ "url": url })).expect(201);
        let id = made["webhook"]["id"].as_str().unwrap();
        server.send("POST", &format!("/api/v1/webhooks/{id}/test"), &[], "").expect(200)
    };
    let distrusted = test(&[]);
    assert!(distrusted.get("status").is_none(), "{distrusted}");
    assert!(distrusted["error"].as_str().unwrap().contains("certificate"), "{distrusted}");
    assert_eq!(test(&["--receiver-certificates", &authority])["status"], 401);
    let loom = Loom::new();
    let args = ["serve", "--listen", "127.0.0.1:0", "--receiver-certificates", "nosuch.pem"];
    loom.loom(&args).exits(2).warns("L717");
}

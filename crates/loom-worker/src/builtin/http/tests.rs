//! The plugin against a real server.

use super::*;
use crate::testing::{job, job_trusting, request};
use crate::testserver::{Reply, Server};
use loom_protocol::{FailureInfo, StopHow};
use serde_json::json;
use std::path::PathBuf;

fn run(params: Value, outputs: &[&str]) -> Result<Value, FailureInfo> {
    run_trusting(None, params, outputs)
}

fn run_trusting(
    certificates: Option<PathBuf>,
    params: Value,
    outputs: &[&str],
) -> Result<Value, FailureInfo> {
    let folder = tempfile::tempdir().unwrap();
    let mut request = request("http", params);
    request.outputs = outputs.iter().map(|name| (*name).to_owned()).collect();
    match Http::new().run(&mut job_trusting(request, folder.path(), certificates)) {
        Ok(outputs) => Ok(outputs.into_iter().map(|output| (output.name, output.value)).collect()),
        Err(Ended::Failed(info)) => Err(*info),
        Err(Ended::Stopped) => panic!("stopped"),
    }
}

#[test]
fn what_is_asked_for_is_sent_and_what_comes_back_is_emitted() {
    let server = Server::start(|_| {
        Reply::Answer(201, "", r#"{"data": {"id": 7, "tags": ["a"]}, "x~/y": null}"#.into())
    });
    let params = json!({
        "url": server.url("/things?q=1"), "method": "post", "headers": {"X-A": "b", "X-N": 3},
        "json": {"name": "ä"}, "outputs": {"ID": "/data/id", "TAGS": "/data/tags", "N": "/x~0~1y",
            "GONE": "/data/gone"},
    });
    let outputs = run(params, &["ID", "STATUS"]).unwrap();
    assert_eq!(outputs, json!({"ID": 7, "TAGS": ["a"], "N": null, "STATUS": 201}));
    let received = &server.received()[0];
    assert_eq!(received.line, "POST /things?q=1 HTTP/1.1");
    assert_eq!(received.body, "{\"name\":\"ä\"}");
    for (name, value) in [
        ("x-a", "b"),
        ("x-n", "3"),
        ("content-type", "application/json"),
        ("idempotency-key", "key1"),
    ] {
        assert_eq!(received.header(name), Some(value), "{name}");
    }
}

#[test]
fn bodies_and_headers_are_sent_as_given() {
    let server = Server::start(|_| Reply::Answer(200, "", "plain ä".into()));
    let url = server.url("/");
    let text = json!({"url": url, "method": "PUT", "body": "as it is",
        "headers": {"Idempotency-Key": "mine"}});
    assert_eq!(run(text, &["BODY"]).unwrap(), json!({"BODY": "plain ä"}));
    run(json!({"url": url, "method": "PATCH", "body": [1]}), &[]).unwrap();
    run(json!({"url": url}), &[]).unwrap();
    run(json!({"url": url, "method": "DELETE", "body": "x"}), &[]).unwrap();
    let received = server.received();
    assert_eq!(received[0].body, "as it is");
    assert_eq!(received[0].header("idempotency-key"), Some("mine"));
    assert_eq!(received[0].header("content-type"), None);
    assert_eq!(received[1].body, "[1]");
    assert_eq!(received[1].header("content-type"), Some("application/json"));
    assert_eq!(received[2].line, "GET / HTTP/1.1");
    assert_eq!(received[2].header("idempotency-key"), None);
    assert_eq!(received[3].body, "x");
}

#[test]
fn statuses_are_classified_by_rule_11() {
    for (status, headers, retryable, wait) in [
        (408, "", true, None),
        (429, "Retry-After: 9\r\n", true, Some(9)),
        (429, "", true, None),
        (
            503,
            "Date: Fri, 21 Nov 2025 12:00:00 GMT\r\nRetry-After: Fri, 21 Nov 2025 12:02:00 GMT\r\n",
            true,
            Some(120),
        ),
        (500, "Retry-After: 9\r\n", true, None),
        (502, "", true, None),
        (400, "", false, None),
        (401, "", false, None),
        (404, "", false, None),
        (304, "", false, None),
    ] {
        let server = Server::start(move |_| Reply::Answer(status, headers, String::new()));
        let info = run(json!({"url": server.url("/")}), &[]).unwrap_err();
        assert_eq!(info.code, ErrorCode::HttpStatus);
        assert_eq!(info.retryable, retryable, "{status}");
        assert_eq!(info.retry_after, wait.map(Duration::from_secs), "{status}");
        assert!(info.message.contains(&format!("unexpected status {status}")), "{}", info.message);
    }
}

#[test]
fn expected_statuses_are_numbers_classes_ranges_and_lists() {
    let server = Server::start(|_| Reply::Answer(404, "", String::new()));
    let fine = |expected: Value| {
        run(json!({"url": server.url("/"), "expected_status": expected}), &[])
            .map_err(|info| info.code)
    };
    for expected in [json!(404), json!("404"), json!("4xx"), json!([200, "400-404"])] {
        assert!(fine(expected.clone()).is_ok(), "{expected}");
    }
    for expected in [json!(200), json!("2xx"), json!(["400-403"])] {
        assert_eq!(fine(expected.clone()), Err(ErrorCode::HttpStatus), "{expected}");
    }
    for expected in [json!("ok"), json!([]), json!(99), json!("300-200"), json!("9xx"), json!({})] {
        assert_eq!(fine(expected.clone()), Err(ErrorCode::ParameterValue), "{expected}");
    }
}

#[test]
fn redirects_are_followed_for_get_alone() {
    let server = Server::start(|received| match received.line.as_str() {
        "GET /end HTTP/1.1" => Reply::Answer(200, "", "end".into()),
        "GET /loop HTTP/1.1" => Reply::Answer(302, "Location: /loop\r\n", String::new()),
        _ => Reply::Answer(302, "Location: /end\r\n", String::new()),
    });
    let params = json!({"url": server.url("/start")});
    assert_eq!(run(params, &["BODY"]).unwrap(), json!({"BODY": "end"}));
    for params in [
        json!({"url": server.url("/start"), "method": "POST"}),
        json!({"url": server.url("/start"), "max_redirects": 0}),
        json!({"url": server.url("/loop")}),
    ] {
        let info = run(params, &[]).unwrap_err();
        assert_eq!((info.code, info.retryable), (ErrorCode::HttpStatus, false));
    }
}

#[test]
fn answers_that_cannot_be_used_are_permanent_failures() {
    let server = Server::start(|received| match received.line.as_str() {
        "GET /bytes HTTP/1.1" => {
            Reply::Raw(b"HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\n\xff\xfe".to_vec())
        }
        _ => Reply::Answer(200, "", "<html>".into()),
    });
    for (params, outputs, what) in [
        (
            json!({"url": server.url("/"), "outputs": {"A": "/a"}}),
            &[][..],
            "in JSON that can be read",
        ),
        (json!({"url": server.url("/"), "max_body": 5}), &[], "more than 5 bytes"),
        (json!({"url": server.url("/bytes")}), &["BODY"], "not UTF-8"),
    ] {
        let info = run(params, outputs).unwrap_err();
        assert!(info.message.contains(what), "{}", info.message);
        assert_eq!((info.code, info.retryable), (ErrorCode::BadOutput, false));
    }
}

#[test]
fn connections_that_fail_and_answers_that_do_not_come_are_retryable() {
    let server = Server::start(|received| match received.line.as_str() {
        "GET /hang HTTP/1.1" => Reply::Hang,
        _ => Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf".to_vec()),
    });
    let info = run(json!({"url": server.url("/hang"), "timeout": "50ms"}), &[]).unwrap_err();
    assert_eq!((info.code, info.retryable), (ErrorCode::TaskTimeout, true));
    assert!(info.message.contains("`timeout` of 0.05 s"), "{}", info.message);
    let info = run(json!({"url": server.url("/half")}), &[]).unwrap_err();
    assert_eq!((info.code, info.retryable), (ErrorCode::Connection, true));
    let url = server.url("/");
    drop(server);
    let info = run(json!({"url": url}), &[]).unwrap_err();
    assert_eq!((info.code, info.retryable), (ErrorCode::Connection, true));
}

#[test]
fn parameters_that_make_no_sense_are_refused_before_anything_is_sent() {
    let url = "http://127.0.0.1:1/";
    for params in [
        json!({}),
        json!({"url": "127.0.0.1"}),
        json!({"url": url, "methd": "GET"}),
        json!({"url": url, "method": "GE T"}),
        json!({"url": url, "body": "x", "json": 1}),
        json!({"url": url, "headers": {"a b": "c"}}),
        json!({"url": url, "headers": {"a": "line\nbreak"}}),
        json!({"url": url, "headers": {"a": ["b"]}}),
        json!({"url": url, "timeout": 0}),
        json!({"url": url, "timeout": "10 parsecs"}),
        json!({"url": url, "max_body": 1_u64 << 40}),
        json!({"url": url, "max_redirects": 3, "method": "POST"}),
        json!({"url": url, "outputs": {"A": "data/id"}}),
        json!({"url": url, "outputs": {"A-B": "/x"}}),
    ] {
        let info = run(params.clone(), &[]).unwrap_err();
        assert_eq!((info.code, info.retryable), (ErrorCode::ParameterValue, false), "{params}");
    }
}

#[test]
fn what_is_known_of_parameters_is_checked_before_anything_runs() {
    let wrong = |params: Value| -> Vec<&'static str> {
        let Value::Object(params) = params else { panic!("parameters are an object") };
        Http::new().wrong_params(&params).iter().map(|bad| bad.param).collect()
    };
    let all = json!({
        "url": "ftp://x", "method": "GE T", "headers": {"a b": "c"}, "body": "a", "json": "b",
        "timeout": "5 parsecs", "outputs": {"X": "a/b"}, "max_body": "much", "max_redirects": 21,
        "expected_status": "299-200",
    });
    let mut found = wrong(all);
    found.sort_unstable();
    let expected = [
        "expected_status",
        "headers",
        "json",
        "max_body",
        "max_redirects",
        "method",
        "outputs",
        "timeout",
        "url",
    ];
    assert_eq!(found, expected);
    for params in [
        json!({}),
        json!({"url": "{{ HOST }}/x", "method": "{{ M }}", "timeout": "{{ T }}s"}),
        json!({"url": "http://x/", "method": "{{ M }}", "max_redirects": 3}),
        json!({"url": "http://x/", "headers": {"a": "{{ B }}"}, "outputs": {"A": "{{ P }}"}}),
        json!({"url": "http://x/", "expected_status": [200, "{{ S }}"]}),
        json!({"url": "http://x/", "outputs": {"A": "", "B": "/a~1b/~0/0"}}),
    ] {
        assert!(wrong(params.clone()).is_empty(), "{params}");
    }
    let partly = json!({"url": "http://x/{{ A }}", "headers": {"a": "{{ B }}", "b": "\n"}});
    assert_eq!(wrong(partly), ["headers"]);
    assert_eq!(wrong(json!({"outputs": {"A": "/a~2"}})), ["outputs"]);
    assert_eq!(wrong(json!({"urll": 7, "method": "GE T"})), ["method"]);
}

#[test]
fn a_stop_and_the_attempts_timeout_end_the_wait_at_once() {
    let server = Server::start(|_| Reply::Hang);
    let folder = tempfile::tempdir().unwrap();
    let mut stopped = job(request("http", json!({"url": server.url("/")})), folder.path());
    let stop = stopped.stop.clone();
    let attempt = std::thread::spawn(move || Http::new().run(&mut stopped));
    server.wait_for(1);
    stop.ask(StopHow::Gently);
    assert!(matches!(attempt.join().unwrap(), Err(Ended::Stopped)));

    let mut request = request("http", json!({"url": server.url("/"), "timeout": 1000}));
    request.timeout = Some(Duration::from_millis(50));
    match Http::new().run(&mut job(request, folder.path())) {
        Err(Ended::Failed(info)) => assert_eq!(info.code, ErrorCode::TaskTimeout),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_address_with_secrets_is_not_shown_in_full() {
    let info = run(json!({"url": "http://u:pa55@127.0.0.1:1/p?key=k3y"}), &[]).unwrap_err();
    assert!(info.message.starts_with("GET http://127.0.0.1:1/p failed"), "{}", info.message);
}

#[test]
fn https_works_with_a_certificate_that_is_trusted_and_with_no_other() {
    let server = Server::start_tls(|received| Reply::Answer(200, "", received.body.clone()));
    let params = json!({"url": server.url("/"), "method": "POST", "body": "over TLS"});
    let folder = tempfile::tempdir().unwrap();
    let given =
        |name: &str| Some(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name));
    let run = |file| run_trusting(file, params.clone(), &["BODY"]);
    assert_eq!(run(given("authority.pem")).unwrap(), json!({"BODY": "over TLS"}));
    // The list that is built in does not know the authority.
    let stranger = run(None).unwrap_err();
    assert_eq!((stranger.code, stranger.retryable), (ErrorCode::Connection, true));
    assert!(stranger.message.contains("SSL_CERT_FILE"), "{}", stranger.message);
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate\n").unwrap();
    for (file, what) in [
        (given("missing.pem"), "cannot be read"),
        (given("server.key"), "no certificate"),
        (Some(empty), "no certificate"),
    ] {
        let unusable = run(file).unwrap_err();
        assert_eq!((unusable.code, unusable.retryable), (ErrorCode::Connection, false));
        assert!(unusable.message.contains(what), "{}", unusable.message);
    }
    assert_eq!(server.received().len(), 1);
}

//! Traces at a collector.

use super::collector::Collector;
use super::harness::Server;
use super::otlp::Span;
use crate::harness::Loom;
use crate::watch::eventually;
use serde_json::json;

const WORKFLOW: &str = "
name: traced
tasks:
  - name: try
    plugin: cmd
    outputs: [DONE]
    retry: { max_attempts: 2, backoff: none }
    params: { command: 'echo \"$TRACEPARENT\" >> spans; if [ -e once ]; then echo DONE=1; else touch once; exit 75; fi' }
  - { name: after, plugin: noop, inputs: [DONE] }
";

fn serve(collector: &Collector) -> Server {
    let endpoint = format!("http://{}", collector.address);
    let args = ["--otlp-endpoint", &endpoint, "--otlp-headers", "x-token=secret"];
    let server = Server::with(Loom::new(), &args);
    server.register(WORKFLOW);
    server
}

fn begin(server: &Server, traceparent: &str) -> String {
    let headers = [("content-type", "application/json"), ("traceparent", traceparent)];
    let body = json!({ "workflow": "traced" }).to_string();
    let started = server.send("POST", "/api/v1/runs", &headers, &body).expect(201);
    started["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_run_is_a_trace_a_task_a_span_an_attempt_a_child() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    // The collector is overloaded at first: nothing is lost and nothing comes twice.
    let collector = Collector::start(2);
    let server = serve(&collector);
    let run = begin(&server, &format!("00-{trace}-00f067aa0ba902b7-01"));
    server.until(&run, "succeeded");
    let spans = eventually("the run's span", || {
        let spans = collector.spans();
        spans.iter().any(|span| span.name == "traced").then_some(spans)
    });
    let span = |name: &str| -> &Span {
        let found: Vec<&Span> = spans.iter().filter(|span| span.name == name).collect();
        assert_eq!(found.len(), 1, "{name} in {spans:#?}");
        found[0]
    };
    assert!(spans.iter().all(|span| span.trace == trace && span.from <= span.to), "{spans:#?}");
    let (root, task) = (span("traced"), span("try"));
    assert_eq!(root.parent, "00f067aa0ba902b7");
    assert_eq!((&task.parent, &span("after").parent), (&root.id, &root.id));
    let attempts = [span("try #1"), span("try #2")];
    assert!(attempts.iter().all(|attempt| attempt.parent == task.id));
    assert_eq!(attempts.map(|attempt| attempt.failed), [true, false]);
    assert!(!root.failed && !task.failed);
    assert_eq!(root.attributes["loom.run.id"], run);
    assert_eq!(attempts[1].attributes["loom.attempt"], "2");
    assert!(root.from <= task.from && task.from <= attempts[0].from && task.to <= root.to);
    // What the processes were handed is what was reported.
    let handed = server.loom.read("spans");
    let expected = attempts.map(|attempt| format!("00-{trace}-{}-01\n", attempt.id)).concat();
    assert_eq!(handed, expected);
    assert!(collector.tokens().len() >= 3, "two refusals and an answer");
    assert!(collector.tokens().iter().all(|token| token == "secret"));
}

#[test]
fn a_trace_that_the_caller_does_not_record_is_not_sent() {
    let collector = Collector::start(0);
    let server = serve(&collector);
    let silent = begin(&server, "00-11111111111111111111111111111111-00f067aa0ba902b7-00");
    server.until(&silent, "succeeded");
    let loud = begin(&server, "00-22222222222222222222222222222222-00f067aa0ba902b7-01");
    server.until(&loud, "succeeded");
    let spans = eventually("the second run's span", || {
        let spans = collector.spans();
        spans.iter().any(|span| span.name == "traced").then_some(spans)
    });
    assert!(spans.iter().all(|span| span.trace.starts_with("22")), "{spans:#?}");
}

#[test]
fn a_collector_that_is_not_there_holds_nothing_up() {
    let server = Server::with(Loom::new(), &["--otlp-endpoint", "http://127.0.0.1:1"]);
    server.register(WORKFLOW);
    let run = server.begin("traced");
    server.until(&run, "succeeded");
    eventually("it is counted and told", || {
        let page = super::page::Page::read(&server.get("/metrics").text);
        let told = server.said().contains("the collector of traces does not take spans");
        let failed = page.sum("loom_span_requests_failed_total", &[]) > 0.0;
        (told && failed && page.sum("loom_spans_lag_seconds", &[]) > 0.0).then_some(())
    });
}

/// The spans of this name.
fn named(collector: &Collector, name: &str) -> usize {
    collector.spans().iter().filter(|span| span.name == name).count()
}

#[test]
fn what_the_collector_did_not_take_is_sent_after_a_crash() {
    let collector = Collector::start(u32::MAX);
    let mut server = serve(&collector);
    let run = server.begin("traced");
    server.until(&run, "succeeded");
    eventually("spans are refused", || (!collector.tokens().is_empty()).then_some(()));
    server.crash_and_restart();
    collector.recover();
    eventually("the run's span", || (named(&collector, "traced") == 1).then_some(()));
    for name in ["try", "try #1", "try #2", "after"] {
        assert_eq!(named(&collector, name), 1, "{name}");
    }
}

#[test]
fn what_waits_when_the_server_stops_is_sent_once() {
    let collector = Collector::start(0);
    let mut server = serve(&collector);
    let run = server.begin("traced");
    server.until(&run, "succeeded");
    server.stop_and_restart();
    let second = server.begin("traced");
    server.until(&second, "succeeded");
    eventually("both runs' spans", || (named(&collector, "traced") == 2).then_some(()));
    let of_first = collector
        .spans()
        .into_iter()
        .filter(|span| span.attributes.get("loom.run.id").is_some_and(|id| *id == run));
    let mut names: Vec<String> = of_first.map(|span| span.name).collect();
    names.sort();
    assert_eq!(names, ["after", "after #1", "traced", "try", "try #1", "try #2"]);
}

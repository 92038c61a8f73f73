//! What asks for too much, or is no query, is refused before anything is done.

use super::super::access::token;
use super::super::harness::Server;
use super::client::{code, data, post, refusal};
use crate::harness::Loom;
use serde_json::{Value, json};
use std::fmt::Write;

/// A field so many times, under as many names.
fn times(count: usize, field: &str) -> String {
    let named: Vec<String> = (0..count).map(|n| format!("a{n}: {field}")).collect();
    named.join(" ")
}

#[test]
fn queries_that_ask_for_too_much_are_refused() {
    let server = Server::start();
    let deep = format!(
        "{{ __schema {{ types {{ {} name {} }} }} }}",
        "ofType { ".repeat(20),
        "}".repeat(20)
    );
    let aliases = times(31, "id");
    let roots = times(21, "eventCursor");
    let mut bomb = "{ runs { nodes { ...f0 } } } ".to_owned();
    for n in 0..30 {
        let _ = write!(bomb, "fragment f{n} on Run {{ ...f{m} ...f{m} }} ", m = n + 1);
    }
    bomb += "fragment f30 on Run { id }";
    let wide = "{ runs(first: 200) { nodes { tasks(first: 200) { nodes { name } } } } }";
    let huge =
        "{ runs(first: 2147483647) { nodes { tasks(first: 2147483647) { nodes { name } } } } }";
    let variable =
        "query($n: Int) { runs(first: $n) { nodes { tasks(first: $n) { nodes { name } } } } }";
    for (what, query, variables) in [
        ("depth", deep, json!({})),
        ("aliases", format!("{{ runs(first: 1) {{ nodes {{ {aliases} }} }} }}"), json!({})),
        ("calls", format!("{{ {roots} }}"), json!({})),
        ("fragments", bomb, json!({})),
        ("cost", wide.to_owned(), json!({})),
        ("journals", "{ runs(first: 100) { nodes { counts } } }".to_owned(), json!({})),
        ("cost beyond all numbers", huge.to_owned(), json!({})),
        ("cost by a variable", variable.to_owned(), json!({ "n": 200 })),
        (
            "length",
            format!("{{ namespaces {{ nodes {{ name }} }} }} #{}", "x".repeat(64 << 10)),
            json!({}),
        ),
        (
            "brackets",
            format!("{{ runs(filter: {} ) {{ nodes {{ id }} }} }}", "[".repeat(60_000)),
            json!({}),
        ),
    ] {
        let (code, answer) = refusal(&server, &query, &variables);
        assert_eq!(code, "L752", "{what}: {answer}");
        assert_eq!(answer.get("data"), None, "{what}");
    }
    // As much as tools and people ask for.
    data(&server, super::schema::INTROSPECTION, &json!({}));
    let fair = "{ runs(first: 50) { nodes { id tasks(first: 20) { nodes { name phase } } } } }";
    data(&server, fair, &json!({}));
    data(&server, "{ runs { nodes { counts } } }", &json!({}));
    data(&server, "{ runs(first: 200) { nodes { lastSeq etag } } }", &json!({}));
    let source = format!(
        "workflow: {{ name: big, tasks: [{{ name: a, plugin: noop }}] }} # {}",
        "x".repeat(1 << 19)
    );
    let register = "mutation($source: String!) { registerWorkflow(source: $source) { name } }";
    data(&server, register, &json!({ "source": source }));
}

#[test]
fn what_is_no_query_of_this_schema_is_refused() {
    let server = Server::start();
    for query in [
        "",
        "{",
        "nonsense",
        "{ nosuch }",
        "{ runs }",
        "{ namespaces { nosuch } }",
        "{ run { id } }",
        "{ run(id: {}) { id } }",
        "{ run(id: \"x\", nosuch: 1) { id } }",
        "{ runs(first: -1) { nodes { id } } }",
        "{ runs(first: \"x\") { nodes { id } } }",
        "{ runs(filter: { nosuch: 1 }) { nodes { id } } }",
        "{ runs(filter: { status: [NOSUCH] }) { nodes { id } } }",
        "query($x: Int!) { runs(first: $x) { nodes { id } } }",
        "{ runs(first: $x) { nodes { id } } }",
        "{ ...f } fragment f on Query { ...f }",
        "{ ...nosuch }",
        "query a { eventCursor } query b { eventCursor }",
        "mutation { startRun { id } }",
        "mutation { startRun(run: {}) { id } }",
        "mutation { startRun(run: { workflow: \"x\", nosuch: 1 }) { id } }",
        "subscription { events { seq } }",
        "{ \u{0} }",
        "{ a(b: \"",
    ] {
        let (code, answer) = refusal(&server, query, &json!({}));
        assert_eq!(code, "L751", "{query}: {answer}");
    }
    for (query, expected) in [
        ("{ runs(first: 0) { nodes { id } } }", "L605"),
        ("{ runs(first: 201) { nodes { id } } }", "L605"),
        ("{ run(id: \"nosuch\") { id } }", "L601"),
        ("{ workflow(name: \"nosuch\") { name } }", "L703"),
        ("mutation { startRun(run: { workflow: \"nosuch\" }) { id } }", "L703"),
        ("mutation { startRun(run: { workflow: \"x\", startAt: \"soon\" }) { id } }", "L703"),
        ("{ runs(filter: { createdFrom: \"soon\" }) { nodes { id } } }", "L605"),
    ] {
        let (code, answer) = refusal(&server, query, &json!({}));
        assert_eq!(code, expected, "{query}: {answer}");
    }
}

#[test]
fn only_json_changes_anything_and_one_operation_at_a_time() {
    let server = Server::start();
    let ask = |query: &str| server.get(&format!("/graphql?{query}"));
    let good =
        ask("query=query(%24n:ID!)%7Brun(id:%24n)%7Bid%7D%7D&variables=%7B%22n%22:%22x%22%7D");
    assert_eq!(code(&good.expect(200)["errors"]), "L601");
    let mutation = "mutation%7BcancelRun(id:%22x%22)%7Bid%7D%7D";
    let refused = ask(&format!("query={mutation}"));
    refused.problem(405, "L715");
    assert_eq!(refused.header("allow"), "POST");
    ask("query=query+a%7BeventCursor%7D+mutation+b%7BdeleteRun(id:%22x%22)%7D&operationName=b")
        .problem(405, "L715");
    ask("").problem(400, "L605");
    ask("query=%7BeventCursor%7D&variables=x").problem(400, "L605");
    ask("query=%7BeventCursor%7D&nosuch=1").problem(400, "L605");
    let body = json!({ "query": "{ eventCursor }" }).to_string();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/graphql",
    ] {
        server.send("POST", "/graphql", &[("content-type", kind)], &body).problem(400, "L605");
    }
    server.send("POST", "/graphql", &[], &body).problem(400, "L605");
    let post =
        |body: &str| server.send("POST", "/graphql", &[("content-type", "application/json")], body);
    for wrong in [
        "",
        "{",
        "null",
        "1",
        "{}",
        "{\"query\": 1}",
        "{\"query\": \"{ a }\", \"nosuch\": 1}",
        "{\"query\": \"{ a }\", \"variables\": []}",
    ] {
        post(wrong).problem(400, "L605");
    }
    post(&format!("[{body}, {body}]")).problem(400, "L605");
    let json = [("content-type", "application/json")];
    server.send("POST", "/graphql?query=x", &json, &body).problem(400, "L605");
    let nested =
        format!("{{\"query\": \"{{ a }}\", \"variables\": {{\"x\": {}", "[".repeat(100_000));
    post(&nested).problem(400, "L605");
    post(&"x".repeat(10 << 20)).problem(413, "L707");
    for method in ["PUT", "DELETE", "PATCH"] {
        server.send(method, "/graphql", &[], "").problem(405, "L715");
    }
    post(
        &json!({ "query": "{ eventCursor }", "variables": null, "extensions": { "x": 1 } })
            .to_string(),
    )
    .expect(200);
}

#[test]
fn who_asks_for_it_gets_the_status() {
    let server = Server::start();
    let headers = [
        ("content-type", "application/json"),
        ("accept", "application/graphql-response+json, application/json;q=0.9"),
    ];
    let status = |query: &str| {
        let answer =
            server.send("POST", "/graphql", &headers, &json!({ "query": query }).to_string());
        assert_eq!(answer.header("content-type"), "application/graphql-response+json");
        answer.status
    };
    assert_eq!(status("{ eventCursor }"), 200);
    assert_eq!(status("{ nosuch }"), 400);
    assert_eq!(status("{"), 400);
    // One field failed: there is an answer nevertheless.
    assert_eq!(status("{ run(id: \"nosuch\") { id } }"), 200);
    assert_eq!(post(&server, "{", &json!({})).status, 200);
}

#[test]
fn every_field_at_the_top_counts_as_a_call() {
    let loom = Loom::new();
    let viewer = token(&loom, "viewer");
    let mut server = Server::with(loom, &["--access", "--limits-rate", "10"]);
    server.set_token(&viewer);
    let many = format!("{{ {} }}", times(7, "eventCursor"));
    data(&server, &many, &Value::Null);
    let limited = post(&server, &many, &Value::Null);
    limited.problem(429, "L706");
    assert!(limited.headers.contains_key("retry-after"));
}

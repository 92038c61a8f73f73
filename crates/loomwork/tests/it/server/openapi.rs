//! The API's document, and the page to try it.

use super::harness::Server;
use serde_json::Value;
use std::collections::BTreeSet;

#[test]
fn the_document_that_is_served_is_the_one_that_is_committed() {
    let server = Server::start();
    let served = server.get("/api/v1/openapi.json").expect(200);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/server/openapi.json");
    let pretty = serde_json::to_string_pretty(&served).unwrap() + "\n";
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, &pretty).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(
        committed == pretty,
        "docs/server/openapi.json is out of date: \
         UPDATE_EXPECT=1 cargo test -p loomwork -p loom-server --test it server::openapi"
    );
    assert!(served["openapi"].as_str().unwrap().starts_with("3.1"), "{}", served["openapi"]);
}

/// All that is referred to in a document.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn whatever_the_document_refers_to_is_in_it() {
    let server = Server::start();
    let document = server.get("/api/v1/openapi.json").expect(200);
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 100, "{}", found.len());
    for reference in found {
        let there = document.pointer(reference.strip_prefix('#').unwrap());
        assert!(there.is_some(), "{reference}");
    }
}

#[test]
fn every_operation_has_its_own_name_a_summary_and_a_permission() {
    let server = Server::start();
    let document = server.get("/api/v1/openapi.json").expect(200);
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{method} {path}: `{name}` is taken");
            assert!(operation["summary"].is_string(), "{method} {path} has no summary");
            assert!(operation["security"].is_array(), "{method} {path} has no permission");
            assert!(operation["responses"]["default"].is_object(), "{method} {path}");
        }
    }
}

#[test]
fn the_page_to_try_it_loads_nothing_from_elsewhere() {
    let server = Server::start();
    let page = server.get("/api/v1/docs");
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && policy.contains("connect-src 'self'"));
    for elsewhere in ["http://", "https://", "src=\"//", "@import"] {
        assert!(!page.text.contains(elsewhere), "{elsewhere}");
    }
    assert!(page.text.contains("openapi.json"));
}

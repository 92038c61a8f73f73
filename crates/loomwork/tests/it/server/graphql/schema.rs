//! The schema, as it is served and as it is committed.

use super::super::access::token;
use super::super::harness::Server;
use super::client::data;
use crate::harness::Loom;
use serde_json::{Value, json};

/// What tools send in order to learn a schema, in the depth to which they do.
pub(super) const INTROSPECTION: &str = "
query IntrospectionQuery {
  __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types { ...FullType }
    directives { name description locations args { ...InputValue } }
  }
}
fragment FullType on __Type {
  kind name description
  fields(includeDeprecated: true) {
    name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason
  }
  inputFields { ...InputValue }
  interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
fragment TypeRef on __Type {
  kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
  ofType { kind name ofType { kind name ofType { kind name ofType { kind name
  ofType { kind name } } } } } } } } }
}";

#[test]
fn the_schema_that_is_served_is_the_one_that_is_committed() {
    let server = Server::start();
    let served = server.get("/graphql/schema");
    assert_eq!((served.status, served.header("content-type")), (200, "text/plain; charset=utf-8"));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/server/schema.graphql");
    let served = served.text.trim_end().to_owned() + "\n";
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, &served).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap() == served,
        "docs/server/schema.graphql is out of date: \
         UPDATE_EXPECT=1 cargo test -p loomwork -p loom-server --test it server::graphql::schema"
    );
}

#[test]
fn every_type_and_field_says_what_it_is() {
    let server = Server::start();
    let schema = data(&server, INTROSPECTION, &json!({}));
    let own = |it: &&Value| !it["name"].as_str().unwrap().starts_with("__");
    for of in schema["__schema"]["types"].as_array().unwrap().iter().filter(own) {
        let name = of["name"].as_str().unwrap();
        // Roots have no more to say than their fields, connections and edges than their convention.
        let is_root = ["Query", "Mutation", "Subscription"].contains(&name);
        let is_usual = name.ends_with("Connection") || name.ends_with("Edge");
        let is_usual = is_usual || ["Boolean", "Float", "ID", "Int", "String"].contains(&name);
        assert!(is_root || is_usual || of["description"].is_string(), "{name} says nothing");
        let fields = of["fields"].as_array().into_iter().flatten();
        let inputs = of["inputFields"].as_array().into_iter().flatten();
        for field in fields.chain(inputs) {
            assert!(field["description"].is_string(), "{name}.{} says nothing", field["name"]);
        }
    }
}

#[test]
fn the_schema_is_open_to_whom_the_rest_document_is_open() {
    let loom = Loom::new();
    let viewer = token(&loom, "viewer");
    let mut server = Server::with(loom, &["--access"]);
    for path in ["/api/v1/openapi.json", "/graphql/schema", "/graphql?query={__typename}"] {
        server.get(path).problem(401, "L701");
    }
    server.set_token(&viewer);
    server.get("/api/v1/openapi.json").expect(200);
    assert_eq!(server.get("/graphql/schema").status, 200);
    let found = data(&server, INTROSPECTION, &json!({}));
    assert_eq!(found["__schema"]["queryType"]["name"], "Query");
}

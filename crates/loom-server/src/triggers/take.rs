//! What a run takes from the request that starts it.

use crate::problem::Problem;
use axum::http::HeaderMap;
use loom_core::Value;
use loom_protocol::api::Taken;
use loom_protocol::json;
use std::collections::BTreeMap;

/// The variables that a request gives.
pub(super) fn take(
    wanted: &BTreeMap<String, Taken>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<BTreeMap<String, Value>, Problem> {
    let body = if wanted.values().any(|taken| matches!(taken, Taken::Body { .. })) {
        json::read(body).map_err(|error| {
            Problem::argument(format!("the body is no JSON that is taken: {error}"))
        })?
    } else {
        Value::Null
    };
    let mut variables = BTreeMap::new();
    for (name, taken) in wanted {
        match find(taken, headers, &body) {
            Some(value) => drop(variables.insert(name.clone(), value)),
            None if is_optional(taken) => {}
            None => {
                let place = match taken {
                    Taken::Body { pointer, .. } => format!("`{pointer}` in its body"),
                    Taken::Header { name, .. } => format!("header `{name}`"),
                };
                return Err(Problem::argument(format!(
                    "the request has no {place}, which gives `{name}`"
                )));
            }
        }
    }
    Ok(variables)
}

fn find(taken: &Taken, headers: &HeaderMap, body: &Value) -> Option<Value> {
    match taken {
        Taken::Body { pointer, .. } => body.pointer(pointer).cloned(),
        Taken::Header { name, .. } => headers.get(name)?.to_str().ok().map(Value::from),
    }
}

const fn is_optional(taken: &Taken) -> bool {
    match taken {
        Taken::Body { optional, .. } | Taken::Header { optional, .. } => *optional,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wanted(taken: &Value) -> BTreeMap<String, Taken> {
        serde_json::from_value(taken.clone()).unwrap()
    }

    #[test]
    fn variables_come_from_where_they_are_said_to() {
        let mut headers = HeaderMap::new();
        headers.insert("x-event", "push".parse().unwrap());
        let body = json!({ "a": { "b/c": [1, { "d": null }] } });
        let wanted = wanted(&json!({
            "LIST": { "from": "body", "pointer": "/a/b~1c" },
            "NULL": { "from": "body", "pointer": "/a/b~1c/1/d" },
            "ALL": { "from": "body", "pointer": "" },
            "EVENT": { "from": "header", "name": "X-Event" },
            "NONE": { "from": "header", "name": "X-None", "optional": true },
            "NOWHERE": { "from": "body", "pointer": "/x", "optional": true },
        }));
        let found = take(&wanted, &headers, body.to_string().as_bytes()).unwrap();
        let expected =
            json!({ "ALL": body, "LIST": body["a"]["b/c"], "NULL": null, "EVENT": "push" });
        assert_eq!(json!(found), expected);
    }

    #[test]
    fn what_is_missing_is_named() {
        let missing = |taken: Value, body: &str| {
            take(&wanted(&json!({ "V": taken })), &HeaderMap::new(), body.as_bytes())
                .unwrap_err()
                .message
        };
        let header = missing(json!({ "from": "header", "name": "X-Event" }), "");
        assert_eq!(header, "the request has no header `X-Event`, which gives `V`");
        let body = missing(json!({ "from": "body", "pointer": "/ref" }), "{}");
        assert_eq!(body, "the request has no `/ref` in its body, which gives `V`");
        assert!(missing(json!({ "from": "body", "pointer": "" }), "a=b").contains("no JSON"));
    }
}

//! What stands behind the question mark is known, and so is the body, or the request is refused: nobody
//! is left to believe that either had an effect.
//!
//! What a route takes is read from the document that describes the routes, so that none can forget to
//! look.

use super::extract::{Pairs, body};
use crate::problem::Problem;
use axum::body::{Body, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// What the routes take.
#[derive(Clone)]
pub(super) struct Known(Arc<HashMap<(String, Method), Takes>>);

/// What a route takes.
struct Takes {
    /// The names of the parameters of its query.
    parameters: BTreeSet<String>,
    body: bool,
}

impl Known {
    pub(super) fn new(document: &utoipa::openapi::OpenApi) -> Self {
        let document = serde_json::to_value(document).expect("its keys are text");
        let paths = document["paths"].as_object().into_iter().flatten();
        let operations = paths.flat_map(|(path, item)| {
            let operations = item.as_object().into_iter().flatten();
            operations.map(move |(method, operation)| (path, method, operation))
        });
        let known = operations.filter_map(|(path, method, operation)| {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).ok()?;
            Some(((path.clone(), method), Takes::of(operation)))
        });
        Self(Arc::new(known.collect()))
    }

    fn of(&self, path: &str, method: &Method) -> Option<&Takes> {
        // Routes that answer GET answer HEAD.
        let method = if method == Method::HEAD { Method::GET } else { method.clone() };
        self.0.get(&(path.to_owned(), method))
    }
}

impl Takes {
    fn of(operation: &Value) -> Self {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let of_query = parameters.filter(|parameter| parameter["in"] == "query");
        let names = of_query.filter_map(|parameter| parameter["name"].as_str());
        Self {
            parameters: names.map(str::to_owned).collect(),
            body: operation.get("requestBody").is_some(),
        }
    }

    /// Refuses a parameter that means nothing here.
    fn check_names(&self, pairs: &[(String, String)]) -> Result<(), Problem> {
        let unknown = pairs.iter().find(|(name, _)| !self.parameters.contains(name));
        let Some((name, _)) = unknown else { return Ok(()) };
        let known: Vec<&str> = self.parameters.iter().map(String::as_str).collect();
        let help = match known[..] {
            [] => "it takes none".to_owned(),
            _ => format!("it takes {}", known.join(", ")),
        };
        Err(Problem::argument(format!("`{name}` is no parameter of this address")).help(help))
    }

    /// Refuses a body that means nothing here; one that says nothing is taken away.
    async fn check_body(&self, request: Request) -> Result<Request, Problem> {
        if self.body || request.body().is_end_stream() {
            return Ok(request);
        }
        let (parts, sent) = request.into_parts();
        let mut whole = Request::new(sent);
        // The limits on its size and time are among them.
        whole.extensions_mut().extend(parts.extensions.clone());
        if says_nothing(&body(whole, &()).await?) {
            return Ok(Request::from_parts(parts, Body::empty()));
        }
        let what = format!("{} takes no body here, and would not look at it", parts.method);
        Err(Problem::argument(what).help("leave the body out; `{}` and `null` are taken for none"))
    }
}

/// Whether a body is empty, `null`, or an object without fields.
fn says_nothing(body: &[u8]) -> bool {
    let body = body.trim_ascii();
    let inner = body.strip_prefix(b"{").and_then(|body| body.strip_suffix(b"}"));
    body.is_empty() || body == b"null" || inner.is_some_and(|inner| inner.trim_ascii().is_empty())
}

pub(super) async fn check(
    State(known): State<Known>,
    path: MatchedPath,
    Pairs(pairs): Pairs,
    request: Request,
    next: Next,
) -> Response {
    let Some(takes) = known.of(path.as_str(), request.method()) else {
        return next.run(request).await;
    };
    if let Err(problem) = takes.check_names(&pairs) {
        return problem.into_response();
    }
    match takes.check_body(request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_without_fields_says_nothing() {
        for nothing in ["", " \n", "{}", " { }\n", "null"] {
            assert!(says_nothing(nothing.as_bytes()), "{nothing}");
        }
        for something in ["{", "}", "nul", "[]", "{}{}", "{\"a\":1}", "x"] {
            assert!(!says_nothing(something.as_bytes()), "{something}");
        }
    }
}

//! What stands behind the question mark is known, or the request is refused: nobody is left to believe
//! that a parameter had an effect.
//!
//! Which parameters a route takes is read from the document that describes the routes, so that none
//! can forget to look.

use super::extract::Pairs;
use crate::problem::Problem;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The parameters of the routes.
#[derive(Clone)]
pub(super) struct Known(Arc<HashMap<(String, Method), BTreeSet<String>>>);

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
            Some(((path.clone(), method), named(operation)))
        });
        Self(Arc::new(known.collect()))
    }

    /// The first of these names that the route does not know, and those that it does.
    fn unknown<'a>(
        &self,
        path: &str,
        method: &Method,
        pairs: &'a [(String, String)],
    ) -> Option<(&'a str, Vec<&str>)> {
        // Routes that answer GET answer HEAD.
        let method = if method == Method::HEAD { Method::GET } else { method.clone() };
        let known = self.0.get(&(path.to_owned(), method))?;
        let (name, _) = pairs.iter().find(|(name, _)| !known.contains(name))?;
        Some((name, known.iter().map(String::as_str).collect()))
    }
}

/// The names of the parameters of an operation's query.
fn named(operation: &Value) -> BTreeSet<String> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let of_query = parameters.filter(|parameter| parameter["in"] == "query");
    of_query.filter_map(|parameter| parameter["name"].as_str().map(str::to_owned)).collect()
}

pub(super) async fn check(
    State(known): State<Known>,
    path: MatchedPath,
    Pairs(pairs): Pairs,
    request: Request,
    next: Next,
) -> Response {
    let Some((name, known)) = known.unknown(path.as_str(), request.method(), &pairs) else {
        return next.run(request).await;
    };
    let problem = Problem::argument(format!("`{name}` is no parameter of this address"));
    let help = match known[..] {
        [] => "it takes none".to_owned(),
        _ => format!("it takes {}", known.join(", ")),
    };
    problem.help(help).into_response()
}

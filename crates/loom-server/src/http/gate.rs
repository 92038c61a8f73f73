//! What every documented route passes: the permission that it declares, and the audit log.
//!
//! The services decide in which namespaces a caller may do what they ask for. Here is asked, before
//! anything of the request is read, whether they may do it anywhere at all; so that no route can
//! forget it, the answer is taken from the document that describes the routes.

use crate::access::{Access, Caller, Deed, Made, Outcome, Permission};
use crate::problem::Problem;
use crate::serve::Peer;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The permissions of the routes.
#[derive(Clone)]
pub(super) struct Gate {
    access: Arc<Access>,
    needs: Arc<HashMap<(String, Method), Vec<Permission>>>,
}

impl Gate {
    pub(super) fn new(access: Arc<Access>, document: &utoipa::openapi::OpenApi) -> Self {
        let document = serde_json::to_value(document).expect("its keys are text");
        let paths = document["paths"].as_object().into_iter().flatten();
        let operations = paths.flat_map(|(path, item)| {
            let operations = item.as_object().into_iter().flatten();
            operations.map(move |(method, operation)| (path, method, operation))
        });
        let needs = operations.filter_map(|(path, method, operation)| {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).ok()?;
            Some(((path.clone(), method), declared(operation)))
        });
        Self { access, needs: Arc::new(needs.collect()) }
    }

    fn needs(&self, path: &str, method: &Method) -> &[Permission] {
        // Routes that answer GET answer HEAD.
        let method = if method == Method::HEAD { Method::GET } else { method.clone() };
        self.needs.get(&(path.to_owned(), method)).map_or(&[], Vec::as_slice)
    }
}

/// The permissions that an operation declares.
fn declared(operation: &Value) -> Vec<Permission> {
    let ways = operation["security"].as_array().into_iter().flatten();
    let scopes = ways.filter_map(|way| way["token"].as_array()).flatten();
    let names = scopes.filter_map(Value::as_str);
    names.map(|name| name.parse().expect("routes declare permissions of the list")).collect()
}

pub(super) async fn gate(
    State(gate): State<Gate>,
    path: MatchedPath,
    params: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Response {
    let method = request.method().clone();
    let needs = gate.needs(path.as_str(), &method);
    let caller = request.extensions().get::<Caller>().cloned();
    let (Some(caller), [first, ..]) = (caller, needs) else {
        return next.run(request).await;
    };
    let refused = needs.iter().find_map(|&permission| caller.namespaces(permission).err());
    if !first.is_change() {
        return match refused {
            Some(problem) => problem.into_response(),
            None => next.run(request).await,
        };
    }
    let deed = Deed {
        from: request
            .extensions()
            .get::<Peer>()
            .map_or_else(String::new, |it| it.0.ip().to_string()),
        action: *first,
        call: format!("{method} {}", path.as_str()),
        // What is no text names nothing, and is refused further on.
        target: params
            .iter()
            .flat_map(RawPathParams::iter)
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        detail: BTreeMap::new(),
        status: 0,
    };
    let answer = async move {
        match refused {
            Some(problem) => problem.into_response(),
            None => next.run(request).await,
        }
    };
    let is_recorded = first.is_recorded();
    let told = move |answer: &Response| {
        let noted = answer.extensions().get::<Noted>();
        let made = noted.map(|noted| noted.0.clone()).unwrap_or_default();
        let status = answer.status().as_u16();
        (is_recorded || noted.is_some()).then_some(Outcome { status, made })
    };
    gate.access.witness(caller, deed, answer, told).await.unwrap_or_else(Problem::into_response)
}

/// What an answer has for the audit log.
#[derive(Clone)]
struct Noted(Vec<Made>);

/// An answer, and what was made or touched that its path does not name.
pub(super) fn noted(made: Vec<Made>, answer: impl IntoResponse) -> Response {
    let mut answer = answer.into_response();
    answer.extensions_mut().insert(Noted(made));
    answer
}

//! Answers as callers read them: errors with Loomwork's code, the status that REST would answer
//! with, and the identity of the matter.

use crate::problem::Problem;
use async_graphql::{ErrorExtensionValues, Response, ServerError, Value, to_value};
use axum::http::StatusCode;
use loom_protocol::ErrorCode;
use serde::Serialize;
use std::sync::Arc;

/// The most errors that are told of one operation.
const ERRORS_MAX: usize = 50;

/// What a field answers that may fail: null then, with an error beside it. The fields next to it
/// keep their values.
pub(super) type Field<T> = Option<Result<T, Problem>>;

/// An answer, or one of several.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    /// Absent if nothing was executed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) errors: Vec<ServerError>,
    /// Of the first error, if nothing came of the request.
    #[serde(skip)]
    pub(super) status: StatusCode,
}

impl Answer {
    /// An answer to the request of this correlation id.
    pub(super) fn new(response: Response, correlation_id: &str) -> Self {
        let Response { data, mut errors, .. } = response;
        errors.truncate(ERRORS_MAX);
        let problems: Vec<Problem> = errors.iter().map(problem).collect();
        // Errors of execution say where.
        let refused = !errors.is_empty() && errors.iter().all(|error| error.path.is_empty());
        for (error, problem) in errors.iter_mut().zip(&problems) {
            error.message.clone_from(&problem.message);
            error.extensions = Some(extensions(problem, correlation_id));
        }
        let failed = problems.first().filter(|_| data == Value::Null);
        Self {
            status: failed.map_or(StatusCode::OK, Problem::status),
            data: (!refused || data != Value::Null).then_some(data),
            errors,
        }
    }

    /// The answer to a request that was not executed.
    pub(super) fn refusal(problem: Problem, correlation_id: &str) -> Self {
        Self::new(Response::from_errors(vec![failure(problem)]), correlation_id)
    }

    /// Whether nothing came of the operation.
    pub(super) fn is_refusal(&self) -> bool {
        !self.errors.is_empty() && matches!(self.data, None | Some(Value::Null))
    }
}

/// A problem as an error that is of no field.
pub(super) fn failure(problem: Problem) -> ServerError {
    let error = ServerError::new(problem.message.clone(), None);
    ServerError { source: Some(Arc::new(problem)), ..error }
}

/// The problem that an error is. What is none of a service is one of the query.
fn problem(error: &ServerError) -> Problem {
    let source = error.source::<Problem>().cloned();
    source.unwrap_or_else(|| Problem::new(ErrorCode::BadQuery, error.message.clone()))
}

fn extensions(problem: &Problem, correlation_id: &str) -> ErrorExtensionValues {
    let mut values = ErrorExtensionValues::default();
    values.set("code", problem.code.to_string());
    values.set("status", problem.status().as_u16());
    values.set("correlationId", correlation_id);
    if !problem.help.is_empty() {
        values.set("help", problem.help.clone());
    }
    if !problem.diagnostics.is_empty() {
        let diagnostics = to_value(&problem.diagnostics).expect("their keys are text");
        values.set("diagnostics", diagnostics);
    }
    if let Some(wait) = problem.retry_after {
        values.set("retryAfter", wait.as_secs().max(1));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::PathSegment;
    use serde_json::json;

    #[test]
    fn a_refusal_has_no_data_and_the_code_that_rest_has() {
        let problem = Problem::busy("too much").help("wait");
        let answer = Answer::refusal(problem, "c1");
        assert!(answer.is_refusal());
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        let expected = json!({ "errors": [{ "message": "too much", "extensions": {
            "code": "L709", "status": 503, "correlationId": "c1", "help": ["wait"],
            "retryAfter": 1,
        } }] });
        assert_eq!(json!(answer), expected);
    }

    #[test]
    fn errors_are_few_and_short() {
        let errors = (0..1000).map(|_| ServerError::new("x".repeat(1 << 16), None)).collect();
        let answer = json!(Answer::new(Response::from_errors(errors), "c1")).to_string();
        assert!(answer.len() < 200 << 10, "{}", answer.len());
    }

    #[test]
    fn an_error_of_a_field_leaves_the_others_their_data() {
        let path = vec![PathSegment::Field("run".to_owned())];
        let error = failure(Problem::missing("run", "x")).with_path(path);
        let mut response = Response::from_errors(vec![error.clone()]);
        let alone = Answer::new(response, "c1");
        assert!(alone.is_refusal());
        assert_eq!((alone.status, alone.data), (StatusCode::NOT_FOUND, Some(Value::Null)));
        response = Response::new(Value::from(1));
        response.errors.push(error);
        let beside = Answer::new(response, "c1");
        assert!(!beside.is_refusal());
        assert_eq!((beside.status, beside.data), (StatusCode::OK, Some(Value::from(1))));
    }

    #[test]
    fn what_no_service_says_is_wrong_with_the_query() {
        let error = ServerError::new("Unknown field", None);
        let answer = json!(Answer::new(Response::from_errors(vec![error]), "c1"));
        assert_eq!(answer["errors"][0]["extensions"]["code"], "L751");
    }
}

//! Operations as they are sent.

use super::scan::scan;
use super::weigh::{roots, weigh};
use crate::problem::Problem;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection,
};
use async_graphql::{Request, Variables};
use loom_protocol::ErrorCode;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// An operation as JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "one operation: an object")]
pub(super) struct Body {
    pub(super) query: String,
    #[serde(default)]
    pub(super) operation_name: Option<String>,
    #[serde(default)]
    pub(super) variables: Variables,
    /// Clients send it unasked; the specification has servers ignore what they do not know of it.
    #[serde(default, rename = "extensions")]
    pub(super) _extensions: Option<IgnoredAny>,
}

/// An operation that asks for no more than it may.
pub(super) struct Asked {
    pub(super) request: Request,
    /// What kind of operation.
    pub(super) kind: OperationType,
    /// How many calls it stands for.
    pub(super) calls: u32,
}

/// Reads an operation, and measures it.
pub(super) fn read(body: Body) -> Result<Asked, Problem> {
    scan(&body.query)?;
    let document = parse_query(&body.query).map_err(|error| unreadable(&error))?;
    weigh(&document)?;
    let operation = chosen(&document, body.operation_name.as_deref())?;
    let set = &operation.selection_set.node;
    let is_one_field = matches!(&set.items[..], [item] if matches!(item.node, Selection::Field(_)));
    if operation.ty == OperationType::Subscription && !is_one_field {
        return Err(wrong("a subscription has exactly one field at the top"));
    }
    let (kind, calls) = (operation.ty, roots(&document, set)?);
    let calls = u32::try_from(calls).unwrap_or(u32::MAX);
    let mut request = Request::new(body.query).variables(body.variables);
    request.operation_name = body.operation_name;
    request.set_parsed_query(document);
    Ok(Asked { request, kind, calls })
}

/// The operation that is meant.
fn chosen<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a OperationDefinition, Problem> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(&operation.node),
        (DocumentOperations::Multiple(operations), Some(name)) if operations.contains_key(name) => {
            Ok(&operations[name].node)
        }
        (_, Some(name)) => Err(wrong(format!("the query has no operation `{name}`"))),
        (DocumentOperations::Multiple(operations), None) => {
            let mut all = operations.values();
            match (all.next(), all.next()) {
                (Some(operation), None) => Ok(&operation.node),
                _ => Err(wrong("the query has several operations")
                    .help("name one of them in `operationName`")),
            }
        }
    }
}

fn wrong(what: impl Into<String>) -> Problem {
    Problem::new(ErrorCode::BadQuery, what)
}

fn unreadable(error: &async_graphql::parser::Error) -> Problem {
    let place = error.positions().next();
    let place = place.map(|at| format!(" at line {}, column {}", at.line, at.column));
    let said = error.to_string();
    // The parser draws the place; its last line says what it expected.
    let said = said.lines().last().unwrap_or_default().trim_start_matches([' ', '=']);
    wrong(format!("the query cannot be read{}: {said}", place.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, name: Option<&str>) -> Result<(OperationType, u32), String> {
        let body = Body {
            query: query.to_owned(),
            operation_name: name.map(str::to_owned),
            variables: Variables::default(),
            _extensions: None,
        };
        match read(body) {
            Ok(asked) => Ok((asked.kind, asked.calls)),
            Err(problem) => Err(format!("{}: {problem}", problem.code)),
        }
    }

    #[test]
    fn the_operation_that_is_meant_is_found() {
        let two = "query a { x y } mutation b { z }";
        assert_eq!(check("{ x }", None), Ok((OperationType::Query, 1)));
        assert_eq!(check(two, Some("a")), Ok((OperationType::Query, 2)));
        assert_eq!(check(two, Some("b")), Ok((OperationType::Mutation, 1)));
        assert_eq!(check("query a { x }", None), Ok((OperationType::Query, 1)));
        assert!(check(two, None).unwrap_err().contains("several operations"));
        assert!(check(two, Some("c")).unwrap_err().contains("no operation `c`"));
        assert!(check("{ x }", Some("c")).unwrap_err().starts_with("L751"));
    }

    #[test]
    fn what_is_no_query_is_refused_with_the_place() {
        for (query, said) in [
            ("", "line 1"),
            ("{", "line 1"),
            ("{\n  a(", "line 2"),
            ("nonsense", "line 1"),
            ("fragment a on B { c }", "L751"),
            ("subscription { a b }", "exactly one field"),
            ("subscription { ...f } fragment f on S { a }", "exactly one field"),
        ] {
            let refused = check(query, None).unwrap_err();
            assert!(refused.contains(said) && !refused.contains('\n'), "{query}: {refused}");
        }
    }
}

//! Checking documents that somebody sent, and saying what is wrong with them.

use super::service::Workflows;
use crate::problem::Problem;
use loom_core::Definition;
use loom_protocol::ErrorCode;
use loom_protocol::api::DiagnosticInfo;
use loom_spec::{CheckContext, Diagnostic, Problems, Severity, Source};
use std::collections::BTreeSet;

impl Workflows {
    pub(super) fn checked(
        &self,
        source: &str,
        given: &BTreeSet<String>,
    ) -> Result<Definition, Problem> {
        let source = Source::new("workflow", source);
        let (definition, problems) = self.check(&source, given);
        definition.ok_or_else(|| {
            let diagnostics = diagnostics(&problems, &source);
            let first = problems.iter().next();
            let (code, what) = first.map_or((ErrorCode::NotAWorkflow, "it is empty"), |first| {
                (first.code, first.message.as_str())
            });
            Problem { diagnostics, ..Problem::new(code, format!("the workflow is wrong: {what}")) }
        })
    }

    pub(super) fn check(
        &self,
        source: &Source,
        given: &BTreeSet<String>,
    ) -> (Option<Definition>, Problems) {
        let host = |name: &str| self.config.host_env.contains_key(name);
        let context = CheckContext { variables: given, host: &host, unset: Severity::Warning };
        let draft = loom_spec::load(source, &self.config.limits.workflow);
        match loom_spec::check(draft, self.plugins.as_ref(), &context) {
            Ok(checked) => (Some(checked.definition), checked.warnings),
            Err(problems) => (None, problems),
        }
    }
}

pub(super) fn diagnostics(problems: &Problems, source: &Source) -> Vec<DiagnosticInfo> {
    problems.iter().map(|problem| diagnostic(problem, source)).collect()
}

fn diagnostic(problem: &Diagnostic, source: &Source) -> DiagnosticInfo {
    let span = problem.primary.as_ref().map(|label| label.span);
    let start = span.map(|span| source.position(span.start));
    let end = span.map(|span| source.position(span.end));
    DiagnosticInfo {
        code: problem.code.to_string(),
        severity: problem.severity.name().to_owned(),
        message: problem.message.clone(),
        label: problem.primary.as_ref().map(|label| label.text.clone()).filter(|it| !it.is_empty()),
        help: problem.help.clone(),
        line: start.map(|start| start.line),
        column: start.map(|start| start.column),
        end_line: end.map(|end| end.line),
        end_column: end.map(|end| end.column),
    }
}

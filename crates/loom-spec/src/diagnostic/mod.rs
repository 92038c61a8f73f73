//! What is wrong with a file, where, and how to mend it.

mod json;
mod problems;
mod render;

pub use problems::Problems;
pub use render::Style;

use crate::source::Span;
use loom_protocol::ErrorCode;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; the workflow runs.
    Warning,
    /// The workflow does not run.
    Error,
}

impl Severity {
    /// The word that diagnostics begin with.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A place in the source and what to say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What to write beside the underline; may be empty.
    pub text: String,
}

/// A change to the source that would mend a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What to replace.
    pub span: Span,
    /// What with.
    pub replacement: String,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The documented error that it is.
    pub code: ErrorCode,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// Where; `None` if it is about the file as a whole.
    pub primary: Option<Label>,
    /// Other places that matter.
    pub secondary: Vec<Label>,
    /// How to mend it.
    pub help: Option<String>,
    /// The change that would mend it, where there is one; `help` says it in words.
    pub suggestion: Option<Suggestion>,
}

impl Diagnostic {
    /// An error without a place.
    pub fn error(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            primary: None,
            secondary: Vec::new(),
            help: None,
            suggestion: None,
        }
    }

    /// A warning without a place.
    pub fn warning(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Says where it is, and what to write beside the underline.
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.primary = Some(Label { span, text: text.into() });
        self
    }

    /// Points at another place.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// Says how to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what the text at `span` was probably meant to be, if that is known; `help` is a
    /// sentence that says what else there is to do, if anything.
    #[must_use]
    pub(crate) fn did_you_mean(self, span: Span, nearest: Option<&str>, help: String) -> Self {
        let Some(nearest) = nearest else {
            return if help.is_empty() { self } else { self.help(help) };
        };
        let mut initials = help.chars();
        let rest: String = match initials.next() {
            Some(first) => [' '].into_iter().chain(first.to_uppercase()).chain(initials).collect(),
            None => String::new(),
        };
        let mut this = self.help(format!("did you mean `{nearest}`?{rest}"));
        this.suggestion = Some(Suggestion { span, replacement: nearest.to_owned() });
        this
    }
}

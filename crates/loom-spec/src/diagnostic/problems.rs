//! A collection of problems that stays small however bad a file is.

use super::{Diagnostic, Severity};

/// How many problems are kept; beyond, they are counted.
const KEPT: usize = 1000;

/// Problems in the order in which they were found, at most a thousand; the rest is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    kept: Vec<Diagnostic>,
    beyond: usize,
    errors: usize,
}

impl Problems {
    /// Adds a problem.
    pub fn push(&mut self, problem: Diagnostic) {
        self.errors += usize::from(problem.severity == Severity::Error);
        if self.kept.len() < KEPT {
            self.kept.push(problem);
        } else {
            self.beyond += 1;
        }
    }

    /// The problems that were kept.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.kept.iter()
    }

    /// How many problems there are, those that were only counted included.
    pub const fn len(&self) -> usize {
        self.kept.len() + self.beyond
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many of them are errors.
    pub const fn errors(&self) -> usize {
        self.errors
    }

    /// Sorts by place in the file, what has no place first.
    pub(crate) fn sort(&mut self) {
        self.kept.sort_by_key(|problem| {
            problem.primary.as_ref().map(|label| (label.span.start, label.span.end))
        });
    }
}

impl From<Diagnostic> for Problems {
    fn from(problem: Diagnostic) -> Self {
        let mut problems = Self::default();
        problems.push(problem);
        problems
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

//! What is wrong with a plugin, for people: which file, what, and how to mend it.

use loom_protocol::ErrorCode;
use std::fmt;
use std::path::PathBuf;

/// Why a plugin cannot be used, or could not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginProblem {
    /// The error's code.
    pub code: ErrorCode,
    /// The file or folder that it is about.
    pub file: PathBuf,
    /// The line within it, from 1, where one is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub mend: String,
}

impl PluginProblem {
    pub(crate) fn new(
        code: ErrorCode,
        file: impl Into<PathBuf>,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { code, file: file.into(), line: None, what: what.into(), mend: mend.into() }
    }

    pub(crate) fn at(mut self, line: Option<usize>) -> Self {
        self.line = line;
        self
    }
}

impl fmt::Display for PluginProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}; {}", self.what, self.mend)
    }
}

impl std::error::Error for PluginProblem {}

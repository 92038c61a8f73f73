//! Checks of the code's own rules, and the pages that are generated from code.
//!
//! - `cargo run -p xtask -- tidy` checks what a compiler cannot: who uses whom, how long things
//!   are, that documents and code agree. It changes nothing.
//! - `cargo run -p xtask -- docs --write` brings generated parts of `docs/` up to date.
//!
//! Every finding says where it is and how to mend it. `STYLE.md` gives the reasons.

mod generated;
mod graph;
mod licence;
mod links;
mod pages;
mod rust_rules;
mod scan;
mod tree;
mod versions;

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// One breach of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// The file, relative to the repository.
    file: PathBuf,
    /// The line, from 1; 0 if the finding is about the file as a whole.
    line: usize,
    /// What is wrong, and how to mend it.
    message: String,
}

impl Finding {
    pub(crate) fn new(file: impl Into<PathBuf>, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.into(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file.display(), self.message),
            line => write!(f, "{}:{line}: {}", self.file.display(), self.message),
        }
    }
}

const USAGE: &str = "usage: cargo run -p xtask -- tidy | docs [--write]";

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["tidy"] => tidy(root),
        ["docs"] => report("docs", generated::check(root), Instant::now()),
        ["docs", "--write"] => generated::write(root).map(|()| true),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, USAGE)),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nothing is left to do if even standard error cannot be written to.
            let _ = writeln!(io::stderr(), "xtask: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs every check; `Ok(false)` if one found something.
fn tidy(root: &Path) -> io::Result<bool> {
    let begun = Instant::now();
    let metadata = graph::metadata(root)?;
    let sources = tree::rust_files(root)?;
    let documents = tree::markdown_files(root)?;

    let mut findings = Vec::new();
    for source in &sources {
        findings.extend(rust_rules::check(source));
    }
    findings.extend(graph::check_edges(&metadata));
    findings.extend(graph::check_lints(root, &metadata)?);
    findings.extend(licence::check(root, &metadata)?);
    findings.extend(pages::check(root)?);
    findings.extend(generated::check(root)?);
    findings.extend(links::check(root, &documents));
    findings.extend(versions::check(root)?);
    report("tidy", Ok(findings), begun)
}

fn report(what: &str, findings: io::Result<Vec<Finding>>, begun: Instant) -> io::Result<bool> {
    let mut findings = findings?;
    findings.sort();
    findings.dedup();
    let mut out = io::stdout().lock();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    let count = match findings.len() {
        0 => "nothing to mend".to_owned(),
        1 => "1 thing to mend".to_owned(),
        n => format!("{n} things to mend"),
    };
    writeln!(out, "{what}: {count} ({} ms)", begun.elapsed().as_millis())?;
    Ok(findings.is_empty())
}

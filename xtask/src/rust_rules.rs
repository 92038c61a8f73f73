//! Rules that each file of Rust source keeps.

use crate::Finding;
use crate::scan::{self, Function};
use crate::tree::Source;
use std::ops::Range;
use std::path::Path;

/// The most lines of a file, its tests included.
const FILE_LINES: usize = 800;
/// The most lines of a file without its tests.
const CODE_LINES: usize = 500;
/// The most lines of a function outside tests.
const FUNCTION_LINES: usize = 70;
/// The most columns of a line that is a comment, which no formatter breaks.
const COMMENT_COLUMNS: usize = 110;

/// Files that may stay over a limit until they are next touched, with the lines that they have
/// now: they may shrink, never grow.
const RATCHET: &[(&str, usize)] = &[];

/// What `loom-core` may not reach for, with what to do instead.
const IMPURE: [(&str, &str); 7] = [
    ("std::time::SystemTime", "take the time as a `Timestamp` argument"),
    ("std::time::Instant", "take the time as a `Timestamp` argument"),
    ("std::fs", "let the caller read and write"),
    ("std::net", "let the shell talk to others"),
    ("std::process", "describe it as an `Effect`"),
    ("std::env", "take the value as an argument"),
    ("std::thread", "stay synchronous; the shell owns the threads"),
];

/// Marks of unfinished work. In pieces, so that this file passes its own check.
const UNFINISHED: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
];

/// All findings in one file.
pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let masked = scan::mask(&source.text);
    let file = File {
        path: &source.path,
        text: &source.text,
        tests: if source.is_test {
            std::iter::once(0..masked.len()).collect()
        } else {
            scan::test_parts(&masked)
        },
        masked: &masked,
    };
    let mut findings = Vec::new();
    file.opens_with_docs(&mut findings);
    file.is_short(&mut findings);
    file.has_short_functions(&mut findings);
    file.has_short_comments(&mut findings);
    file.is_finished(&mut findings);
    file.gives_reasons(&mut findings);
    file.does_not_unwrap(&mut findings);
    if source.path.starts_with("crates/loom-core/src") {
        file.is_pure(&mut findings);
    }
    findings
}

struct File<'a> {
    path: &'a Path,
    text: &'a str,
    masked: &'a str,
    tests: Vec<Range<usize>>,
}

impl File<'_> {
    fn finding(&self, at: usize, message: impl Into<String>) -> Finding {
        Finding::new(self.path, scan::line_of(self.text, at), message)
    }

    fn in_tests(&self, at: usize) -> bool {
        self.tests.iter().any(|part| part.contains(&at))
    }

    fn opens_with_docs(&self, findings: &mut Vec<Finding>) {
        let starts = self.text.starts_with("//!") || self.text.starts_with("#![no_main]\n//!");
        if !starts {
            let how = "open the file with `//!`: what the module is for and what it promises";
            findings.push(Finding::new(self.path, 1, how));
        }
    }

    fn is_short(&self, findings: &mut Vec<Finding>) {
        let all = self.text.lines().count();
        let in_tests: usize =
            self.tests.iter().map(|part| self.text[part.clone()].lines().count()).sum();
        let code = all - in_tests.min(all);
        let allowed = RATCHET.iter().find(|(path, _)| self.path == Path::new(path));
        if let Some((_, lines)) = allowed {
            if all > *lines {
                let what = format!("{all} lines, {lines} when it was last allowed: split it");
                findings.push(Finding::new(self.path, 0, what));
            }
        } else if all > FILE_LINES {
            let what =
                format!("{all} lines, at most {FILE_LINES}: split it by what changes together");
            findings.push(Finding::new(self.path, 0, what));
        } else if code > CODE_LINES {
            let what = format!(
                "{code} lines without tests, at most {CODE_LINES}: split it by what changes together"
            );
            findings.push(Finding::new(self.path, 0, what));
        }
    }

    fn has_short_functions(&self, findings: &mut Vec<Finding>) {
        for Function { name, at, lines } in scan::functions(self.masked) {
            if lines > FUNCTION_LINES && !self.in_tests(at) {
                let what = format!(
                    "function `{name}` has {lines} lines, at most {FUNCTION_LINES}: name its parts"
                );
                findings.push(self.finding(at, what));
            }
        }
    }

    fn has_short_comments(&self, findings: &mut Vec<Finding>) {
        for (index, line) in self.text.lines().enumerate() {
            let columns = line.chars().count();
            if line.trim_start().starts_with("//") && columns > COMMENT_COLUMNS {
                let what =
                    format!("a comment of {columns} columns, at most {COMMENT_COLUMNS}: break it");
                findings.push(Finding::new(self.path, index + 1, what));
            }
        }
    }

    fn is_finished(&self, findings: &mut Vec<Finding>) {
        for mark in UNFINISHED {
            for (at, _) in self.text.match_indices(mark) {
                let bytes = self.text.as_bytes();
                let joined = at > 0 && scan::is_word(bytes[at - 1])
                    || bytes.get(at + mark.len()).is_some_and(|&next| scan::is_word(next))
                        && !mark.ends_with('(');
                if !joined {
                    let what = format!("`{mark}`: do it now, or write it down as an issue");
                    findings.push(self.finding(at, what));
                }
            }
        }
    }

    fn gives_reasons(&self, findings: &mut Vec<Finding>) {
        for opening in ["#[allow(", "#![allow(", "#[expect(", "#![expect("] {
            for (at, _) in self.masked.match_indices(opening) {
                let end = scan::matching(self.masked, at + opening.len() - 1);
                let attribute = &self.masked[at..end.unwrap_or(self.masked.len())];
                if !scan::words(attribute).any(|(_, word)| word == "reason") {
                    let what =
                        "an exception to a lint needs its reason: `#[expect(…, reason = \"…\")]`";
                    findings.push(self.finding(at, what));
                }
            }
        }
    }

    fn does_not_unwrap(&self, findings: &mut Vec<Finding>) {
        let excepted = self.masked.match_indices("#![expect(").any(|(at, opening)| {
            let end = scan::matching(self.masked, at + opening.len() - 1);
            let attribute = &self.masked[at..end.unwrap_or(self.masked.len())];
            scan::words(attribute).any(|(_, word)| word == "unwrap_used")
        });
        if excepted {
            return; // for a reason, which another rule asks for
        }
        for (at, _) in self.masked.match_indices(".unwrap()") {
            if !self.in_tests(at) {
                let what = "`.unwrap()` outside tests: handle it, or `expect` with the invariant";
                findings.push(self.finding(at, what));
            }
        }
    }

    fn is_pure(&self, findings: &mut Vec<Finding>) {
        for (at, path) in scan::std_paths(self.masked) {
            let hit = IMPURE.iter().find(|(banned, _)| {
                path.strip_prefix(banned)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            });
            if let Some((banned, instead)) = hit.filter(|_| !self.in_tests(at)) {
                findings
                    .push(self.finding(at, format!("loom-core may not use `{banned}`: {instead}")));
            }
        }
        for (at, _) in
            scan::words(self.masked).filter(|&(_, word)| word == "tokio" || word == "async")
        {
            findings.push(self.finding(at, "loom-core is synchronous: no `async`, no tokio"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &str, text: &str) -> Vec<String> {
        let is_test = path.contains("/tests/");
        let source = Source { path: path.into(), text: text.to_owned(), is_test };
        check(&source).iter().map(ToString::to_string).collect()
    }

    #[track_caller]
    fn check_one(path: &str, text: &str, expected: &str) {
        let found = messages(path, text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(expected), "{found:?}");
    }

    #[test]
    fn a_clean_file_has_no_findings() {
        let text = "//! Docs.\n\nuse std::time::Duration;\n\nfn f() {}\n\n#[cfg(test)]\nmod tests {\n    \
                    fn g() { None::<u8>.unwrap(); std::env::var(\"X\").unwrap(); }\n}\n";
        assert_eq!(messages("crates/loom-core/src/x.rs", text), Vec::<String>::new());
    }

    #[test]
    fn each_rule_finds_its_breach_at_its_line() {
        let path = "crates/loom-core/src/x.rs";
        check_one(path, "fn f() {}\n", "x.rs:1: open the file with `//!`");
        check_one(
            path,
            "//! D.\nuse std::{fmt, fs::File};\n",
            "x.rs:2: loom-core may not use `std::fs`",
        );
        check_one(path, "//! D.\nasync fn f() {}\n", "x.rs:2: loom-core is synchronous");
        check_one(path, "//! D.\nfn f() { x.unwrap(); }\n", "x.rs:2: `.unwrap()` outside tests");
        check_one(
            path,
            "//! D.\n#[allow(dead_code)]\nfn f() {}\n",
            "x.rs:2: an exception to a lint",
        );
        let unfinished = format!("//! D.\n\n// {}: more\n", concat!("TO", "DO"));
        check_one(path, &unfinished, "x.rs:3: `TO");
        let long = format!("//! D.\nfn f() {{\n{}}}\n", "    g();\n".repeat(69));
        let comment = format!("//! D.\n    /// {}\n", "é".repeat(103));
        check_one(path, &comment, "x.rs:2: a comment of 111 columns");
        check_one(path, &long, "x.rs:2: function `f` has 71 lines");
        check_one(path, &format!("//! D.\n{}", "use a;\n".repeat(500)), "501 lines without tests");
        check_one(path, &format!("//! D.\n{}", "use a;\n".repeat(800)), "801 lines, at most 800");
    }

    #[test]
    fn words_that_merely_contain_a_mark_are_fine() {
        let text =
            format!("//! Ma{}x.\nconst A{}: u8 = 1;\n", concat!("XX", "X"), concat!("TO", "DO"));
        assert_eq!(messages("crates/loom-spec/src/x.rs", &text), Vec::<String>::new());
    }

    #[test]
    fn a_file_may_unwrap_if_it_says_why() {
        let text = "//! D.\n#![expect(clippy::print_stdout, clippy::unwrap_used, reason = \"a program\")]\n\
                    fn f() { x.unwrap(); }\n";
        assert_eq!(messages("crates/loom-sqlite/examples/x.rs", text), Vec::<String>::new());
    }

    #[test]
    fn other_crates_may_touch_the_world_and_tests_may_be_long() {
        let text = "//! D.\nuse std::fs;\n";
        assert_eq!(messages("crates/loom-worker/src/x.rs", text), Vec::<String>::new());
        let long = format!("//! D.\nfn f() {{\n{}}}\n", "    g().unwrap();\n".repeat(90));
        assert_eq!(messages("crates/loom-worker/tests/it/main.rs", &long), Vec::<String>::new());
    }
}

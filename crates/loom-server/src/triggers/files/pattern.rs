//! Which files a trigger is about: an absolute path, in whose names `*` stands for any characters
//! and `?` for one, and `**`, once, for any folders.

use crate::problem::Problem;
use std::path::{Path, PathBuf};

/// The longest pattern.
const BYTES_MAX: usize = 1024;

/// A path whose parts may be patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::triggers) struct Pattern {
    /// The folder before the first part that is a pattern, or before the file.
    pub(super) folder: PathBuf,
    /// What is below it; the last one is of files, the others of folders.
    pub(super) parts: Vec<Part>,
}

/// One part of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A name of this form.
    Name(String),
    /// Any folders, or none.
    Folders,
}

impl Pattern {
    pub(in crate::triggers) fn parse(text: &str) -> Result<Self, Problem> {
        let wrong = |what: &str| Err(Problem::argument(format!("`file` {what}")));
        if text.len() > BYTES_MAX {
            return wrong(&format!("has at most {BYTES_MAX} bytes"));
        }
        let Some(below) = text.strip_prefix('/') else {
            return wrong("is no absolute path: it begins with `/`");
        };
        let names: Vec<&str> = below.split('/').collect();
        if names.iter().any(|name| matches!(*name, "" | "." | "..") || name.contains('\0')) {
            return wrong("has a part that is empty, `.` or `..`");
        }
        if names.iter().filter(|name| **name == "**").count() > 1 {
            return wrong("has `**` more than once");
        }
        if names.last() == Some(&"**") {
            return wrong("ends with `**`; write `**/*` for all files");
        }
        let plain = names.iter().take_while(|name| !name.contains(['*', '?'])).count();
        let fixed = plain.min(names.len() - 1);
        let part = |name: &&str| match *name {
            "**" => Part::Folders,
            name => Part::Name(name.to_owned()),
        };
        Ok(Self {
            folder: Path::new("/").join(names[..fixed].join("/")),
            parts: names[fixed..].iter().map(part).collect(),
        })
    }
}

/// Whether a name has this form. Names that begin with a dot are hidden from forms that do not:
/// programs write there what is not finished.
pub(super) fn fits(form: &str, name: &str) -> bool {
    if name.starts_with('.') && !form.starts_with('.') {
        return false;
    }
    let (form, name): (Vec<char>, Vec<char>) = (form.chars().collect(), name.chars().collect());
    let (mut at, mut of) = (0, 0);
    // Where the last `*` was, and how much of the name it stands for so far.
    let mut star: Option<(usize, usize)> = None;
    while of < name.len() {
        match form.get(at) {
            Some('*') => {
                star = Some((at, of));
                at += 1;
            }
            Some(&char) if char == '?' || char == name[of] => {
                at += 1;
                of += 1;
            }
            _ => {
                let Some((place, covered)) = star else { return false };
                star = Some((place, covered + 1));
                (at, of) = (place + 1, covered + 1);
            }
        }
    }
    form[at..].iter().all(|char| *char == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_pattern_begins_in_a_fixed_folder() {
        let parse = |text: &str| {
            let Pattern { folder, parts } = Pattern::parse(text).unwrap();
            let name = |part: &Part| match part {
                Part::Name(name) => name.clone(),
                Part::Folders => "any".to_owned(),
            };
            (folder.display().to_string(), parts.iter().map(name).collect::<Vec<_>>().join(" "))
        };
        for (text, folder, parts) in [
            ("/data/in/a.csv", "/data/in", "a.csv"),
            ("/a", "/", "a"),
            ("/data/*.csv", "/data", "*.csv"),
            ("/data/*/x", "/data", "* x"),
            ("/data/**/x?", "/data", "any x?"),
        ] {
            assert_eq!(parse(text), (folder.to_owned(), parts.to_owned()), "{text}");
        }
        for wrong in ["", "a", "*", "/", "/a/", "/a//b", "/a/../b", "/./b", "/**/**/a", "/a/**"] {
            assert!(Pattern::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Pattern::parse(&format!("/{}", "a".repeat(BYTES_MAX))).is_err());
    }

    #[test]
    fn hidden_names_are_asked_for() {
        for (form, name, expected) in [
            ("*", "a", true),
            ("*", ".a", false),
            ("?a", ".a", false),
            (".*", ".a", true),
            ("*.csv", "a.csv", true),
            ("*.csv", "a.csv.part", false),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "a1c2b", false),
            ("*ä?", "äää", true),
        ] {
            assert_eq!(fits(form, name), expected, "{form} {name}");
        }
    }

    /// The same in the obvious way, which takes for ever on long ones.
    fn slowly(form: &[char], name: &[char]) -> bool {
        match (form.first(), name.first()) {
            (None, None) => true,
            (Some('*'), _) => {
                slowly(&form[1..], name) || !name.is_empty() && slowly(form, &name[1..])
            }
            (Some('?'), Some(_)) => slowly(&form[1..], &name[1..]),
            (Some(a), Some(b)) if a == b => slowly(&form[1..], &name[1..]),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn forms_fit_as_they_do_slowly(form in "[ab*?]{0,8}", name in "[ab]{0,10}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(fits(&form, &name), slowly(&chars(&form), &chars(&name)));
        }
    }
}

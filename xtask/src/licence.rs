//! Licences of dependencies, against the list in `deny.toml`, without `cargo deny` being there.

use crate::Finding;
use crate::graph::Metadata;
use std::io;
use std::path::Path;

/// The lists of `deny.toml`.
#[derive(Debug, PartialEq, Eq)]
struct Policy {
    /// Licences that any crate may have.
    allowed: Vec<String>,
    /// A crate and a licence that only it may have.
    exceptions: Vec<(String, String)>,
}

impl Policy {
    /// Reads `allow = […]` and the lines of `exceptions`; the rest of the file is cargo-deny's.
    fn parse(text: &str) -> Self {
        let section = text.split("\n[").find(|part| part.starts_with("licenses]")).unwrap_or("");
        let without_comments: String = section
            .lines()
            .map(|line| line.split('#').next().unwrap_or("").to_owned() + "\n")
            .collect();
        let allowed = without_comments
            .split_once("\nallow = [")
            .and_then(|(_, rest)| rest.split_once(']'))
            .map_or_else(Vec::new, |(list, _)| quoted(list));
        let exceptions = without_comments
            .lines()
            .filter(|line| line.trim_start().starts_with('{'))
            .filter_map(|line| match quoted(line).as_slice() {
                [name, licence] => Some((name.clone(), licence.clone())),
                _ => None,
            })
            .collect();
        Self { allowed, exceptions }
    }

    /// Whether a crate may have this licence expression.
    fn allows(&self, name: &str, expression: &str) -> bool {
        let normal = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
        let words: Vec<&str> = normal.split_whitespace().collect();
        let mut rest = words.as_slice();
        let fine = self.either(name, &mut rest);
        fine && rest.is_empty()
    }

    fn either(&self, name: &str, rest: &mut &[&str]) -> bool {
        let mut fine = self.both(name, rest);
        while rest.first() == Some(&"OR") {
            *rest = &rest[1..];
            fine |= self.both(name, rest);
        }
        fine
    }

    fn both(&self, name: &str, rest: &mut &[&str]) -> bool {
        let mut fine = self.single(name, rest);
        while rest.first() == Some(&"AND") {
            *rest = &rest[1..];
            fine &= self.single(name, rest);
        }
        fine
    }

    fn single(&self, name: &str, rest: &mut &[&str]) -> bool {
        let Some((&first, tail)) = rest.split_first() else { return false };
        *rest = tail;
        if first == "(" {
            let fine = self.either(name, rest);
            let closed = rest.first() == Some(&")");
            *rest = rest.get(1..).unwrap_or_default();
            return fine && closed;
        }
        let mut licence = first.to_owned();
        if let [with @ "WITH", exception, tail @ ..] = *rest {
            licence = format!("{licence} {with} {exception}");
            *rest = tail;
        }
        self.allowed.contains(&licence)
            || self
                .exceptions
                .iter()
                .any(|(crate_name, only)| crate_name == name && *only == licence)
    }
}

fn quoted(text: &str) -> Vec<String> {
    text.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The licence of every crate that we build on.
pub(crate) fn check(root: &Path, metadata: &Metadata) -> io::Result<Vec<Finding>> {
    let policy = Policy::parse(&std::fs::read_to_string(root.join("deny.toml"))?);
    let mut findings = Vec::new();
    if policy.allowed.is_empty() {
        findings.push(Finding::new("deny.toml", 0, "[licenses] has no `allow` list"));
    }
    for package in metadata.foreign() {
        let licence = package.licence.as_deref().unwrap_or("none");
        if !policy.allows(&package.name, licence) {
            let what = format!(
                "{} {} has licence `{licence}`, which deny.toml does not allow: do without the crate",
                package.name, package.version
            );
            findings.push(Finding::new("Cargo.lock", 0, what));
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENY: &str = "[graph]\n\n[licenses]\nallow = [\n  \"MIT\", # \"GPL-3.0\" is a comment\n  \
                        \"Apache-2.0\",\n  \"Apache-2.0 WITH LLVM-exception\",\n]\nexceptions = [\n  \
                        { crate = \"roots\", allow = [\"CDLA-Permissive-2.0\"] },\n]\n\n[bans]\nallow = [\"x\"]\n";

    #[test]
    fn the_policy_is_read_from_deny_toml() {
        let policy = Policy::parse(DENY);
        assert_eq!(policy.allowed, ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"]);
        assert_eq!(policy.exceptions, [("roots".to_owned(), "CDLA-Permissive-2.0".to_owned())]);
    }

    #[test]
    fn expressions_are_judged_whole() {
        let policy = Policy::parse(DENY);
        for fine in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "(MIT OR GPL-3.0) AND Apache-2.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
        ] {
            assert!(policy.allows("any", fine), "{fine}");
        }
        for wrong in
            ["GPL-3.0", "MIT AND GPL-3.0", "none", "", "CDLA-Permissive-2.0", "(MIT", "MIT MIT"]
        {
            assert!(!policy.allows("any", wrong), "{wrong}");
        }
        assert!(policy.allows("roots", "CDLA-Permissive-2.0"));
    }
}

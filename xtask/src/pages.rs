//! One page for each error code, and one error code for each page.

use crate::Finding;
use loom_protocol::ErrorCode;
use std::io;
use std::path::{Path, PathBuf};

const FOLDER: &str = "docs/errors";

/// Compares the pages with the codes.
pub(crate) fn check(root: &Path) -> io::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for &code in ErrorCode::ALL {
        let path = page(code);
        let wanted = format!("# {code}: {}", code.title());
        if let Ok(text) = std::fs::read_to_string(root.join(&path)) {
            findings.extend(check_page(&path, &text, &wanted));
        } else {
            let what = format!("no page for {code}: write one that starts with `{wanted}`");
            findings.push(Finding::new(path, 0, what));
        }
    }
    for entry in std::fs::read_dir(root.join(FOLDER))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let number = name.strip_prefix('L').and_then(|rest| rest.strip_suffix(".md"));
        let known = number
            .is_some_and(|number| number.parse().ok().and_then(ErrorCode::from_number).is_some());
        if !known && name != "README.md" {
            let what = "no such code in loom-protocol: remove the page, or add the code";
            findings.push(Finding::new(Path::new(FOLDER).join(name), 0, what));
        }
    }
    Ok(findings)
}

/// Where the page of a code is.
fn page(code: ErrorCode) -> PathBuf {
    Path::new(FOLDER).join(format!("{code}.md"))
}

fn check_page(path: &Path, text: &str, wanted: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if text.lines().next() != Some(wanted) {
        findings.push(Finding::new(path, 1, format!("the first line is not `{wanted}`")));
    }
    for part in ["## Example", "## How to mend it"] {
        if !text.lines().any(|line| line == part) {
            findings.push(Finding::new(path, 0, format!("the page has no `{part}`")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_needs_its_heading_and_its_parts() {
        let path = Path::new("docs/errors/L101.md");
        let good = "# L101: x\n\n## Example\n\n## How to mend it\n";
        assert_eq!(check_page(path, good, "# L101: x"), []);
        let found = check_page(path, "# L101: y\n\n## Example\n", "# L101: x");
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("docs/errors/L101.md:1: the first line is not"), "{found:?}");
    }
}

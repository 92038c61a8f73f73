//! Links between our Markdown documents lead somewhere.

use crate::Finding;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Every relative link in these documents, and every `#heading` in it.
pub(crate) fn check(root: &Path, documents: &[PathBuf]) -> Vec<Finding> {
    let texts: BTreeMap<&Path, String> = documents
        .iter()
        .filter_map(|path| Some((path.as_path(), std::fs::read_to_string(root.join(path)).ok()?)))
        .collect();
    let mut findings = Vec::new();
    for (&path, text) in &texts {
        let headless = headless(text).map(|line| Finding::new(path, line, "a link has no text"));
        findings.extend(headless);
        for (line, target) in links(text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((&target, ""));
            let to = if file.is_empty() { path.to_owned() } else { beside(path, file) };
            if !root.join(&to).exists() {
                let what = format!("the link to `{target}` leads nowhere");
                findings.push(Finding::new(path, line, what));
            } else if !heading.is_empty()
                && texts.get(to.as_path()).is_some_and(|text| !has_heading(text, heading))
            {
                let what = format!("`{}` has no heading `#{heading}`", to.display());
                findings.push(Finding::new(path, line, what));
            }
        }
    }
    findings
}

/// The path that a link in `path` means, with `..` taken out.
fn beside(path: &Path, link: &str) -> PathBuf {
    let mut to = path.parent().unwrap_or(Path::new("")).to_owned();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                to.pop();
            }
            name => to.push(name),
        }
    }
    to
}

/// The targets of `[text](target)` with their lines, outside code.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        for (at, _) in line.match_indices("](") {
            let rest = &line[at + 2..];
            if let Some(end) = rest.find([')', ' ']) {
                found.push((number, rest[..end].to_owned()));
            }
        }
    }
    found
}

/// The lines on which paragraphs end in which something closes as a link that never opened.
fn headless(text: &str) -> impl Iterator<Item = usize> {
    let mut open = 0;
    let mut before = 0;
    prose(text).chain([(usize::MAX, String::new())]).filter_map(move |(number, line)| {
        open += line.matches('[').count() as i64 - line.matches("](").count() as i64;
        let ended = std::mem::replace(&mut before, number);
        if !line.trim().is_empty() {
            return None;
        }
        (std::mem::take(&mut open) < 0).then_some(ended)
    })
}

/// The lines outside fenced code, numbered from 1, with `code` spans blanked.
fn prose(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(place, line)| {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            return None;
        }
        let spans = line.split('`').enumerate();
        let plain = spans.map(|(n, span)| if n % 2 == 0 { span } else { "" }).collect();
        (!fenced).then_some((place + 1, plain))
    })
}

fn has_heading(text: &str, wanted: &str) -> bool {
    let mut fenced = false;
    text.lines().any(|line| {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        !fenced && line.starts_with('#') && slug(line.trim_start_matches('#').trim()) == wanted
    })
}

/// A heading's anchor, as code hosts make it.
fn slug(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter_map(|letter| match letter {
            ' ' => Some('-'),
            '-' | '_' => Some(letter),
            _ => letter.is_alphanumeric().then_some(letter),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_outside_code_only() {
        let text = "See [a](a.md) and `[b](b.md)`.\n```\n[c](c.md)\n```\n[d](d.md#x \"title\")\n";
        assert_eq!(links(text), [(1, "a.md".to_owned()), (5, "d.md#x".to_owned())]);
    }

    #[test]
    fn what_closes_as_a_link_has_to_open() {
        assert_eq!(headless("a [b](c)\n[d\ne](f)\n\ng](h)\ni\n\n[j](k)").collect::<Vec<_>>(), [6]);
        assert_eq!(headless("a](b)").collect::<Vec<_>>(), [1]);
        assert_eq!(headless("`a](b)` [c] [d](e) [f]").count(), 0);
    }

    #[test]
    fn headings_have_the_usual_anchors() {
        let text = "# Life cycles\n\n## `loom run FILE`: a run\n\n```\n# not a heading\n```\n";
        assert!(has_heading(text, "life-cycles"));
        assert!(has_heading(text, "loom-run-file-a-run"));
        assert!(!has_heading(text, "not-a-heading"));
    }

    #[test]
    fn paths_are_taken_from_the_documents_folder() {
        assert_eq!(
            beside(Path::new("docs/errors/L101.md"), "../guide.md"),
            Path::new("docs/guide.md")
        );
        assert_eq!(beside(Path::new("README.md"), "./docs/"), Path::new("docs"));
    }
}

//! Versions that are written in several places agree.

use crate::Finding;
use std::io;
use std::path::Path;

/// The product's version against the changelog, Rust's version against the toolchain and README.
pub(crate) fn check(root: &Path) -> io::Result<Vec<Finding>> {
    let read = |path: &str| std::fs::read_to_string(root.join(path));
    Ok(compare(
        &read("Cargo.toml")?,
        &read("CHANGELOG.md")?,
        &read("rust-toolchain.toml")?,
        &read("README.md")?,
    ))
}

fn compare(manifest: &str, changelog: &str, toolchain: &str, readme: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let version = value(manifest, "version");
    let newest = changelog
        .lines()
        .find_map(|line| line.strip_prefix("## "))
        .and_then(|heading| heading.split_whitespace().next())
        .unwrap_or_default();
    if newest != version {
        let what = format!("the newest entry is `{newest}`, Cargo.toml says {version}");
        findings.push(Finding::new("CHANGELOG.md", 0, what));
    }
    let rust = value(manifest, "rust-version");
    let channel = value(toolchain, "channel");
    if channel != rust && !channel.starts_with(&format!("{rust}.")) {
        let what = format!("the channel is `{channel}`, Cargo.toml's rust-version is {rust}");
        findings.push(Finding::new("rust-toolchain.toml", 0, what));
    }
    if !readme.contains(&format!("Rust {rust}")) {
        let what = format!("does not say `Rust {rust}`, which Cargo.toml's rust-version asks for");
        findings.push(Finding::new("README.md", 0, what));
    }
    findings
}

/// The first `key = "value"` of a TOML text.
fn value(text: &str, key: &str) -> String {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .find(|(name, _)| name.trim() == key)
        .map(|(_, value)| value.trim().trim_matches('"').to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[workspace.package]\nversion = \"0.2.0\"\nrust-version = \"1.95\"\n";

    #[test]
    fn agreement_is_quiet_and_each_disagreement_is_named() {
        let fine =
            compare(MANIFEST, "# Log\n\n## 0.2.0 (soon)\n", "channel = \"1.95.0\"", "Rust 1.95");
        assert_eq!(fine, []);
        let found = compare(MANIFEST, "## 0.1.0\n", "channel = \"1.90.0\"", "Rust 1.90");
        let files: Vec<_> = found.iter().map(|finding| finding.file.to_string_lossy()).collect();
        assert_eq!(files, ["CHANGELOG.md", "rust-toolchain.toml", "README.md"]);
    }
}

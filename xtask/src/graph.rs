//! Who may use whom: the edges between our crates, from `cargo metadata`.

use crate::Finding;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a crate may use of ours.
enum May {
    /// Only these.
    Only(&'static [&'static str]),
    /// Whatever it needs.
    All,
}

/// The table of `ARCHITECTURE.md`.
const EDGES: &[(&str, May)] = &[
    ("loom-core", May::Only(&["loom-protocol"])),
    ("loom-protocol", May::Only(&[])),
    ("loom-spec", May::Only(&["loom-core", "loom-protocol"])),
    ("loom-store", May::Only(&["loom-core"])),
    ("loom-sqlite", May::Only(&["loom-core", "loom-store"])),
    ("loom-engine", May::Only(&["loom-core", "loom-store"])),
    ("loom-worker", May::Only(&["loom-protocol"])),
    ("loom-ui", May::Only(&[])),
    (
        "loom-server",
        May::Only(&["loom-core", "loom-engine", "loom-protocol", "loom-spec", "loom-store"]),
    ),
    ("loomwork", May::All),
    ("loom-sim", May::All),
    ("xtask", May::All),
];

/// What Cargo knows of the workspace, for the platform that this runs on: that needs nothing from
/// the network beyond what building needed.
#[derive(Debug)]
pub(crate) struct Metadata {
    packages: Vec<Package>,
}

/// One package, ours or another's.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: Option<String>,
    pub(crate) manifest: PathBuf,
    /// Whether it is part of this workspace.
    pub(crate) ours: bool,
    uses: Vec<String>,
}

impl Metadata {
    /// Those of this workspace.
    pub(crate) fn ours(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.ours)
    }

    /// Those of others.
    pub(crate) fn foreign(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| !package.ours)
    }
}

/// Asks Cargo.
pub(crate) fn metadata(root: &Path) -> io::Result<Metadata> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let platform = host(&cargo)?;
    let output = Command::new(cargo)
        .args(["metadata", "--locked", "--format-version", "1", "--filter-platform", &platform])
        .current_dir(root)
        .output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("cargo metadata failed:\n{said}")));
    }
    let document: Value = serde_json::from_slice(&output.stdout)?;
    Ok(Metadata { packages: packages(&document) })
}

fn host(cargo: &std::ffi::OsStr) -> io::Result<String> {
    let output = Command::new(cargo).arg("-vV").output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| io::Error::other("cargo -vV names no host platform"))
}

/// The packages that are part of the resolved graph.
fn packages(document: &Value) -> Vec<Package> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let ours: BTreeSet<String> = list(&document["workspace_members"]).iter().map(text).collect();
    let resolved: BTreeSet<String> =
        list(&document["resolve"]["nodes"]).iter().map(|node| text(&node["id"])).collect();
    list(&document["packages"])
        .iter()
        .filter(|package| resolved.contains(&text(&package["id"])))
        .map(|package| Package {
            name: text(&package["name"]),
            version: text(&package["version"]),
            licence: package["license"].as_str().map(str::to_owned),
            manifest: text(&package["manifest_path"]).into(),
            ours: ours.contains(&text(&package["id"])),
            uses: list(&package["dependencies"])
                .iter()
                .filter(|dependency| dependency["path"].is_string())
                .map(|dependency| text(&dependency["name"]))
                .collect(),
        })
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Every edge between our crates against the table; development dependencies count.
pub(crate) fn check_edges(metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in metadata.ours() {
        let file = format!("crates/{}/Cargo.toml", package.name);
        let Some((_, may)) = EDGES.iter().find(|(name, _)| *name == package.name) else {
            let what = "a new crate: say what it may use in xtask/src/graph.rs and ARCHITECTURE.md";
            findings.push(Finding::new(file, 0, what));
            continue;
        };
        let May::Only(allowed) = may else { continue };
        for used in package.uses.iter().filter(|used| !allowed.contains(&used.as_str())) {
            let what = format!(
                "{} may not use {used} (it may use: {}); ARCHITECTURE.md says why",
                package.name,
                if allowed.is_empty() { "none of ours".to_owned() } else { allowed.join(", ") },
            );
            findings.push(Finding::new(&file, 0, what));
        }
    }
    findings
}

/// Every crate takes the workspace's lints.
pub(crate) fn check_lints(root: &Path, metadata: &Metadata) -> io::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for package in metadata.ours() {
        let manifest = std::fs::read_to_string(&package.manifest)?;
        if !manifest.contains("[lints]\nworkspace = true") {
            let file = package.manifest.strip_prefix(root).unwrap_or(&package.manifest);
            let what = "the crate escapes the lints: add `[lints]` with `workspace = true`";
            findings.push(Finding::new(file, 0, what));
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, uses: &[&str]) -> Package {
        Package {
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            licence: None,
            manifest: PathBuf::new(),
            ours: true,
            uses: uses.iter().map(|&used| used.to_owned()).collect(),
        }
    }

    #[test]
    fn edges_outside_the_table_are_found() {
        let packages = vec![
            package("loom-engine", &["loom-core", "loom-store", "loom-sqlite"]),
            package("loom-worker", &["loom-protocol"]),
            package("loomwork", &["loom-sqlite", "loom-core"]),
            package("loom-new", &[]),
        ];
        let found = check_edges(&Metadata { packages });
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("loom-engine may not use loom-sqlite"), "{found:?}");
        assert!(found[1].contains("a new crate"), "{found:?}");
    }
}

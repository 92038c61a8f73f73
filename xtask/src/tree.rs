//! Which files the checks look at.

use std::io;
use std::path::{Path, PathBuf};

/// A file of Rust source.
#[derive(Debug)]
pub(crate) struct Source {
    /// Relative to the repository.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// Folders that hold nothing of ours.
const SKIPPED: [&str; 3] = ["target", "corpus", "node_modules"];

/// All Rust sources of the workspace and of the fuzz targets.
pub(crate) fn rust_files(root: &Path) -> io::Result<Vec<Source>> {
    let mut paths = Vec::new();
    for folder in ["crates", "xtask", "fuzz"] {
        collect(root, Path::new(folder), "rs", &mut paths)?;
    }
    paths
        .into_iter()
        .map(|path| Ok(Source { text: std::fs::read_to_string(root.join(&path))?, path }))
        .collect()
}

/// All Markdown documents, relative to the repository.
pub(crate) fn markdown_files(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    collect(root, Path::new(""), "md", &mut paths)?;
    Ok(paths)
}

fn collect(root: &Path, folder: &Path, ending: &str, into: &mut Vec<PathBuf>) -> io::Result<()> {
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else { return Ok(()) };
    let mut entries = entries.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = folder.join(&name);
        if entry.file_type()?.is_dir() {
            if !name.starts_with('.') && !SKIPPED.contains(&name.as_str()) {
                collect(root, &path, ending, into)?;
            }
        } else if path.extension().is_some_and(|found| found == ending) {
            into.push(path);
        }
    }
    Ok(())
}

//! Which files the checks look at.

use crate::scan;
use std::io;
use std::path::{Path, PathBuf};

/// A file of Rust source.
#[derive(Debug)]
pub(crate) struct Source {
    /// Relative to the repository.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    /// Whether only tests compile it.
    pub(crate) is_test: bool,
}

/// Folders and files that are tests wherever they are.
const TEST_NAMES: [&str; 5] = ["tests", "benches", "conformance", "tests.rs", "conformance.rs"];

/// Folders that hold nothing of ours.
const SKIPPED: [&str; 3] = ["target", "corpus", "node_modules"];

/// All Rust sources of the workspace and of the fuzz targets.
pub(crate) fn rust_files(root: &Path) -> io::Result<Vec<Source>> {
    let mut paths = Vec::new();
    for folder in ["crates", "xtask", "fuzz"] {
        collect(root, Path::new(folder), "rs", &mut paths)?;
    }
    let mut sources = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(root.join(&path))?;
        let is_test = path.iter().any(|part| TEST_NAMES.iter().any(|name| part == *name));
        sources.push(Source { path, text, is_test });
    }
    let test_modules: Vec<PathBuf> = sources.iter().flat_map(test_modules_of).collect();
    for source in &mut sources {
        // `a/b` is in `a/b.rs` and in all of `a/b/`.
        let plain = source.path.with_extension("");
        source.is_test |= test_modules.iter().any(|module| plain.starts_with(module));
    }
    Ok(sources)
}

/// The modules that a file declares for tests only, as paths without an ending.
fn test_modules_of(source: &Source) -> Vec<PathBuf> {
    let folder = source.path.parent().unwrap_or(Path::new(""));
    let stem = source.path.file_stem().unwrap_or_default();
    let home = match stem.to_str() {
        Some("lib" | "main" | "mod") => folder.to_owned(),
        _ => folder.join(stem),
    };
    let masked = scan::mask(&source.text);
    scan::test_modules(&masked).into_iter().map(|name| home.join(name)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_modules_lie_beside_or_below_the_file_that_names_them() {
        let modules = |path: &str| {
            let text = "//! D.\n#[cfg(test)]\nmod helper;\n".to_owned();
            test_modules_of(&Source { path: path.into(), text, is_test: false })
        };
        assert_eq!(modules("crates/a/src/lib.rs"), [Path::new("crates/a/src/helper")]);
        assert_eq!(modules("crates/a/src/b/mod.rs"), [Path::new("crates/a/src/b/helper")]);
        assert_eq!(modules("crates/a/src/b.rs"), [Path::new("crates/a/src/b/helper")]);
    }
}

//! The folders that may be watched. Nothing outside them is looked at, wherever links lead.

use super::pattern::Pattern;
use crate::problem::Problem;
use loom_protocol::ErrorCode;
use std::path::{Path, PathBuf};

/// Folders that somebody who may configure the server allows, without links in their paths.
#[derive(Clone, Debug, Default)]
pub(in crate::triggers) struct Allowed(Vec<PathBuf>);

impl Allowed {
    pub(in crate::triggers) fn new(folders: &[PathBuf]) -> Self {
        // Somebody may have removed one since; then nothing can be in it.
        Self(folders.iter().filter_map(|folder| folder.canonicalize().ok()).collect())
    }

    /// Refuses a pattern whose folder is in none of them. What is not there is judged by what would
    /// hold it. The answer is the same whether or not there is something at that place.
    pub(in crate::triggers) fn check(&self, pattern: &Pattern) -> Result<(), Problem> {
        let mut there = pattern.folder.as_path();
        let real = loop {
            match (there.canonicalize(), there.parent()) {
                (Ok(real), _) => {
                    let rest = pattern.folder.strip_prefix(there).unwrap_or(Path::new(""));
                    break real.join(rest);
                }
                (Err(_), Some(parent)) => there = parent,
                (Err(_), None) => break PathBuf::new(),
            }
        };
        if self.holds(&real) {
            return Ok(());
        }
        let what = format!("the folder {} may not be watched", pattern.folder.display());
        let problem = Problem::new(ErrorCode::FolderNotAllowed, what);
        Err(problem.help("whoever configures the server lists folders in `server.watched_folders`"))
    }

    /// Whether a path without links is in one of them.
    pub(super) fn holds(&self, real: &Path) -> bool {
        self.0.iter().any(|folder| real.starts_with(folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_what_is_in_an_allowed_folder_may_be_watched() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        for folder in ["in/sub", "inside", "out"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        symlink(root.join("out"), root.join("in/leads-out")).unwrap();
        symlink(root.join("in"), root.join("leads-in")).unwrap();
        let allowed = Allowed::new(&[root.join("in"), root.join("nosuch")]);
        for (file, may) in [
            ("in/a", true),
            ("in/sub/*", true),
            ("in/later/*", true),
            ("in/**/a", true),
            ("leads-in/a", true),
            ("inside/a", false),
            ("out/a", false),
            ("in/leads-out/a", false),
            ("in/leads-out/later/a", false),
            ("in", false),
            ("nosuch/a", false),
            ("*", false),
        ] {
            let pattern = Pattern::parse(&format!("{}/{file}", root.display())).unwrap();
            assert_eq!(allowed.check(&pattern).is_ok(), may, "{file}");
        }
        let pattern = Pattern::parse("/etc/passwd").unwrap();
        let refused = Allowed::default().check(&pattern).unwrap_err();
        assert_eq!(refused.code, ErrorCode::FolderNotAllowed);
    }
}

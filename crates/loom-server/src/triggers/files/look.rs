//! Looking at the files of a pattern, as they are now.

use super::allowed::Allowed;
use super::pattern::{Part, Pattern, fits};
use loom_core::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The most files of one trigger.
pub(super) const FILES_MAX: usize = 10_000;
/// The most folders that are looked through.
const FOLDERS_MAX: usize = 1000;
/// The most entries of all these folders.
const ENTRIES_MAX: usize = 100_000;

/// What tells one state of a file from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    device: u64,
    inode: u64,
    pub(super) size: u64,
    modified_s: i64,
    modified_ns: i64,
}

impl Mark {
    fn of(found: &Metadata) -> Self {
        Self {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            modified_s: found.mtime(),
            modified_ns: found.mtime_nsec(),
        }
    }

    /// When the file was modified.
    pub(super) const fn modified(&self) -> Timestamp {
        time(self.modified_s, self.modified_ns)
    }

    #[cfg(test)]
    pub(super) const fn made_up(inode: u64, modified_s: i64) -> Self {
        Self { device: 1, inode, size: 1, modified_s, modified_ns: 0 }
    }
}

/// A time as files have it; 1970 for all before it.
const fn time(seconds: i64, nanos: i64) -> Timestamp {
    if seconds < 0 {
        return Timestamp(0);
    }
    let micros = (seconds as u64).saturating_mul(1_000_000);
    Timestamp(micros.saturating_add(nanos as u64 / 1000))
}

/// A file that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) path: String,
    pub(super) mark: Mark,
    /// When it came to be what it is and where it is, by the system's clock. Nobody can set it.
    pub(super) changed: Timestamp,
}

/// All that a look found.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) files: Vec<Found>,
    /// The folders in which something of interest may come or change.
    pub(super) folders: Vec<PathBuf>,
    /// What there is but cannot start a run: one of it, for people.
    pub(super) strange: Option<String>,
    entries: usize,
}

/// Looks at the files of a pattern. Only regular files count, and links to them that lead nowhere
/// outside; links to folders are not followed below the pattern's first one. Fails with what stands
/// in the way.
pub(super) fn look(pattern: &Pattern, allowed: &Allowed) -> Result<Seen, String> {
    let shown = pattern.folder.display();
    let real = pattern.folder.canonicalize().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("there is no folder {shown}"),
        _ => format!("the folder {shown} cannot be looked at: {error}"),
    })?;
    if !allowed.holds(&real) {
        return Err(format!("the folder {shown} may not be watched any more"));
    }
    let mut seen = Seen::default();
    walk(&pattern.folder, &[&pattern.parts], allowed, &mut seen)?;
    Ok(seen)
}

/// Looks through a folder for what is wanted of it, which is several things where `**` stands for some
/// folders or for none. It is read once for all of them.
fn walk(
    folder: &Path,
    wanted: &[&[Part]],
    allowed: &Allowed,
    seen: &mut Seen,
) -> Result<(), String> {
    let none = wanted.iter().find_map(|parts| match parts {
        [Part::Folders, rest @ ..] => Some(rest),
        _ => None,
    });
    let wanted: Vec<&[Part]> = wanted.iter().copied().chain(none).collect();
    if seen.folders.len() >= FOLDERS_MAX {
        return Err(format!("the files are in more than {FOLDERS_MAX} folders"));
    }
    seen.folders.push(folder.to_owned());
    for entry in entries(folder, seen)? {
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
            seen.strange = Some(format!("a name in {} is not UTF-8", folder.display()));
            continue;
        };
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let below: Vec<&[Part]> =
            wanted.iter().filter_map(|parts| fitting(parts, &name, is_folder)).collect();
        match is_folder {
            _ if below.is_empty() => {}
            true => walk(&folder.join(&name), &below, allowed, seen)?,
            false => take(&folder.join(&name), &entry, allowed, seen)?,
        }
    }
    Ok(())
}

/// What is wanted of an entry that is of this form; of a file, nothing more.
fn fitting<'a>(parts: &'a [Part], name: &str, is_folder: bool) -> Option<&'a [Part]> {
    match parts {
        [Part::Folders, ..] => (is_folder && !name.starts_with('.')).then_some(parts),
        [Part::Name(form), rest @ ..] => {
            (is_folder != rest.is_empty() && fits(form, name)).then_some(rest)
        }
        [] => None,
    }
}

/// The entries of a folder; none if it has gone just now.
fn entries(folder: &Path, seen: &mut Seen) -> Result<Vec<DirEntry>, String> {
    let wrong =
        |error: &io::Error| format!("the folder {} cannot be looked at: {error}", folder.display());
    let found = match fs::read_dir(folder) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(wrong(&error)),
    };
    let mut entries = Vec::new();
    for entry in found {
        seen.entries += 1;
        if seen.entries > ENTRIES_MAX {
            return Err(format!("there are more than {ENTRIES_MAX} files to look at"));
        }
        entries.push(entry.map_err(|error| wrong(&error))?);
    }
    Ok(entries)
}

fn take(path: &Path, entry: &DirEntry, allowed: &Allowed, seen: &mut Seen) -> Result<(), String> {
    let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
    // What has gone since the folder was read is not there.
    let found = if is_link {
        let Ok(real) = path.canonicalize() else { return Ok(()) };
        if !allowed.holds(&real) {
            seen.strange = Some(format!("the link {} leads outside", path.display()));
            return Ok(());
        }
        fs::symlink_metadata(real)
    } else {
        entry.metadata()
    };
    let Ok(found) = found else { return Ok(()) };
    if !found.is_file() {
        return Ok(());
    }
    if seen.files.len() >= FILES_MAX {
        return Err(format!("there are more than {FILES_MAX} files of this form"));
    }
    let path = path.to_str().expect("it is made of texts").to_owned();
    let changed = time(found.ctime(), found.ctime_nsec());
    seen.files.push(Found { path, mark: Mark::of(&found), changed });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// The files and folders that are found below a root, and what is strange.
    fn found(root: &Path, file: &str) -> (Vec<String>, Vec<String>, Option<String>) {
        let pattern = Pattern::parse(&format!("{}/{file}", root.display())).unwrap();
        let seen = look(&pattern, &Allowed::new(&[root.to_owned()])).unwrap();
        let below = |path: &Path| path.strip_prefix(root).unwrap().display().to_string();
        let mut files: Vec<_> = seen.files.iter().map(|it| below(Path::new(&it.path))).collect();
        let mut folders: Vec<_> = seen.folders.iter().map(|folder| below(folder)).collect();
        files.sort();
        folders.sort();
        (files, folders, seen.strange)
    }

    #[test]
    fn files_are_found_where_the_pattern_says() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        for folder in ["a/b/c", "d", ".git"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        for file in ["1.csv", "a/2.csv", "a/b/3.csv", "a/b/c/4.csv", "d/5.txt", ".git/6.csv"] {
            fs::write(root.join(file), "").unwrap();
        }
        for (pattern, files, folders) in [
            ("1.csv", vec!["1.csv"], vec![""]),
            ("*.csv", vec!["1.csv"], vec![""]),
            ("*/*.csv", vec!["a/2.csv"], vec!["", "a", "d"]),
            (
                "**/*.csv",
                vec!["1.csv", "a/2.csv", "a/b/3.csv", "a/b/c/4.csv"],
                vec!["", "a", "a/b", "a/b/c", "d"],
            ),
            ("**/b/*", vec!["a/b/3.csv"], vec!["", "a", "a/b", "a/b/c", "d"]),
            ("a/**/c/*", vec!["a/b/c/4.csv"], vec!["a", "a/b", "a/b/c"]),
            ("d", vec![], vec![""]),
        ] {
            let (found, watched, strange) = found(&root, pattern);
            assert_eq!((found, watched, strange), (texts(&files), texts(&folders), None));
        }
    }

    #[test]
    fn each_entry_counts_once() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        for file in ["1.csv", "a/2.csv", "a/b/3.csv", "a/b/4.txt"] {
            fs::write(root.join(file), "").unwrap();
        }
        for (pattern, entries) in
            [("*.csv", 2), ("**/*.csv", 6), ("**/b/*", 6), ("**/*/*", 6), ("a/**/b/*", 4)]
        {
            let pattern = Pattern::parse(&format!("{}/{pattern}", root.display())).unwrap();
            let seen = look(&pattern, &Allowed::new(std::slice::from_ref(&root))).unwrap();
            assert_eq!(seen.entries, entries, "{pattern:?}");
        }
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn links_that_lead_outside_are_left_alone() {
        let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = root.path().canonicalize().unwrap();
        fs::write(other.path().join("secret.csv"), "").unwrap();
        fs::create_dir(root.join("in")).unwrap();
        fs::write(root.join("in/1.csv"), "").unwrap();
        symlink(root.join("in/1.csv"), root.join("2.csv")).unwrap();
        symlink(root.join("nosuch"), root.join("3.csv")).unwrap();
        symlink(other.path(), root.join("away")).unwrap();
        let all = || found(&root, "**/*.csv");
        assert_eq!((all().0, all().2), (texts(&["2.csv", "in/1.csv"]), None));
        symlink(other.path().join("secret.csv"), root.join("4.csv")).unwrap();
        assert_eq!(all().0, ["2.csv", "in/1.csv"]);
        assert!(all().2.unwrap().ends_with("4.csv leads outside"));
    }

    #[test]
    fn a_change_is_another_mark() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("f");
        let mark = || Mark::of(&fs::metadata(&path).unwrap());
        fs::write(&path, "1").unwrap();
        let first = mark();
        assert_eq!(mark(), first);
        fs::write(&path, "22").unwrap();
        let second = mark();
        assert_ne!(second, first);
        fs::rename(&path, root.path().join("g")).unwrap();
        fs::rename(root.path().join("g"), &path).unwrap();
        assert_eq!(mark(), second, "it is the same file");
    }
}

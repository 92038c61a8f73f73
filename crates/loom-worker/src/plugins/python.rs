//! Python plugins: a file with `class Plugin`, run by a host process that is part of `loom`.
//!
//! What a file says of itself is asked of the host, which loads the file, and is kept in the user's
//! cache folder until the file's time or size changes.

use super::command::PluginCommand;
use super::persistent::{DescribeError, PATIENCE, Persistent};
use super::{PluginProblem, manifest};
use crate::environment::Inherited;
use loom_protocol::{ErrorCode, PluginManifest, PluginMode};
use serde_json::{Value, json};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

const HOST: &str = include_str!("host.py");
/// How long a file may take to load.
const LOAD: Duration = Duration::from_secs(20);

/// Makes the plugin of this file. Without python3 its manifest is empty and its attempts fail.
pub(super) fn load(
    name: &str,
    file: &Path,
    cache: Option<&Path>,
    withheld: &[&str],
) -> Result<Persistent, PluginProblem> {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let command = command(name, &file);
    let manifest = describe(name, &file, &command, (cache, withheld))?;
    Ok(Persistent::new(name.to_owned(), manifest, command, PATIENCE))
}

/// What starts the host of an absolute path.
fn command(name: &str, file: &Path) -> PluginCommand {
    PluginCommand {
        program: PathBuf::from("python3"),
        args: vec!["-c".into(), HOST.into(), file.into(), name.into()],
        folder: file.parent().unwrap_or(Path::new("/")).to_owned(),
    }
}

fn describe(
    name: &str,
    file: &Path,
    command: &PluginCommand,
    (cache, withheld): (Option<&Path>, &[&str]),
) -> Result<PluginManifest, PluginProblem> {
    let bad = |what: String| {
        let mend = "the reference of plugins shows what a Python plugin looks like";
        PluginProblem::new(ErrorCode::BadManifest, file, what, mend)
    };
    let entry = cache.and_then(|folder| Entry::of(folder, file));
    if let Some(manifest) = entry.as_ref().and_then(Entry::read) {
        return Ok(manifest);
    }
    let unknown =
        Persistent::new(name.to_owned(), PluginManifest::default(), command.clone(), PATIENCE);
    let said = match unknown.describe(&command.folder, &Inherited::now(withheld), LOAD) {
        Ok(said) => said,
        Err(DescribeError::Start) => return Ok(persistent(PluginManifest::default())),
        Err(DescribeError::Bad(what)) => return Err(bad(what)),
    };
    let Value::Object(object) = said else { return Err(bad("it described nothing".to_owned())) };
    let manifest = manifest::parse(object)
        .and_then(|manifest| manifest::check(&manifest).map(|()| persistent(manifest)))
        .map_err(|(key, what)| bad(format!("{}: {what}", key.to_uppercase())))?;
    if let Some(entry) = entry {
        entry.write(&manifest);
    }
    Ok(manifest)
}

fn persistent(manifest: PluginManifest) -> PluginManifest {
    PluginManifest { mode: PluginMode::Persistent, ..manifest }
}

/// What is remembered of one file, and where. Never needed: what goes wrong here is ignored.
struct Entry {
    path: PathBuf,
    key: Value,
}

impl Entry {
    fn of(folder: &Path, file: &Path) -> Option<Self> {
        let found = file.metadata().ok()?;
        let mut host = DefaultHasher::new();
        HOST.hash(&mut host);
        let key = json!({
            "file": file.to_str()?,
            "modified": [found.mtime(), found.mtime_nsec()],
            "size": found.len(),
            "host": host.finish(),
        });
        let mut name = DefaultHasher::new();
        file.hash(&mut name);
        Some(Self { path: folder.join(format!("{:016x}.json", name.finish())), key })
    }

    fn read(&self) -> Option<PluginManifest> {
        let mut entry: Value = serde_json::from_slice(&std::fs::read(&self.path).ok()?).ok()?;
        if entry["key"] != self.key {
            return None;
        }
        serde_json::from_value(entry["manifest"].take()).ok()
    }

    fn write(&self, manifest: &PluginManifest) {
        let text = json!({"key": self.key, "manifest": manifest}).to_string();
        // Renamed into place, so that nobody reads half of it.
        let beside = self.path.with_extension(std::process::id().to_string());
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let _ = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        if std::fs::write(&beside, text).is_ok() && std::fs::rename(&beside, &self.path).is_err() {
            let _ = std::fs::remove_file(&beside);
        }
    }
}

#[cfg(test)]
mod tests;

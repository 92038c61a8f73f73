//! Where plugins are found.
//!
//! Looked through in this order, the first of a name wins: `plugins/` beside the workflow, the
//! folders of `LOOM_PLUGIN_PATH`, the user's configuration folder. The names of built-in plugins are
//! taken: a file that has one is listed with that as its problem, and never used, so that a workflow
//! means the same wherever it runs.
//!
//! Looking costs a listing of each folder. A manifest is read, and a Python file loaded, when its
//! plugin is first asked for.

use super::command::{PluginCommand, is_executable};
use super::manifest::{self, not_executable};
use super::oneshot::Oneshot;
use super::persistent::{PATIENCE, Persistent};
use super::{FoundPlugin, PluginForm, PluginPlace, PluginProblem, python};
use crate::builtin::Builtins;
use crate::job::{Ended, Job, Plugin, failure};
use crate::worker::PluginSource;
use loom_protocol::{AttemptOutput, ErrorCode, PluginManifest, PluginMode};
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The variable that lists further folders, separated by colons.
pub const PLUGIN_PATH: &str = "LOOM_PLUGIN_PATH";

/// The plugins that can be used, built-in ones included. Processes that it started end with it.
pub struct PluginSet {
    builtins: Builtins,
    found: BTreeMap<String, Vec<Candidate>>,
    cache: Option<PathBuf>,
    loaded: Mutex<HashMap<String, Loaded>>,
    withheld: Vec<&'static str>,
}

type Loaded = Result<Arc<dyn Plugin>, PluginProblem>;

#[derive(Clone, Debug)]
struct Candidate {
    form: PluginForm,
    place: PluginPlace,
    path: PathBuf,
    /// It looks like something else, such as a text file or a folder of other things: used, with
    /// an error, if nothing better has the name, and not listed.
    unlikely: bool,
}

impl PluginSet {
    /// Looks for the plugins of a workflow in this folder (`None`: of no workflow).
    pub fn discover(workflow_folder: Option<&Path>) -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let home = |name: &str| Some(PathBuf::from(variable("HOME")?).join(name));
        let cache = variable("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| home(".cache"));
        let cache = cache.map(|folder| folder.join("loom/plugins"));
        Self::in_folders(&folders(workflow_folder, variable), cache)
    }

    /// Looks into these folders; `cache` is where descriptions of Python files are remembered.
    pub fn in_folders(folders: &[(PluginPlace, PathBuf)], cache: Option<PathBuf>) -> Self {
        let mut found: BTreeMap<String, Vec<Candidate>> = BTreeMap::new();
        let mut seen = Vec::new();
        for (place, folder) in folders {
            let Ok(real) = folder.canonicalize() else { continue };
            if seen.contains(&real) {
                continue;
            }
            for (name, candidate) in look(folder, *place) {
                found.entry(name).or_default().push(candidate);
            }
            seen.push(real);
        }
        for candidates in found.values_mut() {
            // Stable, so that otherwise the order of folders stays.
            candidates.sort_by_key(|candidate| candidate.unlikely);
        }
        let (builtins, loaded) = (Builtins::default(), Mutex::default());
        Self { builtins, found, cache, loaded, withheld: Vec::new() }
    }

    /// Withholds these variables of the environment from plugins that are asked what they are.
    #[must_use]
    pub fn withholding(self, withheld: Vec<&'static str>) -> Self {
        Self { withheld, ..self }
    }

    /// The plugin of this name; `None` if there is none.
    pub fn get(&self, name: &str) -> Option<Result<Arc<dyn Plugin>, PluginProblem>> {
        if let Some(plugin) = self.builtins.find(name) {
            return Some(Ok(plugin));
        }
        let candidate = self.found.get(name)?.first()?;
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = loaded
            .entry(name.to_owned())
            .or_insert_with(|| load(name, candidate, self.cache.as_deref(), &self.withheld));
        Some(entry.clone())
    }

    /// What the plugin of this name says of itself; `None` if there is none.
    pub fn manifest(&self, name: &str) -> Option<Result<PluginManifest, PluginProblem>> {
        Some(self.get(name)?.map(|plugin| plugin.manifest().clone()))
    }

    /// The names of all plugins, in order.
    pub fn names(&self) -> Vec<String> {
        let likely = |candidates: &Vec<Candidate>| candidates.iter().any(|found| !found.unlikely);
        let custom = self.found.iter().filter(|(_, found)| likely(found)).map(|(name, _)| name);
        let mut names: Vec<String> = self
            .builtins
            .manifests()
            .map(|(name, _)| name.to_owned())
            .chain(custom.cloned())
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// Everything that was found, by name; loads all of it.
    pub fn list(&self) -> Vec<FoundPlugin> {
        self.names().iter().flat_map(|name| self.entries(name)).collect()
    }

    fn entries(&self, name: &str) -> Vec<FoundPlugin> {
        let candidates = self.found.get(name).map(Vec::as_slice).unwrap_or_default();
        let mut custom = candidates.iter().filter(|candidate| !candidate.unlikely);
        if let Some(plugin) = self.builtins.find(name) {
            let own = FoundPlugin {
                name: name.to_owned(),
                form: PluginForm::BuiltIn,
                place: PluginPlace::BuiltIn,
                path: None,
                manifest: plugin.manifest().clone(),
                problem: None,
                shadows: Vec::new(),
            };
            return std::iter::once(own).chain(custom.map(|taken| refused(name, taken))).collect();
        }
        let Some(first) = custom.next() else { return Vec::new() };
        let (manifest, problem) = match self.manifest(name) {
            Some(Ok(manifest)) => (manifest, None),
            Some(Err(problem)) => (PluginManifest::default(), Some(problem)),
            None => return Vec::new(),
        };
        vec![FoundPlugin {
            name: name.to_owned(),
            form: first.form,
            place: first.place,
            path: Some(first.path.clone()),
            manifest,
            problem,
            shadows: custom.map(|shadowed| shadowed.path.clone()).collect(),
        }]
    }
}

impl PluginSource for PluginSet {
    fn find(&self, name: &str) -> Option<Arc<dyn Plugin>> {
        self.get(name)
            .map(|loaded| loaded.unwrap_or_else(|problem| Arc::new(Unusable::new(problem))))
    }
}

/// A plugin that was found but has a problem: its attempts fail with it.
struct Unusable {
    problem: PluginProblem,
    manifest: PluginManifest,
}

impl Unusable {
    fn new(problem: PluginProblem) -> Self {
        Self { problem, manifest: PluginManifest::default() }
    }
}

impl Plugin for Unusable {
    fn manifest(&self) -> &PluginManifest {
        &self.manifest
    }

    fn run(&self, _job: &mut Job) -> Result<Vec<AttemptOutput>, Ended> {
        Err(failure(ErrorCode::TaskSpawn, self.problem.to_string(), false))
    }
}

/// One that has a built-in plugin's name.
fn refused(name: &str, candidate: &Candidate) -> FoundPlugin {
    let problem = PluginProblem::new(
        ErrorCode::PluginExists,
        &candidate.path,
        format!("`{name}` is a built-in plugin, so this one is not used"),
        "give it another name",
    );
    FoundPlugin {
        name: name.to_owned(),
        form: candidate.form,
        place: candidate.place,
        path: Some(candidate.path.clone()),
        manifest: PluginManifest::default(),
        problem: Some(problem),
        shadows: Vec::new(),
    }
}

/// The folders to look into, in order.
fn folders(
    workflow_folder: Option<&Path>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Vec<(PluginPlace, PathBuf)> {
    let mut folders = Vec::new();
    folders.extend(workflow_folder.map(|folder| (PluginPlace::Workflow, folder.join("plugins"))));
    if let Some(listed) = variable(PLUGIN_PATH) {
        let listed = std::env::split_paths(&listed).filter(|path| !path.as_os_str().is_empty());
        folders.extend(listed.map(|folder| (PluginPlace::Path, folder)));
    }
    let configuration = variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".config")));
    folders.extend(configuration.map(|folder| (PluginPlace::User, folder.join("loom/plugins"))));
    folders
}

/// What one folder holds, folders and executables before Python files of the same name.
fn look(folder: &Path, place: PluginPlace) -> Vec<(String, Candidate)> {
    let Ok(listing) = folder.read_dir() else { return Vec::new() };
    let mut found: Vec<(String, Candidate)> = listing
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let path = std::path::absolute(entry.path()).ok()?;
            candidate(&name, path, place)
        })
        .collect();
    found.sort_by_key(|(_, candidate)| candidate.form == PluginForm::Python);
    found
}

fn candidate(file: &str, path: PathBuf, place: PluginPlace) -> Option<(String, Candidate)> {
    if file.starts_with(['.', '_']) || file.ends_with('~') {
        return None;
    }
    let found = path.metadata().ok()?;
    let (name, form, unlikely) = if found.is_dir() {
        (file, PluginForm::Folder, !path.join(manifest::FILE).exists())
    } else if let Some(stem) = file.strip_suffix(".py") {
        (stem, PluginForm::Python, stem.starts_with("test_") || stem == "conftest")
    } else {
        (file, PluginForm::Executable, file.contains('.') && !is_executable(&path))
    };
    Some((name.to_owned(), Candidate { form, place, path, unlikely }))
}

fn load(name: &str, candidate: &Candidate, cache: Option<&Path>, withheld: &[&str]) -> Loaded {
    let path = &candidate.path;
    match candidate.form {
        PluginForm::Python => Ok(Arc::new(python::load(name, path, cache, withheld)?)),
        PluginForm::Folder => {
            let (manifest, command) = manifest::read(path)?;
            Ok(match manifest.mode {
                PluginMode::Oneshot => Arc::new(Oneshot { manifest, command }),
                PluginMode::Persistent => {
                    Arc::new(Persistent::new(name.to_owned(), manifest, command, PATIENCE))
                }
            })
        }
        PluginForm::Executable | PluginForm::BuiltIn if !is_executable(path) => {
            Err(not_executable(path))
        }
        PluginForm::Executable | PluginForm::BuiltIn => {
            let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
            let command = PluginCommand { program: path.clone(), args: Vec::new(), folder };
            Ok(Arc::new(Oneshot { manifest: PluginManifest::default(), command }))
        }
    }
}

#[cfg(test)]
mod tests;

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
use super::{PluginProblem, python};
use crate::builtin::Builtins;
use crate::job::{Ended, Job, Plugin, failure};
use crate::worker::PluginSource;
use loom_protocol::{AttemptOutput, ErrorCode, PluginManifest, PluginMode};
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The variable that lists further folders, separated by colons.
pub const PLUGIN_PATH: &str = "LOOM_PLUGIN_PATH";

/// Why a folder is looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PluginPlace {
    /// It is `plugins/` beside the workflow.
    Workflow,
    /// [`PLUGIN_PATH`] names it.
    Path,
    /// It is the user's.
    User,
    /// There is no folder: the plugin is part of `loom`.
    BuiltIn,
}

impl fmt::Display for PluginPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Workflow => "beside the workflow",
            Self::Path => PLUGIN_PATH,
            Self::User => "user configuration",
            Self::BuiltIn => "built in",
        })
    }
}

/// What a plugin is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluginForm {
    /// Part of `loom`.
    BuiltIn,
    /// An executable file without a manifest.
    Executable,
    /// A folder with `plugin.yaml`.
    Folder,
    /// A Python file.
    Python,
}

impl fmt::Display for PluginForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BuiltIn => "built in",
            Self::Executable => "executable",
            Self::Folder => "folder",
            Self::Python => "Python",
        })
    }
}

/// One plugin, for people.
#[derive(Clone, Debug)]
pub struct FoundPlugin {
    /// The name by which tasks use it.
    pub name: String,
    /// What it is made of.
    pub form: PluginForm,
    /// Why it was found.
    pub place: PluginPlace,
    /// Its file or folder; `None` for one that is built in.
    pub path: Option<PathBuf>,
    /// What it says of itself; empty if that could not be read.
    pub manifest: PluginManifest,
    /// Why it cannot be used.
    pub problem: Option<PluginProblem>,
    /// Files and folders of the same name that it keeps from being used.
    pub shadows: Vec<PathBuf>,
}

/// The plugins that can be used, built-in ones included. Processes that it started end with it.
pub struct PluginSet {
    builtins: Builtins,
    found: BTreeMap<String, Vec<Candidate>>,
    cache: Option<PathBuf>,
    loaded: Mutex<HashMap<String, Loaded>>,
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
        Self { builtins: Builtins::default(), found, cache, loaded: Mutex::default() }
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
            .or_insert_with(|| load(name, candidate, self.cache.as_deref()));
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

fn load(name: &str, candidate: &Candidate, cache: Option<&Path>) -> Loaded {
    let path = &candidate.path;
    match candidate.form {
        PluginForm::Python => Ok(Arc::new(python::load(name, path, cache)?)),
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
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn put(path: &Path, text: &str, mode: u32) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }

    fn set(root: &Path) -> PluginSet {
        let places = [PluginPlace::Workflow, PluginPlace::Path, PluginPlace::User];
        let folders: Vec<_> =
            places.into_iter().zip(["a", "b", "c"].map(|name| root.join(name))).collect();
        PluginSet::in_folders(&folders, None)
    }

    #[test]
    fn folders_come_in_the_documented_order() {
        let variables = |name: &str| match name {
            PLUGIN_PATH => Some("/x::/y".into()),
            "HOME" => Some("/home/u".into()),
            _ => None,
        };
        let found = folders(Some(Path::new("/w")), variables);
        let paths: Vec<_> = found.iter().map(|(_, path)| path.to_str().unwrap()).collect();
        assert_eq!(paths, ["/w/plugins", "/x", "/y", "/home/u/.config/loom/plugins"]);
        let found = folders(None, |name| (name == "XDG_CONFIG_HOME").then(|| "/c".into()));
        assert_eq!(found, [(PluginPlace::User, PathBuf::from("/c/loom/plugins"))]);
    }

    #[test]
    fn the_three_forms_are_found_and_the_first_of_a_name_wins() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        put(&root.join("a/run"), "#!/bin/sh\n", 0o755);
        put(&root.join("b/run"), "#!/bin/sh\n", 0o755);
        put(&root.join("c/run.py"), "", 0o644);
        put(&root.join("b/kept/go"), "#!/bin/sh\n", 0o755);
        let manifest = "description: Keeps.\nmode: persistent\ncommand: [./go]\n";
        put(&root.join("b/kept/plugin.yaml"), manifest, 0o644);
        let python = "class Plugin:\n    'Snake.'\n    def execute(self, env, params): return {}\n";
        put(&root.join("c/snake.py"), python, 0o644);
        put(&root.join("c/notify.sh"), "#!/bin/sh\n", 0o755);
        for ignored in ["README.md", "test_snake.py", ".hidden", "_helper.py", "old~"] {
            put(&root.join("c").join(ignored), "", 0o644);
        }
        std::fs::create_dir(root.join("c/data")).unwrap();
        let set = set(root);
        let listed: Vec<_> =
            set.list().into_iter().filter(|found| found.form != PluginForm::BuiltIn).collect();
        let shown: Vec<_> = listed
            .iter()
            .map(|found| (found.name.as_str(), found.form, found.place, found.shadows.len()))
            .collect();
        assert_eq!(
            shown,
            [
                ("kept", PluginForm::Folder, PluginPlace::Path, 0),
                ("notify.sh", PluginForm::Executable, PluginPlace::User, 0),
                ("run", PluginForm::Executable, PluginPlace::Workflow, 2),
                ("snake", PluginForm::Python, PluginPlace::User, 0),
            ]
        );
        assert!(listed.iter().all(|found| found.problem.is_none()), "{listed:?}");
        assert_eq!(listed[0].manifest.description, "Keeps.");
        assert_eq!(listed[3].manifest.description, "Snake.");
        assert_eq!(listed[2].shadows[1], root.join("c/run.py"));
        assert!(set.get("nothing").is_none());
    }

    #[test]
    fn what_cannot_be_used_says_why_and_is_not_replaced_by_a_later_one() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        put(&root.join("a/run"), "#!/bin/sh\n", 0o644);
        put(&root.join("b/run"), "#!/bin/sh\n", 0o755);
        put(&root.join("a/notes.txt"), "", 0o644);
        put(&root.join("a/broken/plugin.yaml"), "comand: [x]\n", 0o644);
        std::fs::create_dir(root.join("a/lib")).unwrap();
        put(&root.join("b/lib"), "#!/bin/sh\n", 0o755);
        let set = set(root);
        let problem =
            |name: &str| set.get(name).unwrap().err().map(|problem| problem.code.number());
        assert_eq!(problem("run"), Some(302));
        assert_eq!(problem("notes.txt"), Some(302));
        assert_eq!(problem("broken"), Some(301));
        assert_eq!(problem("lib"), None, "a folder without a manifest is no plugin");
        let listed = set.list();
        let broken = listed.iter().find(|found| found.name == "broken").unwrap();
        assert_eq!(broken.problem.as_ref().unwrap().line, Some(1));
        assert!(!listed.iter().any(|found| found.name == "notes.txt"));
    }

    #[test]
    fn names_of_built_in_plugins_are_taken() {
        let root = tempfile::tempdir().unwrap();
        put(&root.path().join("a/http"), "#!/bin/sh\nexit 1\n", 0o755);
        let set = set(root.path());
        let listed: Vec<_> = set.list().into_iter().filter(|found| found.name == "http").collect();
        assert_eq!(listed[0].form, PluginForm::BuiltIn);
        assert!(listed[0].problem.is_none());
        let problem = listed[1].problem.as_ref().unwrap();
        assert_eq!(problem.code, ErrorCode::PluginExists);
        assert!(set.manifest("http").unwrap().is_ok());
    }
}

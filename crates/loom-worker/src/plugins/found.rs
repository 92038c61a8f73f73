//! A plugin that was found, for people.

use super::PluginProblem;
use super::find::PLUGIN_PATH;
use loom_protocol::PluginManifest;
use std::fmt;
use std::path::PathBuf;

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

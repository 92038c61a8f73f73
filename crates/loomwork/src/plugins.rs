//! The plugins of one workflow. Folders are looked through only when a plugin is asked for that is
//! not built in.

use crate::fault::Fault;
use crate::settings::secret_variables;
use loom_core::{OutputDecl, TaskKind, Value};
use loom_protocol::PluginManifest;
use loom_spec::{PluginCatalog, PluginFacts, UnusablePlugin};
use loom_worker::{Builtins, Plugin, PluginProblem, PluginSet, PluginSource};
use serde_json::Map;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// The plugins that a workflow in one folder may use.
pub(crate) struct Plugins {
    builtins: Builtins,
    folder: PathBuf,
    custom: OnceLock<PluginSet>,
}

impl Plugins {
    pub(crate) fn beside(folder: PathBuf) -> Self {
        let custom = OnceLock::new();
        Self { builtins: Builtins::default(), folder, custom }
    }

    /// All of them, those that are not built in included.
    pub(crate) fn set(&self) -> &PluginSet {
        self.custom
            .get_or_init(|| PluginSet::discover(Some(&self.folder)).withholding(secret_variables()))
    }

    fn get(&self, name: &str) -> Option<Result<Arc<dyn Plugin>, PluginProblem>> {
        match self.builtins.find(name) {
            Some(plugin) => Some(Ok(plugin)),
            None => self.set().get(name),
        }
    }
}

/// A plugin's problem as an error.
pub(crate) fn fault(problem: &PluginProblem) -> Fault {
    Fault::new(problem.code, said(problem)).help(problem.mend.clone())
}

fn said(problem: &PluginProblem) -> String {
    let PluginProblem { file, line, what, .. } = problem;
    let file = file.display();
    match line {
        Some(line) => format!("{file}:{line}: {what}"),
        None => format!("{file}: {what}"),
    }
}

impl PluginSource for Plugins {
    fn find(&self, name: &str) -> Option<Arc<dyn Plugin>> {
        // A plugin that broke since the check is as good as none; the attempt fails and says so.
        self.get(name)?.ok()
    }
}

impl PluginCatalog for Plugins {
    fn find(&self, name: &str) -> Option<Result<PluginFacts, UnusablePlugin>> {
        Some(match self.get(name)? {
            Ok(plugin) => Ok(facts(name, plugin.manifest())),
            Err(problem) => {
                let what = said(&problem);
                Err(UnusablePlugin { code: problem.code, what, mend: problem.mend })
            }
        })
    }

    fn wrong_params(&self, plugin: &str, params: &Map<String, Value>) -> Vec<(String, String)> {
        let Some(Ok(plugin)) = self.get(plugin) else { return Vec::new() };
        let wrong = plugin.wrong_params(params).into_iter();
        wrong.map(|bad| (bad.param.to_owned(), bad.message)).collect()
    }

    fn names(&self) -> Vec<String> {
        self.set().names()
    }
}

fn facts(name: &str, manifest: &PluginManifest) -> PluginFacts {
    PluginFacts {
        kind: kind_of(name),
        outputs: manifest
            .outputs
            .iter()
            .map(|output| OutputDecl { name: output.name.clone(), optional: output.optional })
            .collect(),
        inputs: manifest.inputs.clone(),
        params_schema: manifest.params.clone(),
        permissions: manifest.required_permissions.clone(),
        requires_auth: manifest.requires_auth,
    }
}

/// How a plugin's tasks take part in scheduling. The names of built-in plugins are taken, so that
/// a name says it.
fn kind_of(name: &str) -> TaskKind {
    match name {
        "start" | "noop" => TaskKind::Instant,
        "end" => TaskKind::Barrier,
        _ => TaskKind::Work,
    }
}

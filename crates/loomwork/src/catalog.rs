//! The plugins of the worker as a workflow's check sees them.

use loom_core::{OutputDecl, TaskKind};
use loom_protocol::PluginManifest;
use loom_spec::{PluginCatalog, PluginFacts};
use loom_worker::{Builtins, PluginSource};

/// Answers the check's questions.
pub(crate) struct Catalog<'a>(pub(crate) &'a Builtins);

impl PluginCatalog for Catalog<'_> {
    fn find(&self, name: &str) -> Option<PluginFacts> {
        self.0.find(name).map(|plugin| facts(name, plugin.manifest()))
    }

    fn names(&self) -> Vec<String> {
        self.0.manifests().map(|(name, _)| name.to_owned()).collect()
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

//! A registered workflow as runs need it.

use loom_core::{Definition, Plan};
use loom_protocol::api::{NeedView, StartRun};
use loom_spec::SecretNames;
use loom_store::{DefinitionHash, definition_hash};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Everything about one version that starting a run needs, computed once.
#[derive(Debug)]
pub struct Prepared {
    /// The compiled graph; the definition is in it.
    pub plan: Arc<Plan>,
    /// The definition's identity in the store.
    pub hash: DefinitionHash,
    /// Variables that a run must be given.
    pub needs: Vec<NeedView>,
    /// Whether new runs are refused.
    pub disabled: bool,
}

impl Prepared {
    pub(super) fn new(definition: Definition, disabled: bool) -> Self {
        let hash = definition_hash(&definition);
        let needs = super::needs(&definition);
        Self { plan: Arc::new(Plan::new(definition)), hash, needs, disabled }
    }

    /// Which of the variables that a run is given are secret.
    pub(crate) fn secrets(&self, run: &StartRun) -> BTreeSet<String> {
        let secrets = SecretNames::of(self.plan.definition());
        run.variables.keys().filter(|name| secrets.contains(name)).cloned().collect()
    }
}

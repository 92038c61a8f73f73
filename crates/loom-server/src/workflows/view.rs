//! Registered workflows as they are shown.

use super::document::{Registered, WorkflowKey};
use loom_core::Definition;
use loom_protocol::api::WorkflowView;

/// How much of a workflow is shown.
#[derive(Clone, Copy)]
pub(super) enum Detail<'a> {
    Head,
    Whole(&'a Definition),
}

pub(super) fn view(key: &WorkflowKey, registered: &Registered, detail: Detail<'_>) -> WorkflowView {
    let (needs, source) = match detail {
        Detail::Head => (Vec::new(), None),
        Detail::Whole(definition) => (super::needs(definition), Some(registered.source.clone())),
    };
    WorkflowView {
        namespace: key.namespace.clone(),
        name: key.name.clone(),
        version: key.version.to_string(),
        description: registered.description.clone(),
        tags: registered.tags.clone(),
        disabled: registered.disabled,
        registered_at: registered.registered_at.clone(),
        registered_by: registered.registered_by.clone(),
        hash: registered.hash.clone(),
        tasks: registered.tasks,
        needs,
        source,
    }
}

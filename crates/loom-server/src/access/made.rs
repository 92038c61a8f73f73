//! What the audit log says of a change beside its call.

use loom_protocol::api::{RoleView, TokenView, WorkflowView};
use std::collections::{BTreeMap, BTreeSet};

/// What came of a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The status of the answer.
    pub status: u16,
    /// What was made, each with an entry of its own.
    pub made: Vec<Made>,
}

/// Something that a change made, or did something to, and its call does not name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// What it is called.
    pub(super) target: BTreeMap<String, String>,
    /// What it may do.
    pub(super) detail: BTreeMap<String, String>,
}

impl Outcome {
    /// A change that is known by its call.
    pub const fn of(status: u16) -> Self {
        Self { status, made: Vec::new() }
    }
}

impl Made {
    /// Something of this name or identity.
    pub fn one(what: &str, name: impl Into<String>) -> Self {
        Self::default().named(what, name)
    }

    /// Nothing: the call only says what it would do.
    pub fn nothing() -> Self {
        Self::default().with("dry_run", "true")
    }

    fn named(mut self, what: &str, name: impl Into<String>) -> Self {
        self.target.insert(what.to_owned(), name.into());
        self
    }

    fn with(mut self, what: &str, value: impl Into<String>) -> Self {
        self.detail.insert(what.to_owned(), value.into());
        self
    }
}

impl From<&TokenView> for Made {
    fn from(token: &TokenView) -> Self {
        let everywhere = || "all".to_owned();
        let made = Self::one("id", &token.id)
            .with("name", &token.name)
            .with("roles", joined(&token.roles))
            .with("namespaces", token.namespaces.as_ref().map_or_else(everywhere, joined));
        match &token.expires_at {
            Some(at) => made.with("expires_at", at),
            None => made,
        }
    }
}

impl From<&RoleView> for Made {
    fn from(role: &RoleView) -> Self {
        Self::one("name", &role.name).with("permissions", joined(&role.permissions))
    }
}

impl From<&WorkflowView> for Made {
    fn from(workflow: &WorkflowView) -> Self {
        let WorkflowView { namespace, name, version, .. } = workflow;
        Self::one("namespace", namespace).named("name", name).named("version", version)
    }
}

fn joined(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(",")
}

//! How a registered workflow is kept.

use crate::problem::Problem;
use loom_protocol::ErrorCode;
use loom_store::Document;
use semver::Version;
use serde::{Deserialize, Serialize};

/// The collection of registered workflows. Keys are `namespace/name/version`.
pub(super) const COLLECTION: &str = "workflows";

/// One version of a workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "who registered it, and when")]
pub(super) struct Registered {
    pub(super) source: String,
    pub(super) hash: String,
    pub(super) description: String,
    pub(super) tags: Vec<String>,
    pub(super) tasks: u32,
    pub(super) registered_by: String,
    pub(super) registered_at: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) disabled: bool,
}

/// What a key names. Neither part may hold a slash: names of workflows have none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkflowKey {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The version.
    pub version: Version,
}

impl WorkflowKey {
    pub(super) fn text(&self) -> String {
        format!("{}/{}/{}", self.namespace, self.name, self.version)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '/');
        let (namespace, name) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        Some(Self { namespace, name, version: parts.next()?.parse().ok()? })
    }
}

/// The key and content of a stored document.
pub(super) fn read(document: &Document) -> Result<(WorkflowKey, Registered, u64), Problem> {
    let damaged = || {
        let what = format!("the registered workflow `{}` cannot be read", document.key);
        Problem::new(ErrorCode::StoreCorrupt, what)
    };
    let key = WorkflowKey::parse(&document.key).ok_or_else(damaged)?;
    let registered = serde_json::from_value(document.body.clone()).map_err(|_| damaged())?;
    Ok((key, registered, document.version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_as_they_went() {
        let version = Version::parse("1.2.3-rc.1+b/7").ok().or(Version::parse("1.2.3-rc.1").ok());
        let key = WorkflowKey {
            namespace: "default".into(),
            name: "daily-report".into(),
            version: version.unwrap(),
        };
        assert_eq!(WorkflowKey::parse(&key.text()), Some(key));
        assert_eq!(WorkflowKey::parse("a/b"), None);
        assert_eq!(WorkflowKey::parse("a/b/latest"), None);
    }
}

//! Lists of workflows, by which the cursors of their pages are told apart, and their order.

use semver::Version;
use std::cmp::Reverse;

/// The list of workflows that was asked for.
pub(crate) fn workflow_list(namespace: Option<&str>, text: Option<&str>) -> String {
    format!("workflows of {namespace:?} with {text:?}")
}

/// The list of the versions of a workflow.
pub(crate) fn version_list(namespace: &str, name: &str) -> String {
    format!("versions of {namespace}/{name}")
}

/// By what versions are ordered in it.
pub(crate) fn newest_first(version: &str) -> Reverse<Option<Version>> {
    Reverse(version.parse().ok())
}

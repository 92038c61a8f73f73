//! Rules by which ended runs are deleted.

use super::RunState;
use serde::{Deserialize, Serialize};

/// Which ended runs are deleted, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RetentionRule {
    /// Only of this namespace; of all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Only of this workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// Only those that ended in any of these states; however they ended if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<RunState>,
    /// How long after their end, in seconds.
    pub keep_s: u64,
}

/// A rule under its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetentionView {
    /// The name.
    pub name: String,
    /// What it says.
    #[serde(flatten)]
    pub rule: RetentionRule,
    /// When it was written.
    pub written_at: String,
}

/// A page of the rules that the caller may see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetentionList {
    /// By name.
    pub items: Vec<RetentionView>,
    /// Gives the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

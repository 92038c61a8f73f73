//! Which runs are meant.

use serde::{Deserialize, Serialize};

/// Chooses runs. All conditions that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[cfg_attr(feature = "graphql", derive(async_graphql::InputObject), graphql(name = "RunFilter"))]
#[serde(deny_unknown_fields, default)]
pub struct RunSelector {
    /// Only of this namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Only of this workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// Only of this version of the workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// In any of these states.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "graphql", graphql(default))]
    pub status: Vec<super::RunState>,
    /// With all of these tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "graphql", graphql(default))]
    pub tag: Vec<String>,
    /// With all of these annotations: `KEY`, or `KEY=VALUE`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "graphql", graphql(default))]
    pub annotation: Vec<String>,
    /// Started by this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiator: Option<String>,
    /// Started from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Of this matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// Accepted at this time or later (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_from: Option<String>,
    /// Accepted before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_until: Option<String>,
    /// Ended at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_from: Option<String>,
    /// Ended before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_until: Option<String>,
    /// With this text, in any case, in the workflow's name, the run's identity, tags, values of
    /// annotations, initiator, source or reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A page of the keys of annotations that runs have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AnnotationKeyList {
    /// In the order of the keys. There may be fewer than asked for, and yet a next page.
    pub items: Vec<AnnotationKeyView>,
    /// Gives the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A key of annotations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "graphql",
    derive(async_graphql::SimpleObject),
    graphql(name = "AnnotationKey")
)]
pub struct AnnotationKeyView {
    /// The key.
    pub key: String,
    /// How many runs have it, counted as far as 10,000.
    pub runs: u64,
}

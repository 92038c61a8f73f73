//! Errors.

use serde::{Deserialize, Serialize};

/// Why a request failed: an RFC 9457 problem document, served as `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProblemDocument {
    /// Names the kind of error: `urn:loomwork:error:` and its code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The headline of the kind.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened, and where.
    pub detail: String,
    /// The error's code, such as `L603`.
    pub code: String,
    /// Ways to mend it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub help: Vec<String>,
    /// The places of the workflow document that are wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<DiagnosticInfo>,
}

/// What is wrong, or worth knowing, at one place of a workflow document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DiagnosticInfo {
    /// The error's code, such as `L103`.
    pub code: String,
    /// `error` or `warning`.
    pub severity: String,
    /// What is wrong.
    pub message: String,
    /// What is wrong with the place, in a few words that stand beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// How to mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The line, from 1; absent if it is about the document as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column in characters, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// Where the place ends: the line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_line: Option<u32>,
    /// Where the place ends: the column behind the last character, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_column: Option<u32>,
}

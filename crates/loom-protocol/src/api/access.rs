//! Tokens, roles and the audit log.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A token to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// Who or what will use it: 1 to 200 characters. It is recorded with all that they do.
    pub name: String,
    /// What it may do: `viewer`, `operator`, `author`, `admin`, or roles of one's own.
    pub roles: BTreeSet<String>,
    /// Where it may do so; everywhere if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<BTreeSet<String>>,
    /// After how many seconds it ends; never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_s: Option<u64>,
}

/// A token that was made. Its text is shown this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenCreated {
    /// What to send as `Authorization: Bearer …`. The server keeps only its hash.
    pub token: String,
    /// What is known of it.
    #[serde(flatten)]
    pub view: TokenView,
}

/// What is known of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenView {
    /// Names it in the API; no secret.
    pub id: String,
    /// Who or what uses it.
    pub name: String,
    /// What it may do.
    pub roles: BTreeSet<String>,
    /// Where; everywhere if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<BTreeSet<String>>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: String,
    /// When it ends; never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
    /// When it was last used, to the minute or so; absent if it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
}

/// A page of tokens, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenList {
    /// The tokens.
    pub items: Vec<TokenView>,
    /// Gives the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Who calls, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    /// The name that is recorded with all that they do.
    pub name: String,
    /// Whether the server asks for tokens. Without, everybody on this machine is one caller who may
    /// do everything.
    pub access_control: bool,
    /// The identity of the token that they show, if it is one of the server's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The roles that they were given, by name.
    pub roles: BTreeSet<String>,
    /// What they may do, in the order of the names.
    pub permissions: BTreeMap<String, MayIn>,
}

/// Where something is permitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MayIn {
    /// In these namespaces alone; everywhere, and for what belongs to no namespace, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<BTreeSet<String>>,
}

/// What a role allows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DefineRole {
    /// `resource:action`, `resource:*` or `*`.
    pub permissions: BTreeSet<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoleView {
    /// By which tokens refer to it.
    pub name: String,
    /// Whether it ships with the server and cannot be changed.
    pub built_in: bool,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The patterns that it was defined by.
    pub permissions: BTreeSet<String>,
}

/// A page of roles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoleList {
    /// The built-in ones first, then by name.
    pub items: Vec<RoleView>,
    /// Gives the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// One change, or one attempt at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// The entry's identity; entries sort by age.
    pub id: String,
    /// When it was answered.
    pub at: String,
    /// Who: the name of the token, or the subject of the JWT.
    pub who: String,
    /// The token's identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Who signed the JSON Web Token, if it was one; empty if it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// From which address.
    pub from: String,
    /// What: the permission that it takes.
    pub action: String,
    /// The call, such as `POST /api/v1/runs/{id}/cancel`.
    pub call: String,
    /// What it was done to, or what was made: names and identities. A call that did several things
    /// has an entry for each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub target: BTreeMap<String, String>,
    /// What a token or a role that was made may do.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub detail: BTreeMap<String, String>,
    /// What came of it.
    pub outcome: AuditOutcome,
    /// The status of the answer; 0 for a change from the command line.
    pub status: u16,
}

/// What came of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// It was done.
    Done,
    /// It was wrong, or conflicted with something.
    Refused,
    /// The caller may not do it.
    Forbidden,
    /// The server failed.
    Failed,
}

/// A page of the audit log, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditList {
    /// The entries.
    pub items: Vec<AuditEntry>,
    /// Gives the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

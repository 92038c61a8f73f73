//! Triggers: what from outside starts runs.

use super::run::StartRun;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A request from elsewhere that starts a run: `POST /hooks/{name}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TriggerSpec {
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// How a request shows that it may start runs.
    pub proof: Proof,
    /// The header that tells deliveries apart: one that comes again starts no second run for a day.
    #[serde(default = "delivery_header")]
    pub delivery_header: String,
    /// The run that a request starts. `start_at`, `initiator` and `identity` may not be given.
    pub run: StartRun,
    /// Variables that are taken from the request, by name. They come before those of `run`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Taken>,
}

fn delivery_header() -> String {
    "Idempotency-Key".to_owned()
}

/// How a request shows that it may start runs. The secret is sealed where it is kept, and reads
/// `***` afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Proof {
    /// A header holds the secret itself.
    Token {
        /// 16 to 1,024 characters.
        secret: String,
        /// The header; `Bearer ` before the secret is passed over.
        #[serde(default = "authorization")]
        header: String,
    },
    /// A header holds the HMAC-SHA256 of the body in hexadecimal digits; `sha256=` before it is
    /// passed over.
    Hmac {
        /// 16 to 1,024 characters.
        secret: String,
        /// The header.
        #[serde(default = "signature")]
        header: String,
        /// The header with the time of the request in seconds since 1970. If this is given, what is
        /// signed is the time, a dot and the body.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timestamp_header: Option<String>,
        /// How far that time may be from now, in seconds: 1 to 3,600.
        #[serde(default = "tolerance_s")]
        tolerance_s: u32,
    },
}

fn authorization() -> String {
    "Authorization".to_owned()
}

fn signature() -> String {
    "X-Hub-Signature-256".to_owned()
}

const fn tolerance_s() -> u32 {
    300
}

/// What a variable takes from a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "from", deny_unknown_fields)]
pub enum Taken {
    /// A part of the JSON body.
    Body {
        /// A JSON pointer, such as `/repository/name`; the whole body if it is empty.
        pointer: String,
        /// Whether it may be absent; the variable is not set then.
        #[serde(default)]
        optional: bool,
    },
    /// A header.
    Header {
        /// Its name.
        name: String,
        /// Whether it may be absent; the variable is not set then.
        #[serde(default)]
        optional: bool,
    },
}

/// A trigger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TriggerView {
    /// The name.
    pub name: String,
    /// The namespace of its runs.
    pub namespace: String,
    /// What was asked for. Secrets read `***`.
    #[serde(flatten)]
    pub spec: TriggerSpec,
    /// Where its requests go.
    pub path: String,
    /// Who made it, or changed it last: they could start its runs then.
    pub changed_by: String,
    /// When.
    pub changed_at: String,
    /// Whether it is paused.
    pub paused: bool,
}

/// A page of triggers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TriggerList {
    /// By name.
    pub items: Vec<TriggerView>,
    /// Gives the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

//! Triggers: what from outside starts runs.

use super::run::StartRun;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What starts a run, and which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum TriggerSpec {
    /// A request from elsewhere.
    Request(RequestTrigger),
    /// A file that comes or changes.
    File(FileTrigger),
}

impl TriggerSpec {
    /// What it is for.
    pub fn description(&self) -> &str {
        match self {
            Self::Request(it) => &it.description,
            Self::File(it) => &it.description,
        }
    }

    /// The run that it starts.
    pub const fn run(&self) -> &StartRun {
        match self {
            Self::Request(it) => &it.run,
            Self::File(it) => &it.run,
        }
    }

    /// The run that it starts, to be changed.
    pub const fn run_mut(&mut self) -> &mut StartRun {
        match self {
            Self::Request(it) => &mut it.run,
            Self::File(it) => &mut it.run,
        }
    }
}

/// A request from elsewhere that starts a run: `POST /hooks/{name}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RequestTrigger {
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

/// A file that starts a run when it comes, and each time that it changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FileTrigger {
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The file's absolute path, in a folder that the server may watch. In its names `*` stands for
    /// any characters and `?` for one; `**`, once, for any folders.
    pub file: String,
    /// For how many milliseconds a file has to stay as it is before it starts a run: 0 to 600,000.
    #[serde(default = "quiet_ms")]
    pub quiet_ms: u32,
    /// What becomes of files that came or changed while no server was there.
    #[serde(default)]
    pub catch_up: FileCatchUp,
    /// The most of its runs that are under way; further files wait: 1 to 1,000.
    #[serde(default = "at_once")]
    pub at_once: u32,
    /// The run that a file starts. `start_at`, `initiator` and `identity` may not be given.
    pub run: StartRun,
    /// Variables that are taken from the file, by name. They come before those of `run`.
    #[serde(default = "file_variables")]
    pub variables: BTreeMap<String, FileFact>,
}

const fn quiet_ms() -> u32 {
    1000
}

const fn at_once() -> u32 {
    100
}

fn file_variables() -> BTreeMap<String, FileFact> {
    BTreeMap::from([("FILE".to_owned(), FileFact::Path)])
}

/// What becomes of files that came or changed while no server was there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FileCatchUp {
    /// Nothing: they are counted as missed.
    None,
    /// Each starts its run.
    #[default]
    All,
}

/// What a variable takes from a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FileFact {
    /// Its absolute path.
    Path,
    /// The last part of its path.
    Name,
    /// Its size in bytes.
    Size,
    /// When it was modified (RFC 3339).
    Modified,
}

/// Where a file trigger stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileTriggerState {
    /// The file that was decided on last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<FiredFile>,
    /// What became of files so far.
    pub counts: FileCounts,
    /// Its runs that have not ended.
    pub under_way: u64,
    /// Files that wait until others of its runs have ended; counted up to 1,000.
    pub waiting: u64,
    /// Why the last run that was refused was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What keeps this server from looking at the files now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// A file that has a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FiredFile {
    /// Its path.
    pub file: String,
    /// Its run.
    pub run: String,
    /// When the run was decided on.
    pub at: String,
}

/// What became of a trigger's files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileCounts {
    /// They have a run.
    pub fired: u64,
    /// Nobody was there, and `catch_up` is `none`.
    pub missed: u64,
    /// The run could not be started; `problem` says why.
    pub refused: u64,
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
    /// Where its requests go, if it is one for requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Where it stands, if it is one for files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<FileTriggerState>,
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

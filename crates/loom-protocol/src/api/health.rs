//! Whether a server is well.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// That the process answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Alive {
    /// Always true.
    pub alive: bool,
}

/// Whether the server can do its work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Readiness {
    /// Whether every check passed.
    pub ready: bool,
    /// The checks by name: `store`, `disk`, `engine`.
    pub checks: BTreeMap<String, Check>,
    /// When they were made; the answer may be a second old.
    pub at: String,
}

/// One thing that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Check {
    /// Whether it went well.
    pub healthy: bool,
    /// What was found.
    pub message: String,
    /// How long it took, in seconds.
    pub took_s: f64,
}

/// How a server stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Status {
    /// Loomwork's version.
    pub version: String,
    /// When the server started.
    pub started_at: String,
    /// For how long it has been up, in seconds.
    pub uptime_s: f64,
    /// How many runs there are, by state.
    pub runs: BTreeMap<String, u64>,
    /// What the queued ones wait for.
    pub queued: QueuedRuns,
    /// How many tasks of runs that have not ended there are, by phase.
    pub tasks: BTreeMap<String, u64>,
    /// Tasks that could start and wait for a worker or a limit.
    pub tasks_ready: u64,
    /// Tasks with an attempt under way.
    pub tasks_running: u64,
    /// Tasks, of the same runs, that are tried again or have been as often as they may.
    pub retries: Retries,
    /// How late the last event was taken up by metrics and analytics, in seconds.
    pub feed_lag_s: f64,
    /// Whether analytics still read what was recorded before the server started.
    pub rebuilding: bool,
    /// Open event streams.
    pub streams: u64,
    /// The certificate that connections are encrypted with, if they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsStatus>,
}

/// What runs that have not begun wait for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QueuedRuns {
    /// Their time has not come.
    pub later: u64,
    /// A limit has no room for them, or has not looked yet.
    pub limited: u64,
    /// For the engine alone, or for a process that has gone.
    pub other: u64,
}

/// How attempts that failed go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Retries {
    /// Tasks that wait out the time before their next attempt.
    pub backing_off: u64,
    /// Tasks that failed with all their attempts used up, of more than one.
    pub exhausted: u64,
}

/// The certificate in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TlsStatus {
    /// When it was read.
    pub loaded_at: String,
    /// Why what its files hold now is not in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

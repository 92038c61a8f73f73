//! One attempt as a plugin sees it, and what a plugin answers.

use loom_protocol::{AttemptOutput, AttemptRequest, ErrorCode, FailureInfo, PluginManifest};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::time::Instant;

/// Something that tasks can run. Shared by all attempts that use it.
pub(crate) trait Plugin: Send + Sync {
    /// What it says of itself.
    fn manifest(&self) -> &PluginManifest;

    /// Runs one attempt to its end, on a thread of its own. Returns early once `job.stop` says so.
    fn run(&self, job: &mut Job) -> Result<Vec<AttemptOutput>, Ended>;
}

/// One attempt under way.
pub(crate) struct Job {
    /// What was asked.
    pub(crate) request: AttemptRequest,
    /// The parameters with `{{ NAME }}` filled in (left as they are for `cmd`'s command).
    pub(crate) params: Map<String, Value>,
    /// The permissions that the permission service granted; empty if none were needed.
    pub(crate) granted: BTreeSet<String>,
    /// Tells that the attempt is to end early.
    pub(crate) stop: crate::stop::StopSignal,
    /// Takes what it writes: masked, then to its log.
    pub(crate) log: crate::log::AttemptLog,
    /// When its timeout is over.
    pub(crate) deadline: Option<Instant>,
}

/// How an attempt ended without success.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It failed.
    Failed(Box<FailureInfo>),
    /// It was stopped because that was asked for.
    Stopped,
}

/// A failure with nothing but a code and a message.
pub(crate) fn failure(code: ErrorCode, message: impl Into<String>, retryable: bool) -> Ended {
    Ended::Failed(Box::new(FailureInfo {
        code,
        message: message.into(),
        retryable,
        retry_after: None,
        exit_status: None,
        error: None,
        tail: Vec::new(),
    }))
}

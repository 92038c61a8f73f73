//! One attempt as a plugin sees it, and what a plugin answers.

use crate::host::Host;
use crate::log::AttemptLog;
use crate::stop::StopSignal;
use loom_protocol::{AttemptOutput, AttemptRequest, ErrorCode, FailureInfo, PluginManifest};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Something that tasks can run. Shared by all attempts that use it.
pub trait Plugin: Send + Sync {
    /// What it says of itself.
    fn manifest(&self) -> &PluginManifest;

    /// For an attempt that does nothing but let time pass: how much, and what it emits then. Such
    /// attempts need no thread. `None` for attempts that must [`Plugin::run`].
    ///
    /// `params` are filled in as in [`Job::params`].
    fn idle(
        &self,
        _request: &AttemptRequest,
        _params: &Map<String, Value>,
    ) -> Option<Result<Idle, Ended>> {
        None
    }

    /// Runs one attempt to its end, on a thread of its own. Returns early once `job.stop` says so.
    /// Attempts that [`Plugin::idle`] knows come here only if they need permissions.
    fn run(&self, job: &mut Job) -> Result<Vec<AttemptOutput>, Ended>;

    /// What is wrong with the parameters of a task, as far as they are known before it runs and beyond
    /// what the manifest's schema says. Parameters that refer to variables are not known.
    fn wrong_params(&self, _params: &Map<String, Value>) -> Vec<BadParam> {
        Vec::new()
    }

    /// The parameter, if any, whose text is left as it is by [`Job::params`], because the plugin
    /// hands variables to it in a safer way.
    fn verbatim_param(&self) -> Option<&'static str> {
        None
    }
}

/// A parameter that has no usable value.
#[derive(Debug, PartialEq, Eq)]
pub struct BadParam {
    /// Its name; empty if it is all of them.
    pub param: &'static str,
    /// What is wrong with it; names it.
    pub message: String,
}

impl From<BadParam> for Ended {
    /// A permanent failure.
    fn from(bad: BadParam) -> Self {
        failure(ErrorCode::ParameterValue, bad.message, false)
    }
}

/// An attempt that does nothing but let time pass.
#[derive(Debug)]
pub struct Idle {
    /// How much.
    pub takes: Duration,
    /// What it emits then.
    pub outputs: Vec<AttemptOutput>,
}

impl Idle {
    /// Lets the time pass on this thread.
    pub(crate) fn wait(self, job: &Job) -> Result<Vec<AttemptOutput>, Ended> {
        let end = Instant::now() + self.takes;
        let until = job.deadline.map_or(end, |deadline| deadline.min(end));
        match job.stop.wait(until) {
            Some(_) => Err(Ended::Stopped),
            None if until < end => Err(timeout(&job.request)),
            None => Ok(self.outputs),
        }
    }
}

/// One attempt under way.
pub struct Job {
    /// What was asked.
    pub request: AttemptRequest,
    /// The parameters with `{{ NAME }}` filled in (left as they are for `cmd`'s command).
    pub params: Map<String, Value>,
    /// The permissions that the permission service granted; empty if none were needed.
    pub granted: BTreeSet<String>,
    /// Tells that the attempt is to end early.
    pub stop: StopSignal,
    /// Takes what it writes: masked, then to its log.
    pub log: AttemptLog,
    /// When its timeout is over.
    pub deadline: Option<Instant>,
    /// What all attempts of the worker share.
    pub(crate) host: Arc<Host>,
}

/// How an attempt ended without success.
#[derive(Debug)]
pub enum Ended {
    /// It failed.
    Failed(Box<FailureInfo>),
    /// It was stopped because that was asked for.
    Stopped,
}

/// The end by a failure with nothing but a code and a message.
pub fn failure(code: ErrorCode, message: impl Into<String>, retryable: bool) -> Ended {
    Ended::Failed(Box::new(failed(code, message, retryable)))
}

/// A failure with nothing but a code and a message.
pub(crate) fn failed(code: ErrorCode, message: impl Into<String>, retryable: bool) -> FailureInfo {
    FailureInfo {
        code,
        message: message.into(),
        retryable,
        retry_after: None,
        exit_status: None,
        error: None,
        tail: Vec::new(),
    }
}

/// The end of an attempt whose time is over.
pub(crate) fn timeout(request: &AttemptRequest) -> Ended {
    Ended::Failed(Box::new(timed_out(request)))
}

/// The failure of an attempt whose time is over.
pub(crate) fn timed_out(request: &AttemptRequest) -> FailureInfo {
    let seconds = request.timeout.unwrap_or_default().as_secs_f64();
    let message = format!(
        "task `{}` took longer than its timeout of {seconds} s and was ended; raise \
         `execution.timeout` if it needs more",
        request.task
    );
    failed(ErrorCode::TaskTimeout, message, true)
}

/// An output as a plugin emits it; whether it is secret is found out later.
pub fn output(name: impl Into<String>, value: impl Into<Value>) -> AttemptOutput {
    AttemptOutput { name: name.into(), value: value.into(), secret: false }
}

//! Plugins whose processes serve many attempts, talking JSON lines over standard input and output.
//!
//! loom says `{"id":n,"type":"execute", …}` (and `{"id":n,"type":"cancel"}` to a process with
//! several requests under way); the plugin says `log`, `result` and `error` with that `id`, and may
//! begin with `{"type":"hello","protocol":1,"concurrency":k}`. A process has one request at a time
//! unless its `hello` says more; there are as many processes as are needed at once.
//!
//! A process that dies, or says what is not of the protocol, fails what it had under way as
//! retryable; the next attempt gets a new one. An attempt that ends early takes its process with it,
//! unless the process has other requests and cancels this one in time.

mod process;
mod pump;
mod wire;

use super::command::PluginCommand;
use super::request;
use crate::environment::Inherited;
use crate::job::{Ended, Job, Plugin, failure, output, timeout};
use crate::sys::{self, Watched};
use loom_protocol::{AttemptOutput, ErrorCode, FailureInfo, PluginManifest, StopHow, is_variable};
use process::{Call, Death, Ending, Heard, Process};
use serde_json::{Map, Value};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub(super) use process::Patience;
pub(super) use wire::PROTOCOL;
use wire::{Answer, Kind};

/// How long processes go unused before they are ended, and how long they have to end.
pub(super) const PATIENCE: Patience =
    Patience { idle: Duration::from_mins(1), grace: Duration::from_secs(2) };
/// The longest wait that a plugin may ask for, in seconds: a year.
const MAX_WAIT: f64 = 365.0 * 24.0 * 3600.0;

/// A plugin with processes that are kept.
pub(super) struct Persistent {
    name: String,
    manifest: PluginManifest,
    command: PluginCommand,
    patience: Patience,
    processes: Mutex<Vec<Arc<Process>>>,
}

impl Persistent {
    pub(super) fn new(
        name: String,
        manifest: PluginManifest,
        command: PluginCommand,
        patience: Patience,
    ) -> Self {
        Self { name, manifest, command, patience, processes: Mutex::default() }
    }

    /// Begins a call, on a process that has room or on a new one.
    fn call(
        &self,
        base: &Path,
        inherited: &Inherited,
        body: &Map<String, Value>,
    ) -> io::Result<Call> {
        let mut processes = self.processes.lock().unwrap_or_else(PoisonError::into_inner);
        processes.retain(|process| !process.has_ended());
        for process in processes.iter() {
            if let Some(call) = process.call(base, body)? {
                return Ok(call);
            }
        }
        let process = Process::start(&self.command, base, inherited, self.patience)?;
        let call = process.call(base, body)?;
        processes.push(process);
        call.ok_or_else(|| io::Error::other("it ended as soon as it had started"))
    }

    fn died(&self, death: &Death) -> Ended {
        let how = &death.how;
        let message =
            format!("the process of plugin `{}` {how} while the attempt was under way", self.name);
        detailed(failure(ErrorCode::PluginFailed, message, true), |info| {
            info.exit_status = death.status;
        })
    }

    fn answered(&self, answer: Answer) -> Result<Vec<AttemptOutput>, Ended> {
        let (kind, message, error, retry_after) = match answer {
            Answer::Result { outputs, .. } => return self.outputs(outputs),
            Answer::Error { kind, message, error, retry_after } => {
                (kind, message, error, retry_after)
            }
        };
        let code = match kind {
            Kind::PermissionDenied => ErrorCode::PermissionDenied,
            Kind::Permanent | Kind::Retryable => ErrorCode::PluginFailed,
        };
        let message = format!("plugin `{}`: {message}", self.name);
        let retry_after = retry_after
            .filter(|seconds| seconds.is_finite() && (0.0..=MAX_WAIT).contains(seconds))
            .map(Duration::from_secs_f64);
        Err(detailed(failure(code, message, kind == Kind::Retryable), |info| {
            info.retry_after = retry_after;
            info.error = error;
        }))
    }

    fn outputs(&self, outputs: Map<String, Value>) -> Result<Vec<AttemptOutput>, Ended> {
        if let Some(name) = outputs.keys().find(|name| !is_variable(name)) {
            let message = format!(
                "plugin `{}` emitted {name:?}, which is not a variable's name; use letters, digits \
                 and _",
                self.name
            );
            return Err(failure(ErrorCode::BadOutput, message, false));
        }
        Ok(outputs.into_iter().map(|(name, value)| output(name, value)).collect())
    }

    /// Asks the plugin what it says of itself, within this time.
    pub(super) fn describe(
        &self,
        base: &Path,
        inherited: &Inherited,
        longest: Duration,
    ) -> Result<Value, DescribeError> {
        let bad = |what: String| Err(DescribeError::Bad(what));
        let request = Map::from_iter([("type".to_owned(), "describe".into())]);
        let call = self.call(base, inherited, &request).map_err(|_| DescribeError::Start)?;
        let until = Instant::now() + longest;
        let mut said = String::new();
        loop {
            let mut watched = [Watched::readable(call.wakeup().as_fd())];
            sys::poll(&mut watched, Some(until)).map_err(|_| DescribeError::Start)?;
            call.wakeup().clear();
            for heard in call.heard() {
                match heard {
                    Heard::Log(_, bytes) => said.push_str(&String::from_utf8_lossy(&bytes)),
                    Heard::Answer(Answer::Result { manifest, .. }) => {
                        return Ok(manifest.unwrap_or_default());
                    }
                    Heard::Answer(Answer::Error { message, .. }) => return bad(message),
                    Heard::Died(death) => {
                        let last = said.trim_end().lines().next_back().unwrap_or_default();
                        let separator = if last.is_empty() { "" } else { ": " };
                        return bad(format!("its process {}{separator}{last}", death.how));
                    }
                }
            }
            if Instant::now() >= until {
                call.end(Ending::Kill);
                return bad(format!("it did not load within {} s", longest.as_secs_f64()));
            }
        }
    }
}

/// Why a plugin did not say what it is.
#[derive(Debug)]
pub(super) enum DescribeError {
    /// Its process could not be started.
    Start,
    /// There is something wrong with it.
    Bad(String),
}

impl Plugin for Persistent {
    fn manifest(&self) -> &PluginManifest {
        &self.manifest
    }

    fn run(&self, job: &mut Job) -> Result<Vec<AttemptOutput>, Ended> {
        let mut body = request::of(job);
        body.insert("type".to_owned(), "execute".into());
        let base = job.request.base.clone();
        let call = self
            .call(&base, &job.host.inherited, &body)
            .map_err(|error| self.command.failed(&self.name, &base, &error))?;
        drop(body);
        let ended = match converse(&call, job) {
            Ok(Outcome::Answered(answer)) => self.answered(answer),
            Ok(Outcome::Died(death)) => Err(self.died(&death)),
            Err(ended) => Err(ended),
        };
        job.log.finish();
        ended.map_err(|ended| detailed(ended, |info| info.tail = job.log.tail()))
    }
}

impl Drop for Persistent {
    fn drop(&mut self) {
        let processes = self.processes.get_mut().unwrap_or_else(PoisonError::into_inner);
        for process in processes.iter() {
            process.end(Ending::Close);
        }
        for process in processes.iter() {
            process.wait(self.patience.grace * 3);
        }
    }
}

enum Outcome {
    Answered(Answer),
    Died(Death),
}

/// Why a call is being ended, what was done for it, and when more is.
struct Early {
    ended: Ended,
    asked: Ending,
    next: Instant,
}

/// Listens until the call is over. An attempt that is to end early is over once its process is
/// gone, or has answered: until then it could still be at work.
fn converse(call: &Call, job: &mut Job) -> Result<Outcome, Ended> {
    let _guard = job.stop.wake(call.wakeup());
    let mut early: Option<Early> = None;
    loop {
        let until = early.as_ref().map_or(job.deadline, |early| Some(early.next));
        let mut watched = [Watched::readable(call.wakeup().as_fd())];
        sys::poll(&mut watched, until).map_err(|error| {
            call.end(Ending::Kill);
            failure(ErrorCode::PluginFailed, format!("the wait for a plugin failed: {error}"), true)
        })?;
        call.wakeup().clear();
        for heard in call.heard() {
            let outcome = match heard {
                Heard::Log(stream, bytes) => {
                    job.log.write(stream, &bytes);
                    continue;
                }
                Heard::Answer(answer) => Outcome::Answered(answer),
                Heard::Died(death) => Outcome::Died(death),
            };
            return early.map_or(Ok(outcome), |early| Err(early.ended));
        }
        early = hurry(call, job, early);
    }
}

/// Begins the early end, or goes on with it.
fn hurry(call: &Call, job: &Job, early: Option<Early>) -> Option<Early> {
    let now = Instant::now();
    let ending = |how| match how {
        StopHow::Gently => Ending::Term,
        StopHow::Now => Ending::Kill,
    };
    let next = now + job.host.grace;
    match (early, job.stop.asked()) {
        (None, Some(how)) => {
            call.cancel(ending(how));
            Some(Early { ended: Ended::Stopped, asked: ending(how), next })
        }
        (None, None) if job.deadline.is_some_and(|deadline| deadline <= now) => {
            call.cancel(Ending::Term);
            Some(Early { ended: timeout(&job.request), asked: Ending::Term, next })
        }
        (None, None) => None,
        (Some(early), Some(how)) if ending(how) > early.asked => {
            call.end(ending(how));
            Some(Early { asked: ending(how), next, ..early })
        }
        (Some(early), _) if early.next <= now => {
            let asked = early.asked.max(Ending::Term);
            call.end(asked);
            Some(Early { asked, next, ..early })
        }
        (early, _) => early,
    }
}

fn detailed(mut ended: Ended, add: impl FnOnce(&mut FailureInfo)) -> Ended {
    if let Ended::Failed(info) = &mut ended {
        add(info);
    }
    ended
}

#[cfg(test)]
mod tests;

//! One attempt from beginning to end, as steps.

use crate::host::Host;
use crate::job::{Ended, Idle, Job, Plugin, failed, timeout};
use crate::log::AttemptLog;
use crate::params;
use crate::permissions::authorise;
use crate::secrets::Secrets;
use crate::stop::StopSignal;
use crate::worker::Reporter;
use loom_protocol::{AttemptNews, AttemptOutput, AttemptReport, AttemptRequest, ErrorCode};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An attempt with what is needed to run it.
pub(crate) struct Work {
    pub(crate) request: AttemptRequest,
    pub(crate) plugin: Arc<dyn Plugin>,
    pub(crate) reporter: Arc<dyn Reporter>,
    pub(crate) stop: StopSignal,
}

/// What an attempt needs in order to go on.
pub(crate) enum Way {
    /// Nothing: this is how it ended.
    Done(AttemptNews),
    /// Time: this is how it ends then.
    Wait(Duration, AttemptNews),
    /// A thread.
    Thread,
}

impl Work {
    /// Decides, without blocking, what the attempt needs.
    pub(crate) fn way(&self, host: &Host) -> Way {
        caught(&self.request.plugin, || self.decide(host)).unwrap_or_else(Way::Done)
    }

    fn decide(&self, host: &Host) -> Way {
        if !self.request.permissions.is_empty() {
            return Way::Thread;
        }
        let filled =
            params::fill(&self.request.params, &self.request, self.plugin.verbatim_param());
        let idle = match filled {
            Err(ended) => Err(ended),
            Ok(params) => match self.plugin.idle(&self.request, &params) {
                None => return Way::Thread,
                Some(idle) => idle,
            },
        };
        let Idle { takes, outputs } = match idle {
            Ok(idle) => idle,
            Err(ended) => return Way::Done(conclude(&self.request, host, Err(ended))),
        };
        match self.request.timeout {
            Some(limit) if limit < takes => {
                Way::Wait(limit, conclude(&self.request, host, Err(timeout(&self.request))))
            }
            _ => {
                let news = conclude(&self.request, host, Ok(outputs));
                if takes.is_zero() { Way::Done(news) } else { Way::Wait(takes, news) }
            }
        }
    }

    /// Runs the attempt on this thread. Whatever happens, it has an outcome.
    pub(crate) fn run(self, host: &Arc<Host>) -> AttemptReport {
        let (id, plugin) = (self.request.id.clone(), self.request.plugin.clone());
        let news = caught(&plugin, || self.attempt(host)).unwrap_or_else(|failed| failed);
        AttemptReport { id, news }
    }

    fn attempt(self, host: &Arc<Host>) -> AttemptNews {
        let Self { request, plugin, reporter, stop } = self;
        if stop.asked().is_some() {
            return AttemptNews::Stopped;
        }
        let allowed = authorise(&request, plugin.manifest(), &host.permissions);
        let prepared = allowed.and_then(|granted| {
            let verbatim = plugin.verbatim_param();
            Ok((granted, params::fill(&request.params, &request, verbatim)?))
        });
        let (granted, params) = match prepared {
            Ok(prepared) => prepared,
            Err(ended) => return conclude(&request, host, Err(ended)),
        };
        let secrets = host.secrets(&request);
        let mut job = Job {
            params,
            granted,
            stop,
            log: AttemptLog::new(request.log.clone(), secrets, &request.secret_names),
            deadline: request.timeout.map(|timeout| Instant::now() + timeout),
            host: Arc::clone(host),
            request,
        };
        let result = plugin.run(&mut job);
        job.log.finish();
        if let Some(problem) = job.log.problem() {
            reporter.trouble(&job.request.id, problem);
        }
        let mut news = conclude(&job.request, host, result);
        if let AttemptNews::Failed(info) = &mut news
            && info.tail.is_empty()
        {
            info.tail = job.log.tail();
        }
        news
    }
}

/// Does a part of an attempt. A panic in it is a bug, in the plugin or around it, and ends this
/// attempt alone: it is how the attempt failed. What it says may hold anything, a secret too, so it
/// is left on standard error, where it is written anyway.
pub(crate) fn caught<T>(plugin: &str, part: impl FnOnce() -> T) -> Result<T, AttemptNews> {
    catch_unwind(AssertUnwindSafe(part)).map_err(|_| {
        let message = format!(
            "the attempt panicked while it used plugin `{plugin}`, which is a bug; please report it \
             with what was written to standard error"
        );
        AttemptNews::Failed(failed(ErrorCode::PluginFailed, message, false))
    })
}

/// The attempt's outcome as it is reported: outputs and error objects that break their contract are
/// a failure, outputs that hold a secret are marked, and no message holds one. A secret that happens to
/// look like `NAME=value`, as some in base64 do, is no output.
fn conclude(
    request: &AttemptRequest,
    host: &Host,
    result: Result<Vec<AttemptOutput>, Ended>,
) -> AttemptNews {
    let secrets = host.secrets(request);
    let checked = result.and_then(|mut outputs| {
        outputs.retain(|output| !secrets.reaches_into_name(&output.name, &output.value));
        mark_secrets(request, &secrets, &mut outputs);
        match &request.contract_success {
            Some(schema) => {
                host.contracts.check_success(schema, &outputs, &request.outputs, &request.secrets)
            }
            None => Ok(()),
        }
        .map(|()| outputs)
    });
    match checked {
        Ok(outputs) => AttemptNews::Succeeded(outputs),
        Err(Ended::Stopped) => AttemptNews::Stopped,
        Err(Ended::Failed(mut info)) => {
            if let (Some(schema), Some(error)) = (&request.contract_error, &info.error)
                && let Err(Ended::Failed(violation)) =
                    host.contracts.check_error(schema, error, &request.secrets)
            {
                info.message =
                    format!("{}; the failure itself: {}", violation.message, info.message);
                info.code = violation.code;
                info.retryable = violation.retryable;
                info.retry_after = None;
            }
            info.message = secrets.mask(&info.message);
            info.error = info.error.map(|error| secrets.mask_value(error));
            AttemptNews::Failed(*info)
        }
    }
}

fn mark_secrets(request: &AttemptRequest, secrets: &Secrets, outputs: &mut [AttemptOutput]) {
    let variables = || request.shared.iter().chain(&request.inputs);
    for output in outputs {
        output.secret |= variables().any(|var| var.secret && var.name == output.name)
            || secrets.taint(&output.value);
    }
}

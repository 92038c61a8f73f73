//! The engine's executor over our own worker: attempts out, news in.

use crate::fault::Fault;
use crate::settings::secret_variables;
use crate::terminal::printable;
use crate::ui::tell;
use loom_core::{Attempt, AttemptKey, Failure, FailureKind, News, Output, Outputs, Report, RunId};
use loom_core::{Stop, TaskIx, TaskRef, Timestamp, Variable};
use loom_engine::{Carried, Executor, Handle, Started};
use loom_protocol::{
    AttemptId, AttemptNews, AttemptOutput, AttemptReport, AttemptRequest, ErrorCode, FailureInfo,
    RunTrace, StopHow,
};
use loom_server::wire::code_of;
use loom_store::RunMeta;
use loom_worker::{Immediate, PluginSource, Reporter, Worker, WorkerOptions};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long what a crash left behind has between TERM and KILL.
const GRACE: Duration = Duration::from_secs(2);

/// The worker of this process, which asks this service what the owners of tokens may do.
pub(crate) fn worker(
    permissions_url: Option<String>,
    plugins: Arc<dyn PluginSource>,
) -> Result<Worker, Fault> {
    let certificates = std::env::var_os("SSL_CERT_FILE").filter(|file| !file.is_empty());
    let options = WorkerOptions {
        permissions_url,
        certificates: certificates.map(PathBuf::from),
        withheld: secret_variables(),
        ..WorkerOptions::default()
    };
    Worker::new(options, plugins).map_err(|error| Fault::machine("cannot start a worker", error))
}

/// Runs attempts with our own worker.
pub(crate) struct Bridge {
    worker: Worker,
    news: Arc<NewsRoom>,
    /// The folder for logs.
    logs: PathBuf,
    /// The shared variables of each run, as the worker takes them.
    shared: HashMap<RunId, Arc<Vec<AttemptOutput>>>,
}

impl Bridge {
    pub(crate) fn new(worker: Worker, handle: Handle, logs: PathBuf) -> Self {
        let news = Arc::new(NewsRoom { handle });
        Self { worker, news, logs, shared: HashMap::new() }
    }

    fn request(&mut self, attempt: Attempt, carried: &Carried) -> AttemptRequest {
        let AttemptKey { run, task, attempt: number } = attempt.key;
        let shared = Arc::clone(
            self.shared
                .entry(run)
                .or_insert_with(|| Arc::new(attempt.shared.iter().cloned().map(given).collect())),
        );
        let def = attempt.task();
        let contract = def.contract.as_deref();
        AttemptRequest {
            id: id_of(attempt.key),
            task: def.name.clone(),
            workflow: attempt.plan.definition().name.clone(),
            idempotency_key: match task.item {
                Some(item) => format!("{run}/{}/{item}", def.name),
                None => format!("{run}/{}", def.name),
            },
            plugin: def.plugin.clone(),
            params: def.params.clone(),
            shared,
            inputs: attempt.inputs.iter().cloned().map(given).collect(),
            outputs: declared(&def.outputs),
            context: context(attempt.key, &carried.meta),
            timeout: def.execution.timeout,
            permissions: def.permissions.clone(),
            contract_success: contract.and_then(|contract| contract.success.clone()),
            contract_error: contract.and_then(|contract| contract.error.clone()),
            base: PathBuf::from(&carried.base),
            log: self.logs.join(run.to_string()).join(log_name(task, number)),
            held: attempt.held,
            secret_names: attempt.plan.definition().secrets.clone(),
            lane_width: attempt.lane_width,
            item: attempt.item,
            secrets: attempt.secrets,
        }
    }
}

/// What connects an attempt with whoever started its run, and with the attempt's own span.
fn context(key: AttemptKey, meta: &RunMeta) -> Vec<(String, String)> {
    let trace = RunTrace::new(key.run.to_bytes(), meta.traceparent.as_deref());
    let span = trace.attempt_parent(key.task.task.0, key.task.item, key.attempt);
    let correlation = Some(meta.correlation_id.clone()).filter(|id| !id.is_empty());
    let correlation = correlation.map(|id| ("LOOM_CORRELATION_ID".to_owned(), id));
    correlation.into_iter().chain([("TRACEPARENT".to_owned(), span.header())]).collect()
}

/// The names of the declared outputs; `*` stands for any other.
fn declared(outputs: &Outputs) -> Vec<String> {
    let any = outputs.any.then(|| "*".to_owned());
    outputs.names.iter().map(|output| output.name.clone()).chain(any).collect()
}

/// The name of an attempt's log in its run's folder.
pub(crate) fn log_name(task: TaskRef, attempt: u32) -> String {
    match task.item {
        Some(item) => format!("{}.{item}.{attempt}.log", task.task.0),
        None => format!("{}.{attempt}.log", task.task.0),
    }
}

impl Executor for Bridge {
    fn start(&mut self, attempt: Attempt, carried: &Carried) -> Started {
        let request = self.request(attempt, carried);
        let reporter: Arc<dyn Reporter> = Arc::clone(&self.news) as Arc<dyn Reporter>;
        match self.worker.start(request, reporter) {
            Immediate::Running => Started::Running,
            Immediate::Finished(news) => Started::Finished(news_of(news)),
        }
    }

    fn stop(&mut self, key: AttemptKey, how: Stop) {
        let how = match how {
            Stop::Gently => StopHow::Gently,
            Stop::Now => StopHow::Now,
        };
        self.worker.stop(&id_of(key), how);
    }

    fn recall(&mut self, key: AttemptKey) {
        self.worker.recall(&id_of(key));
    }

    fn forget(&mut self, run: RunId) {
        self.shared.remove(&run);
    }

    fn end_leftovers(&mut self, runs: &[RunId]) -> Vec<(RunId, String)> {
        let texts = runs.iter().map(RunId::to_string).collect();
        let left = loom_worker::end_leftovers(&texts, GRACE);
        let left = left.into_iter().filter_map(|(run, why)| Some((run.parse().ok()?, why.message)));
        left.collect()
    }
}

/// Passes the worker's reports on to the engine.
struct NewsRoom {
    handle: Handle,
}

impl Reporter for NewsRoom {
    fn report(&self, reports: Vec<AttemptReport>) {
        let reports = reports.into_iter().filter_map(|report| {
            let run = report.id.run.parse().ok()?;
            let task = TaskRef { task: TaskIx(report.id.task), item: report.id.item };
            let news = news_of(report.news);
            Some((run, Report { task, attempt: report.id.attempt, news }))
        });
        self.handle.report(reports.collect());
    }

    fn trouble(&self, id: &AttemptId, what: &str) {
        let at = id.attempt;
        let code = ErrorCode::MachineFailed;
        let what = printable(what);
        tell(&format!("warning[{code}]: attempt {at} of a task of run {}: {what}\n", id.run));
    }
}

fn id_of(key: AttemptKey) -> AttemptId {
    AttemptId {
        run: key.run.to_string(),
        task: key.task.task.0,
        item: key.task.item,
        attempt: key.attempt,
    }
}

fn given(variable: Variable) -> AttemptOutput {
    let Variable { name, value, secret } = variable;
    AttemptOutput { name, value, secret }
}

fn news_of(news: AttemptNews) -> News {
    match news {
        AttemptNews::Began(at) => News::Began(Timestamp(at)),
        AttemptNews::Succeeded(outputs) => News::Succeeded(
            outputs
                .into_iter()
                // Whether it is declared is for the core to say.
                .map(|AttemptOutput { name, value, secret }| Output {
                    name,
                    value,
                    declared: false,
                    secret,
                })
                .collect(),
        ),
        AttemptNews::Failed(info) => News::Failed(failure_of(info)),
        AttemptNews::Stopped => News::Stopped,
    }
}

fn failure_of(info: FailureInfo) -> Failure {
    Failure {
        kind: kind_of(info.code),
        message: info.message,
        retryable: info.retryable,
        retry_after: info.retry_after,
        exit_status: info.exit_status,
        error: info.error,
        tail: info.tail,
    }
}

/// The kind of failure that a code of the area of tasks stands for. A worker has no others to
/// report; whatever it says, it is the plugin that failed.
fn kind_of(code: ErrorCode) -> FailureKind {
    const ALL: [FailureKind; 13] = [
        FailureKind::Exit,
        FailureKind::Signal,
        FailureKind::Timeout,
        FailureKind::Spawn,
        FailureKind::MissingOutput,
        FailureKind::BadOutput,
        FailureKind::PermissionDenied,
        FailureKind::ContractViolation,
        FailureKind::Plugin,
        FailureKind::HttpStatus,
        FailureKind::Connection,
        FailureKind::BadParameter,
        FailureKind::Expression,
    ];
    ALL.into_iter().find(|&kind| code_of(kind) == code).unwrap_or(FailureKind::Plugin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_protocol::Area;

    #[test]
    fn codes_of_tasks_and_kinds_of_failure_are_one_to_one() {
        let codes = ErrorCode::ALL.iter().filter(|code| code.area() == Area::Task);
        for &code in codes {
            assert_eq!(code_of(kind_of(code)), code);
        }
    }

    #[test]
    fn logs_are_told_apart_by_task_item_and_attempt() {
        assert_eq!(log_name(TaskRef::whole(TaskIx(3)), 2), "3.2.log");
        assert_eq!(log_name(TaskRef::item(TaskIx(3), 0), 1), "3.0.1.log");
    }
}

//! Requests and jobs for this crate's tests.

use crate::host::Host;
use crate::job::Job;
use crate::log::AttemptLog;
use crate::secrets::Secrets;
use crate::stop::StopSignal;
use crate::worker::WorkerOptions;
use loom_protocol::{AttemptId, AttemptOutput, AttemptRequest};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An attempt of a plugin with these parameters (an object).
pub(crate) fn request(plugin: &str, params: Value) -> AttemptRequest {
    let Value::Object(params) = params else { panic!("parameters are an object") };
    AttemptRequest {
        id: AttemptId { run: "run1".into(), task: 0, item: None, attempt: 1 },
        task: "task1".into(),
        workflow: "flow".into(),
        idempotency_key: "key1".into(),
        plugin: plugin.into(),
        params,
        shared: Arc::default(),
        inputs: Vec::new(),
        item: None,
        outputs: Vec::new(),
        context: Vec::new(),
        timeout: None,
        permissions: Vec::new(),
        contract_success: None,
        contract_error: None,
        secrets: Arc::default(),
        base: std::env::temp_dir(),
        log: "/nonexistent/log".into(),
        held: false,
        secret_names: Vec::new(),
        lane_width: 2,
    }
}

/// Gives an attempt an input.
pub(crate) fn input(request: &mut AttemptRequest, name: &str, value: Value) {
    request.inputs.push(AttemptOutput { name: name.into(), value, secret: false });
}

/// A job as the worker makes it, logging into this folder.
pub(crate) fn job(request: AttemptRequest, folder: &Path) -> Job {
    job_trusting(request, folder, None)
}

/// As [`job`], trusting the certificates of a file.
pub(crate) fn job_trusting(
    mut request: AttemptRequest,
    folder: &Path,
    certificates: Option<PathBuf>,
) -> Job {
    request.log = folder.join("log");
    let secrets = Secrets::new(&request.secrets);
    let options = WorkerOptions {
        grace: Duration::from_millis(300),
        temporary: folder.to_owned(),
        certificates,
        ..WorkerOptions::default()
    };
    Job {
        params: crate::params::fill(&request.params, &request, Some("command")).unwrap(),
        granted: request.permissions.iter().cloned().collect(),
        stop: StopSignal::default(),
        log: AttemptLog::new(request.log.clone(), secrets, &request.secret_names),
        deadline: request.timeout.map(|timeout| Instant::now() + timeout),
        host: Arc::new(Host::new(options)),
        request,
    }
}

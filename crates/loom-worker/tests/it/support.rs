//! A worker whose reports a test can wait for.

use loom_protocol::{AttemptId, AttemptNews, AttemptReport, AttemptRequest, FailureInfo, StopHow};
use loom_worker::{Builtins, Immediate, Reporter, Worker, WorkerOptions};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

/// Longer than anything here takes; a test that waits so long has failed.
pub(crate) const LONG: Duration = Duration::from_mins(1);
/// What the workers of tests give between TERM and KILL.
pub(crate) const GRACE: Duration = Duration::from_millis(200);

/// Tests that count descriptors or processes run alone.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Channel(mpsc::Sender<Vec<AttemptReport>>);

impl Reporter for Channel {
    fn report(&self, reports: Vec<AttemptReport>) {
        // A test that has seen enough has gone.
        let _ = self.0.send(reports);
    }
}

/// A worker, its folder and what it reports.
pub(crate) struct Bench {
    pub(crate) worker: Worker,
    pub(crate) folder: tempfile::TempDir,
    reporter: Arc<dyn Reporter>,
    reports: mpsc::Receiver<Vec<AttemptReport>>,
    next: std::cell::Cell<u32>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = WorkerOptions {
            grace: GRACE,
            temporary: folder.path().to_owned(),
            ..WorkerOptions::default()
        };
        let worker = Worker::new(options, Arc::new(Builtins::default())).unwrap();
        let (sender, reports) = mpsc::channel();
        let reporter = Arc::new(Channel(sender));
        Self { worker, folder, reporter, reports, next: 0.into() }
    }

    pub(crate) fn request(&self, plugin: &str, params: Value) -> AttemptRequest {
        let Value::Object(params) = params else { panic!("parameters are an object") };
        let task = self.next.get();
        self.next.set(task + 1);
        AttemptRequest {
            id: AttemptId { run: "run".into(), task, item: None, attempt: 1 },
            task: format!("task{task}"),
            workflow: "flow".into(),
            idempotency_key: format!("key{task}"),
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
            base: self.folder.path().to_owned(),
            log: self.log(task),
            held: false,
            secret_names: Vec::new(),
            lane_width: 2,
        }
    }

    pub(crate) fn log(&self, task: u32) -> PathBuf {
        self.folder.path().join(format!("logs/{task}.log"))
    }

    pub(crate) fn command(&self, line: &str) -> AttemptRequest {
        self.request("cmd", json!({"command": line}))
    }

    pub(crate) fn start(&self, request: AttemptRequest) -> AttemptId {
        let id = request.id.clone();
        let started = self.worker.start(request, Arc::clone(&self.reporter));
        assert_eq!(started, Immediate::Running);
        id
    }

    pub(crate) fn start_now(&self, request: AttemptRequest) -> Immediate {
        self.worker.start(request, Arc::clone(&self.reporter))
    }

    /// The next reports that came together.
    pub(crate) fn reports(&self) -> Vec<AttemptReport> {
        self.reports.recv_timeout(LONG).expect("a report comes")
    }

    /// Whether nothing is waiting to be read.
    pub(crate) fn quiet(&self) -> bool {
        self.reports.try_recv().is_err()
    }

    /// Runs one attempt and says how it ended.
    pub(crate) fn run(&self, request: AttemptRequest) -> AttemptNews {
        let id = self.start(request);
        let mut reports = self.reports();
        assert_eq!(reports.len(), 1);
        let report = reports.remove(0);
        assert_eq!(report.id, id);
        report.news
    }

    pub(crate) fn outputs(&self, request: AttemptRequest) -> Map<String, Value> {
        match self.run(request) {
            AttemptNews::Succeeded(outputs) => {
                outputs.into_iter().map(|output| (output.name, output.value)).collect()
            }
            news => panic!("{news:?}"),
        }
    }

    pub(crate) fn failure(&self, request: AttemptRequest) -> FailureInfo {
        match self.run(request) {
            AttemptNews::Failed(info) => info,
            news => panic!("{news:?}"),
        }
    }

    /// Waits until a command has made this file: the sign that it is under way.
    pub(crate) fn wait_for(&self, file: &str) {
        let watch = self.request("touched", json!({"file": file, "timeout": 60}));
        let found = self.folder.path().join(file);
        // Either it is there already, or the plugin sees it come.
        let mut watch = watch;
        watch.id.run = "watch".into();
        let (sender, reports) = mpsc::channel();
        let id = watch.id.clone();
        self.worker.start(watch, Arc::new(Channel(sender)));
        while !found.exists() {
            if reports.recv_timeout(Duration::from_millis(20)).is_ok() {
                return;
            }
        }
        self.worker.stop(&id, StopHow::Now);
    }
}

/// Counts by kind: open descriptors, children that wait to be collected.
pub(crate) fn resources() -> BTreeMap<&'static str, usize> {
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().count();
    let own = std::process::id().to_string();
    let zombies = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|process| std::fs::read_to_string(process.path().join("stat")).ok())
        .filter(|stat| {
            let (_, fields) = stat.rsplit_once(')').unwrap();
            let mut fields = fields.split_ascii_whitespace();
            fields.next() == Some("Z") && fields.next() == Some(&own)
        })
        .count();
    BTreeMap::from([("descriptors", descriptors), ("zombies", zombies)])
}

impl Bench {
    /// Looks at the next reports; `true` if there were none.
    pub(crate) fn quiet_after(&self, mut look: impl FnMut(&AttemptNews)) -> bool {
        match self.reports.try_recv() {
            Ok(reports) => {
                reports.iter().for_each(|report| look(&report.news));
                false
            }
            Err(_) => true,
        }
    }
}

//! `loom serve`: the HTTP API over an engine, until a signal ends it.

use crate::args::{Global, ServeArgs};
use crate::bridge::Bridge;
use crate::fault::{Ended, Fault, Outcome};
use crate::plugins::Plugins;
use crate::signals::{Listener, Wish};
use crate::store;
use crate::ui::{Ui, Voice, tell};
use loom_core::RunState;
use loom_engine::{Engine, Handle, Input, Options, SystemClock, channel};
use loom_protocol::{ErrorCode, ExitCode};
use loom_server::{Bell, Config, Limits, LogFile, Logs, Parts, ServeError, Server, Stores};
use loom_sqlite::{Files, SqliteStore};
use loom_store::{DocumentStore, QueryStore, RunFilter, StoreError, UpkeepStore};
use loom_worker::{Worker, WorkerOptions};
use serde_json::json;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::watch;

/// How many interrupted runs are taken up with one look at the store.
const TAKE_UP: usize = 500;

pub(crate) fn serve(args: ServeArgs, global: &Global, ui: &mut Ui) -> Outcome {
    let path = store::locate(global.store.as_deref())?;
    let config = config(&args)?;
    let base = config.base.clone();
    let store = store::open(&path)?;
    let plugins = Arc::new(Plugins::beside(base.clone()));
    let bell = Bell::default();
    let engine = Working::start(store, Arc::clone(&plugins), &args, &bell)?;
    let stop = Stop::listen(engine.handle.clone())?;
    let parts = Parts {
        engine: engine.handle.clone(),
        bell,
        stores: Arc::new(Database(path.clone())),
        plugins,
        logs: Arc::new(LogFolder(Files::new(&path).logs())),
        clock: Arc::new(SystemClock),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::machine("the system gives no threads", error))?;
    runtime.block_on(async {
        let server = Server::bind(parts, config).await.map_err(refused)?;
        let address = server.address()?;
        let taken = take_up(&path, &engine.handle)?;
        say(ui, &address.to_string(), taken)?;
        let mut signal = stop.signal.clone();
        let stopped = async move {
            // The listener lives as long as this function.
            let _ = signal.wait_for(|stopping| *stopping).await;
        };
        server.run(stopped).await.map_err(Ended::from)
    })?;
    runtime.shutdown_background();
    engine.join()
}

fn config(args: &ServeArgs) -> Result<Config, Ended> {
    let base = match &args.base {
        Some(base) => base.clone(),
        None => std::env::current_dir()?,
    };
    let base = base.canonicalize().map_err(|error| {
        Fault::new(ErrorCode::BadSetting, format!("--base {}: {error}", base.display()))
    })?;
    let allowed = args.host_env.iter();
    let host_env = allowed.filter_map(|name| Some((name.clone(), std::env::var(name).ok()?)));
    Ok(Config {
        listen: args.listen,
        access: args.access,
        base,
        host_env: host_env.collect(),
        workers: args.workers.unwrap_or_else(|| {
            std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32)
        }),
        limits: Limits::default(),
    })
}

/// Says where the server listens.
fn say(ui: &mut Ui, address: &str, taken: usize) -> Result<(), Ended> {
    match ui.voice {
        Voice::Json => ui.json(&json!({
            "type": "server.listening", "address": address, "taken_up": taken,
        }))?,
        Voice::Quiet => {}
        Voice::Human => {
            if taken > 0 {
                ui.remark(&format!("{taken} interrupted runs go on"));
            }
            ui.print(&format!("loom serves http://{address}\n"))?;
        }
    }
    // Somebody waits for the address.
    Ok(ui.flush()?)
}

fn refused(error: ServeError) -> Ended {
    match error {
        ServeError::Open(address) => Fault::new(
            ErrorCode::OpenListener,
            format!(
                "without access control the server listens on this machine alone, not on {address}"
            ),
        )
        .help("turn access control on with --access, and make a token with `loom token create`")
        .help("or listen on 127.0.0.1 and let a proxy that checks its callers stand before it")
        .into(),
        ServeError::Listen(address, error) => {
            Fault::machine(format!("cannot listen on {address}"), error)
                .help("choose another address with --listen; port 0 takes a free one")
                .into()
        }
        ServeError::Store(error) => error.into(),
    }
}

/// An engine at work for the server.
struct Working {
    handle: Handle,
    thread: JoinHandle<Result<(), StoreError>>,
}

impl Working {
    fn start(
        store: SqliteStore,
        plugins: Arc<Plugins>,
        args: &ServeArgs,
        bell: &Bell,
    ) -> Result<Self, Fault> {
        let logs = store.files().logs();
        let permissions_url = args.execution.permissions_url.clone();
        let certificates = std::env::var_os("SSL_CERT_FILE").filter(|file| !file.is_empty());
        let options = WorkerOptions {
            permissions_url,
            certificates: certificates.map(PathBuf::from),
            ..WorkerOptions::default()
        };
        let worker = Worker::new(options, plugins)
            .map_err(|error| Fault::machine("cannot start a worker", error))?;
        let queues = args.execution.queues.iter().cloned().collect();
        let options = Options { queues, ..Options::default() };
        let (handle, inbox) = channel(&options);
        let bridge = Bridge::new(worker, handle.clone(), logs);
        let mut engine = Engine::new(Box::new(store), Box::new(bridge), options);
        engine.observe(Box::new(bell.ringer()));
        let thread = engine.spawn(inbox, Arc::new(SystemClock));
        Ok(Self { handle, thread })
    }

    /// Waits until what is under way has ended, or was ended.
    fn join(self) -> Outcome {
        match self.thread.join() {
            Ok(Ok(())) => Ok(ExitCode::Success),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(Ended::Told(ExitCode::Machine)),
        }
    }
}

/// The end of the server, by signals: the first drains, the second kills.
struct Stop {
    signal: watch::Receiver<bool>,
    _listener: Listener,
}

impl Stop {
    fn listen(engine: Handle) -> Result<Self, Fault> {
        let (sender, signal) = watch::channel(false);
        let listener = Listener::start(move |wish| {
            match wish {
                Wish::Drain => engine.leave(),
                Wish::Kill => engine.kill("loom serve"),
            }
            sender.send_replace(true);
        })?;
        Ok(Self { signal, _listener: listener })
    }
}

/// Goes on with every run that was under way when its process ended.
fn take_up(path: &Path, engine: &Handle) -> Result<usize, Ended> {
    let Some(mut store) = store::look(path)? else { return Ok(0) };
    let mut taken = 0;
    let mut filter = RunFilter {
        states: vec![RunState::Queued, RunState::Running],
        limit: TAKE_UP,
        ..RunFilter::default()
    };
    loop {
        let page = store.list(&filter)?;
        for run in page.runs.iter().filter(|run| !run.alive) {
            let id = run.id;
            let told = Box::new(move |result: Result<(), _>| {
                if let Err(error) = result {
                    tell(&format!("warning: run {id} was not taken up: {error}\n"));
                }
            });
            engine.send(Input::Adopt(id, None, told));
            taken += 1;
        }
        match page.runs.last() {
            Some(last) if page.more => filter.after = Some(last.cursor()),
            _ => return Ok(taken),
        }
    }
}

/// Opens connections to the database.
struct Database(PathBuf);

impl Stores for Database {
    fn query(&self) -> Result<Box<dyn QueryStore>, StoreError> {
        Ok(Box::new(SqliteStore::open_to_look(&self.0, loom_sqlite::Options::default())?))
    }

    fn documents(&self) -> Result<Box<dyn DocumentStore>, StoreError> {
        Ok(Box::new(SqliteStore::open(&self.0, loom_sqlite::Options::default())?))
    }

    fn upkeep(&self) -> Result<Box<dyn UpkeepStore>, StoreError> {
        Ok(Box::new(SqliteStore::open(&self.0, loom_sqlite::Options::default())?))
    }
}

/// The folder that logs are in, one folder a run.
struct LogFolder(PathBuf);

impl Logs for LogFolder {
    fn open(&self, log: LogFile) -> io::Result<File> {
        let name = crate::bridge::log_name(log.task, log.attempt);
        File::open(self.0.join(log.run.to_string()).join(name))
    }
}

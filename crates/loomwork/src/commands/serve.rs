//! `loom serve`: the HTTP API over an engine, until a signal ends it.

mod files;
mod take_up;

pub(crate) use files::Database;

use crate::args::Global;
use crate::args::parse;
use crate::bridge::{self, Bridge};
use crate::fault::{Ended, Fault, Outcome};
use crate::folders::Kernel;
use crate::plugins::Plugins;
use crate::refusal;
use crate::settings::Settings;
use crate::signals::{Listener, Wish};
use crate::store;
use crate::timed::Timed;
use crate::ui::{Ui, Voice};
use crate::web::Embedded;
use files::LogFolder;
use loom_engine::{Engine, Handle, Options, SystemClock, channel};
use loom_protocol::{ErrorCode, ExitCode};
use loom_server::{
    Bell, CommitMeter, Config, JwksSource, JwtConfig, JwtKeys, Limits, LogConfig, Network, Otlp,
    Parts, Reporter, ServeError, Server, Tls,
};
use loom_sqlite::{Files, SqliteStore};
use loom_store::StoreError;
use serde_json::json;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;
use take_up::take_up;
use tokio::sync::watch;

/// How long a server that has stopped waits for its last reports to be delivered.
const REPORT: Duration = Duration::from_secs(2);

pub(crate) fn serve(settings: &Settings, global: &Global, ui: &mut Ui) -> Outcome {
    let path = store::locate(global.store.as_deref())?;
    let config = config(settings)?;
    let tls = config.tls.is_some();
    let store = store::open(&path)?;
    let plugins = Arc::new(Plugins::beside(config.base.clone()));
    let report = settings.report()?;
    let (bell, report_bell) = (Bell::default(), Bell::default());
    let commits = Arc::new(CommitMeter::default());
    let store = Timed::new(store, Arc::clone(&commits));
    let logs = Files::new(&path).logs();
    let engine = Working::start(
        store,
        logs.clone(),
        Arc::clone(&plugins),
        settings,
        &[&bell, &report_bell],
    )?;
    let stop = Stop::listen(engine.handle.clone())?;
    let parts = Parts {
        engine: engine.handle.clone(),
        bell,
        stores: Arc::new(Database(path.clone())),
        plugins,
        logs: Arc::new(LogFolder(logs)),
        folders: Arc::new(Kernel),
        commits,
        pages: Arc::new(Embedded),
        log: Box::new(io::stderr()),
        clock: Arc::new(SystemClock),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::machine("the system gives no threads", error))?;
    let (reporter, warn) = runtime.block_on(async {
        let server = Server::bind(parts, config).await.map_err(refused)?;
        let reporter = report.map(|target| {
            let (stores, clock) = (Database(path.clone()), Arc::new(SystemClock));
            Reporter::start(target, &stores, report_bell, clock, server.warner())
        });
        let reporter = reporter.transpose()?;
        let address = server.address()?;
        let taken = take_up(&path, engine.handle.clone())?;
        let scheme = if tls { "https" } else { "http" };
        say(ui, scheme, &address.to_string(), taken)?;
        let mut signal = stop.signal.clone();
        let stopped = async move {
            // The listener lives as long as this function.
            let _ = signal.wait_for(|stopping| *stopping).await;
        };
        let warn = server.warner();
        server.run(stopped).await;
        Ok::<_, Ended>((reporter, warn))
    })?;
    runtime.shutdown_background();
    let ended = engine.join(settings.time("limits.drain"), warn);
    if let Some(reporter) = reporter {
        reporter.finish(REPORT);
    }
    ended
}

fn config(settings: &Settings) -> Result<Config, Ended> {
    let base = match settings.path("server.base") {
        Some(base) => base,
        None => std::env::current_dir()?,
    };
    let base = base
        .canonicalize()
        .map_err(|error| settings.wrong("server.base", &format!("{}: {error}", base.display())))?;
    let allowed = settings.list("server.host_env").into_iter();
    let host_env = allowed.filter_map(|name| std::env::var(&name).ok().map(|text| (name, text)));
    let cores = || std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
    let count = |key: &str| settings.count(key).expect("it has a default");
    Ok(Config {
        listen: settings.address("server.listen"),
        access: settings.switch("server.access"),
        hosts: settings.list("server.hosts"),
        origins: origins(settings)?,
        trusted_proxies: trusted_proxies(settings)?,
        proxy_header: word(settings, "server.proxy_header")?,
        open_metrics: settings.switch("server.open_metrics"),
        tls: tls(settings)?,
        jwt: jwt(settings)?,
        audit_days: count("audit.days"),
        base,
        host_env: host_env.collect(),
        workers: settings.count("server.workers").unwrap_or_else(cores),
        private_receivers: settings.switch("server.private_receivers"),
        receiver_certificates: settings.path("server.receiver_certificates"),
        watched_folders: watched_folders(settings)?,
        otlp: otlp(settings)?,
        log: LogConfig { style: word(settings, "log.style")?, level: word(settings, "log.level")? },
        limits: Limits {
            body: count("limits.body") as usize,
            silence: settings.time("limits.silence"),
            request: settings.time("limits.request"),
            headers: settings.time("limits.headers"),
            write: settings.time("limits.write"),
            connections: count("limits.connections") as usize,
            address_connections: count("limits.address_connections") as usize,
            streams: count("limits.streams") as usize,
            rate: count("limits.rate"),
            failures: count("limits.failures"),
            stop: settings.time("limits.stop"),
            ..Limits::default()
        },
    })
}

/// Where traces go.
fn otlp(settings: &Settings) -> Result<Option<Otlp>, Fault> {
    let Some(endpoint) = settings.text("otlp.endpoint") else { return Ok(None) };
    let endpoint =
        parse::endpoint(&endpoint).map_err(|why| settings.wrong("otlp.endpoint", &why))?;
    let headers = settings.map("otlp.headers").into_iter().map(|(name, value)| {
        parse::header(&format!("{name}={value}"))
            .map_err(|why| settings.wrong("otlp.headers", &why))
    });
    Ok(Some(Otlp { endpoint, headers: headers.collect::<Result<_, _>>()? }))
}

/// A setting that is one of a few words.
fn word<T: FromStr<Err = String>>(settings: &Settings, key: &str) -> Result<T, Fault> {
    let text = settings.text(key).expect("it has a default");
    text.parse().map_err(|why: String| settings.wrong(key, &why))
}

fn origins(settings: &Settings) -> Result<Vec<String>, Fault> {
    let origins = settings.list("server.cors_origins");
    let is_origin = |text: &String| {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '*', ' ']))
    };
    match origins.iter().find(|origin| !is_origin(origin)) {
        None => Ok(origins),
        Some(wrong) => Err(settings
            .wrong("server.cors_origins", &format!("`{wrong}` is no origin"))
            .help("an origin is a scheme, a host and perhaps a port: https://ci.example:8443")),
    }
}

fn trusted_proxies(settings: &Settings) -> Result<Vec<Network>, Fault> {
    let listed = settings.list("server.trusted_proxies");
    let read = listed.iter().map(|text| text.parse()).collect::<Result<_, String>>();
    read.map_err(|why| settings.wrong("server.trusted_proxies", &why))
}

/// The folders whose files may start runs, without links in their paths.
fn watched_folders(settings: &Settings) -> Result<Vec<PathBuf>, Fault> {
    let key = "server.watched_folders";
    let real = |folder: String| match PathBuf::from(&folder) {
        path if !path.is_absolute() => {
            Err(settings.wrong(key, &format!("`{folder}` is no absolute path")))
        }
        path => match path.canonicalize() {
            Ok(real) if real.is_dir() => Ok(real),
            Ok(_) => Err(settings.wrong(key, &format!("`{folder}` is no folder"))),
            Err(error) => Err(settings.wrong(key, &format!("{folder}: {error}"))),
        },
    };
    settings.list(key).into_iter().map(real).collect()
}

fn tls(settings: &Settings) -> Result<Option<Tls>, Fault> {
    match (settings.path("tls.certificate"), settings.path("tls.key")) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some(Tls { certificate, key })),
        (Some(_), None) => Err(settings.wrong("tls.key", "a certificate needs its key")),
        (None, Some(_)) => Err(settings.wrong("tls.certificate", "a key needs its certificate")),
    }
}

fn jwt(settings: &Settings) -> Result<Option<JwtConfig>, Fault> {
    let keys = match (settings.text("jwt.secret"), settings.text("jwt.jwks")) {
        (Some(secret), None) => Some(JwtKeys::Secret(secret)),
        (None, Some(url)) if url.contains("://") => Some(JwtKeys::Jwks(JwksSource::Url(url))),
        (None, Some(path)) => Some(JwtKeys::Jwks(JwksSource::File(path.into()))),
        (None, None) => None,
        (Some(_), Some(_)) => {
            return Err(settings.wrong("jwt.jwks", "there is a `jwt.secret` too; set one of them"));
        }
    };
    match (settings.text("jwt.issuer"), settings.text("jwt.audience"), keys) {
        (None, None, None) => Ok(None),
        (Some(issuer), Some(audience), Some(keys)) => Ok(Some(JwtConfig {
            issuer,
            audience,
            keys,
            name_claim: settings.text("jwt.name_claim").expect("it has a default"),
            roles_claim: settings.text("jwt.roles_claim").expect("it has a default"),
            roles: settings.map("jwt.roles"),
            namespaces_claim: settings.text("jwt.namespaces_claim"),
        })),
        (None, ..) => Err(settings.wrong("jwt.issuer", "it is needed to take JSON Web Tokens")),
        (_, None, _) => Err(settings.wrong("jwt.audience", "it is needed to take JSON Web Tokens")),
        (_, _, None) => Err(settings.wrong("jwt.jwks", "it, or `jwt.secret`, is needed")),
    }
}

/// Says where the server listens.
fn say(ui: &mut Ui, scheme: &str, address: &str, taken: usize) -> Result<(), Ended> {
    match ui.voice {
        Voice::Json => ui.json(&json!({
            "type": "server.listening", "address": address, "taken_up": taken,
        }))?,
        Voice::Quiet => {}
        Voice::Human => {
            if taken > 0 {
                ui.remark(&format!("{taken} interrupted runs go on"));
            }
            if let Some(why) = loom_ui::MISSING {
                ui.remark(&format!("this build has no web interface: {why}"));
            }
            ui.print(&format!("loom serves {scheme}://{address}\n"))?;
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
        ServeError::Setting(what) => Fault::new(ErrorCode::BadSetting, what)
            .help("`loom config` prints what is in force and where each value came from")
            .into(),
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
        store: Timed<SqliteStore>,
        logs: PathBuf,
        plugins: Arc<Plugins>,
        settings: &Settings,
        bells: &[&Bell],
    ) -> Result<Self, Fault> {
        let worker = bridge::worker(settings.text("permissions_url"), plugins)?;
        let queues = settings.queues()?.into_iter().collect();
        let options = Options { queues, ..Options::default() };
        let (handle, inbox) = channel(&options);
        let bridge = Bridge::new(worker, handle.clone(), logs);
        let mut engine = Engine::new(Box::new(store), Box::new(bridge), options);
        for bell in bells {
            engine.observe(Box::new(bell.ringer()));
        }
        engine.observe(Box::new(refusal::Unreadable));
        let thread = engine.spawn(inbox, Arc::new(SystemClock));
        Ok(Self { handle, thread })
    }

    /// Waits until what is under way has ended, or was ended: after this time at the latest, which is
    /// then said.
    fn join(self, patience: Duration, warn: impl Fn(&str) + Send + 'static) -> Outcome {
        let (ended, over) = mpsc::channel::<()>();
        let handle = self.handle.clone();
        let hurry = move || {
            if over.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                warn(
                    "tasks under way take too long and are interrupted; the next server goes on with them",
                );
                handle.kill("loom serve");
            }
        };
        // Without a thread for it, a second signal still ends them.
        let _ = std::thread::Builder::new().name("loom-drain".into()).spawn(hurry);
        let joined = self.thread.join();
        drop(ended);
        match joined {
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

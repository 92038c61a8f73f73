//! What can be set about a server, with its defaults.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A server's settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen. Another address than loopback is refused without access control.
    pub listen: SocketAddr,
    /// Whether callers must show a token. Off is for one person on one machine.
    pub access: bool,
    /// The folder that relative paths of registered workflows start from.
    pub base: PathBuf,
    /// Variables that `{{ENV:…}}` of registered workflows may name. Nothing else of the server's
    /// environment can be read through a workflow that somebody sent.
    pub host_env: BTreeMap<String, String>,
    /// The most tasks of a run at once, unless its `MAX_WORKERS` says otherwise.
    pub workers: u32,
    /// What strangers may make large.
    pub limits: Limits,
}

/// The limits of what callers can make large.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The most bytes of a request's body.
    pub body: usize,
    /// How long a request may take, streams excepted.
    pub request: Duration,
    /// How long a client may take to send its headers.
    pub headers: Duration,
    /// The most connections at once.
    pub connections: usize,
    /// The most event streams at once.
    pub streams: usize,
    /// The most items of a page.
    pub page: usize,
    /// The most runs of one batch call.
    pub batch: usize,
    /// Of workflow documents.
    pub workflow: loom_spec::Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 4 << 20,
            request: Duration::from_secs(30),
            headers: Duration::from_secs(10),
            connections: 4096,
            streams: 2048,
            page: 200,
            batch: 1000,
            workflow: loom_spec::Limits::default(),
        }
    }
}

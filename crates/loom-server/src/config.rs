//! What can be set about a server, with its defaults.

use crate::http::ProxyHeader;
use crate::insight::Otlp;
use crate::log::LogConfig;
use crate::network::Network;
use crate::problem::Problem;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How many items a page has, unless somebody asks for another number.
pub(crate) const PAGE: usize = 50;

/// A server's settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen. Another address than loopback is refused without access control.
    pub listen: SocketAddr,
    /// Whether callers must show a token. Off is for one person on one machine.
    pub access: bool,
    /// The names of this server, beside `localhost` and addresses of loopback, that requests may
    /// be for while access control is off.
    pub hosts: Vec<String>,
    /// The origins whose pages may call from a browser, such as `https://ci.example`.
    pub origins: Vec<String>,
    /// The proxies that are believed whom they speak for.
    pub trusted_proxies: Vec<Network>,
    /// Where they say it.
    pub proxy_header: ProxyHeader,
    /// Whether `/metrics` is open to everybody.
    pub open_metrics: bool,
    /// The certificate, if connections are encrypted.
    pub tls: Option<Tls>,
    /// The issuer of JSON Web Tokens, if they are taken.
    pub jwt: Option<JwtConfig>,
    /// For how many days changes are kept in the audit log.
    pub audit_days: u32,
    /// The folder that relative paths of registered workflows start from.
    pub base: PathBuf,
    /// Variables that `{{ENV:…}}` of registered workflows may name. Nothing else of the server's
    /// environment can be read through a workflow that somebody sent.
    pub host_env: BTreeMap<String, String>,
    /// The most tasks of a run at once, unless its `MAX_WORKERS` says otherwise.
    pub workers: u32,
    /// Where traces go, if anywhere.
    pub otlp: Option<Otlp>,
    /// What is logged, and how.
    pub log: LogConfig,
    /// Whether webhooks may lead into the server's own network.
    pub private_receivers: bool,
    /// A file in PEM with what the certificates of webhooks' receivers are signed by; those of
    /// Mozilla's list without one.
    pub receiver_certificates: Option<PathBuf>,
    /// The folders whose files may start runs.
    pub watched_folders: Vec<PathBuf>,
    /// What strangers may make large.
    pub limits: Limits,
}

/// Files in PEM with which connections are encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate, followed by those between it and the authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// How JSON Web Tokens are checked, and what they are worth.
#[derive(Clone, PartialEq, Eq)]
pub struct JwtConfig {
    /// What `iss` has to be.
    pub issuer: String,
    /// What has to be in `aud`.
    pub audience: String,
    /// What verifies them.
    pub keys: JwtKeys,
    /// The claim with the caller's name.
    pub name_claim: String,
    /// The claim with roles: a list, or names with spaces between them.
    pub roles_claim: String,
    /// Our names for the issuer's roles. Those that are not here are taken as they are.
    pub roles: BTreeMap<String, String>,
    /// The claim with namespaces, `*` for all. Without one, callers may act in all.
    pub namespaces_claim: Option<String>,
}

/// What verifies JSON Web Tokens.
#[derive(Clone, PartialEq, Eq)]
pub enum JwtKeys {
    /// A shared secret (HS256, HS384, HS512).
    Secret(String),
    /// Public keys (RS, PS and ES algorithms).
    Jwks(JwksSource),
}

/// Where a JWKS document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JwksSource {
    /// In a file.
    File(PathBuf),
    /// At a URL.
    Url(String),
}

impl std::fmt::Debug for JwtConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The secret is nobody's business.
        f.debug_struct("JwtConfig")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

/// The limits of what callers can make large.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The most bytes of a request's body.
    pub body: usize,
    /// The most bytes of the body of a report; dotflow's contexts are JSON in JSON.
    pub report_body: usize,
    /// For how long nothing may be heard of a reported run before it counts as lost.
    pub silence: Duration,
    /// How long a request may take, streams excepted.
    pub request: Duration,
    /// How long a client may take to send its headers.
    pub headers: Duration,
    /// How long a client may take nothing of an answer that waits for it.
    pub write: Duration,
    /// The most connections at once.
    pub connections: usize,
    /// The most connections of one address at once; those of trusted proxies are not counted.
    pub address_connections: usize,
    /// The most calls of one client in a second; 0 for any number.
    pub rate: u32,
    /// The most calls of one address in a minute that show nothing which is known; 0 for any number.
    pub failures: u32,
    /// How long a server that is being stopped waits for what is under way.
    pub stop: Duration,
    /// The most event streams at once.
    pub streams: usize,
    /// The most items of a page.
    pub page: usize,
    /// The most runs of one batch call.
    pub batch: usize,
    /// The most attempts that analytics cover: the newest. Each takes 64 bytes.
    pub analytics_attempts: usize,
    /// The most workflows that metrics tell apart; the rest are one.
    pub metric_workflows: usize,
    /// Of workflow documents.
    pub workflow: loom_spec::Limits,
}

impl Limits {
    /// How many items a page may have: what `name` asked for, within the limit.
    pub(crate) fn page(&self, name: &str, asked: Option<usize>) -> Result<usize, Problem> {
        match asked {
            None => Ok(self.page.min(PAGE)),
            Some(asked) if (1..=self.page).contains(&asked) => Ok(asked),
            Some(_) => Err(Problem::argument(format!("`{name}` is 1 to {}", self.page))),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 4 << 20,
            report_body: 16 << 20,
            silence: Duration::from_hours(24),
            request: Duration::from_secs(30),
            headers: Duration::from_secs(10),
            write: Duration::from_secs(30),
            connections: 4096,
            address_connections: 2048,
            rate: 0,
            failures: 60,
            stop: Duration::from_secs(10),
            streams: 2048,
            page: 200,
            batch: 1000,
            analytics_attempts: 1_000_000,
            metric_workflows: 200,
            workflow: loom_spec::Limits::default(),
        }
    }
}

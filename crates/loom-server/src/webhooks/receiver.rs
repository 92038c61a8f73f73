//! Posting to receivers.
//!
//! A receiver's address was written by a stranger. Unless private addresses are allowed, a
//! connection is made to a public address alone; that is checked on what the name was resolved to,
//! for each connection. Redirects are not followed, and no proxy of the environment is used.

use super::address::is_public;
use super::signature::Secrets;
use crate::config;
use crate::problem::Problem;
use crate::serve::ServeError;
use crate::tls;
use loom_core::Timestamp;
use std::io;
use std::net::IpAddr;
use std::time::Duration;
use tokio_rustls::rustls::pki_types::CertificateDer;
use ureq::Agent;
use ureq::config::Config;
use ureq::http::{HeaderValue, StatusCode, Uri, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

/// How long a receiver may take, from the look-up of its name to its answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest address of a receiver.
const URL_MAX: usize = 2048;

/// The way to all receivers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Receivers {
    agent: Agent,
    private: bool,
}

/// One thing to post.
pub(super) struct Parcel {
    pub(super) url: String,
    pub(super) id: String,
    /// By what callers know the matter of the event's run; nothing if it has none.
    pub(super) correlation_id: String,
    pub(super) body: Vec<u8>,
    pub(super) secrets: Secrets,
}

/// How a post went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// The receiver took it.
    Taken(u16),
    /// The receiver answered that it did not.
    Refused {
        /// Its status.
        status: u16,
        /// The wait that it asked for.
        wait: Option<Duration>,
    },
    /// There was no answer.
    Lost(String),
}

impl Reply {
    /// The receiver's status, if it answered.
    pub(super) const fn status(&self) -> Option<u16> {
        match self {
            Self::Taken(status) | Self::Refused { status, .. } => Some(*status),
            Self::Lost(_) => None,
        }
    }

    /// Why it was not taken; `None` if it was.
    pub(super) fn error(&self) -> Option<String> {
        match self {
            Self::Taken(_) => None,
            Self::Refused { status, .. } => Some(format!("the receiver answered {status}")),
            Self::Lost(why) => Some(why.clone()),
        }
    }
}

impl Receivers {
    /// As the settings say: whether receivers may be in the server's own network, and what their
    /// certificates are signed by.
    pub(crate) fn new(config: &config::Config) -> Result<Self, ServeError> {
        let roots = match &config.receiver_certificates {
            None => RootCerts::WebPki,
            Some(file) => {
                let found = tls::certificates(file)?;
                let of = |it: &CertificateDer<'_>| Certificate::from_der(it).to_owned();
                RootCerts::new_with_certs(&found.iter().map(of).collect::<Vec<_>>())
            }
        };
        Ok(Self::with(config.private_receivers, roots))
    }

    fn with(private: bool, roots: RootCerts) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .user_agent(concat!("loom/", env!("CARGO_PKG_VERSION")))
            .build();
        let guard = Guard { private, names: DefaultResolver::default() };
        Self { agent: Agent::with_parts(config, DefaultConnector::default(), guard), private }
    }

    /// Refuses what is no address of a receiver.
    pub(super) fn check(&self, url: &str) -> Result<(), Problem> {
        let wrong = |what: &str| Problem::argument(format!("`url` {what}"));
        if url.len() > URL_MAX {
            return Err(wrong("is too long"));
        }
        let uri: Uri = url.parse().map_err(|error| wrong(&format!("is no address: {error}")))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(wrong("begins with neither http:// nor https://"));
        }
        let authority = uri.authority().ok_or_else(|| wrong("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("carries a password: deliveries are signed instead"));
        }
        let literal = authority.host().trim_matches(['[', ']']).parse::<IpAddr>();
        match literal {
            Ok(address) if !self.private && !is_public(address) => {
                Err(wrong("leads into the server's own network")
                    .help("--private-receivers allows that, for all webhooks"))
            }
            _ => Ok(()),
        }
    }

    /// Posts a parcel.
    pub(super) async fn post(&self, parcel: Parcel, now: Timestamp) -> Reply {
        let agent = self.agent.clone();
        let posted = tokio::task::spawn_blocking(move || post(&agent, &parcel, now));
        posted.await.unwrap_or_else(|_| Reply::Lost("the server is stopping".to_owned()))
    }
}

fn post(agent: &Agent, parcel: &Parcel, now: Timestamp) -> Reply {
    let mut request = agent
        .post(&parcel.url)
        .header(header::CONTENT_TYPE, "application/json")
        .header("webhook-id", &parcel.id)
        .header("webhook-timestamp", (now.0 / 1_000_000).to_string())
        .header("webhook-signature", parcel.secrets.sign(&parcel.id, now, &parcel.body));
    // One that no header has is left out: the event counts for more.
    let matter = HeaderValue::from_bytes(parcel.correlation_id.as_bytes());
    if let Some(matter) = matter.ok().filter(|matter| !matter.is_empty()) {
        request = request.header("x-correlation-id", matter);
    }
    match request.send(&parcel.body[..]) {
        Ok(answer) if answer.status().is_success() => Reply::Taken(answer.status().as_u16()),
        Ok(answer) => {
            let status = answer.status();
            let asks = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
            let wait = answer.headers().get(header::RETRY_AFTER).filter(|_| asks.contains(&status));
            let seconds = wait.and_then(|wait| wait.to_str().ok()?.trim().parse().ok());
            Reply::Refused { status: status.as_u16(), wait: seconds.map(Duration::from_secs) }
        }
        Err(ureq::Error::Timeout(_)) => {
            Reply::Lost(format!("the receiver took longer than {} s", PATIENCE.as_secs()))
        }
        Err(ureq::Error::HostNotFound) => Reply::Lost("the host's name is not known".to_owned()),
        Err(ureq::Error::Io(error)) => Reply::Lost(error.to_string()),
        Err(error) => Reply::Lost(error.to_string()),
    }
}

/// Resolves names to addresses that may be connected to.
#[derive(Debug)]
struct Guard {
    private: bool,
    names: DefaultResolver,
}

impl Resolver for Guard {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.names.resolve(uri, config, timeout)?;
        if self.private || found.iter().all(|address| is_public(address.ip())) {
            return Ok(found);
        }
        let what = "the receiver's name leads into the server's own network";
        Err(ureq::Error::Io(io::Error::new(io::ErrorKind::PermissionDenied, what)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::signature::Secret;
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn addresses_of_receivers_are_checked() {
        let public = Receivers::with(false, RootCerts::WebPki);
        for right in ["https://example.org/hook?x=1", "http://example.org:8080", "http://1.1.1.1/"]
        {
            public.check(right).unwrap();
        }
        for wrong in [
            "",
            "example.org",
            "ftp://example.org/",
            "file:///etc/passwd",
            "http://a:b@example.org/",
            "http://127.0.0.1/",
            "http://[::1]:80/",
            "http://169.254.169.254/latest",
            "http://",
        ] {
            assert!(public.check(wrong).is_err(), "{wrong}");
        }
        assert!(public.check(&format!("http://example.org/{}", "x".repeat(URL_MAX))).is_err());
        Receivers::with(true, RootCerts::WebPki).check("http://127.0.0.1/").unwrap();
    }

    #[test]
    fn a_name_that_leads_inside_is_not_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://localhost:{}/", listener.local_addr().unwrap().port());
        let secrets = Secrets::new(Secret::generate().unwrap());
        let (id, correlation_id) = ("1-0".to_owned(), String::new());
        let parcel = Parcel { url, id, correlation_id, body: Vec::new(), secrets };
        let Receivers { agent, .. } = Receivers::with(false, RootCerts::WebPki);
        let Reply::Lost(why) = post(&agent, &parcel, Timestamp(0)) else { panic!("it was sent") };
        assert!(why.contains("own network"), "{why}");
        listener.set_nonblocking(true).unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}

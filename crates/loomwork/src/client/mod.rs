//! A server, spoken to over HTTP: one request, one answer, and the server's errors as ours.

mod address;
mod answer;
mod frames;
mod redial;
mod stream;

pub(crate) use address::{path, query};
pub(crate) use answer::is_passing;
pub(crate) use frames::Frame;
pub(crate) use redial::{Redial, persist};
pub(crate) use stream::{News, WAITING_MAX, follow};

use crate::fault::Fault;
use crate::settings::Settings;
use address::Address;
use loom_protocol::ErrorCode;
use loom_protocol::api::ProblemDocument;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::Read;
use std::time::Duration;
use ureq::http::{Method, Request, Response, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, AsSendBody, Body};

/// How long it may take to reach the server.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take, streams excepted.
const ANSWER: Duration = Duration::from_mins(1);
/// How long a whole log may take.
const LOG: Duration = Duration::from_mins(30);
/// How long a stream may be silent. A server says three times in this time that it lives; one that is
/// gone without a word is noticed then.
const SILENCE: Duration = Duration::from_secs(45);
/// The most bytes of a file with a token.
const TOKEN_MAX: u64 = 1 << 16;

/// A server, and what it is shown. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Client {
    agent: Agent,
    address: Address,
    /// The header; told to nobody but the server.
    authorization: Option<String>,
}

/// A request.
pub(crate) struct Call {
    method: Method,
    path: String,
    /// The body, and the type of its content.
    body: Option<(&'static str, Vec<u8>)>,
    header: Option<(&'static str, String)>,
    patience: Patience,
}

/// How long an answer may take.
#[derive(Clone, Copy)]
enum Patience {
    /// In all.
    Whole(Duration),
    /// From one piece of it to the next.
    Piece(Duration),
}

impl Call {
    pub(crate) fn get(path: String) -> Self {
        Self {
            method: Method::GET,
            path,
            body: None,
            header: None,
            patience: Patience::Whole(ANSWER),
        }
    }

    pub(crate) fn post(path: String, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("its keys are text");
        Self { method: Method::POST, body: Some(("application/json", body)), ..Self::get(path) }
    }

    /// A workflow document, as it is.
    pub(crate) fn post_yaml(path: String, text: &str) -> Self {
        let body = Some(("application/yaml", text.as_bytes().to_vec()));
        Self { method: Method::POST, body, ..Self::get(path) }
    }

    /// With one header more.
    pub(crate) fn header(self, name: &'static str, value: String) -> Self {
        Self { header: Some((name, value)), ..self }
    }

    /// For an answer that comes piece by piece, as things happen.
    pub(crate) fn stream(self) -> Self {
        Self { patience: Patience::Piece(SILENCE), ..self }
    }

    /// For a large answer that is there already.
    pub(crate) fn large(self) -> Self {
        Self { patience: Patience::Whole(LOG), ..self }
    }
}

impl Client {
    /// The server that is set at this address. Nothing is sent.
    pub(crate) fn new(url: &str, settings: &Settings) -> Result<Self, Fault> {
        let address = Address::parse(url).map_err(|why| settings.wrong("client.server", &why))?;
        let token = token(settings)?;
        if token.is_some() && address.is_open() && !settings.switch("client.insecure_token") {
            let message = format!(
                "{address} is plain http to another machine, and so would show the token to everybody \
                 on the way"
            );
            return Err(Fault::new(ErrorCode::TokenInTheOpen, message)
                .help("use https, or a tunnel to this machine")
                .help("if the way is safe for other reasons: --insecure-token"));
        }
        let roots = match certificates(settings) {
            None => RootCerts::WebPki,
            Some((key, file)) => {
                let found = loom_worker::read_certificates(file.as_ref());
                let found = found.map_err(|why| match key {
                    Some(key) => settings.wrong(key, &why),
                    None => Fault::new(ErrorCode::BadSetting, format!("SSL_CERT_FILE: {why}")),
                })?;
                RootCerts::new_with_certs(&found)
            }
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT))
            .user_agent(concat!("loom/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(roots).build());
        let config = if address.is_loopback() { config.proxy(None) } else { config };
        let authorization = token.map(|token| format!("Bearer {token}"));
        Ok(Self { agent: config.build().into(), address, authorization })
    }

    /// What the server says to a request that must succeed.
    pub(crate) fn ask<T: DeserializeOwned>(&self, call: Call) -> Result<T, Fault> {
        self.attempt(call)?.map_err(|problem| self.told(problem))
    }

    /// What the server says, be it that something is wrong.
    pub(crate) fn attempt<T: DeserializeOwned>(
        &self,
        call: Call,
    ) -> Result<Result<T, ProblemDocument>, Fault> {
        let path = call.path.clone();
        let answer = self.send(call)?;
        match self.good(&path, answer)? {
            Ok(mut body) => self.document(&path, &mut body).map(Ok),
            Err(problem) => Ok(Err(problem)),
        }
    }

    /// An answer to be read piece by piece. It ends with an error when its time is over.
    pub(crate) fn open(&self, call: Call) -> Result<Body, Fault> {
        let path = call.path.clone();
        let answer = self.send(call)?;
        self.good(&path, answer)?.map_err(|problem| self.told(problem))
    }

    fn send(&self, call: Call) -> Result<Response<Body>, Fault> {
        let Call { method, path, body, header, patience } = call;
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.address));
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        match body {
            None => self.run(request.body(()), patience),
            Some((kind, body)) => {
                self.run(request.header(header::CONTENT_TYPE, kind).body(body), patience)
            }
        }
    }

    fn run<B: AsSendBody>(
        &self,
        request: Result<Request<B>, ureq::http::Error>,
        patience: Patience,
    ) -> Result<Response<Body>, Fault> {
        let request = request.map_err(|error| {
            let message = format!("no request can be made for {}: {error}", self.address);
            Fault::new(ErrorCode::BadArgument, message)
        })?;
        let config = self.agent.configure_request(request);
        let request = match patience {
            Patience::Whole(whole) => config.timeout_global(Some(whole)),
            Patience::Piece(piece) => config.timeout_per_read(Some(piece)),
        };
        let request = request.build();
        self.agent.run(request).map_err(|error| self.unreached(&error))
    }
}

/// What the server is shown, if anything.
fn token(settings: &Settings) -> Result<Option<String>, Fault> {
    let Some(key) = settings.either("client.token", "client.token_file")? else { return Ok(None) };
    let wrong = |why: &str| settings.wrong(key, why);
    let text = settings.text(key).expect("it is set");
    let is_file = key == "client.token_file";
    let text = if is_file { read_token(&text).map_err(|why| wrong(&why))? } else { text };
    let token = text.trim();
    if token.is_empty() {
        return Err(wrong("there is no token in it"));
    }
    // What it is, is not repeated.
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong("a token is one word of visible ASCII characters, and this is not"));
    }
    Ok(Some(token.to_owned()))
}

fn read_token(path: &str) -> Result<String, String> {
    let mut token = String::new();
    let file = File::open(path).map_err(|error| format!("{path}: {error}"))?;
    let read = file.take(TOKEN_MAX + 1).read_to_string(&mut token);
    read.map_err(|error| format!("{path}: {error}"))?;
    if token.len() as u64 > TOKEN_MAX {
        return Err(format!("{path} has more than {TOKEN_MAX} bytes"));
    }
    Ok(token)
}

/// The file with the certificates to trust, and the setting that names it.
fn certificates(settings: &Settings) -> Option<(Option<&'static str>, String)> {
    let key = "client.ca";
    let ours = settings.text(key).map(|file| (Some(key), file));
    ours.or_else(|| {
        let file = std::env::var("SSL_CERT_FILE").ok().filter(|file| !file.is_empty())?;
        Some((None, file))
    })
}

//! The collector, over HTTP.

use std::time::Duration;
use ureq::Agent;

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where traces go.
#[derive(Clone, Debug)]
pub struct Otlp {
    /// The collector's address, to which `/v1/traces` is added.
    pub endpoint: String,
    /// Sent with every request.
    pub headers: Vec<(String, String)>,
}

/// The way to it.
pub(super) struct Collector {
    agent: Agent,
    url: String,
    headers: Vec<(String, String)>,
}

/// Why spans were not taken.
pub(super) enum Refused {
    /// It may go better later, after this long if the collector said so.
    ForNow(String, Option<Duration>),
    ForGood(String),
}

impl Collector {
    pub(super) fn new(otlp: Otlp) -> Self {
        let config = Agent::config_builder().timeout_global(Some(PATIENCE)).max_redirects(0);
        let agent = config.http_status_as_error(false).build().new_agent();
        let url = format!("{}/v1/traces", otlp.endpoint.trim_end_matches('/'));
        Self { agent, url, headers: otlp.headers }
    }

    /// Sends a request once.
    pub(super) fn post(&self, body: &[u8]) -> Result<(), Refused> {
        let mut request =
            self.agent.post(&self.url).header("content-type", "application/x-protobuf");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let response =
            request.send(body).map_err(|error| Refused::ForNow(error.to_string(), None))?;
        let status = response.status().as_u16();
        let why = || format!("it answered with status {status}");
        match status {
            200..=299 => Ok(()),
            429 | 502 | 503 | 504 => {
                let asked = response.headers().get("retry-after");
                let asked = asked.and_then(|value| value.to_str().ok()?.parse().ok());
                Err(Refused::ForNow(why(), asked.map(Duration::from_secs)))
            }
            _ => Err(Refused::ForGood(why())),
        }
    }
}

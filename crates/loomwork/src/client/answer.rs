//! What a server answers, and what is told of it.

use super::Client;
use crate::fault::Fault;
use loom_protocol::ErrorCode;
use loom_protocol::api::ProblemDocument;
use serde::de::DeserializeOwned;
use ureq::Body;
use ureq::http::{Response, StatusCode, header};

/// The most bytes of a document, or of one event.
pub(super) const DOCUMENT_MAX: u64 = 256 << 20;
/// The most bytes of what a server says about an error.
const PROBLEM_MAX: u64 = 4 << 20;

impl Client {
    /// The body of a good answer, or what is wrong.
    pub(super) fn good(
        &self,
        path: &str,
        answer: Response<Body>,
    ) -> Result<Result<Body, ProblemDocument>, Fault> {
        let status = answer.status();
        if status.is_success() {
            return Ok(Ok(answer.into_body()));
        }
        if status.is_redirection() {
            let to = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
            let to = to.unwrap_or("an address that it does not say");
            return Err(self
                .bad(path, &format!("it leads to {to}"))
                .help("give the address of the server itself: a token is shown to no other"));
        }
        let mut body = answer.into_body();
        let text = body.with_config().limit(PROBLEM_MAX).read_to_vec().unwrap_or_default();
        serde_json::from_slice(&text).map(Err).map_err(|_| self.strange(path, status))
    }

    /// A document.
    pub(super) fn document<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &mut Body,
    ) -> Result<T, Fault> {
        let text = body.with_config().limit(DOCUMENT_MAX).read_to_vec();
        let text = text.map_err(|error| self.unreached(&error))?;
        serde_json::from_slice(&text).map_err(|error| self.bad(path, &error.to_string()))
    }

    /// An error of the server as one of ours, with its own code.
    pub(crate) fn told(&self, problem: ProblemDocument) -> Fault {
        let ProblemDocument { code, detail, help, .. } = problem;
        let number = code.strip_prefix('L').and_then(|number| number.parse().ok());
        let Some(known) = number.and_then(ErrorCode::from_number) else {
            let message = format!(
                "{} tells of an error that this loom does not know: {code}: {detail}",
                self.address
            );
            return Fault::new(ErrorCode::BadAnswer, message)
                .help("the server may be newer: see the page of the error in its documentation");
        };
        let fault = help.into_iter().fold(Fault::new(known, detail), Fault::help);
        match (known, &self.authorization) {
            (ErrorCode::Unauthenticated, None) => fault
                .help("show the server a token: --token-file FILE, LOOM_TOKEN_FILE or LOOM_TOKEN"),
            (ErrorCode::Unauthenticated, Some(_)) => {
                fault.help("the token that was shown is none of the server's, or is over")
            }
            _ => fault,
        }
    }

    /// An answer that is no document of a Loomwork server.
    fn strange(&self, path: &str, status: StatusCode) -> Fault {
        let gateway =
            [StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE, StatusCode::GATEWAY_TIMEOUT];
        if gateway.contains(&status) {
            let message =
                format!("{} cannot be reached: what stands before it says {status}", self.address);
            return Fault::new(ErrorCode::ServerUnreachable, message);
        }
        self.bad(path, &format!("its status is {status}, and it does not say why"))
    }

    /// An answer that is not what a Loomwork server says.
    pub(crate) fn bad(&self, path: &str, why: &str) -> Fault {
        let message = format!("the answer of {}{path} is not understood: {why}", self.address);
        Fault::new(ErrorCode::BadAnswer, message)
            .help("is it a Loomwork server, and of this version? `loom --version` tells yours")
    }

    /// No answer came.
    pub(super) fn unreached(&self, error: &ureq::Error) -> Fault {
        let why = match error {
            ureq::Error::HostNotFound => "the host's name is not known".to_owned(),
            ureq::Error::Timeout(_) => "it takes too long".to_owned(),
            ureq::Error::BodyExceedsLimit(most) => {
                let message = format!("{} answers with more than {most} bytes", self.address);
                return Fault::new(ErrorCode::BadAnswer, message);
            }
            ureq::Error::Io(error) => error.to_string(),
            error => error.to_string(),
        };
        let fault = Fault::new(
            ErrorCode::ServerUnreachable,
            format!("{} cannot be reached: {why}", self.address),
        );
        // The error of TLS comes wrapped by others, so its text tells.
        if why.contains("CaUsedAsEndEntity") {
            return fault
                .help("the server shows the certificate of an authority (CA:TRUE), which stands for no server")
                .help("have `openssl req -x509` make one with -addext basicConstraints=critical,CA:FALSE");
        }
        if why.contains("invalid peer certificate") {
            return fault.help("if that is as it should be, name what it is signed by: --ca FILE");
        }
        fault
            .help("`loom serve` says where it listens; --server, or LOOM_SERVER, says where to ask")
    }
}

/// Whether the same may succeed a little later.
pub(crate) fn is_passing(fault: &Fault) -> bool {
    matches!(
        fault.code,
        ErrorCode::ServerUnreachable
            | ErrorCode::ServerBusy
            | ErrorCode::ServerStopping
            | ErrorCode::StoreBusy
            | ErrorCode::TooManyRequests
            | ErrorCode::RequestTimeout
    )
}

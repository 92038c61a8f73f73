//! How a request fails: RFC 9457 problem documents with Loomwork's own codes.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use loom_core::Refusal;
use loom_engine::EngineError;
use loom_protocol::ErrorCode;
use loom_protocol::api::{DiagnosticInfo, ProblemDocument};
use loom_store::{Stale, StoreError};
use std::fmt;
use std::time::Duration;

/// The most bytes of a message: it may repeat what a caller sent, who may ask many times at once.
const MESSAGE_MAX: usize = 2048;

/// Why a request was not done. Nothing of it took effect, unless `message` says otherwise.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The documented code; it decides the status.
    pub code: ErrorCode,
    /// What happened and where.
    pub message: String,
    /// How to mend it.
    pub help: Vec<String>,
    /// The places of a document that are wrong.
    pub diagnostics: Vec<DiagnosticInfo>,
    /// When it makes sense to try again.
    pub retry_after: Option<Duration>,
}

impl Problem {
    /// A problem without advice. Of a very long message the beginning is kept.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let (help, diagnostics) = (Vec::new(), Vec::new());
        let mut message = message.into();
        if message.len() > MESSAGE_MAX {
            message.truncate(message.floor_char_boundary(MESSAGE_MAX));
            message.push('…');
        }
        Self { code, message, help, diagnostics, retry_after: None }
    }

    /// Adds a way to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// An argument, header or part of the body is wrong.
    pub fn argument(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadArgument, message)
    }

    /// There is no such thing, or the caller may not know of it.
    pub fn missing(kind: &str, name: &str) -> Self {
        Self::new(ErrorCode::NotFound, format!("there is no {kind} `{name}`"))
    }

    /// Too much is under way.
    pub fn busy(message: impl Into<String>) -> Self {
        let retry_after = Some(Duration::from_secs(1));
        Self { retry_after, ..Self::new(ErrorCode::ServerBusy, message) }
    }

    /// The server is being stopped.
    pub fn stopping() -> Self {
        let retry_after = Some(Duration::from_secs(5));
        Self { retry_after, ..Self::new(ErrorCode::ServerStopping, "the server is stopping") }
    }

    /// A document changed since the caller looked at it.
    pub fn stale(what: &Stale) -> Self {
        let message = format!("{} `{}` was changed meanwhile", what.collection, what.key);
        Self::new(ErrorCode::PreconditionFailed, message).help("get it again and repeat the change")
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self.code {
            ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
            ErrorCode::Forbidden => StatusCode::FORBIDDEN,
            ErrorCode::NoSuchRun | ErrorCode::NoSuchTask | ErrorCode::NotFound => {
                StatusCode::NOT_FOUND
            }
            ErrorCode::BadRange => StatusCode::RANGE_NOT_SATISFIABLE,
            ErrorCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            ErrorCode::Refused
            | ErrorCode::RunIsAlive
            | ErrorCode::ExternalRun
            | ErrorCode::AlreadyThere
            | ErrorCode::LimitReached => StatusCode::CONFLICT,
            ErrorCode::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            ErrorCode::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorCode::TooManyRequests | ErrorCode::LimitFull => StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            ErrorCode::ServerBusy | ErrorCode::ServerStopping | ErrorCode::StoreBusy => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            ErrorCode::BadArgument | ErrorCode::BadQuery | ErrorCode::QueryTooLarge => {
                StatusCode::BAD_REQUEST
            }
            ErrorCode::StoreFull => StatusCode::INSUFFICIENT_STORAGE,
            code => match code.area().exit() {
                loom_protocol::ExitCode::Machine => StatusCode::INTERNAL_SERVER_ERROR,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            },
        }
    }

    /// The document that the caller reads.
    pub fn document(&self) -> ProblemDocument {
        ProblemDocument {
            kind: format!("urn:loomwork:error:{}", self.code),
            title: self.code.title().to_owned(),
            status: self.status().as_u16(),
            detail: self.message.clone(),
            code: self.code.to_string(),
            help: self.help.clone(),
            diagnostics: self.diagnostics.clone(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.document()).expect("its keys are text");
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if self.code == ErrorCode::Unauthenticated {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::NoRun(run) => {
                return Self::new(ErrorCode::NoSuchRun, format!("there is no run {run}"));
            }
            StoreError::NotEnded(_) => ErrorCode::Refused,
            StoreError::TooLarge(_) => ErrorCode::BadArgument,
            StoreError::Conflict(_) => ErrorCode::StoreConflict,
            StoreError::Busy(_) => ErrorCode::StoreBusy,
            StoreError::Full(_) => ErrorCode::StoreFull,
            StoreError::Corrupt(_) => ErrorCode::StoreCorrupt,
            StoreError::Key(_) => ErrorCode::StoreKey,
            StoreError::Newer { .. } => ErrorCode::StoreNewer,
            StoreError::Unavailable(_) => ErrorCode::StoreUnavailable,
        };
        Self::new(code, error.to_string())
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Refused(Refusal::UnknownTask(task)) => {
                Self::new(ErrorCode::NoSuchTask, format!("the workflow has no task `{task}`"))
            }
            EngineError::Refused(
                refusal @ (Refusal::Amendment { .. }
                | Refusal::Unfit { .. }
                | Refusal::Steering { .. }),
            ) => Self::argument(refusal.to_string()),
            EngineError::Refused(refusal @ Refusal::External { .. }) => {
                Self::new(ErrorCode::ExternalRun, refusal.to_string())
                    .help("ask the system that executes it")
            }
            EngineError::Refused(refusal @ Refusal::TooManyTasks { .. }) => {
                Self::new(ErrorCode::LimitReached, refusal.to_string())
            }
            EngineError::Refused(refusal) => Self::new(ErrorCode::Refused, refusal.to_string()),
            EngineError::Store(error) => Self::from(StoreError::clone(&error)),
            EngineError::Stopped => Self::stopping(),
            EngineError::Alive(_) => Self::new(ErrorCode::RunIsAlive, error.to_string()),
            EngineError::Leftovers(_) => Self::new(ErrorCode::Leftovers, error.to_string()),
            error => Self::new(ErrorCode::MachineFailed, error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_repeats_no_more_than_its_beginning() {
        let problem = Problem::missing("run", &"ä".repeat(1 << 20));
        assert!(problem.message.len() <= MESSAGE_MAX + '…'.len_utf8());
        assert!(
            problem.message.starts_with("there is no run `ää") && problem.message.ends_with('…')
        );
        assert_eq!(Problem::missing("run", "x").message, "there is no run `x`");
    }
}

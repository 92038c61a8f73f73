//! Posting to the far side.

use super::call::{Call, Method};
use super::place::Target;
use std::time::Duration;
use ureq::Agent;
use ureq::http::{Request, StatusCode, header};

/// How long a call may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How much of an answer is read, so that its connection serves the next call.
const ANSWER_MAX: u64 = 64 << 10;

/// How a call went.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The far side took it.
    Taken,
    /// The far side will never take it.
    Refused(String),
    /// The far side failed at it. Perhaps it fails at this one alone.
    Failed(String),
    /// It may be taken later.
    Later(String),
}

/// The way to the far side.
pub(super) struct Postman {
    agent: Agent,
    target: Target,
}

impl Postman {
    pub(super) fn new(target: Target) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(PATIENCE))
            .user_agent(concat!("loom/", env!("CARGO_PKG_VERSION")));
        Self { agent: config.build().new_agent(), target }
    }

    pub(super) fn post(&self, call: &Call) -> Fate {
        let method = match call.method {
            Method::Post => "POST",
            Method::Patch => "PATCH",
        };
        let mut request = Request::builder()
            .method(method)
            .uri(self.target.at(&call.path))
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = self.target.token() {
            request = request.header("x-user-token", token);
        }
        let body = serde_json::to_vec(&call.body).expect("its keys are text");
        let request = match request.body(body) {
            Ok(request) => request,
            Err(error) => return Fate::Refused(error.to_string()),
        };
        match self.agent.run(request) {
            Ok(mut answer) => {
                // What it says does not matter.
                let _ = answer.body_mut().with_config().limit(ANSWER_MAX).read_to_vec();
                judge(call, answer.status())
            }
            Err(error) => Fate::Later(error.to_string()),
        }
    }
}

/// What an answer means for its call. That the far side does not know the address, or the token, is
/// somebody's mistake there or here: what was to be told waits until it is mended. What is said of
/// something that the far side does not have, cannot read or has no way to take, is not wanted later
/// either.
fn judge(call: &Call, status: StatusCode) -> Fate {
    let what = format!("the far side answered {}", status.as_u16());
    let is_about_one = call.path != "/workflows";
    match status.as_u16() {
        200..=299 => Fate::Taken,
        300..=399 | 404 | 405 | 410 | 501 if is_about_one => Fate::Refused(what),
        400 | 409 | 413 | 414 | 415 | 422 | 431 => Fate::Refused(what),
        500 | 502..=599 => Fate::Failed(what),
        _ => Fate::Later(what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_say_whether_to_try_again() {
        let call = |path: &str| Call {
            method: Method::Post,
            path: path.to_owned(),
            body: serde_json::Value::Null,
            turns: false,
        };
        let of = |path: &str, status| judge(&call(path), StatusCode::from_u16(status).unwrap());
        for status in [200, 201, 204] {
            assert_eq!(of("/workflows", status), Fate::Taken);
        }
        for status in [401, 403, 408, 429] {
            assert!(matches!(of("/tasks/1", status), Fate::Later(_)), "{status}");
        }
        for status in [500, 502, 503, 504, 507] {
            assert!(matches!(of("/tasks/1", status), Fate::Failed(_)), "{status}");
        }
        for status in [400, 409, 413, 422] {
            assert!(matches!(of("/workflows", status), Fate::Refused(_)), "{status}");
        }
        for status in [301, 404, 405, 501] {
            assert!(matches!(of("/workflows", status), Fate::Later(_)), "{status}");
            assert!(matches!(of("/tasks/1", status), Fate::Refused(_)), "{status}");
        }
    }
}

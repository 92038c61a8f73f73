//! Permissions (rule 13): asks the permission service who a token is for, once per run and token,
//! and refuses attempts that lack a permission before anything of theirs starts.
//!
//! Everything fails closed. What may pass (no connection, a time-out, a status 5xx, 408 or 429) is a
//! retryable failure and is asked again by the next attempt; any other answer is final for its run
//! and token. The token appears in no message.

use crate::environment;
use crate::http::{self, Client, Exchange, Trouble};
use crate::job::Ended;
use crate::job::failure;
use loom_protocol::json::read_unique;
use loom_protocol::{AttemptRequest, ErrorCode, PluginManifest};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use ureq::http::{HeaderMap, HeaderValue, Method, header};

/// The variable that holds the token.
const TOKEN: &str = "AUTH_TOKEN";
/// How long the service may take, unless configured.
pub const PERMISSION_TIMEOUT: Duration = Duration::from_secs(3);
/// The most bytes of an answer.
const MAX_BODY: u64 = 1 << 20;
/// The most answers that are kept; the oldest go first.
const KEPT: usize = 4096;

/// The service that says what a token's owner may do.
pub(crate) struct PermissionService {
    url: Option<String>,
    timeout: Duration,
    client: Client,
    answers: Mutex<Answers>,
}

/// A run and a token.
type Key = (String, String);

#[derive(Default)]
struct Answers {
    kept: HashMap<Key, Arc<Question>>,
    order: VecDeque<Key>,
}

/// One question, shared by all who ask it at the same time.
#[derive(Default)]
struct Question {
    state: Mutex<Asked>,
    changed: Condvar,
}

#[derive(Default)]
struct Asked {
    /// Whether somebody is on the line.
    busy: bool,
    /// How many answers have come.
    round: u64,
    last: Option<Verdict>,
}

type Verdict = Result<Arc<BTreeSet<String>>, Denial>;

/// Why the service granted nothing.
#[derive(Clone, Debug)]
struct Denial {
    message: String,
    passes: bool,
    retry_after: Option<Duration>,
}

impl PermissionService {
    /// The service at this address; `None` if none is configured, which denies every task that
    /// needs permissions. `timeout` is for one whole exchange ([`PERMISSION_TIMEOUT`] by default).
    pub(crate) fn new(url: Option<String>, timeout: Duration, client: Client) -> Self {
        let url = url.filter(|url| !url.trim().is_empty());
        Self { url, timeout, client, answers: Mutex::default() }
    }

    fn permissions(&self, run: &str, token: &str) -> Verdict {
        let question = self.question((run.to_owned(), token.to_owned()));
        let mut asked = question.lock();
        if asked.busy {
            let round = asked.round;
            while asked.round == round {
                asked = question.changed.wait(asked).unwrap_or_else(PoisonError::into_inner);
            }
            return asked.last.clone().expect("a round ends with an answer");
        }
        match &asked.last {
            Some(Ok(_) | Err(Denial { passes: false, .. })) => {
                return asked.last.clone().expect("just seen");
            }
            None | Some(Err(_)) => asked.busy = true,
        }
        drop(asked);
        let mut line = Line { question: &question, verdict: None };
        line.verdict.insert(self.ask(token)).clone()
    }

    fn question(&self, key: Key) -> Arc<Question> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(question) = answers.kept.get(&key) {
            return Arc::clone(question);
        }
        if answers.order.len() >= KEPT
            && let Some(oldest) = answers.order.pop_front()
        {
            answers.kept.remove(&oldest);
        }
        let question = Arc::new(Question::default());
        answers.order.push_back(key.clone());
        answers.kept.insert(key, Arc::clone(&question));
        question
    }

    fn ask(&self, token: &str) -> Verdict {
        let Some(url) = &self.url else {
            return Err(Denial::last(
                "no permission service is configured; set LOOM_PERMISSIONS_URL to its address"
                    .to_owned(),
            ));
        };
        let uri = http::address(url).map_err(|why| {
            let message = format!("the permission service's address is wrong: {why}");
            Denial::last(format!("{message}; correct LOOM_PERMISSIONS_URL"))
        })?;
        let shown = http::shown(&uri);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let answer = self.client.exchange(Exchange {
            method: Method::POST,
            uri,
            headers,
            body: Some(json!({"auth_token": token}).to_string().into_bytes()),
            timeout: self.timeout,
            max_body: MAX_BODY,
            max_redirects: 0,
        });
        let service = format!("the permission service {shown}");
        let answer = answer.map_err(|trouble| self.unreached(&service, trouble))?;
        judge(&service, &answer)
    }

    fn unreached(&self, service: &str, trouble: Trouble) -> Denial {
        match trouble {
            Trouble::Timeout => Denial::passing(format!(
                "{service} did not answer within {} s; see that it is up, or allow it more time",
                self.timeout.as_secs_f64()
            )),
            Trouble::Connection(why) => Denial::passing(format!(
                "{service} cannot be reached: {why}; see that it is up and LOOM_PERMISSIONS_URL is \
                 its address"
            )),
            Trouble::Certificates(why) => {
                Denial::last(format!("{service} cannot be asked: {why}; correct SSL_CERT_FILE"))
            }
            Trouble::TooLarge => Denial::last(format!(
                "{service} answered with more than {MAX_BODY} bytes; see that LOOM_PERMISSIONS_URL \
                 is its address"
            )),
        }
    }
}

impl std::fmt::Debug for PermissionService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Neither the tokens nor the address, which may hold a password.
        f.debug_struct("PermissionService").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl Question {
    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The turn of the one who asks. However it ends, those who wait for the answer get one.
struct Line<'a> {
    question: &'a Question,
    verdict: Option<Verdict>,
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let lost =
            || Err(Denial::passing("the question to the permission service was lost".into()));
        let mut asked = self.question.lock();
        asked.busy = false;
        asked.round += 1;
        asked.last = Some(self.verdict.take().unwrap_or_else(lost));
        self.question.changed.notify_all();
    }
}

impl Denial {
    const fn last(message: String) -> Self {
        Self { message, passes: false, retry_after: None }
    }

    const fn passing(message: String) -> Self {
        Self { message, passes: true, retry_after: None }
    }
}

fn judge(service: &str, answer: &http::Answer) -> Verdict {
    let status = answer.status;
    match status {
        200..=299 => read(&answer.body).map(Arc::new).ok_or_else(|| {
            Denial::last(format!(
                "{service} answered with something other than {{\"permissions\": […]}}; see that \
                 LOOM_PERMISSIONS_URL is its address"
            ))
        }),
        401 | 403 => Err(Denial::last(format!(
            "{service} rejected {TOKEN} (HTTP {status}); give the run a token that is valid"
        ))),
        300..=399 => Err(Denial::last(format!(
            "{service} redirects (HTTP {status}), which is not followed, because the token would \
             go elsewhere; set LOOM_PERMISSIONS_URL to the final address"
        ))),
        408 | 429 | 500.. => Err(Denial {
            retry_after: answer.retry_after,
            ..Denial::passing(format!(
                "{service} answered HTTP {status}; try again when it is well"
            ))
        }),
        _ => Err(Denial::last(format!(
            "{service} answered HTTP {status}; see that LOOM_PERMISSIONS_URL is its address"
        ))),
    }
}

/// The names granted: a list of names, or a map from names to booleans. An answer that says a thing
/// twice is none: of the two, one would be passed over.
fn read(body: &[u8]) -> Option<BTreeSet<String>> {
    let answer = read_unique(body).ok()?;
    match answer.get("permissions")? {
        Value::Array(names) => names.iter().map(|name| name.as_str().map(str::to_owned)).collect(),
        Value::Object(names) => names
            .iter()
            .map(|(name, granted)| granted.as_bool().map(|granted| (name, granted)))
            .collect::<Option<Vec<_>>>()
            .map(|names| {
                let granted = names.into_iter().filter(|(_, granted)| *granted);
                granted.map(|(name, _)| name.clone()).collect()
            }),
        _ => None,
    }
}

/// The permissions that the attempt has, once it is known that it has all that it needs. An attempt
/// that needs none has none, and nobody is asked.
pub(crate) fn authorise(
    request: &AttemptRequest,
    manifest: &PluginManifest,
    service: &PermissionService,
) -> Result<BTreeSet<String>, Ended> {
    if request.permissions.is_empty() && !manifest.requires_auth {
        return Ok(BTreeSet::new());
    }
    let own = manifest.required_permissions.iter().filter(|_| manifest.requires_auth);
    let needed: BTreeSet<&String> = request.permissions.iter().chain(own).collect();
    let task = &request.task;
    let token = environment::variable(request, TOKEN)
        .filter(|token| !token.is_null())
        .map(|token| environment::text(&token).into_owned())
        .filter(|token| !token.is_empty());
    let Some(token) = token else {
        return Err(denied(&Denial::last(format!(
            "task `{task}` needs {}, but sees no {TOKEN}; set it in the workflow's `env`, for example to \
             \"{{{{ENV:API_TOKEN}}}}\", or give it with --var; where another task emits it, add it to \
             the `inputs` of this one",
            listed(&needed)
        ))));
    };
    let granted = service.permissions(&request.id.run, &token).map_err(|denial| {
        denied(&Denial {
            message: format!("task `{task}` needs {}, but {}", listed(&needed), denial.message),
            ..denial
        })
    })?;
    let missing: BTreeSet<&String> =
        needed.into_iter().filter(|name| !granted.contains(*name)).collect();
    if missing.is_empty() {
        return Ok((*granted).clone());
    }
    Err(denied(&Denial::last(format!(
        "task `{task}` needs {}, which the owner of {TOKEN} does not have; have it granted, or use \
         another token",
        listed(&missing)
    ))))
}

fn listed(names: &BTreeSet<&String>) -> String {
    let shown: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match shown.len() {
        0 => "authorisation".to_owned(),
        1 => format!("the permission {}", shown[0]),
        _ => format!("the permissions {}", shown.join(", ")),
    }
}

fn denied(denial: &Denial) -> Ended {
    let mut ended = failure(ErrorCode::PermissionDenied, &denial.message, denial.passes);
    if let Ended::Failed(info) = &mut ended {
        info.retry_after = denial.retry_after;
    }
    ended
}

#[cfg(test)]
mod tests;

//! What a trigger may say.

use super::document::secret;
use crate::access::{Caller, Permission};
use crate::asked;
use crate::problem::Problem;
use crate::runs::check_names;
use axum::http::HeaderName;
use loom_protocol::api::{Proof, RequestTrigger, Taken, TriggerSpec};

/// The most variables that are taken from a request or a file.
const TAKEN_MAX: usize = 64;
/// The longest pointer into a body.
const POINTER_MAX: usize = 1024;

/// Refuses what could not work, or what the caller may not do themselves. Where files may be, is
/// checked elsewhere.
pub(super) fn check(caller: &Caller, spec: &TriggerSpec) -> Result<(), Problem> {
    let namespace = spec.run().namespace.as_deref().unwrap_or("default");
    caller.may(Permission::TriggersWrite, namespace)?;
    caller.may(Permission::RunsStart, namespace)?;
    asked::run(spec.run())?;
    asked::size(spec, spec.description())?;
    let taken = match spec {
        TriggerSpec::Request(request) => request.variables.len(),
        TriggerSpec::File(file) => file.variables.len(),
    };
    match spec {
        TriggerSpec::Request(request) => check_names(request.variables.keys())?,
        TriggerSpec::File(file) => check_names(file.variables.keys())?,
    }
    if taken > TAKEN_MAX {
        let what = format!("at most {TAKEN_MAX} variables are taken from what starts a run");
        return Err(Problem::argument(what));
    }
    if let Some(secret) = secret(&mut spec.clone()) {
        let length = secret.chars().count();
        if !(16..=1024).contains(&length) {
            let what = "the proof's `secret` has 16 to 1,024 characters";
            return Err(Problem::argument(what)
                .help("`***` stands for a secret that is not shown; give the secret again"));
        }
    }
    match spec {
        TriggerSpec::Request(spec) => request(spec),
        TriggerSpec::File(_) => Ok(()),
    }
}

/// Whether a run may get this variable from what starts it.
pub(super) fn takes(spec: &TriggerSpec, name: &str) -> bool {
    match spec {
        TriggerSpec::Request(request) => request.variables.contains_key(name),
        TriggerSpec::File(file) => file.variables.contains_key(name),
    }
}

fn request(spec: &RequestTrigger) -> Result<(), Problem> {
    header("delivery_header", &spec.delivery_header)?;
    match &spec.proof {
        Proof::Token { header: name, .. } => header("proof.header", name)?,
        Proof::Hmac { header: name, timestamp_header, tolerance_s, .. } => {
            header("proof.header", name)?;
            timestamp_header.iter().try_for_each(|name| header("proof.timestamp_header", name))?;
            asked::within("`proof.tolerance_s`", *tolerance_s, 1, 3600)?;
        }
    }
    spec.variables.values().try_for_each(|taken| match taken {
        Taken::Header { name, .. } => header("variables.….name", name),
        Taken::Body { pointer, .. } if pointer.len() > POINTER_MAX => {
            Err(Problem::argument(format!("a pointer has at most {POINTER_MAX} bytes")))
        }
        Taken::Body { pointer, .. } if pointer.is_empty() || pointer.starts_with('/') => Ok(()),
        Taken::Body { pointer, .. } => {
            Err(Problem::argument(format!("`{pointer}` is no JSON pointer"))
                .help("a pointer is empty or begins with `/`"))
        }
    })
}

fn header(field: &str, name: &str) -> Result<(), Problem> {
    let good = name.parse::<HeaderName>();
    good.map(drop).map_err(|_| Problem::argument(format!("`{field}`: `{name}` is no header")))
}

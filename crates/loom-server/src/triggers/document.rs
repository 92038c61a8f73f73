//! How a trigger is kept.

use crate::kept::Kept;
use crate::problem::Problem;
use loom_core::{Timestamp, Value};
use loom_protocol::ErrorCode;
use loom_protocol::api::{Proof, TriggerSpec};
use loom_store::{Change, Document, Expect, Write};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// A trigger as it was asked for. The proof's secret and the variables of its runs are kept apart,
/// sealed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Trigger {
    pub(super) spec: TriggerSpec,
    /// Which of its run's variables were secret when it was asked for.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) secrets: BTreeSet<String>,
    pub(super) changed_by: String,
    pub(super) changed_at: Timestamp,
    pub(super) paused: bool,
    /// What its known files are kept under, if it is one for files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) salt: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    variables: BTreeMap<String, Value>,
}

impl Kept for Trigger {
    const COLLECTION: &'static str = "triggers";
    const KIND: &'static str = "trigger";
    const MOST: usize = 2000;

    fn namespace(&self) -> &str {
        self.spec.run().namespace.as_deref().unwrap_or("default")
    }

    fn read(document: Document) -> Result<Self, Problem> {
        let damaged = || {
            let what = format!("the trigger `{}` cannot be read", document.key);
            Problem::new(ErrorCode::StoreCorrupt, what)
        };
        let mut trigger: Self = serde_json::from_value(document.body).map_err(|_| damaged())?;
        let sealed = document.secret.as_deref().ok_or_else(damaged)?;
        let sealed: Sealed = serde_json::from_str(sealed).map_err(|_| damaged())?;
        if let (Some(place), Some(secret)) = (secret(&mut trigger.spec), sealed.secret) {
            *place = secret;
        }
        trigger.spec.run_mut().variables = sealed.variables;
        Ok(trigger)
    }
}

impl Trigger {
    /// The change that keeps it.
    pub(super) fn put(&self, name: &str, expect: Expect) -> Change {
        let mut bare = self.clone();
        let sealed = Sealed {
            secret: secret(&mut bare.spec).map(std::mem::take),
            variables: std::mem::take(&mut bare.spec.run_mut().variables),
        };
        let sealed = serde_json::to_string(&sealed).expect("its keys are text");
        change(name, expect, Write::Put { body: json!(bare), secret: Some(sealed) })
    }
}

/// The secret by which requests prove themselves.
pub(super) const fn secret(spec: &mut TriggerSpec) -> Option<&mut String> {
    match spec {
        TriggerSpec::Request(request) => match &mut request.proof {
            Proof::Token { secret, .. } | Proof::Hmac { secret, .. } => Some(secret),
        },
        TriggerSpec::File(_) => None,
    }
}

pub(super) fn change(name: &str, expect: Expect, write: Write) -> Change {
    Change { collection: Trigger::COLLECTION.into(), key: name.to_owned(), expect, write }
}

//! [`RunMeta`]: what is said about a run by those who start it.

use loom_core::{RunId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is said about a run by those who start it. The rules of execution know nothing of it; most
/// runs of a command line have none, which costs nothing.
///
/// It is stored with the run as it is, not sealed: no secret belongs into it. Those who let strangers
/// write it set limits to its size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunMeta {
    /// Words to find the run by.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<String>,
    /// Names and values to find the run by.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Who or what started it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub initiator: String,
    /// From where it was started.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Why it was started.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What the caller knows the matter by, of which the run may be a part.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub correlation_id: String,
    /// Which run goes first where not all can: from -100 to 100, the greater before the smaller.
    #[serde(skip_serializing_if = "is_zero")]
    pub priority: i32,
    /// Not to begin before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_at: Option<Timestamp>,
    /// The caller's W3C trace context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Runs of one key are counted together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency_key: Option<String>,
    /// The run that this one repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rerun_of: Option<RunId>,
    /// The secret variables that whoever started it gave, by name. Nobody reads them back: who
    /// repeats the run has to give them again.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub given_secrets: BTreeSet<String>,
    /// The system that runs it and only reports here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
const fn is_zero(number: &i32) -> bool {
    *number == 0
}

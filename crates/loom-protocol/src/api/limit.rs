//! Limits: how many runs, and how many tasks of a queue, there may be at once.

use super::run::RunState;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a limit counts, and how much of it there may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "counts", deny_unknown_fields)]
pub enum LimitSpec {
    /// Runs of a namespace. At least one of `max_runs` and `rate` is given.
    Runs {
        /// The namespace; `default` if absent.
        #[serde(default = "default_namespace")]
        namespace: String,
        /// Only runs of this workflow.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        workflow: Option<String>,
        /// What tells runs apart: those of one key are counted together, and those without a key
        /// not at all. All are counted together if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<LimitKey>,
        /// The most runs at once: 1 to 1,000.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_runs: Option<u32>,
        /// The most runs that begin in a time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rate: Option<Rate>,
        /// What becomes of a request to start a run for which there is no room.
        #[serde(default)]
        when_full: WhenFull,
    },
    /// Tasks of a queue, over all runs and servers.
    Tasks {
        /// The queue.
        queue: String,
        /// The most tasks at once: 1 to 100,000.
        max_tasks: u32,
    },
}

fn default_namespace() -> String {
    "default".to_owned()
}

/// What the key of a run is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "from", deny_unknown_fields)]
pub enum LimitKey {
    /// The `concurrency_key` of the request that starts the run.
    // Braces: of a variant without, serde passes over fields that are not there.
    Request {},
    /// A text with variables that the run begins with: `{{CUSTOMER}}/{{REGION}}`. A run that has
    /// not all of them has no key; a secret one reads `***`.
    Variables {
        /// The text.
        template: String,
    },
}

/// So many in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// The most runs that begin within any period of this length: 1 to 1,000.
    pub starts: u32,
    /// The period, in seconds: 1 to 86,400.
    pub per_s: u32,
}

/// What becomes of a request for which there is no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// The run waits: a greater `priority` goes first, then whoever came first.
    #[default]
    Wait,
    /// The request is refused with status 429.
    Refuse,
}

/// A limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LimitView {
    /// The name.
    pub name: String,
    /// What was asked for.
    #[serde(flatten)]
    pub spec: LimitSpec,
    /// How many runs have a place of it now, over all keys; 0 for a limit of tasks.
    pub runs: u64,
    /// How many runs wait for it now, as far as this server knows.
    pub waiting: u64,
    /// Who made it, or changed it last.
    pub changed_by: String,
    /// When.
    pub changed_at: String,
}

/// A page of limits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LimitList {
    /// By name.
    pub items: Vec<LimitView>,
    /// Gives the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// What a run waits for before it begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::SimpleObject))]
pub struct LimitWait {
    /// The limit that has no room for it.
    pub limit: String,
    /// The run's key, if the limit counts by key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What is lacking.
    pub lacks: Lack,
    /// Its place in the line for this limit and key, from 1.
    pub place: u32,
    /// How many wait in that line.
    pub line: u32,
    /// When the rate lets the first of the line begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<String>,
}

/// What a limit lacks for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    /// A place: as many runs as may be at once have one.
    Place,
    /// Time: as many runs as may begin in a period have begun.
    Time,
}

/// Why a run that is queued has not begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RunWaits {
    /// Its time has not come.
    Start {
        /// When it does.
        at: String,
    },
    /// A limit has no room for it.
    Limit {
        /// Which, and where in line it stands.
        wait: LimitWait,
        /// Who has the places of that limit and key.
        holders: FewHolders,
    },
}

/// Runs that have places of a limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FewHolders {
    /// The first few.
    pub first: Vec<HolderView>,
    /// How many more there are.
    pub more: u32,
}

/// A run that has a place of a limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HolderView {
    /// The run.
    pub run: String,
    /// Its workflow.
    pub workflow: String,
    /// Where it stands. One that is queued has its place and waits for another limit.
    pub state: RunState,
}

/// What is changed about a run. Fields that are absent stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChangeRun {
    /// The labels, in place of those that it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeSet<String>>,
    /// Notes to set, and with `null` to remove; the others stay.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, Option<String>>,
    /// Which run goes first, as long as it has not begun: -100 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Why it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

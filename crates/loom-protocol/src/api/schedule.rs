//! Schedules: when runs start by themselves.

use super::run::StartRun;
use serde::{Deserialize, Serialize};

/// When runs start by themselves, and which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ScheduleSpec {
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// When it ticks.
    pub timing: Timing,
    /// The run that each tick starts. `start_at`, `initiator` and `identity` may not be given.
    pub run: StartRun,
    /// What a tick does while a run of an earlier tick is under way.
    #[serde(default)]
    pub overlap: Overlap,
    /// What becomes of ticks that nobody was there for.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// Each tick fires up to so many seconds later, always the same for one tick: 0 to 3,600.
    #[serde(default)]
    pub jitter_s: u32,
    /// A tick that fires up to so many seconds late is not missed: 1 to 3,600.
    #[serde(default = "grace_s")]
    pub grace_s: u32,
}

const fn grace_s() -> u32 {
    10
}

/// When a schedule ticks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Timing {
    /// By a cron expression.
    Cron {
        /// Five fields, six with seconds first, or seven with years last; `L`, `W` and `#` too.
        expression: String,
        /// A name of the IANA time zone database.
        #[serde(default = "utc")]
        time_zone: String,
    },
    /// At equal distances.
    Every {
        /// The distance: 1 to 31,536,000.
        seconds: u32,
        /// One of its ticks, and the first (RFC 3339); when it was made, if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
    },
    /// Once.
    Once {
        /// When (RFC 3339).
        at: String,
    },
}

fn utc() -> String {
    "UTC".to_owned()
}

/// What a tick does while a run of an earlier tick is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// It starts nothing.
    #[default]
    Skip,
    /// It waits until the earlier run has ended; at most 100 ticks wait.
    Queue,
    /// It starts its run beside the others; at most 100 are under way.
    Allow,
    /// It cancels the earlier runs and starts its own.
    CancelOlder,
}

/// What becomes of ticks that nobody was there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum CatchUp {
    /// Nothing: they are counted as missed.
    // Braces: of a variant without, serde passes over fields that are not there.
    None {},
    /// The last one fires, unless another tick is due.
    Last {},
    /// They fire, the latest of them.
    All {
        /// Ticks older than so many seconds stay missed: 1 to 604,800.
        window_s: u32,
        /// The most ticks that fire: 1 to 1,000.
        #[serde(default = "most")]
        most: u32,
    },
}

impl Default for CatchUp {
    fn default() -> Self {
        Self::None {}
    }
}

const fn most() -> u32 {
    100
}

/// A schedule, and where it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScheduleView {
    /// The name.
    pub name: String,
    /// The namespace of its runs.
    pub namespace: String,
    /// What was asked for. Secret variables read `***`.
    #[serde(flatten)]
    pub spec: ScheduleSpec,
    /// Who made it, or changed it last: they could start its runs then.
    pub changed_by: String,
    /// When.
    pub changed_at: String,
    /// Whether it is paused.
    pub paused: bool,
    /// The next time at which something fires; absent if it is paused or over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<String>,
    /// What fired last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<FiringView>,
    /// Its runs that have not ended.
    pub active: Vec<FiringView>,
    /// Ticks that wait for a run to end.
    pub waiting: Vec<String>,
    /// What became of ticks so far.
    pub counts: TickCounts,
    /// Why the last tick whose run was refused started none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A tick that fired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FiringView {
    /// The time that it stands for.
    pub tick: String,
    /// Its run.
    pub run: String,
}

/// What became of a schedule's ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TickCounts {
    /// They have a run.
    pub fired: u64,
    /// They started nothing because an earlier run was under way.
    pub skipped: u64,
    /// Nobody was there; of one absence at most 10,000 are counted.
    pub missed: u64,
    /// The run could not be started; `problem` says why.
    pub refused: u64,
}

/// A page of schedules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScheduleList {
    /// By name.
    pub items: Vec<ScheduleView>,
    /// Gives the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// What comes next of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NextTicks {
    /// Soonest first. Fewer than asked for if the schedule is over by then.
    pub items: Vec<NextTick>,
}

/// A tick to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NextTick {
    /// The time that it stands for.
    pub tick: String,
    /// When it fires: the tick and its jitter.
    pub at: String,
}

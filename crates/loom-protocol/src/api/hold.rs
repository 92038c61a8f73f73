//! What holds a ready task back, of its own run or of others.

use super::{EndedByView, FewStandings, InterventionView, StandingView};
use serde::{Deserialize, Serialize};

/// What holds a ready task back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum HoldView {
    /// The run has not begun.
    NotBegun,
    /// The run is paused.
    Paused {
        /// By whom.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<InterventionView>,
    },
    /// The run is being ended.
    Ending {
        /// By whom or what.
        by: EndedByView,
    },
    /// It was handed over and begins when a worker of the run is free.
    HandedOver {
        /// When.
        at: String,
        /// What keeps the workers busy.
        busy: FewStandings,
    },
    /// A task that runs alone does.
    Beside {
        /// That task.
        task: StandingView,
    },
    /// It runs alone, and waits for these to end.
    UntilAlone {
        /// What runs.
        busy: FewStandings,
    },
    /// A task that runs alone goes first.
    Behind {
        /// That task.
        task: StandingView,
    },
    /// All workers of the run are busy.
    Workers {
        /// How many there are.
        workers: u32,
        /// What keeps them busy.
        busy: FewStandings,
    },
    /// As many instances of the task are under way as it allows.
    Instances {
        /// How many that are.
        most: u32,
        /// Which of this run they are.
        taken: FewStandings,
        /// Which of other runs they are.
        others: FewTakers,
    },
    /// Its queue is full.
    Queue {
        /// The queue.
        queue: String,
        /// How many tasks it takes at once, where that is known here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        most: Option<u32>,
        /// What of this run is under way in it.
        taken: FewStandings,
        /// What of other runs is under way in it.
        others: FewTakers,
    },
    /// Nothing: it is about to start.
    AboutToStart {
        /// The queue that it counts against, if it is not known here what other runs have of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        queue: Option<String>,
        /// The most instances of the task over all runs, if it is not known here how many others have.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instances: Option<u32>,
        /// What of other runs counts against the same, and leaves room.
        others: FewTakers,
    },
}

/// Tasks of other runs that count against the same limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FewTakers {
    /// The first few that the caller may see.
    pub first: Vec<TakerView>,
    /// How many more were found.
    pub more: u32,
}

/// A task of another run, whichever process runs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TakerView {
    /// The run.
    pub run: String,
    /// Its workflow.
    pub workflow: String,
    /// The task.
    pub task: String,
    /// The item's index, from 0, for a `for_each` task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// Since when an attempt is under way.
    pub since: String,
}

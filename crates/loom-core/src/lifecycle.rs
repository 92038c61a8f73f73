//! The life cycles of runs and tasks: two tables, each stated once and pinned by a test.

use std::fmt;

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunState {
    /// Accepted, not begun.
    Queued,
    /// Under way.
    Running,
    /// Nothing new starts until it is resumed.
    Paused,
    /// Ended: no task failed without `allow_failure`.
    Succeeded,
    /// Ended: a task failed without `allow_failure`. May be retried.
    Failed,
    /// Ended by request.
    Cancelled,
}

impl RunState {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state with its verb, as in "the run has failed".
    pub const fn said(self) -> &'static str {
        match self {
            Self::Queued => "is queued",
            Self::Running => "is running",
            Self::Paused => "is paused",
            Self::Succeeded => "has succeeded",
            Self::Failed => "has failed",
            Self::Cancelled => "was cancelled",
        }
    }

    /// All states, in the order of a run's life.
    pub const ALL: [Self; 6] =
        [Self::Queued, Self::Running, Self::Paused, Self::Succeeded, Self::Failed, Self::Cancelled];

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether the run has ended.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// Whether a run may go from this state to that one.
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Queued, Self::Running | Self::Cancelled)
                | (Self::Running, Self::Paused | Self::Succeeded | Self::Failed | Self::Cancelled)
                | (Self::Paused, Self::Running | Self::Succeeded | Self::Failed | Self::Cancelled)
                | (Self::Failed, Self::Running)
        )
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a task, or one item of it, stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TaskPhase {
    /// For inputs, for other tasks, or for `end`'s barrier.
    Waiting,
    /// To be started as soon as limits allow.
    Ready,
    /// An attempt is under way.
    Running,
    /// The last attempt failed; the next has its time.
    BackingOff,
    /// An attempt succeeded.
    Succeeded,
    /// Its attempts are used up, or its error is permanent.
    Failed,
    /// It will not run.
    Skipped,
    /// It was cancelled, alone or with its run.
    Cancelled,
    /// Somebody settled it by hand; counts as succeeded.
    Resolved,
}

impl TaskPhase {
    /// All phases.
    pub const ALL: [Self; 9] = [
        Self::Waiting,
        Self::Ready,
        Self::Running,
        Self::BackingOff,
        Self::Succeeded,
        Self::Failed,
        Self::Skipped,
        Self::Cancelled,
        Self::Resolved,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::BackingOff => "backing_off",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
            Self::Resolved => "resolved",
        }
    }

    /// The phase with its verb, as in "the task has failed".
    pub const fn said(self) -> &'static str {
        match self {
            Self::Waiting => "is waiting",
            Self::Ready => "is ready",
            Self::Running => "is running",
            Self::BackingOff => "is backing off",
            Self::Succeeded => "has succeeded",
            Self::Failed => "has failed",
            Self::Skipped => "was skipped",
            Self::Cancelled => "was cancelled",
            Self::Resolved => "was resolved by hand",
        }
    }

    /// Whether the task has settled.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::Skipped | Self::Cancelled | Self::Resolved
        )
    }

    /// Whether the task counts as done for those that depend on it.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Succeeded | Self::Resolved)
    }

    /// The one transition function: where `step` leads from here, or `None` if it is not allowed.
    pub const fn next(self, step: TaskStep) -> Option<Self> {
        use TaskPhase as P;
        use TaskStep as S;
        Some(match (self, step) {
            (P::Waiting, S::Fire) | (P::BackingOff, S::Due) | (P::Running, S::Interrupt) => {
                P::Ready
            }
            (P::Ready, S::Start) => P::Running,
            (P::Running, S::Succeed) => P::Succeeded,
            (P::Running, S::BackOff) => P::BackingOff,
            (P::Running | P::Waiting, S::Fail) => P::Failed,
            (P::Waiting | P::Ready, S::Skip) => P::Skipped,
            (P::Waiting | P::Ready | P::Running | P::BackingOff, S::Cancel) => P::Cancelled,
            (P::Failed, S::Retry) => P::Ready,
            (P::Failed | P::Skipped | P::Cancelled, S::Reopen) => P::Waiting,
            (P::Failed | P::Cancelled | P::Waiting, S::Resolve) => P::Resolved,
            _ => return None,
        })
    }
}

impl fmt::Display for TaskPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What may happen to a task or item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskStep {
    /// Everything that it waited for is there.
    Fire,
    /// An attempt starts.
    Start,
    /// The attempt, or the last item, succeeds.
    Succeed,
    /// The attempt fails and there will be another.
    BackOff,
    /// The wait for the next attempt is over.
    Due,
    /// The last attempt fails; or the task cannot be attempted at all.
    Fail,
    /// The process that ran the attempt is gone; the attempt does not count.
    Interrupt,
    /// It will not run.
    Skip,
    /// It is cancelled, alone or with its run.
    Cancel,
    /// Somebody asks for it to be tried again.
    Retry,
    /// A task that it was skipped or stopped for is tried again; or it failed before it fired, or was
    /// cancelled alone, and what it waited for is looked at again.
    Reopen,
    /// Somebody settles it by hand.
    Resolve,
}

impl TaskStep {
    /// All steps.
    pub const ALL: [Self; 12] = [
        Self::Fire,
        Self::Start,
        Self::Succeed,
        Self::BackOff,
        Self::Due,
        Self::Fail,
        Self::Interrupt,
        Self::Skip,
        Self::Cancel,
        Self::Retry,
        Self::Reopen,
        Self::Resolve,
    ];

    /// The verb, as in "cannot retry task …".
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Fire => "fire",
            Self::Start => "start",
            Self::Succeed => "complete",
            Self::BackOff => "back off",
            Self::Due => "wake",
            Self::Fail => "fail",
            Self::Interrupt => "interrupt",
            Self::Skip => "skip",
            Self::Cancel => "cancel",
            Self::Retry => "retry",
            Self::Reopen => "reopen",
            Self::Resolve => "resolve",
        }
    }
}

impl fmt::Display for TaskStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verb())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table, so that no change of it goes unseen.
    #[test]
    fn the_table_of_tasks() {
        let mut rows = Vec::new();
        for phase in TaskPhase::ALL {
            for step in TaskStep::ALL {
                if let Some(next) = phase.next(step) {
                    rows.push(format!("{phase} -{step}-> {next}"));
                }
            }
        }
        let expected = "waiting -fire-> ready; waiting -fail-> failed; waiting -skip-> skipped; \
            waiting -cancel-> cancelled; waiting -resolve-> resolved; ready -start-> running; \
            ready -skip-> skipped; ready -cancel-> cancelled; running -complete-> succeeded; \
            running -back off-> backing_off; running -fail-> failed; running -interrupt-> ready; \
            running -cancel-> cancelled; backing_off -wake-> ready; \
            backing_off -cancel-> cancelled; failed -retry-> ready; failed -reopen-> waiting; \
            failed -resolve-> resolved; skipped -reopen-> waiting; \
            cancelled -reopen-> waiting; cancelled -resolve-> resolved";
        assert_eq!(rows.join("; "), expected);
    }

    #[test]
    fn the_table_of_runs() {
        let mut rows = Vec::new();
        for state in RunState::ALL {
            for next in RunState::ALL {
                if state.may_become(next) {
                    rows.push(format!("{state} -> {next}"));
                }
            }
        }
        let expected = "queued -> running; queued -> cancelled; running -> paused; \
            running -> succeeded; running -> failed; running -> cancelled; paused -> running; \
            paused -> succeeded; paused -> failed; paused -> cancelled; failed -> running";
        assert_eq!(rows.join("; "), expected);
    }
}

//! How many tasks stand where.

use crate::TaskPhase;

/// Tasks, or items of `for_each` tasks, by phase.
///
/// A backoff's end is not an event, so who has waited one out counts as backing off until the next
/// attempt starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// For inputs, for other tasks, or for `end`'s barrier.
    pub waiting: u32,
    /// To be started as soon as limits allow.
    pub ready: u32,
    /// An attempt is under way.
    pub running: u32,
    /// The last attempt failed; the next has its time.
    pub backing_off: u32,
    /// An attempt succeeded.
    pub succeeded: u32,
    /// Attempts used up, or a permanent error.
    pub failed: u32,
    /// Will not run.
    pub skipped: u32,
    /// Cancelled with the run.
    pub cancelled: u32,
    /// Settled by hand.
    pub resolved: u32,
}

impl Counts {
    /// How many are in this phase.
    pub const fn of(&self, phase: TaskPhase) -> u32 {
        match phase {
            TaskPhase::Waiting => self.waiting,
            TaskPhase::Ready => self.ready,
            TaskPhase::Running => self.running,
            TaskPhase::BackingOff => self.backing_off,
            TaskPhase::Succeeded => self.succeeded,
            TaskPhase::Failed => self.failed,
            TaskPhase::Skipped => self.skipped,
            TaskPhase::Cancelled => self.cancelled,
            TaskPhase::Resolved => self.resolved,
        }
    }

    /// How many have settled.
    pub const fn settled(&self) -> u32 {
        self.succeeded + self.failed + self.skipped + self.cancelled + self.resolved
    }

    /// How many there are.
    pub const fn total(&self) -> u32 {
        self.settled() + self.waiting + self.ready + self.running + self.backing_off
    }

    pub(super) const fn add(&mut self, phase: TaskPhase, more: u32) {
        *self.of_mut(phase) += more;
    }

    pub(super) const fn shift(&mut self, from: TaskPhase, to: TaskPhase) {
        *self.of_mut(from) -= 1;
        *self.of_mut(to) += 1;
    }

    const fn of_mut(&mut self, phase: TaskPhase) -> &mut u32 {
        match phase {
            TaskPhase::Waiting => &mut self.waiting,
            TaskPhase::Ready => &mut self.ready,
            TaskPhase::Running => &mut self.running,
            TaskPhase::BackingOff => &mut self.backing_off,
            TaskPhase::Succeeded => &mut self.succeeded,
            TaskPhase::Failed => &mut self.failed,
            TaskPhase::Skipped => &mut self.skipped,
            TaskPhase::Cancelled => &mut self.cancelled,
            TaskPhase::Resolved => &mut self.resolved,
        }
    }
}

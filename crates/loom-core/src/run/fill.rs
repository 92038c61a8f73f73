//! Starting what is ready, as far as limits allow (rule 9).

use super::{Changes, Run};
use crate::plan::Plan;
use crate::{Effect, Event, RunState, TaskIx, TaskKind, TaskPhase, TaskRef, Timestamp};

/// Limits that reach beyond one run.
pub trait Gate {
    /// Whether an attempt of this task or item may be handed to an executor now. If so, it counts
    /// until it is over. `startable` is how many of the task's instances, this one included, could
    /// be handed over at once if the gate let them.
    fn admit(&mut self, plan: &Plan, task: TaskRef, startable: u32) -> bool;
}

/// A gate that is always open.
#[derive(Debug)]
pub struct OpenGate;

impl Gate for OpenGate {
    fn admit(&mut self, _: &Plan, _: TaskRef, _: u32) -> bool {
        true
    }
}

/// When an attempt that is handed over begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begins {
    Now,
    WhenAWorkerIsFree,
}

impl Run {
    /// Starts at most `most` attempts. Beyond the run's workers, up to `ahead` more are handed over
    /// to begin as soon as one is free, so that a worker never waits for a commit.
    pub fn fill(
        &mut self,
        now: Timestamp,
        most: usize,
        ahead: u32,
        gate: &mut dyn Gate,
    ) -> Changes {
        let mut started = 0;
        if self.state == RunState::Running && !self.is_ending() {
            started += self.fill_instant(now, most, gate);
            self.fill_work(now, most.saturating_sub(started), ahead, gate);
        }
        std::mem::take(&mut self.out)
    }

    fn fill_instant(&mut self, now: Timestamp, most: usize, gate: &mut dyn Gate) -> usize {
        let mut turned_away = Vec::new();
        let mut started = 0;
        while started < most && self.alone.is_none() {
            let Some((priority, task)) = self.instant_ready.pop() else { break };
            let Some(next) = self.startable(task) else { continue };
            if gate.admit(&self.plan, next, self.queued_instances(task)) {
                self.start(next, Begins::Now, now);
                started += 1;
                self.requeue_rest(priority, task);
            } else {
                turned_away.push((priority, task));
            }
        }
        self.instant_ready.put_back(turned_away);
        started
    }

    fn fill_work(&mut self, now: Timestamp, most: usize, ahead: u32, gate: &mut dyn Gate) {
        let mut turned_away = Vec::new();
        let mut started = 0;
        while started < most && self.alone.is_none() {
            let Some((priority, task)) = self.ready.pop() else { break };
            let Some(next) = self.startable(task) else { continue };
            let Some(begins) = self.room_for(task, ahead) else {
                turned_away.push((priority, task));
                break;
            };
            let room = self.workers.saturating_add(ahead) - (self.working + self.held);
            if gate.admit(&self.plan, next, self.queued_instances(task).min(room)) {
                self.start(next, begins, now);
                started += 1;
                self.requeue_rest(priority, task);
            } else {
                turned_away.push((priority, task));
            }
        }
        self.ready.put_back(turned_away);
    }

    /// What of a queued task can start; if nothing, it stands in the queue no more.
    fn startable(&mut self, task: TaskIx) -> Option<TaskRef> {
        let next = if let Some(fan) = self.fans.get_mut(&task) {
            fan.front().map(|item| TaskRef::item(task, item))
        } else {
            let progress = self.slots[task.at()].progress;
            let ready = progress.phase == TaskPhase::Ready && !progress.held;
            ready.then_some(TaskRef::whole(task))
        };
        let phase = self.slots[task.at()].progress.phase;
        let next = next.filter(|_| !phase.is_final() && phase != TaskPhase::Waiting);
        self.slots[task.at()].queued = next.is_some();
        next
    }

    /// How many instances of a queued task wait to be started.
    fn queued_instances(&self, task: TaskIx) -> u32 {
        self.fans.get(&task).map_or(1, |fan| fan.queue.len() as u32)
    }

    fn room_for(&self, task: TaskIx, ahead: u32) -> Option<Begins> {
        let traits = self.plan.traits(task);
        let busy = self.working + self.held;
        if traits.exclusive {
            return (busy + self.instant == 0).then_some(Begins::Now);
        }
        debug_assert_eq!(traits.kind, TaskKind::Work);
        match busy {
            _ if busy < self.workers => Some(Begins::Now),
            _ if busy < self.workers.saturating_add(ahead) => Some(Begins::WhenAWorkerIsFree),
            _ => None,
        }
    }

    fn start(&mut self, task: TaskRef, begins: Begins, now: Timestamp) {
        let attempt = self.progress(task).attempt + 1;
        if let (Some(fan), Some(_)) = (self.fans.get_mut(&task.task), task.item) {
            fan.queue.pop_front();
        }
        self.slots[task.task.at()].queued = false;
        self.emit(match begins {
            Begins::Now => Event::Started { at: now, task, attempt },
            Begins::WhenAWorkerIsFree => Event::Assigned { at: now, task, attempt },
        });
        let attempt = self.attempt(task, attempt, begins == Begins::WhenAWorkerIsFree);
        self.out.effects.push(Effect::Dispatch(Box::new(attempt)));
    }

    /// A `for_each` task stays in front as long as it has items left to start.
    fn requeue_rest(&mut self, priority: i32, task: TaskIx) {
        if self.fans.contains_key(&task) && self.startable(task).is_some() {
            let takes_a_place = self.plan.traits(task).takes_a_place();
            let queue = if takes_a_place { &mut self.ready } else { &mut self.instant_ready };
            queue.put_back(vec![(priority, task)]);
        }
    }

    pub(super) fn nothing_ready(&mut self) -> bool {
        while let Some((priority, task)) = self.ready.pop() {
            if self.startable(task).is_some() {
                self.ready.put_back(vec![(priority, task)]);
                return false;
            }
        }
        while let Some((priority, task)) = self.instant_ready.pop() {
            if self.startable(task).is_some() {
                self.instant_ready.put_back(vec![(priority, task)]);
                return false;
            }
        }
        true
    }
}

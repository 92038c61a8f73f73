//! The critical path: the chain of tasks that decided when the run ended, and where its time went.
//!
//! A task becomes ready in the moment in which the task that enabled it settles, and one that had to
//! wait for an `async: false` task to end, or is one and waited to be alone, counts from that end on.
//! So the links of the chain join without gaps: their times add up to the whole.

use super::attempt::AttemptResult;
use super::held::{self, Held, Span};
use super::solitude::Solitude;
use super::variables::SetBy;
use super::{AttemptRecord, Enabler, Ending, History, TaskRecord};
use crate::{Producer, SkipReason, TaskIx, TaskKind, TaskPhase, Timestamp};
use std::cmp::Reverse;
use std::time::Duration;

/// The chain of tasks that ended last, first task first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CriticalPath {
    /// What set it off.
    pub start: PathStart,
    /// The tasks, in the order in which they ran.
    pub links: Vec<PathLink>,
    /// From the first link's beginning to the last one's end: the sum of the links.
    pub total: Duration,
}

/// What set a critical path off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathStart {
    /// The run's start.
    Start,
    /// That the run was reopened: what lies before is not part of the path.
    Reopened,
    /// That somebody settled a waiting task: the first link, or one that was skipped before it.
    Resolved,
}

/// One task of a critical path and where its time went. The parts add up to the time between `from`
/// and `ended_at`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathLink {
    /// The task.
    pub task: TaskIx,
    /// The item that ended last, for a `for_each` task.
    pub item: Option<u32>,
    /// When the task became ready.
    pub ready_at: Timestamp,
    /// From when on it counts: then, or when the task before it ended, which it could not run beside.
    pub from: Timestamp,
    /// When it settled; for a task that has not, the time of asking.
    pub ended_at: Timestamp,
    /// How many attempts it took.
    pub attempts: u32,
    /// Waiting for a worker, or for another limit.
    pub queued: Duration,
    /// What for: the parts of `queued`.
    pub held: Vec<Held>,
    /// Working.
    pub ran: Duration,
    /// Between a failed attempt and the time set for the next.
    pub backed_off: Duration,
    /// In attempts that were cut off, up to when that was found.
    pub lost: Duration,
    /// Between the last attempt's end and the task's: waiting for somebody to settle it.
    pub by_hand: Duration,
}

impl History {
    /// The critical path; of a run under way, the one so far: down to the task that has been
    /// open longest since it became ready. `None` if nothing has become ready yet.
    pub fn critical_path(&self, now: Timestamp) -> Option<CriticalPath> {
        let mut task = self.end_of_path()?;
        let solitude = Solitude::of(self);
        let (mut links, mut spans, mut owners) = (Vec::new(), Vec::new(), Vec::new());
        let start = loop {
            if let Some(reason) = self.skipped_waiting(task) {
                match self.before_skip(task, reason) {
                    Ok(cause) => task = cause,
                    Err(start) => break start,
                }
                continue;
            }
            let freed_by = solitude.freed_by(self, task);
            let link = self.link(task, freed_by, now, &mut spans);
            owners.resize(spans.len(), links.len());
            links.push(link);
            if let Some((by, _)) = freed_by {
                task = by;
                continue;
            }
            let Some(enabled) = self.task(task).enabled else { break PathStart::Resolved };
            match enabled.by {
                // A task that was reopened since has forgotten that it once settled.
                Enabler::Task(by) if settled_seq(self.task(by)) == Some(enabled.seq) => task = by,
                Enabler::Task(_) | Enabler::Reopened => break PathStart::Reopened,
                Enabler::Start => break PathStart::Start,
            }
        };
        for (held, owner) in held::held(self, &spans, now).into_iter().zip(owners) {
            held.into_iter().for_each(|held| links[owner].hold(held));
        }
        links.reverse();
        let total = links[links.len() - 1].ended_at.since(links[0].from);
        Some(CriticalPath { start, links, total })
    }

    /// Why a task was skipped that never became ready. It takes no time, and is not part of a path.
    fn skipped_waiting(&self, task: TaskIx) -> Option<&SkipReason> {
        let record = self.task(task);
        let (_, reason) = record.skipped().filter(|_| record.enabled.is_none())?;
        Some(reason)
    }

    /// The task whose end led to a skip at that moment, or what else did.
    fn before_skip(&self, skipped: TaskIx, reason: &SkipReason) -> Result<TaskIx, PathStart> {
        if let SkipReason::ByHand { .. } = reason {
            return Err(PathStart::Resolved);
        }
        let at = self.task(skipped).settled_at();
        let cause = self.cause_of_skip(skipped, reason, |seq| {
            let ended = self.ended().filter(|(end, _)| *end < seq).max();
            ended.map(|(_, task)| task)
        });
        // Reopened, a run skips at once what still cannot run.
        cause.filter(|cause| self.task(*cause).settled_at() == at).ok_or(PathStart::Reopened)
    }

    /// The tasks that took part and have settled, by when they did: by the number of that event.
    fn ended(&self) -> impl Iterator<Item = (u64, TaskIx)> {
        let took_part = self.tasks().filter(|(_, record)| took_part(record));
        took_part.filter_map(|(task, record)| Some((settled_seq(record)?, task)))
    }

    /// The task that settled last of those that a skip was due to. `last_before` finds the last that
    /// ended before an event.
    fn cause_of_skip(
        &self,
        skipped: TaskIx,
        reason: &SkipReason,
        last_before: impl FnOnce(u64) -> Option<TaskIx>,
    ) -> Option<TaskIx> {
        let seq = settled_seq(self.task(skipped))?;
        let before = |task: &TaskIx| settled_seq(self.task(*task)).is_some_and(|at| at < seq);
        let find = |name: &String| self.run().plan().find_task(name).filter(before);
        let producer = |producer: &Producer| find(&producer.task);
        let settled = |task: &TaskIx| settled_seq(self.task(*task));
        match reason {
            SkipReason::ByHand { .. } | SkipReason::Condition { .. } => None,
            SkipReason::Dependency { task } | SkipReason::Stopped { task } => find(task),
            SkipReason::NoProducer { producers, .. } => {
                producers.iter().filter_map(producer).max_by_key(settled)
            }
            // What waits for itself is found when nothing else is left.
            SkipReason::Circular { .. } => last_before(seq),
        }
    }

    fn end_of_path(&self) -> Option<TaskIx> {
        let open = self.tasks().filter(|(task, _)| {
            matches!(
                self.run().phase(*task),
                TaskPhase::Ready | TaskPhase::Running | TaskPhase::BackingOff
            )
        });
        let longest = open.min_by_key(|(_, record)| record.enabled.map(|enabled| enabled.at));
        let last = || {
            self.tasks()
                .filter(|(_, record)| took_part(record))
                .max_by_key(|(_, record)| settled_seq(record))
        };
        longest.or_else(last).map(|(task, _)| task)
    }

    /// The link of a task, from when another freed it, and the times in which it was held back.
    pub(super) fn link(
        &self,
        task: TaskIx,
        freed_by: Option<(TaskIx, Timestamp)>,
        now: Timestamp,
        spans: &mut Vec<Span>,
    ) -> PathLink {
        let record = self.task(task);
        let ended_at = record.settled_at().unwrap_or(now);
        let ready_at = record.enabled.map_or(ended_at, |enabled| enabled.at);
        let from = freed_by.map_or(ready_at, |(_, at)| at);
        let item = last_item(record);
        let mut link = PathLink {
            task,
            item,
            ready_at,
            from,
            ended_at,
            attempts: 0,
            queued: Duration::ZERO,
            held: Vec::new(),
            ran: Duration::ZERO,
            backed_off: Duration::ZERO,
            lost: Duration::ZERO,
            by_hand: Duration::ZERO,
        };
        // Up to here the time is accounted for.
        let mut upto = from;
        let attempts = record.present_attempts().iter();
        for attempt in attempts.filter(|attempt| attempt.item == item) {
            link.backed_off += attempt.ready_at.since(upto);
            spans.push(link.add(attempt));
            upto = attempt.ended_at().unwrap_or(ended_at);
        }
        spans.extend(link.add_rest(record, self.run().phase(task), upto));
        link
    }

    /// How much later each task could have settled without the run ending later, had everything
    /// else taken as long as it did and waited for workers as it did: zero along the critical path.
    /// `None` for tasks that did not settle, or were never ready.
    pub fn slack(&self) -> Vec<Option<Duration>> {
        let settled = self.tasks().filter(|(_, record)| record.settled.is_some());
        let mut order: Vec<TaskIx> = settled.map(|(task, _)| task).collect();
        order.sort_unstable_by_key(|task| Reverse(settled_seq(self.task(*task))));
        let mut ended: Vec<(u64, TaskIx)> = self.ended().collect();
        ended.sort_unstable();
        let last_before = |seq| {
            let before = ended.partition_point(|(end, _)| *end < seq);
            ended[..before].last().map(|(_, task)| *task)
        };
        let ends = ended.iter().filter_map(|(_, task)| self.task(*task).settled_at());
        let Some(end) = ends.max() else { return vec![None; self.tasks.len()] };
        let setters = self.emissions.first_setters();
        let solitude = Solitude::of(self);
        let mut latest = vec![end; self.tasks.len()];
        let mut slack = vec![None; self.tasks.len()];
        for task in order {
            let record = self.task(task);
            let settled = record.settled_at().unwrap_or(end);
            if !took_part(record) {
                let skipped = record.skipped();
                let cause = skipped.and_then(|(_, why)| self.cause_of_skip(task, why, last_before));
                if let Some(cause) = cause {
                    latest[cause.at()] = latest[cause.at()].min(latest[task.at()]);
                }
                continue;
            }
            let spare = latest[task.at()].since(settled);
            slack[task.at()] = Some(spare);
            if let Some(enabled) = record.enabled {
                self.bound_upstream(task, enabled.at + spare, &setters, &mut latest);
            }
            if let Some((by, at)) = solitude.freed_by(self, task) {
                latest[by.at()] = latest[by.at()].min(at + spare);
            }
        }
        slack
    }

    /// What a task waited for must have settled before `at`.
    fn bound_upstream(
        &self,
        task: TaskIx,
        at: Timestamp,
        setters: &[Option<SetBy>],
        latest: &mut [Timestamp],
    ) {
        let plan = self.run().plan();
        let mut bound = |on: TaskIx| latest[on.at()] = latest[on.at()].min(at);
        for &var in plan.inputs.of(task.0) {
            if let Some(SetBy::Task(by)) = setters[var as usize] {
                bound(by);
            }
        }
        plan.dependencies.of(task.0).iter().for_each(|&on| bound(TaskIx(on)));
        if plan.task(task).kind == TaskKind::Barrier {
            plan.barred_by(task).for_each(bound);
        }
    }
}

impl PathLink {
    /// Answers with when the attempt was held back.
    fn add(&mut self, attempt: &AttemptRecord) -> Span {
        let end = attempt.ended_at().unwrap_or(self.ended_at);
        let span = Span {
            task: self.task,
            from: attempt.ready_at.max(self.from),
            to: attempt.started_at.unwrap_or(end),
            assigned_at: attempt.assigned_at,
        };
        self.queued += span.to.since(span.from);
        if let Some(started) = attempt.started_at {
            self.attempts += 1;
            match attempt.result {
                AttemptResult::Interrupted { .. } => self.lost += end.since(started),
                _ => self.ran += end.since(started),
            }
        }
        span
    }

    /// What came after the last attempt. Answers with when the next was held back.
    fn add_rest(&mut self, record: &TaskRecord, phase: TaskPhase, upto: Timestamp) -> Option<Span> {
        let last = record.present_attempts().iter().rfind(|attempt| attempt.item == self.item);
        if phase == TaskPhase::Resolved {
            self.by_hand = self.ended_at.since(upto);
            return None;
        }
        let due = last.and_then(AttemptRecord::retry_at).unwrap_or(upto);
        let from = due.min(self.ended_at).max(upto);
        self.backed_off += from.since(upto);
        self.queued += self.ended_at.since(from);
        Some(Span { task: self.task, from, to: self.ended_at, assigned_at: None })
    }

    fn hold(&mut self, more: Held) {
        match self.held.iter_mut().find(|held| held.by == more.by) {
            Some(held) => held.span += more.span,
            None => self.held.push(more),
        }
    }
}

/// Whether a task was ever ready, or was made to count as done.
fn took_part(record: &TaskRecord) -> bool {
    let resolved = |ending: &Ending| matches!(ending, Ending::Resolved(_));
    record.enabled.is_some() || record.settled.as_ref().is_some_and(|end| resolved(&end.how))
}

pub(super) fn settled_seq(record: &TaskRecord) -> Option<u64> {
    record.settled.as_ref().map(|settled| settled.seq)
}

/// The item whose last attempt ended last, or has not ended.
pub(super) fn last_item(record: &TaskRecord) -> Option<u32> {
    let attempts = record.present_attempts().iter();
    let last = attempts.max_by_key(|attempt| {
        (attempt.ended_at().is_none(), attempt.retry_at().or(attempt.ended_at()), attempt.seq)
    });
    last.and_then(|attempt| attempt.item)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Command;
    use crate::run::tests::driver::Driver;
    use crate::test_support::{barrier, task};
    use crate::{Definition, Request, RetryPolicy};

    const fn us(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    fn ready_in(run: &mut Driver, micros: u64) {
        // Each command moves the clock on by one microsecond.
        run.now.0 += micros - 1;
    }

    fn names(run: &Driver, path: &CriticalPath) -> Vec<String> {
        let name = |link: &PathLink| run.run.plan().task(link.task).name.clone();
        path.links.iter().map(name).collect()
    }

    #[test]
    fn it_runs_back_from_the_end_over_what_enabled_each_task() {
        let mut run = Driver::begun(vec![
            task("short").out("X"),
            task("long").out("Y"),
            task("join").needs("X").needs("Y"),
            task("aside"),
            barrier("end"),
        ]);
        ready_in(&mut run, 10);
        run.succeed("short", &["X"]);
        ready_in(&mut run, 20);
        run.succeed("long", &["Y"]);
        ready_in(&mut run, 5);
        run.succeed("aside", &[]);
        ready_in(&mut run, 40);
        run.succeed("join", &[]);
        ready_in(&mut run, 1);
        run.succeed("end", &[]);
        let history = run.history();
        let path = history.critical_path(run.now).unwrap();
        assert_eq!(names(&run, &path), ["long", "join", "end"]);
        assert_eq!((path.start, path.total), (PathStart::Start, us(76)));
        assert_eq!(path.links.iter().map(|link| link.ran).collect::<Vec<_>>(), [30, 45, 1].map(us));
        assert_eq!(history.slack(), [20, 0, 0, 40, 0].map(|micros| Some(us(micros))));
    }

    #[test]
    fn time_goes_to_workers_backoffs_and_attempts_that_were_cut_off() {
        let retry = RetryPolicy { max_attempts: 2, initial: us(100), ..RetryPolicy::default() };
        let tasks = vec![task("first"), task("second").with(|task| task.retry = retry)];
        let mut run = Driver::new(Definition::new("test", tasks), &[], 1);
        run.apply(Command::Begin).unwrap();
        ready_in(&mut run, 10);
        run.succeed("first", &[]);
        run.run = run.replayed();
        run.out.clear();
        ready_in(&mut run, 7);
        run.apply(Command::Recover).unwrap();
        ready_in(&mut run, 5);
        run.fail_retryably("second");
        ready_in(&mut run, 130);
        run.apply(Command::Wake).unwrap();
        ready_in(&mut run, 8);
        run.succeed("second", &[]);
        let path = run.history().critical_path(run.now).unwrap();
        assert_eq!(names(&run, &path), ["second"]);
        let link = &path.links[0];
        assert_eq!((link.attempts, link.queued, link.backed_off), (3, us(10 + 30), us(100)));
        assert_eq!((link.lost, link.ran, link.by_hand), (us(7), us(5 + 8), us(0)));
        assert_eq!(path.total, us(160));
    }

    #[test]
    fn a_run_under_way_has_a_path_down_to_what_is_open() {
        let mut run = Driver::begun(vec![task("a").out("X"), task("b").needs("X")]);
        ready_in(&mut run, 10);
        run.succeed("a", &["X"]);
        let path = run.history().critical_path(run.now + us(5)).unwrap();
        assert_eq!(names(&run, &path), ["a", "b"]);
        assert_eq!(path.total, us(15));
        let queued = Driver::new(Definition::new("test", vec![]), &[], 1);
        assert_eq!(queued.history().critical_path(queued.now), None);
    }

    #[test]
    fn it_runs_through_what_was_skipped_to_what_led_to_that() {
        let mut run = Driver::begun(vec![
            task("quick").out("Q"),
            task("fails").out("X"),
            task("next").needs("X").needs("Q").out("Y"),
            task("after").after("next"),
            barrier("end"),
        ]);
        ready_in(&mut run, 10);
        run.succeed("quick", &["Q"]);
        ready_in(&mut run, 20);
        run.fail("fails");
        ready_in(&mut run, 5);
        run.succeed("end", &[]);
        let history = run.history();
        let path = history.critical_path(run.now).unwrap();
        assert_eq!(names(&run, &path), ["fails", "end"]);
        assert_eq!((path.start, path.total), (PathStart::Start, us(35)));
        let slack = [Some(us(20)), Some(us(0)), None, None, Some(us(0))];
        assert_eq!(history.slack(), slack);
    }

    #[test]
    fn waiting_for_a_person_is_told_apart() {
        let mut run = Driver::begun(vec![task("a"), task("aside"), task("b").after("a")]);
        ready_in(&mut run, 10);
        run.fail("a");
        ready_in(&mut run, 30);
        let (by, reason) = (String::from("me"), String::new());
        let resolve = Request::Resolve {
            by,
            task: "a".into(),
            reason,
            outputs: Vec::new(),
            without_outputs: false,
        };
        run.request(resolve).unwrap();
        ready_in(&mut run, 4);
        run.succeed("b", &[]);
        let path = run.history().critical_path(run.now).unwrap();
        assert_eq!(names(&run, &path)[..], ["aside"], "it has been open longest");
        run.succeed("aside", &[]);
        let resolved = run.history().link(TaskIx(0), None, run.now, &mut Vec::new());
        assert_eq!((resolved.ran, resolved.by_hand), (us(10), us(30)));
    }
}

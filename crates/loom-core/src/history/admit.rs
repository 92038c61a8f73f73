//! Whether an event can be a run's next.

use super::History;
use crate::{Event, TaskPhase, TaskRef, TaskStep};

impl History {
    /// Whether the run, as it stands, can take this event in. A store's events are those of the run;
    /// what somebody else tells is asked for here before it is recorded.
    pub fn admits(&self, event: &Event) -> bool {
        let Some(task) = event.task() else { return self.admits_of_run(event) };
        if let Event::Declared { .. } = event {
            let plan = self.run.plan();
            let is_next = task.item.is_none() && task.task.at() == plan.task_count();
            return is_next && plan.external().is_some();
        }
        let Some(phase) = self.run.phase_of(task) else { return false };
        let may = |step| phase.next(step).is_some();
        let is_whole = task.item.is_none();
        if !is_whole && self.run.phase(task.task).is_final() {
            return false;
        }
        match event {
            Event::Fired { .. } => is_whole && may(TaskStep::Fire),
            Event::Assigned { .. } | Event::Started { .. } => {
                self.is_attempted(task) && (may(TaskStep::Start) || may(TaskStep::Due))
            }
            Event::Succeeded { .. } => self.is_attempted(task) && may(TaskStep::Succeed),
            Event::Failed { retry_at, .. } => {
                let step = if retry_at.is_some() { TaskStep::BackOff } else { TaskStep::Fail };
                self.is_attempted(task) && may(step)
            }
            Event::Interrupted { .. } => {
                self.is_attempted(task) && matches!(phase, TaskPhase::Ready | TaskPhase::Running)
            }
            Event::Gathered { .. } => {
                let has_items = is_whole && !self.is_attempted(task);
                has_items && matches!(phase, TaskPhase::Ready | TaskPhase::Running)
            }
            Event::Skipped { .. } => is_whole && (may(TaskStep::Skip) || may(TaskStep::Due)),
            Event::Cancelled { .. } => may(TaskStep::Cancel),
            Event::Resolved { .. } => {
                is_whole && (phase == TaskPhase::Waiting || self.run.has_come_to_grief(task.task))
            }
            Event::TaskCancelRequested { .. } | Event::SkipRequested { .. } => {
                is_whole && !phase.is_final()
            }
            _ => is_whole,
        }
    }

    fn admits_of_run(&self, event: &Event) -> bool {
        let Event::RunReopened { tasks, .. } = event else { return true };
        let came_to_grief = |task: &TaskRef| {
            let exists = self.run.phase_of(*task).is_some();
            exists && task.item.is_none() && self.run.has_come_to_grief(task.task)
        };
        let mut sorted = tasks.clone();
        sorted.sort_unstable();
        sorted.dedup();
        sorted.len() == tasks.len() && tasks.iter().all(came_to_grief)
    }

    /// Whether it has attempts of its own: of a `for_each` task that has fired, the items do.
    fn is_attempted(&self, task: TaskRef) -> bool {
        task.item.is_some() == self.run.items(task.task).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Definition, Failure, FailureKind, ForEach, Output, Plan, RunId, RunOutcome, SkipReason,
        Submission, TaskDef, TaskIx, TaskKind, Timestamp,
    };
    use serde_json::json;
    use std::sync::Arc;

    /// A fan, a task behind it, one that depends on that, and a barrier.
    fn history() -> History {
        let mut fan = TaskDef::new("fan", "cmd");
        fan.for_each = Some(ForEach::Items(vec![json!(1), json!(2)]));
        fan.outputs.names = vec![crate::OutputDecl { name: "A".into(), optional: false }];
        let mut taker = TaskDef::new("taker", "cmd");
        taker.inputs = vec!["A".into()];
        let mut last = TaskDef::new("last", "cmd");
        last.execution.depends_on = vec!["taker".into()];
        let mut end = TaskDef::new("end", "end");
        end.kind = TaskKind::Barrier;
        let plan = Arc::new(Plan::new(Definition::new("test", vec![fan, taker, last, end])));
        let id = RunId::new(1, 1);
        let submission = Submission { id, plan, variables: Arc::default(), workers: 2 };
        History::new(submission, Timestamp(1))
    }

    /// Anything that a stranger may say, chosen by these numbers.
    fn said(mut next: impl FnMut(u32) -> u32) -> Event {
        let (at, by, reason) = (Timestamp(2), || "me".to_owned(), String::new());
        let item = match next(4) {
            0 | 1 => None,
            more => Some(more - 2 + 2 * (next(8) / 7)),
        };
        let task = TaskRef { task: TaskIx(next(5)), item };
        let attempt = next(3);
        let outputs = vec![Output {
            name: ["A", "B"][next(2) as usize].into(),
            value: json!(next(3)),
            declared: next(3) > 0,
            secret: false,
        }];
        match next(20) {
            0 => Event::RunStarted { at },
            1 => Event::RunPaused { at, by: by() },
            2 => Event::RunResumed { at, by: by() },
            3 => Event::CancelRequested { at, by: by(), reason },
            4 => Event::RunReopened { at, by: by(), tasks: vec![task; next(3) as usize] },
            5 => Event::RunFinished { at, outcome: RunOutcome::Failed },
            6 => {
                let items = (next(3) > 0).then(|| vec![json!(0); next(4) as usize]);
                Event::Fired { at, task, items, secret: next(2) == 0 }
            }
            7 => Event::Assigned { at, task, attempt },
            8 | 9 => Event::Started { at, task, attempt },
            10 => Event::Succeeded { at, task, attempt, outputs },
            11 => {
                let failure = Box::new(Failure::permanent(FailureKind::Exit, "no"));
                let retry_at = (next(2) == 0).then_some(at);
                Event::Failed { at, task, attempt, failure, retry_at }
            }
            12 => Event::Gathered { at, task, failed: next(3) },
            13 => Event::Interrupted { at, task, attempt },
            14 => Event::Skipped { at, task, reason: SkipReason::Condition { when: "x".into() } },
            15 => Event::TaskCancelRequested { at, task, by: by(), reason },
            16 => Event::SkipRequested { at, task, by: by(), reason },
            17 => {
                let (max_attempts, inputs) = (Some(next(4)), Vec::new());
                Event::Amended { at, task, by: by(), max_attempts, inputs }
            }
            18 => Event::Cancelled { at, task },
            _ => Event::Resolved { at, task, by: by(), reason, outputs },
        }
    }

    #[test]
    fn whatever_is_admitted_can_be_recorded() {
        let mut seed = 7_u64;
        let mut admitted = 0;
        for _ in 0..3000 {
            let mut history = history();
            for seq in 1..60 {
                let event = said(|below| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    ((seed >> 33) % u64::from(below)) as u32
                });
                if history.admits(&event) {
                    history.record(seq, &event);
                    let _ = history.critical_path(Timestamp(3));
                    admitted += 1;
                }
            }
        }
        assert!(admitted > 10_000, "{admitted}");
    }
}

//! Settling a task by hand.

use super::Run;
use crate::{Event, Output, Refusal, TaskIx, TaskPhase, TaskRef, TaskStep, Timestamp, Variable};

/// What a task is settled with.
pub(super) struct Given {
    /// Variables to set in its name.
    pub(super) outputs: Vec<Variable>,
    /// Required outputs may stay unset.
    pub(super) may_be_missing: bool,
}

impl Run {
    /// The task counts as succeeded; what is given is set as if it had emitted it. A failed run is
    /// under way again. A task is settled once, so that an output that is forgotten would be
    /// forgotten for good.
    pub(super) fn resolve(
        &mut self,
        by: String,
        name: &str,
        reason: String,
        given: Given,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let task = self.named(name)?;
        self.ensure_can_reopen("resolve a task of")?;
        let phase = self.slots[task.at()].progress.phase;
        if phase != TaskPhase::Waiting && !self.has_come_to_grief(task) {
            let (task, wanted) = (name.to_owned(), TaskStep::Resolve.verb());
            return Err(Refusal::Task { task, wanted, phase });
        }
        let declared = &self.plan.task(task).outputs;
        let mut unknown = Vec::new();
        for Variable { name, .. } in given.outputs.iter().filter(|_| !declared.any) {
            if !declared.names.iter().any(|known| known.name == *name) {
                unknown.push(name.clone());
            }
        }
        if !unknown.is_empty() {
            return Err(Refusal::NotOutputs { task: name.to_owned(), outputs: unknown });
        }
        let missing = self.unset_outputs(task, &given.outputs);
        if !missing.is_empty() && !given.may_be_missing {
            return Err(Refusal::OutputsMissing { task: name.to_owned(), outputs: missing });
        }
        if phase.is_final() {
            // What was skipped for its failure waits again.
            self.emit(Event::RunReopened { at: now, by: by.clone(), tasks: Vec::new() });
        }
        let outputs = given
            .outputs
            .into_iter()
            .map(|Variable { name, value, secret }| Output { name, value, secret, declared: true })
            .collect::<Vec<_>>();
        let outputs = self.classify(task, outputs);
        let task = TaskRef::whole(task);
        self.emit(Event::Resolved { at: now, task, by, reason, outputs });
        Ok(())
    }

    /// The outputs that a task has to emit, that are not given and that nothing has set.
    fn unset_outputs(&self, task: TaskIx, given: &[Variable]) -> Vec<String> {
        let required =
            self.plan.task(task).outputs.names.iter().filter(|declared| !declared.optional);
        let names = required.map(|declared| &declared.name);
        let unset = names.filter(|name| {
            !given.iter().any(|variable| variable.name == **name) && self.variable(name).is_none()
        });
        unset.cloned().collect()
    }
}

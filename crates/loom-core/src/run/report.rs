//! What executors say of attempts.

use super::Run;
use crate::{
    Event, Failure, FailureKind, News, Output, Refusal, Report, TaskIx, TaskRef, Timestamp,
};

impl Run {
    pub(super) fn report(&mut self, report: Report, now: Timestamp) -> Result<(), Refusal> {
        let Report { task, attempt, news } = report;
        let progress = self.find_progress(task).ok_or(Refusal::StaleReport)?;
        if !progress.is_out() || progress.attempt != attempt || self.is_fan_as_whole(task) {
            return Err(Refusal::StaleReport);
        }
        let held = progress.held;
        match news {
            News::Began(_) if !held => return Err(Refusal::StaleReport),
            News::Began(at) => self.emit(Event::Started { at: at.min(now), task, attempt }),
            News::Stopped => self.stopped(task, attempt, now),
            News::Succeeded(outputs) => {
                self.ensure_started(task, attempt, held, now);
                self.succeeded(task, attempt, outputs, now);
            }
            News::Failed(failure) => {
                self.ensure_started(task, attempt, held, now);
                self.failed(task, attempt, failure, now);
            }
        }
        Ok(())
    }

    /// The news that a held attempt began may be lost; that it ended implies it.
    fn ensure_started(&mut self, task: TaskRef, attempt: u32, held: bool, now: Timestamp) {
        if held {
            self.emit(Event::Started { at: now, task, attempt });
        }
    }

    /// The attempt was given up. What is to be skipped is skipped even if its run ends meanwhile: a
    /// retry of the run is to find it so.
    fn stopped(&mut self, task: TaskRef, attempt: u32, now: Timestamp) {
        if self.is_stopping(task.task) && !self.is_to_be_skipped(task.task) {
            self.emit(Event::Cancelled { at: now, task });
        } else {
            self.emit(Event::Interrupted { at: now, task, attempt });
        }
    }

    fn succeeded(&mut self, task: TaskRef, attempt: u32, emitted: Vec<Output>, now: Timestamp) {
        let outputs = self.classify(task.task, emitted);
        match self.missing_output(task.task, &outputs) {
            Some(name) => {
                let message = format!(
                    "it succeeded without emitting `{name}`, which its outputs declare; \
                     print `{name}=value`, or declare it as `{name}?` if it may be absent"
                );
                let failure = Failure::retryable(FailureKind::MissingOutput, message);
                self.failed(task, attempt, failure, now);
            }
            None => self.emit(Event::Succeeded { at: now, task, attempt, outputs }),
        }
    }

    fn failed(&mut self, task: TaskRef, attempt: u32, failure: Failure, now: Timestamp) {
        let policy = &self.plan.task(task.task).retry;
        let failures = self.progress(task).failures + 1;
        let again = failure.retryable
            && failures < self.max_attempts(task.task)
            && !self.is_stopping(task.task);
        let retry_at = again
            .then(|| now + policy.wait(failures, failure.retry_after, self.random(task, attempt)));
        self.emit(Event::Failed { at: now, task, attempt, failure: Box::new(failure), retry_at });
    }

    /// Marks which outputs the task declares, and which are secret by name. Of several emissions
    /// under one name the last counts.
    pub(super) fn classify(&self, task: TaskIx, emitted: Vec<Output>) -> Vec<Output> {
        let declared = &self.plan.task(task).outputs;
        let mut outputs: Vec<Output> = Vec::with_capacity(emitted.len());
        for mut output in emitted {
            output.declared =
                declared.any || declared.names.iter().any(|decl| decl.name == output.name);
            output.secret |= self.plan.is_secret(&output.name);
            match outputs.iter_mut().find(|before| before.name == output.name) {
                Some(before) => *before = output,
                None => outputs.push(output),
            }
        }
        outputs
    }

    fn missing_output(&self, task: TaskIx, outputs: &[Output]) -> Option<String> {
        let mut declared = self.plan.task(task).outputs.names.iter();
        declared
            .find(|decl| !decl.optional && !outputs.iter().any(|output| output.name == decl.name))
            .map(|decl| decl.name.clone())
    }

    /// Bits that differ for each attempt and are the same whenever the run is replayed.
    fn random(&self, task: TaskRef, attempt: u32) -> u64 {
        let item = task.item.map_or(0, |item| u64::from(item) + 1);
        let mut bits = self
            .id
            .to_bytes()
            .chunks(8)
            .map(|chunk| chunk.iter().fold(0u64, |bits, &byte| (bits << 8) | u64::from(byte)))
            .fold(u64::from(attempt), |all, chunk| all.rotate_left(23) ^ chunk);
        bits ^= (u64::from(task.task.0) << 32) ^ item;
        // The finisher of splitmix64.
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Attempts that are with the executor.
    pub(super) fn attempts_out(&self) -> Vec<(TaskRef, u32)> {
        let mut out = Vec::new();
        for at in 0..self.slots.len() {
            self.add_attempts_out(TaskIx(at as u32), &mut out);
        }
        out
    }

    /// Those of one task.
    pub(super) fn attempts_out_of(&self, task: TaskIx) -> Vec<(TaskRef, u32)> {
        let mut out = Vec::new();
        self.add_attempts_out(task, &mut out);
        out
    }

    fn add_attempts_out(&self, task: TaskIx, out: &mut Vec<(TaskRef, u32)>) {
        if let Some(fan) = self.fans.get(&task) {
            let items = (0..).zip(&fan.progress).filter(|(_, item)| item.is_out());
            out.extend(items.map(|(item, progress)| (TaskRef::item(task, item), progress.attempt)));
        } else {
            let progress = &self.slots[task.at()].progress;
            if progress.is_out() {
                out.push((TaskRef::whole(task), progress.attempt));
            }
        }
    }
}

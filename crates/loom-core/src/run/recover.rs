//! Taking up a run whose process has ended.

use super::Run;
use crate::{Event, Timestamp};

impl Run {
    /// Attempts that were under way, or handed over, were cut off. They run again as new attempts
    /// and do not count as failures.
    pub(super) fn recover(&mut self, now: Timestamp) {
        for (task, attempt) in self.attempts_out() {
            self.emit(Event::Interrupted { at: now, task, attempt });
        }
        self.wake(now);
    }
}

#[cfg(test)]
mod tests {
    use crate::run::Command;
    use crate::run::tests::driver::Driver;
    use crate::test_support::{barrier, task};
    use crate::{Request, RunState};

    /// A replay notes as due what has long been decided.
    #[test]
    fn a_barrier_that_was_cut_off_and_cancelled_waits_again_when_the_run_is_reopened() {
        let mut run = Driver::begun(vec![barrier("end"), task("a")]);
        run.fail("a");
        let (by, reason) = ("ann".into(), String::new());
        run.request(Request::CancelTask { by, reason, task: "end".into() }).unwrap();
        for _ in 0..2 {
            run.run = run.replayed();
            run.out.clear();
            run.apply(Command::Recover).unwrap();
        }
        assert_eq!((run.run.state(), &*run.phases()), (RunState::Failed, "end=cancelled a=failed"));
        run.request(Request::Retry { by: "me".into(), task: None }).unwrap();
        assert_eq!(run.phases(), "end=waiting a=running");
    }
}

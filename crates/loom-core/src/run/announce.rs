//! Events of the workflow's own: what a task announces when it settles.

use super::Run;
use crate::{
    Event, EventDecl, EventTrigger, Output, TaskIx, TaskPhase, TaskRef, Timestamp, Variable,
};

/// An event that has yet to be recorded.
#[derive(Debug)]
pub(crate) struct Announcement {
    task: TaskIx,
    name: String,
    payload: Vec<Variable>,
}

impl Run {
    /// A task has settled, having set these variables.
    pub(super) fn announce(&mut self, task: TaskIx, outputs: &[Output]) {
        if !self.plan.traits(task).announces {
            return;
        }
        let phase = self.slots[task.at()].progress.phase;
        let plan = std::sync::Arc::clone(&self.plan);
        let events = plan.task(task).events.iter().filter(|event| applies(event.on, phase));
        for event in events {
            let payload = self.payload(task, event, outputs);
            self.announced.push_back(Announcement { task, name: event.name.clone(), payload });
        }
    }

    /// The variables that go with an event: of the outputs what this task has set, of the inputs what
    /// it sees.
    fn payload(&self, task: TaskIx, event: &EventDecl, outputs: &[Output]) -> Vec<Variable> {
        let def = self.plan.task(task);
        let emitted = |name: &str| {
            let output = outputs.iter().find(|output| output.declared && output.name == *name)?;
            let Output { name, value, secret, .. } = output.clone();
            Some(Variable { name, value, secret })
        };
        let taken = |name: &str| {
            let declared = def.inputs.iter().any(|input| input == name);
            self.seen_by(task, name).filter(|_| declared).cloned()
        };
        match &event.payload {
            Some(names) => {
                names.iter().filter_map(|name| emitted(name).or_else(|| taken(name))).collect()
            }
            None => def.outputs.names.iter().filter_map(|output| emitted(&output.name)).collect(),
        }
    }

    /// Records the next announcement; false if there is none.
    pub(super) fn emit_announced(&mut self, now: Timestamp) -> bool {
        let Some(next) = self.announced.front_mut() else { return false };
        let (name, payload) = (std::mem::take(&mut next.name), std::mem::take(&mut next.payload));
        let task = TaskRef::whole(next.task);
        self.emit(Event::Emitted { at: now, task, name, payload });
        true
    }
}

fn applies(on: EventTrigger, phase: TaskPhase) -> bool {
    match on {
        EventTrigger::Success => phase.is_success(),
        EventTrigger::Failure => phase == TaskPhase::Failed,
        EventTrigger::Always => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::driver::Driver;
    use crate::test_support::task;
    use crate::{ForEach, Request, TaskDef, Value};
    use serde_json::json;

    fn on(name: &str, on: EventTrigger, payload: Option<&[&str]>) -> EventDecl {
        let payload = payload.map(|names| names.iter().map(|&name| name.into()).collect());
        EventDecl { name: name.into(), on, payload }
    }

    /// `name{PAYLOAD}` of every event that was announced.
    fn announced(run: &Driver) -> Vec<String> {
        let text = |variable: &Variable| format!("{}={}", variable.name, variable.value);
        let events = run.events.iter().filter_map(|event| match event {
            Event::Emitted { name, payload, .. } => {
                let payload: Vec<String> = payload.iter().map(text).collect();
                Some(format!("{name}{{{}}}", payload.join(" ")))
            }
            _ => None,
        });
        events.collect()
    }

    fn teller(name: &str) -> TaskDef {
        task(name).needs("TRUE").out("X").out("Y?").with(|task| {
            task.events = vec![
                on("a.done", EventTrigger::Success, None),
                on("a.failed", EventTrigger::Failure, Some(&["TRUE", "X"])),
                on("a.over", EventTrigger::Always, Some(&["Y", "TRUE"])),
            ];
        })
    }

    #[test]
    fn a_success_is_announced_with_what_was_emitted_before_anything_that_follows() {
        let mut run = Driver::begun(vec![teller("a"), task("b").after("a")]);
        run.succeed("a", &["X=1", "Y=2", "Z=3"]);
        let expected = [r#"a.done{X="1" Y="2"}"#, r#"a.over{Y="2" TRUE="1"}"#];
        assert_eq!(announced(&run), expected);
        let emitted = run.events.iter().position(|event| matches!(event, Event::Emitted { .. }));
        assert!(matches!(run.events[emitted.unwrap() - 1], Event::Succeeded { .. }));
        assert!(matches!(run.events.last(), Some(Event::Started { .. })));
    }

    #[test]
    fn a_failure_is_announced_each_time_and_a_replay_announces_nothing() {
        let mut run = Driver::begun(vec![teller("a")]);
        run.fail("a");
        assert_eq!(announced(&run), [r#"a.failed{TRUE="1"}"#, r#"a.over{TRUE="1"}"#]);
        run.run = run.replayed();
        run.request(Request::Retry { by: "me".into(), task: None }).unwrap();
        assert_eq!(announced(&run).len(), 2);
        run.fail("a");
        assert_eq!(announced(&run).len(), 4);
    }

    #[test]
    fn skipped_and_resolved_tasks_announce_too() {
        let mut run = Driver::begun(vec![task("first"), teller("a").after("first")]);
        run.fail("first");
        assert_eq!(announced(&run), [r#"a.over{TRUE="1"}"#]);
        let outputs = vec![Variable { name: "X".into(), value: json!(5), secret: true }];
        let mut run = Driver::begun(vec![teller("a")]);
        run.fail("a");
        let (by, task, reason) = ("me".into(), "a".into(), String::new());
        run.request(Request::Resolve { by, task, reason, outputs, without_outputs: true }).unwrap();
        assert_eq!(announced(&run)[2..], ["a.done{X=5}", r#"a.over{TRUE="1"}"#]);
        let secret = run.events.iter().filter(|event| event.has_secrets()).count();
        assert_eq!(secret, 2, "the resolution and the announcement");
    }

    #[test]
    fn a_for_each_task_announces_once_with_lists() {
        let each = teller("a").with(|task| {
            task.for_each = Some(ForEach::Items(vec![Value::Null; 2]));
        });
        let mut run = Driver::begun(vec![each]);
        run.succeed("a", &["X=1"]);
        run.succeed("a", &["X=2"]);
        assert_eq!(announced(&run)[0], r#"a.done{X=["1","2"] Y=[null,null]}"#);
        assert_eq!(announced(&run).len(), 2);
    }
}

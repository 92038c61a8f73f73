//! Limits that reach beyond one run: of a task over all runs, and of queues.
//!
//! The store counts for all processes ([`loom_store::RunStore::share`]); here stands what this engine
//! has of it, and which of its attempts. In each round the gate turns attempts away that no slot was
//! given for, the engine asks the store for what they want, and lets them try again. A slot that is
//! given back goes to whoever waits longest, so none is kept for the next attempt here; and none is
//! kept while another is waited for, so nobody waits in a circle.

use loom_core::{Event, Gate, Plan, RunId, TaskRef};
use loom_store::SlotAsk;
use std::collections::{BTreeSet, HashMap};

/// What this engine has of something that has slots.
#[derive(Debug, Default)]
struct Slots {
    most: u32,
    /// Taken by attempts under way.
    used: u32,
    /// Given in this round and not taken yet.
    given: u32,
    /// How many more could be taken.
    wanted: u32,
    /// How many the store counts as this engine's.
    counted: u32,
    /// The store has refused what was wanted.
    waits: bool,
    /// Nobody has wanted any since all who wait were asked again.
    doubted: bool,
}

impl Slots {
    const fn held(&self) -> u32 {
        self.used + self.given
    }

    const fn is_idle(&self) -> bool {
        self.held() == 0 && self.counted == 0 && self.wanted == 0 && !self.waits
    }
}

/// What one attempt counts against.
type Permit = Vec<String>;

/// Counts what is under way against the limits. Tasks without limits cost nothing.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    /// What this process was started with.
    own_max: HashMap<String, u32>,
    /// What holds for each queue.
    queue_max: HashMap<String, u32>,
    slots: HashMap<String, Slots>,
    held: HashMap<(RunId, TaskRef), Permit>,
    /// Runs that were turned away and have not tried again. The oldest tries first.
    turned_away: BTreeSet<RunId>,
}

impl Limits {
    pub(crate) fn new(queues: HashMap<String, u32>) -> Self {
        let own_max: HashMap<_, _> =
            queues.into_iter().map(|(name, most)| (queue_key(&name), most)).collect();
        Self { queue_max: own_max.clone(), own_max, ..Self::default() }
    }

    /// Other numbers hold for queues, beside those that this process was started with. What counted
    /// against a queue goes on to do so until it is over.
    pub(crate) fn set_queues(&mut self, queues: &HashMap<String, u32>) {
        self.queue_max.clone_from(&self.own_max);
        for (name, &most) in queues {
            let known = self.queue_max.entry(queue_key(name)).or_insert(most);
            *known = (*known).min(most);
        }
    }

    /// An attempt is under way: it counts against its queue, if it does not yet.
    pub(crate) fn count(&mut self, run: RunId, plan: &Plan, task: TaskRef) {
        let Some((key, most)) = self.queue_of(plan, task) else { return };
        let permit = self.held.entry((run, task)).or_default();
        if !permit.contains(&key) {
            permit.push(key.clone());
            let slots = self.slots.entry(key).or_default();
            slots.most = most;
            slots.used += 1;
        }
    }

    /// The queue of a task, if it has a limit.
    fn queue_of(&self, plan: &Plan, task: TaskRef) -> Option<(String, u32)> {
        let key = queue_key(plan.task(task.task).execution.queue.as_deref()?);
        self.queue_max.get(&key).map(|&most| (key, most))
    }

    /// The gate that one run's attempts pass.
    pub(crate) const fn gate(&mut self, run: RunId) -> RunGate<'_> {
        RunGate { limits: self, run }
    }

    /// Gives back what an event ends. Answers with the runs that may start something now.
    pub(crate) fn release(&mut self, run: RunId, event: &Event) -> Vec<RunId> {
        let (Event::Succeeded { task, .. }
        | Event::Failed { task, .. }
        | Event::Interrupted { task, .. }
        | Event::Cancelled { task, .. }) = event
        else {
            return Vec::new();
        };
        if self.held.is_empty() {
            return Vec::new();
        }
        let Some(permit) = self.held.remove(&(run, *task)) else { return Vec::new() };
        self.give_back(permit)
    }

    /// Gives back all that a run has. Answers with the runs that may start something now.
    pub(crate) fn forget(&mut self, run: RunId) -> Vec<RunId> {
        let held = self.held.extract_if(|(of, _), _| *of == run);
        let permit: Permit = held.flat_map(|(_, permit)| permit).collect();
        self.give_back(permit)
    }

    fn give_back(&mut self, permit: Permit) -> Vec<RunId> {
        for key in permit {
            if let Some(slots) = self.slots.get_mut(&key) {
                slots.used -= 1;
            }
        }
        self.may_try()
    }

    /// Whether the store has to be asked again before long.
    pub(crate) fn are_waited_for(&self) -> bool {
        self.slots.values().any(|slots| slots.waits || slots.counted != slots.held())
    }

    /// The runs that wait for a slot, to try again. Who of them wants none any more leaves the line.
    pub(crate) fn ask_again(&mut self) -> Vec<RunId> {
        self.slots.values_mut().for_each(|slots| slots.doubted = slots.waits);
        self.may_try()
    }

    /// What the store is to be told and asked. `all_tried` says that every run had its turn.
    pub(crate) fn asks(&self, all_tried: bool) -> Vec<SlotAsk> {
        let has_news = |slots: &Slots| {
            slots.wanted > 0 || slots.counted != slots.held() || all_tried && slots.doubted
        };
        let news = self.slots.iter().filter(|(_, slots)| has_news(slots));
        let ask = |(key, slots): (&String, &Slots)| SlotAsk {
            key: key.clone(),
            most: slots.most,
            used: slots.held(),
            wanted: slots.wanted,
        };
        news.map(ask).collect()
    }

    /// Takes in the store's answers. Answers with the runs that may start something now.
    pub(crate) fn take(&mut self, asks: Vec<SlotAsk>, answers: &[u32]) -> Vec<RunId> {
        let mut some = false;
        for (ask, &given) in asks.into_iter().zip(answers) {
            let Some(slots) = self.slots.get_mut(&ask.key) else { continue };
            slots.given += given;
            slots.counted = slots.held();
            slots.waits = given == 0 && ask.wanted > 0;
            slots.wanted = 0;
            slots.doubted = false;
            some |= given > 0;
            if slots.is_idle() {
                self.slots.remove(&ask.key);
            }
        }
        if some { self.may_try() } else { Vec::new() }
    }

    /// The store could not be asked: whoever wants something waits.
    pub(crate) fn postpone(&mut self) {
        for slots in self.slots.values_mut() {
            slots.waits |= std::mem::take(&mut slots.wanted) > 0;
        }
    }

    /// Gives back what was given in this round and not taken.
    pub(crate) fn give_back_rest(&mut self) {
        self.slots.values_mut().for_each(|slots| slots.given = 0);
    }

    fn may_try(&mut self) -> Vec<RunId> {
        std::mem::take(&mut self.turned_away).into_iter().collect()
    }

    fn admit(&mut self, run: RunId, plan: &Plan, task: TaskRef, startable: u32) -> bool {
        let def = plan.task(task.task);
        let queue = self.queue_of(plan, task);
        let own = def.execution.workers.map(|most| (task_key(plan, &def.name), most));
        if queue.is_none() && own.is_none() {
            return true;
        }
        let keys: Vec<(String, u32)> = queue.into_iter().chain(own).collect();
        let given = |key: &str| self.slots.get(key).is_some_and(|slots| slots.given > 0);
        if keys.iter().all(|(key, _)| given(key)) {
            for (key, _) in &keys {
                let slots = self.slots.get_mut(key).expect("some of it was given");
                slots.given -= 1;
                slots.used += 1;
            }
            self.held.insert((run, task), keys.into_iter().map(|(key, _)| key).collect());
            return true;
        }
        self.turned_away.insert(run);
        self.want(keys, startable);
        false
    }

    /// Notes what is wanted. While one thing is waited for, another that is wanted with it is not
    /// asked for: it could not be used.
    fn want(&mut self, keys: Vec<(String, u32)>, startable: u32) {
        let waits = |(key, _): &(String, u32)| self.slots.get(key).is_some_and(|it| it.waits);
        let some_wait = keys.iter().any(waits);
        for (key, most) in keys {
            let slots = self.slots.entry(key).or_default();
            slots.most = most;
            if slots.given == 0 && (slots.waits || !some_wait) {
                slots.wanted = slots.wanted.saturating_add(startable);
                slots.doubted = false;
            }
        }
    }
}

fn queue_key(name: &str) -> String {
    format!("queue {name}")
}

fn task_key(plan: &Plan, task: &str) -> String {
    let definition = plan.definition();
    format!("task {}\n{}\n{task}", definition.namespace, definition.name)
}

/// The limits as one run meets them.
pub(crate) struct RunGate<'a> {
    limits: &'a mut Limits,
    run: RunId,
}

impl Gate for RunGate<'_> {
    fn admit(&mut self, plan: &Plan, task: TaskRef, startable: u32) -> bool {
        self.limits.admit(self.run, plan, task, startable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_core::{Definition, TaskDef, TaskIx, Timestamp};

    const A: TaskRef = TaskRef::whole(TaskIx(0));
    const B: TaskRef = TaskRef::whole(TaskIx(1));

    /// Tasks `a`, at most one at once, and `b`; both of the queue `gpu`, at most one at once.
    fn both() -> (Limits, Plan) {
        let queued = |name: &str| {
            let mut task = TaskDef::new(name, "cmd");
            task.execution.queue = Some("gpu".into());
            task
        };
        let mut a = queued("a");
        a.execution.workers = Some(1);
        let limits = Limits::new(HashMap::from([("gpu".to_owned(), 1)]));
        (limits, Plan::new(Definition::new("w", vec![a, queued("b")])))
    }

    /// What the limits ask for, answered by a store that gives what `gives` names.
    fn ask(limits: &mut Limits, gives: &[&str]) -> Vec<(String, u32, u32)> {
        let mut asks = limits.asks(true);
        asks.sort_by(|a, b| a.key.cmp(&b.key));
        let name = |ask: &SlotAsk| ask.key.split([' ', '\n']).next_back().unwrap().to_owned();
        let told = asks.iter().map(|ask| (name(ask), ask.used, ask.wanted)).collect();
        let given =
            |ask: &SlotAsk| if gives.contains(&name(ask).as_str()) { ask.wanted } else { 0 };
        let answers: Vec<u32> = asks.iter().map(given).collect();
        limits.take(asks, &answers);
        told
    }

    fn says(key: &str, used: u32, wanted: u32) -> (String, u32, u32) {
        (key.to_owned(), used, wanted)
    }

    #[test]
    fn an_attempt_counts_against_its_task_and_its_queue_until_it_is_over() {
        let (mut limits, plan) = both();
        let run = RunId::new(1, 0);
        assert!(!limits.gate(run).admit(&plan, A, 1));
        assert_eq!(ask(&mut limits, &["gpu", "a"]), [says("gpu", 0, 1), says("a", 0, 1)]);
        assert!(limits.gate(run).admit(&plan, A, 1));
        assert!(!limits.gate(run).admit(&plan, B, 3));
        assert_eq!(ask(&mut limits, &[]), [says("gpu", 1, 3)]);
        assert!(limits.are_waited_for());

        let at = Timestamp(0);
        let never_began = Event::Cancelled { at, task: TaskRef::item(TaskIx(0), 7) };
        assert_eq!(limits.release(run, &never_began), []);
        let over = Event::Cancelled { at, task: A };
        assert_eq!(limits.release(run, &over), [run]);
        assert_eq!(limits.release(run, &over), []);
        assert_eq!(ask(&mut limits, &[]), [says("gpu", 0, 0), says("a", 0, 0)]);
        assert_eq!(ask(&mut limits, &[]), []);
        assert!(!limits.are_waited_for());
    }

    #[test]
    fn what_is_wanted_with_something_waited_for_is_not_kept_from_others() {
        let (mut limits, plan) = both();
        let run = RunId::new(1, 0);
        assert!(!limits.gate(run).admit(&plan, A, 1));
        assert_eq!(ask(&mut limits, &["a"]).len(), 2);
        assert!(!limits.gate(run).admit(&plan, A, 1));
        limits.give_back_rest();
        assert_eq!(ask(&mut limits, &[]), [says("gpu", 0, 1), says("a", 0, 0)]);

        assert_eq!(limits.ask_again(), [run]);
        assert!(!limits.gate(run).admit(&plan, A, 1));
        assert_eq!(ask(&mut limits, &["gpu"]), [says("gpu", 0, 1)]);
        assert!(!limits.gate(run).admit(&plan, A, 1));
        assert_eq!(ask(&mut limits, &["a"]), [says("a", 0, 1)], "the other is in hand");
        assert!(limits.gate(run).admit(&plan, A, 1));
    }

    #[test]
    fn who_wants_nothing_any_more_leaves_the_line() {
        let (mut limits, plan) = both();
        let run = RunId::new(1, 0);
        assert!(!limits.gate(run).admit(&plan, B, 1));
        assert_eq!(ask(&mut limits, &[]), [says("gpu", 0, 1)]);
        assert!(limits.are_waited_for());
        assert_eq!(ask(&mut limits, &[]), []);
        assert_eq!(limits.ask_again(), [run]);
        assert_eq!(ask(&mut limits, &[]), [says("gpu", 0, 0)]);
        assert!(!limits.are_waited_for());
    }

    #[test]
    fn what_began_before_a_queue_had_a_limit_counts_and_the_smaller_number_holds() {
        let (mut limits, plan) = both();
        let run = RunId::new(1, 0);
        limits.set_queues(&HashMap::from([("gpu".to_owned(), 9), ("cpu".to_owned(), 2)]));
        assert_eq!(
            limits.queue_max,
            [("queue gpu".to_owned(), 1), ("queue cpu".to_owned(), 2)].into()
        );
        limits.set_queues(&HashMap::new());
        assert_eq!(limits.queue_max, limits.own_max);

        limits.count(run, &plan, B);
        limits.count(run, &plan, B);
        assert_eq!(ask(&mut limits, &[]), [says("gpu", 1, 0)]);
        assert_eq!(limits.release(run, &Event::Cancelled { at: Timestamp(0), task: B }), []);
        assert_eq!(ask(&mut limits, &[]), [says("gpu", 0, 0)]);
        assert!(!limits.are_waited_for());
    }

    #[test]
    fn a_run_that_is_forgotten_gives_all_back() {
        let (mut limits, plan) = both();
        let [one, two] = [1, 2].map(|n| RunId::new(n, 0));
        assert!(!limits.gate(one).admit(&plan, A, 1));
        ask(&mut limits, &["gpu", "a"]);
        assert!(limits.gate(one).admit(&plan, A, 1));
        assert!(!limits.gate(two).admit(&plan, B, 1));
        assert_eq!(limits.forget(one), [two]);
        assert_eq!(limits.forget(one), []);
        assert_eq!(ask(&mut limits, &["gpu"]), [says("gpu", 0, 1), says("a", 0, 0)]);
        assert!(limits.gate(two).admit(&plan, B, 1));
    }
}

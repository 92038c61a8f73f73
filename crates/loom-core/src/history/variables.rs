//! Who set which variable, when, and to what.

use crate::plan::VarIx;
use crate::run::{Assignment, Run};
use crate::{TaskIx, Timestamp, Value};
use std::collections::BTreeMap;

/// One time that a variable was set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VariableRecord<'a> {
    /// The variable's name.
    pub name: &'a str,
    /// What it was set to.
    pub value: &'a Value,
    /// Whether the value must not be shown.
    pub secret: bool,
    /// Who set it.
    pub set_by: SetBy,
    /// When.
    pub at: Timestamp,
    /// The sequence number of the event that set it; 0 for the run's start.
    pub seq: u64,
}

/// Who set a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetBy {
    /// The workflow's `env`, the caller, or the convention of `TRUE`.
    Start,
    /// A task that succeeded, or somebody in its name.
    Task(TaskIx),
    /// Somebody, for one task alone.
    Amendment,
}

/// All emissions of a run, in order.
#[derive(Debug)]
pub(super) struct Emissions {
    list: Vec<Emission>,
    /// For each variable that the plan names, its last emission; `NONE` if it is not set.
    last: Vec<u32>,
}

const NONE: u32 = u32::MAX;

#[derive(Debug)]
struct Emission {
    name: Name,
    /// The value, once the run has forgotten it: until then the run's own copy serves, since values
    /// may be large.
    kept: Option<Value>,
    secret: bool,
    set_by: SetBy,
    at: Timestamp,
    seq: u64,
}

#[derive(Debug)]
enum Name {
    /// One that the workflow names.
    Of(VarIx),
    /// The place of one that only the caller names among the run's shared variables.
    Shared(u32),
    /// One that nothing names; the run does not keep its value.
    Other(Box<str>),
}

impl Emissions {
    /// What is set at the run's start.
    pub(super) fn at_start(run: &Run, at: Timestamp) -> Self {
        let plan = run.plan();
        let mut emissions = Self { list: Vec::new(), last: vec![NONE; plan.var_count()] };
        for (place, variable) in run.shared().iter().enumerate() {
            if plan.find_var(&variable.name).is_none() {
                emissions.push_at_start(Name::Shared(place as u32), variable.secret, at);
            }
        }
        for var in 0..plan.var_count() as VarIx {
            if let Some(variable) = run.variable(plan.var_name(var)) {
                emissions.last[var as usize] = emissions.list.len() as u32;
                emissions.push_at_start(Name::Of(var), variable.secret, at);
            }
        }
        emissions
    }

    fn push_at_start(&mut self, name: Name, secret: bool, at: Timestamp) {
        self.list.push(Emission { name, kept: None, secret, set_by: SetBy::Start, at, seq: 0 });
    }

    pub(super) fn set(&mut self, assignment: Assignment, by: TaskIx, at: Timestamp, seq: u64) {
        let (name, kept, secret) = match assignment {
            Assignment::Named { var, before, secret } => {
                let place = self.list.len() as u32;
                let last = std::mem::replace(&mut self.last[var as usize], place);
                if let Some(last) = self.list.get_mut(last as usize) {
                    last.kept = before.map(|variable| variable.value);
                }
                (Name::Of(var), None, secret)
            }
            Assignment::Other(output) => {
                (Name::Other(output.name.into()), Some(output.value), output.secret)
            }
        };
        self.list.push(Emission { name, kept, secret, set_by: SetBy::Task(by), at, seq });
    }

    pub(super) fn iter<'a>(&'a self, run: &'a Run) -> impl Iterator<Item = VariableRecord<'a>> {
        self.list.iter().map(|emission| emission.record(run))
    }

    /// For each variable that the plan names, who set it first.
    pub(super) fn first_setters(&self) -> Vec<Option<SetBy>> {
        let mut first = vec![None; self.last.len()];
        for emission in &self.list {
            if let Name::Of(var) = emission.name {
                first[var as usize].get_or_insert(emission.set_by);
            }
        }
        first
    }

    /// The last emission of every variable, by name.
    pub(super) fn current<'a>(&'a self, run: &'a Run) -> BTreeMap<&'a str, VariableRecord<'a>> {
        self.iter(run).map(|record| (record.name, record)).collect()
    }

    /// The last emission of one variable.
    pub(super) fn last_of<'a>(&'a self, run: &'a Run, name: &str) -> Option<VariableRecord<'a>> {
        let emission = match run.plan().find_var(name) {
            Some(var) => self.list.get(self.last[var as usize] as usize),
            None => self.list.iter().rev().find(|emission| emission.name.text(run) == name),
        };
        emission.map(|emission| emission.record(run))
    }
}

impl Emission {
    fn record<'a>(&'a self, run: &'a Run) -> VariableRecord<'a> {
        let name = self.name.text(run);
        let value = self.kept.as_ref().unwrap_or_else(|| match self.name {
            Name::Shared(place) => &run.shared()[place as usize].value,
            _ => &run.variable(name).expect("a variable that was set stays set").value,
        });
        let Self { secret, set_by, at, seq, .. } = *self;
        VariableRecord { name, value, secret, set_by, at, seq }
    }
}

impl Name {
    fn text<'a>(&'a self, run: &'a Run) -> &'a str {
        match self {
            Self::Of(var) => run.plan().var_name(*var),
            Self::Shared(place) => &run.shared()[*place as usize].name,
            Self::Other(name) => name,
        }
    }
}

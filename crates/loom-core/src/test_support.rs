//! Shorthand for building workflows in tests.

use crate::{OutputDecl, TaskDef, TaskKind};

/// A task that does work.
pub(crate) fn task(name: &str) -> TaskDef {
    TaskDef::new(name, "cmd")
}

/// A task that takes no time.
pub(crate) fn instant(name: &str) -> TaskDef {
    TaskDef { kind: TaskKind::Instant, ..TaskDef::new(name, "noop") }
}

/// An `end` task.
pub(crate) fn barrier(name: &str) -> TaskDef {
    TaskDef { kind: TaskKind::Barrier, ..TaskDef::new(name, "end") }
}

impl TaskDef {
    pub(crate) fn needs(mut self, variable: &str) -> Self {
        self.inputs.push(variable.into());
        self
    }

    /// `NAME`, `NAME?` or `*`.
    pub(crate) fn out(mut self, output: &str) -> Self {
        match output.strip_suffix('?') {
            _ if output == "*" => self.outputs.any = true,
            Some(name) => {
                self.outputs.names.push(OutputDecl { name: name.into(), optional: true });
            }
            None => self.outputs.names.push(OutputDecl { name: output.into(), optional: false }),
        }
        self
    }

    pub(crate) fn after(mut self, task: &str) -> Self {
        self.execution.depends_on.push(task.into());
        self
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

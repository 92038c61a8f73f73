//! The compiled graph of a workflow.
use crate::{Definition, TaskDef, TaskIx};
/// A definition with its names resolved.
#[derive(Debug)]
pub struct Plan {
    definition: Definition,
}
impl Plan {
    /// The definition.
    pub const fn definition(&self) -> &Definition {
        &self.definition
    }
    /// One task's definition.
    pub fn task(&self, task: TaskIx) -> &TaskDef {
        &self.definition.tasks[task.at()]
    }
}

//! The plans of definitions, compiled once and kept at hand.
//!
//! A definition is named by the hash of its content, so what was compiled of it never changes.

use loom_core::Plan;
use loom_store::{DefinitionHash, QueryStore, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The most tasks of plans that are kept: some 64 MiB of them.
const TASKS_MAX: usize = 1 << 16;

/// Plans at hand. Cheap to clone; all clones share them.
#[derive(Clone, Default)]
pub struct Plans(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    plans: HashMap<DefinitionHash, Arc<Plan>>,
    /// How much they take up, in tasks; a plan without any counts as one.
    tasks: usize,
}

impl Plans {
    /// The plan of a stored definition.
    pub fn of(
        &self,
        store: &mut dyn QueryStore,
        hash: DefinitionHash,
    ) -> Result<Arc<Plan>, StoreError> {
        if let Some(plan) = self.kept(|kept| kept.plans.get(&hash).map(Arc::clone)) {
            return Ok(plan);
        }
        // Two who miss it at once both compile it: better than to wait for one another.
        let plan = Arc::new(Plan::new(store.definition(&hash)?));
        self.kept(|kept| kept.put(hash, &plan));
        Ok(plan)
    }

    fn kept<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kept {
    fn put(&mut self, hash: DefinitionHash, plan: &Arc<Plan>) {
        let weight = plan.tasks().count().max(1);
        if self.plans.contains_key(&hash) || weight > TASKS_MAX {
            return;
        }
        if self.tasks + weight > TASKS_MAX {
            // What is used comes back at its next use.
            *self = Self::default();
        }
        self.tasks += weight;
        self.plans.insert(hash, Arc::clone(plan));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_core::{Definition, TaskDef};

    fn plan(tasks: usize) -> Arc<Plan> {
        let task = |nth| TaskDef::new(format!("t{nth}"), "noop");
        Arc::new(Plan::new(Definition::new("test", (0..tasks).map(task).collect())))
    }

    #[test]
    fn no_more_is_kept_than_may_be() {
        let mut kept = Kept::default();
        let half = plan(TASKS_MAX / 2);
        kept.put([1; 32], &half);
        kept.put([1; 32], &half);
        kept.put([2; 32], &half);
        assert_eq!((kept.plans.len(), kept.tasks), (2, TASKS_MAX));
        kept.put([3; 32], &plan(0));
        assert_eq!((kept.plans.len(), kept.tasks), (1, 1));
        kept.put([4; 32], &plan(TASKS_MAX + 1));
        assert_eq!((kept.plans.len(), kept.tasks), (1, 1));
    }
}

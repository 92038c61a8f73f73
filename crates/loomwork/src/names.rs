//! Finding the name that was probably meant.

use loom_core::Plan;

/// The most single-letter changes between what was written and what was meant.
fn distance_most(name: &str) -> usize {
    (name.chars().count() / 3).clamp(1, 4)
}

/// The task whose name is nearest to this, if one is near.
pub(crate) fn nearest_task(plan: &Plan, wrong: &str) -> Option<String> {
    plan.tasks()
        .map(|(_, def)| (strsim::osa_distance(&def.name, wrong), &def.name))
        .filter(|(distance, name)| *distance <= distance_most(name))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name.clone())
}

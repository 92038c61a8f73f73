//! What a schedule may say.

use super::document::namespace;
use crate::access::{Caller, Permission};
use crate::asked::{run, size, within};
use crate::problem::Problem;
use loom_protocol::api::{CatchUp, Overlap, ScheduleSpec};

/// The longest window of catching up, in seconds.
const WINDOW_MAX: u32 = 7 * 24 * 60 * 60;

/// Refuses what could not work, or what the caller may not do themselves: the runs start and are
/// cancelled in their name.
pub(super) fn spec(caller: &Caller, spec: &ScheduleSpec) -> Result<(), Problem> {
    let namespace = namespace(&spec.run);
    caller.may(Permission::SchedulesWrite, namespace)?;
    caller.may(Permission::RunsStart, namespace)?;
    if spec.overlap == Overlap::CancelOlder {
        caller.may(Permission::RunsCancel, namespace)?;
    }
    run(&spec.run)?;
    within("`jitter_s`", spec.jitter_s, 0, 3600)?;
    within("`grace_s`", spec.grace_s, 1, 3600)?;
    if let CatchUp::All { window_s, most } = spec.catch_up {
        within("`catch_up.window_s`", window_s, 1, WINDOW_MAX)?;
        within("`catch_up.most`", most, 1, 1000)?;
    }
    size(spec, &spec.description)
}

//! `loom events`: the catalogue of events.

use crate::args::EventsArgs;
use crate::fault::Outcome;
use crate::ui::{Ui, Voice};
use loom_protocol::{ExitCode, event_catalog};

pub(crate) fn events(args: &EventsArgs, ui: &mut Ui) -> Outcome {
    let wanted = |name: &String| args.types.is_empty() || args.types.contains(name);
    for kind in event_catalog().types.iter().filter(|kind| wanted(&kind.name)) {
        if ui.voice == Voice::Json {
            ui.json(kind)?;
            continue;
        }
        let example = serde_json::to_string(&kind.example).expect("its keys are text");
        let name = ui.terminal.paint.bold(&kind.name);
        ui.print(&format!("{name}  {}\n  {example}\n", kind.description))?;
    }
    Ok(ExitCode::Success)
}

//! `loom validate`: check files without running them.

use crate::args::ValidateArgs;
use crate::commands::run::given;
use crate::fault::Outcome;
use crate::plugins::Plugins;
use crate::render::words::counted;
use crate::terminal::printable;
use crate::ui::{Ui, Voice};
use crate::workflow;
use loom_protocol::ExitCode;
use loom_spec::Severity;
use serde_json::json;

pub(crate) fn validate(args: ValidateArgs, ui: &mut Ui) -> Outcome {
    let limits = workflow::limits(&args.limits.limits)?;
    let given = given(args.variables)?;
    let mut wrong = 0;
    for file in &args.files {
        let Ok(source) = workflow::read(file, &limits, ui) else {
            wrong += 1;
            continue;
        };
        let plugins = Plugins::beside(workflow::base_of(file));
        // Who runs the file gives its variables: their absence is no fault of the file.
        let (definition, problems) =
            workflow::check(&source, &limits, &given, Severity::Warning, &plugins);
        ui.problems(&source, &problems);
        let is_good = definition.is_some();
        wrong += usize::from(!is_good);
        let tasks = definition.map_or(0, |definition| definition.tasks.len());
        match ui.voice {
            Voice::Human if is_good => {
                let paint = ui.terminal.paint;
                let line = format!("{} {}: ", paint.green("✔"), printable(source.name()));
                ui.print(&(line + &counted(tasks, "task") + "\n"))?;
            }
            Voice::Json => ui.json(&json!({
                "type": "checked", "file": source.name(), "valid": is_good, "tasks": tasks,
            }))?,
            Voice::Human | Voice::Quiet => {}
        }
    }
    if wrong == 0 {
        return Ok(ExitCode::Success);
    }
    let (bad, all) = (wrong, counted(args.files.len(), "file"));
    ui.remark(&format!("{bad} of {all} cannot run"));
    Ok(ExitCode::Usage)
}

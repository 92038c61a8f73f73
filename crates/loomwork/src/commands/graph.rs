//! `loom graph`: draw a workflow.

use crate::args::{GraphArgs, GraphFormat};
use crate::fault::{Ended, Outcome};
use crate::plugins::Plugins;
use crate::ui::Ui;
use crate::workflow;
use loom_protocol::ExitCode;
use loom_spec::draw;

pub(crate) fn graph(args: &GraphArgs, ui: &mut Ui) -> Outcome {
    let limits = workflow::limits(&args.limits.limits)?;
    let source = workflow::read(&args.file, &limits, ui)?;
    let plugins = Plugins::beside(workflow::base_of(&args.file));
    // A picture needs no more than that the file can be read.
    let definition = match loom_spec::load(&source, &limits).resolve(&plugins) {
        Ok(definition) => definition,
        Err(problems) => {
            ui.problems(&source, &problems);
            return Err(Ended::Told(ExitCode::Usage));
        }
    };
    let picture = match args.format {
        GraphFormat::Mermaid => draw::mermaid(&definition),
        GraphFormat::Dot => draw::dot(&definition),
        GraphFormat::Text => draw::text(&definition),
    };
    ui.print(&picture)?;
    if !picture.ends_with('\n') {
        ui.print("\n")?;
    }
    Ok(ExitCode::Success)
}

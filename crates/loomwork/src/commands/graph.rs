//! `loom graph`: draw a workflow, or a run of one.

use crate::args::{GraphArgs, GraphFormat};
use crate::fault::{Ended, Outcome};
use crate::place::Place;
use crate::plugins::Plugins;
use crate::ui::Ui;
use crate::workflow;
use loom_protocol::ExitCode;
use loom_spec::draw::{self, Form};
use std::path::Path;

/// `place` is where runs are, if a run is to be drawn.
pub(crate) fn graph(args: &GraphArgs, place: Option<Place>, ui: &mut Ui) -> Outcome {
    let form = match args.format {
        GraphFormat::Mermaid => Form::Mermaid,
        GraphFormat::Dot => Form::Dot,
        GraphFormat::Text => Form::Text,
    };
    let picture = match (&args.run, place) {
        (Some(run), Some(mut place)) => {
            let id = place.find(run)?;
            draw::run(&place.look(id)?.history, form)
        }
        _ => of_file(args.file.as_deref().expect("a file or a run is named"), args, form, ui)?,
    };
    ui.print(&picture)?;
    if !picture.ends_with('\n') {
        ui.print("\n")?;
    }
    Ok(ExitCode::Success)
}

fn of_file(file: &Path, args: &GraphArgs, form: Form, ui: &mut Ui) -> Result<String, Ended> {
    let limits = workflow::limits(&args.limits.limits)?;
    let source = workflow::read(file, &limits, ui)?;
    let plugins = Plugins::beside(workflow::base_of(file));
    // A picture needs no more than that the file can be read.
    match loom_spec::load(&source, &limits).resolve(&plugins) {
        Ok(definition) => Ok(draw::workflow(&definition, form)),
        Err(problems) => {
            ui.problems(&source, &problems);
            Err(Ended::Told(ExitCode::Usage))
        }
    }
}

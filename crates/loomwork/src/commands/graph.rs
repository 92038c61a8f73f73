//! `loom graph`: draw a workflow, or a run of one.

use crate::args::{GraphArgs, GraphFormat};
use crate::fault::{Ended, Fault, Outcome};
use crate::place::Place;
use crate::plugins::Plugins;
use crate::session::now;
use crate::terminal::in_order;
use crate::ui::{Ui, Voice};
use crate::workflow;
use loom_core::Definition;
use loom_protocol::{ErrorCode, ExitCode};
use loom_server::runs;
use loom_spec::draw::{self, Form};
use serde::Serialize;
use std::io;
use std::path::Path;

/// `place` is where runs are, if a run is to be drawn.
pub(crate) fn graph(args: &GraphArgs, place: Option<Place>, ui: &mut Ui) -> Outcome {
    let form = match args.format {
        Some(GraphFormat::Mermaid) | None => Form::Mermaid,
        Some(GraphFormat::Dot) => Form::Dot,
        Some(GraphFormat::Text) => Form::Text,
    };
    if ui.voice == Voice::Json && args.format.is_some() {
        let message = "--json prints a graph as data, with both pictures: --format does not apply";
        let fault = Fault::new(ErrorCode::BadArgument, message);
        return Err(fault.help("leave one of the two out").into());
    }
    if let (Some(run), Some(mut place)) = (&args.run, place) {
        let id = place.find(run)?;
        let history = place.look(id)?.history;
        let state = runs::wire_state(history.run().state());
        tell(
            || draw::run_view(&history, state, now()),
            || read_by(form, draw::run(&history, form)),
            ui,
        )?;
    } else {
        let file = args.file.as_deref().expect("a file or a run is named");
        let definition = of_file(file, args, ui)?;
        tell(|| draw::view(&definition), || read_by(form, draw::workflow(&definition, form)), ui)?;
    }
    Ok(ExitCode::Success)
}

/// A picture as whoever reads it takes it: the one for people shows all that is in it.
fn read_by(form: Form, picture: String) -> String {
    if matches!(form, Form::Text) { in_order(&picture).into_owned() } else { picture }
}

/// A graph as data or as a picture.
fn tell<T: Serialize>(
    data: impl FnOnce() -> T,
    picture: impl FnOnce() -> String,
    ui: &mut Ui,
) -> io::Result<()> {
    if ui.voice == Voice::Json {
        return ui.json(&data());
    }
    let picture = picture();
    ui.print(&picture)?;
    if picture.ends_with('\n') { Ok(()) } else { ui.print("\n") }
}

fn of_file(file: &Path, args: &GraphArgs, ui: &mut Ui) -> Result<Definition, Ended> {
    let limits = workflow::limits(&args.limits.limits)?;
    let source = workflow::read(file, &limits, ui)?;
    let plugins = Plugins::beside(workflow::base_of(file));
    // A picture needs no more than that the file can be read.
    match loom_spec::load(&source, &limits).resolve(&plugins) {
        Ok(definition) => Ok(definition),
        Err(problems) => {
            ui.problems(&source, &problems);
            Err(Ended::Told(ExitCode::Usage))
        }
    }
}

//! `loom import`: turn another system's workflow into a workflow file.

use crate::args::{ImportArgs, ImportFormat};
use crate::fault::{Ended, Fault, Outcome};
use crate::ui::{Ui, Voice};
use crate::workflow;
use loom_protocol::{ErrorCode, ExitCode};
use loom_spec::import::wfformat;
use serde_json::json;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

pub(crate) fn import(args: &ImportArgs, ui: &mut Ui) -> Outcome {
    if !args.scale.is_finite() || args.scale < 0.0 {
        let message = format!("--scale {} is not a number from 0 up", args.scale);
        return Err(Fault::new(ErrorCode::BadArgument, message)
            .help("--scale 0.01 sleeps a hundredth of each recorded runtime")
            .into());
    }
    let limits = workflow::limits(&args.limits.limits)?;
    let source = workflow::read(&args.file, &limits, ui)?;
    let imported = match args.format {
        ImportFormat::Wfformat => wfformat(&source, &limits, args.scale),
    };
    let text = match imported {
        Ok(text) => text,
        Err(problems) => {
            ui.problems(&source, &problems);
            return Err(Ended::Told(ExitCode::Usage));
        }
    };
    match &args.output {
        Some(path) => write_new(path, &text, ui)?,
        None if ui.voice == Voice::Json => ui.json(&json!({ "text": text }))?,
        None => ui.print(&text)?,
    }
    Ok(ExitCode::Success)
}

/// Writes a file that must not exist yet.
fn write_new(path: &Path, text: &str, ui: &mut Ui) -> Result<(), Ended> {
    let shown = path.display();
    let result = OpenOptions::new().write(true).create_new(true).open(path);
    match result.and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => Ok(ui.wrote_workflow(path)?),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(Fault::new(ErrorCode::FileExists, format!("`{shown}` exists"))
                .help("give another file; nothing is overwritten")
                .into())
        }
        Err(error) => Err(Fault::machine(format!("cannot write {shown}"), error).into()),
    }
}

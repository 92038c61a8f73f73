//! `loom init`: a first workflow that runs.

use crate::args::InitArgs;
use crate::fault::{Fault, Outcome};
use crate::ui::Ui;
use loom_protocol::{ErrorCode, ExitCode};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};

const FIRST: &str = include_str!("init/workflow.yaml");

pub(crate) fn init(args: &InitArgs, ui: &mut Ui) -> Outcome {
    let failed = |what: &str, error| Fault::machine(format!("cannot make {what}"), error);
    std::fs::create_dir_all(&args.folder)
        .map_err(|error| failed(&args.folder.display().to_string(), error))?;
    let path = args.folder.join("workflow.yaml");
    let shown = path.display().to_string();
    let mut file = match OpenOptions::new().write(true).create_new(true).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(Fault::new(ErrorCode::FileExists, format!("`{shown}` exists"))
                .help("nothing is overwritten; loom init FOLDER writes to another folder")
                .into());
        }
        Err(error) => return Err(failed(&shown, error).into()),
    };
    file.write_all(FIRST.as_bytes()).map_err(|error| failed(&shown, error))?;
    ui.wrote_workflow(&path)?;
    Ok(ExitCode::Success)
}

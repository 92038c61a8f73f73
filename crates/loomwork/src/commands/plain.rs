//! Commands that only write something down: `schema`, `completions`, `man`, `explain`.

use crate::args::{Cli, CompletionsArgs, ExplainArgs, ManArgs};
use crate::fault::{Fault, Outcome};
use crate::pages;
use crate::ui::{Ui, Voice};
use clap::CommandFactory;
use clap_mangen::Man;
use loom_protocol::{ErrorCode, ExitCode};
use serde_json::json;
use std::io;
use std::path::{Path, PathBuf};

/// The JSON Schema of workflow files.
pub(crate) fn schema(ui: &mut Ui) -> Outcome {
    let schema = loom_spec::keys::schema();
    if ui.voice == Voice::Json {
        ui.json(&schema)?;
        return Ok(ExitCode::Success);
    }
    let text = serde_json::to_string_pretty(&schema).expect("a JSON value can be written");
    ui.print(&(text + "\n"))?;
    Ok(ExitCode::Success)
}

/// What a shell needs to complete command lines.
pub(crate) fn completions(args: &CompletionsArgs, ui: &mut Ui) -> Outcome {
    if ui.voice == Voice::Json {
        let message = "`loom completions` prints a script for a shell: --json does not apply";
        return Err(Fault::new(ErrorCode::BadArgument, message).help("leave --json out").into());
    }
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "loom", &mut text);
    ui.print(&String::from_utf8_lossy(&text))?;
    Ok(ExitCode::Success)
}

/// The manual pages, into a folder, or the first of them to the output.
pub(crate) fn man(args: &ManArgs, ui: &mut Ui) -> Outcome {
    let Some(folder) = &args.folder else {
        let mut text = Vec::new();
        Man::new(Cli::command()).render(&mut text)?;
        let text = String::from_utf8_lossy(&text);
        match ui.voice {
            Voice::Json => ui.json(&json!({ "page": text }))?,
            Voice::Human | Voice::Quiet => ui.print(&text)?,
        }
        return Ok(ExitCode::Success);
    };
    let failed =
        |error| Fault::machine(format!("cannot write manual pages to {}", folder.display()), error);
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut files = Vec::new();
    write_pages(&command, folder, &mut files).map_err(failed)?;
    files.sort();
    match ui.voice {
        Voice::Json => ui.json(&json!({ "files": files }))?,
        Voice::Human | Voice::Quiet => {
            ui.remark(&format!("wrote the manual pages to {}", folder.display()));
        }
    }
    Ok(ExitCode::Success)
}

/// Writes the page of a command and those of its subcommands.
fn write_pages(command: &clap::Command, folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let shown = command.get_subcommands().filter(|one| !one.is_hide_set());
    for subcommand in shown {
        write_pages(subcommand, folder, files)?;
    }
    files.push(Man::new(command.clone()).generate_to(folder)?);
    Ok(())
}

/// The page of an error's code.
pub(crate) fn explain(args: &ExplainArgs, ui: &mut Ui) -> Outcome {
    let wanted = args.code.trim().trim_start_matches(['L', 'l']);
    let code = wanted.parse().ok().and_then(ErrorCode::from_number).ok_or_else(|| {
        Fault::new(ErrorCode::BadArgument, format!("there is no error `{}`", args.code))
            .help("codes are those in brackets: `loom explain L205` for error[L205]")
    })?;
    match ui.voice {
        Voice::Json => ui.json(&json!({
            "code": code.to_string(), "title": code.title(), "exit": code.area().exit() as u8,
            "page": pages::page(code),
        }))?,
        Voice::Human | Voice::Quiet => ui.print(pages::page(code))?,
    }
    Ok(ExitCode::Success)
}

//! Commands that only write something down: `schema`, `completions`, `man`, `explain`.

use crate::args::{Cli, CompletionsArgs, ExplainArgs, ManArgs};
use crate::fault::{Fault, Outcome};
use crate::pages;
use crate::ui::{Ui, Voice};
use clap::CommandFactory;
use loom_protocol::{ErrorCode, ExitCode};
use serde_json::json;

/// The JSON Schema of workflow files.
pub(crate) fn schema(ui: &mut Ui) -> Outcome {
    let text = serde_json::to_string_pretty(&loom_spec::keys::schema())
        .expect("a JSON value can be written");
    ui.print(&(text + "\n"))?;
    Ok(ExitCode::Success)
}

/// What a shell needs to complete command lines.
pub(crate) fn completions(args: &CompletionsArgs, ui: &mut Ui) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "loom", &mut text);
    ui.print(&String::from_utf8_lossy(&text))?;
    Ok(ExitCode::Success)
}

/// The manual pages, into a folder, or the first of them to the output.
pub(crate) fn man(args: &ManArgs, ui: &mut Ui) -> Outcome {
    let Some(folder) = &args.folder else {
        let mut text = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut text)?;
        ui.print(&String::from_utf8_lossy(&text))?;
        return Ok(ExitCode::Success);
    };
    let failed =
        |error| Fault::machine(format!("cannot write manual pages to {}", folder.display()), error);
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), folder).map_err(failed)?;
    ui.remark(&format!("wrote the manual pages to {}", folder.display()));
    Ok(ExitCode::Success)
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

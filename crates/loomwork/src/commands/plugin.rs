//! `loom plugin list` and `loom plugin new`.

use crate::args::{Language, PluginCommand, PluginListArgs, PluginNewArgs};
use crate::fault::Outcome;
use crate::plugins::{Plugins, fault};
use crate::render::table::Table;
use crate::ui::{Ui, Voice};
use loom_protocol::ExitCode;
use loom_worker::{FoundPlugin, PluginLanguage, scaffold};
use serde_json::json;
use std::path::Path;

pub(crate) fn plugin(command: &PluginCommand, ui: &mut Ui) -> Outcome {
    match command {
        PluginCommand::List(args) => list(args, ui),
        PluginCommand::New(args) => new(args, ui),
    }
}

fn list(args: &PluginListArgs, ui: &mut Ui) -> Outcome {
    let plugins = Plugins::beside(args.folder.clone());
    let found = plugins.set().list();
    if ui.voice == Voice::Json {
        for plugin in &found {
            ui.json(&document(plugin))?;
        }
        return Ok(ExitCode::Success);
    }
    let paint = ui.terminal.paint;
    let mut table = Table::new(&["PLUGIN", "KIND", "WHERE", "WHAT"]);
    for plugin in &found {
        let place = match &plugin.path {
            Some(path) => path.display().to_string(),
            None => plugin.place.to_string(),
        };
        let what = match &plugin.problem {
            Some(problem) => {
                paint.red(format!("cannot be used [{}]: {}", problem.code, problem.what))
            }
            None => plugin.manifest.description.clone(),
        };
        table.row([paint.bold(&plugin.name), plugin.form.to_string(), place, what]);
        for shadow in &plugin.shadows {
            let what = paint.dim("not used: another of its name comes first");
            table.row([String::new(), String::new(), shadow.display().to_string(), what]);
        }
    }
    ui.print(&table.render(paint))?;
    Ok(ExitCode::Success)
}

fn document(plugin: &FoundPlugin) -> serde_json::Value {
    json!({
        "name": plugin.name,
        "form": plugin.form.to_string(),
        "place": plugin.place.to_string(),
        "path": plugin.path,
        "manifest": plugin.manifest,
        "problem": plugin.problem.as_ref().map(|problem| json!({
            "code": problem.code.to_string(),
            "file": problem.file,
            "line": problem.line,
            "message": problem.what,
            "help": problem.mend,
        })),
        "shadows": plugin.shadows,
    })
}

fn new(args: &PluginNewArgs, ui: &mut Ui) -> Outcome {
    let language = match args.lang {
        Language::Shell => PluginLanguage::Shell,
        Language::Python => PluginLanguage::Python,
    };
    let written = scaffold(Path::new(&args.folder), &args.name, language)
        .map_err(|problem| fault(&problem))?;
    match ui.voice {
        Voice::Json => {
            ui.json(&json!({ "files": written.files, "next_steps": written.next_steps }))?;
        }
        Voice::Human => {
            for file in &written.files {
                ui.print(&format!("wrote {}\n", file.display()))?;
            }
            for step in &written.next_steps {
                ui.print(&format!("{step}\n"))?;
            }
        }
        Voice::Quiet => {}
    }
    Ok(ExitCode::Success)
}

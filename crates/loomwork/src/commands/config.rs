//! `loom config`: the settings in force, and where each value comes from.

use crate::fault::Outcome;
use crate::render::table::Table;
use crate::settings::{SETTINGS, Settings};
use crate::ui::{Ui, Voice};
use loom_protocol::ExitCode;
use serde_json::{Value, json};

pub(crate) fn config(settings: &Settings, ui: &mut Ui) -> Outcome {
    if ui.voice == Voice::Json {
        let list = SETTINGS.iter().map(|setting| {
            let found = settings.find(setting);
            json!({
                "key": setting.key,
                "env": setting.env,
                "flag": (!setting.flag.is_empty()).then(|| format!("--{}", setting.flag)),
                "value": found.map(|found| found.value.shown()),
                "origin": found.map(|found| found.origin.to_string()),
            })
        });
        let list: Vec<Value> = list.collect();
        ui.json(&json!({ "file": settings.file, "settings": list }))?;
        return Ok(ExitCode::Success);
    }
    let mut table = Table::new(&["SETTING", "VALUE", "FROM"]);
    for setting in SETTINGS {
        let (value, origin) = match settings.find(setting) {
            Some(found) => (plain(&found.value.shown()), found.origin.to_string()),
            None => ("–".to_owned(), "–".to_owned()),
        };
        table.row([setting.key.to_owned(), value, origin]);
    }
    ui.print(&table.render(ui.terminal.paint))?;
    match &settings.file {
        Some(file) => ui.remark(&format!("read from {}", file.display())),
        None => ui.remark("there is no configuration file; name one with --config"),
    }
    Ok(ExitCode::Success)
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

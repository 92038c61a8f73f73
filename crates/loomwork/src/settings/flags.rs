//! Settings as flags of a command.

use super::table::{Kind, SETTINGS, Setting, find};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

/// What was set on the command line, in words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags(pub(super) Vec<(&'static Setting, Vec<String>)>);

impl Flags {
    /// One that is given, or none.
    pub(crate) fn of(key: &str, text: Option<String>) -> Self {
        let setting = find(key).expect("the caller names one of the table");
        Self(text.map(|text| (setting, vec![text])).into_iter().collect())
    }
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        own().fold(command, |command, it| command.arg(flag(it)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for setting in own() {
            let Some(texts) = matches.get_many::<String>(setting.key) else { continue };
            let texts: Vec<String> = texts.cloned().collect();
            for text in &texts {
                super::value::parse(setting.kind, text).map_err(|why| {
                    let what = format!("--{}: {why}\n", setting.flag);
                    clap::Error::raw(ErrorKind::ValueValidation, what)
                })?;
            }
            self.0.push((setting, texts));
        }
        Ok(())
    }
}

/// The settings that are not flags of every command.
fn own() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| !setting.is_global())
}

fn flag(setting: &'static Setting) -> Arg {
    let help = match setting.default {
        "" => format!("{} [env: {}]", setting.help, setting.env),
        default => format!("{} [env: {}] [default: {default}]", setting.help, setting.env),
    };
    let arg = Arg::new(setting.key).long(setting.flag).help(help).value_name(match setting.kind {
        Kind::Text | Kind::Secret => "TEXT",
        Kind::Path => "PATH",
        Kind::Address => "ADDRESS",
        Kind::Switch => "BOOL",
        Kind::Count(_) => "N",
        Kind::Time => "TIME",
        Kind::List => "NAME",
        Kind::Map | Kind::Secrets => "NAME=VALUE",
    });
    match setting.kind {
        Kind::Switch => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
        Kind::List | Kind::Map | Kind::Secrets => arg.action(ArgAction::Append),
        _ => arg,
    }
}

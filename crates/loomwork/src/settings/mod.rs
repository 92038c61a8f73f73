//! What is set, and where: flags go before the environment, which goes before the file, which goes
//! before the defaults.

mod file;
mod flags;
mod table;
mod value;

pub(crate) use flags::Flags;
pub(crate) use table::{SETTINGS, Setting, secret_variables};
pub(crate) use value::Value;

use crate::args::Global;
use crate::fault::Fault;
use loom_protocol::ErrorCode;
use loom_server::Target;
use std::collections::BTreeMap;
use std::env;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use table::{ALIASES, sections};

/// The file's name in the configuration folder.
const FILE: &str = "loom.toml";

/// The settings in force.
#[derive(Debug)]
pub(crate) struct Settings {
    found: BTreeMap<&'static str, Found>,
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
}

/// A value, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File(PathBuf, usize),
    Env(&'static str),
    Flag(&'static str),
}

impl Origin {
    /// Whoever has the higher one goes before.
    const fn rank(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::File(..) => 1,
            Self::Env(_) => 2,
            Self::Flag(_) => 3,
        }
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Env(name) => f.write_str(name),
            Self::Flag(name) => write!(f, "--{name}"),
        }
    }
}

impl Settings {
    /// Gathers what is set. Nothing is passed over: what is not known, or wrong, is an error.
    pub(crate) fn load(global: &Global, flags: &Flags) -> Result<Self, Fault> {
        let mut found = defaults();
        let file = match &global.config {
            Some(path) => Some((path.clone(), true)),
            None => default_file().map(|path| (path, false)),
        };
        let file = match file {
            Some((path, named)) => read_file(path, named, &mut found)?,
            None => None,
        };
        read_env(env::vars_os(), &mut found)?;
        let global = global.flags().map(|(key, text)| {
            (table::find(key).expect("the arguments name settings of the table"), vec![text])
        });
        for (setting, texts) in flags.0.iter().cloned().chain(global) {
            let values = texts.iter().map(|text| value::parse(setting.kind, text));
            let values = values.collect::<Result<Vec<_>, _>>();
            let values = values.map_err(|why| {
                Fault::new(ErrorCode::BadArgument, format!("--{}: {why}", setting.flag))
            })?;
            if let Some(value) = values.into_iter().reduce(Value::and) {
                found.insert(setting.key, Found { value, origin: Origin::Flag(setting.flag) });
            }
        }
        Ok(Self { found, file })
    }

    /// What is known of a setting.
    pub(crate) fn find(&self, setting: &Setting) -> Option<&Found> {
        self.found.get(setting.key)
    }

    /// A text and who says so.
    pub(crate) fn named(&self, key: &str) -> Option<(String, &Origin)> {
        Some((self.text(key)?, &self.found.get(key)?.origin))
    }

    /// Of two settings that say the same in two ways, the one that counts: a flag goes before the
    /// environment, and so on. Said twice in one place, they are an error.
    pub(crate) fn either<'a>(
        &self,
        one: &'a str,
        other: &'a str,
    ) -> Result<Option<&'a str>, Fault> {
        let rank = |key: &str| self.found.get(key).map(|found| found.origin.rank());
        match (rank(one), rank(other)) {
            (None, None) => Ok(None),
            (Some(rank), Some(same)) if rank == same => {
                Err(self.wrong(other, &format!("there is a `{one}` too; set one of them")))
            }
            (first, second) => Ok(Some(if first > second { one } else { other })),
        }
    }

    fn value(&self, key: &str) -> Option<&Value> {
        debug_assert!(table::find(key).is_some(), "there is no setting `{key}`");
        self.found.get(key).map(|found| &found.value)
    }

    pub(crate) fn text(&self, key: &str) -> Option<String> {
        match self.value(key)? {
            Value::Text(text) | Value::Secret(text) => Some(text.clone()),
            Value::Path(path) => Some(path.display().to_string()),
            other => unreachable!("`{key}` is no text but {other:?}"),
        }
    }

    pub(crate) fn path(&self, key: &str) -> Option<PathBuf> {
        self.text(key).map(PathBuf::from)
    }

    pub(crate) fn address(&self, key: &str) -> SocketAddr {
        match self.value(key) {
            Some(Value::Address(address)) => *address,
            other => unreachable!("`{key}` is no address but {other:?}"),
        }
    }

    pub(crate) fn switch(&self, key: &str) -> bool {
        matches!(self.value(key), Some(Value::Switch(true)))
    }

    pub(crate) fn count(&self, key: &str) -> Option<u32> {
        match self.value(key)? {
            Value::Count(number) => Some(*number as u32),
            other => unreachable!("`{key}` is no number but {other:?}"),
        }
    }

    pub(crate) fn time(&self, key: &str) -> Duration {
        match self.value(key) {
            Some(Value::Time(time)) => *time,
            other => unreachable!("`{key}` is no time but {other:?}"),
        }
    }

    pub(crate) fn list(&self, key: &str) -> Vec<String> {
        match self.value(key) {
            Some(Value::List(items)) => items.clone(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn map(&self, key: &str) -> BTreeMap<String, String> {
        match self.value(key) {
            Some(Value::Map(entries) | Value::Secrets(entries)) => entries.clone(),
            _ => BTreeMap::new(),
        }
    }

    /// The most tasks of each queue at once.
    pub(crate) fn queues(&self) -> Result<Vec<(String, u32)>, Fault> {
        let read = |(name, most): (String, String)| match most.parse() {
            Ok(most) if most > 0 => Ok((name, most)),
            _ => Err(self.wrong("queue", &format!("`{name}` is not given a number from 1 on"))),
        };
        self.map("queue").into_iter().map(read).collect()
    }

    /// Where runs are reported to, if anywhere.
    pub(crate) fn report(&self) -> Result<Option<Target>, Fault> {
        let Some(url) = self.text("report.url") else { return Ok(None) };
        let target = Target::new(&url, self.text("report.token"));
        target.map(Some).map_err(|why| self.wrong("report.url", &why))
    }

    /// That a setting cannot be used, with where it was set.
    pub(crate) fn wrong(&self, key: &str, why: &str) -> Fault {
        let origin = self.found.get(key).map_or(&Origin::Default, |found| &found.origin);
        Fault::new(ErrorCode::BadSetting, format!("`{key}` ({origin}) is wrong: {why}"))
    }
}

fn defaults() -> BTreeMap<&'static str, Found> {
    let set = SETTINGS.iter().filter(|setting| !setting.default.is_empty());
    set.map(|setting| {
        let value =
            value::parse(setting.kind, setting.default).expect("a test checks all defaults");
        (setting.key, Found { value, origin: Origin::Default })
    })
    .collect()
}

/// Where the file is if nobody names one.
fn default_file() -> Option<PathBuf> {
    let folder =
        |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder =
        folder("XDG_CONFIG_HOME").or_else(|| folder("HOME").map(|home| home.join(".config")))?;
    Some(folder.join("loom").join(FILE))
}

fn read_file(
    path: PathBuf,
    named: bool,
    found: &mut BTreeMap<&'static str, Found>,
) -> Result<Option<PathBuf>, Fault> {
    let Some(text) = file::text(&path)? else {
        if named {
            let what = format!("there is no configuration {}", path.display());
            return Err(Fault::new(ErrorCode::BadSetting, what));
        }
        return Ok(None);
    };
    for (key, line, value) in file::read(&text, &path)? {
        let origin = Origin::File(path.clone(), line);
        found.insert(key, Found { value, origin });
    }
    Ok(Some(path))
}

fn read_env(
    variables: impl Iterator<Item = (std::ffi::OsString, std::ffi::OsString)>,
    found: &mut BTreeMap<&'static str, Found>,
) -> Result<(), Fault> {
    let ours = |name: &str| {
        let of = |section: &&str| name.starts_with(&format!("LOOM_{}_", section.to_uppercase()));
        sections().iter().any(of)
    };
    let mut variables: Vec<_> = variables.collect();
    // What comes later goes before.
    variables.sort_by_key(|(name, _)| !ALIASES.iter().any(|(alias, _)| name == alias));
    for (name, text) in variables {
        let Some(name) = name.to_str() else { continue };
        let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
        let by_alias = alias.and_then(|(alias, key)| Some((*alias, table::find(key)?)));
        let by_name = || SETTINGS.iter().find(|it| it.env == name).map(|it| (it.env, it));
        let Some((name, setting)) = by_alias.or_else(by_name) else {
            if ours(name) {
                return Err(unknown_variable(name));
            }
            continue;
        };
        // As for other programs, empty is as good as not set.
        if text.is_empty() {
            continue;
        }
        let wrong = |why: &str| {
            Fault::new(ErrorCode::BadSetting, format!("the variable {name} is wrong: {why}"))
        };
        let text = text.to_str().ok_or_else(|| wrong("it is not UTF-8"))?;
        let value = value::parse(setting.kind, text).map_err(|why| wrong(&why))?;
        found.insert(setting.key, Found { value, origin: Origin::Env(name) });
    }
    Ok(())
}

fn unknown_variable(name: &str) -> Fault {
    let fault = Fault::new(ErrorCode::BadSetting, format!("the variable {name} is no setting"));
    match file::nearest(name, SETTINGS.iter().map(|setting| setting.env)) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault.help("`loom config` prints all settings"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str, text: &str) -> Result<BTreeMap<&'static str, Found>, Fault> {
        let mut found = BTreeMap::new();
        read_env([(name.into(), text.into())].into_iter(), &mut found).map(|()| found)
    }

    #[test]
    fn variables_are_settings_or_somebody_elses() {
        let found = env("LOOM_SERVER_HOSTS", "a,b").unwrap();
        let value = Value::List(vec!["a".into(), "b".into()]);
        let origin = Origin::Env("LOOM_SERVER_HOSTS");
        assert_eq!(found["server.hosts"], Found { value, origin });
        let found = env("LOOM_SERVER", "http://a").unwrap();
        assert_eq!(found["client.server"].origin, Origin::Env("LOOM_SERVER"));
        let ours = ("LOOM_REPORT_URL".into(), "http://ours/".into());
        let theirs = ("DOTFLOW_SERVER_URL".into(), "http://theirs/".into());
        for (variables, origin) in [
            (vec![theirs.clone()], "DOTFLOW_SERVER_URL"),
            (vec![ours.clone(), theirs.clone()], "LOOM_REPORT_URL"),
            (vec![theirs, ours], "LOOM_REPORT_URL"),
        ] {
            let mut found = BTreeMap::new();
            read_env(variables.into_iter(), &mut found).unwrap();
            assert_eq!(found["report.url"].origin, Origin::Env(origin));
        }
        for others in ["LOOM_RUN_ID", "PATH"] {
            assert!(env(others, "x").unwrap().is_empty(), "{others}");
        }
        assert!(env("LOOM_SERVER_HOSTS", "").unwrap().is_empty());
        let fault = env("LOOM_SERVER_LISTNE", "x").unwrap_err();
        assert_eq!(fault.help, ["did you mean `LOOM_SERVER_LISTEN`?"]);
        let fault = env("LOOM_SERVER_ACCESS", "perhaps").unwrap_err();
        assert!(fault.message.contains("LOOM_SERVER_ACCESS"), "{fault:?}");
    }

    #[test]
    fn of_two_ways_to_say_the_same_the_nearer_one_counts() {
        let origins = [
            ("client.token", Origin::Env("LOOM_TOKEN")),
            ("client.token_file", Origin::File("loom.toml".into(), 1)),
        ];
        let found =
            origins.map(|(key, origin)| (key, Found { value: Value::Text("x".into()), origin }));
        let mut settings = Settings { found: found.into(), file: None };
        let either = |settings: &Settings| settings.either("client.token", "client.token_file");
        assert_eq!(either(&settings), Ok(Some("client.token")));
        let file = settings.found.get_mut("client.token_file").unwrap();
        file.origin = Origin::Flag("token-file");
        assert_eq!(either(&settings), Ok(Some("client.token_file")));
        let file = settings.found.get_mut("client.token_file").unwrap();
        file.origin = Origin::Env("LOOM_TOKEN_FILE");
        assert!(either(&settings).unwrap_err().message.contains("set one of them"));
        settings.found.clear();
        assert_eq!(either(&settings), Ok(None));
    }
}

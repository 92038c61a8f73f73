//! The configuration file.

use super::table::{SETTINGS, find, sections};
use super::value::{Value, parse_toml};
use crate::fault::Fault;
use loom_protocol::ErrorCode;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// The most bytes of a file.
const BYTES_MAX: u64 = 1 << 20;

/// A setting in a file: its key, its line, its value.
pub(super) type Entry = (&'static str, usize, Value);

/// The text of a file; `None` if there is none.
pub(super) fn text(path: &Path) -> Result<Option<String>, Fault> {
    let cannot = |error: io::Error| {
        let what = format!("the configuration {} cannot be read: {error}", path.display());
        Fault::new(ErrorCode::BadSetting, what)
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot(error)),
    };
    let mut text = String::new();
    file.take(BYTES_MAX + 1).read_to_string(&mut text).map_err(cannot)?;
    if text.len() as u64 > BYTES_MAX {
        return Err(cannot(io::Error::other(format!("it has more than {BYTES_MAX} bytes"))));
    }
    Ok(Some(text))
}

/// The settings in a text, which is that of this file.
pub(super) fn read(text: &str, path: &Path) -> Result<Vec<Entry>, Fault> {
    let reader = Reader { text, path };
    let table = DeTable::parse(text)
        .map_err(|error| reader.wrong(&error.span().unwrap_or(0..0), error.message()))?;
    let mut entries = Vec::new();
    for (name, value) in table.get_ref() {
        let key = name.get_ref().as_ref();
        match value.get_ref() {
            DeValue::Table(section) if sections().contains(&key) => {
                reader.section(key, section, &mut entries)?;
            }
            value => reader.entry("", key, &name.span(), value, &mut entries)?,
        }
    }
    Ok(entries)
}

struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Reader<'_> {
    fn section(
        &self,
        section: &str,
        table: &DeTable<'_>,
        entries: &mut Vec<Entry>,
    ) -> Result<(), Fault> {
        table.iter().try_for_each(|(name, value)| {
            self.entry(section, name.get_ref(), &name.span(), value.get_ref(), entries)
        })
    }

    fn entry(
        &self,
        section: &str,
        name: &str,
        place: &Range<usize>,
        value: &DeValue<'_>,
        entries: &mut Vec<Entry>,
    ) -> Result<(), Fault> {
        let key = if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
        let Some(setting) = find(&key) else { return Err(self.unknown(section, name, place)) };
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let value = parse_toml(setting.kind, value, folder)
            .map_err(|why| self.wrong(place, &format!("`{key}` is wrong: {why}")))?;
        entries.push((setting.key, self.line(place), value));
        Ok(())
    }

    fn unknown(&self, section: &str, name: &str, place: &Range<usize>) -> Fault {
        let what = match section {
            "" => format!("`{name}` is no setting and no section"),
            _ => format!("`{name}` is no setting of `{section}`"),
        };
        let fault = self.wrong(place, &what);
        let of_section = SETTINGS.iter().filter_map(|it| match it.key.split_once('.') {
            Some((of, name)) if of == section => Some(name),
            None if section.is_empty() => Some(it.key),
            _ => None,
        });
        let tops = sections().into_iter().filter(|_| section.is_empty());
        let nearest = nearest(name, of_section.chain(tops));
        match nearest {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault.help("`loom config` prints all settings"),
        }
    }

    fn wrong(&self, place: &Range<usize>, what: &str) -> Fault {
        let where_ = format!("{}:{}", self.path.display(), self.line(place));
        Fault::new(ErrorCode::BadSetting, format!("{where_}: {what}"))
    }

    /// The line of a place, from 1.
    fn line(&self, place: &Range<usize>) -> usize {
        let before = &self.text.as_bytes()[..place.start.min(self.text.len())];
        before.split(|&byte| byte == b'\n').count()
    }
}

/// The name that was probably meant.
pub(super) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let scored = names.map(|of| (strsim::damerau_levenshtein(name, of), of));
    scored.min().filter(|(distance, of)| *distance <= 1 + of.len() / 4).map(|(_, of)| of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn wrong(text: &str) -> (String, Vec<String>) {
        let fault = read(text, Path::new("loom.toml")).unwrap_err();
        assert_eq!(fault.code, ErrorCode::BadSetting);
        (fault.message, fault.help)
    }

    #[test]
    fn settings_come_with_their_lines() {
        let text = "store = \"x.db\"\n\n[server]\nlisten = '127.0.0.1:1'\naccess = true\n\n[queue]\ngpu = 2\n\n[limits]\nrequest = \"5s\"\n";
        let mut entries = read(text, Path::new("/etc/loom.toml")).unwrap();
        entries.sort_by_key(|entry| entry.1);
        let gpu = Value::Map([("gpu".to_owned(), "2".to_owned())].into());
        assert_eq!(
            entries,
            [
                ("store", 1, Value::Path("/etc/x.db".into())),
                ("server.listen", 4, Value::Address("127.0.0.1:1".parse().unwrap())),
                ("server.access", 5, Value::Switch(true)),
                ("queue", 7, gpu),
                ("limits.request", 11, Value::Time(Duration::from_secs(5))),
            ]
        );
    }

    #[test]
    fn what_is_not_known_is_refused_with_its_place_and_what_was_meant() {
        let (message, help) = wrong("[server]\n\nlistne = '127.0.0.1:1'\n");
        assert_eq!(message, "loom.toml:3: `listne` is no setting of `server`");
        assert_eq!(help, ["did you mean `listen`?"]);
        let (message, help) = wrong("\n[sever]\nlisten = '127.0.0.1:1'\n");
        assert_eq!(message, "loom.toml:2: `sever` is no setting and no section");
        assert_eq!(help, ["did you mean `server`?"]);
        let (_, help) = wrong("something_else = 1");
        assert_eq!(help, ["`loom config` prints all settings"]);
    }

    #[test]
    fn values_of_the_wrong_kind_are_refused() {
        for (text, expected) in [
            ("[server]\naccess = 1", "it is an integer and has to be true or false"),
            ("[server]\nlisten = 7420", "it is an integer and has to be a text"),
            ("[audit]\ndays = 0", "it is no whole number from 1 on"),
            ("[audit]\ndays = -1", "it is no whole number from 1 on"),
            ("[server]\nhosts = [1]", "it is an array and has to be a list of texts"),
            ("queue = 3", "it is an integer and has to be a table"),
        ] {
            let (message, _) = wrong(text);
            assert!(message.ends_with(expected), "{message}");
        }
        assert!(wrong("[server\n").0.starts_with("loom.toml:1: "));
        assert!(wrong("[server]\naccess = true\naccess = true").0.starts_with("loom.toml:3: "));
    }
}

//! The parts of a body that mean something, as the texts that they are in it: none of the others is kept,
//! and none is made a value before it is known to be small. Values take many times the room of their
//! text.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;

/// The keys that mean something.
const KEYS: [&str; 17] = [
    "current_context",
    "duration",
    "error",
    "errors",
    "finished_at",
    "group_name",
    "id",
    "initial_context",
    "name",
    "previous_context",
    "started_at",
    "status",
    "step",
    "task_id",
    "tasks",
    "workflow_id",
    "workflow_name",
];

/// An object's fields that mean something; of those that come twice, the last.
pub(super) struct Fields<'a>(BTreeMap<&'static str, &'a RawValue>);

/// The last items of a list, and how many it has.
pub(super) struct Last<'a> {
    pub(super) items: Vec<&'a str>,
    pub(super) count: usize,
}

impl<'a> Fields<'a> {
    /// The fields of a part of a body that is an object.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        // The body as a whole has been held to its limits.
        serde_json::from_str(text).ok()
    }

    /// The text of a field.
    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).map(|text| text.get())
    }

    /// The items of a field that is a list, so many at most.
    pub(super) fn list(&self, key: &str, most: usize) -> Option<Last<'a>> {
        let mut reader = serde_json::Deserializer::from_str(self.get(key)?);
        reader.deserialize_seq(Items { most }).ok()
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields<'de>, M::Error> {
                let mut fields = BTreeMap::new();
                while let Some(Key(key)) = map.next_key()? {
                    match KEYS.iter().find(|known| **known == key) {
                        Some(known) => drop(fields.insert(*known, map.next_value()?)),
                        None => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// A key, with or without escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

struct Items {
    most: usize,
}

impl<'de> Visitor<'de> for Items {
    type Value = Last<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Last<'de>, S::Error> {
        let (mut items, mut count) = (VecDeque::new(), 0);
        while let Some(item) = seq.next_element::<&RawValue>()? {
            count += 1;
            if items.len() == self.most {
                items.pop_front();
            }
            items.push_back(item.get());
        }
        Ok(Last { items: items.into(), count })
    }
}

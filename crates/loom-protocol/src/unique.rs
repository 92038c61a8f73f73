//! Maps that others wrote, in which no key comes twice: of two values, one would be passed over.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// Reads a map; a key that comes twice is an error.
pub(crate) fn unique<'de, D, V>(reader: D) -> Result<BTreeMap<String, V>, D::Error>
where
    D: Deserializer<'de>,
    V: Deserialize<'de>,
{
    reader.deserialize_map(Unique(PhantomData))
}

struct Unique<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for Unique<V> {
    type Value = BTreeMap<String, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((key, value)) = entries.next_entry::<String, V>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format_args!("`{key}` is given twice")));
            }
            map.insert(key, value);
        }
        Ok(map)
    }
}

/// Any value, in which no map has a key twice.
pub(crate) struct UniqueKeys(pub(crate) Value);

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(AnyUnique)
    }
}

struct AnyUnique;

macro_rules! plain {
    ($($visit:ident: $type:ty),*) => {
        $(fn $visit<E: Error>(self, value: $type) -> Result<UniqueKeys, E> {
            Ok(UniqueKeys(value.into()))
        })*
    };
}

impl<'de> Visitor<'de> for AnyUnique {
    type Value = UniqueKeys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    plain!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E: Error>(self) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<UniqueKeys, A::Error> {
        let mut list = Vec::new();
        while let Some(UniqueKeys(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(UniqueKeys(list.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<UniqueKeys, A::Error> {
        let map = Unique::<UniqueKeys>(PhantomData).visit_map(entries)?;
        let map: Map<String, Value> =
            map.into_iter().map(|(key, UniqueKeys(value))| (key, value)).collect();
        Ok(UniqueKeys(map.into()))
    }
}

#[cfg(test)]
mod tests {
    use crate::api::StartRun;
    use crate::json;

    #[test]
    fn any_value_may_be_read_so() {
        let text = r#"{"b": [1, -2, 0.5, null, true, "x"], "a": {"b": {}}}"#;
        let read = json::read_unique(text.as_bytes()).unwrap();
        assert_eq!(read, serde_json::from_str::<serde_json::Value>(text).unwrap());
        for twice in [r#"{"a": 1, "a": 1}"#, r#"[{"b": {"a": 1, "\u0061": 2}}]"#] {
            let error = json::read_unique(twice.as_bytes()).unwrap_err();
            assert!(error.to_string().starts_with("`a` is given twice at line 1"), "{error}");
        }
        assert!(json::read_unique(b"1 2").is_err());
    }

    #[test]
    fn a_key_that_comes_twice_is_refused() {
        let read = |text: &str| json::read::<StartRun>(text.as_bytes());
        let once = read(r#"{"workflow": "w", "variables": {"A": 1, "B": {"A": 2}}}"#).unwrap();
        assert_eq!((once.variables.len(), &once.variables["A"]), (2, &1.into()));
        for field in ["variables", "annotations"] {
            let twice = format!(r#"{{"workflow": "w", "{field}": {{"A": "1", "A": "2"}}}}"#);
            let error = read(&twice).unwrap_err().to_string();
            assert!(error.contains("`A` is given twice"), "{error}");
        }
    }
}

//! Maps that others wrote, in which no key comes twice: of two values, one would be passed over.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
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

#[cfg(test)]
mod tests {
    use crate::api::StartRun;
    use crate::json;

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

//! Parameters of a query as a struct. A field that is a list takes every value of its name; any
//! other takes one.

use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

/// The most parameters of a query.
const PAIRS_MAX: usize = 256;

/// Reads pairs of names and values, in any order.
pub(super) fn read<T: DeserializeOwned>(pairs: Vec<(String, String)>) -> Result<T, Error> {
    if pairs.len() > PAIRS_MAX {
        return Err(Error::custom(format!("there are more than {PAIRS_MAX}")));
    }
    let mut grouped: Vec<(String, Values)> = Vec::new();
    for (name, value) in pairs {
        match grouped.iter_mut().find(|(present, _)| *present == name) {
            Some((_, values)) => values.all.push(value),
            None => grouped.push((name.clone(), Values { name, all: vec![value] })),
        }
    }
    T::deserialize(MapDeserializer::new(grouped.into_iter()))
}

/// The values of one name.
struct Values {
    name: String,
    all: Vec<String>,
}

impl Values {
    fn one(mut self) -> Result<String, Error> {
        match (self.all.pop(), self.all.is_empty()) {
            (Some(value), true) => Ok(value),
            _ => Err(Error::custom(format!("`{}` is given more than once", self.name))),
        }
    }

    fn parse<T: std::str::FromStr>(self, what: &str) -> Result<T, Error> {
        let name = self.name.clone();
        let value = self.one()?;
        value.parse().map_err(|_| Error::custom(format!("`{name}` is {what}, not `{value}`")))
    }
}

impl IntoDeserializer<'_> for Values {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Values {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.one()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(SeqDeserializer::new(self.all.into_iter()))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.parse("true or false")?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u32(self.parse("a whole number from 0 up")?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u64(self.parse("a whole number from 0 up")?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let parameter = self.name.clone();
        let text = IntoDeserializer::<Error>::into_deserializer(self.one()?);
        let read = text.deserialize_enum(name, variants, visitor);
        read.map_err(|error| Error::custom(format!("`{parameter}`: {error}")))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 u8 u16 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        #[serde(default)]
        tag: Vec<String>,
        limit: Option<usize>,
        #[serde(default)]
        follow: bool,
        text: Option<String>,
        format: Option<Format>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Format {
        Dot,
    }

    fn ask(pairs: &[(&str, &str)]) -> Result<Asked, String> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        read(pairs.collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn names_that_repeat_are_lists_and_numbers_are_read() {
        let found = ask(&[("tag", "a"), ("limit", "7"), ("tag", "b,c"), ("follow", "true")]);
        let tag = vec!["a".into(), "b,c".into()];
        let expected = Asked { tag, limit: Some(7), follow: true, text: None, format: None };
        assert_eq!(found.unwrap(), expected);
        assert_eq!(ask(&[("format", "dot")]).unwrap().format, Some(Format::Dot));
        assert_eq!(ask(&[("text", "12")]).unwrap().text.as_deref(), Some("12"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |pairs: &[(&str, &str)]| ask(pairs).unwrap_err();
        assert_eq!(wrong(&[("limit", "x")]), "`limit` is a whole number from 0 up, not `x`");
        assert_eq!(wrong(&[("text", "a"), ("text", "b")]), "`text` is given more than once");
        let format = wrong(&[("format", "svg")]);
        assert_eq!(format, "`format`: unknown variant `svg`, expected `dot`");
        assert!(wrong(&[("nosuch", "1")]).contains("unknown field `nosuch`"));
        assert!(wrong(&[("tag", "a"); PAIRS_MAX + 1]).contains("more than 256"));
    }
}

//! Reads what stands behind the `?` of an address. The framework's own way there, through a decoder that notes its path, was 10 kB
//! of the Worker; what it noted is the name of a parameter.
use std::borrow::Cow;

use form_urlencoded::Parse;
use serde::Deserializer;
use serde::de::value::Error;
use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::platform::error::ApiError;

/// The parameters of a query, each of which may be given once.
pub fn read<T: DeserializeOwned>(query: &str) -> Result<T, ApiError> {
    let mut parameters = Parameters {
        rest: form_urlencoded::parse(query.as_bytes()),
        name: Cow::default(),
        value: Cow::default(),
    };
    T::deserialize(&mut parameters).map_err(|error| misfit(&error.to_string(), &parameters.name))
}

/// What is wrong with a query, in our words.
fn misfit(text: &str, last: &str) -> ApiError {
    let named = |before: &str| text.strip_prefix(before)?.strip_suffix('`');
    if let Some(name) = named("duplicate field `") {
        return ApiError::invalid_field(name, "must be given once");
    }
    if let Some(name) = named("missing field `") {
        return ApiError::invalid_field(name, "is required");
    }
    // Such as a number that is none.
    let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    match last {
        "" => ApiError::bad_request("The query is malformed"),
        name if is_name(name) => ApiError::invalid_field(name, "has the wrong form"),
        _ => ApiError::bad_request("The query is malformed"),
    }
}

struct Parameters<'de> {
    rest: Parse<'de>,
    /// The last one that was looked at: where a decoder gives up, it is to blame.
    name: Cow<'de, str>,
    value: Cow<'de, str>,
}

impl<'de> Deserializer<'de> for &mut Parameters<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for &mut Parameters<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((name, value)) = self.rest.next() else {
            return Ok(None);
        };
        (self.name, self.value) = (name, value);
        let name: &str = &self.name;
        seed.deserialize(name.into_deserializer()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(Parameter(std::mem::take(&mut self.value)))
    }
}

/// A value: a text, and whatever may be written as one.
struct Parameter<'de>(Cow<'de, str>);

macro_rules! written {
    ($($read:ident $visit:ident,)*) => {
        $(fn $read<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.0.parse().map_err(|_| Error::custom("is not written so"))?)
        })*
    };
}

impl<'de> Deserializer<'de> for Parameter<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(&self.0)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.0.into_owned())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let name: &str = &self.0;
        visitor.visit_enum(name.into_deserializer())
    }

    written! {
        deserialize_bool visit_bool,
        deserialize_i8 visit_i8,
        deserialize_i16 visit_i16,
        deserialize_i32 visit_i32,
        deserialize_i64 visit_i64,
        deserialize_u8 visit_u8,
        deserialize_u16 visit_u16,
        deserialize_u32 visit_u32,
        deserialize_u64 visit_u64,
        deserialize_f32 visit_f32,
        deserialize_f64 visit_f64,
    }

    forward_to_deserialize_any! {
        i128 u128 char str bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    struct Asked {
        page: Option<u32>,
        #[serde(default)]
        all: bool,
        q: Option<String>,
        order: Option<Order>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Order {
        Newest,
    }

    #[derive(Debug, serde::Deserialize)]
    struct Needed {
        #[allow(dead_code, reason = "only whether it is read is looked at")]
        code: String,
    }

    fn said(query: &str) -> Option<String> {
        read::<Asked>(query).err().map(|error| error.text().to_owned())
    }

    #[test]
    fn parameters_are_read_as_what_they_are() {
        assert_eq!(read::<Asked>("").unwrap(), Asked::default());
        let asked = Asked {
            page: Some(2),
            all: true,
            q: Some("a b&ü".to_owned()),
            order: Some(Order::Newest),
        };
        let query = "page=2&other=%ff&all=true&q=a+b%26%c3%bc&order=newest";
        assert_eq!(read::<Asked>(query).unwrap(), asked);
        assert_eq!(read::<Asked>("q").unwrap().q.as_deref(), Some(""));
    }

    #[test]
    fn what_is_wrong_with_a_query_is_said_by_field_in_our_words() {
        assert_eq!(said("page=1&page=2").as_deref(), Some("page must be given once"));
        for wrong in ["page=x", "page=", "page=-1", "page=%ff", "q=a&page=x&q=b"] {
            assert_eq!(said(wrong).as_deref(), Some("page has the wrong form"), "{wrong}");
        }
        assert_eq!(said("order=oldest").as_deref(), Some("order has the wrong form"));
        assert_eq!(said("all=1").as_deref(), Some("all has the wrong form"));
        let missing = read::<Needed>("other=1").unwrap_err();
        assert_eq!(missing.text(), "code is required");
    }
}

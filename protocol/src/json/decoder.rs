//! Hands values to derived decoders.
use std::cell::Cell;

use serde::Deserializer;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, EnumAccess, Error as _, Expected, IntoDeserializer, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Error;

use super::fields::{Entries, Fields, Items};
use super::value::{Place, Value};

/// A value, for the decoder of its type.
#[derive(Clone, Copy)]
pub struct Decoder<'v> {
    /// Nothing of a field that is not there: what may be null may be absent.
    pub(super) value: Option<&'v Value<'v>>,
    pub(super) context: &'v Context,
}

/// What is known of all of a decoding.
#[derive(Default)]
pub struct Context {
    /// The value that was begun last.
    pub(super) last: Cell<Option<Place>>,
    /// Whether fields are found by name only. Rows of SQL are written as lists of them, too.
    pub(super) by_name: bool,
}

impl<'v> Decoder<'v> {
    pub(super) fn new(value: &'v Value<'v>, context: &'v Context) -> Self {
        context.last.set(Some(value.place()));
        Self {
            value: Some(value),
            context,
        }
    }

    pub(super) fn misfit(&self, expected: &dyn Expected) -> Error {
        match self.value {
            Some(value) => Error::invalid_type(value.unexpected(), expected),
            None => Error::custom("a value is missing"),
        }
    }

    /// The number that a word can be read as, which is a whole one, or that a value is.
    fn read(&self) -> Option<Value<'v>> {
        match self.value? {
            Value::Word(word) => {
                let (unsigned, signed) = (word.parse().map(Value::Unsigned), word.parse().map(Value::Signed));
                unsigned.or(signed).ok()
            }
            Value::Unsigned(number) => Some(Value::Unsigned(*number)),
            Value::Signed(number) => Some(Value::Signed(*number)),
            Value::Float(number) => Some(Value::Float(*number)),
            _ => None,
        }
    }
}

macro_rules! numbers {
    ($($read:ident)*) => {
        $(fn $read<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.read() {
                Some(Value::Unsigned(number)) => visitor.visit_u64(number),
                Some(Value::Signed(number)) => visitor.visit_i64(number),
                Some(Value::Float(number)) => visitor.visit_f64(number),
                _ => Err(self.misfit(&visitor)),
            }
        })*
    };
}

macro_rules! texts {
    ($($read:ident)*) => {
        $(fn $read<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.value {
                Some(Value::Text(text) | Value::Word(text)) => visitor.visit_str(text),
                _ => Err(self.misfit(&visitor)),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Decoder<'_> {
    type Error = Error;

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_f32 deserialize_f64
    }

    texts! { deserialize_char deserialize_str deserialize_string deserialize_identifier }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Some(Value::Null) => visitor.visit_unit(),
            Some(Value::Bool(flag)) => visitor.visit_bool(*flag),
            Some(Value::Text(text) | Value::Word(text)) => visitor.visit_str(text),
            Some(Value::List(_)) => self.deserialize_seq(visitor),
            Some(Value::Object(_)) => self.deserialize_map(visitor),
            _ => self.deserialize_f64(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Some(Value::Bool(flag)) => visitor.visit_bool(*flag),
            Some(Value::Word(word)) if word == "true" || word == "false" => visitor.visit_bool(word == "true"),
            _ => Err(self.misfit(&visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            None | Some(Value::Null) => visitor.visit_none(),
            Some(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Some(mut items) = Items::of(self) else {
            return Err(self.misfit(&visitor));
        };
        let decoded = visitor.visit_seq(&mut items)?;
        items.end().map(|()| decoded)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match Entries::of(self) {
            Some(entries) => visitor.visit_map(entries),
            None => Err(self.misfit(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let Some(mut fields) = Fields::of(self, names)? else {
            return Err(self.misfit(&visitor));
        };
        let decoded = visitor.visit_seq(&mut fields);
        decoded.map_err(|error| fields.blame(error))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.value {
            Some(Value::Text(name) | Value::Word(name)) => visitor.visit_enum(Variant {
                name,
                content: Self { value: None, ..self },
            }),
            Some(Value::Object(object)) => match object.as_slice() {
                [(name, content)] => visitor.visit_enum(Variant {
                    name,
                    content: Self::new(content, self.context),
                }),
                _ => Err(self.misfit(&visitor)),
            },
            _ => Err(self.misfit(&visitor)),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { i128 u128 bytes byte_buf unit unit_struct }
}

/// A value of an enum: the name of a variant, and what the variant has.
struct Variant<'v> {
    name: &'v str,
    content: Decoder<'v>,
}

impl<'de, 'v> EnumAccess<'de> for Variant<'v> {
    type Error = Error;
    type Variant = Content<'v>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Content<'v>), Error> {
        let name: StrDeserializer<Error> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, Content(self.content)))
    }
}

struct Content<'v>(Decoder<'v>);

impl<'de> VariantAccess<'de> for Content<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.0.value {
            None | Some(Value::Null) => Ok(()),
            Some(_) => Err(self.0.misfit(&"a variant that has nothing")),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, names: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_struct("", names, visitor)
    }
}

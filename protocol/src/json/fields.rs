//! The parts of lists and objects, one after the other.
use std::borrow::Cow;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Error as _, IntoDeserializer, MapAccess, SeqAccess};
use serde_json::Error;

use super::decoder::Decoder;
use super::value::Value;

type Object<'v> = [(Cow<'v, str>, Value<'v>)];

fn object<'v>(whole: Decoder<'v>) -> Option<&'v Object<'v>> {
    match whole.value {
        Some(Value::Object(object)) => Some(object),
        _ => None,
    }
}

/// What a list has.
pub struct Items<'v> {
    rest: &'v [Value<'v>],
    whole: Decoder<'v>,
}

impl<'v> Items<'v> {
    pub fn of(whole: Decoder<'v>) -> Option<Self> {
        match whole.value {
            Some(Value::List(rest)) => Some(Self { rest, whole }),
            _ => None,
        }
    }

    fn advance(&mut self) -> Option<Decoder<'v>> {
        let (value, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(Decoder::new(value, self.whole.context))
    }

    /// Fails if there are more than were taken.
    pub fn end(&self) -> Result<(), Error> {
        match self.rest {
            [] => Ok(()),
            more => Err(Error::custom(format_args!("there are {} too many", more.len()))),
        }
    }
}

impl<'de> SeqAccess<'de> for &mut Items<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        self.advance().map(|value| seed.deserialize(value)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// What an object has, in the order of its type's fields. A list has them in that order.
pub struct Fields<'v> {
    object: &'v Object<'v>,
    list: &'v [Value<'v>],
    whole: Decoder<'v>,
    names: &'static [&'static str],
    next: usize,
    /// The field that was asked for last, if the object has nothing for it.
    missing: Option<&'static str>,
}

impl<'v> Fields<'v> {
    /// Fails if a field is there twice.
    pub fn of(whole: Decoder<'v>, names: &'static [&'static str]) -> Result<Option<Self>, Error> {
        let none: (&Object, &[Value]) = (&[], &[]);
        let (object, list) = match whole.value {
            Some(Value::Object(object)) => (object.as_slice(), none.1),
            Some(Value::List(list)) if !whole.context.by_name && list.len() <= names.len() => (none.0, list.as_slice()),
            _ => return Ok(None),
        };
        for name in names {
            let mut given = object.iter().filter(|(given, _)| given == name);
            if let (Some(_), Some((_, again))) = (given.next(), given.next()) {
                whole.context.last.set(Some(again.place()));
                return Err(Error::duplicate_field(name));
            }
        }
        Ok(Some(Self {
            object,
            list,
            whole,
            names,
            next: 0,
            missing: None,
        }))
    }

    /// The value of the next field. It most often has the same place.
    fn advance(&mut self) -> Decoder<'v> {
        let name = self.names.get(self.next).copied().unwrap_or_default();
        let is_it = |entry: &&(Cow<str>, Value)| entry.0 == name;
        let found = self.object.get(self.next).filter(is_it);
        let found = found.or_else(|| self.object.iter().find(is_it));
        let found = found.map(|(_, value)| value).or_else(|| self.list.get(self.next));
        self.next += 1;
        self.missing = found.is_none().then_some(name);
        match found {
            Some(value) => Decoder::new(value, self.whole.context),
            None => Decoder {
                value: None,
                ..self.whole
            },
        }
    }

    /// What is to be said of the decoder's error.
    pub fn blame(&self, error: Error) -> Error {
        self.missing.map_or(error, Error::missing_field)
    }
}

impl<'de> SeqAccess<'de> for &mut Fields<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let value = self.advance();
        match seed.deserialize(value) {
            Ok(value) => Ok(Some(value)),
            // The decoder has another value for it, or fails.
            Err(_) if self.missing.is_some() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What an object has, with its names: for types with a part that takes whatever they have no field for.
pub struct Entries<'v> {
    rest: &'v Object<'v>,
    value: Decoder<'v>,
}

impl<'v> Entries<'v> {
    pub fn of(whole: Decoder<'v>) -> Option<Self> {
        object(whole).map(|rest| Self { rest, value: whole })
    }

    fn advance(&mut self) -> Option<&'v str> {
        let ((name, value), rest) = self.rest.split_first()?;
        self.rest = rest;
        self.value = Decoder::new(value, self.value.context);
        Some(name)
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(name) = self.advance() else {
            return Ok(None);
        };
        let name: StrDeserializer<Error> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self.value)
    }
}

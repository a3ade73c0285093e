//! A JSON text, taken apart.
use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_json::Error;

/// A value, which borrows from the text what is written there as it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'t> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Unsigned(u64),
    /// A negative whole number.
    Signed(i64),
    /// Any other number.
    Float(f64),
    /// A text.
    Text(Cow<'t, str>),
    /// A text that stands for whatever it can be read as, such as a parameter of a query.
    Word(Cow<'t, str>),
    /// A list.
    List(Vec<Value<'t>>),
    /// An object, in its order and with what is there twice.
    Object(Vec<(Cow<'t, str>, Value<'t>)>),
}

/// Where a value is, while it stays there.
pub(super) type Place = *const ();

impl<'t> Value<'t> {
    /// Takes a text apart.
    pub fn parse(text: &'t [u8]) -> Result<Self, Error> {
        serde_json::from_slice(text)
    }

    pub(super) fn place(&self) -> Place {
        std::ptr::from_ref(self).cast()
    }

    pub(super) fn unexpected(&self) -> Unexpected<'_> {
        match self {
            Self::Null => Unexpected::Unit,
            Self::Bool(flag) => Unexpected::Bool(*flag),
            Self::Unsigned(number) => Unexpected::Unsigned(*number),
            Self::Signed(number) => Unexpected::Signed(*number),
            Self::Float(number) => Unexpected::Float(*number),
            Self::Text(text) | Self::Word(text) => Unexpected::Str(text),
            Self::List(_) => Unexpected::Seq,
            Self::Object(_) => Unexpected::Map,
        }
    }

    /// What leads to the value at a place, if it is within this one.
    pub(super) fn path_to(&self, place: Place) -> Option<String> {
        if self.place() == place {
            return Some(String::new());
        }
        let step = |name: &str, value: &Self| {
            let path = value.path_to(place)?;
            let is_field = !path.is_empty() && !path.starts_with('[');
            Some([name, if is_field { "." } else { "" }, &path].concat())
        };
        match self {
            Self::List(list) => {
                let mut steps = list.iter().enumerate();
                steps.find_map(|(index, value)| step(&format!("[{index}]"), value))
            }
            Self::Object(object) => object.iter().find_map(|(name, value)| step(name, value)),
            _ => None,
        }
    }
}

impl<'t> Deserialize<'t> for Value<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whatever)
    }
}

struct Whatever;

impl<'t> Visitor<'t> for Whatever {
    type Value = Value<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value<'t>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value<'t>, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'t>, E> {
        Ok(Value::Unsigned(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value<'t>, E> {
        Ok(Value::Signed(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value<'t>, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'t>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_borrowed_str<E>(self, text: &'t str) -> Result<Value<'t>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut access: A) -> Result<Value<'t>, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = access.next_element()? {
            list.push(value);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'t>>(self, mut access: A) -> Result<Value<'t>, A::Error> {
        let mut object = Vec::new();
        while let Some((name, value)) = access.next_entry()? {
            match name {
                Value::Text(name) => object.push((name, value)),
                other => return Err(A::Error::invalid_type(other.unexpected(), &"a text")),
            }
        }
        Ok(Value::Object(object))
    }
}

//! Decodes JSON. Every type that is decoded anywhere is so by way of a [`Value`], from one kind of decoder: what is compiled for a type
//! is then no more than one field after the other. From the text itself, a derived decoder takes its fields in any order, by name or by
//! place, within code that reads the text: several times as much, for each of the types.
//!
//! Types have to say no other names of a field (`serde(alias)`) and refuse no unknown ones (`deny_unknown_fields`): in order, fields have
//! no names. `tests/architecture` looks after that.
mod decoder;
mod fields;
mod tagged;
mod tagging;
mod value;

use serde::de::DeserializeOwned;
use serde_json::Error;

use decoder::Context;
pub use decoder::Decoder;
pub use tagged::{Tagged, untag};
pub use tagging::{Tagging, tag};
pub use value::Value;

/// Decodes a text.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    from_slice(text.as_bytes())
}

/// Decodes a text that may not be valid UTF-8.
pub fn from_slice<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    from_value(&Value::parse(text)?)
}

/// Decodes a value.
pub fn from_value<T: DeserializeOwned>(value: &Value<'_>) -> Result<T, Error> {
    T::deserialize(Decoder::new(value, &Context::default()))
}

/// Why a value is not what it should be, and where.
#[derive(Debug)]
pub struct Misfit {
    /// What the decoder says.
    pub error: Error,
    /// What leads to the value at which it gave up: `tags[1]`, or nothing if that was the whole.
    pub path: String,
}

/// Decodes what somebody else has written, who wants to know what does not fit. Objects are objects there.
pub fn explain<T: DeserializeOwned>(value: &Value<'_>) -> Result<T, Misfit> {
    let context = Context {
        by_name: true,
        ..Context::default()
    };
    T::deserialize(Decoder::new(value, &context)).map_err(|error| Misfit {
        error,
        path: context
            .last
            .get()
            .and_then(|last| value.path_to(last))
            .unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests;

//! Decodes rows of D1, which come as one JSON text: a list of objects whose values are plain.
//!
//! A derived decoder takes its fields either by name or one after the other. By name it is two or three times as large, for each
//! type of row: so here the columns are looked up by what is compiled once, and the decoder is handed its fields in order.
use std::borrow::Cow;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Error as _, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};
use serde_json::Error;

/// The rows of a text.
pub fn all<T: DeserializeOwned>(json: &str) -> Result<Vec<T>, Error> {
    let mut rows = Vec::new();
    each(json, &mut |columns| {
        rows.push(T::deserialize(Row(columns))?);
        Ok(())
    })?;
    Ok(rows)
}

type Columns<'t> = [(Cow<'t, str>, Value<'t>)];

/// Hands on the columns of one row after the other.
fn each(json: &str, take: &mut dyn FnMut(&Columns<'_>) -> Result<(), Error>) -> Result<(), Error> {
    serde_json::Deserializer::from_str(json).deserialize_seq(Rows { take })
}

struct Rows<'f> {
    take: &'f mut dyn FnMut(&Columns<'_>) -> Result<(), Error>,
}

impl<'t> Visitor<'t> for Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows")
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut access: A) -> Result<(), A::Error> {
        let mut columns = Vec::new();
        while access.next_element_seed(Into(&mut columns))?.is_some() {
            (self.take)(&columns).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

/// Reads a row into the memory of the one before.
struct Into<'f, 't>(&'f mut Vec<(Cow<'t, str>, Value<'t>)>);

impl<'t> DeserializeSeed<'t> for Into<'_, 't> {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'t> Visitor<'t> for Into<'_, 't> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut access: A) -> Result<(), A::Error> {
        self.0.clear();
        while let Some((Text(name), value)) = access.next_entry()? {
            self.0.push((name, value));
        }
        Ok(())
    }
}

/// A text, which is copied only if it is not written as it is.
struct Text<'t>(Cow<'t, str>);

impl<'t> Deserialize<'t> for Text<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Text(text) => Ok(Self(text)),
            other => Err(D::Error::invalid_type(other.unexpected(), &"a text")),
        }
    }
}

/// What stands in a column.
enum Value<'t> {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(Cow<'t, str>),
}

impl Value<'_> {
    fn unexpected(&self) -> Unexpected<'_> {
        match self {
            Self::Null => Unexpected::Unit,
            Self::Bool(flag) => Unexpected::Bool(*flag),
            Self::Unsigned(number) => Unexpected::Unsigned(*number),
            Self::Signed(number) => Unexpected::Signed(*number),
            Self::Float(number) => Unexpected::Float(*number),
            Self::Text(text) => Unexpected::Str(text),
        }
    }
}

impl<'t> Deserialize<'t> for Value<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct Plain;
        impl<'t> Visitor<'t> for Plain {
            type Value = Value<'t>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a plain value")
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
        }
        deserializer.deserialize_any(Plain)
    }
}

/// A row, for the decoder of its type.
struct Row<'r>(&'r Columns<'r>);

impl<'r> Row<'r> {
    /// The column of a field, which most often has the same place.
    fn find(&self, place: usize, name: &str) -> Cell<'r> {
        let is_it = |column: &&(Cow<str>, Value)| column.0 == name;
        let found = self.0.get(place).filter(is_it);
        let found = found.or_else(|| self.0.iter().find(is_it));
        Cell(found.map(|(_, value)| value))
    }
}

impl<'de> Deserializer<'de> for Row<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let mut fields = Fields {
            row: self,
            names,
            next: 0,
            missing: None,
        };
        let decoded = visitor.visit_seq(&mut fields);
        decoded.map_err(|error| fields.missing.map_or(error, Error::missing_field))
    }

    /// Of types with a part that takes whatever they have no field for.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(Entries {
            rest: self.0,
            value: None,
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The columns of a row in the order of its type's fields.
struct Fields<'r> {
    row: Row<'r>,
    names: &'static [&'static str],
    next: usize,
    /// The field that was asked for last, if the row has nothing for it.
    missing: Option<&'static str>,
}

impl<'de> SeqAccess<'de> for &mut Fields<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let cell = self.advance();
        match seed.deserialize(cell) {
            Ok(value) => Ok(Some(value)),
            // The decoder has another value for it, or fails.
            Err(_) if self.missing.is_some() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl<'r> Fields<'r> {
    fn advance(&mut self) -> Cell<'r> {
        let name = self.names.get(self.next).copied().unwrap_or_default();
        let cell = self.row.find(self.next, name);
        self.next += 1;
        self.missing = cell.0.is_none().then_some(name);
        cell
    }
}

/// The columns of a row with their names.
struct Entries<'r> {
    rest: &'r Columns<'r>,
    value: Option<&'r Value<'r>>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(((name, value), rest)) = self.rest.split_first() else {
            return Ok(None);
        };
        (self.rest, self.value) = (rest, Some(value));
        let name: StrDeserializer<Error> = name.as_ref().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(Cell(self.value.take()))
    }
}

/// What stands in the column of a field, if the row has it. What may be null may be absent.
struct Cell<'r>(Option<&'r Value<'r>>);

impl Cell<'_> {
    fn misfit(&self, expected: &dyn Expected) -> Error {
        match self.0 {
            Some(value) => Error::invalid_type(value.unexpected(), expected),
            None => Error::custom("a column is missing"),
        }
    }
}

macro_rules! numbers {
    ($($read:ident)*) => {
        $(fn $read<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0 {
                Some(Value::Unsigned(number)) => visitor.visit_u64(*number),
                Some(Value::Signed(number)) => visitor.visit_i64(*number),
                Some(Value::Float(number)) => visitor.visit_f64(*number),
                _ => Err(self.misfit(&visitor)),
            }
        })*
    };
}

macro_rules! texts {
    ($($read:ident)*) => {
        $(fn $read<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0 {
                Some(Value::Text(text)) => visitor.visit_str(text),
                _ => Err(self.misfit(&visitor)),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Cell<'_> {
    type Error = Error;

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_f32 deserialize_f64
    }

    texts! { deserialize_char deserialize_str deserialize_string deserialize_identifier }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Some(Value::Null) => visitor.visit_unit(),
            Some(Value::Bool(flag)) => visitor.visit_bool(*flag),
            Some(Value::Text(text)) => visitor.visit_str(text),
            _ => self.deserialize_f64(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            None | Some(Value::Null) => visitor.visit_none(),
            Some(_) => visitor.visit_some(self),
        }
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
        match self.0 {
            Some(Value::Text(text)) => visitor.visit_enum(text.as_ref().into_deserializer()),
            _ => Err(self.misfit(&visitor)),
        }
    }

    forward_to_deserialize_any! {
        bool i128 u128 bytes byte_buf unit unit_struct seq tuple tuple_struct map struct ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Machine {
        id: protocol::ids::ObjectId,
        name: String,
        port: Option<u16>,
        #[serde(default)]
        load: f64,
        kind: Kind,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Small,
    }

    fn one(json: &str) -> Result<Machine, String> {
        let rows = all::<Machine>(json).map_err(|error| error.to_string())?;
        assert_eq!(rows.len(), 1);
        Ok(rows.into_iter().next().unwrap())
    }

    fn machine(name: &str, port: Option<u16>, load: f64) -> Machine {
        Machine {
            id: "0123456789abcdef01234567".parse().unwrap(),
            name: name.to_owned(),
            port,
            load,
            kind: Kind::Small,
        }
    }

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        let in_order = r#"[{"id":"0123456789abcdef01234567","name":"a\"b","port":22,"load":0.5,"kind":"small"}]"#;
        assert_eq!(one(in_order), Ok(machine("a\"b", Some(22), 0.5)));
        let other = r#"[{"kind":"small","more":null,"load":2,"port":null,"name":"","id":"0123456789abcdef01234567"}]"#;
        assert_eq!(one(other), Ok(machine("", None, 2.0)));
        assert_eq!(all::<Machine>("[]").unwrap(), []);
    }

    #[test]
    fn what_may_be_absent_may_and_what_may_not_is_named() {
        let some = r#"[{"id":"0123456789abcdef01234567","kind":"small","name":"a"}]"#;
        assert_eq!(one(some), Ok(machine("a", None, 0.0)));
        let none = one(r#"[{"id":"0123456789abcdef01234567","kind":"small"}]"#).unwrap_err();
        assert!(none.contains("missing field `name`"), "{none}");
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        for (row, said) in [
            (r#""name":5"#, "invalid type: integer `5`, expected a string"),
            (r#""name":null"#, "invalid type: null, expected a string"),
            (
                r#""name":"a","port":70000"#,
                "invalid value: integer `70000`, expected u16",
            ),
            (r#""name":"a","load":"1""#, "invalid type: string \"1\", expected f64"),
            (r#""name":"a","load":1,"kind":"large""#, "unknown variant `large`"),
            (r#""name":["a"]"#, "invalid type: sequence, expected a plain value"),
        ] {
            let error = one(&format!(r#"[{{"id":"0123456789abcdef01234567",{row}}}]"#)).unwrap_err();
            assert!(error.contains(said), "{row}: {error}");
        }
    }

    #[test]
    fn a_row_may_have_parts_of_which_one_takes_what_is_left() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Whole {
            total: u64,
            #[serde(flatten)]
            machine: Machine,
        }
        let json = r#"[{"id":"0123456789abcdef01234567","total":3,"name":"a","port":1,"load":0.5,"kind":"small"}]"#;
        let rows = all::<Whole>(json).unwrap();
        assert_eq!((rows[0].total, &rows[0].machine), (3, &machine("a", Some(1), 0.5)));
    }
}

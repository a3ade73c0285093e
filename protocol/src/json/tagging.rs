//! Writes the name of an enum's variant among the variant's fields ([`super::tagged`]).
use serde::Serialize;
use serde::ser::{Error as _, Impossible, SerializeMap, SerializeStruct, SerializeStructVariant, Serializer};

/// A serializer for an enum, and in it for what a variant has.
pub struct Tagging<S> {
    tag: &'static str,
    /// Nothing before it is known.
    variant: Option<&'static str>,
    inner: S,
}

/// Writes an enum with a tag.
pub fn tag<S: Serializer>(tag: &'static str, inner: S) -> Tagging<S> {
    let variant = None;
    Tagging { tag, variant, inner }
}

impl<S: Serializer> Tagging<S> {
    fn start(self, name: &'static str, len: usize, variant: &'static str) -> Result<S::SerializeStruct, S::Error> {
        let mut fields = self.inner.serialize_struct(name, len + 1)?;
        fields.serialize_field(self.tag, variant)?;
        Ok(fields)
    }
}

/// The fields of a variant, behind its name.
pub struct Fields<F>(F);

impl<F: SerializeStruct> SerializeStructVariant for Fields<F> {
    type Ok = F::Ok;
    type Error = F::Error;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Result<(), F::Error> {
        self.0.serialize_field(name, value)
    }

    fn end(self) -> Result<F::Ok, F::Error> {
        self.0.end()
    }
}

/// What has no fields to be one of.
macro_rules! refused {
    ($($write:ident($($argument:ty),*) -> $made:ty;)*) => {
        $(fn $write(self, $(_: $argument),*) -> Result<$made, S::Error> {
            Err(S::Error::custom("only a variant with fields has a tag"))
        })*
    };
}

impl<S: Serializer> Serializer for Tagging<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Impossible<S::Ok, S::Error>;
    type SerializeTuple = Impossible<S::Ok, S::Error>;
    type SerializeTupleStruct = Impossible<S::Ok, S::Error>;
    type SerializeTupleVariant = Impossible<S::Ok, S::Error>;
    type SerializeMap = S::SerializeMap;
    type SerializeStruct = S::SerializeStruct;
    type SerializeStructVariant = Fields<S::SerializeStruct>;

    fn serialize_unit_variant(self, name: &'static str, _: u32, variant: &'static str) -> Result<S::Ok, S::Error> {
        self.start(name, 0, variant)?.end()
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        value.serialize(Self {
            variant: Some(variant),
            ..self
        })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.start(name, len, variant).map(Fields)
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<S::SerializeStruct, S::Error> {
        match self.variant {
            Some(variant) => self.start(name, len, variant),
            None => self.inner.serialize_struct(name, len),
        }
    }

    fn serialize_map(self, len: Option<usize>) -> Result<S::SerializeMap, S::Error> {
        let mut fields = self.inner.serialize_map(len.map(|len| len + 1))?;
        if let Some(variant) = self.variant {
            fields.serialize_entry(self.tag, variant)?;
        }
        Ok(fields)
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    refused! {
        serialize_bool(bool) -> S::Ok;
        serialize_i8(i8) -> S::Ok;
        serialize_i16(i16) -> S::Ok;
        serialize_i32(i32) -> S::Ok;
        serialize_i64(i64) -> S::Ok;
        serialize_u8(u8) -> S::Ok;
        serialize_u16(u16) -> S::Ok;
        serialize_u32(u32) -> S::Ok;
        serialize_u64(u64) -> S::Ok;
        serialize_f32(f32) -> S::Ok;
        serialize_f64(f64) -> S::Ok;
        serialize_char(char) -> S::Ok;
        serialize_str(&str) -> S::Ok;
        serialize_bytes(&[u8]) -> S::Ok;
        serialize_none() -> S::Ok;
        serialize_unit() -> S::Ok;
        serialize_unit_struct(&'static str) -> S::Ok;
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
    }
}

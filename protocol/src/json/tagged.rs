//! Enums whose variants are told apart by a field beside the variant's own, such as `{"type":"resize","cols":80,"rows":24}`.
//!
//! `serde(tag)` says the same, and compiles a second kind of decoder for all that is in such an enum: that of a copy of the value, which
//! it makes to look for the tag first. Here the value is there already. As derived, the enum has its variants around their fields
//! (`serde(remote = "Self")`); these two put the name of the variant among them.
use serde::de::value::StrDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::Error;

use super::decoder::{Context, Decoder};
use super::value::Value;

/// Makes what is derived for an enum with `serde(remote = "Self")` that of one with a tag.
#[macro_export]
macro_rules! tagged {
    ($name:ident, $tag:literal) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, $crate::json::tag($tag, serializer))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::json::untag($tag, deserializer, |tagged| Self::deserialize(tagged))
            }
        }
    };
}

/// Decodes an enum with a tag.
pub fn untag<'de, D: Deserializer<'de>, T>(
    tag: &'static str,
    deserializer: D,
    decode: impl for<'v> FnOnce(Tagged<'v>) -> Result<T, Error>,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let context = Context::default();
    let whole = Decoder::new(&value, &context);
    decode(Tagged { tag, whole }).map_err(D::Error::custom)
}

/// A value of an enum with a tag, for its decoder.
pub struct Tagged<'v> {
    tag: &'static str,
    whole: Decoder<'v>,
}

impl<'v> Tagged<'v> {
    /// The name of the variant.
    fn name(&self) -> Result<&'v str, Error> {
        let Some(Value::Object(fields)) = self.whole.value else {
            return Err(self.whole.misfit(&"an object"));
        };
        match fields.iter().find(|(name, _)| name == self.tag) {
            Some((_, Value::Text(name))) => Ok(name),
            Some((_, other)) => Err(Error::invalid_type(other.unexpected(), &"the name of a variant")),
            None => Err(Error::missing_field(self.tag)),
        }
    }
}

impl<'de> Deserializer<'de> for Tagged<'_> {
    type Error = Error;

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self)
    }

    /// An enum is asked for as one.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        Err(self.whole.misfit(&visitor))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> EnumAccess<'de> for Tagged<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let name: StrDeserializer<Error> = self.name()?.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

/// What a variant has is the whole: nobody asks for the tag, and what nobody asks for is let be.
impl<'de> VariantAccess<'de> for Tagged<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self.whole)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.whole.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, names: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.whole.deserialize_struct("", names, visitor)
    }
}

//! How serde walks the tree: items of lists, entries of maps, variants, and values with their places.

use super::Decoder;
use super::refused::Refused;
use crate::load::yaml::{Node, Value};
use crate::model::place::{SourceIx, Span};
use serde::de::value::{StrDeserializer, U64Deserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

/// The items of a list.
pub(super) struct Items<'a> {
    pub(super) decoder: Decoder<'a>,
    pub(super) items: std::slice::Iter<'a, Node>,
}

impl<'a> SeqAccess<'a> for Items<'a> {
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, Refused> {
        self.items
            .next()
            .map(|item| seed.deserialize(Decoder { node: item, item: true, ..self.decoder }))
            .transpose()
    }
    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// The entries of a map.
pub(super) struct Entries<'a> {
    pub(super) decoder: Decoder<'a>,
    pub(super) entries: std::vec::IntoIter<&'a (Node, Node)>,
    pub(super) value: Option<&'a (Node, Node)>,
}

impl<'a> MapAccess<'a> for Entries<'a> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        self.value = self.entries.next();
        self.value.map(|(key, _)| seed.deserialize(self.decoder.below(key))).transpose()
    }
    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        let (key, value) = self.value.take().expect("serde asks for a key first");
        let Value::Text(name) = &key.value else { unreachable!("the tree holds text keys only") };
        seed.deserialize(Decoder { node: value, name, item: false, ..self.decoder })
    }
    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// What [`AT`] asks for: the place, packed into a number, then the value.
pub(super) struct PlaceThenValue<'a> {
    pub(super) decoder: Decoder<'a>,
    pub(super) given: u8,
}

impl<'a> SeqAccess<'a> for PlaceThenValue<'a> {
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, Refused> {
        self.given += 1;
        match self.given {
            1 => {
                let packed: U64Deserializer<Refused> = pack(self.decoder.span()).into_deserializer();
                seed.deserialize(packed).map(Some)
            }
            _ => seed.deserialize(self.decoder).map(Some),
        }
    }
}

/// A place as one number: offsets fit in 24 bits, because files do (`BYTES_MAX`).
fn pack(span: Span) -> u64 {
    u64::from(span.source.0) << 48 | u64::from(span.offset) << 24 | u64::from(span.len)
}

/// The place that `pack` put away.
pub(in crate::load) fn unpack(packed: u64) -> Span {
    let bits = |shift: u32| ((packed >> shift) & 0xff_ffff) as u32;
    Span { source: SourceIx((packed >> 48) as u16), offset: bits(24), len: bits(0) }
}

/// A word that names a variant, and what stands under it.
pub(super) struct Variant<'a> {
    pub(super) word: &'a str,
    pub(super) content: Option<Decoder<'a>>,
}

impl<'a> EnumAccess<'a> for Variant<'a> {
    type Error = Refused;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'a>>(self, seed: V) -> Result<(V::Value, Self), Refused> {
        let word: StrDeserializer<'a, Refused> = self.word.into_deserializer();
        Ok((seed.deserialize(word)?, self))
    }
}

impl<'a> VariantAccess<'a> for Variant<'a> {
    type Error = Refused;

    fn unit_variant(self) -> Result<(), Refused> {
        match self.content {
            None => Ok(()),
            Some(_) => Err(Refused::with("wrong-type", format!("must be the bare word `{}`", self.word))),
        }
    }
    fn newtype_variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value, Refused> {
        match self.content {
            Some(content) => seed.deserialize(content),
            None => {
                let what = format!("says `{}` and not of what", self.word);
                Err(Refused::with("wrong-type", what).hint(format!("write {{ {}: … }}", self.word)))
            }
        }
    }
    fn tuple_variant<V: Visitor<'a>>(self, _: usize, visitor: V) -> Result<V::Value, Refused> {
        self.content.map_or(Err(Refused(None)), |content| content.deserialize_any(visitor))
    }
    fn struct_variant<V: Visitor<'a>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        match self.content {
            Some(content) => content.deserialize_struct("", fields, visitor),
            None => Err(Refused::with("wrong-type", format!("says `{}` and not of what", self.word))),
        }
    }
}

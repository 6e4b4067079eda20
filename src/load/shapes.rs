//! The building blocks of both file formats: values with a place, and what may be written in several ways.

use super::decode::{AT, ONE_OR_MANY, TEXT_OR, unpack};
use crate::model::place::{Located, Span};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// A value and its place. `value` is `None` if something was wrong with it, which has been reported.
#[derive(Debug)]
pub(super) struct At<T> {
    pub(super) span: Span,
    pub(super) value: Option<T>,
}

/// A map in file order, names and values with their places.
#[derive(Debug)]
pub(super) struct Entries<T>(pub(super) Vec<(Located<String>, At<T>)>);

/// A list, or one item standing for a list of one.
#[derive(Debug)]
pub(super) struct OneOrMany<T>(pub(super) Vec<At<T>>);

/// A text, or something with more to say.
#[derive(Debug)]
pub(super) enum TextOr<T> {
    Text(String),
    Other(T),
}

impl<T> At<T> {
    /// The value with its place, if it is sound.
    pub(super) fn located(self) -> Option<Located<T>> {
        let Self { span, value } = self;
        value.map(|value| Located { value, span })
    }
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AtVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for AtVisitor<T> {
            type Value = At<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a place and a value")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<At<T>, A::Error> {
                let packed = parts.next_element::<u64>()?.ok_or_else(|| A::Error::missing_field("place"))?;
                // An error of the value has been reported where it was found; the rest of the file goes on.
                Ok(At { span: unpack(packed), value: parts.next_element::<T>().ok().flatten() })
            }
        }
        deserializer.deserialize_newtype_struct(AT, AtVisitor(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
            type Value = Entries<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of names")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
                let mut entries = Vec::with_capacity(map.size_hint().unwrap_or(0));
                while let Some(key) = map.next_key::<At<String>>()? {
                    let value = map.next_value()?;
                    entries.extend(key.located().map(|key| (key, value)));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ManyVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ManyVisitor<T> {
            type Value = OneOrMany<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list, or one item")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<OneOrMany<T>, A::Error> {
                let mut many = Vec::with_capacity(items.size_hint().unwrap_or(0));
                while let Some(item) = items.next_element()? {
                    many.push(item);
                }
                Ok(OneOrMany(many))
            }
            fn visit_newtype_struct<D: Deserializer<'de>>(self, one: D) -> Result<OneOrMany<T>, D::Error> {
                Ok(OneOrMany(vec![At::deserialize(one)?]))
            }
        }
        deserializer.deserialize_newtype_struct(ONE_OR_MANY, ManyVisitor(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for TextOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for TextOrVisitor<T> {
            type Value = TextOr<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a map")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<TextOr<T>, E> {
                Ok(TextOr::Text(text.to_owned()))
            }
            fn visit_newtype_struct<D: Deserializer<'de>>(self, other: D) -> Result<TextOr<T>, D::Error> {
                T::deserialize(other).map(TextOr::Other)
            }
        }
        deserializer.deserialize_newtype_struct(TEXT_OR, TextOrVisitor(PhantomData))
    }
}

/// A schema stands for the value alone: places are ours, not the file's.
macro_rules! schema_of {
    ($Shape:ident, |$generator:ident| $schema:expr) => {
        impl<T: JsonSchema> JsonSchema for $Shape<T> {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                format!("{}_{}", stringify!($Shape), T::schema_name()).into()
            }
            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

schema_of!(At, |generator| generator.subschema_for::<T>());
schema_of!(Entries, |generator| {
    let item = generator.subschema_for::<T>();
    json_schema!({ "type": "object", "additionalProperties": item })
});
schema_of!(OneOrMany, |generator| {
    let item = generator.subschema_for::<T>();
    json_schema!({ "anyOf": [item, { "type": "array", "items": item }] })
});
schema_of!(TextOr, |generator| {
    let other = generator.subschema_for::<T>();
    json_schema!({ "anyOf": [{ "type": ["string", "number", "boolean"] }, other] })
});

/// A scalar whose meaning is read later, where its bounds are known.
#[derive(Debug, Clone)]
pub(super) enum Scalar {
    Text(String),
    Bool(bool),
    /// Whole or not, as YAML understood it.
    Number(serde_json::Number),
}

macro_rules! scalar {
    ($(#[$doc:meta])* $Name:ident, $expecting:literal, $schema:tt) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(super) struct $Name(pub(super) Scalar);

        impl<'de> Deserialize<'de> for $Name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(ScalarVisitor($expecting)).map(Self)
            }
        }

        impl JsonSchema for $Name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($Name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

scalar!(
    /// A length of time.
    Length, "a length of time such as `90s`",
    { "type": "string", "pattern": "^[^-]*[0-9].*[a-zA-Z]", "description": "A length of time: `90s`, `15m`, `1h 30m`, `500ms`." }
);
scalar!(
    /// A number of hosts or a share of them.
    Portion, "a number of hosts or a share such as `25%`",
    { "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string", "pattern": "^[0-9]{1,3}%$" }] }
);
scalar!(
    /// A value of a parameter.
    Plain, "text, a whole number, `true` or `false`",
    { "type": ["string", "integer", "boolean"] }
);
scalar!(
    /// Permission bits.
    Mode, "permission bits such as `0644`",
    { "type": ["string", "integer"], "description": "Permission bits in octal, such as `0644`." }
);
scalar!(
    /// A length of time by the calendar.
    Calendar, "a length by the calendar such as `3 months`",
    { "type": "string", "pattern": "^[^-]*[0-9].*[a-zA-Z]", "description": "A length by the calendar: `30 days`, `3 months`, `1 year`." }
);
scalar!(
    /// A day.
    Day, "a day such as `2026-04-01`",
    { "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "description": "A day: `2026-04-01`." }
);
scalar!(
    /// The version of the file's format.
    Version, "the number 1",
    { "const": 1, "description": "The version of this format: 1." }
);

struct ScalarVisitor(&'static str);

impl Visitor<'_> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.to_owned()))
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar::Bool(value))
    }
    fn visit_u64<E: Error>(self, number: u64) -> Result<Scalar, E> {
        Ok(Scalar::Number(number.into()))
    }
    fn visit_i64<E: Error>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar::Number(number.into()))
    }
    fn visit_f64<E: Error>(self, number: f64) -> Result<Scalar, E> {
        serde_json::Number::from_f64(number).map(Scalar::Number).ok_or_else(|| E::custom("is no number"))
    }
}

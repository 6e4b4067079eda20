//! Tree → shapes: a serde deserializer over the tree that reports what does not fit and goes on.
//!
//! serde stops at its first error. Here every value stands in an [`At`](super::shapes::At), which catches the
//! error of its inside after it was reported, so that one bad value costs itself and nothing beside it.
//! Keys that a shape does not know are reported and left out before serde sees them.

mod access;
mod keys;
mod refused;

use super::sink::{Sink, quoted_list};
use super::yaml::{Node, Value};
use crate::model::Problem;
use crate::model::place::Span;
use access::{Entries, Items, PlaceThenValue, Variant};
use refused::Refused;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

pub(super) use access::unpack;

/// Names under which the shapes ask this deserializer for more than serde's data model has.
pub(super) const AT: &str = "$at";
/// Text, or what the visitor's newtype says.
pub(super) const TEXT_OR: &str = "$text_or";
/// A list, or one item of it.
pub(super) const ONE_OR_MANY: &str = "$one_or_many";

/// A node to be read, and what to call it in messages: the key it stands under.
#[derive(Clone, Copy)]
pub(super) struct Decoder<'a> {
    node: &'a Node,
    name: &'a str,
    /// Is it an item of the list that stands under the key?
    item: bool,
    sink: &'a Sink<'a>,
}

impl<'a> Decoder<'a> {
    /// Reads a whole document.
    pub(super) fn new(node: &'a Node, sink: &'a Sink<'a>) -> Self {
        Self { node, name: "", item: false, sink }
    }

    fn below(self, node: &'a Node) -> Self {
        Self { node, ..self }
    }

    /// What it is called in messages.
    fn called(&self) -> String {
        match (self.name, self.item) {
            ("", _) => "the file".to_owned(),
            (name, false) => format!("`{name}`"),
            (name, true) => format!("an item of `{name}`"),
        }
    }

    fn span(&self) -> Span {
        self.sink.span(self.node.offset, self.node.len)
    }

    /// Reports what a visitor refused, in its place, once.
    fn reported<T>(&self, result: Result<T, Refused>) -> Result<T, Refused> {
        let Err(Refused(Some(problem))) = result else { return result };
        let mut problem = *problem;
        problem.what = format!("{} {}", self.called(), problem.what);
        problem.at = problem.at.or(Some(self.span()));
        if let (None, Value::Text(text)) = (&problem.hint, &self.node.value)
            && text.parse::<f64>().is_ok()
        {
            problem.hint = Some("write the number without quotes".to_owned());
        }
        self.sink.push(problem);
        Err(Refused(None))
    }

    fn refuse<T>(&self, problem: Problem) -> Result<T, Refused> {
        self.reported(Err(Refused(Some(Box::new(problem)))))
    }

    fn has_no_value<T>(&self) -> Result<T, Refused> {
        self.refuse(Problem::error("empty-value", "has no value").hint("give it one, or leave the key out"))
    }

    /// A scalar as the letters that were written, whatever type YAML sees in them.
    fn scalar_text(&self) -> Option<&'a str> {
        match &self.node.value {
            Value::Text(text) => Some(text),
            Value::Bool(_) | Value::Number(_) => Some(self.sink.written(self.span())),
            Value::Null | Value::List(_) | Value::Map(_) | Value::Broken => None,
        }
    }

    fn unexpected(&self) -> Unexpected<'a> {
        match &self.node.value {
            Value::Null | Value::Broken => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Number(_) => Unexpected::Other(self.sink.written(self.span())),
            Value::Text(text) => Unexpected::Str(text),
            Value::List(_) => Unexpected::Seq,
            Value::Map(_) => Unexpected::Map,
        }
    }

    fn visit_map_of<V: Visitor<'a>>(
        self,
        entries: Vec<&'a (Node, Node)>,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        visitor.visit_map(Entries { decoder: self, entries: entries.into_iter(), value: None })
    }
}

macro_rules! as_any {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Refused> {
            self.deserialize_any(visitor)
        })*
    };
}

macro_rules! as_text {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Refused> {
            match self.scalar_text() {
                Some(text) => self.reported(visitor.visit_str(text)),
                None => self.deserialize_any(visitor),
            }
        })*
    };
}

impl<'a> Deserializer<'a> for Decoder<'a> {
    type Error = Refused;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Refused> {
        let result = match &self.node.value {
            Value::Broken => Err(Refused(None)),
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(value), _) => visitor.visit_u64(value),
                (None, Some(value)) => visitor.visit_i64(value),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::MAX)),
            },
            Value::Text(text) => visitor.visit_str(text),
            Value::List(items) => visitor.visit_seq(Items { decoder: self, items: items.iter() }),
            Value::Map(entries) => self.visit_map_of(entries.iter().collect(), visitor),
        };
        match (result, &self.node.value) {
            (Err(Refused(Some(_))), Value::Null) => self.has_no_value(),
            (result, _) => self.reported(result),
        }
    }

    fn deserialize_bool<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Refused> {
        if let Value::Text(text) = &self.node.value
            && let Some(meant) = old_boolean(text)
        {
            let problem = Problem::error("old-boolean", format!("must be `true` or `false`, not `{text}`"));
            let quotes = if text == &meant.to_string() { " without quotes" } else { "" };
            return self.refuse(problem.hint(format!("write `{meant}`{quotes}")));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_some(self)
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let result = match &self.node.value {
            Value::Null => self.visit_map_of(Vec::new(), visitor),
            Value::Map(entries) => {
                let known = entries.iter().filter(|(key, _)| self.knows(key, fields)).collect();
                self.visit_map_of(known, visitor)
            }
            Value::Broken => return Err(Refused(None)),
            Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
                let problem: Refused = Error::invalid_type(self.unexpected(), &"a map");
                let keys = format!("its keys: {}", quoted_list(fields.iter().copied()));
                Err(problem.hint(keys))
            }
        };
        self.reported(result)
    }

    fn deserialize_map<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Refused> {
        match &self.node.value {
            Value::Null => self.visit_map_of(Vec::new(), visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let result = match &self.node.value {
            Value::Text(word) => visitor.visit_enum(Variant { word, content: None }),
            Value::Map(entries) if entries.len() == 1 => {
                let (key, value) = &entries[0];
                let Value::Text(word) = &key.value else { return self.deserialize_any(visitor) };
                if !variants.contains(&word.as_str()) {
                    let Refused(problem) = Error::unknown_variant(word, variants);
                    let at = self.sink.span(key.offset, key.len);
                    return self.reported(Err(Refused(problem.map(|problem| Box::new(problem.at(at))))));
                }
                visitor.visit_enum(Variant {
                    word,
                    content: Some(Decoder { node: value, name: word, item: false, ..self }),
                })
            }
            Value::Map(_) => {
                let what =
                    format!("must have exactly one of the keys {}", quoted_list(variants.iter().copied()));
                Err(Refused::with("one-of", what))
            }
            Value::Null => return self.has_no_value(),
            Value::Broken => return Err(Refused(None)),
            Value::Bool(_) | Value::Number(_) | Value::List(_) => {
                let expected = format!("one of {}", quoted_list(variants.iter().copied()));
                Err(Error::invalid_type(self.unexpected(), &expected.as_str()))
            }
        };
        self.reported(result)
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        match (name, &self.node.value) {
            (AT, _) => visitor.visit_seq(PlaceThenValue { decoder: self, given: 0 }),
            (TEXT_OR, _) => match self.scalar_text() {
                Some(text) => visitor.visit_str(text),
                None => visitor.visit_newtype_struct(self),
            },
            (ONE_OR_MANY, Value::List(items)) => {
                visitor.visit_seq(Items { decoder: self, items: items.iter() })
            }
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.deserialize_any(visitor)
    }

    fn deserialize_tuple<V: Visitor<'a>>(self, _: usize, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_any(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.deserialize_any(visitor)
    }

    as_text! { deserialize_str deserialize_string deserialize_identifier deserialize_char }

    as_any! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_f32 deserialize_f64 deserialize_bytes deserialize_byte_buf
        deserialize_unit deserialize_seq
    }
}

/// `yes`, `on` and their kin were booleans once.
fn old_boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "y" | "on" | "true" => Some(true),
        "no" | "n" | "off" | "false" => Some(false),
        _ => None,
    }
}

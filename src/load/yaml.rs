//! Text → tree: reads one YAML document, strictly, with the place of every node.
//!
//! This file alone names the YAML crate. What it hands on is a tree of plain values, in which every key of a
//! map is text and stands once; whatever was otherwise has been reported.

use super::sink::Sink;
use crate::model::Problem;
use crate::model::place::Span;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_yaml::budget::BudgetBreach;
use serde_yaml::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_yaml::{Error, Options, Spanned};
use std::collections::HashMap;
use std::fmt;

/// A node of the tree. Offsets are in bytes of the file.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) offset: usize,
    pub(super) len: usize,
    pub(super) value: Value,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    /// Something that has been reported and means nothing.
    Broken,
}

/// Deeper nesting than this is an attack or an accident.
const DEPTH_MAX: usize = 64;
/// Room for ten thousand hosts with a hundred settings each; an alias bomb needs more.
const NODES_MAX: usize = 1_000_000;
/// Every host of a large site may name a shared block once; what aliases cost is bounded by `NODES_MAX`.
const ALIASES_MAX: usize = 20_000;
/// People do not name more blocks than this.
const ANCHORS_MAX: usize = 1_000;
/// What stands behind all anchors together, in events of the parser; an alias bomb is defused before it is large.
const ANCHORED_MAX: usize = 100_000;

/// Reads the one document of a file. `None` if there is nothing to go on with; it has been reported.
pub(super) fn read(sink: &Sink<'_>) -> Option<Node> {
    if sink.text().trim().is_empty() {
        sink.push(Problem::error("empty-file", "the file is empty").at(sink.span(0, 0)));
        return None;
    }
    let mut root = match serde_yaml::from_str_with_options::<Node>(sink.text(), options()) {
        Ok(root) => root,
        Err(error) => {
            sink.push(trouble(sink, innermost(&error)));
            return None;
        }
    };
    if matches!(root.value, Value::Null) {
        sink.push(Problem::error("empty-file", "the file holds nothing but comments").at(sink.span(0, 0)));
        return None;
    }
    tidy(&mut root, sink);
    Some(root)
}

fn options() -> Options {
    let budget = serde_yaml::budget! {
        max_depth: DEPTH_MAX,
        max_nodes: NODES_MAX,
        max_events: 3 * NODES_MAX,
        max_aliases: ALIASES_MAX,
        max_anchors: ANCHORS_MAX,
        max_recorded_anchor_events: ANCHORED_MAX,
        max_merge_keys: ALIASES_MAX,
        enforce_alias_anchor_ratio: false,
    };
    serde_yaml::options! {
        budget: budget,
        emit_comments: false,
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    }
}

/// The error itself, out of what says where it was come across.
fn innermost(mut error: &Error) -> &Error {
    while let Error::AliasError { error: inner, .. } | Error::WithSnippet { error: inner, .. } = error {
        error = inner;
    }
    error
}

/// What the YAML crate found wrong, in our words.
fn trouble(sink: &Sink<'_>, error: &Error) -> Problem {
    let place = error.location().map_or(sink.span(0, 0), |location| {
        place_of(sink, location.line() as usize, location.column() as usize)
    });
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or(&said);
    let line = line_at(sink.text(), place.offset as usize);
    let problem = match error {
        Error::MultipleDocuments { .. } => {
            Problem::error("several-documents", "a second document begins here").hint(
                "a file is one document: remove the `---` line or move what follows to a file of its own",
            )
        }
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => {
            Problem::error("too-complex", format!("values nest deeper than {DEPTH_MAX} levels here"))
                .hint("is a bracket missing further up?")
        }
        Error::Budget { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => {
            let what = "the file holds too much, or repeats itself too often by `*aliases`";
            Problem::error("too-complex", what).hint(format!(
                "limits: {NODES_MAX} values in all, {ALIASES_MAX} aliases, {ANCHORED_MAX} behind anchors"
            ))
        }
        Error::UnknownAnchor { .. } => {
            Problem::error("unknown-anchor", "`*` names an anchor that nothing above sets")
                .hint("quote a text that starts with `*`: \"*\"")
        }
        Error::UnsupportedTag { .. } => {
            Problem::error("yaml-tag", format!("YAML tags are not used here: {said}"))
                .hint("quote a text that starts with `!`")
        }
        _ => {
            let problem = Problem::error("yaml-syntax", format!("this is not YAML: {said}"));
            match syntax_hint(line, said) {
                Some(hint) => problem.hint(hint),
                None => problem,
            }
        }
    };
    problem.at(place)
}

/// The usual slips, told by the line they are on.
fn syntax_hint(line: &str, said: &str) -> Option<&'static str> {
    if line.contains(": {{") || line.trim_start().starts_with("- {{") {
        Some("quote a value that starts with `{{`: \"{{ … }}\"")
    } else if line.trim_start_matches(' ').starts_with('\t') || said.contains("tab") {
        Some("indent with spaces; YAML allows no tabs there")
    } else if line.matches(": ").count() > 1 && !line.contains('{') {
        Some("quote a text that holds `: `, or put it on lines of its own below a `|`")
    } else {
        None
    }
}

fn line_at(text: &str, offset: usize) -> &str {
    let offset = offset.min(text.len());
    let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    text[start..].lines().next().unwrap_or("")
}

/// The place of a line and column (in characters), both from 1.
fn place_of(sink: &Sink<'_>, line: usize, column: usize) -> Span {
    let text = sink.text();
    let start = match line {
        0 | 1 => 0,
        _ => text.match_indices('\n').nth(line - 2).map_or(text.len(), |(at, _)| at + 1),
    };
    let rest = text[start..].lines().next().unwrap_or("");
    let at = rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at);
    let len = rest[at..].chars().next().map_or(0, char::len_utf8);
    sink.span(start + at, len)
}

/// Reports keys that are not text or stand twice, and drops them.
fn tidy(node: &mut Node, sink: &Sink<'_>) {
    match &mut node.value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Broken => {}
        Value::List(items) => items.iter_mut().for_each(|item| tidy(item, sink)),
        Value::Map(entries) => {
            let keys = entries.len();
            let mut seen: HashMap<String, Span> = HashMap::with_capacity(entries.len());
            entries.retain_mut(|(key, value)| {
                let at = sink.span(key.offset, key.len);
                let Some(text) = key_text(key, sink) else {
                    sink.push(bad_key(key, sink));
                    return false;
                };
                if let Some(first) = seen.get(&text) {
                    let problem =
                        Problem::error("duplicate-key", format!("`{text}` stands here a second time"));
                    sink.push(problem.at(at).also(*first, "first here"));
                    return false;
                }
                key.value = Value::Text(text.clone());
                seen.insert(text, at);
                tidy(value, sink);
                true
            });
            // `key: {{ x }}` is a map with a map for a key; what it would be as a value is beside the point.
            if entries.is_empty() && keys > 0 {
                node.value = Value::Broken;
            }
        }
    }
}

/// A key as text; numbers and booleans as they were written.
fn key_text(key: &Node, sink: &Sink<'_>) -> Option<String> {
    match &key.value {
        Value::Text(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(sink.written(sink.span(key.offset, key.len)).to_owned()),
        Value::Null | Value::List(_) | Value::Map(_) | Value::Broken => None,
    }
}

fn bad_key(key: &Node, sink: &Sink<'_>) -> Problem {
    let at = sink.span(key.offset, key.len);
    let problem = Problem::error("key-not-text", "a key must be text").at(at);
    match &key.value {
        Value::Map(_) => problem.hint("quote a value that starts with `{{`: \"{{ … }}\""),
        _ => problem,
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, defined, .. } = Spanned::<Value>::deserialize(deserializer)?;
        let span = defined.span();
        let offset = span.byte_offset().unwrap_or(0) as usize;
        let len = span.byte_len().unwrap_or(0) as usize;
        // A block map has no bracket to point at: its first key stands for it.
        let len = match &value {
            Value::Map(entries) if len == 0 => entries.first().map_or(0, |(key, _)| key.len),
            Value::List(items) if len == 0 => items.first().map_or(0, |item| item.len),
            _ => len,
        };
        let offset = match &value {
            Value::List(items) if defined.span().byte_len() == Some(0) => {
                items.first().map_or(offset, |item| item.offset)
            }
            _ => offset,
        };
        Ok(Self { offset, len, value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or_else(|| Value::Text(value.to_string()), Value::Number))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Value::Map(map))
    }
}

//! What a shape refuses, said in plain words instead of serde's.

use crate::load::sink::quoted_list;
use crate::model::Problem;
use crate::model::problem::nearest;
use serde::de::{Error, Expected, Unexpected};
use std::fmt;

/// Something did not fit. `None`: it has been reported.
#[derive(Debug)]
pub(in crate::load) struct Refused(pub(super) Option<Box<Problem>>);

impl Refused {
    pub(super) fn with(code: &'static str, what: impl Into<String>) -> Self {
        Self(Some(Box::new(Problem::error(code, what))))
    }
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self(self.0.map(|problem| Box::new(problem.hint(hint))))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_ref().map_or("reported", |problem| &problem.what))
    }
}

impl std::error::Error for Refused {}

impl Error for Refused {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::with("wrong-value", message.to_string())
    }
    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::with("wrong-type", format!("must be {}, not {}", plainly(expected), seen(found)))
    }
    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::with("wrong-value", format!("must be {}, not {}", plainly(expected), seen(found)))
    }
    fn unknown_variant(word: &str, words: &'static [&'static str]) -> Self {
        let refused = Self::with("unknown-word", format!("cannot be `{word}`"));
        let words = words.iter().copied();
        let list = format!("it is one of {}", quoted_list(words.clone()));
        match nearest(word, words) {
            Some(near) => refused.hint(format!("did you mean `{near}`? {list}")),
            None => refused.hint(list),
        }
    }
}

/// What serde's own visitors expect, in plain words.
fn plainly(expected: &dyn Expected) -> String {
    let said = expected.to_string();
    match said.as_str() {
        "a string" | "string" => "text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "u8" => "a whole number from 0 to 255".to_owned(),
        "u16" => "a whole number from 0 to 65535".to_owned(),
        "u32" => "a whole number from 0 to 4294967295".to_owned(),
        _ => said,
    }
}

/// What was found, in plain words.
fn seen(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(number) => format!("the number {number}"),
        Unexpected::Signed(number) => format!("the number {number}"),
        Unexpected::Float(number) => format!("the number {number}"),
        Unexpected::Str(text) => format!("the text `{}`", shortened(text)),
        Unexpected::Other(written) => format!("`{}`", shortened(written)),
        Unexpected::Unit => "empty".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a map".to_owned(),
        other => other.to_string(),
    }
}

/// The beginning of a text, on one line.
fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    match line.char_indices().nth(TEXT_SHOWN_MAX) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None if line.len() < text.len() => format!("{line}…"),
        None => line.to_owned(),
    }
}

/// Longer texts are told from their beginnings; the excerpt shows the rest.
const TEXT_SHOWN_MAX: usize = 40;

//! Where everything wrong with one file is gathered while it is read.

use crate::model::place::{Located, SourceIx, Span};
use crate::model::problem::nearest;
use crate::model::{Problem, Problems};
use std::cell::RefCell;

/// One file being read: its text, and what was found wrong with it so far.
///
/// It is shared by reference, so that a reader deep inside can report and go on.
#[derive(Debug)]
pub(super) struct Sink<'a> {
    source: SourceIx,
    text: &'a str,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Sink<'a> {
    pub(super) fn new(source: SourceIx, text: &'a str) -> Self {
        Self { source, text, problems: RefCell::default() }
    }

    pub(super) fn push(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    pub(super) fn into_problems(self) -> Problems {
        Problems(self.problems.into_inner()).in_file_order()
    }

    /// The file's whole text.
    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// What the file says at a place, letter by letter.
    pub(super) fn written(&self, span: Span) -> &'a str {
        let start = span.offset as usize;
        self.text.get(start..start + span.len as usize).unwrap_or("")
    }

    /// A place in this file.
    pub(super) fn span(&self, offset: usize, len: usize) -> Span {
        let within = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        Span { source: self.source, offset: within(offset), len: within(len) }
    }

    /// The place of a stretch of a scalar's value.
    ///
    /// A value and what was written differ by quotes, escapes, indentation and folding. So the stretch is looked
    /// up in what was written: if it occurs there as often as in the value, the same occurrence is meant. If it
    /// does not, the whole scalar is the best place there is.
    pub(super) fn inside(&self, scalar: &Located<String>, start: usize, len: usize) -> Span {
        let stretch = scalar.value.get(start..start + len).unwrap_or("");
        let line = stretch.lines().next().unwrap_or("");
        let written = self.written(scalar.span);
        let before = scalar.value.get(..start).unwrap_or("");
        let before = before.matches(line).count();
        if line.is_empty() || written.matches(line).count() != scalar.value.matches(line).count() {
            return scalar.span;
        }
        match written.match_indices(line).nth(before) {
            Some((at, _)) => self.span(scalar.span.offset as usize + at, line.len()),
            None => scalar.span,
        }
    }
}

/// `; did you mean …?` with the nearest of the known names, or the list of them if it is short.
pub(super) fn near_hint<'a>(
    wrong: &str,
    plural: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    if let Some(near) = nearest(wrong, known.clone()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let mut names: Vec<&str> = known.into_iter().take(NAMES_LISTED_MAX + 1).collect();
    names.sort_unstable();
    match names.len() {
        0 => Some(format!("there are no {plural}")),
        1..=NAMES_LISTED_MAX => Some(format!("the {plural} are {}", quoted_list(names))),
        _ => None,
    }
}

/// Names in backticks, with commas.
pub(super) fn quoted_list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A hint that lists more names than this is not read.
const NAMES_LISTED_MAX: usize = 12;

//! What is wrong with a runbook or an inventory, said so that it can be mended.

use super::place::Span;

/// How much a problem weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Nothing can run before this is mended.
    Error,
    /// Worth a look; nothing is refused.
    Warning,
}

/// One problem: what, where, and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// A stable kebab-case word for machines, such as `unknown-step`.
    pub code: &'static str,
    /// Error or warning.
    pub weight: Weight,
    /// Names the thing, then the trouble: ``step `a` needs `b`, which no step is called``.
    pub what: String,
    /// Where it was written, if it was written anywhere.
    pub at: Option<Span>,
    /// Other places that belong to it, each with a label ("first defined here").
    pub also: Vec<(Span, String)>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// An error with a stable code.
    pub fn error(code: &'static str, what: impl Into<String>) -> Self {
        Self { code, weight: Weight::Error, what: what.into(), at: None, also: Vec::new(), hint: None }
    }
    /// A warning with a stable code.
    pub fn warning(code: &'static str, what: impl Into<String>) -> Self {
        Self { weight: Weight::Warning, ..Self::error(code, what) }
    }
    /// Says where.
    pub fn at(mut self, span: Span) -> Self {
        self.at = Some(span);
        self
    }
    /// Points at a second place.
    pub fn also(mut self, span: Span, label: impl Into<String>) -> Self {
        self.also.push((span, label.into()));
        self
    }
    /// Says what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// All problems found, to be shown in file order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Adds one.
    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }
    /// Adds all of another list.
    pub fn extend(&mut self, other: Problems) {
        self.0.extend(other.0);
    }
    /// Is there anything that forbids running?
    pub fn any_error(&self) -> bool {
        self.0.iter().any(|problem| problem.weight == Weight::Error)
    }
    /// The same problems in file order, those without a place first; exact repeats are dropped.
    pub fn in_file_order(mut self) -> Self {
        self.0.sort_by_key(|problem| problem.at);
        self.0.dedup();
        self
    }
}

/// The candidate that looks most like `wrong`, if one looks enough like it to be worth a hint.
pub fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(wrong, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Below this, suggestions confuse more than they help.
const LIKENESS_MIN: f64 = 0.8;

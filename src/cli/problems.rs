//! Shows problems of files with place, excerpt and hint.

use crate::cli::printer;
use crate::model::place::{Sources, Span};
use crate::model::problem::{Problem, Problems, Weight};
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity, SourceCode,
};
use std::fmt;

/// All of them to stderr, in file order, and a line that counts them.
pub fn print(problems: &Problems, sources: &Sources) {
    let text = text(problems, sources, &handler());
    if !text.is_empty() {
        printer::say(text.trim_end());
    }
}

/// All of them as text.
pub fn text(problems: &Problems, sources: &Sources, handler: &GraphicalReportHandler) -> String {
    let ordered = problems.clone().in_file_order();
    let mut out = String::new();
    for problem in &ordered.0 {
        let shown = Shown::new(problem, sources);
        if handler.render_report(&mut out, &shown).is_err() {
            out.push_str(&problem.what);
        }
        out.push('\n');
    }
    let count = |weight| ordered.0.iter().filter(|problem| problem.weight == weight).count();
    let (errors, warnings) = (count(Weight::Error), count(Weight::Warning));
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    out.push_str(&match (errors, warnings) {
        (0, 0) => String::new(),
        (0, w) => format!("{}\n", plural(w, "warning")),
        (e, 0) => format!("{}\n", plural(e, "problem")),
        (e, w) => format!("{}, {}\n", plural(e, "problem"), plural(w, "warning")),
    });
    out
}

/// All of them as JSON for machines.
pub fn json(problems: &Problems, sources: &Sources) -> serde_json::Value {
    let ordered = problems.clone().in_file_order();
    let place = |span: Span| {
        let (line, column) = sources.line_and_column(span)?;
        let file = &sources.get(span.source)?.name;
        Some(serde_json::json!({ "file": file, "line": line, "column": column, "bytes": span.len }))
    };
    serde_json::Value::Array(
        ordered
            .0
            .iter()
            .map(|problem| {
                serde_json::json!({
                    "code": problem.code,
                    "weight": match problem.weight { Weight::Error => "error", Weight::Warning => "warning" },
                    "what": problem.what,
                    "at": problem.at.and_then(place),
                    "also": problem.also.iter().map(|(span, label)| serde_json::json!({ "at": place(*span), "label": label })).collect::<Vec<_>>(),
                    "hint": problem.hint,
                })
            })
            .collect(),
    )
}

fn handler() -> GraphicalReportHandler {
    let term = console::Term::stderr();
    let colour = term.is_term() && console::colors_enabled_stderr();
    let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    // Where nobody looks, lines stay whole, so that paths and names can be searched for.
    GraphicalReportHandler::new_themed(theme)
        .with_width(usize::from(term.size().1.max(WIDTH_MIN)))
        .with_break_words(false)
        .with_wrap_lines(term.is_term())
}

/// In fewer columns, an excerpt shows nothing.
const WIDTH_MIN: u16 = 80;

/// A problem as miette wants it.
struct Shown<'a> {
    problem: &'a Problem,
    source: Option<NamedSource<String>>,
    labels: Vec<LabeledSpan>,
}

impl<'a> Shown<'a> {
    fn new(problem: &'a Problem, sources: &Sources) -> Self {
        let main = problem.at.and_then(|span| sources.get(span.source).map(|source| (span, source)));
        let mut labels = Vec::new();
        if let Some((span, _)) = main {
            labels.push(LabeledSpan::new_primary_with_span(None, range(span)));
            let same_file = problem.also.iter().filter(|(other, _)| other.source == span.source);
            labels.extend(
                same_file
                    .map(|(other, label)| LabeledSpan::new_with_span(Some(label.clone()), range(*other))),
            );
        }
        let source = main.map(|(_, source)| NamedSource::new(&source.name, source.text.clone()));
        Self { problem, source, labels }
    }
}

fn range(span: Span) -> (usize, usize) {
    (span.offset as usize, span.len as usize)
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem.what)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.problem.code))
    }
    fn severity(&self) -> Option<Severity> {
        Some(match self.problem.weight {
            Weight::Error => Severity::Error,
            Weight::Warning => Severity::Warning,
        })
    }
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problem.hint.as_ref().map(|hint| Box::new(hint) as Box<dyn fmt::Display>)
    }
    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty())
            .then(|| Box::new(self.labels.iter().cloned()) as Box<dyn Iterator<Item = LabeledSpan>>)
    }
}

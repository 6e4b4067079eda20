//! Checks templates: syntax, and whether the names they use are known. Evaluates nothing.
//!
//! A template is a text with `{{ expressions }}`. `{% raw %} … {% endraw %}` hands braces on; there are no other
//! blocks, and `{#` begins no comment, because `${#name}` is shell.

use super::sink::{Sink, near_hint};
use super::values::is_identifier;
use crate::model::Problem;
use crate::model::place::{Located, Span};
use crate::model::template::{BLOCK_WORDS, RAW_HINT};
use minijinja::Environment;
use std::collections::BTreeSet;

/// What templates of a file may name.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    pub(super) params: BTreeSet<String>,
    pub(super) secrets: BTreeSet<String>,
}

/// What a text is for, which decides what it may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// A shell script, or an environment variable of one: secrets may stand in it.
    Script,
    /// A path, a probe's target, a text for people: it is shown and kept, so that secrets may not stand in it.
    Shown,
    /// An expression without braces.
    Condition,
}

/// The names that an expression may start with.
const ROOTS: &[&str] = &["groups", "host", "inventory", "params", "secrets", "vars"];

/// Looks through the templates of one file.
pub(super) struct Checker<'a> {
    sink: &'a Sink<'a>,
    scope: Scope,
    environment: Environment<'static>,
}

/// Where a text stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    pub(super) purpose: Use,
    /// Is there a host for `host` to mean?
    pub(super) on_host: bool,
}

impl<'a> Checker<'a> {
    pub(super) fn new(sink: &'a Sink<'a>, scope: Scope) -> Self {
        Self { sink, scope, environment: Environment::new() }
    }

    /// Checks a text with expressions in braces.
    pub(super) fn text(&self, text: &Located<String>, context: Context) {
        if let Some(at) = text.value.find('\0') {
            let problem = Problem::error("bad-text", "a text cannot hold a NUL character");
            self.sink.push(problem.at(self.sink.inside(text, at, 1)));
        }
        let mut at = 0;
        while let Some(opening) = next_opening(&text.value[at..]) {
            let start = at + opening;
            let here = &text.value[start..];
            let end = if here.starts_with("{{") {
                self.braces(text, start, context)
            } else {
                self.block(text, start)
            };
            match end {
                Some(end) => at = end,
                None => return,
            }
        }
    }

    /// Checks an expression without braces.
    pub(super) fn condition(&self, text: &Located<String>, on_host: bool) {
        if text.value.contains("{{") {
            let problem =
                Problem::error("template-syntax", "`when` is an expression already: it takes no braces");
            return self.sink.push(problem.at(text.span).hint("write `when: host.vars.wan == \"eth0\"`"));
        }
        let context = Context { purpose: Use::Condition, on_host };
        self.expression(text, 0, &text.value, text.span, context);
    }

    /// One `{{ … }}` that starts at a byte. Says where it ends; `None` if it never does.
    fn braces(&self, text: &Located<String>, start: usize, context: Context) -> Option<usize> {
        let body = start + 2;
        let Some(len) = expression_len(&text.value[body..]) else {
            let line = text.value[start..].lines().next().unwrap_or("");
            let problem = Problem::error("template-syntax", "`{{` is never closed by `}}`");
            self.sink.push(problem.at(self.sink.inside(text, start, line.len())).hint(RAW_HINT));
            return None;
        };
        let inside = &text.value[body..body + len];
        let at = self.sink.inside(text, start, len + 4);
        if inside.starts_with(['-', '+']) || inside.ends_with(['-', '+']) {
            let problem =
                Problem::error("template-syntax", "`{{-` and `-}}` do not trim the text around them here");
            self.sink.push(problem.at(at).hint("write {{ … }} with blanks inside the braces"));
        } else {
            self.expression(text, body, inside, at, context);
        }
        Some(body + len + 2)
    }

    /// One `{% … %}` that starts at a byte. Says where to go on.
    fn block(&self, text: &Located<String>, start: usize) -> Option<usize> {
        let here = &text.value[start..];
        if let Some(opening) = block_len(here, "raw") {
            let found =
                here.match_indices("{%").find_map(|(at, _)| Some(at + block_len(&here[at..], "endraw")?));
            if found.is_none() {
                let problem = Problem::error("template-syntax", "`{% raw %}` has no `{% endraw %}`");
                self.sink.push(problem.at(self.sink.inside(text, start, opening)));
            }
            return found.map(|end| start + end);
        }
        let word = here[2..].trim_start_matches(['-', '+']).trim_start();
        let word: String = word.chars().take_while(|c| c.is_ascii_alphabetic()).collect();
        if BLOCK_WORDS.contains(&word.as_str()) && here.contains("%}") {
            let len = here.find("%}").map_or(2, |end| end + 2);
            let what = format!("`{{% {word} … %}}` does not work here: a text holds values, not logic");
            let problem = Problem::error("template-block", what).at(self.sink.inside(text, start, len));
            self.sink.push(problem.hint("use the step's `when`, or the shell's own `if` and `for`"));
        }
        Some(start + 2)
    }

    /// Checks one expression that stands in `text` at byte `start`; `whole` is its place with the braces.
    fn expression(&self, text: &Located<String>, start: usize, inside: &str, whole: Span, context: Context) {
        if inside.trim().is_empty() {
            let problem = Problem::error("template-syntax", "an expression is missing here");
            return self.sink.push(problem.at(whole).hint(RAW_HINT));
        }
        let expression = match self.environment.compile_expression(inside) {
            Ok(expression) => expression,
            Err(error) => {
                let detail = error.detail().unwrap_or("it cannot be understood");
                let problem =
                    Problem::error("template-syntax", format!("`{}`: {detail}", inside.trim())).at(whole);
                return self.sink.push(match context.purpose {
                    Use::Condition => problem.hint("an expression is such as `host.vars.wan == \"eth0\"`"),
                    Use::Script | Use::Shown => problem.hint(RAW_HINT),
                });
            }
        };
        let mut names: Vec<String> = expression.undeclared_variables(true).into_iter().collect();
        names.sort_unstable();
        for name in &names {
            let at = match find_word(inside, name) {
                Some(at) => self.sink.inside(text, start + at, name.len()),
                None => whole,
            };
            if let Some(problem) = self.name(name, inside, context) {
                self.sink.push(problem.at(at));
            }
        }
    }

    /// What is wrong with a dotted name, if anything is.
    fn name(&self, name: &str, inside: &str, context: Context) -> Option<Problem> {
        let (root, rest) = name.split_once('.').map_or((name, None), |(root, rest)| (root, Some(rest)));
        let first = rest.map(|rest| rest.split_once('.').map_or(rest, |(first, _)| first));
        match (root, first) {
            ("params", Some(param)) if !self.scope.params.contains(param) => {
                let what = format!("`{name}` asks for a parameter that the runbook does not declare");
                let problem = Problem::error("unknown-param", what);
                Some(hinted(
                    problem,
                    near_hint(param, "parameters", self.scope.params.iter().map(String::as_str)),
                ))
            }
            ("secrets", _) => self.secret(first, inside, context),
            ("host", _) if !context.on_host => {
                let problem = Problem::error("no-host-here", "a step without `on` has no `host`");
                Some(problem.hint("give the step an `on`, or use `params`, `vars`, `groups` or `inventory`"))
            }
            (root, _) if !ROOTS.contains(&root) => {
                let problem =
                    Problem::error("unknown-variable", format!("`{root}` is not known in templates"));
                Some(match self.scope.params.contains(root) {
                    true => problem.hint(format!("did you mean `params.{root}`?")),
                    false => hinted(problem, near_hint(root, "known names", ROOTS.iter().copied())),
                })
            }
            _ => None,
        }
    }

    fn secret(&self, name: Option<&str>, inside: &str, context: Context) -> Option<Problem> {
        let bare = inside.trim().strip_prefix("secrets.").is_some_and(is_identifier);
        match (context.purpose, name) {
            (Use::Condition, _) => {
                Some(Problem::error("secret-here", "a secret cannot decide what a plan holds"))
            }
            (Use::Shown, _) => {
                let problem =
                    Problem::error("secret-here", "a secret cannot stand in a text that is shown and kept");
                Some(problem.hint("secrets may stand in scripts and in `env`"))
            }
            (Use::Script, Some(name)) if bare => (!self.scope.secrets.contains(name)).then(|| {
                let problem =
                    Problem::error("unknown-secret", format!("`{name}` is not among the runbook's secrets"));
                hinted(problem, near_hint(name, "secrets", self.scope.secrets.iter().map(String::as_str)))
            }),
            (Use::Script, _) => {
                let problem = Problem::error("secret-here", "a secret takes no part in expressions");
                Some(problem.hint("write {{ secrets.NAME }} and nothing else between the braces"))
            }
        }
    }
}

fn hinted(problem: Problem, hint: Option<String>) -> Problem {
    match hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

/// The next `{{` or `{%`. In `{{{` the expression begins as late as it can: the first brace is the shell's.
fn next_opening(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let at = memchr::memchr_iter(b'{', bytes).find(|at| matches!(bytes.get(at + 1), Some(b'{' | b'%')))?;
    let braces = bytes[at..].iter().take_while(|byte| **byte == b'{').count();
    Some(if braces > 2 { at + braces - 2 } else { at })
}

/// The length of the expression before the `}}` that closes it.
fn expression_len(body: &str) -> Option<usize> {
    let mut depth = 0_u32;
    let mut quote = None;
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some(_), '\\') => {
                chars.next();
            }
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, '}') if depth == 0 && body[at + 1..].starts_with('}') => return Some(at),
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
    }
    None
}

/// The length of `{% word %}` at the start of a text, if it stands there.
fn block_len(text: &str, word: &str) -> Option<usize> {
    let inside = text.strip_prefix("{%")?;
    let after = inside.trim_start().strip_prefix(word)?.trim_start().strip_prefix("%}")?;
    Some(text.len() - after.len())
}

/// Where a dotted name stands as a word of its own.
fn find_word(text: &str, word: &str) -> Option<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    text.match_indices(word).map(|(at, _)| at).find(|at| {
        let before = text[..*at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

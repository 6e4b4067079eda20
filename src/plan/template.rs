//! Splits a text into what is written and what is asked for: `{{ expressions }}`, and nothing else.
//!
//! The only block is `{% raw %} … {% endraw %}`, which hands `{{` and `{%` on as they are. `{#` is no comment,
//! because `${#name}` is shell; `{%` that is not followed by a word of the template language is just text.

use crate::model::names::SecretName;
use crate::model::template::{BLOCK_WORDS, RAW_HINT};

/// A text in its parts, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    /// Literal stretches and expressions.
    pub parts: Vec<Part>,
}

/// One stretch of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Stands as it is.
    Literal(String),
    /// `{{ expression }}`: its text, trimmed, and the line it begins on, from 1.
    Expression(String, u32),
    /// `{{ secrets.NAME }}`.
    Secret(SecretName, u32),
}

/// Something in a text that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// A stable word for machines.
    pub code: &'static str,
    /// The line in the text, from 1.
    pub line: u32,
    /// What is wrong.
    pub what: String,
    /// The way out.
    pub hint: &'static str,
}

/// Splits a text.
pub fn parse(text: &str) -> Result<Template, Trouble> {
    let mut template = Template::default();
    let mut rest = text;
    let (mut line, mut counted) = (1, 0);
    while let Some(at) = next_opening(rest) {
        template.literal(&rest[..at]);
        let here = &rest[at..];
        let read = text.len() - here.len();
        line += text[counted..read].matches('\n').count() as u32;
        counted = read;
        if here.starts_with("{{") {
            let (expression, after) = expression(here, line)?;
            template.parts.push(match secret(expression) {
                Some(name) => Part::Secret(name, line),
                None => Part::Expression(expression.to_owned(), line),
            });
            rest = after;
        } else if let Some(after) = block(here, "raw") {
            let Some(end) = find_block(after, "endraw") else {
                return Err(trouble(
                    line,
                    "`{% raw %}` has no `{% endraw %}`",
                    "write {% endraw %} where it ends",
                ));
            };
            template.literal(&after[..end]);
            rest = block(&after[end..], "endraw").expect("it was found there");
        } else if let Some(word) = block_word(here) {
            let what = format!("`{{% {word} … %}}` does not work here: a text holds values, not logic");
            return Err(trouble(
                line,
                what,
                "use `when:` of the step, an expression such as {{ 'a' if host.vars.x else 'b' }}, or the shell's own `if`",
            ));
        } else {
            template.literal(&here[..2]);
            rest = &here[2..];
        }
    }
    template.literal(rest);
    Ok(template)
}

impl Template {
    fn literal(&mut self, text: &str) {
        match self.parts.last_mut() {
            _ if text.is_empty() => {}
            Some(Part::Literal(before)) => before.push_str(text),
            _ => self.parts.push(Part::Literal(text.to_owned())),
        }
    }
}

/// The next `{{` or `{%`. In `{{{` the expression begins as late as it can: the first brace is the shell's.
fn next_opening(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let at = memchr::memchr_iter(b'{', bytes).find(|at| matches!(bytes.get(at + 1), Some(b'{' | b'%')))?;
    let braces = bytes[at..].iter().take_while(|byte| **byte == b'{').count();
    Some(if braces > 2 { at + braces - 2 } else { at })
}

/// The expression at the start of a text that begins with `{{`, and what comes after its `}}`.
fn expression(text: &str, line: u32) -> Result<(&str, &str), Trouble> {
    let body = &text[2..];
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
            (None, '}') if depth == 0 && body[at + 1..].starts_with('}') => {
                let inside = &body[..at];
                if inside.starts_with(['-', '+']) || inside.ends_with(['-', '+']) {
                    let what = "`{{-` and `-}}` do not trim the text around them here";
                    return Err(trouble(line, what, "write {{ … }} with blanks inside the braces"));
                }
                if inside.trim().is_empty() {
                    return Err(trouble(line, "`{{ }}` asks for nothing", RAW_HINT));
                }
                return Ok((inside.trim(), &body[at + 2..]));
            }
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
    }
    Err(trouble(line, "`{{` has no `}}`", RAW_HINT))
}

/// The secret that `secrets.NAME` or `secrets['NAME']`, alone, names.
fn secret(expression: &str) -> Option<SecretName> {
    let rest = expression.strip_prefix("secrets")?.trim();
    let bracketed =
        rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).map(str::trim).and_then(|name| {
            let unquoted = |q| name.strip_prefix(q).and_then(|name: &str| name.strip_suffix(q));
            unquoted('\'').or_else(|| unquoted('"'))
        });
    let name = bracketed.or_else(|| rest.strip_prefix('.').map(str::trim))?;
    crate::model::names::is_name(name).then(|| SecretName::from(name))
}

/// What follows the block `{% word %}` that the text begins with.
fn block<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.strip_prefix("{%")?.trim_start().strip_prefix(word)?.trim_start().strip_prefix("%}")
}

fn find_block(text: &str, word: &str) -> Option<usize> {
    text.match_indices("{%").map(|(at, _)| at).find(|at| block(&text[*at..], word).is_some())
}

/// The word of the template language that `{%` is followed by, if it is one.
fn block_word(text: &str) -> Option<&str> {
    let inside = text.strip_prefix("{%")?.trim_start_matches(['-', '+']).trim_start();
    let word =
        &inside[..inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inside.len())];
    let raw_amiss = matches!(word, "raw" | "endraw")
        && inside[..inside.find('\n').unwrap_or(inside.len())].contains("%}");
    (raw_amiss || BLOCK_WORDS.contains(&word)).then_some(word)
}

fn trouble(line: u32, what: impl Into<String>, hint: &'static str) -> Trouble {
    Trouble { code: "template-syntax", line, what: what.into(), hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match parse(text) {
            Err(trouble) => format!("line {}: {}", trouble.line, trouble.what),
            Ok(template) => template
                .parts
                .iter()
                .map(|part| match part {
                    Part::Literal(text) => format!("[{text}]"),
                    Part::Expression(text, line) => format!("<{text}:{line}>"),
                    Part::Secret(name, line) => format!("<secret {name}:{line}>"),
                })
                .collect(),
        }
    }

    #[test]
    fn texts_fall_into_their_parts() {
        for (text, parts) in [
            ("plain ${#x} ${x%%y} {a,b}", "[plain ${#x} ${x%%y} {a,b}]"),
            ("a {{ b }} c", "[a ]<b:1>[ c]"),
            ("{{a}}{{ b }}", "<a:1><b:1>"),
            ("x\n{{ a['}}'] }}\n{{ {'k': {'l': 1}}.k.l }}", "[x\n]<a['}}']:2>[\n]<{'k': {'l': 1}}.k.l:3>"),
            ("f() {{{ x }}}", "[f() {]<x:1>[}]"),
            ("{{ secrets.db-password }}{{ secrets['a.b'] }}", "<secret db-password:1><secret a.b:1>"),
            ("{% raw %}{{ .State }}{%x{% endraw %}!", "[{{ .State }}{%x!]"),
            ("printf '{%s}' {%", "[printf '{%s}' {%]"),
            ("", ""),
        ] {
            assert_eq!(shown(text), parts, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_understood_is_refused_with_its_line() {
        for (text, said) in [
            ("a\nb {{ c", "line 2: `{{` has no `}}`"),
            ("{{ }}", "line 1: `{{ }}` asks for nothing"),
            ("{{- a }}", "line 1: `{{-` and `-}}` do not trim the text around them here"),
            ("\n\n{% if a %}", "line 3: `{% if … %}` does not work here: a text holds values, not logic"),
            ("{%- raw %}", "line 1: `{% raw … %}` does not work here: a text holds values, not logic"),
            ("{% raw %} {{", "line 1: `{% raw %}` has no `{% endraw %}`"),
        ] {
            assert_eq!(shown(text), said, "{text}");
        }
    }
}

//! Reads which names an expression looks up, so that a name that is not there is found before anything runs.
//!
//! The template engine takes an undefined name for false or for nothing in too many places to rely on it.

/// A lookup such as `host.vars.wan`, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// Its text, itself an expression.
    pub text: String,
    /// What it starts from: `host`.
    pub root: String,
    /// The names after it, as far as they are written out: `vars`, `wan`.
    pub path: Vec<String>,
    /// May it be undefined? (`| default(…)`, `is defined`).
    pub guarded: bool,
}

/// Every lookup in an expression. A lookup guarded once is guarded everywhere, and so is what lies beneath it.
pub fn lookups(expression: &str) -> Vec<Lookup> {
    let mut found = Vec::new();
    Reader { text: expression, at: 0, found: &mut found }.read();
    let guards: Vec<String> = found.iter().filter(|l| l.guarded).map(|l| l.text.clone()).collect();
    for lookup in &mut found {
        lookup.guarded |= guards.iter().any(|guard| {
            lookup
                .text
                .strip_prefix(guard.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        });
    }
    found.sort_by(|a, b| a.text.cmp(&b.text));
    found.dedup();
    found
}

/// Words of the language itself.
const KEYWORDS: &[&str] =
    &["and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None"];

struct Reader<'a, 'f> {
    text: &'a str,
    at: usize,
    found: &'f mut Vec<Lookup>,
}

impl<'a> Reader<'a, '_> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn take(&mut self, count: usize) -> &'a str {
        let taken = &self.rest()[..count];
        self.at += count;
        taken
    }

    fn word(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let starts = rest.starts_with(|c: char| c.is_alphabetic() || c == '_');
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        starts.then(|| self.take(end))
    }

    /// The text literal at this place, with its quotes.
    fn quoted(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let mut escaped = false;
        for (at, c) in rest.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                c if c == quote => return Some(self.take(at + 1)),
                _ => {}
            }
        }
        Some(self.take(rest.len()))
    }

    fn read(&mut self) {
        // The last token, as far as it says what a word means.
        let mut before = "";
        loop {
            self.blanks();
            let start = self.at;
            if self.quoted().is_some() {
                before = "'";
            } else if let Some(word) = self.word() {
                let next = self.rest().trim_start();
                let is_argument_name = next.starts_with('=') && !next.starts_with("==");
                let names_something_else =
                    matches!(before, "|" | "is" | ".") || is_argument_name || next.starts_with('(');
                before = match word {
                    "not" if before == "is" => "is",
                    "is" => "is",
                    word if KEYWORDS.contains(&word) || names_something_else => "word",
                    word => {
                        self.lookup(start, word);
                        "word"
                    }
                };
            } else if let Some(c) = self.rest().chars().next() {
                self.at += c.len_utf8();
                // A number takes its digits and its point with it.
                if c.is_ascii_digit() {
                    let digits = |c: char| !c.is_ascii_alphanumeric() && c != '_';
                    self.at += self.rest().find(digits).unwrap_or(self.rest().len());
                }
                before = &self.text[start..self.at];
            } else {
                return;
            }
        }
    }

    fn lookup(&mut self, start: usize, root: &str) {
        let (mut end, mut path, mut written_out) = (self.at, Vec::new(), true);
        loop {
            self.blanks();
            let segment = if self.rest().starts_with('.') {
                self.at += 1;
                self.blanks();
                match self.word() {
                    Some(word) if !self.rest().trim_start().starts_with('(') => Some(word.to_owned()),
                    _ => break,
                }
            } else if self.rest().starts_with('[') {
                self.at += 1;
                match self.subscript() {
                    None => break,
                    Some(segment) => segment,
                }
            } else {
                break;
            };
            written_out &= segment.is_some();
            path.extend(segment.filter(|_| written_out));
            end = self.at;
        }
        self.at = self.at.max(end);
        let after: Vec<&str> = self.text[end..]
            .split(|c: char| !c.is_alphanumeric() && c != '|')
            .filter(|w| !w.is_empty())
            .take(3)
            .collect();
        let guarded = matches!(
            after.as_slice(),
            ["|", "default" | "d", ..]
                | ["|default" | "|d", ..]
                | ["is", "defined" | "undefined", ..]
                | ["is", "not", "defined" | "undefined"]
        );
        self.found.push(Lookup {
            text: self.text[start..end].trim().to_owned(),
            root: root.to_owned(),
            path,
            guarded,
        });
    }

    /// What stands in brackets: a name written out, or `Some(None)` for anything that must be worked out.
    /// Lookups inside count as well. `None`: the bracket is not closed.
    fn subscript(&mut self) -> Option<Option<String>> {
        let inside = self.at;
        let mut depth = 0;
        loop {
            if self.quoted().is_some() {
                continue;
            }
            match self.rest().chars().next()? {
                ']' if depth == 0 => break,
                ']' => depth -= 1,
                '[' => depth += 1,
                _ => {}
            }
            self.at += self.rest().chars().next()?.len_utf8();
        }
        let text = self.text[inside..self.at].trim();
        self.at += 1;
        let unquoted = |q| {
            text.strip_prefix(q)
                .and_then(|text: &str| text.strip_suffix(q))
                .filter(|t| !t.contains(['\\', q]))
        };
        match unquoted('\'').or_else(|| unquoted('"')) {
            Some(name) => Some(Some(name.to_owned())),
            None => {
                Reader { text, at: 0, found: self.found }.read();
                Some(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookups_are_found_and_nothing_else_is() {
        for (expression, found) in [
            ("host.vars.wan", "host.vars.wan"),
            ("host . vars [ 'a-b' ].c | upper", "host . vars [ 'a-b' ].c"),
            ("params.a + vars.b * 2.5 ~ 'host.x'", "params.a vars.b"),
            (
                "host.vars[params.key].x if groups.web is iterable else 1",
                "groups.web host.vars[params.key].x params.key",
            ),
            ("host.vars.x | default('y')", "?host.vars.x"),
            ("host.vars.x|d(params.z)", "?host.vars.x params.z"),
            ("host.vars.x is defined and host.vars.x.y == 1", "?host.vars.x ?host.vars.x.y"),
            ("host.vars.x is not defined or host.vars.xy", "?host.vars.x host.vars.xy"),
            ("range(3) | join(d='-') ~ host.name.upper()", "host.name"),
            ("not true and 'web' in host.groups", "host.groups"),
            ("[x, {'k': y}][0]", "x y"),
        ] {
            let shown: Vec<String> = lookups(expression)
                .iter()
                .map(|l| format!("{}{}", if l.guarded { "?" } else { "" }, l.text))
                .collect();
            assert_eq!(shown.join(" "), found, "{expression}");
        }
        let dynamic = &lookups("host.vars[params.key].x")[0];
        assert_eq!((dynamic.root.as_str(), dynamic.path.clone()), ("host", vec!["vars".to_owned()]));
    }
}

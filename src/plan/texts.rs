//! Turns the texts of one step into what the plan holds: scripts with variables, other texts with placeholders,
//! and for each host the values that go there.

mod say;
mod wanted;

use super::choices::FileFacts;
use super::script::secret_variable;
use super::shell::{self, Item, Place};
use super::template::{self, Part};
use super::values::{Asked, Mishap, Values};
use crate::model::names::{HostName, SecretName};
use crate::model::place::Span;
use crate::model::problem::nearest;
use crate::model::{Inventory, Problem, Problems, Runbook};
use minijinja::Environment;
use say::{refused, said};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
pub(super) use wanted::address_of;
use wanted::{Piece, Source, Wanted, digest_of, free_name, joined, variable_name};

/// What all steps of a plan share.
pub struct Site<'a> {
    /// The inventory.
    pub inventory: &'a Inventory,
    /// The runbook.
    pub runbook: &'a Runbook,
    /// What expressions can look at.
    pub values: Values,
    /// The template engine.
    pub engine: Environment<'static>,
    /// Says what an upload's file holds.
    pub files: &'a dyn Fn(&str) -> Result<FileFacts, String>,
    /// What it has said.
    pub digests: RefCell<BTreeMap<String, Result<String, String>>>,
}

/// Where a text stands, for messages.
#[derive(Debug, Clone)]
struct Where {
    label: String,
    span: Span,
}

/// The texts of one step.
pub struct Texts<'a> {
    site: &'a Site<'a>,
    step: &'a str,
    has_host: bool,
    /// Does any task of the step run? If none does, nothing is worked out.
    runs: bool,
    wanted: Vec<Wanted<'a>>,
    by_expression: BTreeMap<String, usize>,
    taken: BTreeSet<String>,
    /// Values that are the same on every host, by variable.
    same: BTreeMap<String, String>,
    secrets: BTreeSet<SecretName>,
    mishaps: BTreeMap<(usize, Mishap), Vec<String>>,
    problems: Problems,
}

impl<'a> Texts<'a> {
    /// Begins with the texts of a step.
    pub fn new(site: &'a Site<'a>, step: &'a str, has_host: bool, runs: bool) -> Self {
        Self {
            site,
            step,
            has_host,
            runs,
            wanted: Vec::new(),
            by_expression: BTreeMap::new(),
            taken: BTreeSet::from(["bs_newline".to_owned()]),
            same: BTreeMap::new(),
            secrets: BTreeSet::new(),
            mishaps: BTreeMap::new(),
            problems: Problems::default(),
        }
    }

    /// A script: each expression becomes a reference to a variable.
    pub fn script(&mut self, label: &str, span: Span, text: &str) -> String {
        self.shell_text(label, span, text, false)
    }

    /// A value of the environment, as it stands inside double quotes. What the author wrote is meant as it is.
    pub fn environment(&mut self, name: &str, span: Span, text: &str) -> String {
        self.shell_text(&format!("env.{name}"), span, text, true)
    }

    fn shell_text(&mut self, label: &str, span: Span, text: &str, in_quotes: bool) -> String {
        let Some(parts) = self.parse(label, span, text) else { return String::new() };
        let items: Vec<Item> = parts
            .iter()
            .flat_map(|part| match part {
                Part::Literal(text) => text.chars().map(Item::Char).collect(),
                Part::Expression(..) | Part::Secret(..) => vec![Item::Hole],
            })
            .collect();
        let places = if in_quotes { Vec::new() } else { shell::places(&items) };
        let mut places = places.into_iter();
        let mut next_place =
            || if in_quotes { Place::Quoted } else { places.next().expect("one for each expression") };
        let mut written = String::new();
        for part in parts {
            let (source, line) = match &part {
                Part::Literal(text) if in_quotes => {
                    text.chars().for_each(|c| {
                        written.extend(matches!(c, '$' | '`' | '"' | '\\').then_some('\\'));
                        written.push(c);
                    });
                    continue;
                }
                Part::Literal(text) => {
                    written.push_str(text);
                    continue;
                }
                Part::Expression(source, line) => (source.clone(), *line),
                Part::Secret(name, line) => (format!("secrets.{name}"), *line),
            };
            let at = self.at(label, span, text, line);
            let place = next_place();
            let variable = match part {
                Part::Secret(name, _) => self.secret(&at, &name, place == Place::Number),
                _ => self.variable(&at, &source, place == Place::Number, true),
            };
            match (place, variable) {
                (Place::Never(why), _) => self.problems.push(refused(self.step, &at, &source, why)),
                (_, None) => {}
                (Place::Word, Some(variable)) => written.push_str(&format!("\"${{{variable}}}\"")),
                (Place::Quoted | Place::Number, Some(variable)) => {
                    written.push_str(&format!("${{{variable}}}"))
                }
            }
        }
        written
    }

    /// A text that is not a script. What is the same for every host stands in it; the rest are placeholders.
    pub fn plain(&mut self, label: &str, span: Span, text: &str) -> String {
        let mut written = String::new();
        for part in self.parse(label, span, text).unwrap_or_default() {
            match part {
                Part::Literal(text) => written.push_str(&text),
                Part::Secret(name, line) => {
                    let at = self.at(label, span, text, line);
                    self.secret_shown(&at, &name);
                }
                Part::Expression(source, line) => {
                    let at = self.at(label, span, text, line);
                    let Some(variable) = self.variable(&at, &source, false, false) else { continue };
                    match self.same.get(&variable) {
                        Some(value) => written.push_str(value),
                        None => written.push_str(&format!("{{{{{variable}}}}}")),
                    }
                }
            }
        }
        written
    }

    /// The target of a probe: the name of an inventory host stands for its address.
    pub fn target(&mut self, label: &str, span: Span, text: &str) -> String {
        let Some(pieces) = self.pieces(label, span, text, true) else { return String::new() };
        let at = self.at(label, span, text, 1);
        if pieces.iter().any(Piece::per_host) {
            return self.made("bs_target", Source::Target(pieces), at);
        }
        match joined(&pieces, &self.site.values, None) {
            _ if !self.runs => text.to_owned(),
            Ok(target) => address_of(self.site.inventory, &target),
            Err(mishap) => {
                self.problems.push(said(self.step, &at, "the target", &mishap, &[]));
                String::new()
            }
        }
    }

    /// SHA-256 of the content of an upload's file, whose name [`Texts::plain`] has read before.
    pub fn digest(&mut self, label: &str, span: Span, text: &str) -> Option<String> {
        let pieces = self.pieces(label, span, text, false)?;
        let at = self.at(label, span, text, 1);
        if pieces.iter().any(Piece::per_host) {
            return Some(self.made("bs_sha256", Source::Digest(pieces), at));
        }
        if !self.runs {
            return None;
        }
        let file = joined(&pieces, &self.site.values, None).ok()?;
        match digest_of(self.site, &file) {
            Ok(sha256) => Some(sha256),
            Err(mishap) => {
                self.problems.push(said(self.step, &at, "the file", &mishap, &[]));
                None
            }
        }
    }

    /// A text that takes no expressions.
    pub fn fixed(&mut self, label: &str, span: Span, text: &str) -> String {
        if text.contains("{{") {
            let what = format!("step `{}`: `{label}` takes no {{{{ … }}}}", self.step);
            self.problems
                .push(Problem::error("template-not-here", what).at(span).hint("write out what is meant"));
        }
        text.to_owned()
    }

    /// The values of a task on a host; what cannot be worked out is kept for [`Texts::finish`].
    pub fn values_on(&mut self, host: &HostName) -> BTreeMap<String, String> {
        let mut values = BTreeMap::new();
        for (ix, wanted) in self.wanted.iter().enumerate().filter(|(_, wanted)| wanted.source.per_host()) {
            match wanted.worth(self.site, Some(host)) {
                Ok(value) => {
                    values.insert(wanted.variable.clone(), value);
                }
                Err(mishap) => self.mishaps.entry((ix, mishap)).or_default().push(host.to_string()),
            }
        }
        values
    }

    /// Values that are the same on every host, secrets that scripts use, and everything that is wrong.
    pub fn finish(mut self) -> (BTreeMap<String, String>, Vec<SecretName>, Problems) {
        for ((ix, mishap), hosts) in &self.mishaps {
            let wanted = &self.wanted[*ix];
            self.problems.push(said(self.step, &wanted.at, &wanted.source.shown(), mishap, hosts));
        }
        let mut variables = BTreeMap::new();
        for name in &self.secrets {
            if let Some(other) = variables.insert(secret_variable(name), name) {
                let what = format!(
                    "step `{}`: secrets `{other}` and `{name}` are the same variable for a shell",
                    self.step
                );
                self.problems.push(Problem::error("secrets-collide", what).hint("rename one of them"));
            }
        }
        for wanted in self.wanted.iter().filter(|wanted| !wanted.scripted) {
            self.same.remove(&wanted.variable);
        }
        (self.same, self.secrets.into_iter().collect(), self.problems)
    }

    fn parse(&mut self, label: &str, span: Span, text: &str) -> Option<Vec<Part>> {
        match template::parse(text) {
            Ok(template) => Some(template.parts),
            Err(trouble) => {
                let at = self.at(label, span, text, trouble.line);
                let what = format!("step `{}`, {}: {}", self.step, at.label, trouble.what);
                self.problems.push(Problem::error(trouble.code, what).at(span).hint(trouble.hint));
                None
            }
        }
    }

    fn at(&self, label: &str, span: Span, text: &str, line: u32) -> Where {
        let label = match text.trim_end().contains('\n') {
            true => format!("`{label}` line {line}"),
            false => format!("`{label}`"),
        };
        Where { label, span }
    }

    /// The parts of a text that is put together as a whole. `aloud`: say what is wrong with it.
    fn pieces(&mut self, label: &str, span: Span, text: &str, aloud: bool) -> Option<Vec<Piece<'a>>> {
        let before = self.problems.0.len();
        let mut pieces = Vec::new();
        for part in self.parse(label, span, text).unwrap_or_default() {
            match part {
                Part::Literal(text) => pieces.push(Piece::Literal(text)),
                Part::Secret(name, line) => self.secret_shown(&self.at(label, span, text, line), &name),
                Part::Expression(source, line) => {
                    match Asked::read(&self.site.engine, &source, self.has_host) {
                        Ok(asked) => pieces.push(Piece::Asked(asked)),
                        Err(mishap) => {
                            let at = self.at(label, span, text, line);
                            self.problems.push(said(
                                self.step,
                                &at,
                                &format!("`{{{{ {source} }}}}`"),
                                &mishap,
                                &[],
                            ));
                        }
                    }
                }
            }
        }
        let whole = self.problems.0.len() == before;
        if !aloud {
            self.problems.0.truncate(before);
        }
        whole.then_some(pieces)
    }

    /// A placeholder for a value that is made for each host.
    fn made(&mut self, name: &str, source: Source<'a>, at: Where) -> String {
        let variable = free_name(name.to_owned(), &mut self.taken);
        let placeholder = format!("{{{{{variable}}}}}");
        self.wanted.push(Wanted { variable, source, number: false, plain: true, scripted: false, at });
        placeholder
    }

    /// The variable of an expression. The same expression has the same variable in all texts of a step.
    fn variable(&mut self, at: &Where, source: &str, number: bool, scripted: bool) -> Option<String> {
        let ix = match self.by_expression.get(source) {
            Some(ix) => *ix,
            None => match Asked::read(&self.site.engine, source, self.has_host) {
                Ok(asked) => {
                    let variable = free_name(variable_name(source), &mut self.taken);
                    let source = Source::Expression(asked);
                    let at = at.clone();
                    self.wanted.push(Wanted {
                        variable,
                        source,
                        number: false,
                        plain: false,
                        scripted: false,
                        at,
                    });
                    self.wanted.len() - 1
                }
                Err(mishap) => {
                    self.problems.push(said(self.step, at, &format!("`{{{{ {source} }}}}`"), &mishap, &[]));
                    return None;
                }
            },
        };
        self.by_expression.insert(source.to_owned(), ix);
        let wanted = &mut self.wanted[ix];
        wanted.number |= number;
        wanted.scripted |= scripted;
        wanted.plain |= !scripted;
        let variable = wanted.variable.clone();
        if self.runs && !wanted.source.per_host() {
            match wanted.worth(self.site, None) {
                Ok(value) => {
                    self.same.insert(variable.clone(), value);
                }
                Err(mishap) => self.problems.push(said(self.step, at, &wanted.source.shown(), &mishap, &[])),
            }
        }
        Some(variable)
    }

    fn secret(&mut self, at: &Where, name: &SecretName, number: bool) -> Option<String> {
        let secrets = &self.site.runbook.secrets;
        if number {
            let mishap = Mishap::new(
                "secret-in-arithmetic",
                "a shell calculates here, and would run what a value says",
            );
            self.problems.push(said(self.step, at, &format!("`{{{{ secrets.{name} }}}}`"), &mishap, &[]));
        }
        if !secrets.contains_key(name) {
            let what = format!("step `{}`, {}: no secret is called `{name}`", self.step, at.label);
            let problem = Problem::error("unknown-secret", what).at(at.span);
            self.problems.push(match nearest(name.as_str(), secrets.keys().map(SecretName::as_str)) {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None => problem.hint(format!("declare it: secrets: {{ {name}: {{ env: VARIABLE }} }}")),
            });
            return None;
        }
        self.secrets.insert(name.clone());
        Some(secret_variable(name))
    }

    fn secret_shown(&mut self, at: &Where, name: &SecretName) {
        let mishap =
            Mishap::new("secret-shown", "this text is shown and recorded, so no secret may stand in it")
                .hint("use secrets in scripts and in `env`");
        self.problems.push(said(self.step, at, &format!("`{{{{ secrets.{name} }}}}`"), &mishap, &[]));
    }
}

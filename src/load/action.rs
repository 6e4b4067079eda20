//! Reads what a step does, how it is verified and how it is taken back.

use super::grammar::probe::Probe as ProbeShape;
use super::grammar::runbook::{Fetch as FetchShape, Impossible, Step as Shape, Upload as UploadShape};
use super::probe::ProbeContext;
use super::shapes::{At, OneOrMany, TextOr};
use super::sink::Sink;
use super::step::all;
use super::template::{Checker, Context, Use};
use super::values::{YEAR, absolute_path, length, mode, name, required};
use crate::model::Problem;
use crate::model::place::{Located, Span};
use crate::model::runbook::{Action, Fetch, Undo, Upload, Verify};
use std::path::Path;

/// What a step does, before it is known to be sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Run,
    Upload,
    Fetch,
    Manual,
    Wait,
    Probe,
    Backup,
}

/// A file that says nothing of its permissions is nobody else's business: it may hold keys.
const MODE_DEFAULT: u32 = 0o600;

/// Texts that were meant as `not_needed` and would be run as a script.
const NOT_NEEDED_MISSPELT: &[&str] = &[
    "none",
    "no",
    "never",
    "nothing",
    "false",
    "null",
    "n/a",
    "not-needed",
    "not needed",
    "notneeded",
    "unneeded",
];

impl Kind {
    pub(super) const ALL: [Self; 7] =
        [Self::Run, Self::Upload, Self::Fetch, Self::Manual, Self::Wait, Self::Probe, Self::Backup];

    /// The key it stands under.
    pub(super) fn key(self) -> &'static str {
        match self {
            Kind::Run => "run",
            Kind::Upload => "upload",
            Kind::Fetch => "fetch",
            Kind::Manual => "manual",
            Kind::Wait => "wait",
            Kind::Probe => "probe",
            Kind::Backup => "backup",
        }
    }

    /// The actions that a step names, in the order of the keys above, each with its place.
    pub(super) fn named_in(shape: &Shape) -> Vec<(Self, Span)> {
        let place = |kind| match kind {
            Kind::Run => shape.run.as_ref().map(|at| at.span),
            Kind::Upload => shape.upload.as_ref().map(|at| at.span),
            Kind::Fetch => shape.fetch.as_ref().map(|at| at.span),
            Kind::Manual => shape.manual.as_ref().map(|at| at.span),
            Kind::Wait => shape.wait.as_ref().map(|at| at.span),
            Kind::Probe => shape.probe.as_ref().map(|at| at.span),
            Kind::Backup => shape.backup.as_ref().map(|at| at.span),
        };
        Self::ALL.into_iter().filter_map(|kind| Some((kind, place(kind)?))).collect()
    }

    /// May it change something, so that its author must say how it is taken back?
    fn changes_something(self) -> bool {
        match self {
            Kind::Run | Kind::Upload => true,
            Kind::Fetch | Kind::Manual | Kind::Wait | Kind::Probe | Kind::Backup => false,
        }
    }
}

/// What the parts of a step's action are read with.
pub(super) struct ActionReader<'a, 'b> {
    pub(super) sink: &'a Sink<'a>,
    pub(super) templates: &'b Checker<'a>,
    /// The step, for messages.
    pub(super) owner: &'b str,
    /// Where the step is named.
    pub(super) at: Span,
    pub(super) on_host: bool,
    /// Where relative paths start.
    pub(super) directory: &'b Path,
}

impl ActionReader<'_, '_> {
    /// Reads whatever actions a step names, and hands on the last: more than one has been reported.
    pub(super) fn action(&self, shape: Shape) -> Option<Action> {
        let Shape { run, upload, fetch, manual, wait, probe, backup, .. } = shape;
        let run = run.map(|run| self.text("run", run, Use::Script).map(Action::Run));
        let upload = upload.map(|upload| self.upload(upload).map(Action::Upload));
        let fetch = fetch.map(|fetch| self.fetch(fetch).map(Action::Fetch));
        let manual = manual.map(|manual| self.text("manual", manual, Use::Shown).map(Action::Manual));
        let wait = wait.map(|wait| length(self.sink, "wait", wait, YEAR).map(Action::Wait));
        let probe = probe.map(|probe| {
            let span = probe.span;
            let probe = self.probes().read(probe.value?, span)?;
            Some(Action::Probe(Located::new(probe, span)))
        });
        let backup = backup.map(|backup| {
            let span = backup.span;
            Some(Action::Backup(Located::new(self.backup(backup)?, span)))
        });
        [run, upload, fetch, manual, wait, probe, backup].into_iter().flatten().last().flatten()
    }

    /// Reads what must be true afterwards.
    pub(super) fn verify(
        &self,
        verify: Option<At<OneOrMany<TextOr<ProbeShape>>>>,
    ) -> Option<Vec<Located<Verify>>> {
        let Some(verify) = verify else { return Some(Vec::new()) };
        all(verify.value?.0.into_iter().map(|item| {
            let span = item.span;
            let verify = match item.value? {
                TextOr::Text(script) => {
                    let script = At { span, value: Some(script) };
                    self.text("verify", script, Use::Script).map(|script| Verify::Script(script.value))
                }
                TextOr::Other(shape) => self.probes().read(shape, span).map(Verify::Probe),
            };
            Some(Located::new(verify?, span))
        }))
    }

    /// Reads how the step is taken back. A step that may change something must say.
    pub(super) fn undo(
        &self,
        kind: Option<Kind>,
        undo: Option<At<TextOr<Impossible>>>,
    ) -> Option<Located<Undo>> {
        let Some(undo) = undo else {
            if !kind.is_some_and(Kind::changes_something) {
                return Some(Located::new(Undo::NotNeeded, self.at));
            }
            let what = format!("{} may change something and does not say how that is taken back", self.owner);
            let problem = Problem::error("missing-undo", what).at(self.at);
            self.sink
                .push(problem.hint("add `undo:` with a script, `not_needed`, or `{ impossible: \"why\" }`"));
            return None;
        };
        let (span, undo) = (undo.span, undo.value?);
        let undo = match undo {
            TextOr::Text(text) if text.trim() == "not_needed" => Undo::NotNeeded,
            TextOr::Text(text) => self.undo_script(kind, At { span, value: Some(text) })?,
            TextOr::Other(shape) => {
                let why = required(self.sink, "`undo`", span, "impossible", shape.impossible)?;
                if why.value.trim().is_empty() {
                    let what = "`impossible` must say why: people will read it when they cannot go back";
                    self.sink.push(Problem::error("empty-value", what).at(why.span));
                    return None;
                }
                Undo::Impossible(why.value)
            }
        };
        Some(Located::new(undo, span))
    }

    fn undo_script(&self, kind: Option<Kind>, text: At<String>) -> Option<Undo> {
        let word = text.value.as_deref().unwrap_or("").trim().to_ascii_lowercase();
        if NOT_NEEDED_MISSPELT.contains(&word.as_str()) || word == "impossible" {
            let what = format!("`undo: {word}` would be run as a script");
            let problem = Problem::error("bad-undo", what).at(text.span);
            self.sink.push(problem.hint("write `not_needed`, or `{ impossible: \"why\" }`"));
            return None;
        }
        if let Some(kind) = kind.filter(|kind| !kind.changes_something()) {
            let what =
                format!("a `{}` step changes nothing on a host, so no script can take it back", kind.key());
            let problem = Problem::error("key-not-here", what).at(text.span);
            self.sink.push(problem.hint("take `undo` out, or write `{ impossible: \"why\" }`"));
            return None;
        }
        self.text("undo", text, Use::Script).map(|script| Undo::By(script.value))
    }

    fn upload(&self, upload: At<UploadShape>) -> Option<Upload> {
        let (span, shape) = (upload.span, upload.value?);
        let file = required(self.sink, "`upload`", span, "file", shape.file)
            .and_then(|file| self.shown("file", file));
        let to = required(self.sink, "`upload`", span, "to", shape.to).and_then(|to| self.shown("to", to));
        let to = to.filter(|to| absolute_path(self.sink, "to", to));
        let mode = shape.mode.map_or(Some(MODE_DEFAULT), |field| mode(self.sink, &field));
        let owner = shape.owner.map(|owner| owner.located().and_then(|owner| self.shown("owner", owner)));
        Some(Upload {
            file: file?.value,
            to: to?.value,
            mode: mode?,
            owner: owner.map_or(Some(None), |owner| owner.map(|owner| Some(owner.value)))?,
            sha256: None,
        })
    }

    fn fetch(&self, fetch: At<TextOr<FetchShape>>) -> Option<Fetch> {
        let (span, fetch) = (fetch.span, fetch.value?);
        let shape = match fetch {
            TextOr::Text(path) => return self.fetch_file(Located::new(path, span)),
            TextOr::Other(shape) => shape,
        };
        match (shape.file, shape.output) {
            (Some(file), None) => {
                if let Some(name) = shape.name {
                    let what = "`name` belongs to `output`: a fetched file keeps its own name";
                    self.sink.push(Problem::error("key-not-here", what).at(name.span).hint("take it out"));
                }
                self.fetch_file(file.located()?)
            }
            (None, Some(output)) => {
                let script = self.text("output", output, Use::Script);
                let file_name = required(self.sink, "`fetch`", span, "name", shape.name);
                let file_name = file_name.and_then(|file_name| name(self.sink, "evidence file", file_name));
                Some(Fetch::Output { script: script?.value, name: file_name?.value })
            }
            (None, None) | (Some(_), Some(_)) => {
                let problem = Problem::error("one-of", "`fetch` takes either `file` or `output`").at(span);
                self.sink.push(
                    problem.hint("write `fetch: /path/on/host`, or `fetch: { output: SCRIPT, name: FILE }`"),
                );
                None
            }
        }
    }

    fn fetch_file(&self, path: Located<String>) -> Option<Fetch> {
        let path = self.shown("file", path)?;
        absolute_path(self.sink, "fetch", &path).then_some(Fetch::File { path: path.value })
    }

    /// What a probe of the step is read with.
    pub(super) fn probes(&self) -> ProbeContext<'_, '_> {
        ProbeContext { sink: self.sink, templates: Some(self.templates), on_host: self.on_host }
    }

    pub(super) fn shown(&self, key: &str, text: Located<String>) -> Option<Located<String>> {
        self.text(key, At { span: text.span, value: Some(text.value) }, Use::Shown)
    }

    fn text(&self, key: &str, text: At<String>, purpose: Use) -> Option<Located<String>> {
        let text = text.located()?;
        self.templates.text(&text, Context { purpose, on_host: self.on_host });
        if text.value.trim().is_empty() {
            self.sink.push(Problem::error("empty-value", format!("`{key}` is empty")).at(text.span));
            return None;
        }
        Some(text)
    }
}

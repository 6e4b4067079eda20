//! Reads a policy.

use super::grammar::policy::{
    As, Closed as ClosedShape, Improve as ImproveShape, OwnControl as OwnControlShape, Plan, Policy as Shape,
    Rehearse, Restore, Result as ResultShape, RunbookFiles as FilesShape, Verify,
};
use super::shapes::{At, Calendar, Day, Entries, OneOrMany, Scalar};
use super::sink::{Sink, near_hint, quoted_list};
use super::step::all;
use super::values::{entries, list, name, optional, plain, required, version};
use crate::model::Problem;
use crate::model::controls::CONTROLS;
use crate::model::event::Mode;
use crate::model::every::Every;
use crate::model::names::{ServiceName, StepId};
use crate::model::place::{Located, Span};
use crate::model::policy::{
    Closed, Duty, Improve, OwnControl, Policy, Proof, ProvedBy, RunbookFiles, Wanted, What,
};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::path::Path;

/// Fewer digits of a run's id than these may be those of another run tomorrow.
const RUN_DIGITS_MIN: usize = 12;
/// A whole id.
const RUN_DIGITS_MAX: usize = 32;

/// Reads a policy. What is wrong with it is in the sink; `None` if something is.
pub(super) fn read(sink: &Sink<'_>, shape: At<Shape>, directory: &Path) -> Option<Policy> {
    let (span, shape) = (shape.span, shape.value?);
    version(sink, span, shape.version);
    let title =
        required(sink, "the file", span, "name", shape.name).and_then(|title| name(sink, "policy", title));
    let zone = shape.zone.map_or(Some(None), |zone| self::zone(sink, zone).map(Some));
    let since = shape.since.map_or(Some(None), |since| day(sink, "since", since).map(Some));
    let (of_runbooks, of_controls) = (keys(&shape.runbooks), keys(&shape.controls));
    let runbooks = entries(shape.runbooks, |of, files| runbook_files(sink, directory, of, files));
    let controls = entries(shape.controls, |id, own| own_control(sink, id, own));
    // Whatever is wrong inside of them, they are there.
    let reader = Reader { sink, runbooks: of_runbooks, controls: of_controls };
    let any =
        [shape.rehearse.is_some(), shape.restore.is_some(), shape.verify.is_some(), shape.improve.is_some()];
    if !any.contains(&true) {
        let problem = Problem::error("nothing-to-do", "the policy asks for nothing").at(span);
        sink.push(problem.hint("give it `rehearse`, `restore`, `verify` or `improve`"));
    }
    let rehearse = list(shape.rehearse, |duty| reader.rehearse(duty));
    let restore = list(shape.restore, |duty| reader.restore(duty));
    let verify = list(shape.verify, |duty| reader.verify(duty));
    let improve = shape.improve.map_or(Some(None), |improve| reader.improve(improve).map(Some));
    let duties = [rehearse?, restore?, verify?].into_iter().flatten().collect();
    Some(Policy {
        name: title?.value,
        summary: shape.summary.map_or(Some(None), |summary| summary.value.map(Some))?,
        zone: zone?,
        since: since?,
        duties,
        improve: improve?,
        runbooks: runbooks?,
        controls: controls?,
    })
}

fn keys<T>(field: &Option<At<Entries<T>>>) -> Vec<String> {
    let entries = field.iter().filter_map(|field| field.value.as_ref()).flat_map(|entries| &entries.0);
    entries.map(|(key, _)| key.value.clone()).collect()
}

fn zone(sink: &Sink<'_>, zone: At<String>) -> Option<TimeZone> {
    let zone = zone.located()?;
    let found = TimeZone::get(&zone.value).ok();
    if found.is_none() {
        let what = format!("`zone`: no time zone is called `{}`", zone.value.escape_debug());
        let problem = Problem::error("unknown-time-zone", what).at(zone.span);
        sink.push(problem.hint("write it as in `Asia/Tokyo`, `Europe/Berlin` or `UTC`"));
    }
    found
}

fn day(sink: &Sink<'_>, key: &str, day: At<Day>) -> Option<Date> {
    let span = day.span;
    let Day(scalar) = day.value?;
    let read: Option<Date> = match &scalar {
        Scalar::Text(text) => text.trim().parse().ok(),
        Scalar::Number(_) | Scalar::Bool(_) => None,
    };
    if read.is_none() {
        let what = format!("`{key}` must be a day, not `{}`", sink.written(span).escape_debug());
        sink.push(Problem::error("bad-day", what).at(span).hint("write it as `2026-04-01`"));
    }
    read
}

fn calendar(sink: &Sink<'_>, owner: &str, at: Span, key: &str, field: Option<At<Calendar>>) -> Option<Every> {
    let Located { value: Calendar(scalar), span } = required(sink, owner, at, key, field)?;
    let read = match &scalar {
        Scalar::Text(text) => Every::parse(text),
        Scalar::Number(number) => Err(format!("needs a unit: `{number}` of what?")),
        Scalar::Bool(value) => Err(format!("must be a length by the calendar, not `{value}`")),
    };
    let refuse = |why: String| {
        let problem = Problem::error("bad-length", format!("`{key}` {why}")).at(span);
        sink.push(problem.hint("examples: `30 days`, `2 weeks`, `3 months`, `1 year`"));
    };
    read.map_err(refuse).ok()
}

fn not_empty(sink: &Sink<'_>, key: &str, text: Located<String>) -> Option<Located<String>> {
    if text.value.trim().is_empty() {
        sink.push(Problem::error("empty-value", format!("`{key}` is empty")).at(text.span));
        return None;
    }
    Some(text)
}

fn runbook_files(
    sink: &Sink<'_>,
    directory: &Path,
    of: Located<String>,
    files: At<FilesShape>,
) -> Option<RunbookFiles> {
    let (span, shape) = (files.span, files.value?);
    let owner = format!("runbook `{}`", of.value.escape_debug());
    let file = |key: &str, field: Option<At<String>>| {
        let path = required(sink, &owner, span, key, field)?;
        Some(directory.join(not_empty(sink, key, path)?.value))
    };
    let (runbook, inventory) = (file("runbook", shape.runbook), file("inventory", shape.inventory));
    let params = entries(shape.params, |key, value| {
        let value = plain(value)?.value;
        Some((key.value, value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
    });
    let (runbook, inventory, params) = (runbook?, inventory?, params?);
    Some(RunbookFiles { name: of, runbook, inventory, params: params.into_iter().collect() })
}

fn own_control(sink: &Sink<'_>, id: Located<String>, own: At<OwnControlShape>) -> Option<OwnControl> {
    let (span, shape) = (own.span, own.value?);
    let owner = format!("control `{}`", id.value.escape_debug());
    if CONTROLS.iter().any(|control| control.id == id.value) {
        let problem = Problem::error("known-control", format!("{owner} is one that is known already"));
        sink.push(problem.at(id.span).hint("name it in `control`, or call yours something else"));
        return None;
    }
    let id = name(sink, "control", id);
    let text = |key: &str, field: Option<At<String>>| {
        not_empty(sink, key, required(sink, &owner, span, key, field)?)
    };
    let (framework, asks) = (text("framework", shape.framework), text("asks", shape.asks));
    Some(OwnControl { id: id?, framework: framework?.value, asks: asks?.value })
}

/// A key, what stands there, and what it is a proof by.
type Way = (&'static str, Option<At<String>>, fn(Located<String>) -> ProvedBy);

fn service(name: Located<String>) -> ProvedBy {
    ProvedBy::Service(Located::new(ServiceName(name.value), name.span))
}

fn backup(id: Located<String>) -> ProvedBy {
    ProvedBy::Backup(Located::new(StepId(id.value), id.span))
}

fn step(id: Located<String>) -> ProvedBy {
    ProvedBy::Step(Located::new(StepId(id.value), id.span))
}

/// What duties are checked against while they are read.
struct Reader<'a> {
    sink: &'a Sink<'a>,
    /// Runbooks whose files are named; empty if none are.
    runbooks: Vec<String>,
    /// The policy's own controls.
    controls: Vec<String>,
}

impl Reader<'_> {
    fn rehearse(&self, duty: At<Rehearse>) -> Option<Duty> {
        let (span, shape) = (duty.span, duty.value?);
        let owner = "a rehearsal";
        let runbook = required(self.sink, owner, span, "runbook", shape.runbook);
        let runbook = runbook.and_then(|of| self.runbook(of));
        let every = calendar(self.sink, owner, span, "every", shape.every);
        let plan = shape.plan.map(|plan| (plan.span, plan.value));
        let mode = match shape.mode.map(|mode| mode.value) {
            None => Some(Mode::Drill),
            Some(mode) => mode.map(|mode| match mode {
                As::Tabletop => Mode::Tabletop,
                As::Drill => Mode::Drill,
                As::Live => Mode::Live,
            }),
        };
        let result = match shape.result.map(|result| result.value) {
            None => Some(Wanted::Completed),
            Some(result) => result.map(|result| match result {
                ResultShape::Ended => Wanted::Ended,
                ResultShape::Completed => Wanted::Completed,
                ResultShape::Met => Wanted::Met,
            }),
        };
        let narrowed = shape.narrowed.map_or(Some(false), |narrowed| narrowed.value);
        let control = self.control(shape.control);
        let runbook = runbook?;
        let any_plan = match plan {
            None => true,
            Some((at, plan)) => match plan? {
                Plan::Any => true,
                Plan::Today if self.runbooks.contains(&runbook.value) => false,
                Plan::Today => {
                    let what = format!("`plan: today` needs the files of runbook `{}`", runbook.value);
                    let problem = Problem::error("missing-key", what).at(at);
                    let hint =
                        format!("name them: `runbooks: {{ {}: {{ runbook, inventory }} }}`", runbook.value);
                    self.sink.push(problem.hint(hint));
                    return None;
                }
            },
        };
        let what = What::Rehearse { runbook, mode: mode?, result: result?, narrowed: narrowed?, any_plan };
        Some(Duty { what, every: every?, owner: optional(shape.owner), control: control?, span })
    }

    fn restore(&self, duty: At<Restore>) -> Option<Duty> {
        let (span, shape) = (duty.span, duty.value?);
        let owner = "a restoration";
        let ways: [Way; 3] = [
            ("service", shape.service, service),
            ("backup", shape.backup, backup),
            ("step", shape.step, step),
        ];
        let by = self.one_of(owner, span, ways);
        let runbook = shape.runbook.map_or(Some(None), |of| self.runbook(of.located()?).map(Some));
        let every = calendar(self.sink, owner, span, "every", shape.every);
        let control = self.control(shape.control);
        let what = What::Restore(Proof { by: by?, runbook: runbook? });
        Some(Duty { what, every: every?, owner: optional(shape.owner), control: control?, span })
    }

    fn verify(&self, duty: At<Verify>) -> Option<Duty> {
        let (span, shape) = (duty.span, duty.value?);
        let owner = "a verification";
        let ways: [Way; 2] = [("backup", shape.backup, backup), ("step", shape.step, step)];
        let by = self.one_of(owner, span, ways);
        let runbook = shape.runbook.map_or(Some(None), |of| self.runbook(of.located()?).map(Some));
        let every = calendar(self.sink, owner, span, "every", shape.every);
        let control = self.control(shape.control);
        let what = What::Verify(Proof { by: by?, runbook: runbook? });
        Some(Duty { what, every: every?, owner: optional(shape.owner), control: control?, span })
    }

    fn one_of<const N: usize>(&self, owner: &str, at: Span, ways: [Way; N]) -> Option<ProvedBy> {
        let all = quoted_list(ways.iter().map(|(key, _, _)| *key));
        let mut given: Vec<_> = ways.into_iter().filter(|(_, field, _)| field.is_some()).collect();
        if given.len() != 1 {
            let what = match given.is_empty() {
                true => format!("{owner} names none of {all}"),
                false => format!("{owner} can only name one of {all}"),
            };
            self.sink.push(Problem::error("one-of", what).at(at).hint("write one entry for each"));
            return None;
        }
        let (key, field, way) = given.pop()?;
        Some(way(not_empty(self.sink, key, field?.located()?)?))
    }

    fn improve(&self, improve: At<ImproveShape>) -> Option<Improve> {
        let (span, shape) = (improve.span, improve.value?);
        let within = calendar(self.sink, "`improve`", span, "within", shape.within);
        let control = self.control(shape.control);
        let closed = list(shape.closed, |closed| self.closed(closed));
        Some(Improve { within: within?, owner: optional(shape.owner), control: control?, closed: closed? })
    }

    fn closed(&self, closed: At<ClosedShape>) -> Option<Closed> {
        let (span, shape) = (closed.span, closed.value?);
        let owner = "an item of `closed`";
        let run = required(self.sink, owner, span, "run", shape.run).and_then(|run| self.run(run));
        let on = shape.on.is_some().then(|| day(self.sink, "on", shape.on?));
        if on.is_none() {
            self.sink.push(Problem::error("missing-key", format!("{owner} has no `on`")).at(span));
        }
        let by = required(self.sink, owner, span, "by", shape.by);
        let by = by.and_then(|by| not_empty(self.sink, "by", by));
        Some(Closed { run: run?, on: on??, by: by?.value, note: optional(shape.note) })
    }

    fn run(&self, run: Located<String>) -> Option<Located<String>> {
        let digits = run.value.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
        if digits && (RUN_DIGITS_MIN..=RUN_DIGITS_MAX).contains(&run.value.len()) {
            return Some(run);
        }
        let what = format!("`run` must be the id of a run, not `{}`", run.value.escape_debug());
        let hint = format!("write it as `blackstart history` shows it: {RUN_DIGITS_MIN} digits or more");
        self.sink.push(Problem::error("bad-run", what).at(run.span).hint(hint));
        None
    }

    fn runbook(&self, of: Located<String>) -> Option<Located<String>> {
        let of = not_empty(self.sink, "runbook", of)?;
        if self.runbooks.is_empty() || self.runbooks.contains(&of.value) {
            return Some(of);
        }
        let what = format!("`{}` is none of the policy's `runbooks`", of.value.escape_debug());
        let mut problem = Problem::error("unknown-runbook", what).at(of.span);
        problem.hint = near_hint(&of.value, "runbooks", self.runbooks.iter().map(String::as_str));
        self.sink.push(problem);
        None
    }

    fn control(&self, field: Option<At<OneOrMany<String>>>) -> Option<Vec<Located<String>>> {
        let Some(field) = field else { return Some(Vec::new()) };
        let known =
            || CONTROLS.iter().map(|control| control.id).chain(self.controls.iter().map(String::as_str));
        all(field.value?.0.into_iter().map(|id| {
            let id = id.located()?;
            if known().any(|known| known == id.value) {
                return Some(id);
            }
            let what = format!("no control is called `{}`", id.value.escape_debug());
            let mut problem = Problem::error("unknown-control", what).at(id.span);
            problem.hint = match crate::model::problem::nearest(&id.value, known()) {
                Some(near) => Some(format!("did you mean `{near}`?")),
                None => Some(
                    "one of your own stands under `controls`; docs/FORMAT.md lists the others".to_owned(),
                ),
            };
            self.sink.push(problem);
            None
        }))
    }
}

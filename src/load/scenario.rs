//! Reads a scenario.

use super::grammar::scenario::{
    Decision, Fault as FaultShape, Inject as InjectShape, Person as PersonShape, Scenario as Shape,
    Spread as SpreadShape,
};
use super::shapes::{At, Length, OneOrMany, Scalar, TextOr};
use super::sink::{Sink, quoted_list};
use super::step::all;
use super::values::{YEAR, entries, length, length_or_zero, list, name, required, version};
use crate::model::names::{PhaseId, StepId};
use crate::model::pattern::Pattern;
use crate::model::place::{Located, Span};
use crate::model::question::Choice;
use crate::model::scenario::{Fault, Inject, Part, Person, Scenario, Spread, When};
use crate::model::{Millis, Problem};
use std::path::Path;

/// Reads a scenario. What is wrong with it is in the sink; `None` if something is.
pub(super) fn read(sink: &Sink<'_>, shape: At<Shape>, _: &Path) -> Option<Scenario> {
    let (span, shape) = (shape.span, shape.value?);
    version(sink, span, shape.version);
    let title =
        required(sink, "the file", span, "name", shape.name).and_then(|title| name(sink, "scenario", title));
    let learnt = shape.learnt.map_or(Some(Vec::new()), |runs| {
        all(runs.value?.0.into_iter().map(|run| not_empty(sink, "learnt", run.located()?)))
    });
    let durations = entries(shape.durations, |step, spread| {
        Some((Located::new(StepId(step.value.clone()), step.span), self::spread(sink, &step.value, spread)?))
    });
    let people = entries(shape.people, |who, shape| person(sink, who, shape));
    let decisions = entries(shape.decisions, |phase, decision| {
        Some((Located::new(PhaseId(phase.value), phase.span), choice(decision.value?)))
    });
    let faults = list(shape.faults, |shape| fault(sink, shape));
    let injects = list(shape.injects, |shape| inject(sink, shape));
    Some(Scenario {
        name: title?.value,
        summary: shape.summary.map_or(Some(None), |summary| summary.value.map(Some))?,
        learnt: learnt?,
        durations: durations?,
        people: people?,
        decisions: decisions?,
        faults: faults?,
        injects: injects?,
    })
}

fn not_empty(sink: &Sink<'_>, key: &str, text: Located<String>) -> Option<Located<String>> {
    if text.value.trim().is_empty() {
        sink.push(Problem::error("empty-value", format!("`{key}` is empty")).at(text.span));
        return None;
    }
    Some(text)
}

fn spread(sink: &Sink<'_>, key: &str, field: At<TextOr<SpreadShape>>) -> Option<Spread> {
    let span = field.span;
    let shape = match field.value? {
        TextOr::Text(text) => {
            let field = At { span, value: Some(Length(Scalar::Text(text))) };
            return length(sink, key, field, YEAR).map(Spread::Always);
        }
        TextOr::Other(shape) => shape,
    };
    let owner = format!("`{key}`");
    let bound = |what: &str, field: Option<At<Length>>| {
        let there = required(sink, &owner, span, what, field)?;
        length_or_zero(sink, what, At { span: there.span, value: Some(there.value) }, YEAR)
    };
    let (from, to) = (bound("from", shape.from), bound("to", shape.to));
    let mostly = shape.mostly.map(|field| (field.span, length_or_zero(sink, "mostly", field, YEAR)));
    let (from, to) = (from?, to?);
    if from > to {
        let what = format!("`{key}` goes from {from} to {to}, which is shorter");
        sink.push(Problem::error("wrong-value", what).at(span));
        return None;
    }
    match mostly {
        None => Some(Spread::Between(from, to)),
        Some((at, mostly)) => {
            let mostly = mostly?;
            if !(from..=to).contains(&mostly) {
                let what = format!("`mostly` is {mostly}, which is not between {from} and {to}");
                sink.push(Problem::error("wrong-value", what).at(at));
                return None;
            }
            Some(Spread::Mostly(from, mostly, to))
        }
    }
}

fn person(sink: &Sink<'_>, who: Located<String>, shape: At<PersonShape>) -> Option<Person> {
    let shape = shape.value?;
    let who = not_empty(sink, "people", who);
    let answers = steps(shape.answers);
    let refuses = steps(shape.refuses);
    let takes = shape.takes.map_or(Some(None), |takes| spread(sink, "takes", takes).map(Some));
    Some(Person { name: who?.value, answers: answers?, takes: takes?, refuses: refuses? })
}

fn steps(field: Option<At<OneOrMany<String>>>) -> Option<Vec<Located<StepId>>> {
    let Some(field) = field else { return Some(Vec::new()) };
    all(field.value?.0.into_iter().map(|id| step(id.located()?)))
}

fn step(id: Located<String>) -> Option<Located<StepId>> {
    Some(Located::new(StepId(id.value), id.span))
}

fn choice(decision: Decision) -> Choice {
    match decision {
        Decision::Retry => Choice::Retry,
        Decision::Continue => Choice::Continue,
        Decision::Stop => Choice::Stop,
        Decision::Rollback => Choice::Rollback,
        Decision::RollbackRun => Choice::RollbackRun,
    }
}

fn fault(sink: &Sink<'_>, fault: At<FaultShape>) -> Option<Fault> {
    let (span, shape) = (fault.span, fault.value?);
    let FaultShape { fails, undo_fails, link_lost, unreachable, on, times, from, until } = shape;
    let named = [
        ("fails", fails.is_some()),
        ("undo_fails", undo_fails.is_some()),
        ("link_lost", link_lost.is_some()),
        ("unreachable", unreachable.is_some()),
    ];
    let named: Vec<&str> = named.iter().filter(|(_, there)| *there).map(|(key, _)| *key).collect();
    if named.len() != 1 {
        let what = match named.as_slice() {
            [] => "a fault says neither `fails`, `undo_fails`, `link_lost` nor `unreachable`".to_owned(),
            _ => format!("a fault can only say one of {}", quoted_list(named)),
        };
        sink.push(Problem::error("one-of", what).at(span).hint("write one fault for each"));
        return None;
    }
    let not_here = |key: &str, at: Option<Span>, belongs: &str| {
        if let Some(at) = at {
            let what = format!("`{key}` belongs to {belongs}");
            sink.push(Problem::error("key-not-here", what).at(at));
        }
        at.is_none()
    };
    if let Some(hosts) = unreachable {
        let steps = "faults of steps";
        let alone =
            not_here("on", on.map(|at| at.span), steps) & not_here("times", times.map(|at| at.span), steps);
        let hosts = pattern(sink, "unreachable", hosts);
        let from = from.map_or(Some(Millis(0)), |from| length_or_zero(sink, "from", from, YEAR));
        let until = until.map(|until| (until.span, length(sink, "until", until, YEAR)));
        let (from, until) =
            (from?, until.map_or(Some(None), |(at, until)| until.map(|until| Some((at, until))))?);
        if let Some((at, until)) = until.filter(|(_, until)| *until <= from) {
            let what = format!("the host would be back after {until} and only be gone after {from}");
            sink.push(Problem::error("wrong-value", what).at(at));
            return None;
        }
        let hosts = hosts?;
        return alone.then_some(Fault::Unreachable { hosts, from, until: until.map(|(_, until)| until) });
    }
    let silence = "`unreachable`";
    let alone = not_here("from", from.map(|at| at.span), silence)
        & not_here("until", until.map(|at| at.span), silence);
    let parts = [(Part::Action, fails), (Part::Undo, undo_fails), (Part::Link, link_lost)];
    let (part, id) = parts.into_iter().find_map(|(part, id)| Some((part, id?)))?;
    let id = id.located().and_then(step);
    let on = on.map_or(Some(None), |on| pattern(sink, "on", on).map(Some));
    let times = times.map_or(Some(None), |times| {
        let at = times.span;
        let times = times.value?;
        if times == 0 {
            let problem = Problem::error("wrong-value", "a fault that comes 0 times is none").at(at);
            sink.push(problem.hint("leave the fault out, or `times` for always"));
        }
        (times > 0).then_some(Some(times))
    });
    let (step, on, times) = (id?, on?, times?);
    alone.then_some(Fault::Step { part, step, on, times })
}

fn pattern(sink: &Sink<'_>, key: &str, text: At<String>) -> Option<Located<String>> {
    let text = text.located()?;
    match Pattern::parse(&text.value) {
        Ok(_) => Some(text),
        Err(error) => {
            sink.push(Problem::error("bad-pattern", format!("`{key}`: {}", error.what)).at(text.span));
            None
        }
    }
}

fn inject(sink: &Sink<'_>, inject: At<InjectShape>) -> Option<Inject> {
    let (span, shape) = (inject.span, inject.value?);
    let text = required(sink, "an inject", span, "tell", shape.tell);
    let text = text.and_then(|text| not_empty(sink, "tell", text));
    let timed = shape.at.is_some() || shape.after.is_some();
    if !timed {
        let problem = Problem::error("missing-key", "an inject says neither `at` nor `after`").at(span);
        sink.push(problem.hint("write `at: 10m`, or `after: step ID`"));
    }
    let wait = shape.at.map_or(Some(Millis(0)), |at| length_or_zero(sink, "at", at, YEAR));
    let when = shape.after.map_or(Some(When::Start), |after| self::when(sink, after.located()?));
    let (text, wait, when) = (text?, wait?, when?);
    timed.then_some(Inject { when, wait, text: text.value })
}

fn when(sink: &Sink<'_>, text: Located<String>) -> Option<When> {
    let words: Vec<&str> = text.value.split_whitespace().collect();
    let at = |id: &str| text.value.rfind(id).map_or(text.span, |at| sink.inside(&text, at, id.len()));
    match words.as_slice() {
        ["phase", id] => Some(When::Phase(Located::new(PhaseId::from(*id), at(id)))),
        ["step", id] => Some(When::Step(Located::new(StepId::from(*id), at(id)))),
        _ => {
            let what = format!("an inject: `{}` is no moment of a run", text.value.escape_debug());
            let problem = Problem::error("bad-moment", what).at(text.span);
            sink.push(problem.hint("write `phase ID` or `step ID`"));
            None
        }
    }
}

//! What runs before what: the names of phases and steps, who refers to whom, and whether that can ever end.

use super::cycle::{self, Edges};
use super::grammar::runbook::Runbook as Shape;
use super::sink::{Sink, near_hint};
use crate::model::Problem;
use crate::model::names::is_name;
use crate::model::place::{Located, Span};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The names that a runbook gives to its phases and steps.
#[derive(Debug, Default)]
pub(super) struct Names {
    phases: BTreeMap<String, Span>,
    steps: BTreeMap<String, StepPlace>,
    /// Some phase or step has no readable name, so that a name not found may be its.
    incomplete: bool,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct StepPlace {
    /// Its phase, counted from 0.
    phase: usize,
    /// Does it run on hosts (rather than being the controller's own)?
    on_hosts: bool,
    span: Span,
}

/// Who refers to whom, gathered while steps are read.
#[derive(Debug, Default)]
pub(super) struct References(RefCell<Vec<(String, String, Span)>>);

impl Names {
    /// Gathers all names, so that steps may refer to later ones; reports names that are used twice.
    pub(super) fn gather(sink: &Sink<'_>, shape: &Shape) -> Self {
        let mut names = Self::default();
        let phases = shape.phases.as_ref().and_then(|phases| phases.value.as_deref()).unwrap_or_default();
        for (phase_at, phase) in phases.iter().enumerate() {
            let Some(phase) = &phase.value else {
                names.incomplete = true;
                continue;
            };
            let id = phase.id.as_ref().and_then(|id| Some((id.value.as_ref()?, id.span)));
            names.phase(sink, id);
            let steps = phase.steps.as_ref().and_then(|steps| steps.value.as_deref()).unwrap_or_default();
            for step in steps {
                let id = step.value.as_ref().and_then(|step| step.id.as_ref());
                let id = id.and_then(|id| Some((id.value.as_ref()?, id.span)));
                let on_hosts = step.value.as_ref().is_some_and(|step| step.on.is_some());
                names.step(sink, id, phase_at, on_hosts);
            }
        }
        names.warn_of_twins(sink);
        names
    }

    fn phase(&mut self, sink: &Sink<'_>, id: Option<(&String, Span)>) {
        match id {
            Some((id, span)) if is_name(id) => match self.phases.get(id) {
                Some(first) => sink.push(twice("phases", id, span, *first)),
                None => {
                    self.phases.insert(id.clone(), span);
                }
            },
            _ => self.incomplete = true,
        }
    }

    fn step(&mut self, sink: &Sink<'_>, id: Option<(&String, Span)>, phase: usize, on_hosts: bool) {
        match id {
            Some((id, span)) if is_name(id) => match self.steps.get(id) {
                Some(first) => sink.push(twice("steps", id, span, first.span)),
                None => {
                    self.steps.insert(id.clone(), StepPlace { phase, on_hosts, span });
                }
            },
            _ => self.incomplete = true,
        }
    }

    fn warn_of_twins(&self, sink: &Sink<'_>) {
        for (id, step) in &self.steps {
            if let Some(phase) = self.phases.get(id) {
                let what = format!("`{id}` is the name of a phase and of a step");
                let problem = Problem::warning("same-name", what).at(step.span).also(*phase, "the phase");
                sink.push(problem.hint("call one of them something else: people will mix them up"));
            }
        }
    }

    /// Looks a step up that `owner` refers to; a name that no step has is reported.
    pub(super) fn find_step(
        &self,
        sink: &Sink<'_>,
        owner: &str,
        verb: &str,
        id: &Located<String>,
    ) -> Option<StepPlace> {
        let found = self.steps.get(&id.value).copied();
        if found.is_none() && !self.incomplete {
            let what = format!("{owner} {verb} `{}`, which no step is called", id.value.escape_debug());
            let mut problem = Problem::error("unknown-step", what).at(id.span);
            problem.hint = match self.phases.contains_key(&id.value) {
                true => Some(format!("`{}` is a phase; phases follow each other anyway", id.value)),
                false => near_hint(&id.value, "steps", self.steps.keys().map(String::as_str)),
            };
            sink.push(problem);
        }
        found
    }

    /// Looks a phase up that `owner` refers to; a name that no phase has is reported.
    pub(super) fn find_phase(&self, sink: &Sink<'_>, owner: &str, id: &str, at: Span) -> bool {
        let found = self.phases.contains_key(id);
        if !found && !self.incomplete {
            let what = format!("{owner} names `{}`, which no phase is called", id.escape_debug());
            let mut problem = Problem::error("unknown-phase", what).at(at);
            problem.hint = near_hint(id, "phases", self.phases.keys().map(String::as_str));
            sink.push(problem);
        }
        found
    }

    /// Looks at a reference of step `from` (in a phase) to step `to`: is it there, and can it have ended before?
    pub(super) fn refer(
        &self,
        sink: &Sink<'_>,
        references: &References,
        from: (&str, usize),
        verb: &str,
        to: &Located<String>,
    ) -> Option<StepPlace> {
        let (from_id, from_phase) = from;
        let owner = if from_id.is_empty() { "a step".to_owned() } else { format!("step `{from_id}`") };
        if to.value == from_id {
            let what = format!("{owner} {verb} itself");
            sink.push(Problem::error("self-need", what).at(to.span).hint("take it out"));
            return None;
        }
        let place = self.find_step(sink, &owner, verb, to)?;
        if place.phase > from_phase {
            let what = format!("{owner} {verb} `{}`, which belongs to a later phase", to.value);
            let problem = Problem::error("later-phase", what).at(to.span).also(place.span, "it stands here");
            sink.push(problem.hint("phases run one after the other: move one of the two steps"));
            return None;
        }
        references.0.borrow_mut().push((from_id.to_owned(), to.value.clone(), to.span));
        Some(place)
    }
}

impl StepPlace {
    /// Does the step run on hosts?
    pub(super) fn on_hosts(self) -> bool {
        self.on_hosts
    }
}

impl References {
    /// Reports steps that wait for each other for ever.
    pub(super) fn report_cycles(&self, sink: &Sink<'_>) {
        let references = self.0.borrow();
        let mut edges: Edges<'_> = BTreeMap::new();
        for (from, to, span) in references.iter().filter(|(from, _, _)| !from.is_empty()) {
            edges.entry(from).or_default().push((to, *span));
        }
        cycle::problems("steps", "waits for", &edges).into_iter().for_each(|problem| sink.push(problem));
    }
}

fn twice(plural: &str, id: &str, at: Span, first: Span) -> Problem {
    Problem::error("duplicate-id", format!("two {plural} are called `{id}`"))
        .at(at)
        .also(first, "the first one")
}

//! Reads a runbook: its head, its parameters and objectives, and its phases.

use super::approvers;
use super::grammar::runbook::{Param as ParamShape, Phase as PhaseShape, Runbook as Shape};
use super::order::{Names, References};
use super::shapes::{At, Entries, OneOrMany, Plain};
use super::sink::Sink;
use super::step::{StepReader, all};
use super::template::{Checker, Scope};
use super::values::{contacts, identifier, name, optional, plain, required, vars, version};
use super::{conduits, objective, secrets};
use crate::model::Problem;
use crate::model::names::{PhaseId, ZoneName};
use crate::model::place::{Located, Span};
use crate::model::runbook::{Param, ParamKind, Phase, Policy, Runbook};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Reads a runbook. What is wrong with it is in the sink; `None` if something is.
pub(super) fn read(sink: &Sink<'_>, shape: At<Shape>, directory: &Path) -> Option<Runbook> {
    let (span, shape) = (shape.span, shape.value?);
    let names = Names::gather(sink, &shape);
    version(sink, span, shape.version);
    let title =
        required(sink, "the file", span, "name", shape.name).and_then(|title| name(sink, "runbook", title));
    let scope = Scope { params: keys(&shape.params), secrets: keys(&shape.secrets) };
    let params = params(sink, shape.params);
    let secrets = secrets::read(sink, shape.secrets, directory);
    let contacts = contacts(shape.contacts);
    let approvers = approvers::read(sink, shape.approvers, directory);
    let objectives = shape.objectives.map_or(Some(Vec::new()), |objectives| {
        all(objectives.value?.into_iter().map(|objective| objective::read(sink, &names, objective)))
    });
    let phases = required(sink, "the file", span, "phases", shape.phases);
    let phases = phases.and_then(|phases| {
        if phases.value.is_empty() {
            sink.push(Problem::error("empty-value", "the runbook has no phases").at(phases.span));
        }
        let (templates, references) = (Checker::new(sink, scope), References::default());
        let reader =
            PhaseReader { sink, names: &names, templates: &templates, references: &references, directory };
        let read = all(phases.value.into_iter().enumerate().map(|(at, phase)| reader.read(at, phase)));
        references.report_cycles(sink);
        read
    });
    Some(Runbook {
        name: title?.value,
        summary: shape.summary.map_or(Some(None), |summary| summary.value.map(Some))?,
        params: params?,
        vars: vars(shape.vars),
        secrets: secrets?,
        objectives: objectives?,
        phases: phases?,
        approvers: approvers?,
        contacts,
    })
}

fn keys<T>(entries: &Option<At<Entries<T>>>) -> BTreeSet<String> {
    let entries = entries.as_ref().and_then(|entries| entries.value.as_ref());
    entries.into_iter().flat_map(|entries| entries.0.iter().map(|(key, _)| key.value.clone())).collect()
}

fn params(sink: &Sink<'_>, params: Option<At<Entries<ParamShape>>>) -> Option<BTreeMap<String, Param>> {
    let Some(params) = params else { return Some(BTreeMap::new()) };
    let read = params.value?.0.into_iter().map(|(key, shape)| {
        let fine = identifier(sink, "parameter", &key);
        let param = param(sink, &key, shape.value?);
        fine.then_some(())?;
        Some((key.value, param?))
    });
    all(read).map(BTreeMap::from_iter)
}

fn param(sink: &Sink<'_>, key: &Located<String>, shape: ParamShape) -> Option<Param> {
    let kind = shape.kind.map_or(Some(ParamKind::default()), |kind| kind.value)?;
    let fits = |field: At<Plain>, what: &str| {
        let value = plain(field)?;
        let fine = match kind {
            ParamKind::String => value.value.is_string(),
            ParamKind::Integer => value.value.is_i64() || value.value.is_u64(),
            ParamKind::Boolean => value.value.is_boolean(),
        };
        if !fine {
            let word = match kind {
                ParamKind::String => "text",
                ParamKind::Integer => "a whole number",
                ParamKind::Boolean => "`true` or `false`",
            };
            let what =
                format!("{what} of `{}` must be {word}, not `{}`", key.value, sink.written(value.span));
            let problem = Problem::error("wrong-type", what).at(value.span);
            sink.push(match kind {
                ParamKind::String => problem.hint("put it in quotes, or set the parameter's `type`"),
                ParamKind::Integer => problem.hint("write the number without quotes, or set another `type`"),
                ParamKind::Boolean => problem.hint("write `true` or `false`, or set another `type`"),
            });
        }
        fine.then_some(value)
    };
    let choices = shape.choices.map_or(Some(Vec::new()), |choices| {
        let span = choices.span;
        let listed = choices.value?;
        if listed.is_empty() {
            sink.push(Problem::error("empty-value", "`choices` is empty").at(span).hint("leave it out"));
            return None;
        }
        all(listed.into_iter().map(|choice| fits(choice, "a choice")))
    });
    let default = shape.default.map(|default| fits(default, "the default"));
    let required_at = shape.required.as_ref().map(|required| required.span);
    let required = shape.required.map_or(Some(default.is_none()), |required| required.value)?;
    let default = default.map_or(Some(None), |default| default.map(Some))?;
    let choices = choices?;
    if let Some(default) = &default {
        if !choices.is_empty() && !choices.iter().any(|choice| choice.value == default.value) {
            let what = format!("the default of `{}` is not among its choices", key.value);
            sink.push(Problem::error("wrong-value", what).at(default.span));
        }
        if required {
            let what = format!("`{}` is required, so that its default would never be used", key.value);
            let problem = Problem::error("wrong-value", what).at(required_at.unwrap_or(key.span));
            sink.push(problem.also(default.span, "the default").hint("take one of the two out"));
        }
    }
    Some(Param {
        kind,
        required,
        default: default.map(|default| default.value),
        description: optional(shape.description),
        choices: choices.into_iter().map(|choice| choice.value).collect(),
        span: key.span,
    })
}

/// What phases are read with.
struct PhaseReader<'a, 'b> {
    sink: &'a Sink<'a>,
    names: &'b Names,
    templates: &'b Checker<'a>,
    references: &'b References,
    directory: &'b Path,
}

impl PhaseReader<'_, '_> {
    fn read(&self, phase_at: usize, phase: At<PhaseShape>) -> Option<Phase> {
        let (span, shape) = (phase.span, phase.value?);
        let id =
            required(self.sink, "a phase", span, "id", shape.id).and_then(|id| name(self.sink, "phase", id));
        let at: Span = id.as_ref().map_or(span, |id| id.span);
        let owner = id.as_ref().map_or("a phase".to_owned(), |id| format!("phase `{}`", id.value));
        let isolates = shape.isolates.map_or(Some(Vec::new()), |zones| self.isolates(zones));
        let steps = required(self.sink, &owner, at, "steps", shape.steps);
        let on_failure = shape.on_failure.map_or(Some(Policy::default()), |policy| policy.value);
        let reader = StepReader {
            sink: self.sink,
            names: self.names,
            references: self.references,
            templates: self.templates,
            phase: phase_at,
            directory: self.directory,
        };
        let steps = steps.and_then(|steps| {
            if steps.value.is_empty() {
                self.sink.push(Problem::error("empty-value", format!("{owner} has no steps")).at(at));
            }
            all(steps.value.into_iter().map(|step| {
                let step = reader.read(step)?;
                on_failure.iter().for_each(|policy| conduits::check(self.sink, &owner, *policy, &step));
                Some(step)
            }))
        });
        Some(Phase {
            id: id.map(|id| Located::new(PhaseId(id.value), id.span))?,
            title: shape.name.map_or(Some(None), |title| title.value.map(Some))?,
            on_failure: on_failure?,
            isolates: isolates?,
            steps: steps?,
        })
    }

    fn isolates(&self, zones: At<OneOrMany<String>>) -> Option<Vec<Located<ZoneName>>> {
        all(zones.value?.0.into_iter().map(|zone| {
            let zone = name(self.sink, "zone", zone.located()?)?;
            Some(Located::new(ZoneName(zone.value), zone.span))
        }))
    }
}

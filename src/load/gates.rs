//! Reads what must hold before a step may start: consent, evidence, deadlines.

use super::grammar::runbook::{Approve as ApproveShape, Deadline as DeadlineShape};
use super::order::References;
use super::shapes::{At, OneOrMany};
use super::step::{StepReader, all};
use super::values::{YEAR, length, required};
use crate::model::Problem;
use crate::model::names::StepId;
use crate::model::place::{Located, Span};
use crate::model::runbook::{Approve, Deadline};

/// More people than this will not be found in an incident.
const PEOPLE_MAX: u32 = 100;

impl StepReader<'_, '_> {
    pub(super) fn approve(&self, approve: At<ApproveShape>) -> Option<Approve> {
        let (span, shape) = (approve.span, approve.value?);
        let people = required(self.sink, "`approve`", span, "people", shape.people);
        let within = shape.within.map(|field| length(self.sink, "within", field, YEAR));
        let by = shape.by.map(|by| self.by(span, by));
        let people = people?;
        if !(1..=PEOPLE_MAX).contains(&people.value) {
            let what = format!("`people` must be from 1 to {PEOPLE_MAX}, not {}", people.value);
            self.sink.push(Problem::error("wrong-value", what).at(people.span));
            return None;
        }
        Some(Approve {
            people: people.value,
            within: within.map_or(Some(None), |within| within.map(Some))?,
            signed: shape.signed.map_or(Some(false), |signed| signed.value)?,
            by: by.map_or(Some(Vec::new()), |by| by)?,
            others: true,
        })
    }

    fn by(&self, span: Span, by: At<OneOrMany<String>>) -> Option<Vec<String>> {
        let names = all(by.value?.0.into_iter().map(|name| {
            let name = name.located()?;
            if name.value.trim().is_empty() || name.value.contains(['*', '?', '!', ',']) {
                let what = format!("`{}` names nobody", name.value.escape_debug());
                let problem = Problem::error("bad-name", what).at(name.span);
                self.sink.push(problem.hint("name a group of approvers, or a person as their key file does"));
                return None;
            }
            Some(name.value)
        }))?;
        if names.is_empty() {
            self.sink.push(Problem::error("empty-value", "`by` is empty").at(span).hint("leave it out"));
            return None;
        }
        Some(names)
    }

    pub(super) fn evidence(
        &self,
        id: &str,
        evidence: Option<At<OneOrMany<String>>>,
    ) -> Option<Vec<Located<StepId>>> {
        let Some(evidence) = evidence else { return Some(Vec::new()) };
        all(evidence.value?.0.into_iter().map(|step| {
            let step = step.located()?;
            self.names.refer(self.sink, self.references, (id, self.phase), "wants evidence of", &step)?;
            Some(Located::new(StepId(step.value), step.span))
        }))
    }

    pub(super) fn deadline(&self, owner: &str, id: &str, deadline: At<DeadlineShape>) -> Option<Deadline> {
        let (span, shape) = (deadline.span, deadline.value?);
        let owner = format!("`deadline` of {owner}");
        let within = required(self.sink, &owner, span, "within", shape.within)
            .map(|within| At { span: within.span, value: Some(within.value) });
        let within = within.and_then(|field| length(self.sink, "within", field, YEAR));
        let from = shape.from.map(|from| {
            let from = from.located()?;
            if from.value == "start" {
                return Some(None);
            }
            // It waits for nothing: whoever is not over starts no clock.
            let nobody = References::default();
            self.names.refer(self.sink, &nobody, (id, self.phase), "counts from", &from)?;
            Some(Some(Located::new(StepId(from.value), from.span)))
        });
        Some(Deadline { from: from.unwrap_or(Some(None))?, within: within? })
    }
}

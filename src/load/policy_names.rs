//! Checks a policy against the runbooks whose files it names: the steps and services that it names must be there.

use super::sink::near_hint;
use crate::model::place::Located;
use crate::model::policy::{Duty, Policy, Proof, ProvedBy, What};
use crate::model::runbook::{Action, Runbook, Step};
use crate::model::{Inventory, Problem, Problems};
use std::collections::{BTreeMap, BTreeSet};

/// Every step and service that a policy names and none of the runbooks and inventories that could be read has.
pub(super) fn check(policy: &Policy, read: &BTreeMap<String, (Runbook, Inventory)>) -> Problems {
    let mut problems = Problems::default();
    for duty in &policy.duties {
        let (What::Restore(proof) | What::Verify(proof)) = &duty.what else { continue };
        // Where the files of a runbook are not named, or cannot be read, nothing is known of its steps.
        let of: Vec<&(Runbook, Inventory)> = match duty.runbook() {
            Some(of) => read.get(&of.value).into_iter().collect(),
            None if read.len() == policy.runbooks.len() => read.values().collect(),
            None => continue,
        };
        if !of.is_empty() {
            problems.0.extend(named(duty, proof, &of));
        }
    }
    problems.in_file_order()
}

fn named(duty: &Duty, proof: &Proof, of: &[&(Runbook, Inventory)]) -> Option<Problem> {
    let steps = || of.iter().flat_map(|(runbook, _)| &runbook.phases).flat_map(|phase| &phase.steps);
    let is_gate = |step: &&Step| matches!(step.action, Action::Backup(_));
    let ids = |step: &Step| step.id.value.as_str().to_owned();
    match &proof.by {
        ProvedBy::Service(name) => {
            let known: BTreeSet<String> = of
                .iter()
                .flat_map(|(_, inventory)| inventory.services.keys())
                .map(ToString::to_string)
                .collect();
            missing("service", "services", &Located::new(name.value.to_string(), name.span), &known)
        }
        ProvedBy::Step(id) => {
            let known = steps().map(ids).collect();
            missing("step", "steps", &Located::new(id.value.to_string(), id.span), &known)
        }
        ProvedBy::Backup(id) => {
            let known = steps().filter(is_gate).map(ids).collect();
            let problem =
                missing("backup gate", "backup gates", &Located::new(id.value.to_string(), id.span), &known)?;
            let other = steps().any(|step| step.id.value == id.value);
            let step = match &duty.what {
                What::Verify(_) => "verify: [{ step: … }]",
                What::Restore(_) | What::Rehearse { .. } => "restore: [{ step: … }]",
            };
            Some(match other {
                true => {
                    problem.hint(format!("it is a step that looks at no backup; write `{step}` for such"))
                }
                false => problem,
            })
        }
    }
}

fn missing(kind: &str, plural: &str, wanted: &Located<String>, known: &BTreeSet<String>) -> Option<Problem> {
    if known.contains(&wanted.value) {
        return None;
    }
    let what = format!("no {kind} is called `{}`", wanted.value.escape_debug());
    let mut problem = Problem::error("unknown-proof", what).at(wanted.span);
    problem.hint = near_hint(&wanted.value, plural, known.iter().map(String::as_str));
    Some(problem)
}

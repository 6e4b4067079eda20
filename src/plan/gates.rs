//! Compiles what must hold before a step may start: whose consent, what evidence, which moments.

use super::frozen::{
    PlannedAction, PlannedAfter, PlannedApprovers, PlannedDeadline, PlannedStep, PlannedTask,
};
use super::script::fill;
use super::texts::Site;
use crate::model::inventory::Inventory;
use crate::model::names::{StepId, StepIx};
use crate::model::runbook::{Action, Approve, Runbook, Step, Taken};
use crate::model::signers::Approvers;
use crate::model::{Problem, Problems, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Who may approve: what the runbook says, else what the inventory says.
pub fn approvers<'a>(inventory: &'a Inventory, runbook: &'a Runbook) -> Option<&'a Approvers> {
    runbook.approvers.as_ref().or(inventory.approvers.as_ref())
}

/// Who may approve, as a plan keeps it: only if one of its steps asks for a signature.
pub fn planned_approvers(inventory: &Inventory, runbook: &Runbook) -> Option<PlannedApprovers> {
    let mut gates = steps(runbook).filter_map(|step| step.approve.as_ref());
    let approvers = approvers(inventory, runbook).filter(|_| gates.any(|gate| gate.signed))?;
    Some(PlannedApprovers { signers: approvers.signers.clone(), logins: approvers.logins.clone() })
}

/// Whose consent a step needs, groups resolved to people.
pub fn approve(site: &Site<'_>, step: &Step) -> Option<Approve> {
    let gate = step.approve.as_ref()?;
    let approvers = approvers(site.inventory, site.runbook);
    let people = |name: &String| -> Vec<String> {
        match approvers {
            Some(approvers) => approvers.people(name).into_iter().map(str::to_owned).collect(),
            None => vec![name.clone()],
        }
    };
    let by: BTreeSet<String> = gate.by.iter().flat_map(people).collect();
    Some(Approve { by: by.into_iter().collect(), ..gate.clone() })
}

/// The fetch steps whose files a step wants to find.
pub fn evidence(site: &Site<'_>, step: &Step) -> Vec<StepIx> {
    let named: BTreeSet<StepIx> =
        step.evidence.iter().filter_map(|id| index(site.runbook, &id.value)).collect();
    named.into_iter().collect()
}

/// The moment after which a step must not start.
pub fn deadline(site: &Site<'_>, step: &Step) -> Option<PlannedDeadline> {
    let deadline = step.deadline.as_ref()?;
    let from = match &deadline.from {
        None => None,
        Some(from) => Some(index(site.runbook, &from.value)?),
    };
    Some(PlannedDeadline { from, within: deadline.within })
}

/// The moment before which a step must not start.
pub fn after(site: &Site<'_>, step: &Step) -> Option<PlannedAfter> {
    let after = step.after.as_ref()?;
    Some(PlannedAfter { step: index(site.runbook, &after.step.value)?, at_least: after.at_least })
}

/// Gates that could never open, or that name what is not there.
pub fn check(inventory: &Inventory, runbook: &Runbook, problems: &mut Problems) {
    let approvers = approvers(inventory, runbook);
    for step in steps(runbook) {
        check_approve(approvers, step, problems);
        for wanted in &step.evidence {
            let id = &step.id.value;
            let fetches =
                |other: &Step| other.id.value == wanted.value && matches!(other.action, Action::Fetch(_));
            if index(runbook, &wanted.value).is_some() && !steps(runbook).any(fetches) {
                let what = format!("step `{id}` wants evidence of `{}`, which fetches nothing", wanted.value);
                let problem = Problem::error("not-a-fetch", what).at(wanted.span);
                problems.push(problem.hint("name a step with `fetch`; to wait for another one, use `needs`"));
            }
        }
    }
}

/// Evidence that the operator's choices leave out would never be there.
pub fn check_left_out(
    steps: &[&Step],
    planned: &[PlannedStep],
    runs: &dyn Fn(StepIx) -> bool,
    problems: &mut Problems,
) {
    let all = steps.iter().zip(planned).enumerate();
    for (_, (step, planned_step)) in all.filter(|(ix, _)| runs(StepIx(*ix as u32))) {
        for wanted in planned_step.evidence.iter().filter(|wanted| !runs(**wanted)) {
            let (id, wanted) = (&step.id.value, &planned[wanted.at()].id);
            let what = format!("step `{id}` wants evidence of `{wanted}`, all of which is left out");
            let problem = Problem::error("evidence-left-out", what).at(step.id.span);
            problems.push(problem.hint("run both or neither: look at --limit, --phase, --until and `when:`"));
        }
    }
}

/// Times in a backup gate are known when the plan is made: a slip of the pen must not show when somebody restores.
pub fn check_times(
    step: &Step,
    action: &PlannedAction,
    values: &BTreeMap<String, String>,
    tasks: &[PlannedTask],
    problems: &mut Problems,
) {
    let PlannedAction::Backup(backup) = action else { return };
    let taken = match &backup.taken {
        Taken::At(text) => Some(("taken", text)),
        Taken::ManifestTime | Taken::File(_) => None,
    };
    for (key, text) in taken.into_iter().chain(backup.before.as_ref().map(|text| ("before", text))) {
        let filled = |task: &PlannedTask| {
            let both = values.iter().chain(&task.values).map(|(name, value)| (name.clone(), value.clone()));
            fill(text, &both.collect())
        };
        let running = tasks.iter().filter(|task| task.left_out.is_none());
        if let Some(wrong) = running.map(filled).find(|text| Time::parse(text).is_none()) {
            let what = format!(
                "step `{}`: `backup.{key}` is `{}`, which is no time",
                step.id.value,
                wrong.escape_debug()
            );
            let hint = "write RFC 3339, with an offset: `2026-11-21T22:26:40Z`";
            problems.push(Problem::error("bad-time", what).at(step.id.span).hint(hint));
        }
    }
}

fn check_approve(approvers: Option<&Approvers>, step: &Step, problems: &mut Problems) {
    let Some(gate) = &step.approve else { return };
    let id = &step.id.value;
    let mut wrong = |code, what: String, hint: &str| {
        problems.push(Problem::error(code, what).at(step.id.span).hint(hint));
    };
    if gate.signed && approvers.is_none() {
        let what = format!("step `{id}` wants signed consent, and nothing says who may sign");
        wrong(
            "no-approvers",
            what,
            "add `approvers: { allowed_signers: FILE }` to the inventory or the runbook",
        );
    }
    let people: BTreeSet<&str> = gate
        .by
        .iter()
        .flat_map(|name| approvers.map_or_else(|| vec![name.as_str()], |approvers| approvers.people(name)))
        .collect();
    if !gate.by.is_empty() && (people.len() as u64) < u64::from(gate.people) {
        let what = format!("step `{id}` wants the consent of {} out of {}", gate.people, people.len());
        wrong("too-few-approvers", what, "name more people in `by`, or ask for fewer");
    }
}

fn steps(runbook: &Runbook) -> impl Iterator<Item = &Step> {
    runbook.phases.iter().flat_map(|phase| &phase.steps)
}

fn index(runbook: &Runbook, id: &StepId) -> Option<StepIx> {
    steps(runbook).position(|step| step.id.value == *id).map(|ix| StepIx(ix as u32))
}

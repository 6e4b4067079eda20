//! Objectives as a plan freezes them: every moment must be one that can come.

use super::compile::unknown_step;
use super::frozen::PlannedObjective;
use crate::model::names::{PhaseId, ServiceName, StepId, StepIx};
use crate::model::problem::nearest;
use crate::model::runbook::{Action, Moment, Objective, Runbook, Step, Verify};
use crate::model::{Inventory, Problem, Problems};
use std::collections::BTreeMap;

/// The objectives of a runbook, checked against its steps and the services of the inventory.
pub(super) fn planned(
    inventory: &Inventory,
    runbook: &Runbook,
    names: &BTreeMap<StepId, StepIx>,
    problems: &mut Problems,
) -> Vec<PlannedObjective> {
    for objective in &runbook.objectives {
        for moment in [&objective.from, &objective.to] {
            match moment {
                Moment::Start => {}
                Moment::Step(id) => drop(check_step(objective, id, names, problems)),
                Moment::Phase(id) => check_phase(objective, id, runbook, problems),
                Moment::ServiceUp(name) | Moment::ServiceDown(name) => {
                    check_service(objective, name, inventory, problems);
                }
                Moment::Probe(id) => check_probe(objective, id, runbook, names, problems),
                Moment::Backup(id) => check_backup(objective, id, runbook, names, problems),
            }
        }
    }
    let planned = |objective: &Objective| PlannedObjective {
        name: objective.name.clone(),
        from: objective.from.clone(),
        to: objective.to.clone(),
        within: objective.within,
        remind: objective.remind.clone(),
    };
    runbook.objectives.iter().map(planned).collect()
}

fn check_step(
    objective: &Objective,
    id: &StepId,
    names: &BTreeMap<StepId, StepIx>,
    problems: &mut Problems,
) -> bool {
    let found = names.contains_key(id);
    if !found {
        problems.push(unknown_step(missing(objective, id.as_str()), id, names).at(objective.span));
    }
    found
}

fn check_phase(objective: &Objective, id: &PhaseId, runbook: &Runbook, problems: &mut Problems) {
    if runbook.phases.iter().any(|phase| phase.id.value == *id) {
        return;
    }
    let ids = runbook.phases.iter().map(|phase| phase.id.value.as_str());
    let problem = Problem::error("unknown-phase", missing(objective, id.as_str())).at(objective.span);
    problems.push(match nearest(id.as_str(), ids) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem,
    });
}

/// Only a probe tells whether a service is up.
fn check_service(objective: &Objective, name: &ServiceName, inventory: &Inventory, problems: &mut Problems) {
    let (problem, hint) = match inventory.services.get(name) {
        Some(service) if service.probe.is_some() => return,
        Some(_) => {
            let what = format!(
                "objective `{}` speaks of service `{name}`, and nothing tells whether it is up",
                objective.name
            );
            (Problem::error("no-probe", what), Some("give the service a `probe`".to_owned()))
        }
        None => {
            let services = inventory.services.keys().map(ServiceName::as_str);
            let near = nearest(name.as_str(), services).map(|near| format!("did you mean `{near}`?"));
            (Problem::error("unknown-service", missing(objective, name.as_str())), near)
        }
    };
    let problem = problem.at(objective.span);
    problems.push(match hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    });
}

fn check_backup(
    objective: &Objective,
    id: &StepId,
    runbook: &Runbook,
    names: &BTreeMap<StepId, StepIx>,
    problems: &mut Problems,
) {
    let looks = |step: &Step| matches!(step.action, Action::Backup(_));
    if check_step(objective, id, names, problems) && !any_called(runbook, id, looks) {
        let what =
            format!("objective `{}` asks step `{id}` for a backup, and it looks at none", objective.name);
        let problem = Problem::error("no-backup", what).at(objective.span);
        problems.push(problem.hint("name a step whose action is `backup`"));
    }
}

fn check_probe(
    objective: &Objective,
    id: &StepId,
    runbook: &Runbook,
    names: &BTreeMap<StepId, StepIx>,
    problems: &mut Problems,
) {
    let probes = |step: &Step| {
        let mut verify = step.verify.iter();
        matches!(step.action, Action::Probe(_)) || verify.any(|one| matches!(one.value, Verify::Probe(_)))
    };
    if check_step(objective, id, names, problems) && !any_called(runbook, id, probes) {
        let what =
            format!("objective `{}` asks for the probes of step `{id}`, and it has none", objective.name);
        let problem = Problem::error("no-probe", what).at(objective.span);
        problems.push(problem.hint("name a step whose action or `verify` is a probe, or write `step ID`"));
    }
}

/// Is a step of that name as it should be?
fn any_called(runbook: &Runbook, id: &StepId, is_so: impl Fn(&Step) -> bool) -> bool {
    let mut steps = runbook.phases.iter().flat_map(|phase| &phase.steps);
    steps.any(|step| step.id.value == *id && is_so(step))
}

fn missing(objective: &Objective, id: &str) -> String {
    format!("objective `{}` speaks of `{id}`, which does not exist", objective.name)
}

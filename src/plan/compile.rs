//! Compiles a runbook against an inventory into a plan.

use super::choices::{Choices, FileFacts};
use super::frozen::{PLAN_VERSION, Plan, PlannedHost, PlannedNeed, PlannedPhase, PlannedStep, PlannedTask};
use super::select::Selection;
use super::site::PlannedSite;
use super::steps::{StepPlace, compile_step};
use super::texts::Site;
use super::values::{Values, engine};
use super::{gates, graph, hosts, objectives, params, services};
use crate::model::inventory::Host;
use crate::model::names::{HostIx, HostName, PhaseIx, SecretName, StepId, StepIx};
use crate::model::problem::nearest;
use crate::model::runbook::Step;
use crate::model::secret::SecretSource;
use crate::model::{Inventory, Problem, Problems, Runbook};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Compiles. With success come warnings, with failure all problems; both in file order. `files` says what the
/// file of an upload holds, by the path that the runbook gives; the plan itself reads nothing.
pub fn compile(
    inventory: &Inventory,
    runbook: &Runbook,
    choices: &Choices,
    files: &dyn Fn(&str) -> Result<FileFacts, String>,
) -> Result<(Plan, Problems), Problems> {
    let mut problems = Problems::default();
    let steps: Vec<(PhaseIx, &Step)> = runbook
        .phases
        .iter()
        .enumerate()
        .flat_map(|(at, phase)| phase.steps.iter().map(move |step| (PhaseIx(at as u32), step)))
        .collect();
    let names = step_names(&steps, &mut problems);
    let params = params::params(runbook, &choices.params, &mut problems);
    let selection = Selection::new(inventory, runbook, choices, &mut problems);
    let on = hosts::steps_hosts(inventory, &steps, &mut problems);
    let planned_hosts = hosts::planned_hosts(inventory, &steps, &on, &mut problems);
    if problems.any_error() {
        return Err(problems.in_file_order());
    }
    let host_ixs: BTreeMap<&HostName, HostIx> =
        planned_hosts.iter().enumerate().map(|(ix, host)| (&host.name, HostIx(ix as u32))).collect();
    let site = Site {
        inventory,
        runbook,
        values: Values::new(inventory, runbook, &params),
        engine: engine(),
        files,
        digests: RefCell::default(),
    };
    let mut planned = Vec::with_capacity(steps.len());
    let mut tasks: Vec<PlannedTask> =
        Vec::with_capacity(on.iter().map(|on| on.as_ref().map_or(1, |on| on.len())).sum());
    for (ix, ((phase, step), on)) in steps.iter().zip(&on).enumerate() {
        let place = StepPlace { ix: StepIx(ix as u32), phase: *phase, first_task: tasks.len() as u32 };
        let on: Option<&[&Host]> = on.as_ref().map(|on| on.as_slice());
        let needs = needs(step, &names, &steps, *phase, &mut problems);
        planned.push(compile_step(
            &site,
            &selection,
            choices,
            step,
            place,
            on,
            &host_ixs,
            needs,
            &mut tasks,
            &mut problems,
        ));
    }
    check_same_host(&steps, &on, &names, &mut problems);
    check_circle(&planned, &steps, &mut problems);
    gates::check(inventory, runbook, &mut problems);
    let objectives = objectives::planned(inventory, runbook, &names, &mut problems);
    let secrets = secrets(inventory, runbook, &planned, &planned_hosts, &mut problems);
    let phases = phases(runbook, &mut problems);
    let runs = |step: StepIx| {
        let step = &planned[step.at()];
        tasks[step.first_task.at()..][..step.tasks as usize].iter().any(|task| task.left_out.is_none())
    };
    let all: Vec<&Step> = steps.iter().map(|(_, step)| *step).collect();
    gates::check_left_out(&all, &planned, &runs, &mut problems);
    if tasks.iter().all(|task| task.left_out.is_some()) && !tasks.is_empty() && !problems.any_error() {
        let problem = Problem::error("nothing-to-do", "every task is left out: nothing would run");
        problems.push(problem.hint("look at --limit, --phase, --until and the steps' `when:`"));
    }
    if problems.any_error() {
        return Err(problems.in_file_order());
    }
    let urgencies = graph::urgencies(&planned, phases.len(), &runs);
    for (step, urgency) in planned.iter_mut().zip(urgencies) {
        step.urgency = urgency;
    }
    let site = PlannedSite::of(inventory, &planned_hosts);
    let plan = Plan {
        version: PLAN_VERSION,
        runbook: runbook.name.clone(),
        summary: runbook.summary.clone(),
        inventory: inventory.name.clone(),
        params,
        secrets,
        hosts: planned_hosts,
        phases,
        steps: planned,
        tasks,
        objectives,
        site,
        approvers: gates::planned_approvers(inventory, runbook),
        services: services::services(inventory),
    };
    super::canonical::check(&plan).expect("what is compiled fits together");
    Ok((plan, problems.in_file_order()))
}

fn step_names(steps: &[(PhaseIx, &Step)], problems: &mut Problems) -> BTreeMap<StepId, StepIx> {
    let mut names = BTreeMap::new();
    for (ix, (_, step)) in steps.iter().enumerate() {
        if names.insert(step.id.value.clone(), StepIx(ix as u32)).is_some() {
            let what = format!("two steps are called `{}`", step.id.value);
            problems.push(Problem::error("duplicate-step", what).at(step.id.span));
        }
    }
    names
}

pub(super) fn unknown_step(what: String, id: &StepId, names: &BTreeMap<StepId, StepIx>) -> Problem {
    let problem = Problem::error("unknown-step", what);
    match nearest(id.as_str(), names.keys().map(StepId::as_str)) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem,
    }
}

/// What a step needs and comes after, by index; what is unknown or comes later is a problem.
fn needs(
    step: &Step,
    names: &BTreeMap<StepId, StepIx>,
    steps: &[(PhaseIx, &Step)],
    phase: PhaseIx,
    problems: &mut Problems,
) -> Vec<PlannedNeed> {
    let id = &step.id.value;
    let needs = step.needs.iter().map(|need| (&need.value.step, need.span));
    let after = step.after.iter().map(|after| (&after.step.value, after.step.span));
    let evidence = step.evidence.iter().map(|step| (&step.value, step.span));
    let deadline =
        step.deadline.iter().flat_map(|deadline| &deadline.from).map(|from| (&from.value, from.span));
    for (other, span) in needs.chain(after).chain(evidence).chain(deadline) {
        match names.get(other) {
            None => {
                let what = format!("step `{id}` needs `{other}`, which no step is called");
                problems.push(unknown_step(what, other, names).at(span));
            }
            Some(ix) if steps[ix.at()].0 > phase => {
                let what = format!("step `{id}` needs `{other}`, which stands in a later phase");
                let hint = "phases run one after the other; move one of the two steps";
                problems.push(Problem::error("needs-later-phase", what).at(span).hint(hint));
            }
            Some(_) => {}
        }
    }
    let known = |need: &crate::model::runbook::Need| {
        names.get(&need.step).map(|ix| PlannedNeed { step: *ix, same_host: need.same_host })
    };
    let evidence = step.evidence.iter().filter_map(|step| names.get(&step.value));
    let mut needs: Vec<PlannedNeed> = step.needs.iter().filter_map(|need| known(&need.value)).collect();
    needs.extend(evidence.map(|step| PlannedNeed { step: *step, same_host: false }));
    // Who waits for all hosts waits for the same host as well: `false` sorts first and wins.
    needs.sort();
    needs.dedup_by_key(|need| need.step);
    needs
}

/// `same_host` between steps that share no host waits for nothing, which its author cannot have meant.
fn check_same_host(
    steps: &[(PhaseIx, &Step)],
    on: &[Option<std::rc::Rc<Vec<&Host>>>],
    names: &BTreeMap<StepId, StepIx>,
    problems: &mut Problems,
) {
    for ((_, step), own) in steps.iter().zip(on) {
        for need in step.needs.iter().filter(|need| need.value.same_host) {
            let Some(other) = names.get(&need.value.step).and_then(|ix| on.get(ix.at())) else { continue };
            let (id, needed) = (&step.id.value, &need.value.step);
            match (own, other) {
                (Some(own), Some(other)) => {
                    let shared = std::rc::Rc::ptr_eq(own, other)
                        || own
                            .iter()
                            .any(|host| other.binary_search_by(|other| other.name.cmp(&host.name)).is_ok());
                    if !shared {
                        let what =
                            format!("step `{id}` needs `{needed}` on the same host, but no host runs both");
                        let hint = "without `same_host: true` it waits for all hosts of the other step";
                        problems.push(Problem::error("same-host-disjoint", what).at(need.span).hint(hint));
                    }
                }
                (None, _) | (_, None) => {
                    let without = if own.is_none() { id } else { needed };
                    let what = format!(
                        "step `{id}` needs `{needed}` on the same host, but `{without}` runs on no host"
                    );
                    problems.push(
                        Problem::error("same-host-disjoint", what)
                            .at(need.span)
                            .hint("leave `same_host` out"),
                    );
                }
            }
        }
    }
}

fn check_circle(planned: &[PlannedStep], steps: &[(PhaseIx, &Step)], problems: &mut Problems) {
    if let Some(circle) = graph::circle(&graph::step_graph(planned)) {
        let path: Vec<&str> = circle.iter().map(|ix| planned[ix.at()].id.as_str()).collect();
        let what = format!("steps wait for each other in a circle: {}", path.join(" -> "));
        let problem = Problem::error("circle", what).at(steps[circle[0].at()].1.id.span);
        problems.push(problem.hint("take one of these needs out"));
    }
}

/// Secrets that scripts and connections name, with where they come from.
fn secrets(
    inventory: &Inventory,
    runbook: &Runbook,
    steps: &[PlannedStep],
    planned_hosts: &[PlannedHost],
    problems: &mut Problems,
) -> BTreeMap<SecretName, SecretSource> {
    let mut secrets = BTreeMap::new();
    for host in planned_hosts {
        for name in hosts::connection_secrets(&host.reach) {
            match inventory.secrets.get(name) {
                Some(source) => {
                    secrets.insert(name.clone(), source.clone());
                }
                None => {
                    let what = format!(
                        "host `{}` is reached with secret `{name}`, which the inventory does not have",
                        host.name
                    );
                    let problem = Problem::error("unknown-secret", what)
                        .hint("declare it under `secrets:` of the inventory");
                    problems.push(match inventory.hosts.get(&host.name) {
                        Some(host) => problem.at(host.span),
                        None => problem,
                    });
                }
            }
        }
    }
    for name in steps.iter().flat_map(|step| &step.secrets) {
        let Some(source) = runbook.secrets.get(name) else { continue };
        match secrets.insert(name.clone(), source.clone()) {
            Some(other) if other != *source => {
                let what =
                    format!("secret `{name}` means one thing in the runbook and another in the inventory");
                problems.push(Problem::error("secret-declared-twice", what).hint("rename one of them"));
            }
            Some(_) | None => {}
        }
    }
    secrets
}

fn phases(runbook: &Runbook, problems: &mut Problems) -> Vec<PlannedPhase> {
    let mut first_step = 0;
    let mut phases = Vec::with_capacity(runbook.phases.len());
    for phase in &runbook.phases {
        if phase.steps.is_empty() {
            let what = format!("phase `{}` has no steps", phase.id.value);
            problems.push(
                Problem::error("empty-phase", what).at(phase.id.span).hint("give it a step or take it out"),
            );
        }
        phases.push(PlannedPhase {
            id: phase.id.value.clone(),
            title: phase.title.clone(),
            on_failure: phase.on_failure,
            isolates: phase.isolates.iter().map(|zone| zone.value.clone()).collect(),
            first_step: StepIx(first_step),
            steps: phase.steps.len() as u32,
        });
        first_step += phase.steps.len() as u32;
    }
    phases
}

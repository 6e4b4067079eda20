//! What is no lock-out and worth knowing, and what nobody can tell.

use super::Moment;
use super::cuts::reverts;
use super::judge::{Court, is_needed};
use super::legs::{Unknown, wants};
use crate::model::names::{HostIx, PhaseIx, StepIx, TaskIx};
use crate::model::runbook::Policy;
use crate::plan::Plan;
use crate::reach::bits::Bits;
use crate::reach::site::Site;
use std::collections::BTreeSet;

/// Names listed before the rest is a number.
const NAMES_MAX: usize = 5;

/// A plan whose controller stands nowhere: nothing can be said, which matters if anything is cut.
pub fn no_controller(plan: &Plan, site: &Site) -> Vec<String> {
    if !plan.steps.iter().any(|step| !step.severs.is_empty()) {
        return Vec::new();
    }
    let why = match site.zones.is_empty() {
        true => "the inventory has no zones",
        false => "the inventory does not say where the controller stands (`controller: { zone: … }`)",
    };
    vec![format!("whether this plan can lock you out was NOT judged: {why}")]
}

/// What is needed and not known to be reached.
pub fn unjudged(court: &Court<'_>, unknown: &BTreeSet<Unknown>, needed: &BTreeSet<HostIx>) -> Vec<String> {
    if !court.cuts.any() {
        return Vec::new();
    }
    let unknown: Vec<&Unknown> = unknown.iter().filter(|unknown| is_needed(unknown, court, needed)).collect();
    let hosts: Vec<&str> = unknown
        .iter()
        .filter_map(|unknown| match unknown {
            Unknown::Host(host) => Some(court.plan.hosts[host.at()].name.as_str()),
            Unknown::NameServers => None,
        })
        .collect();
    let mut said = Vec::new();
    if !hosts.is_empty() {
        let rest = match hosts.len().saturating_sub(NAMES_MAX) {
            0 => String::new(),
            rest => format!(" and {rest} more"),
        };
        let names = hosts[..hosts.len().min(NAMES_MAX)].join(", ");
        said.push(format!(
            "whether {names}{rest} stay reached was NOT judged: the inventory gives them no zone"
        ));
    }
    if unknown.contains(&&Unknown::NameServers) {
        said.push("whether names are still looked up was NOT judged: a name server has no zone".to_owned());
    }
    said
}

/// Guards that will have to save somebody, and retries that would come too late.
pub fn notes(court: &Court<'_>, lost: &BTreeSet<(usize, TaskIx)>) -> Vec<String> {
    let steps = (0..court.plan.steps.len() as u32).map(StepIx);
    let guarded = steps.filter(|step| reverts(&court.plan.steps[step.at()]));
    let saved = guarded.filter(|step| cuts_its_own_way(court, *step, lost)).map(|step| {
        let id = &court.plan.steps[step.at()].id;
        format!("`{id}` cuts the way that it is reached by; only its guard takes that back")
    });
    let phases = (0..court.plan.phases.len() as u32).map(PhaseIx);
    let going_on = phases.filter(|phase| court.plan.phases[phase.at()].on_failure == Policy::Continue);
    saved.chain(going_on.filter_map(|phase| too_late(court, phase, lost))).collect()
}

fn cuts_its_own_way(court: &Court<'_>, step: StepIx, lost: &BTreeSet<(usize, TaskIx)>) -> bool {
    let Some(wants) = wants(court.plan, step, Moment::Verify) else { return false };
    court.classes.of_step(step).filter(|class| court.classes.all[*class].runs).any(|class| {
        let mut cut = court.cuts.at(court.plan, &court.classes, class, Moment::Verify);
        cut.add(&court.cuts.by_step[step.at()]);
        let tasks = &court.classes.all[class].tasks;
        tasks.iter().any(|task| {
            wants.hosts(court.plan, *task).any(|host| {
                let mut way = court.legs.ways[host.at()].iter().map(|(stretch, ..)| *stretch);
                way.any(|stretch| !lost.contains(&(stretch, *task)) && court.legs.all[stretch].is_gone(&cut))
            })
        })
    })
}

/// Failed tasks of a phase that goes on all the same are tried again by a later `resume`: after cuts that come later.
fn too_late(court: &Court<'_>, phase: PhaseIx, lost: &BTreeSet<(usize, TaskIx)>) -> Option<String> {
    let cut: Bits = court.cut_in_the_end();
    let mut late: BTreeSet<TaskIx> = BTreeSet::new();
    let mut stretches = BTreeSet::new();
    for step in court.plan.steps_of(phase) {
        let Some(wants) = wants(court.plan, step, Moment::Run) else { continue };
        let runs = |task: &TaskIx| court.plan.tasks[task.at()].left_out.is_none();
        for task in court.plan.tasks_of(step).filter(runs) {
            for (stretch, ..) in wants.hosts(court.plan, task).flat_map(|host| &court.legs.ways[host.at()]) {
                if court.legs.all[*stretch].is_gone(&cut) && !lost.contains(&(*stretch, task)) {
                    late.insert(task);
                    stretches.insert(*stretch);
                }
            }
        }
    }
    let first = court.plan.task_name(*late.first()?);
    let more = match late.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let stretch = &court.legs.all[*stretches.first()?];
    let conduits = stretch.conduits.iter().map(|conduit| court.site.conduit_name(*conduit).as_str());
    let conduits = conduits.collect::<Vec<_>>().join(", ");
    Some(format!(
        "phase `{}` goes on when a task of it fails; a later `resume` could not try {first}{more} again: {conduits} \
         will be cut",
        court.plan.phases[phase.at()].id
    ))
}

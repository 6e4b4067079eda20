//! What failed, what did not run, what needs a person and what is cut; what shares a reason stands together.

use super::lang::Says;
use super::ledger::{Cut, Group};
use super::steps::printed;
use crate::model::event::{Before, NotRun, TaskEnd};
use crate::model::names::{StepIx, TaskIx};
use crate::plan::frozen::Plan;
use crate::report::commands;
use crate::report::facts;
use crate::report::timeline::Timeline;
use std::collections::BTreeMap;

type Groups = BTreeMap<(StepIx, bool, String), Vec<TaskIx>>;

/// Tasks that did not end well.
pub(super) fn failures(timeline: &Timeline, says: &Says) -> Vec<Group> {
    let plan = timeline.state.plan();
    let mut groups = Groups::new();
    for task in tasks(plan) {
        if let Some(end @ TaskEnd::Failed { .. }) = timeline.state.task(task).end() {
            let why = says.task_end(plan, task, end);
            groups.entry((plan.tasks[task.at()].step, false, why)).or_default().push(task);
        }
    }
    told(timeline, groups, true)
}

/// Tasks that did not run.
pub(super) fn not_run(timeline: &Timeline, says: &Says) -> Vec<Group> {
    let plan = timeline.state.plan();
    let mut groups = Groups::new();
    for task in tasks(plan) {
        if let Some(TaskEnd::NotRun { because }) = timeline.state.task(task).end() {
            let planned = &plan.tasks[task.at()];
            let why = says.not_run(plan, because, planned.left_out.as_deref());
            groups.entry((planned.step, *because == NotRun::LeftOut, why)).or_default().push(task);
        }
    }
    told(timeline, groups, false)
}

/// Tasks that could not be taken back.
pub(super) fn stuck(timeline: &Timeline, says: &Says) -> Vec<Group> {
    let plan = timeline.state.plan();
    let mut groups = Groups::new();
    for (task, end) in timeline.state.needs_a_person() {
        let why = says.undo_end(plan, task, &end);
        groups.entry((plan.tasks[task.at()].step, false, why)).or_default().push(task);
    }
    told(timeline, groups, true)
}

fn told(timeline: &Timeline, groups: Groups, with_printed: bool) -> Vec<Group> {
    let plan = timeline.state.plan();
    let group = |((step, left_out, why), tasks): ((StepIx, bool, String), Vec<TaskIx>)| {
        let planned = &plan.steps[step.at()];
        let host = tasks.iter().find_map(|task| plan.tasks[task.at()].host);
        let name = |task: &TaskIx| plan.host_of(*task).map(|host| host.name.to_string());
        Group {
            step: planned.id.to_string(),
            phase: plan.phases[planned.phase.at()].id.to_string(),
            why,
            hosts: tasks.iter().filter_map(name).collect(),
            tasks: tasks.len() as u32,
            left_out,
            printed: if with_printed { printed(timeline, tasks[0]) } else { Vec::new() },
            look: host.filter(|_| with_printed).and_then(|host| commands::ssh(plan, host)),
        }
    };
    groups.into_iter().map(group).collect()
}

/// Conduits that are cut, and whether anything proved it.
pub(super) fn cuts(timeline: &Timeline) -> Vec<Cut> {
    let plan = timeline.state.plan();
    let cut = |cut: facts::CutFacts| {
        let step = plan.step_named(cut.step.as_str());
        Cut {
            conduit: cut.conduit.to_string(),
            step: cut.step.to_string(),
            hosts: cut.hosts.iter().map(ToString::to_string).collect(),
            at: step.and_then(|step| timeline.state.step(step).ended_at()),
            certain: cut.certain,
            proved: step.is_some_and(|step| proved(timeline, step)),
        }
    };
    facts::cuts(&timeline.state).into_iter().map(cut).collect()
}

/// Did a probe of the step see closed what was open before?
pub(in crate::report) fn proved(timeline: &Timeline, step: StepIx) -> bool {
    let plan = timeline.state.plan();
    timeline.probes.iter().any(|(_, task, seen)| {
        task.is_some_and(|task| plan.tasks[task.at()].step == step)
            && seen.is_negative()
            && seen.agrees
            && seen.before == Some(Before::Open)
    })
}

fn tasks(plan: &Plan) -> impl Iterator<Item = TaskIx> + use<> {
    (0..plan.tasks.len() as u32).map(TaskIx)
}
